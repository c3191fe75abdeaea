//! Entries of the audit trail as documents, lines and tables.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::{Cell, Dialect, Table};
use crate::domain::audit::AuditEntry;

/// An entry of the audit trail.
#[derive(Debug, Serialize)]
pub struct AuditEntryView {
    event: Value,
    hash: String,
}

impl From<&AuditEntry> for AuditEntryView {
    fn from(entry: &AuditEntry) -> Self {
        // Sorted members and whole numbers: written again it is the canonical form that is hashed.
        let event = serde_json::from_str(&entry.canonical).unwrap_or_default();
        Self { event, hash: entry.hash.to_string() }
    }
}

/// Writes entries, a line each, their text to the byte as it is hashed.
///
/// # Errors
/// If they cannot be written.
pub fn lines(out: &mut dyn Write, entries: &[AuditEntry]) -> io::Result<()> {
    for AuditEntry { canonical, hash, .. } in entries {
        writeln!(out, r#"{{"event":{canonical},"hash":"{hash}"}}"#)?;
    }
    Ok(())
}

/// A column of the table: a member of an entry, its heading, and what a cell holds.
type Column = (&'static str, &'static str, fn(String) -> Cell);

const COLUMNS: [Column; 18] = [
    ("sequence", "Nr", Cell::Figure),
    ("at", "Tid", Cell::Figure),
    ("channel", "Väg", Cell::Text),
    ("issuer", "Utfärdare", Cell::Text),
    ("client", "Klient", Cell::Text),
    ("organisation", "Organisation", Cell::Code),
    ("subject", "Subjekt", Cell::Text),
    ("address", "Adress", Cell::Text),
    ("operation", "Åtgärd", Cell::Text),
    ("roundId", "Omgång", Cell::Text),
    ("participantCode", "Deltagare", Cell::Code),
    ("targetId", "Föremål", Cell::Text),
    ("outcome", "Utfall", Cell::Text),
    ("status", "Status", Cell::Figure),
    ("problem", "Problem", Cell::Text),
    ("reason", "Skäl", Cell::Text),
    ("trace", "Spår", Cell::Code),
    ("count", "Antal", Cell::Figure),
];

/// The head of the table.
pub fn csv_head(dialect: Dialect) -> Vec<u8> {
    Table::new(dialect, headings()).finish()
}

/// Rows of the table, without its head: it may be too long to be made at once.
pub fn csv_rows(dialect: Dialect, entries: &[AuditEntry]) -> Vec<u8> {
    let mut table = Table::without_head(dialect);
    for entry in entries {
        let document: Value = serde_json::from_str(&entry.canonical).unwrap_or_default();
        let cells = COLUMNS.iter().map(|(name, _, cell)| cell(text(&document[*name])));
        table.row(cells.chain([Cell::Code(entry.hash.to_string())]));
    }
    table.finish()
}

fn headings() -> impl Iterator<Item = (&'static str, &'static str)> {
    COLUMNS.iter().map(|(name, heading, _)| (*name, *heading)).chain([("hash", "Hash")])
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
