//! Replies that handlers share.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::conditional;
use super::problem::Problem;
use crate::board::Encoding;
use crate::domain::{Round, Sequence, State};
use crate::export::{Link, Links, csvw};

/// Who may keep a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cache {
    /// Anyone, but it must ask each time whether it is still right.
    Public,
    /// Only the caller, likewise.
    Private,
    /// Nobody.
    NoStore,
    /// Anyone, without asking again: it will never be anything else.
    PublicForever,
    /// Only the caller, likewise.
    PrivateForever,
}

impl Cache {
    /// Of what describes a round: a draft is seen by managers only.
    pub(super) fn of(round: &Round) -> Self {
        match round.state {
            State::Draft => Self::Private,
            State::Open | State::Closed | State::Certified | State::Corrected => Self::Public,
        }
    }

    /// Of what will never be anything else.
    pub(super) fn forever(self) -> Self {
        match self {
            Self::Public | Self::PublicForever => Self::PublicForever,
            Self::Private | Self::PrivateForever => Self::PrivateForever,
            Self::NoStore => Self::NoStore,
        }
    }

    pub(super) fn field(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Public => "public, max-age=0, must-revalidate",
            Self::Private => "private, max-age=0, must-revalidate",
            Self::NoStore => "no-store",
            Self::PublicForever => "public, max-age=31536000, immutable",
            Self::PrivateForever => "private, max-age=31536000, immutable",
        })
    }
}

/// The sequence of the state that a reply about a round is of.
const ROUND_SEQUENCE: HeaderName = HeaderName::from_static("round-sequence");

/// The header field that says of which state of a round the reply is.
pub(super) fn sequence_field(sequence: Sequence) -> (HeaderName, HeaderValue) {
    (ROUND_SEQUENCE, HeaderValue::from(sequence))
}

/// The reply, saying of which state of a round it is.
pub(super) fn at_sequence(mut reply: HttpResponse, sequence: Sequence) -> HttpResponse {
    let (name, value) = sequence_field(sequence);
    reply.headers_mut().insert(name, value);
    reply
}

/// 200 with a document.
pub(super) fn json(cache: Cache, document: &impl Serialize) -> HttpResponse {
    with_json(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, cache.field())), document)
}

/// 200 with what a resource has become.
pub(super) fn changed(etag: &str, sequence: Sequence, document: &impl Serialize) -> HttpResponse {
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::ETAG, etag))
        .insert_header(sequence_field(sequence))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()));
    with_json(&mut reply, document)
}

/// 200 with a page of a list, whose links stand in the header too (RFC 8288).
pub(super) fn json_page(cache: Cache, links: &[Link], document: &impl Serialize) -> HttpResponse {
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::CACHE_CONTROL, cache.field()))
        .insert_header((header::LINK, link_field(links)));
    with_json(&mut reply, document)
}

/// As [`json_page`], with a validator, or 304 if the caller has it.
pub(super) fn page_with_etag(
    request: &HttpRequest,
    cache: Cache,
    etag: &str,
    links: &[Link],
    document: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let mut reply = json_with_etag(request, cache, etag, "Authorization", || {
        Ok(serde_json::to_vec(document).expect("a document of texts and numbers"))
    })?;
    let field = HeaderValue::try_from(link_field(links)).expect("addresses in a header field");
    reply.headers_mut().insert(header::LINK, field);
    Ok(reply)
}

/// Links as a header field; the API's description is among them (RFC 8631).
pub(super) fn link_field(links: &[Link]) -> String {
    let links = links.iter().filter(|link| link.method == "GET");
    let links = links.map(|link| format!("<{}>; rel=\"{}\"", link.href, link.rel));
    let description =
        format!("<{}/openapi.yaml>; rel=\"service-desc\"; type=\"application/yaml\"", Links::PATH);
    links.chain([description]).collect::<Vec<_>>().join(", ")
}

/// The link from a table to what describes it (CSV on the Web).
pub(super) fn described_by(address: &str) -> String {
    format!("<{address}>; rel=\"describedby\"; type=\"{}\"", csvw::MEDIA_TYPE)
}

/// 200 with a body of any type.
pub(super) fn body(cache: Cache, media_type: &'static str, body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, cache.field()))
        .insert_header((header::CONTENT_TYPE, media_type))
        .body(body)
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
