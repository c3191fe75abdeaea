//! What every handler works with.

use std::sync::Arc;

use super::guard::Caller;
use super::problem::Problem;
use super::{Listeners, Stopping};
use crate::board::{Board, Boards, Follower, Gates, Writer};
use crate::domain::{RoundId, State};
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
    /// For what the boards do not hold.
    pub store: Store,
    /// What costly reading and counting goes through.
    pub gates: Gates,
    /// Where links point to.
    pub links: Links,
    /// Who is believed.
    pub validator: Validator,
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
        let id: RoundId = round.parse().ok()?;
        let manages = identity.is_some_and(|identity| identity.scopes.has(Scope::RoundsAdmin));
        self.boards.get(&id).filter(|board| manages || board.ledger.round.state != State::Draft)
    }
}
