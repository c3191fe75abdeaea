//! What of an exchange goes into the audit trail: every write, every refusal for identity, and who reads what is not for
//! all. Polls of results do not.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest};

use super::problem::Problem;
use super::{Site, routes};
use crate::board::Weight;
use crate::domain::ClientId;
use crate::domain::audit::{self, Act, Actor, Channel, Outcome, Target};
use crate::export::Links;
use crate::identity::{Identity, Scope};

/// What is read there is not for all: who read it is recorded.
const READS: [&str; 5] = [
    "/audit-entries",
    "/rounds/{roundId}/ballots",
    "/rounds/{roundId}/ballots/{participantCode}",
    "/rounds/{roundId}/ballots/{participantCode}/revisions",
    "/rounds/{roundId}/log-entries",
];

/// What a handler knows of an act and its request does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    /// Who it is, where no access token says so.
    pub(super) actor: Option<Actor>,
    /// What it is about, where the path does not say so.
    pub(super) target: Option<Target>,
}

/// Notes something for the entry of this exchange.
pub(super) fn note(request: &HttpRequest, note: Note) {
    request.extensions_mut().insert(note);
}

/// Why a token was not believed.
struct Reason(String);

/// What stood in the way, where the reply is no problem document.
struct Refusal(audit::Problem);

/// Notes what stood in the way, in the words of a reply that is no problem document.
pub(super) fn note_refusal(request: &HttpRequest, slug: &'static str, reason: &str) {
    let reason = Some(reason.to_owned());
    request.extensions_mut().insert(Refusal(audit::Problem { slug, reason }));
}

/// Notes why a token was not believed, which the caller is not told.
pub(super) fn note_reason(request: &HttpRequest, reason: &str) {
    request.extensions_mut().insert(Reason(reason.to_owned()));
}

/// The problem that a reply will tell of, before its body is written.
pub(super) fn problem<B>(response: &ServiceResponse<B>) -> Option<&'static str> {
    response.response().error().and_then(|error| error.as_error::<Problem>()).map(|problem| problem.kind.slug)
}

/// Records the exchange, if it is of a kind that is recorded.
pub(super) fn record<B: MessageBody>(
    site: &Site,
    response: &ServiceResponse<B>,
    problem: Option<&'static str>,
    trace: impl FnOnce() -> String,
) {
    let (request, status) = (response.request(), response.status().as_u16());
    let outcome = Outcome::of_status(status);
    let is_write = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let is_read = || outcome == Outcome::Accepted && reads(site, request);
    if !(is_write || matches!(status, 401 | 403) || is_read()) {
        return;
    }
    // Where there is no such address nothing could have been done.
    let Some(path) = path(site, request) else { return };
    let extensions = request.extensions();
    let noted = extensions.get::<Note>().cloned().unwrap_or_default();
    let refusal = extensions.get::<Refusal>().map(|Refusal(problem)| problem.clone());
    let reason = extensions.get::<Reason>().map(|Reason(reason)| reason.clone());
    let identity = extensions.get::<Arc<Identity>>();
    let act = Act {
        actor: noted
            .actor
            .unwrap_or_else(|| identity.map_or_else(|| stranger(site, request), |of| actor(of))),
        target: noted.target.unwrap_or_else(|| target(request)),
        status: Some(status),
        problem: refusal.or_else(|| problem.map(|slug| audit::Problem { slug, reason })),
        trace: Some(trace()),
        ..Act::new(Channel::Http, &format!("{} {path}", method(request)), outcome, site.clock.now())
    };
    let weight = if is_write && outcome == Outcome::Accepted { Weight::Each } else { Weight::Alike };
    site.audit.record(act, weight);
}

/// Whether somebody reads, by right of a scope, what others may not.
fn reads(site: &Site, request: &HttpRequest) -> bool {
    let extensions = request.extensions();
    let Some(identity) = extensions.get::<Arc<Identity>>() else { return false };
    let wide = identity.scopes.has(Scope::BallotsList) || identity.scopes.has(Scope::RoundsAdmin);
    let own = || {
        let asked = named(request, "participantCode");
        identity.participant.as_ref().is_some_and(|code| asked == Some(code.as_str()))
    };
    wide && path(site, request).is_some_and(|path| READS.contains(&path)) && !own()
}

/// The path as the API document has it: another could hold anything that a caller writes.
fn path<'a>(site: &'a Site, request: &HttpRequest) -> Option<&'a str> {
    let pattern = routes::pattern(site, request)?;
    Some(pattern.strip_prefix(Links::PATH).unwrap_or(pattern))
}

/// A look at the header of something is a look at it.
fn method(request: &HttpRequest) -> &str {
    if request.method() == Method::HEAD { "GET" } else { request.method().as_str() }
}

fn named<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.match_info().get(name)
}

fn target(request: &HttpRequest) -> Target {
    Target {
        round: named(request, "roundId").and_then(|id| id.parse().ok()),
        participant: named(request, "participantCode").and_then(|code| code.parse().ok()),
        id: None,
    }
}

/// That it is about a client.
pub(super) fn client(id: &ClientId) -> Note {
    let target = Target { id: Some(id.to_string()), ..Target::default() };
    Note { target: Some(target), ..Note::default() }
}

fn actor(identity: &Identity) -> Actor {
    Actor {
        issuer: Some(identity.issuer.clone()),
        client: identity.client.clone(),
        organisation: identity.participant.clone(),
        subject: Some(identity.subject.clone()),
        address: None,
    }
}

fn stranger(site: &Site, request: &HttpRequest) -> Actor {
    let address = site.limiter.caller(request.peer_addr(), request.headers());
    Actor { address: Some(address.to_string()), ..Actor::default() }
}
