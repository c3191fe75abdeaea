//! A round's log as lines of JSON that can be verified without the service.
//!
//! First the round's canonical definition and its hash, from which the log starts; then a line an entry, its text to the
//! byte as it is hashed; at last the signed receipt of the last entry, so that lines cut off are missed.

use std::io::{self, Write};

use super::ballots::ReceiptView;
use crate::domain::{Hash, LogEntry, Receipt};

/// Writes the first line.
///
/// # Errors
/// If it cannot be written.
pub fn definition(out: &mut dyn Write, canonical: &str, hash: Hash) -> io::Result<()> {
    writeln!(out, r#"{{"definition":{canonical},"hash":"{hash}"}}"#)
}

/// Writes entries, a line each.
///
/// # Errors
/// If they cannot be written.
pub fn entries(out: &mut dyn Write, entries: &[LogEntry]) -> io::Result<()> {
    for LogEntry { canonical, hash, .. } in entries {
        writeln!(out, r#"{{"event":{canonical},"hash":"{hash}"}}"#)?;
    }
    Ok(())
}

/// Writes the last line.
///
/// # Errors
/// If it cannot be written.
pub fn receipt(out: &mut dyn Write, receipt: &Receipt, signature: String) -> io::Result<()> {
    let receipt = serde_json::to_string(&ReceiptView::new(receipt, signature)).map_err(io::Error::other)?;
    writeln!(out, r#"{{"receipt":{receipt}}}"#)
}
