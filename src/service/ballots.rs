//! Ballots: reading what was sent, deciding on it, and reading back what was accepted.

use std::collections::HashMap;
use std::sync::Arc;

use super::ledger::{self, Change, Ledger};
use super::log_tree::StoredNodes;
use super::{Clock, Error, Fault, log, merkle};
use crate::domain::{
    Ballot, BallotFault, Engagement, Event, Hash, InitiativeId, Instant, LONGEST_COMMENT, LONGEST_REFERENCE,
    LogEntry, ParticipantCode, PrivateText, Ranking, Receipt, Round, RoundId, Sequence, Slate, State,
    Submission, Where,
};
use crate::store::texts::Field;
use crate::store::{self, Conn, Store};

/// A ballot as it was sent: text that has not been checked.
#[derive(Clone, Debug, Default)]
pub struct BallotText {
    /// Ids of the picks, the most urgent first.
    pub ranking: Vec<String>,
    /// Initiative and engagement.
    pub engagements: Vec<(String, String)>,
    /// The participant's own reference.
    pub reference: Option<String>,
    /// The participant's comment.
    pub comment: Option<String>,
}

/// Reads a ballot against a round.
///
/// # Errors
/// Every fault of it, each with its place.
pub fn read(text: BallotText, round: &Round, slate: &Slate) -> Result<Ballot, Vec<Fault>> {
    let mut faults = Vec::new();
    let picks = round.definition.picks;
    let ranking = Ranking::read(&text.ranking, slate, (picks.min, picks.max)).unwrap_or_else(|found| {
        faults.extend(found);
        Ranking::default()
    });
    let engagements = read_engagements(&text, &mut faults);
    for (place, text, most) in [
        (Where::Reference, &text.reference, LONGEST_REFERENCE),
        (Where::Comment, &text.comment, LONGEST_COMMENT),
    ] {
        let Some(text) = text else { continue };
        if text.chars().count() > most {
            faults.push((place, BallotFault::TooLong { most }));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            faults.push((place, BallotFault::ControlCharacter));
        }
    }
    if !faults.is_empty() {
        return Err(faults.into_iter().map(Fault::from).collect());
    }
    let seal = |text: Option<String>| text.filter(|text| !text.is_empty()).map(log::seal);
    Ok(Ballot {
        ranking,
        engagements,
        reference: seal(text.reference),
        comment: seal(text.comment),
        synthetic: false,
    })
}

fn read_engagements(
    text: &BallotText,
    faults: &mut Vec<(Where, BallotFault)>,
) -> Vec<(InitiativeId, Engagement)> {
    let mut engagements = Vec::new();
    for (i, (id, engagement)) in text.engagements.iter().enumerate() {
        if text.engagements[..i].iter().any(|(earlier, _)| earlier == id) {
            faults.push((Where::EngagementInitiative(i), BallotFault::EngagementTwice));
        } else if !text.ranking.contains(id) {
            faults.push((Where::EngagementInitiative(i), BallotFault::EngagementNotRanked));
        }
        match (id.parse(), engagement.parse()) {
            (Ok(id), Ok(engagement)) => engagements.push((id, engagement)),
            (Err(_), Ok(_)) => {} // an id that is none is not ranked either: told above, or at its rank
            (_, Err(())) => faults.push((Where::Engagement(i), BallotFault::UnknownEngagement)),
        }
    }
    engagements
}

/// An accepted revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The revision.
    pub revision: u32,
    /// Its number in the log.
    pub sequence: Sequence,
    /// When.
    pub at: Instant,
    /// The hash of its log entry.
    pub hash: Hash,
    /// The root of the log's tree with this entry as its last.
    pub root: Hash,
    /// Whether there was no ballot before it.
    pub first: bool,
}

/// Why a submission is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The participant is not on the roll of the round.
    #[error("the participant is not on the roll")]
    NotOnRoll,
    /// The round does not accept ballots.
    #[error("the round is not open: it is {state}, from {opens_at} to {closes_at}")]
    NotOpen {
        /// The state of the round.
        state: State,
        /// When it opens.
        opens_at: Instant,
        /// When it closes.
        closes_at: Instant,
    },
    /// The round wants every submission to say what it replaces.
    #[error("the submission must say what it replaces")]
    ConditionRequired,
    /// What the submission says it replaces is not what is there.
    #[error("the ballot has changed since it was read")]
    Changed,
    /// The round was redefined since the ballot was read against its initiatives: it must be read again.
    #[error("the round has been redefined since the ballot was read")]
    Redefined,
    /// There is nothing to withdraw.
    #[error("there is no ballot to withdraw")]
    NothingToWithdraw,
}

impl Refusal {
    /// The refusal of a round that does not accept ballots, with the times that hold: a round that a manager opened
    /// or closed before its time did so then.
    pub fn not_open(round: &Round) -> Self {
        let Round { definition, state, opened_at, closed_at, .. } = round;
        Self::NotOpen {
            state: *state,
            opens_at: opened_at.map_or(definition.opens_at, |at| at.min(definition.opens_at)),
            closes_at: closed_at.map_or(definition.closes_at, |at| at.min(definition.closes_at)),
        }
    }
}

/// Decides on one submission against the round as it stands, and says what event it makes.
///
/// # Errors
/// The [`Refusal`]; nothing else depends on it.
pub fn decide(ledger: &Ledger, submission: &Submission) -> Result<Event, Refusal> {
    let round = &ledger.round;
    if ledger.roll.get(&submission.participant).is_none() {
        return Err(Refusal::NotOnRoll);
    }
    if round.state != State::Open {
        return Err(Refusal::not_open(round));
    }
    if submission.ballot.is_some() && submission.round_revision != round.revision {
        return Err(Refusal::Redefined);
    }
    let current = ledger.current(&submission.participant);
    if round.definition.require_condition && submission.precondition == crate::domain::Precondition::None {
        return Err(Refusal::ConditionRequired);
    }
    if submission.ballot.is_none() && current.is_none() {
        return Err(Refusal::NothingToWithdraw);
    }
    if !submission.precondition.holds(current.map(|current| current.revision)) {
        return Err(Refusal::Changed);
    }
    let participant = submission.participant.clone();
    let revision = ledger.latest(&participant).map_or(0, |latest| latest.revision) + 1;
    let nonce = submission.nonce;
    Ok(match &submission.ballot {
        None => Event::Withdrawal { participant, revision, nonce },
        Some(ballot) => Event::Ballot {
            participant,
            revision,
            ranking: ballot.ranking.ids(&ledger.slate).cloned().collect(),
            engagements: ballot.engagements.clone(),
            reference: ballot.reference.as_ref().map(|(_, hash)| *hash),
            comment: ballot.comment.as_ref().map(|(_, hash)| *hash),
            synthetic: ballot.synthetic,
            nonce,
        },
    })
}

/// Decides on one submission inside a change, and writes it down if it is accepted.
///
/// # Errors
/// The [`Refusal`]; the rest of the change is untouched by it.
pub fn submit(change: &mut Change, submission: &Submission) -> Result<Accepted, Refusal> {
    let event = decide(&change.ledger, submission)?;
    let first = change.ledger.current(&submission.participant).is_none();
    let entry = change.record(&event);
    let (sequence, at, hash) = (entry.sequence, entry.at, entry.hash);
    if let Some(ballot) = &submission.ballot {
        for (field, text) in [(Field::Reference, &ballot.reference), (Field::Comment, &ballot.comment)] {
            if let Some((text, _)) = text {
                change.keep(sequence, field, text.clone());
            }
        }
    }
    let revision = event.revision().expect("an event of a participant has a revision");
    Ok(Accepted { revision, sequence, at, hash, root: change.ledger.tree.root(), first })
}

/// Refusals by the index of the submission.
pub type RefusedRows = Vec<(usize, Refusal)>;

/// Submits many at once, all or nothing: for imports. No participant stands twice.
///
/// # Errors
/// If storage fails or there is no such round. Refusals are in the result, by index; with any, nothing is written.
pub fn submit_all(
    conn: &mut Conn,
    id: &RoundId,
    clock: &Clock,
    submissions: &[Submission],
    mut progress: impl FnMut(usize),
) -> Result<Result<Arc<Ledger>, RefusedRows>, Error> {
    let (ledger, outcome) = ledger::change(conn, id, None, clock, |change| {
        let decided = submissions.iter().map(|submission| decide(&change.ledger, submission));
        let refusals: RefusedRows = decided
            .enumerate()
            .filter_map(|(i, decided)| decided.err().map(|refusal| (i, refusal)))
            .collect();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        for (i, submission) in submissions.iter().enumerate() {
            submit(change, submission).expect("decided on above, and each participant's alone");
            progress(i + 1);
        }
        Ok(())
    })?;
    Ok(outcome.map(|()| ledger))
}

/// One revision of a participant's ballot, read back from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Whose.
    pub participant: ParticipantCode,
    /// The revision.
    pub revision: u32,
    /// Its number in the log.
    pub sequence: Sequence,
    /// When it was accepted.
    pub at: Instant,
    /// The hash of its log entry.
    pub hash: Hash,
    /// What it says; none for a withdrawal.
    pub content: Option<log::BallotContent>,
    /// The reference, unless it was erased.
    pub reference: Option<String>,
    /// The comment, unless it was erased.
    pub comment: Option<String>,
}

impl Revision {
    /// What the log's key vouches for, given the root of the log's tree with this entry as its last.
    pub fn receipt(&self, round: &RoundId, root: Hash) -> Receipt {
        Receipt { round: round.clone(), sequence: self.sequence, entry: self.hash, root, at: self.at }
    }

    /// What an accepted ballot will read as, without asking storage for what was just sent.
    pub fn of(
        ballot: &Ballot,
        participant: ParticipantCode,
        slate: &Slate,
    ) -> impl FnOnce(Accepted) -> Self + use<> {
        let text = |text: &Option<(PrivateText, Hash)>| text.as_ref().map(|(text, _)| text.text.clone());
        let (reference, comment) = (text(&ballot.reference), text(&ballot.comment));
        let content = log::BallotContent {
            ranking: ballot.ranking.ids(slate).map(ToString::to_string).collect(),
            engagements: ballot
                .engagements
                .iter()
                .map(|(id, engagement)| (id.to_string(), *engagement))
                .collect(),
            synthetic: ballot.synthetic,
        };
        move |Accepted { revision, sequence, at, hash, .. }| Self {
            participant,
            revision,
            sequence,
            at,
            hash,
            content: Some(content),
            reference,
            comment,
        }
    }
}

/// The revisions of one participant, newest first: how many there are, and a page of them.
///
/// # Errors
/// If storage fails.
pub fn revisions(
    store: &Store,
    round: &RoundId,
    participant: &ParticipantCode,
    offset: u64,
    limit: u64,
) -> Result<(u64, Vec<Revision>), store::Error> {
    let bound = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    store.snapshot(|conn| {
        let (total, entries) =
            store::log::of_participant(conn, round, participant, bound(offset), bound(limit))?;
        Ok((total.unsigned_abs(), with_texts(conn, round, entries)?))
    })
}

/// The log entries of these sequences as revisions, in the order of the log.
///
/// # Errors
/// If storage fails.
pub fn revisions_at(
    store: &Store,
    round: &RoundId,
    sequences: &[Sequence],
) -> Result<Vec<Revision>, store::Error> {
    store.snapshot(|conn| {
        let entries = store::log::of_sequences(conn, round, sequences)?;
        with_texts(conn, round, entries)
    })
}

fn with_texts(
    conn: &mut Conn,
    round: &RoundId,
    entries: Vec<LogEntry>,
) -> Result<Vec<Revision>, store::Error> {
    let sequences: Vec<Sequence> = entries.iter().map(|entry| entry.sequence).collect();
    let texts = store::texts::load(conn, round, &sequences)?;
    let mut texts: HashMap<(Sequence, Field), PrivateText> =
        texts.into_iter().map(|(sequence, field, text)| ((sequence, field), text)).collect();
    let mut text = |sequence, field| texts.remove(&(sequence, field)).map(|text| text.text);
    let mut revisions = Vec::with_capacity(entries.len());
    for entry in entries {
        let content = log::ballot_content(&entry)?;
        let (Some(participant), Some(revision)) = (entry.participant, entry.revision) else { continue };
        revisions.push(Revision {
            content,
            reference: text(entry.sequence, Field::Reference),
            comment: text(entry.sequence, Field::Comment),
            participant,
            revision,
            sequence: entry.sequence,
            at: entry.at,
            hash: entry.hash,
        });
    }
    Ok(revisions)
}

/// The ballot of a sequence as it was accepted, with the root of the log's tree when its entry was the last.
///
/// # Errors
/// If storage fails.
pub fn with_root(
    store: &Store,
    round: &RoundId,
    sequence: Sequence,
) -> Result<Option<(Revision, Hash)>, store::Error> {
    store.snapshot(|conn| {
        let entries = store::log::of_sequences(conn, round, &[sequence])?;
        let Some(revision) = with_texts(conn, round, entries)?.pop() else { return Ok(None) };
        let root = merkle::root(&mut StoredNodes::new(conn, round), sequence)?;
        Ok(Some((revision, root)))
    })
}
