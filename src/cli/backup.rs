//! `handslag backup` and `handslag restore`: copies of the database of one file, checked before they are trusted.

use std::io;
use std::path::{Path, PathBuf};

use super::{Failure, audit, open, output, tell, verified};
use crate::config::Settings;
use crate::domain::audit::{Act, Actor, Channel, Outcome, Target};
use crate::service::Clock;
use crate::service::audit::{NotAppended, append};
use crate::service::endings::{Endings, Kept};
use crate::store::copies::{self, Folded, Workplace};
use crate::store::{Age, Database, Error, Store};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The service may run meanwhile: the copy is one state of the database, with every ballot that was \
                  acknowledged before the command began. It is checked as `log verify` does. Keep keys/ too, apart \
                  from it.\n\n\
                  Exit codes: 0 done and nothing wrong with it, 1 refused or something is wrong with it, 2 wrong usage, \
                  3 a file or the database failed.\n\n\
                  Example: handslag backup /backup/handslag-2026-11-22.db"
)]
pub(super) struct BackupArguments {
    /// The file to write
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the service first. The backup is checked as `log verify` does before anything is changed; what \
                  was there is moved aside, and its new name is told. Clients, keys and secrets that have been ended \
                  since the backup stay ended.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file failed.\n\n\
                  Example: handslag restore --force /backup/handslag-2026-11-22.db"
)]
pub(super) struct RestoreArguments {
    /// A file that `backup` wrote
    file: PathBuf,
    /// Move aside the database that is there
    #[arg(long)]
    force: bool,
    /// Restore also where the database that is there cannot be read, so that clients and keys that were ended since the
    /// backup are active again
    #[arg(long)]
    revive: bool,
}

pub(super) fn backup(settings: &Settings, arguments: &BackupArguments) -> Result<(), Failure> {
    let database = sqlite(settings, "pg_basebackup or pg_dump make its copies")?;
    if !database.exists() {
        return Err(Failure::failed(format!("{}: there is no database", database.display())));
    }
    let write = || write_backup(database, arguments);
    // To open it any further would bring an older one up to date, and a damaged one is worth a copy too.
    if let Some(Ok(store)) = copies::is_current(database).then(|| open(settings)) {
        return audit::recorded(&store, "backup", Target::default(), write);
    }
    eprintln!("handslag: the audit trail cannot be written, and does not tell of this backup");
    write()
}

fn write_backup(database: &Path, arguments: &BackupArguments) -> Result<(), Failure> {
    let (file, name) = (&arguments.file, arguments.file.display().to_string());
    if !arguments.force && file.exists() {
        return Err(output::there_already(&name));
    }
    let failed = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let workplace = Workplace::beside(file).map_err(failed)?;
    copies::copy(database, &workplace.file())?;
    let checked = check(&workplace.file());
    // A copy of what is wrong is worth having too: it is kept, and the exit code tells.
    workplace.put(file, arguments.force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => output::there_already(&name),
        _ => failed(error),
    })?;
    match checked {
        Ok(said) => tell(&format!("{said}{name}: written\n")),
        Err(failure) => {
            tell(&format!("{name}: written, with what is wrong in it\n"));
            return Err(failure);
        }
    }
    Ok(())
}

pub(super) fn restore(settings: &Settings, arguments: &RestoreArguments) -> Result<(), Failure> {
    let database = sqlite(settings, "its own tools, such as pg_restore, put copies back")?;
    let (file, name) = (&arguments.file, arguments.file.display().to_string());
    let target = database.display().to_string();
    let failed = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    if copies::beside(file, "-wal").metadata().is_ok_and(|wal| wal.len() > 0) {
        return Err(Failure::refused(format!(
            "{name}: has a {name}-wal beside it, and so is not whole by itself"
        )));
    }
    if !arguments.force && database.exists() {
        return Err(Failure::refused(format!("{target}: is there already; --force moves it aside")));
    }
    let on_target = |error: io::Error| Failure::failed(format!("{target}: {error}"));
    let workplace = Workplace::beside(database).map_err(on_target)?;
    // What is checked is the copy that takes the place.
    let copy = workplace.file();
    copies::take(file, &copy).map_err(failed)?;
    let whole = match copies::open(&copy).and_then(|mut conn| copies::age(&mut conn)) {
        Ok(Age::Current) => check(&copy),
        Ok(Age::Older) => copies::migrate(&copy).map_err(Failure::from).and_then(|()| check(&copy)),
        Ok(Age::Newer(newer)) => Err(Failure::refused(format!(
            "it has had the migration {newer}, which this program does not know: it was made by a newer version"
        ))),
        Err(error) => Err(Failure::refused(format!("it is no database of handslag: {error}"))),
    };
    let whole = whole.map_err(|failure| match failure {
        Failure::Refused(lines) | Failure::Wrong(lines) => {
            Failure::Refused(lines.iter().map(|line| format!("{name}: {line}")).collect())
        }
        failure @ (Failure::Misconfigured(_) | Failure::Failed(_)) => failure,
    })?;
    let in_use = || Failure::refused(format!("{target}: is in use; stop the service first"));
    let _alone = copies::alone(database).map_err(on_target)?.ok_or_else(in_use)?;
    let mut aside = None;
    let exists = database.exists();
    let left_over = copies::BESIDE.iter().any(|ending| copies::beside(database, ending).exists());
    let folded = exists.then(|| copies::fold(database));
    if folded == Some(Folded::InUse) {
        return Err(in_use());
    }
    let endings = match folded.map(|folded| endings(database, folded, &workplace)) {
        None => None,
        Some(Ok(endings)) => Some(endings),
        Some(Err(_)) if arguments.revive => None,
        Some(Err(why)) => {
            return Err(Failure::refused(format!(
                "{target}: {why}: clients and keys that have been ended since the backup would be active again; \
                 --revive restores nevertheless"
            )));
        }
    };
    let kept = copies::change(&copy, |conn| {
        let now = Clock::System.now();
        let kept = endings.as_ref().map(|endings| endings.carry_over(conn, now)).transpose()?;
        let actor = Actor { subject: audit::operator(), ..Actor::default() };
        let entry = Act { actor, ..Act::new(Channel::Cli, "restore", Outcome::Accepted, now) };
        append(conn, &[entry]).map_err(NotAppended::into_error)?;
        Ok(kept.unwrap_or_default())
    })?;
    if exists || left_over {
        let now = Clock::System.now().utc().format("%Y%m%dT%H%M%SZ");
        let kept = copies::beside(database, &format!(".before-restore-{now}"));
        copies::set_aside(database, &kept).map_err(on_target)?;
        aside = Some(kept);
    }
    workplace.put(database, exists).map_err(on_target)?;
    tell(&format!("{whole}{target}: restored from {name}\n{}", told(kept)));
    if let Some(aside) = aside {
        tell(&format!("{}: what was there before\n", aside.display()));
    }
    Ok(())
}

/// What has been ended in the database that is there, or why it cannot be told.
fn endings(database: &Path, folded: Folded, workplace: &Workplace) -> Result<Endings, String> {
    if folded != Folded::Whole {
        return Err("is damaged".to_owned());
    }
    let read = || {
        let mut conn = copies::open(database)?;
        if copies::age(&mut conn)? == Age::Older {
            copies::take(database, &workplace.other())
                .map_err(|error| Error::Connection(error.to_string()))?;
            copies::migrate(&workplace.other())?;
            conn = copies::open(&workplace.other())?;
        }
        Endings::read(&mut conn)
    };
    read().map_err(|error| error.to_string())
}

/// What stayed ended that the backup knew nothing of.
fn told(kept: Kept) -> String {
    let Kept { disabled, rotated, keys } = kept;
    if kept == Kept::default() {
        return String::new();
    }
    format!(
        "what was ended since stays so: {disabled} clients disabled, keys or secrets of {rotated} clients, {keys} keys of \
         tokens\n"
    )
}

/// The file of the database; another is not for these commands.
fn sqlite<'a>(settings: &'a Settings, instead: &str) -> Result<&'a Path, Failure> {
    match &settings.database {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres(_) => {
            Err(Failure::refused(format!("the database is PostgreSQL: {instead} (docs/OPERATIONS.md)")))
        }
    }
}

/// Checks a copy, and says what was found.
fn check(copy: &Path) -> Result<String, Failure> {
    let mut conn = copies::open(copy)?;
    let faults = match copies::faults(&mut conn) {
        Ok(faults) => faults,
        Err(error) => vec![error.to_string()],
    };
    if !faults.is_empty() {
        return Err(Failure::Wrong(faults));
    }
    if copies::age(&mut conn)? != Age::Current {
        return Ok(
            "The logs were NOT checked: the schema is not of this version of the program.\n".to_owned()
        );
    }
    let whole = Store::snapshot_on(&mut conn, |conn| verified::database(conn, None, &mut |_| ()))?;
    let lines: Vec<String> = whole.iter().map(ToString::to_string).collect();
    Ok(lines.iter().flat_map(|line| [line, "\n"]).collect())
}
