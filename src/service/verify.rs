//! Checking a log: that each entry follows on the one before it, says what its row says, and could have come about.
//!
//! The log is taken entry by entry, and only the round as it stands then is kept: memory does not grow with the log.

use std::fmt;

use serde_json::Value;

use super::ledger::Ledger;
use super::log;
use crate::domain::{
    Engagement, Event, Hash, InitiativeId, Instant, LogEntry, PrivateText, Ranking, Round, RoundId, Sequence,
    State, Subtree,
};
use crate::store::texts::Field;

/// What is wrong with a log, or with what is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The round; none where even that cannot be told.
    pub round: Option<RoundId>,
    /// The entry; none for what is beside the log.
    pub sequence: Option<Sequence>,
    /// What is wrong, in words.
    pub what: String,
}

impl Wrong {
    /// Something beside the log of a round.
    pub(super) fn beside(round: &RoundId, what: impl Into<String>) -> Self {
        Self { round: Some(round.clone()), sequence: None, what: what.into() }
    }

    /// Something with an entry of a round.
    pub(super) fn entry(round: &RoundId, sequence: Sequence, what: impl Into<String>) -> Self {
        Self { round: Some(round.clone()), sequence: Some(sequence), what: what.into() }
    }

    /// Something that names no round.
    pub(super) fn unnamed(what: impl Into<String>) -> Self {
        Self { round: None, sequence: None, what: what.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(round) = &self.round {
            write!(f, "{round}: ")?;
        }
        if let Some(sequence) = self.sequence {
            write!(f, "entry {sequence}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// A log in which nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The round.
    pub round: RoundId,
    /// How many entries it has.
    pub entries: u64,
    /// The hash of the last, or of the definition.
    pub head: Hash,
    /// The root of the Merkle tree over them.
    pub root: Hash,
}

impl Verified {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let Round { id, sequence, head, .. } = &ledger.round;
        Self { round: id.clone(), entries: *sequence, head: *head, root: ledger.tree.root() }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, entries, head, root } = self;
        let noun = if *entries == 1 { "entry" } else { "entries" };
        write!(f, "{round}: {entries} {noun}, head {head}, root {root}")
    }
}

/// Checks entries one after the other against the round that they make.
#[derive(Debug)]
pub struct Verifier {
    ledger: Ledger,
}

impl Verifier {
    /// Begins with a round before its first entry, whose head is the hash of its definition.
    pub fn new(start: Ledger) -> Self {
        Self { ledger: start }
    }

    /// The round as the entries taken so far have made it.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes the next entry; gives its event and the subtrees of the log's tree that it completes.
    ///
    /// # Errors
    /// What is wrong with it. Nothing that follows on a wrong entry can be checked.
    pub fn take(&mut self, entry: &LogEntry) -> Result<(Event, Vec<Subtree>), Wrong> {
        self.follow(entry, &serde_json::from_str(&entry.canonical).unwrap_or_default())
    }

    /// As [`Verifier::take`], of an entry whose text has been read already.
    pub(super) fn follow(
        &mut self,
        entry: &LogEntry,
        document: &Value,
    ) -> Result<(Event, Vec<Subtree>), Wrong> {
        let Round { id, sequence, .. } = &self.ledger.round;
        let expected = sequence + 1;
        if entry.sequence > expected {
            let what = format!("is missing; entry {} follows on {sequence}", entry.sequence);
            return Err(Wrong::entry(id, expected, what));
        }
        if entry.sequence < expected {
            return Err(Wrong::entry(id, entry.sequence, format!("stands again after entry {sequence}")));
        }
        let event = self.check(entry, document).map_err(|what| Wrong::entry(id, expected, what))?;
        match self.ledger.apply(entry, &event) {
            Ok((completed, _)) => Ok((event, completed)),
            Err(error) => Err(Wrong::entry(&self.ledger.round.id, expected, error.to_string())),
        }
    }

    fn check(&self, entry: &LogEntry, document: &Value) -> Result<Event, String> {
        let round = &self.ledger.round;
        let event = log::read(document).ok_or("its text is no event that there is")?;
        if log::canonical(&round.id, &event, entry.sequence, entry.at) != entry.canonical {
            return Err(not_canonical(entry, document, &round.id));
        }
        if entry.kind != event.kind() {
            return Err(format!("its row has the kind {:?}, its text {:?}", entry.kind, event.kind()));
        }
        if entry.participant.as_ref() != event.participant() {
            return Err("its row is of another participant than its text".to_owned());
        }
        if entry.revision != event.revision() {
            return Err("its row has another revision than its text".to_owned());
        }
        if matches!(event, Event::Opening { definition } if entry.sequence == 1 && definition != round.head) {
            return Err("it opens the round with another definition than the one that there is".to_owned());
        }
        if log::chain(round.head, &entry.canonical) != entry.hash {
            return Err("its hash is not that of the hash before it and its text".to_owned());
        }
        if round.last_at.is_some_and(|last| entry.at < last) {
            return Err("its time is before that of the entry before it".to_owned());
        }
        self.could_happen(&event, entry.at)?;
        Ok(event)
    }

    /// Whether the round as it stands would have come to this event.
    fn could_happen(&self, event: &Event, at: Instant) -> Result<(), String> {
        let Ledger { round, slate, roll, .. } = &self.ledger;
        let step = match event {
            Event::Opening { .. } => round.open(at, slate, roll),
            Event::Extension { closes_at } => round.extend(*closes_at, at),
            Event::Closing => round.close(),
            Event::Certification => round.certify(),
            Event::Correction => round.correct(),
            Event::Ballot { .. } | Event::Withdrawal { .. } => return self.could_submit(event, at),
        };
        step.map(drop).map_err(|refusal| format!("it could not happen: {refusal}"))
    }

    fn could_submit(&self, event: &Event, at: Instant) -> Result<(), String> {
        let Ledger { round, slate, .. } = &self.ledger;
        let (Some(participant), Some(revision)) = (event.participant(), event.revision()) else {
            return Ok(());
        };
        if round.state != State::Open || at >= round.definition.closes_at {
            return Err("it is a ballot outside the time in which the round was open".to_owned());
        }
        if self.ledger.roll.get(participant).is_none() {
            return Err(format!("its participant {participant} is not on the roll"));
        }
        let due = self.ledger.latest(participant).map_or(0, |latest| latest.revision) + 1;
        if revision != due {
            return Err(format!("it is revision {revision} of {participant}, where {due} is due"));
        }
        match event {
            Event::Ballot { ranking, engagements, .. } => {
                let picks = round.definition.picks;
                let places: Option<Vec<u8>> = ranking.iter().map(|id| slate.find(id)).collect();
                let allowed = (picks.min..=picks.max).contains(&ranking.len());
                let places = places.filter(|_| allowed).and_then(|places| Ranking::of_places(&places));
                places.ok_or("its ranking is none that the round allows")?;
                fit(engagements, ranking)
            }
            _ if self.ledger.current(participant).is_none() => {
                Err(format!("it withdraws a ballot of {participant}, and there is none"))
            }
            _ => Ok(()),
        }
    }
}

fn fit(engagements: &[(InitiativeId, Engagement)], ranking: &[InitiativeId]) -> Result<(), String> {
    for (i, (id, _)) in engagements.iter().enumerate() {
        if !ranking.contains(id) || engagements[..i].iter().any(|(earlier, _)| earlier == id) {
            return Err(format!("its engagement in {id} does not fit its ranking"));
        }
    }
    Ok(())
}

/// In words, why the text of an entry is not the one that this program writes.
fn not_canonical(entry: &LogEntry, document: &Value, round: &RoundId) -> String {
    let member = |name: &str| document.get(name);
    let rewritten = document.to_string();
    if rewritten != entry.canonical {
        "its text is not canonical JSON (RFC 8785)".to_owned()
    } else if member("roundId").and_then(Value::as_str) != Some(round.as_str()) {
        "its text is of another round".to_owned()
    } else if member("sequence").and_then(Value::as_u64) != Some(entry.sequence) {
        "its text has another number than its row".to_owned()
    } else if member("at").and_then(Value::as_str) != Some(&*entry.at.to_string()) {
        "its text has another time than its row".to_owned()
    } else {
        "its text has other members than an event of its kind".to_owned()
    }
}

/// Checks a private text against what the log says of it.
///
/// # Errors
/// What is wrong, in words.
pub fn text_fits(event: &Event, field: Field, text: &PrivateText) -> Result<(), String> {
    let stated = match (event, field) {
        (Event::Ballot { reference, .. }, Field::Reference) => *reference,
        (Event::Ballot { comment, .. }, Field::Comment) => *comment,
        _ => None,
    };
    match stated {
        None => Err(format!("a {field} is kept for it, and its text tells of none")),
        Some(hash) if log::sealed(text) == Some(hash) => Ok(()),
        Some(_) => Err(format!("its {field} does not have the hash that its text tells")),
    }
}

/// What of a round's row is not what its log makes of it, in words.
pub(super) fn row_differs(row: &Round, replayed: &Round) -> Option<String> {
    let moment = |at: Option<Instant>| at.map_or_else(|| "no time".to_owned(), |at| at.to_string());
    let pairs = [
        ("state", row.state.to_string(), replayed.state.to_string()),
        ("sequence", row.sequence.to_string(), replayed.sequence.to_string()),
        ("head", row.head.to_string(), replayed.head.to_string()),
        ("last_at", moment(row.last_at), moment(replayed.last_at)),
        ("opened_at", moment(row.opened_at), moment(replayed.opened_at)),
        ("closed_at", moment(row.closed_at), moment(replayed.closed_at)),
        ("closes_at", row.definition.closes_at.to_string(), replayed.definition.closes_at.to_string()),
    ];
    let (column, stands, follows) = pairs.into_iter().find(|(_, stands, follows)| stands != follows)?;
    Some(format!("the round's row has {stands} in {column}, where the log makes it {follows}"))
}
