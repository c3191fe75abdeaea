//! The whole log as lines of JSON: what it starts from, every entry, and the signed head.
//!
//! `definition` and `event` stand to the letter as they are hashed, so that the chain can be checked without writing
//! them anew.

use serde_json::json;

use super::ballots::ReceiptView;
use crate::domain::LogEntry;
use crate::service::ledger::Ledger;
use crate::service::log;

/// The first line: the definition with initiatives and roll as of the opening, and the hash that the chain starts from.
pub fn definition(ledger: &Ledger) -> String {
    let round = &ledger.round;
    let definition =
        log::canonical_definition(&round.id, &round.opening_definition(), &ledger.slate, &ledger.roll);
    let hash = log::hash_of(&definition);
    format!("{{\"definition\":{definition},\"hash\":\"{hash}\"}}\n")
}

/// A line for each entry.
pub fn entries(entries: &[LogEntry]) -> String {
    let lines = entries
        .iter()
        .map(|LogEntry { canonical, hash, .. }| format!("{{\"event\":{canonical},\"hash\":\"{hash}\"}}\n"));
    lines.collect()
}

/// The last line: what the log's key vouches for.
pub fn receipt(receipt: &ReceiptView) -> String {
    format!("{}\n", json!({ "receipt": receipt }))
}
