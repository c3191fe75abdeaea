//! A round as it was: its ledger at an earlier sequence, from the log, without playing the whole log again.

use std::collections::HashMap;
use std::sync::Arc;

use super::ledger::Ledger;
use super::log;
use super::log_tree::StoredNodes;
use super::merkle::Frontier;
use crate::domain::{Event, Instant, LogEntry, ParticipantCode, Round, RoundId, Sequence, State};
use crate::store::ballots::Current;
use crate::store::{self, Conn};

/// The round as its log had it with the entry of this sequence as its last; `newest` is any later state of it.
///
/// Of ballots that have not changed since, nothing is read.
///
/// # Errors
/// If storage fails.
///
/// # Panics
/// If the sequence is 0, or beyond that of `newest`.
pub fn as_of(conn: &mut Conn, newest: &Ledger, sequence: Sequence) -> Result<Ledger, store::Error> {
    assert!(0 < sequence && sequence <= newest.round.sequence, "an entry of the round's log");
    let id = &newest.round.id;
    let (round, withdrawn) = round_as_of(conn, &newest.round, sequence)?;
    let tree = Frontier::load(&mut StoredNodes::new(conn, id), sequence)?;
    let mut ledger = Ledger::new(round, Arc::clone(&newest.slate), Arc::clone(&newest.roll));
    ledger.tree = tree;
    let mut changed = Vec::new();
    for (position, participant) in newest.roll.participants().iter().enumerate() {
        match newest.shared(position) {
            Some(current) if current.sequence <= sequence => ledger.replace(position, current),
            Some(_) => changed.push(&participant.code),
            None => {}
        }
    }
    for (position, current) in revisions(conn, &ledger, &changed, &withdrawn)? {
        ledger.replace(position, &Arc::new(current));
    }
    Ok(ledger)
}

/// The newest withdrawal of each participant that ever withdrew.
type Withdrawn = HashMap<ParticipantCode, Sequence>;

fn round_as_of(
    conn: &mut Conn,
    newest: &Round,
    sequence: Sequence,
) -> Result<(Round, Withdrawn), store::Error> {
    let mut withdrawn = Withdrawn::new();
    let mut round = Round {
        definition: newest.first_definition(),
        state: State::Draft,
        opened_at: None,
        closed_at: None,
        ..newest.clone()
    };
    for entry in store::history::other_than_ballots(conn, &newest.id, sequence)? {
        match log::event(&entry)? {
            Event::Withdrawal { participant, .. } => {
                withdrawn.insert(participant, entry.sequence);
            }
            event => round.apply(&event, entry.sequence, entry.at, entry.hash),
        }
    }
    let last = store::log::of_sequences(conn, &newest.id, &[sequence])?.pop();
    let last = last.ok_or_else(|| nothing_at(&newest.id, sequence))?;
    round.sequence = sequence;
    round.head = last.hash;
    round.last_at = Some(last.at);
    Ok((round, withdrawn))
}

/// The latest revisions of these participants, with their places on the roll.
fn revisions(
    conn: &mut Conn,
    ledger: &Ledger,
    participants: &[&ParticipantCode],
    withdrawn: &Withdrawn,
) -> Result<Vec<(usize, Current)>, store::Error> {
    let Round { id, sequence, .. } = &ledger.round;
    let spans = store::history::spans(conn, id, participants, *sequence)?;
    let newest: Vec<Sequence> = spans.iter().map(|(.., newest)| *newest).collect();
    let entries = store::log::of_sequences(conn, id, &newest)?;
    let mut since: HashMap<ParticipantCode, Sequence> =
        spans.into_iter().map(|(participant, first, _)| (participant, first)).collect();
    after_withdrawals(conn, ledger, &entries, withdrawn, &mut since)?;
    let firsts: Vec<Sequence> = since.values().copied().collect();
    let times: HashMap<Sequence, Instant> = store::history::times(conn, id, &firsts)?.into_iter().collect();
    let revision = |entry: LogEntry| {
        let event = log::event(&entry)?;
        let (position, revision, ranking, synthetic) = match &event {
            Event::Ballot { participant, revision, ranking, synthetic, .. } => {
                (ledger.place(participant)?, *revision, Some(ledger.ranking(ranking)?), *synthetic)
            }
            Event::Withdrawal { participant, revision, .. } => {
                (ledger.place(participant)?, *revision, None, false)
            }
            Event::Opening { .. }
            | Event::Extension { .. }
            | Event::Closing
            | Event::Certification
            | Event::Correction => return Err(of_nobody(&entry)),
        };
        let first = event.participant().and_then(|of| times.get(since.get(of)?).copied());
        let first = first.ok_or_else(|| of_nobody(&entry))?;
        let answered_at = ranking.as_ref().map(|_| first);
        Ok((position, Current { revision, sequence: entry.sequence, ranking, answered_at, synthetic }))
    };
    entries.into_iter().map(revision).collect()
}

/// Whoever withdrew and answered again has had a ballot since the first one after that.
fn after_withdrawals(
    conn: &mut Conn,
    ledger: &Ledger,
    newest: &[LogEntry],
    withdrawn: &Withdrawn,
    since: &mut HashMap<ParticipantCode, Sequence>,
) -> Result<(), store::Error> {
    let again = newest.iter().filter_map(|entry| entry.participant.as_ref().map(|of| (of, entry.sequence)));
    let again: Vec<&ParticipantCode> = again
        .filter(|(of, newest)| withdrawn.get(of).is_some_and(|at| at < newest))
        .map(|(of, _)| of)
        .collect();
    let Some(earliest) = again.iter().map(|of| withdrawn[*of]).min() else { return Ok(()) };
    let Round { id, sequence, .. } = &ledger.round;
    let entries = store::history::sequences(conn, id, &again, earliest, *sequence)?;
    let mut firsts: HashMap<ParticipantCode, Sequence> = HashMap::new();
    for (participant, sequence) in entries {
        if sequence > withdrawn[&participant] {
            let first = firsts.entry(participant).or_insert(sequence);
            *first = sequence.min(*first);
        }
    }
    since.extend(firsts);
    Ok(())
}

/// The newest entry, up to a sequence, that was accepted at or before a moment; none if the round opened after it.
///
/// # Errors
/// If storage fails.
pub fn sequence_at(
    conn: &mut Conn,
    round: &RoundId,
    moment: Instant,
    newest: Sequence,
) -> Result<Option<Sequence>, store::Error> {
    // Times never fall along the log, so its primary key finds them without an index of their own.
    let (mut before, mut beyond) = (0, newest + 1);
    while beyond - before > 1 {
        let middle = before + (beyond - before) / 2;
        let times = store::history::times(conn, round, &[middle])?;
        let (_, at) = times.first().ok_or_else(|| nothing_at(round, middle))?;
        *(if *at <= moment { &mut before } else { &mut beyond }) = middle;
    }
    Ok((before > 0).then_some(before))
}

/// What is said of an entry that is not of the participant by whom it was found.
fn of_nobody(entry: &LogEntry) -> store::Error {
    store::Error::Corrupt {
        table: "log_entries",
        what: "participant",
        value: format!("sequence {}", entry.sequence),
    }
}

fn nothing_at(round: &RoundId, sequence: Sequence) -> store::Error {
    store::Error::Corrupt {
        table: "log_entries",
        what: "sequence",
        value: format!("nothing at {sequence} of {round}"),
    }
}
