//! `handslag backup` and `handslag restore`: copies of the database of one file, checked before they are trusted.

use std::io;
use std::path::{Path, PathBuf};

use super::{Failure, output, tell, verified};
use crate::config::Settings;
use crate::service::Clock;
use crate::store::copies::{self, Folded, Workplace};
use crate::store::{Age, Database, Store};

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
                  was there is moved aside, and its new name is told.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file failed.\n\n\
                  Example: handslag restore --force /backup/handslag-2026-11-22.db"
)]
pub(super) struct RestoreArguments {
    /// A file that `backup` wrote
    file: PathBuf,
    /// Move aside the database that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn backup(settings: &Settings, arguments: &BackupArguments) -> Result<(), Failure> {
    let database = sqlite(settings, "pg_basebackup or pg_dump make its copies")?;
    let (file, name) = (&arguments.file, arguments.file.display().to_string());
    if !database.exists() {
        return Err(Failure::failed(format!("{}: there is no database", database.display())));
    }
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
        failure @ Failure::Failed(_) => failure,
    })?;
    let in_use = || Failure::refused(format!("{target}: is in use; stop the service first"));
    let _alone = copies::alone(database).map_err(on_target)?.ok_or_else(in_use)?;
    let mut aside = None;
    let exists = database.exists();
    let left_over = copies::BESIDE.iter().any(|ending| copies::beside(database, ending).exists());
    if exists || left_over {
        if exists && matches!(copies::fold(database), Folded::InUse) {
            return Err(in_use());
        }
        let now = Clock::System.now().utc().format("%Y%m%dT%H%M%SZ");
        let kept = copies::beside(database, &format!(".before-restore-{now}"));
        copies::set_aside(database, &kept).map_err(on_target)?;
        aside = Some(kept);
    }
    workplace.put(database, exists).map_err(on_target)?;
    tell(&format!("{whole}{target}: restored from {name}\n"));
    if let Some(aside) = aside {
        tell(&format!("{}: what was there before\n", aside.display()));
    }
    Ok(())
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
