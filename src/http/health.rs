//! Whether the process lives, and whether it can serve.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use tokio::time::timeout;

use super::Site;
use super::problem::Problem;
use super::reply::Cache;
use crate::domain::Titles;
use crate::store::{self, Store, rounds};

/// How long the database may take to answer: one that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// A part of the instance without which it cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Database,
    Migrations,
    Writer,
    Follower,
    Register,
}

impl Part {
    /// Its name, as codes and labels have it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Migrations => "migrations",
            Self::Writer => "writer",
            Self::Follower => "follower",
            Self::Register => "register",
        }
    }

    fn fault(self) -> (&'static str, &'static str) {
        match self {
            Self::Database => ("Databasen svarar inte på läsning.", "The database does not answer readers."),
            Self::Migrations => (
                "Databasens schema saknar ändringar som programmet behöver.",
                "The schema of the database lacks migrations that the program needs.",
            ),
            Self::Writer => (
                "Skrivaren är borta, eller har hållit på länge med ett arbete.",
                "The writer is gone, or has been at one piece of work for long.",
            ),
            Self::Follower => (
                "Det som andra processer skriver har inte synts på länge.",
                "What other processes write has not been seen for long.",
            ),
            Self::Register => (
                "Registret över klienter och nycklar har inte kunnat läsas på länge.",
                "The register of clients and keys could not be read for long.",
            ),
        }
    }
}

/// Asks every part whether it is well.
pub(super) async fn parts(site: &Site) -> [(Part, bool); 5] {
    let store = site.store.clone();
    let asked = timeout(PATIENCE, web::block(move || ask(&store))).await;
    let (database, migrations) = match asked {
        Ok(Ok(Ok(is_complete))) => (true, is_complete),
        // Nothing is known of the schema of a database that does not answer.
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => (false, true),
    };
    [
        (Part::Database, database),
        (Part::Migrations, migrations),
        (Part::Writer, site.writer.is_well()),
        (Part::Follower, site.follower.is_well()),
        (Part::Register, site.issuing.registrar.is_well()),
    ]
}

/// Whether the schema is complete; then the rounds can be read too.
fn ask(store: &Store) -> Result<bool, store::Error> {
    store.read(|conn| {
        let is_complete = store::is_complete(conn)?;
        if is_complete {
            rounds::marks(conn)?;
        }
        Ok(is_complete)
    })
}

pub(super) async fn live() -> HttpResponse {
    says("live\n")
}

pub(super) async fn ready(site: web::Data<Site>) -> Result<HttpResponse, Problem> {
    // Whoever sends requests here should send them elsewhere before this process is gone.
    if site.stopping.has_begun() {
        let (sv, en) = ("Tjänsten är på väg att stanna.", "The service is about to stop.");
        return Err(Problem::not_ready(vec![("stopping", texts(sv, en))]));
    }
    let unwell = parts(&site).await.into_iter().filter(|(_, is_well)| !is_well);
    let unwell: Vec<_> = unwell
        .map(|(part, _)| {
            let (sv, en) = part.fault();
            (part.id(), texts(sv, en))
        })
        .collect();
    if unwell.is_empty() { Ok(says("ready\n")) } else { Err(Problem::not_ready(unwell)) }
}

/// It is true now, and nobody is to remember it.
fn says(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .body(text)
}

fn texts(sv: &str, en: &str) -> Titles {
    Titles { sv: sv.to_owned(), en: en.to_owned() }
}
