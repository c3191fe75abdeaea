//! Entries of the log as documents.

use serde::Serialize;
use serde_json::Value;

use crate::domain::LogEntry;

/// An entry of the log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    sequence: u64,
    accepted_at: String,
    kind: String,
    hash: String,
    event: Value,
}

impl From<&LogEntry> for EntryView {
    fn from(entry: &LogEntry) -> Self {
        Self {
            sequence: entry.sequence,
            accepted_at: entry.at.to_string(),
            kind: entry.kind.clone(),
            hash: entry.hash.to_string(),
            // Sorted members and whole numbers: written again it is the canonical form that is hashed.
            event: serde_json::from_str(&entry.canonical).unwrap_or_default(),
        }
    }
}
