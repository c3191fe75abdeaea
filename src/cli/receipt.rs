//! `handslag receipt`: whether what a participant was given holds.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use super::ballot_input::is_standard;
use super::verified::{self, Keys, Source};
use super::{Failure, tell};
use crate::config::Settings;
use crate::domain::{Receipt, RoundId};
use crate::identity::receipt;
use crate::service::ledger::Ledger;
use crate::service::log_file::{differs, read_receipt, receipt_of};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a receipt: its signature, and that a log has the entry that it is of
    #[command(after_help = "The log is checked too, from its first entry to its last.\n\n\
                      Exit codes: 0 the receipt holds, 1 it does not, 2 wrong usage, 3 a file or the database failed.\n\n\
                      Example: handslag receipt verify ballot.json --log handslag-2024.log.ndjson --key log-key.json")]
    Verify {
        /// The receipt as JSON, the reply that it came in, or its signature alone; - for standard input
        receipt: PathBuf,
        /// A file that `log export` wrote
        #[arg(long, value_name = "FILE", required_unless_present = "round", conflicts_with = "round")]
        log: Option<PathBuf>,
        /// The round in the database
        #[arg(long)]
        round: Option<RoundId>,
        /// Public key of the log: what `log key` prints, or PEM [default: that of the data folder]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let Command::Verify { receipt: path, log, round, key } = command;
    let name = path.display().to_string();
    let refused = |what: String| Failure::refused(format!("{name}: {what}"));
    let (stated, signature) = read(&path)?;
    let keys = Keys::of(settings, key.as_deref())?;
    keys.check(&stated, &signature).map_err(refused)?;
    let source = log.map_or(Source::Database(round), Source::File);
    let mut held = None;
    let mut seen = |ledger: &Ledger| {
        if ledger.round.sequence == stated.sequence {
            held = receipt_of(ledger).map(|of_log| differs(&stated, &of_log));
        }
    };
    let whole = verified::check(settings, &source, &keys, &mut seen)?;
    let Some(held) = held else {
        let entries = whole.first().map_or(0, |verified| verified.entries);
        let sequence = stated.sequence;
        return Err(refused(format!(
            "the receipt is of entry {sequence}, and the log has {entries} entries"
        )));
    };
    held.map_err(refused)?;
    let Receipt { round, sequence, entry, .. } = &stated;
    tell(&format!("{round}: entry {sequence} is in the log, with the hash {entry}\n"));
    keys.say_if_none();
    Ok(())
}

/// The receipt and its signature.
fn read(path: &Path) -> Result<(Receipt, String), Failure> {
    let name = path.display();
    let read = if is_standard(path) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = read.map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    let found = match serde_json::from_str::<Value>(&text) {
        Ok(document) => read_receipt(document.get("receipt").unwrap_or(&document)),
        Err(_) => receipt::unverified(text.trim()).map(|stated| (stated, text.trim().to_owned())),
    };
    found.ok_or_else(|| Failure::refused(format!("{name}: holds no receipt")))
}
