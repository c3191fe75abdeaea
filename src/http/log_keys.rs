//! The keys that sign receipts and heads of the log.

use actix_web::{HttpRequest, HttpResponse, web};

use super::Site;
use super::guard::{Anyone, Caller};
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use crate::export::log_proofs::KeySet;

/// As `application/json`, which the API profile asks for and every reader of a JWK set takes; RFC 7517 registers a type
/// of its own and does not require it.
pub(super) async fn get(
    _: Caller<Anyone>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    Ok(reply::json(Cache::Public, &KeySet::of([(site.log_key.kid(), site.log_key.public())])))
}
