//! Who may: a type in the handler's signature, first in its list. It never awaits, so that 401 and 403
//! always come before anything that is said of a body.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::problem::Problem;
use super::{Site, audit};
use crate::domain::BallotBook;
use crate::identity::{Identity, Scope};

/// A kind of permission, in the map of routes and in the authorization test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Anyone; a token may widen the answer.
    Anyone,
    /// The participant of the path, or who may list ballots.
    ReadBallot,
    /// The participant of the path.
    SubmitBallot,
    /// Who may list ballots; anyone when the round's ballot book is open.
    ListBallots,
    /// Anyone when the round's visibility says so; before, who may see results.
    SeeResults,
    /// Who runs rounds.
    Manage,
}

/// A permission as a type.
pub(super) trait Grants {
    fn grant(caller: Option<&Identity>, request: &HttpRequest, site: &Site) -> Result<(), Problem>;
}

macro_rules! permissions {
    ($($name:ident),+) => { $(#[derive(Debug)] pub(super) struct $name;)+ };
}
permissions!(Anyone, ReadBallot, SubmitBallot, ListBallots, SeeResults, Manage);

impl Grants for Anyone {
    fn grant(_: Option<&Identity>, _: &HttpRequest, _: &Site) -> Result<(), Problem> {
        Ok(())
    }
}

impl Grants for ReadBallot {
    fn grant(caller: Option<&Identity>, request: &HttpRequest, _: &Site) -> Result<(), Problem> {
        let identity = caller.ok_or_else(|| Problem::unauthorized(false))?;
        if identity.scopes.has(Scope::BallotsList) {
            Ok(())
        } else {
            own(identity, request, Scope::BallotsRead)
        }
    }
}

impl Grants for SubmitBallot {
    fn grant(caller: Option<&Identity>, request: &HttpRequest, _: &Site) -> Result<(), Problem> {
        own(caller.ok_or_else(|| Problem::unauthorized(false))?, request, Scope::BallotsWrite)
    }
}

impl Grants for ListBallots {
    fn grant(caller: Option<&Identity>, request: &HttpRequest, site: &Site) -> Result<(), Problem> {
        let board = site.find(&path(request, "roundId"), caller);
        let open = board.is_some_and(|board| board.ledger.round.definition.ballot_book == BallotBook::Open);
        if open { Ok(()) } else { require(caller, Scope::BallotsList) }
    }
}

impl Grants for SeeResults {
    fn grant(caller: Option<&Identity>, request: &HttpRequest, site: &Site) -> Result<(), Problem> {
        match site.find(&path(request, "roundId"), caller) {
            Some(board) if !board.ledger.round.results_are_public() => require(caller, Scope::ResultsRead),
            Some(_) | None => Ok(()),
        }
    }
}

impl Grants for Manage {
    fn grant(caller: Option<&Identity>, _: &HttpRequest, _: &Site) -> Result<(), Problem> {
        require(caller, Scope::RoundsAdmin)
    }
}

fn require(caller: Option<&Identity>, scope: Scope) -> Result<(), Problem> {
    let identity = caller.ok_or_else(|| Problem::unauthorized(false))?;
    if identity.scopes.has(scope) { Ok(()) } else { Err(Problem::lacks(scope)) }
}

/// The code is the token's, never the caller's word: whether another one exists is not told.
fn own(identity: &Identity, request: &HttpRequest, scope: Scope) -> Result<(), Problem> {
    if !identity.scopes.has(scope) {
        return Err(Problem::lacks(scope));
    }
    let asked = path(request, "participantCode");
    match &identity.participant {
        Some(code) if code.as_str() == asked => Ok(()),
        Some(_) => Err(Problem::not_yours()),
        None => Err(Problem::nobodys()),
    }
}

fn path(request: &HttpRequest, name: &str) -> String {
    request.match_info().query(name).to_owned()
}

/// A caller that has a permission.
#[derive(Debug)]
pub(super) struct Caller<P> {
    identity: Option<Arc<Identity>>,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// Who it is, if a token says so.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// The same, to be kept longer than the request.
    pub(super) fn shared_identity(&self) -> Option<&Arc<Identity>> {
        self.identity.as_ref()
    }

    /// Whether the token allows more.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.identity().is_some_and(|identity| identity.scopes.has(scope))
    }

    /// Asks for more than the route does.
    ///
    /// # Errors
    /// 401 or 403.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        require(self.identity(), scope)
    }
}

impl<P: Grants> FromRequest for Caller<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let site = request.app_data::<web::Data<Site>>().expect("the site is part of the app");
        ready(identify(request, site).and_then(|identity| {
            P::grant(identity.as_deref(), request, site)?;
            Ok(Self { identity, permission: PhantomData })
        }))
    }
}

/// No token is nobody; a token that is not believed is 401 even where nobody may ask: the caller should know.
fn identify(request: &HttpRequest, site: &Site) -> Result<Option<Arc<Identity>>, Problem> {
    let mut fields = request.headers().get_all(header::AUTHORIZATION);
    let Some(field) = fields.next() else { return Ok(None) };
    let refused = |id, reason: &str| {
        site.metrics.refusals.token(id);
        tracing::info!(reason, "a token was refused");
        audit::note_reason(request, reason);
        Problem::unauthorized(true)
    };
    if fields.next().is_some() {
        return Err(refused("two-fields", "two Authorization fields"));
    }
    let (scheme, token) = field.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused("not-bearer", "not a bearer token"));
    }
    let identity = site
        .validator
        .check(token.trim(), site.clock.now())
        .map_err(|refusal| refused(refusal.id(), &refusal.to_string()))?;
    if site.issuing.is_disabled(&identity) {
        return Err(refused("disabled", "the client is disabled"));
    }
    site.limiter.count_client(&identity.issuer, &identity.subject, request)?;
    request.extensions_mut().insert(Arc::clone(&identity));
    Ok(Some(identity))
}
