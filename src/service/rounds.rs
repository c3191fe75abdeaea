//! Rounds: making them, changing drafts, and the steps of their life.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::ledger::{self, Change, Ledger};
use super::{Clock, Error, Fault, definition, log};
use crate::domain::{Definition, Event, Instant, Refusal, Roll, Round, RoundId, Slate, State};
use crate::store::{self, Conn, Store};

/// Makes a draft.
///
/// # Errors
/// [`Error::Invalid`] with every fault, or [`Error::RoundExists`].
pub fn create(
    conn: &mut Conn,
    id: RoundId,
    definition: Definition,
    slate: Slate,
    roll: Roll,
) -> Result<Arc<Ledger>, Error> {
    check(&definition, &slate, &roll)?;
    let head = log::definition_hash(&id, &definition, &slate, &roll);
    let round = Round::draft(id, definition, head);
    Store::write(conn, |conn| {
        if !store::rounds::insert(conn, &round)? {
            return Err(Error::RoundExists);
        }
        store::initiatives::replace(conn, &round.id, &slate)?;
        store::participants::replace(conn, &round.id, &roll)?;
        Ok(Arc::new(Ledger::new(round, Arc::new(slate), Arc::new(roll))))
    })
}

/// A change that a manager asks for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Replaces the initiatives of a draft.
    Initiatives(Slate),
    /// Replaces the roll of a draft.
    Participants(Roll),
    /// Moves the closing of an open round to a later time.
    Extend(Instant),
    /// A JSON merge patch: members of the definition, and `state` for a step of the round's life.
    Patch(Map<String, Value>),
}

/// Does what a manager asks for, if the round is still what the manager read.
///
/// # Errors
/// [`Error::Changed`], [`Error::Refused`] or [`Error::Invalid`]; then nothing of it was done.
pub fn command(
    conn: &mut Conn,
    id: &RoundId,
    known: Option<&Arc<Ledger>>,
    clock: &Clock,
    command: Command,
    expected: impl FnOnce(&Round) -> bool,
) -> Result<Arc<Ledger>, Error> {
    let (ledger, outcome) = ledger::change(conn, id, known, clock, |change| {
        if !expected(&change.ledger.round) {
            return Err(Error::Changed);
        }
        apply(change, command)
    })?;
    outcome.map(|()| ledger)
}

fn apply(change: &mut Change, command: Command) -> Result<(), Error> {
    let Ledger { round, slate, roll, .. } = change.ledger.clone();
    match command {
        Command::Initiatives(slate) => redefine(change, round, Arc::new(slate), roll, "initiatives"),
        Command::Participants(roll) => redefine(change, round, slate, Arc::new(roll), "participants"),
        Command::Extend(closes_at) => {
            let event = round.extend(closes_at, change.now)?;
            change.record(&event);
            Ok(())
        }
        Command::Patch(mut document) => {
            let step = document.remove("state").as_ref().map(step).transpose().map_err(|mut faults| {
                faults.extend(definition::patch(&document, &round.definition).err().unwrap_or_default());
                Error::Invalid(faults)
            })?;
            // What may be refused is refused before anything is recorded: a command is done whole or not at all.
            match (document.is_empty(), step) {
                (true, None) => Ok(()),
                (true, Some(state)) => take(change, state),
                (false, None) => patch(change, round, slate, roll, &document),
                (false, Some(state)) => {
                    let mut trial = change.clone();
                    patch(&mut trial, round, slate, roll, &document)?;
                    take(&mut trial, state)?;
                    *change = trial;
                    Ok(())
                }
            }
        }
    }
}

fn step(value: &Value) -> Result<State, Vec<Fault>> {
    let state = value.as_str().and_then(|text| text.parse().ok());
    state.ok_or_else(|| {
        let (sv, en) = ("open, closed, certified eller corrected.", "open, closed, certified or corrected.");
        vec![Fault::member("state", definition::FORM, sv, en)]
    })
}

fn take(change: &mut Change, to: State) -> Result<(), Error> {
    if change.has_become(to) {
        // It was due by itself, and was recorded at the beginning of this very change.
        return Ok(());
    }
    let Ledger { round, slate, roll, .. } = &change.ledger;
    let event = match to {
        State::Draft => return Err(Refusal::NoSuchStep { from: round.state, to }.into()),
        State::Open => round.open(change.now, slate, roll)?,
        State::Closed => round.close()?,
        State::Certified => round.certify()?,
        State::Corrected => round.correct()?,
    };
    change.record(&event);
    Ok(())
}

fn patch(
    change: &mut Change,
    mut round: Round,
    slate: Arc<Slate>,
    roll: Arc<Roll>,
    document: &Map<String, Value>,
) -> Result<(), Error> {
    let patched = definition::patch(document, &round.definition).map_err(Error::Invalid)?;
    if round.state == State::Draft {
        check(&patched, &slate, &roll)?;
        round.definition = patched;
        change.redefine(round, slate, roll);
        return Ok(());
    }
    let fixed = definition::MEMBERS
        .into_iter()
        .find(|member| *member != "closesAt" && document.contains_key(*member));
    if let Some(member) = fixed {
        return Err(Refusal::Fixed { member }.into());
    }
    let event: Event = round.extend(patched.closes_at, change.now)?;
    change.record(&event);
    Ok(())
}

fn redefine(
    change: &mut Change,
    round: Round,
    slate: Arc<Slate>,
    roll: Arc<Roll>,
    member: &'static str,
) -> Result<(), Error> {
    if round.state != State::Draft {
        return Err(Refusal::Fixed { member }.into());
    }
    check(&round.definition, &slate, &roll)?;
    change.redefine(round, slate, roll);
    Ok(())
}

fn check(definition: &Definition, slate: &Slate, roll: &Roll) -> Result<(), Error> {
    let faults = faults(definition, slate, roll);
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// Every fault between the members of a definition, its initiatives and its roll.
pub fn faults(definition: &Definition, slate: &Slate, roll: &Roll) -> Vec<Fault> {
    let mut faults: Vec<Fault> = definition.faults(slate, roll).into_iter().map(Fault::from).collect();
    if let Err(refusal) = super::results::rule_set_fits(definition, slate.len()) {
        let sv = "Regeln passar inte omgångens antal val eller poäng.";
        faults.push(Fault::member("rule", "rule", sv, &refusal.to_string()));
    }
    faults
}

/// Records the openings and closings that are due, in every round.
///
/// # Errors
/// If storage fails.
pub fn record_due(
    conn: &mut Conn,
    id: &RoundId,
    known: Option<&Arc<Ledger>>,
    clock: &Clock,
) -> Result<Arc<Ledger>, Error> {
    let (ledger, ()) = ledger::change(conn, id, known, clock, |_| ())?;
    Ok(ledger)
}

/// The moment when something is next due in any of these rounds.
pub fn next_due<'a>(rounds: impl Iterator<Item = &'a Round>, now: Instant) -> Option<Instant> {
    rounds.filter_map(Round::next_due).filter(|&due| due > now).min()
}
