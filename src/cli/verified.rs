//! Logs checked for several commands: where they come from, and with which keys.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::ballot_input::is_standard;
use super::progress::progress;
use super::{Failure, open, tell};
use crate::config::Settings;
use crate::domain::{Receipt, RoundId};
use crate::identity::{KnownKeys, Purpose, SigningKey, receipt};
use crate::service::ledger::Ledger;
use crate::service::log_file::{self, NotVerified};
use crate::service::verify::Verified;
use crate::service::verify_database;
use crate::store::{self, Conn};

/// How often the progress is told, in entries.
const OFTEN: u64 = 1_000;

/// Where a log is.
pub(super) enum Source {
    /// In the database: a round, or all.
    Database(Option<RoundId>),
    /// In a file that was exported.
    File(PathBuf),
}

/// The public keys that signatures are held against, if there are any.
pub(super) struct Keys(Option<KnownKeys>);

impl Keys {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Those of a file, or else of the data folder if it has one.
    pub(super) fn of(settings: &Settings, file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else {
            let own = SigningKey::load(&settings.data_dir, Purpose::Log).map_err(Failure::failed)?;
            return Ok(Self(own.as_ref().map(KnownKeys::from)));
        };
        let name = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::failed(format!("{name}: {error}")))?;
        let keys = KnownKeys::read(&text).map_err(|error| Failure::refused(format!("{name} {error}")))?;
        Ok(Self(Some(keys)))
    }

    /// Holds a receipt against its signature; without a key against what was signed, by whomever.
    pub(super) fn check(&self, stated: &Receipt, signature: &str) -> Result<(), String> {
        let signed = match &self.0 {
            Some(keys) => keys.receipt(signature).map_err(|error| error.to_string())?,
            None => receipt::unverified(signature).ok_or("the signature is no JSON Web Signature")?,
        };
        if signed == *stated { Ok(()) } else { Err("the receipt is not the one that was signed".to_owned()) }
    }

    pub(super) fn say_if_none(&self) {
        if self.0.is_none() {
            eprintln!(
                "The signature was NOT checked: there is no key. --key FILE takes the one that handslag log key prints."
            );
        }
    }
}

/// Checks a log; `seen` is called with the round as each entry has made it. Everything that is wrong is refused.
pub(super) fn check(
    settings: &Settings,
    source: &Source,
    keys: &Keys,
    seen: &mut dyn FnMut(&Ledger),
) -> Result<Vec<Verified>, Failure> {
    match source {
        Source::Database(round) => {
            open(settings)?.snapshot(|conn| Ok(database(conn, round.as_ref(), seen)))?
        }
        Source::File(path) => Ok(vec![file(path, keys, seen)?]),
    }
}

/// Checks the rounds of a database, in the caller's transaction.
pub(super) fn database(
    conn: &mut Conn,
    round: Option<&RoundId>,
    seen: &mut dyn FnMut(&Ledger),
) -> Result<Vec<Verified>, Failure> {
    // A row that cannot be read is found below.
    let marks = store::rounds::marks(conn).unwrap_or_default();
    let wanted = marks.iter().filter(|(id, ..)| round.is_none_or(|round| round == id));
    let bar = progress(wanted.map(|(_, mark)| mark.sequence).sum(), "{bar:40} {pos}/{len} entries");
    let mut seen = |ledger: &Ledger| {
        if ledger.round.sequence.is_multiple_of(OFTEN) {
            bar.inc(OFTEN);
        }
        seen(ledger);
    };
    let outcomes = match round {
        None => verify_database::rounds(conn, &mut seen)?,
        Some(id) => {
            let outcome = verify_database::round(conn, id, &mut seen)?;
            vec![outcome.ok_or(crate::service::Error::NoSuchRound)?]
        }
    };
    bar.finish_and_clear();
    let (mut whole, mut wrong) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(verified) => whole.push(verified),
            Err(found) => wrong.extend(found.iter().map(ToString::to_string)),
        }
    }
    if wrong.is_empty() {
        return Ok(whole);
    }
    report(&whole);
    Err(Failure::Wrong(wrong))
}

fn file(path: &Path, keys: &Keys, seen: &mut dyn FnMut(&Ledger)) -> Result<Verified, Failure> {
    let name = path.display();
    let failed = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let (input, length): (Box<dyn Read>, u64) = if is_standard(path) {
        (Box::new(io::stdin()), 0)
    } else {
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        (Box::new(file), length)
    };
    let bar = progress(length, "{bar:40} {bytes}/{total_bytes}");
    let mut input = BufReader::new(bar.wrap_read(input));
    let packed = input.fill_buf().map_err(failed)?.starts_with(&[0x1F, 0x8B]);
    let mut signature = |stated: &Receipt, signed: &str| keys.check(stated, signed);
    let verified = if packed {
        log_file::verify(BufReader::new(MultiGzDecoder::new(input)), &mut signature, seen)
    } else {
        log_file::verify(input, &mut signature, seen)
    };
    bar.finish_and_clear();
    verified.map_err(|error| match error {
        NotVerified::Io(error) => failed(error),
        NotVerified::Wrong { line, wrong } => Failure::refused(format!("{name}:{line}: {wrong}")),
    })
}

/// Says of each log that it is whole.
pub(super) fn report(whole: &[Verified]) {
    for verified in whole {
        tell(&format!("{verified}\n"));
    }
}
