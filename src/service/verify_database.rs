//! Checking the logs of a database, and that everything beside them is what they make of it.

use std::collections::HashMap;

use super::ledger::Ledger;
use super::log;
use super::verify::{Verified, Verifier, Wrong, row_differs, text_fits};
use crate::domain::{Hash, LogEntry, ParticipantCode, Round, RoundId, Sequence, Subtree};
use crate::store::ballots::Current;
use crate::store::{self, Conn, Error};

/// How many entries are held at once.
const PAGE: i64 = 1_000;

/// What came of checking a round.
pub type Outcome = Result<Verified, Vec<Wrong>>;

/// Checks every round and looks for rows that belong to none; the caller's transaction makes them one state. `seen` is
/// called with the round as each entry has made it.
///
/// # Errors
/// If storage fails. What is wrong is in the result.
pub fn rounds(conn: &mut Conn, seen: &mut dyn FnMut(&Ledger)) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::new();
    let mut known = Vec::new();
    for id in store::rounds::ids(conn)? {
        if let Ok(id) = id.parse() {
            outcomes.extend(round(conn, &id, seen)?);
        } else {
            let what = format!("there is a round with the id {id:?}, which is none");
            outcomes.push(Err(vec![Wrong::unnamed(what)]));
        }
        known.push(id);
    }
    for (table, id) in store::verify::rounds_of_rows(conn)? {
        if !known.contains(&id) {
            let what = format!("{table} has rows of the round {id:?}, which there is not");
            outcomes.push(Err(vec![Wrong::unnamed(what)]));
        }
    }
    Ok(outcomes)
}

/// Checks one round; none if there is no such round.
///
/// # Errors
/// If storage fails.
pub fn round(conn: &mut Conn, id: &RoundId, seen: &mut dyn FnMut(&Ledger)) -> Result<Option<Outcome>, Error> {
    let beside = |error| unreadable(error, |what| Wrong::beside(id, what));
    let (row, start) = match start(conn, id) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(error) => return Ok(Some(Err(vec![beside(error)?]))),
    };
    let mut found = Vec::new();
    if row.sequence == 0 && row.head != start.round.head {
        found.push(Wrong::beside(id, "the round's head is not the hash of its definition"));
    }
    let stored = match store::subtrees::all(conn, id) {
        Ok(stored) => stored,
        Err(error) => return Ok(Some(Err(vec![beside(error)?]))),
    };
    let mut subtrees: HashMap<(u32, u64), Hash> = HashMap::with_capacity(stored.len());
    for Subtree { level, position, hash } in stored {
        subtrees.insert((level, position), hash);
    }
    let mut verifier = Verifier::new(start);
    if let Err(wrong) = replay(conn, id, &mut verifier, &mut subtrees, &mut found, seen)? {
        // The first of the log's faults comes first: the others may follow from it.
        found.insert(0, wrong);
        return Ok(Some(Err(found)));
    }
    let replayed = verifier.ledger();
    found.extend(row_differs(&row, &replayed.round).map(|what| Wrong::beside(id, what)));
    if let Some((level, position)) = subtrees.keys().min() {
        let what = format!("the log's tree has a node {position} on level {level}, which it has not come to");
        found.push(Wrong::beside(id, what));
    }
    match store::ballots::load(conn, id) {
        Ok(stored) => found.extend(ballots_differ(stored, replayed)),
        Err(error) => found.push(beside(error)?),
    }
    Ok(Some(if found.is_empty() { Ok(Verified::of(replayed)) } else { Err(found) }))
}

/// The round's row, and the round before its first entry.
fn start(conn: &mut Conn, id: &RoundId) -> Result<Option<(Round, Ledger)>, Error> {
    let Some(row) = store::rounds::find_exact(conn, id)? else { return Ok(None) };
    let slate = store::initiatives::load(conn, id)?;
    let roll = store::participants::load(conn, id)?;
    let definition = row.first_definition();
    let head = log::definition_hash(id, &definition, &slate, &roll);
    let first = Round { revision: row.revision, ..Round::draft(id.clone(), definition, head) };
    Ok(Some((row, Ledger::new(first, slate.into(), roll.into()))))
}

/// Takes the whole log, with the texts and the nodes of the tree that belong to it. The first wrong entry ends it.
fn replay(
    conn: &mut Conn,
    id: &RoundId,
    verifier: &mut Verifier,
    subtrees: &mut HashMap<(u32, u64), Hash>,
    found: &mut Vec<Wrong>,
    seen: &mut dyn FnMut(&Ledger),
) -> Result<Result<(), Wrong>, Error> {
    let mut texts = 0;
    loop {
        let before = verifier.ledger().round.sequence;
        let (entries, end) = page(conn, id, before)?;
        let mut events = Vec::with_capacity(entries.len());
        for entry in &entries {
            let (event, completed) = match verifier.take(entry) {
                Ok(taken) => taken,
                Err(wrong) => return Ok(Err(wrong)),
            };
            for Subtree { level, position, hash } in completed {
                // One that is not there follows from those below it; one that is there must be right.
                if subtrees.remove(&(level, position)).is_some_and(|stored| stored != hash) {
                    let what = format!(
                        "the log's tree has another node {position} on level {level} than its entries make"
                    );
                    found.push(Wrong::beside(id, what));
                }
            }
            events.push(event);
            seen(verifier.ledger());
        }
        let kept = store::texts::between(conn, id, before, verifier.ledger().round.sequence);
        let kept = match kept {
            Ok(kept) => kept,
            Err(error) => return Ok(Err(unreadable(error, |what| Wrong::beside(id, what))?)),
        };
        for (sequence, field, text) in kept {
            texts += 1;
            let place = usize::try_from(sequence - before - 1).ok();
            let event = place.and_then(|place| events.get(place));
            if let Some(Err(what)) = event.map(|event| text_fits(event, field, &text)) {
                found.push(Wrong::entry(id, sequence, what));
            }
        }
        if let Some(wrong) = end {
            return Ok(Err(wrong));
        }
        if entries.is_empty() {
            break;
        }
    }
    // What has a number that no entry of the log can have was not read above.
    let (rows, rows_of_texts) = store::verify::counts(conn, id)?;
    let entries = verifier.ledger().round.sequence;
    if rows != entries {
        let what = format!("the log has {rows} rows, of which {entries} are in their place");
        return Ok(Err(Wrong::beside(id, what)));
    }
    if rows_of_texts != texts {
        found.push(Wrong::beside(
            id,
            "there are references or comments of entries that the log does not have",
        ));
    }
    Ok(Ok(()))
}

/// The entries after a sequence that can be read, and what is wrong with the one that ends them.
fn page(conn: &mut Conn, id: &RoundId, after: Sequence) -> Result<(Vec<LogEntry>, Option<Wrong>), Error> {
    match store::log::after(conn, id, after, PAGE) {
        Ok(entries) => Ok((entries, None)),
        Err(error) if !error.is_about_content() => Err(error),
        Err(_) => {
            // One row that cannot be read hides the others of its page.
            let mut entries = Vec::new();
            let mut last = after;
            loop {
                match store::log::after(conn, id, last, 1) {
                    Ok(next) => match next.into_iter().next() {
                        Some(entry) => {
                            last = entry.sequence;
                            entries.push(entry);
                        }
                        None => return Ok((entries, None)),
                    },
                    Err(error) => {
                        let wrong = unreadable(error, |what| Wrong::entry(id, last + 1, what))?;
                        return Ok((entries, Some(wrong)));
                    }
                }
            }
        }
    }
}

fn ballots_differ(stored: Vec<(ParticipantCode, Current)>, replayed: &Ledger) -> Option<Wrong> {
    let id = &replayed.round.id;
    let mut stored: HashMap<ParticipantCode, Current> = stored.into_iter().collect();
    for participant in replayed.roll.participants() {
        let code = &participant.code;
        if stored.remove(code).as_ref() != replayed.latest(code) {
            let what = format!("the table of ballots does not have of {code} what the log makes it");
            return Some(Wrong::beside(id, what));
        }
    }
    let stranger = stored.into_keys().min()?;
    Some(Wrong::beside(id, format!("the table of ballots has one of {stranger}, who is not on the roll")))
}

/// A stored value that is none is something wrong; other failures are failures.
fn unreadable(error: Error, wrong: impl FnOnce(String) -> Wrong) -> Result<Wrong, Error> {
    if error.is_about_content() { Ok(wrong(error.to_string())) } else { Err(error) }
}
