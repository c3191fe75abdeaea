//! An exported log, read and checked without a database.
//!
//! Its first line is the round's canonical definition with its hash, then comes a line an entry, and at last the signed
//! receipt of the last entry, without which lines cut off would not be missed. Each line is held to the byte: what
//! could be written in two ways could be changed without being seen.

use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::ledger::Ledger;
use super::log_definition;
use super::verify::{Verified, Verifier, Wrong};
use crate::domain::{Hash, LogEntry, ParticipantCode, Receipt, RoundId};

/// The longest line that is read: the definition of the largest round has a tenth of it.
const LONGEST: u64 = 64 * 1024 * 1024;
/// What stands between the text of a line and its hash.
const BEFORE_HASH: &str = r#","hash":""#;

/// Why a file is not verified.
#[derive(Debug)]
pub enum NotVerified {
    /// It cannot be read.
    Io(io::Error),
    /// Something is wrong with it.
    Wrong {
        /// In which line.
        line: u64,
        /// What.
        wrong: Wrong,
    },
}

/// Checks the signature over a receipt; says in words what is wrong with it.
pub type Signature<'a> = &'a mut dyn FnMut(&Receipt, &str) -> Result<(), String>;

/// Checks an exported log. `seen` is called with the round as each entry has made it.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn verify(
    input: impl BufRead,
    signature: Signature<'_>,
    seen: &mut dyn FnMut(&Ledger),
) -> Result<Verified, NotVerified> {
    let mut lines = Lines { input, number: 0, text: String::new() };
    if !lines.next()? {
        return Err(lines.wrong(Wrong::unnamed("there is nothing in it")));
    }
    let start = definition(&lines.text).map_err(|what| lines.wrong(Wrong::unnamed(what)))?;
    let id = start.round.id.clone();
    let mut verifier = Verifier::new(start);
    while lines.next()? {
        if let Some(document) = within(&lines.text, r#"{"receipt":"#, "}") {
            let ledger = verifier.ledger();
            receipt(document, ledger, signature).map_err(|what| lines.wrong(Wrong::beside(&id, what)))?;
            let verified = Verified::of(ledger);
            if lines.next()? {
                return Err(lines.wrong(Wrong::beside(&id, "something follows on the receipt")));
            }
            return Ok(verified);
        }
        let sequence = verifier.ledger().round.sequence + 1;
        let taken = match entry(&lines.text) {
            Ok((entry, document)) => verifier.follow(&entry, &document),
            Err(what) => Err(Wrong::entry(&id, sequence, what)),
        };
        taken.map_err(|wrong| lines.wrong(wrong))?;
        seen(verifier.ledger());
    }
    let what = match verifier.ledger().round.sequence {
        // The log of a round that has not opened looks like one that was cut off after its first line.
        0 => "it has no entries, and so no receipt that could show that there are none".to_owned(),
        last => format!("it ends after entry {last} without the receipt: lines have been cut off"),
    };
    Err(lines.wrong(Wrong::beside(&id, what)))
}

/// The lines of a file, one at a time.
struct Lines<R> {
    input: R,
    number: u64,
    text: String,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line without its end; false at the end of the file.
    fn next(&mut self) -> Result<bool, NotVerified> {
        self.number += 1;
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        (&mut self.input).take(LONGEST).read_until(b'\n', &mut bytes).map_err(NotVerified::Io)?;
        if bytes.is_empty() {
            return Ok(false);
        }
        if bytes.pop() != Some(b'\n') {
            return Err(self.wrong(Wrong::unnamed("the line does not end with a line break")));
        }
        self.text =
            String::from_utf8(bytes).map_err(|_| self.wrong(Wrong::unnamed("the line is not UTF-8")))?;
        Ok(true)
    }

    fn wrong(&self, wrong: Wrong) -> NotVerified {
        NotVerified::Wrong { line: self.number, wrong }
    }
}

fn within<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(after)
}

/// The text of a line, and the hash that it states.
fn hashed<'a>(line: &'a str, before: &str) -> Option<(&'a str, Hash)> {
    let (text, hash) = within(line, before, r#""}"#)?.rsplit_once(BEFORE_HASH)?;
    Some((text, hash.parse().ok()?))
}

/// The round before its first entry.
fn definition(line: &str) -> Result<Ledger, String> {
    let (text, stated) = hashed(line, r#"{"definition":"#)
        .ok_or("it does not begin with a round's definition and its hash")?;
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let read = log_definition::read(&document);
    let (round, slate, roll) = read.ok_or("its first line is no definition of a round")?;
    let start = Ledger::new(round, slate.into(), roll.into());
    if log_definition::of(&start) != text {
        return Err("the definition is not canonical JSON (RFC 8785) of a definition's members".to_owned());
    }
    if start.round.head != stated {
        return Err("the definition does not have the hash that stands beside it".to_owned());
    }
    Ok(start)
}

/// An entry, with its text read.
fn entry(line: &str) -> Result<(LogEntry, Value), &'static str> {
    let (text, hash) = hashed(line, r#"{"event":"#).ok_or("the line is neither an entry nor the receipt")?;
    let document: Value = serde_json::from_str(text).map_err(|_| "its text is not JSON")?;
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    // What is missing here is found to be wrong when the event is read.
    let entry = LogEntry {
        sequence: document.get("sequence").and_then(Value::as_u64).ok_or("its text has no number")?,
        at: member("at").and_then(|at| at.parse().ok()).ok_or("its text has no time")?,
        kind: member("kind").unwrap_or_default().to_owned(),
        participant: member("participant").and_then(|code| ParticipantCode::from_qualified(code).ok()),
        revision: document
            .get("revision")
            .and_then(Value::as_u64)
            .and_then(|revision| revision.try_into().ok()),
        canonical: text.to_owned(),
        hash,
    };
    Ok((entry, document))
}

/// Checks the receipt at the end against the log before it.
fn receipt(document: &str, ledger: &Ledger, signature: Signature<'_>) -> Result<(), String> {
    let read: Value = serde_json::from_str(document).unwrap_or_default();
    let (stated, signed) = read_receipt(&read).ok_or("the last line is no receipt")?;
    if written(&stated, &signed) != document {
        return Err("the receipt is not written as the service writes it".to_owned());
    }
    let Some(last) = receipt_of(ledger) else {
        return Err("there is a receipt, and no entry that it could be of".to_owned());
    };
    differs(&stated, &last)?;
    signature(&stated, &signed)
}

/// The receipt of the last entry of a round as it stands; none before the first.
pub fn receipt_of(ledger: &Ledger) -> Option<Receipt> {
    let round = &ledger.round;
    Some(Receipt {
        round: round.id.clone(),
        sequence: round.sequence,
        entry: round.head,
        root: ledger.tree.root(),
        at: round.last_at?,
    })
}

/// Compares a receipt with the one that a log gives for the same entry.
///
/// # Errors
/// In which member they differ, in words.
pub fn differs(stated: &Receipt, of_log: &Receipt) -> Result<(), String> {
    let Receipt { round, sequence, entry, root, at } = of_log;
    if stated.round != *round {
        return Err(format!("the receipt is of the round {}, the log of {round}", stated.round));
    }
    if stated.sequence != *sequence {
        let stated = stated.sequence;
        return Err(format!("the receipt is of entry {stated}, and the log has {sequence} before it"));
    }
    if stated.entry != *entry {
        return Err(format!("the receipt is of an entry {sequence} with another hash than the log has"));
    }
    if stated.root != *root {
        return Err(format!(
            "the receipt tells another root of the first {sequence} entries than the log has"
        ));
    }
    if stated.at != *at {
        return Err(format!("the receipt tells another time of entry {sequence} than the log has"));
    }
    Ok(())
}

/// A receipt with its signature, from the document of one; none if it is not in the form that the service writes.
pub fn read_receipt(document: &Value) -> Option<(Receipt, String)> {
    let member = |name: &str| document.get(name)?.as_str();
    let sequence = document.get("sequence")?.as_u64()?;
    let seven = document.as_object()?.len() == 7;
    if !seven || document.get("treeSize")?.as_u64() != Some(sequence) {
        return None;
    }
    let receipt = Receipt {
        round: member("roundId")?.parse::<RoundId>().ok()?,
        sequence,
        entry: member("entryHash")?.parse().ok()?,
        root: member("root")?.parse().ok()?,
        at: member("acceptedAt")?.parse().ok()?,
    };
    Some((receipt, member("signature")?.to_owned()))
}

/// The only way in which a receipt is written.
fn written(receipt: &Receipt, signature: &str) -> String {
    let Receipt { round, sequence, entry, root, at } = receipt;
    let signature = Value::from(signature);
    format!(
        r#"{{"roundId":"{round}","sequence":{sequence},"entryHash":"{entry}","treeSize":{sequence},"root":"{root}","acceptedAt":"{at}","signature":{signature}}}"#
    )
}
