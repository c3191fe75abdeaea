//! The map of the service: method, path, permission, handler.

use std::collections::BTreeMap;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Route as Service, guard as on, web};

pub use super::guard::Permission;
use super::guard::Permission::{Anyone, ListBallots, Manage, ReadBallot, SeeResults, SubmitBallot};
use super::problem::{METHOD_NOT_ALLOWED, Problem};
use super::{
    Site, api_info, audit_entries, ballots, clients, events, health, initiatives, log_entries, log_keys,
    log_proofs, oauth, participants, participation, results, rounds, rules, security_txt, well_known,
};
use crate::export::Links;

/// A line of the map.
#[derive(Debug)]
pub struct Route {
    /// The method; GET answers HEAD as well.
    pub method: Method,
    /// The path below the API's base.
    pub path: &'static str,
    /// Who may.
    pub permission: Permission,
    handler: fn() -> Service,
}

macro_rules! map {
    ($($method:ident $path:literal $permission:ident $handler:path;)+) => {
        /// Every operation of the API.
        pub static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            permission: $permission,
            handler: || web::to($handler),
        }),+];
    };
}

map! {
    GET    "/api-info"                                                Anyone        api_info::get;
    GET    "/rounds"                                                  Anyone        rounds::list;
    POST   "/rounds"                                                  Manage        rounds::create;
    GET    "/rounds/{roundId}"                                        Anyone        rounds::get;
    PATCH  "/rounds/{roundId}"                                        Manage        rounds::patch;
    GET    "/rounds/{roundId}/initiatives"                            Anyone        initiatives::list;
    PUT    "/rounds/{roundId}/initiatives"                            Manage        initiatives::put;
    GET    "/rounds/{roundId}/participants"                           Anyone        participants::list;
    PUT    "/rounds/{roundId}/participants"                           Manage        participants::put;
    GET    "/rounds/{roundId}/ballots"                                ListBallots   ballots::list;
    GET    "/rounds/{roundId}/ballots/{participantCode}"              ReadBallot    ballots::get;
    PUT    "/rounds/{roundId}/ballots/{participantCode}"              SubmitBallot  ballots::put;
    DELETE "/rounds/{roundId}/ballots/{participantCode}"              SubmitBallot  ballots::delete;
    GET    "/rounds/{roundId}/ballots/{participantCode}/revisions"    ReadBallot    ballots::list_revisions;
    GET    "/rounds/{roundId}/results"                                SeeResults    results::get;
    GET    "/rounds/{roundId}/results/events"                         SeeResults    events::get;
    GET    "/rounds/{roundId}/participation"                          Anyone        participation::get;
    GET    "/rounds/{roundId}/log-entries"                            ListBallots   log_entries::list;
    GET    "/rounds/{roundId}/log-proofs"                             Anyone        log_proofs::get;
    GET    "/audit-entries"                                           Manage        audit_entries::list;
    GET    "/log-keys"                                                Anyone        log_keys::get;
    GET    "/clients"                                                 Manage        clients::list;
    POST   "/clients"                                                 Manage        clients::create;
    GET    "/clients/{clientId}"                                      Manage        clients::get;
    PATCH  "/clients/{clientId}"                                      Manage        clients::patch;
    POST   "/clients/{clientId}/credentials"                          Manage        clients::renew;
    GET    "/rules"                                                   Anyone        rules::list;
    GET    "/rules/{ruleId}"                                          Anyone        rules::get;
}

/// Paths outside the map, as they stand in an address: `/livez` and `/readyz` below nothing, the document below the API's
/// base.
const DOCUMENT: &str = "/openapi.yaml";
const LIVE: &str = "/livez";
const READY: &str = "/readyz";
/// All of those that lie below nothing.
const OUTSIDE: [&str; 7] = [
    LIVE,
    READY,
    oauth::PATH,
    well_known::SERVER,
    well_known::RESOURCE,
    well_known::KEYS,
    security_txt::PATH,
];

/// The pattern of every path there is.
pub fn patterns() -> Vec<String> {
    let mut below: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    below.dedup();
    let below = below.into_iter().chain([DOCUMENT]).map(|path| format!("{}{path}", Links::PATH));
    below.chain(OUTSIDE.map(str::to_owned)).collect()
}

/// What a resource is to whoever counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// The place of its pattern among [`patterns`].
    pub(super) pattern: usize,
    /// Whether ballots are sent there.
    pub(super) takes_ballots: bool,
}

/// The pattern of the path that was asked for; none if there is no such path. Nothing is put together for it.
pub(super) fn pattern<'a>(site: &'a Site, request: &HttpRequest) -> Option<&'a str> {
    site.metrics.exchanges.route(request.app_data::<Counted>()?.pattern)
}

/// A resource that says what it is.
fn resource(pattern: &str) -> actix_web::Resource {
    let place = patterns().iter().position(|known| known == pattern);
    let takes_ballots = ROUTES.iter().any(|route| {
        route.permission == SubmitBallot && pattern.strip_prefix(Links::PATH) == Some(route.path)
    });
    let counted = Counted { pattern: place.expect("each pattern is one of those there are"), takes_ballots };
    web::resource(pattern).app_data(counted)
}

/// The paths that are asked for most.
const FREQUENT: [&str; 2] = ["/rounds/{roundId}/results", "/rounds/{roundId}/ballots/{participantCode}"];

/// Puts the map, and what lies outside the API document, into an app.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let mut paths: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in ROUTES {
        paths.entry(route.path).or_default().push(route);
    }
    // The router tries one path after the other: the most frequent stand first.
    let mut paths: Vec<(&str, Vec<&Route>)> = paths.into_iter().collect();
    paths.sort_by_key(|(path, _)| {
        FREQUENT.iter().position(|frequent| frequent == path).unwrap_or(FREQUENT.len())
    });
    for (path, routes) in paths {
        let mut resource = resource(&format!("{}{path}", Links::PATH));
        let mut allowed: Vec<&str> = Vec::new();
        for route in routes {
            allowed.push(route.method.as_str());
            resource = resource.route((route.handler)().guard(on::Method(route.method.clone())));
            if route.method == Method::GET {
                allowed.push("HEAD");
                resource = resource.route((route.handler)().guard(on::Head()));
            }
        }
        app.service(with_allow(resource, allowed));
    }
    app.service(document_at(&format!("{}{DOCUMENT}", Links::PATH), || web::to(api_info::document)));
    app.service(with_allow(resource(oauth::PATH).route(web::post().to(oauth::token)), vec!["POST"]));
    app.service(document_at(well_known::SERVER, || web::to(well_known::server)));
    app.service(document_at(well_known::RESOURCE, || web::to(well_known::resource)));
    app.service(document_at(well_known::KEYS, || web::to(well_known::keys)));
    app.service(document_at(security_txt::PATH, || web::to(security_txt::get)));
    app.service(document_at(LIVE, || web::to(health::live)));
    app.service(document_at(READY, || web::to(health::ready)));
    app.default_service(web::to(|| async {
        Err::<HttpResponse, _>(Problem::not_found("adressen", "the address"))
    }));
}

/// A document outside the API that anyone may read.
fn document_at(path: &str, handler: fn() -> Service) -> actix_web::Resource {
    let resource = resource(path).route(handler().guard(on::Get())).route(handler().guard(on::Head()));
    with_allow(resource, vec!["GET", "HEAD"])
}

/// OPTIONS and 405 say what there is (RFC 9110, sections 9.3.7 and 15.5.6).
fn with_allow(resource: actix_web::Resource, mut allowed: Vec<&'static str>) -> actix_web::Resource {
    allowed.push("OPTIONS");
    let allow = allowed.join(", ");
    let of_options = allow.clone();
    resource
        .route(web::method(Method::OPTIONS).to(move || {
            let allow = of_options.clone();
            async move { HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish() }
        }))
        .default_service(web::to(move || {
            let allow = allow.clone();
            async move {
                let (sv, en) = (format!("Här finns {allow}."), format!("Here is {allow}."));
                Err::<HttpResponse, _>(
                    Problem::new(&METHOD_NOT_ALLOWED, &sv, &en).header(header::ALLOW, &allow),
                )
            }
        }))
}
