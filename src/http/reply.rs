//! Replies that handlers share.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::conditional;
use super::problem::Problem;
use crate::board::Encoding;

/// Who may keep a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cache {
    /// Anyone, but it must ask each time whether it is still right.
    Public,
    /// Only the caller, likewise.
    Private,
    /// Nobody.
    NoStore,
}

impl Cache {
    pub(super) fn field(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Public => "public, max-age=0, must-revalidate",
            Self::Private => "private, max-age=0, must-revalidate",
            Self::NoStore => "no-store",
        })
    }
}

/// 200 with a document.
pub(super) fn json(cache: Cache, document: &impl Serialize) -> HttpResponse {
    with_json(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, cache.field())), document)
}

/// A reply with a document.
pub(super) fn with_json(reply: &mut HttpResponseBuilder, document: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(document).expect("a document of texts and numbers");
    reply.insert_header((header::CONTENT_TYPE, "application/json")).body(body)
}

/// 200 with a document and its validator, or 304 if the caller has it.
pub(super) fn json_with_etag(
    request: &HttpRequest,
    cache: Cache,
    etag: &str,
    vary: &'static str,
    document: impl FnOnce() -> Result<Vec<u8>, Problem>,
) -> Result<HttpResponse, Problem> {
    with_etag(request, cache, etag, vary, "application/json", None, document)
}

/// 200 with a body and its validator, or 304 before the body is made.
pub(super) fn with_etag(
    request: &HttpRequest,
    cache: Cache,
    etag: &str,
    vary: &'static str,
    media_type: &'static str,
    file_name: Option<&str>,
    body: impl FnOnce() -> Result<Vec<u8>, Problem>,
) -> Result<HttpResponse, Problem> {
    let known = conditional::is_known(request, etag);
    let mut reply = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, cache.field()))
        .insert_header((header::VARY, vary));
    if known {
        return Ok(reply.finish());
    }
    reply.insert_header((header::CONTENT_TYPE, media_type));
    if let Some(file_name) = file_name {
        reply.insert_header((header::CONTENT_DISPOSITION, disposition(file_name)));
    }
    Ok(reply.body(body()?))
}

/// What a saved file is called; names here are made of ids and numbers.
pub(super) fn disposition(file_name: &str) -> String {
    format!("attachment; filename=\"{file_name}\"")
}

/// Marks the content coding.
pub(super) fn coded(reply: &mut HttpResponseBuilder, encoding: Encoding) {
    if let Some(token) = encoding.token() {
        reply.insert_header((header::CONTENT_ENCODING, token));
    }
}
