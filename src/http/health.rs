//! Whether the process lives, and whether it can serve.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::Site;
use super::problem::Problem;
use super::reply::Cache;
use crate::store::rounds;

pub(super) async fn live() -> HttpResponse {
    says("live\n")
}

pub(super) async fn ready(site: web::Data<Site>) -> Result<HttpResponse, Problem> {
    // Whoever sends requests here should send them elsewhere before this process is gone.
    if site.stopping.has_begun() || !site.writer.is_well() {
        return Err(Problem::unreadable());
    }
    let store = site.store.clone();
    let reached = web::block(move || store.read(|conn| rounds::marks(conn).map(drop))).await;
    match reached {
        Ok(Ok(())) => Ok(says("ready\n")),
        Ok(Err(_)) | Err(_) => Err(Problem::unreadable()),
    }
}

/// It is true now, and nobody is to remember it.
fn says(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .body(text)
}
