//! `handslag log`: a round's log as a file, and whether a log is whole.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::ballot_input::is_standard;
use super::progress::progress;
use super::verified::{self, Keys, Source};
use super::{Failure, audit, open, output, print, tell};
use crate::config::Settings;
use crate::domain::{Receipt, RoundId};
use crate::export::log;
use crate::identity::{Purpose, SigningKey, receipt};
use crate::service::ledger::Ledger;
use crate::service::merkle::Frontier;
use crate::service::{Error, log_definition};
use crate::store::{self, Conn, Store};

/// How many entries are held at once.
const PAGE: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a round's log as lines of JSON that can be verified without this service
    #[command(
        after_help = "The first line is the round's definition, then comes a line an entry, and at last the signed \
                      receipt of the last entry. A name that ends in .gz is packed.\n\n\
                      Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the database failed.\n\n\
                      Example: handslag log export --round handslag-2024 handslag-2024.log.ndjson"
    )]
    Export {
        /// The round's id
        #[arg(long)]
        round: RoundId,
        /// The file to write; - for standard output
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Replace the file if it is there
        #[arg(long)]
        force: bool,
    },
    /// Check a log from its first entry to its last, in the database or in a file
    #[command(
        after_help = "Prints a line for each round whose log is whole, and names the first entry that is wrong. In the \
                      database it also checks that the round, its ballots, its references and comments and its tree \
                      are what the log makes of them; of a file the signature at its end too.\n\n\
                      Exit codes: 0 whole, 1 something is wrong, 2 wrong usage, 3 a file or the database failed.\n\n\
                      Example: handslag log verify --key log-key.json handslag-2024.log.ndjson"
    )]
    Verify {
        /// A file that `log export` wrote, packed with gzip or not; - for standard input [default: the database]
        file: Option<PathBuf>,
        /// Only this round of the database
        #[arg(long, conflicts_with = "file")]
        round: Option<RoundId>,
        /// Public key of the log: what `log key` prints, or PEM [default: that of the data folder]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Print the public key that receipts are signed with, as a JWK set
    #[command(
        after_help = "Let others keep it: with it they can check receipts and logs without asking anyone.\n\n\
                      Exit codes: 0 done, 2 wrong usage, 3 a file failed.\n\n\
                      Example: handslag log key > log-key.json"
    )]
    Key,
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Export { round, file, force } => export(settings, &round, &file, force),
        Command::Verify { file, round, key } => verify(settings, file, round, key.as_deref()),
        Command::Key => {
            let key = log_key(settings)?;
            let mut text = serde_json::to_vec_pretty(&key.jwks()).map_err(Failure::failed)?;
            text.push(b'\n');
            print(&text)
        }
    }
}

fn log_key(settings: &Settings) -> Result<SigningKey, Failure> {
    SigningKey::load_or_create(&settings.data_dir, Purpose::Log).map_err(Failure::failed)
}

fn export(settings: &Settings, round: &RoundId, file: &Path, force: bool) -> Result<(), Failure> {
    if !is_standard(file) && !force && file.exists() {
        return Err(output::there_already(&file.display().to_string()));
    }
    let store = open(settings)?;
    audit::recorded(&store, "log export", audit::round(round), || write(settings, &store, round, file, force))
}

fn write(
    settings: &Settings,
    store: &Store,
    round: &RoundId,
    file: &Path,
    force: bool,
) -> Result<(), Failure> {
    let mut conn = store.connect()?;
    let key = log_key(settings)?;
    // One state of the database: the definition, the entries and the receipt belong together.
    let mut write =
        |out: &mut dyn Write| Store::snapshot_on(&mut conn, |conn| entries(conn, round, &key, out));
    if is_standard(file) {
        let mut out = BufWriter::new(io::stdout().lock());
        return match write(&mut out).and_then(|_| out.flush().map_err(Stopped::Io)) {
            // A reader that has gone away, such as `head`, is no failure.
            Err(Stopped::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(stopped) => Err(stopped.into()),
            Ok(()) => Ok(()),
        };
    }
    let mut written = 0;
    output::write(file, force, |out| {
        written = write(out)?;
        Ok(())
    })?;
    tell(&format!("{round}: {written} entries\n"));
    Ok(())
}

/// Why a log was not written.
enum Stopped {
    Failure(Failure),
    Io(io::Error),
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Failure(failure) => failure,
            Stopped::Io(error) => Self::failed(error),
        }
    }
}

fn entries(conn: &mut Conn, id: &RoundId, key: &SigningKey, out: &mut dyn Write) -> Result<u64, Stopped> {
    let found = store::rounds::find(conn, id)?;
    let round = found.ok_or_else(|| Stopped::Failure(Error::NoSuchRound.into()))?;
    let slate = store::initiatives::load(conn, id)?;
    let roll = store::participants::load(conn, id)?;
    let bar = progress(round.sequence, "{bar:40} {pos}/{len} entries");
    let definition = log_definition::of(&Ledger::new(round, slate.into(), roll.into()));
    log::definition(out, &definition, log_definition::hash(&definition))?;
    let mut tree = Frontier::default();
    let mut last = None;
    loop {
        let page = store::log::after(conn, id, tree.size(), PAGE)?;
        log::entries(out, &page)?;
        for entry in &page {
            tree.push(entry.hash);
        }
        bar.set_position(tree.size());
        match page.into_iter().next_back() {
            Some(entry) => last = Some(entry),
            None => break,
        }
    }
    if let Some(entry) = last {
        let of_last = Receipt {
            round: id.clone(),
            sequence: entry.sequence,
            entry: entry.hash,
            root: tree.root(),
            at: entry.at,
        };
        log::receipt(out, &of_last, receipt::sign(&of_last, key))?;
    }
    bar.finish_and_clear();
    Ok(tree.size())
}

fn verify(
    settings: &Settings,
    file: Option<PathBuf>,
    round: Option<RoundId>,
    key: Option<&Path>,
) -> Result<(), Failure> {
    let Some(file) = file else {
        let whole = verified::check(settings, &Source::Database(round), &Keys::none(), &mut |_| ())?;
        if whole.is_empty() {
            tell("there are no rounds\n");
        }
        verified::report(&whole);
        return Ok(());
    };
    let keys = Keys::of(settings, key)?;
    let whole = verified::check(settings, &Source::File(file), &keys, &mut |_| ())?;
    verified::report(&whole);
    keys.say_if_none();
    Ok(())
}
