//! What every handler works with.

use std::sync::Arc;

use super::guard::Caller;
use super::problem::Problem;
use super::{Issuing, Limiter, Listeners, Stopping, Tls};
use crate::board::{AuditTrail, Board, Boards, Follower, Gates, Writer};
use crate::config::{Edge, Reporting};
use crate::domain::State;
use crate::export::Links;
use crate::identity::{Identity, Scope, SigningKey, Validator};
use crate::observe::metrics::Metrics;
use crate::observe::traces::Traces;
use crate::service::Clock;
use crate::store::Store;

/// The service's parts, shared by all workers.
#[derive(Debug)]
pub struct Site {
    /// What reads are answered from.
    pub boards: Arc<Boards>,
    /// The way to the writer.
    pub writer: Writer,
    /// What keeps the boards up to other processes; it ends with the site.
    pub follower: Follower,
    /// The way to the audit trail.
    pub audit: AuditTrail,
    /// For what the boards do not hold.
    pub store: Store,
    /// What costly reading and counting goes through.
    pub gates: Gates,
    /// Where links point to.
    pub links: Links,
    /// Who is believed.
    pub validator: Validator,
    /// Our own issuer of tokens.
    pub issuing: Issuing,
    /// What signs receipts.
    pub log_key: SigningKey,
    /// What time it is.
    pub clock: Clock,
    /// Who listens for results.
    pub listeners: Listeners,
    /// What is counted and timed.
    pub metrics: Arc<Metrics>,
    /// Who gets a span of each exchange, if anybody.
    pub traces: Traces,
    /// Whether it is about to end.
    pub stopping: Stopping,
    /// How much each caller has asked for.
    pub limiter: Limiter,
    /// What is between it and its callers.
    pub edge: Edge,
    /// What callers by TLS are shown; none means that they come without.
    pub tls: Option<Arc<Tls>>,
    /// Whom to tell of a fault of security.
    pub reporting: Option<Reporting>,
}

impl Site {
    /// The round of a path, as this caller may know of it: a draft does not exist but for managers.
    ///
    /// # Errors
    /// `not-found`.
    pub(super) fn board<P>(&self, caller: &Caller<P>, round: &str) -> Result<Arc<Board>, Problem> {
        self.find(round, caller.identity()).ok_or_else(|| Problem::not_found("omgången", "the round"))
    }

    pub(super) fn find(&self, round: &str, identity: Option<&Identity>) -> Option<Arc<Board>> {
        let manages = identity.is_some_and(|identity| identity.scopes.has(Scope::RoundsAdmin));
        self.boards.get(round).filter(|board| manages || board.ledger.round.state != State::Draft)
    }
}
