//! A line of JSON per ballot or event: the ballot book and the log of this service.
//!
//! A ballot of the book has `participantCode` and `ranking`; an event of the log has `kind`, `participant` as
//! `municipality:0180`, `sequence` and for a ballot `ranking`. Of a participant's ballots and withdrawals the one with
//! the highest `sequence` holds; two that no `sequence` tells apart are a fault. All lines are of one round. Other
//! members are passed over. In an exported log an event stands in the member `event` of its line; the definition before
//! the events and the receipt after them are no ballots. Memory grows with the participants.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::fault::{Text, text, twice};
use super::gather::Gather;
use super::lines::{column, each};
use super::source::Source;
use super::{Ballots, Format, ReadError};

/// Events of the log that are no ballots.
const OTHER_KINDS: [&str; 5] = ["opening", "extension", "closing", "certification", "correction"];

/// What a participant has said last.
struct Last {
    sequence: Option<u64>,
    line: u64,
    /// None: withdrawn.
    ranking: Option<Vec<u8>>,
}

#[derive(Default)]
struct Reader {
    round: Option<String>,
    last: HashMap<String, Last>,
}

/// Whether a line is one of these; the first of an exported log may be long and cut off.
pub(super) fn recognises(line: &str) -> bool {
    if line.starts_with("{\"definition\":{") || line.starts_with("{\"event\":{") {
        return true;
    }
    let Ok(Value::Object(document)) = serde_json::from_str(line) else { return false };
    document.contains_key("participantCode") || document.contains_key("kind")
}

pub(super) fn read(source: Source<'_>, mut gather: Gather) -> Result<Ballots, ReadError> {
    let mut reader = Reader::default();
    each(source, &mut gather, |gather, number, line| {
        if line.trim().is_empty() {
            return;
        }
        match serde_json::from_str(line) {
            Ok(document) => {
                let Some(document) = event(&document) else { return };
                if let Err((member, code, what)) = reader.line(gather, number, line, document) {
                    gather.faults.push(number, place(line, member), code, what);
                }
            }
            Err(error) => {
                let what = text("Raden är inget JSON-objekt.", "The line is no JSON object.");
                gather.faults.push(number, error.column().max(1) as u64, "json", what);
            }
        }
    })?;
    gather.with_participants();
    let mut last: Vec<(String, Last)> = reader.last.into_iter().collect();
    last.sort_by_key(|(_, last)| last.line);
    for (code, Last { line, ranking, .. }) in last {
        if let Some(ranking) = ranking {
            gather.add(&ranking, 1, (line, 1));
            gather.keep(&code, &ranking, line);
        }
    }
    gather.finish(Format::NdJson)
}

/// What a line says of a participant: itself, or the event that it holds as a line of an exported log; none for the two
/// lines of that which hold no event.
fn event(line: &Map<String, Value>) -> Option<&Map<String, Value>> {
    match line.get("event") {
        Some(Value::Object(event)) => Some(event),
        _ if line.contains_key("kind") || line.contains_key("participantCode") => Some(line),
        _ => Some(line).filter(|line| !["definition", "receipt"].iter().any(|name| line.contains_key(*name))),
    }
}

impl Reader {
    /// Reads a line; a fault is told with the member that it is in.
    fn line(
        &mut self,
        gather: &mut Gather,
        number: u64,
        line: &str,
        document: &Map<String, Value>,
    ) -> Result<(), (&'static str, &'static str, Text)> {
        if let Some(round) = document.get("roundId").and_then(Value::as_str) {
            match &self.round {
                None => self.round = Some(round.to_owned()),
                Some(first) if first == round => {}
                Some(first) => {
                    let what = (
                        format!("Raden är av omgången {round:?}, filen av {first:?}."),
                        format!("The line is of the round {round:?}, the file of {first:?}."),
                    );
                    return Err(("roundId", "round", what));
                }
            }
        }
        let kind = document.get("kind").map_or(Some("book"), Value::as_str);
        let participant = match kind {
            Some("book") => document.get("participantCode").and_then(Value::as_str),
            Some("ballot" | "withdrawal") => {
                let qualified = document.get("participant").and_then(Value::as_str);
                qualified.and_then(|qualified| qualified.split_once(':')).map(|(_, code)| code)
            }
            Some(kind) if OTHER_KINDS.contains(&kind) => return Ok(()),
            Some(_) | None => {
                let what = text("Händelsen är av okänt slag.", "The event is of an unknown kind.");
                return Err(("kind", "kind", what));
            }
        };
        let Some(participant) = participant.filter(|code| !code.is_empty()) else {
            let what = text("Deltagarens kod saknas.", "The participant's code is missing.");
            return Err(("participant", "field", what));
        };
        let ranking = match kind {
            Some("withdrawal") => None,
            _ => Some(self::ranking(gather, number, line, document)?),
        };
        let sequence = match document.get("sequence") {
            None | Some(Value::Null) => None,
            Some(sequence) => Some(sequence.as_u64().ok_or_else(|| {
                ("sequence", "field", text("Ett heltal behövs.", "A whole number is needed."))
            })?),
        };
        let now = Last { sequence, line: number, ranking };
        match self.last.get_mut(participant) {
            None => {
                self.last.insert(participant.to_owned(), now);
            }
            Some(before) => match (before.sequence, sequence) {
                (Some(earlier), Some(later)) if earlier < later => *before = now,
                (Some(later), Some(earlier)) if earlier < later => {}
                _ => return Err(("participant", "twice", twice(before.line))),
            },
        }
        Ok(())
    }
}

fn ranking(
    gather: &mut Gather,
    number: u64,
    line: &str,
    document: &Map<String, Value>,
) -> Result<Vec<u8>, (&'static str, &'static str, Text)> {
    let needed = || ("ranking", "field", text("En lista av id behövs.", "A list of ids is needed."));
    let ids = document.get("ranking").and_then(Value::as_array).ok_or_else(needed)?;
    let at = (number, place(line, "ranking"));
    let mut ranking = Vec::new();
    for id in ids {
        gather.pick(id.as_str().ok_or_else(needed)?, at, &mut ranking);
    }
    Ok(ranking)
}

/// The column of a member, or of the line where it is missing.
fn place(line: &str, member: &str) -> u64 {
    line.find(&format!("\"{member}")).map_or(1, |at| column(line, &line[at..]))
}

pub(super) fn write(ballots: &Ballots, out: &mut dyn Write) -> io::Result<()> {
    for (code, ranking) in ballots.participants.iter().flatten() {
        let ids: Vec<&str> =
            ranking.iter().map(|&pick| ballots.candidates[usize::from(pick)].id.as_str()).collect();
        writeln!(out, "{}", json!({ "participantCode": code, "ranking": ids }))?;
    }
    Ok(())
}
