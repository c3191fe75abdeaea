//! Checking the audit trail from its first entry to its last.

use std::fmt;

use serde_json::Value;

use super::audit::{columns, removed_hash};
use super::log::chain;
use crate::domain::Hash;
use crate::domain::audit::{AuditEntry, AuditFilter};
use crate::store::audit::Mark;
use crate::store::{self, Conn};

/// How many entries are held at once.
const PAGE: i64 = 1_000;

/// The first thing that is wrong with the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The number of the entry that is wrong or missing.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit entry {}: {}", self.sequence, self.what)
    }
}

/// A trail that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The number of the oldest entry that is there.
    pub first: u64,
    /// The number and hash of the newest.
    pub newest: Mark,
}

/// Checks the trail of a database, which should be one state of it. Entries that a checkpoint covers may be missing from
/// its beginning; the rest must follow on what the checkpoint says.
///
/// # Errors
/// If storage fails; the inner error is what is wrong.
pub fn verify(conn: &mut Conn) -> Result<Result<Whole, Wrong>, store::Error> {
    let newest = store::audit::mark(conn)?;
    let first = store::audit::first(conn)?.unwrap_or(newest.sequence + 1);
    let Some(head) = before(conn, first)? else {
        let what = "the entries before it are missing, and no checkpoint covers them";
        return Ok(Err(Wrong { sequence: first, what }));
    };
    let mut mark = Mark { sequence: first - 1, head };
    loop {
        let entries = store::audit::find(conn, &AuditFilter::default(), mark.sequence, 0, PAGE)?;
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            match follow(mark, entry) {
                Ok(next) => mark = next,
                Err(wrong) => return Ok(Err(wrong)),
            }
        }
    }
    if mark == newest {
        return Ok(Ok(Whole { first, newest }));
    }
    // What is missing at the end shows in the row that every append takes.
    let (sequence, what) = match mark.sequence {
        last if last < newest.sequence => (last + 1, "it is missing, and so is all that followed"),
        last => (last, "it is not the one that the chain's row names as its newest"),
    };
    Ok(Err(Wrong { sequence, what }))
}

/// The hash that the oldest entry must follow on; none if nothing says what it is.
fn before(conn: &mut Conn, first: u64) -> Result<Option<Hash>, store::Error> {
    if first == 1 {
        return Ok(Some(Hash([0; 32])));
    }
    let checkpoint = store::audit::checkpoint(conn, first - 1)?;
    let document = checkpoint.and_then(|entry| serde_json::from_str::<Value>(&entry.canonical).ok());
    Ok(document.and_then(|document| removed_hash(&document)))
}

fn follow(before: Mark, entry: &AuditEntry) -> Result<Mark, Wrong> {
    let sequence = before.sequence + 1;
    let wrong = |what| Wrong { sequence, what };
    if entry.sequence != sequence {
        return Err(wrong("it is missing"));
    }
    if chain(before.head, &entry.canonical) != entry.hash {
        return Err(wrong("its hash is not that of its text after the entry before it"));
    }
    let document: Value =
        serde_json::from_str(&entry.canonical).map_err(|_| wrong("its text is not JSON"))?;
    let canonical = document.to_string();
    if canonical != entry.canonical {
        return Err(wrong("its text is not canonical JSON (RFC 8785)"));
    }
    if document.get("sequence").and_then(Value::as_u64) != Some(sequence) {
        return Err(wrong("its text has another number"));
    }
    if columns(&document).as_ref() != Some(&entry.columns) {
        return Err(wrong("its columns are not those of its text"));
    }
    Ok(Mark { sequence, head: entry.hash })
}
