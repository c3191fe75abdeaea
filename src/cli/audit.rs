//! `handslag audit`: the trail as a file, whether it is whole, and its oldest entries removed. And how the other commands
//! are recorded in it.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime, TimeZone};
use clap::Subcommand;

use super::ballot_input::is_standard;
use super::{Failure, open, output, tell};
use crate::config::Settings;
#[cfg(unix)]
use crate::config::user_before_sudo;
use crate::domain::audit::{Act, Actor, AuditFilter, Channel, Outcome, Target};
use crate::domain::{ClientId, Instant, ParticipantCode, RoundId};
use crate::export::audit::lines;
use crate::service::{Clock, audit};
use crate::store::{self, Store};

/// How many entries are held at once.
const PAGE: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the audit trail as lines of JSON, a line an entry
    #[command(
        after_help = "Each line has the entry as it is hashed, and its hash. Dates are days in Sweden.\n\n\
                      Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the database failed.\n\n\
                      Example: handslag audit export --from 2026-01-01 --to 2027-01-01 --out audit-2026.ndjson.gz"
    )]
    Export {
        /// Not what happened before this date or time
        #[arg(long, value_name = "TIME")]
        from: Option<Moment>,
        /// Only what happened before this date or time
        #[arg(long, value_name = "TIME")]
        to: Option<Moment>,
        /// The file to write; - for standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        out: PathBuf,
        /// Replace the file if it is there
        #[arg(long)]
        force: bool,
    },
    /// Check the audit trail from its oldest entry to its newest
    #[command(
        after_help = "Names the first entry that is wrong or missing. Entries that were removed in order are covered by a \
                      checkpoint, and what is left must follow on it.\n\n\
                      Exit codes: 0 whole, 1 something is wrong, 2 wrong usage, 3 the database failed.\n\n\
                      Example: handslag audit verify"
    )]
    Verify,
    /// Remove what is older than a date, and leave a checkpoint that says so
    #[command(
        after_help = "The service does it by itself, by the setting auditRetentionDays. Export what is to be kept \
                      elsewhere first.\n\n\
                      Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the database failed.\n\n\
                      Example: handslag audit prune --before 2025-01-01"
    )]
    Prune {
        /// Remove what happened before this date or time
        #[arg(long, value_name = "TIME")]
        before: Moment,
    },
}

/// A time, or a date that stands for its beginning in Sweden.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Instant);

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = "a date such as 2026-01-01, or a time such as 2026-01-01T00:00:00+01:00";
        let Ok(date) = text.parse::<NaiveDate>() else {
            return text.parse().map(Self).map_err(|_| fault);
        };
        let midnight = chrono_tz::Europe::Stockholm.from_local_datetime(&date.and_time(NaiveTime::MIN));
        midnight.earliest().map(|midnight| Self(Instant::new(midnight.to_utc()))).ok_or(fault)
    }
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let store = open(settings)?;
    match command {
        Command::Export { from, to, out, force } => {
            let (from, to) = (from.map(|Moment(at)| at), to.map(|Moment(at)| at));
            let filter = AuditFilter { from, to, ..AuditFilter::default() };
            recorded(&store, "audit export", Target::default(), || export(&store, &filter, &out, force))
        }
        Command::Verify => verify(&store),
        Command::Prune { before: Moment(before) } => prune(&store, before),
    }
}

fn export(store: &Store, filter: &AuditFilter, file: &Path, force: bool) -> Result<(), Failure> {
    if is_standard(file) {
        let mut out = BufWriter::new(io::stdout().lock());
        return match entries(store, filter, &mut out) {
            // A reader that has gone away, such as `head`, is no failure.
            Err(Stopped::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.map(drop).map_err(Failure::from),
        };
    }
    let name = file.display();
    if !force && file.exists() {
        return Err(output::there_already(&name.to_string()));
    }
    let mut written = 0;
    output::write(file, force, |out| {
        written = entries(store, filter, out)?;
        Ok(())
    })?;
    tell(&format!("{name}: {written} entries\n"));
    Ok(())
}

/// Why entries were not written.
enum Stopped {
    Store(store::Error),
    Io(io::Error),
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Store(error) => error.into(),
            Stopped::Io(error) => Self::failed(error),
        }
    }
}

/// Writes one state of the trail.
fn entries(store: &Store, filter: &AuditFilter, out: &mut dyn Write) -> Result<u64, Stopped> {
    let mut conn = store.connect()?;
    let written = Store::snapshot_on(&mut conn, |conn| {
        let (mut after, mut written) = (0, 0);
        loop {
            let page = store::audit::find(conn, filter, after, 0, PAGE)?;
            let Some(last) = page.last() else { return Ok::<_, Stopped>(written) };
            (after, written) = (last.sequence, written + page.len() as u64);
            lines(out, &page).map_err(Stopped::Io)?;
        }
    })?;
    out.flush().map_err(Stopped::Io)?;
    Ok(written)
}

fn verify(store: &Store) -> Result<(), Failure> {
    let mut conn = store.connect()?;
    let whole = Store::snapshot_on(&mut conn, audit::verify)?;
    let whole = whole.map_err(|wrong| Failure::Wrong(vec![wrong.to_string()]))?;
    let (newest, head) = (whole.newest.sequence, whole.newest.head);
    tell(&if newest < whole.first {
        format!("audit trail: no entries, head {head}\n")
    } else {
        format!("audit trail: entries {} to {newest}, head {head}\n", whole.first)
    });
    Ok(())
}

fn prune(store: &Store, before: Instant) -> Result<(), Failure> {
    let clock = Clock::System;
    if before > clock.now() {
        return Err(Failure::refused("--before: lies in the future"));
    }
    let count = audit::prune(&mut store.connect()?, before, Channel::Cli, &clock)?;
    tell(&format!("{count} entries removed\n"));
    Ok(())
}

/// That an act is about a round.
pub(super) fn round(id: &RoundId) -> Target {
    Target { round: Some(id.clone()), ..Target::default() }
}

/// That an act is about a client.
pub(super) fn client(id: &ClientId, participant: Option<&ParticipantCode>) -> Target {
    Target { participant: participant.cloned(), id: Some(id.to_string()), round: None }
}

/// That an act is about a key.
pub(super) fn key(kid: &str) -> Target {
    Target { id: Some(kid.to_owned()), ..Target::default() }
}

/// What was done, and whether the trail says so.
pub(super) struct Recorded<T> {
    pub(super) done: T,
    pub(super) told: Result<(), Failure>,
}

/// Does something, and records that it was done or why not. What is not known to be recorded is no success.
pub(super) fn recorded<T>(
    store: &Store,
    name: &str,
    target: Target,
    act: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Recorded { done, told } = done_and_recorded(store, name, |_| target, act)?;
    told.map(|()| done)
}

/// As [`recorded`], for what must not be lost although it could not be recorded. What it is about may follow from what was
/// done.
pub(super) fn done_and_recorded<T>(
    store: &Store,
    name: &str,
    target: impl FnOnce(Option<&T>) -> Target,
    act: impl FnOnce() -> Result<T, Failure>,
) -> Result<Recorded<T>, Failure> {
    let done = act();
    let outcome = match &done {
        Ok(_) => Outcome::Accepted,
        Err(Failure::Refused(_) | Failure::Wrong(_) | Failure::Misconfigured(_)) => Outcome::Refused,
        Err(Failure::Failed(_)) => Outcome::Failed,
    };
    let actor = Actor { subject: operator(), ..Actor::default() };
    let target = target(done.as_ref().ok());
    let entry = Act { actor, target, ..Act::new(Channel::Cli, name, outcome, Clock::System.now()) };
    let appended = store
        .connect_for_audit()
        .and_then(|mut conn| audit::append(&mut conn, &[entry]).map_err(audit::NotAppended::into_error));
    // What stood in the way of the command is what is to be told.
    let done = done?;
    let told = appended.map_err(|error| {
        Failure::failed(format!("it was done, but the audit trail does not say so: {error}"))
    });
    Ok(Recorded { done, told })
}

/// Whose command it is: the number of the user, of whoever became root by `sudo`. Nothing where users have no numbers.
fn operator() -> Option<String> {
    #[cfg(unix)]
    let number = {
        let own = rustix::process::getuid();
        Some(user_before_sudo().filter(|_| own.is_root()).unwrap_or(own.as_raw()))
    };
    #[cfg(not(unix))]
    let number: Option<u32> = None;
    number.map(|number| format!("uid:{number}"))
}
