//! Which pages of other origins may read an answer (the Fetch standard, section 3.3).
//!
//! The public documents are for any page. Everything else is for the pages of the configured origins, and they show a
//! token as every caller does: there are no cookies here, so credentials are never allowed. That the methods and fields of
//! a preflight are allowed says nothing of what the token is good for.

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

use crate::export::Links;

/// Documents below the API's base that are the same for everybody.
const PUBLIC: [&str; 4] = ["/openapi.yaml", "/api-info", "/rules", "/log-keys"];
/// Fields that a page may send.
const REQUEST_FIELDS: &str = "Accept, Accept-Language, Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, traceparent";
/// Fields of an answer that a page may read, beyond those that every page may.
const ANSWER_FIELDS: &str = "Allow, Content-Disposition, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Round-Sequence, traceparent, WWW-Authenticate";
/// How long a page may remember what a preflight has said, in seconds.
const REMEMBERED: &str = "600";

/// Says of an answer who may read it.
pub(super) fn mark<B>(response: &mut ServiceResponse<B>, origins: &[String]) {
    let path = response.request().path();
    let origin = if is_public(path) {
        Some(HeaderValue::from_static("*"))
    } else if origins.is_empty() {
        None
    } else {
        let asking = response.request().headers().get(header::ORIGIN).cloned();
        // What a cache keeps for one origin is not for another.
        vary(response.headers_mut());
        asking.filter(|asking| origins.iter().any(|origin| asking == origin.as_str()))
    };
    let Some(origin) = origin else { return };
    let preflight =
        response.request().method() == Method::OPTIONS && response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if preflight {
        let allowed = headers.get(header::ALLOW).cloned();
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, allowed);
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, Some(HeaderValue::from_static(REQUEST_FIELDS)));
        set(headers, header::ACCESS_CONTROL_MAX_AGE, Some(HeaderValue::from_static(REMEMBERED)));
    } else {
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, Some(HeaderValue::from_static(ANSWER_FIELDS)));
    }
}

fn is_public(path: &str) -> bool {
    let document = |path: &str| PUBLIC.contains(&path) || path.starts_with("/rules/");
    path.strip_prefix(Links::PATH).is_some_and(document) || path.starts_with("/.well-known/")
}

fn vary(headers: &mut HeaderMap) {
    let known = headers.get(header::VARY).and_then(|field| field.to_str().ok());
    let text = known.map_or_else(|| "Origin".to_owned(), |known| format!("{known}, Origin"));
    set(headers, header::VARY, HeaderValue::try_from(text).ok());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}
