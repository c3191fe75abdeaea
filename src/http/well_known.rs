//! What the issuer and the resource say of themselves: RFC 8414, RFC 9728, and the keys of tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, oauth};
use crate::domain::{AuthMethod, Scope};
use crate::export::log_proofs::KeySet;
use crate::identity::ALGORITHMS;

/// What the authorization server says of itself.
pub(super) const SERVER: &str = "/.well-known/oauth-authorization-server";
/// What the protected resource says of itself.
pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// The keys that tokens are signed with.
pub(super) const KEYS: &str = "/.well-known/jwks.json";

#[derive(Serialize)]
struct Server<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    /// There is no authorization endpoint; the member is required (RFC 8414, section 2).
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    service_documentation: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the standard's names")]
struct Resource<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
    resource_name: &'static str,
    resource_documentation: String,
}

fn scopes() -> Vec<&'static str> {
    Scope::ALL.into_iter().map(Scope::id).collect()
}

pub(super) async fn server(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let issuer = &*site.issuing.issuer;
    Ok(reply::json(
        Cache::Public,
        &Server {
            issuer,
            token_endpoint: format!("{issuer}{}", oauth::PATH),
            jwks_uri: format!("{issuer}{KEYS}"),
            scopes_supported: scopes(),
            response_types_supported: [],
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: AuthMethod::ALL.into_iter().map(AuthMethod::id).collect(),
            token_endpoint_auth_signing_alg_values_supported: ALGORITHMS
                .iter()
                .map(|(name, _)| *name)
                .collect(),
            service_documentation: site.links.to("/openapi.yaml"),
        },
    ))
}

pub(super) async fn resource(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let issuer = &*site.issuing.issuer;
    Ok(reply::json(
        Cache::Public,
        &Resource {
            resource: issuer,
            authorization_servers: [issuer],
            scopes_supported: scopes(),
            bearer_methods_supported: ["header"],
            resource_name: "Handslag",
            resource_documentation: site.links.to("/openapi.yaml"),
        },
    ))
}

pub(super) async fn keys(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let registered = site.issuing.registrar.registry().current();
    Ok(reply::json(Cache::Public, &KeySet::of(registered.token_keys().map(|key| (&*key.kid, &*key.public)))))
}
