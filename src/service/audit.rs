//! The audit trail: how entries are written, chained and removed.
//!
//! One chain for the whole database, as the ballot log has one a round: `hash = SHA-256(hash before ‖ canonical JSON)`,
//! beginning from 32 zero bytes, canonical by RFC 8785. Nobody who waits for an answer waits for this.

use serde::Serialize;
use serde_json::Value;

use super::Clock;
pub use super::audit_verify::{Wrong, verify};
use super::log::chain;
use crate::domain::audit::{
    Act, Actor, AuditColumns, AuditEntry, Channel, Outcome, Problem, Removal, Target,
};
use crate::domain::{Hash, Instant, ParticipantCode, RoundId};
use crate::store::audit::Mark;
use crate::store::{self, Conn, Store};

/// How many entries one transaction removes.
const REMOVED_AT_ONCE: u64 = 50_000;
/// What a checkpoint is the entry of.
pub const PRUNE: &str = "audit prune";
/// What an entry is of that tells how many are missing.
pub const LOST: &str = "audit lost";

/// Why acts are not known to be in the trail.
#[derive(Debug)]
pub enum NotAppended {
    /// Nothing of it was stored.
    Undone(store::Error),
    /// The commit was not confirmed: whether the trail has come so far is to be asked with [`has_come_to`].
    InDoubt {
        /// Where the trail would have come to.
        mark: Mark,
        /// What storage said.
        error: store::Error,
    },
}

impl NotAppended {
    /// What storage said.
    pub fn into_error(self) -> store::Error {
        match self {
            Self::Undone(error) | Self::InDoubt { error, .. } => error,
        }
    }
}

/// Appends acts to the trail, all or none of them.
///
/// # Errors
/// If storage fails.
pub fn append(conn: &mut Conn, acts: &[Act]) -> Result<(), NotAppended> {
    let mut made = None;
    let done = Store::write(conn, |conn| {
        let mut mark = store::audit::claim(conn)?;
        let entries = acts.iter().map(|act| next(&mut mark, act, None)).collect();
        made = Some(mark);
        store::audit::append(conn, entries)
    });
    done.map_err(|error| match (error, made) {
        (error @ store::Error::Unconfirmed(_), Some(mark)) => NotAppended::InDoubt { mark, error },
        (error, _) => NotAppended::Undone(error),
    })
}

/// Whether the trail holds this entry. Waits for the end of a transaction that may be about to append it.
///
/// # Errors
/// If storage fails.
pub fn has_come_to(conn: &mut Conn, mark: Mark) -> Result<bool, store::Error> {
    Store::write(conn, |conn| {
        store::audit::claim(conn)?;
        Ok(store::audit::hash_at(conn, mark.sequence)? == Some(mark.head))
    })
}

/// Removes what is older than a moment, from the oldest on up to the first that is not. Before entries go, a checkpoint
/// is appended that says how many, up to which number and hash, and which way it was asked for. Gives how many went.
///
/// # Errors
/// If storage fails.
pub fn prune(conn: &mut Conn, before: Instant, channel: Channel, clock: &Clock) -> Result<u64, store::Error> {
    let mut pruned = 0;
    loop {
        let removed = Store::write(conn, |conn| {
            let mut mark = store::audit::claim(conn)?;
            let (Some(first), Some(last)) =
                (store::audit::first(conn)?, store::audit::older(conn, before.naive())?)
            else {
                return Ok(0);
            };
            let through = last.min(first + REMOVED_AT_ONCE - 1);
            let Some(hash) = store::audit::hash_at(conn, through)? else { return Ok(0) };
            let count = through - first + 1;
            let act = Act::new(channel, PRUNE, Outcome::Accepted, clock.now());
            let entry = next(&mut mark, &act, Some(&Removal { count, through, hash }));
            store::audit::append(conn, vec![entry])?;
            store::audit::remove(conn, through)?;
            Ok::<_, store::Error>(count)
        })?;
        pruned += removed;
        if removed < REMOVED_AT_ONCE {
            return Ok(pruned);
        }
    }
}

/// The entry of an act after those before it.
fn next(mark: &mut Mark, act: &Act, removal: Option<&Removal>) -> AuditEntry {
    let sequence = mark.sequence + 1;
    let canonical = document(sequence, act, removal);
    let hash = chain(mark.head, &canonical);
    *mark = Mark { sequence, head: hash };
    let columns = AuditColumns {
        at: act.at,
        operation: act.operation.clone(),
        outcome: act.outcome.id().to_owned(),
        client: act.actor.client.clone(),
        target: act.target.id.clone(),
        organisation: act.actor.organisation.as_ref().map(ToString::to_string),
        round: act.target.round.as_ref().map(ToString::to_string),
        participant: act.target.participant.as_ref().map(ToString::to_string),
        covers: removal.map(|removal| removal.through),
    };
    AuditEntry { sequence, columns, canonical, hash }
}

/// What an entry says, its members in the order of RFC 8785. Every member stands in every entry: what is not known is
/// `null`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    address: Option<&'a str>,
    at: String,
    channel: &'static str,
    client: Option<&'a str>,
    count: u64,
    issuer: Option<&'a str>,
    operation: &'a str,
    organisation: Option<&'a str>,
    outcome: &'static str,
    participant_code: Option<&'a str>,
    problem: Option<&'static str>,
    reason: Option<&'a str>,
    removed: Option<RemovedDocument>,
    round_id: Option<&'a str>,
    sequence: u64,
    status: Option<u16>,
    subject: Option<&'a str>,
    target_id: Option<&'a str>,
    trace: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedDocument {
    count: u64,
    through_hash: String,
    through_sequence: u64,
}

fn document(sequence: u64, act: &Act, removal: Option<&Removal>) -> String {
    let Act { at, channel, actor, operation, target, outcome, status, problem, trace, count } = act;
    let document = Document {
        address: actor.address.as_deref(),
        at: at.to_string(),
        channel: channel.id(),
        client: actor.client.as_deref(),
        count: *count,
        issuer: actor.issuer.as_deref(),
        operation,
        organisation: actor.organisation.as_ref().map(ParticipantCode::as_str),
        outcome: outcome.id(),
        participant_code: target.participant.as_ref().map(ParticipantCode::as_str),
        problem: problem.as_ref().map(|problem| problem.slug),
        reason: problem.as_ref().and_then(|problem| problem.reason.as_deref()),
        removed: removal.map(|Removal { count, through, hash }| RemovedDocument {
            count: *count,
            through_hash: hash.to_string(),
            through_sequence: *through,
        }),
        round_id: target.round.as_ref().map(RoundId::as_str),
        sequence,
        status: *status,
        subject: actor.subject.as_deref(),
        target_id: target.id.as_deref(),
        trace: trace.as_deref(),
    };
    serde_json::to_string(&document).expect("texts and numbers")
}

/// The searched columns that an entry's text makes; none if it is no entry.
pub(super) fn columns(document: &Value) -> Option<AuditColumns> {
    let text = |name: &str| match document.get(name)? {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    };
    Some(AuditColumns {
        at: text("at")??.parse().ok()?,
        operation: text("operation")??,
        outcome: text("outcome")??,
        client: text("client")?,
        target: text("targetId")?,
        organisation: text("organisation")?,
        round: text("roundId")?,
        participant: text("participantCode")?,
        covers: match document.get("removed")? {
            Value::Null => None,
            removed => Some(removed.get("throughSequence")?.as_u64()?),
        },
    })
}

/// The hash of the newest entry that a checkpoint says was removed.
pub(super) fn removed_hash(document: &Value) -> Option<Hash> {
    document.get("removed")?.get("throughHash")?.as_str()?.parse().ok()
}

impl Act {
    /// An act of which no more is known yet.
    pub fn new(channel: Channel, operation: &str, outcome: Outcome, at: Instant) -> Self {
        Self {
            at,
            channel,
            actor: Actor::default(),
            operation: operation.to_owned(),
            target: Target::default(),
            outcome,
            status: None,
            problem: None,
            trace: None,
            count: 1,
        }
    }

    /// That so many acts could not be recorded.
    pub fn lost(count: u64, at: Instant) -> Self {
        let problem = Some(Problem { slug: "unavailable", reason: None });
        Self { problem, count, ..Self::new(Channel::Service, LOST, Outcome::Failed, at) }
    }
}
