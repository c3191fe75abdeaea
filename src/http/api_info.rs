//! What the API is (DIGG's REST API profile, VER.06 and VER.07), and its document.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::guard::{Anyone, Caller};
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};

/// The API document, as it stands in the repository.
pub(super) const DOCUMENT: &str = include_str!("../../api-spec/openapi.yaml");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the profile's names")]
struct ApiInfo {
    api_name: &'static str,
    api_version: &'static str,
    api_released: &'static str,
    api_documentation: String,
    api_status: &'static str,
}

pub(super) async fn get(_: Caller<Anyone>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let site = request.app_data::<actix_web::web::Data<super::Site>>().expect("the site is part of the app");
    let info = ApiInfo {
        api_name: "Handslag API",
        api_version: env!("CARGO_PKG_VERSION"),
        api_released: "2026-11-22",
        api_documentation: site.links.to("/openapi.yaml"),
        api_status: "beta",
    };
    Ok(reply::json(Cache::Public, &info))
}

pub(super) async fn document(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let digest = Sha256::digest(DOCUMENT);
    let etag = format!("\"{:016x}\"", u64::from_be_bytes(digest[..8].try_into().expect("eight of 32 bytes")));
    let media_type = "application/yaml";
    reply::with_etag(&request, Cache::Public, &etag, "Accept-Encoding", media_type, None, || {
        Ok(DOCUMENT.as_bytes().to_vec())
    })
}
