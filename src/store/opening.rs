//! Before anything is written into a database that is there: whether it is one of ours and whole, and what to tell
//! whoever starts the program when it is not.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query, sql_types};

use super::{Database, Error};

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Text)]
    line: String,
}

/// Refuses a SQLite file that is damaged, somebody else's, or of a newer program, and leaves it as it is.
///
/// Opening a file for writing would already turn it to write-ahead logging, and closing it would fold in what a
/// killed process has left in `-wal`. So that is read without the right to write.
pub(super) fn inspect(path: &Path) -> Result<(), Error> {
    look(path).map(drop)
}

/// As [`inspect`]; gives the connection that has looked, and must not write.
pub(super) fn look(path: &Path) -> Result<SqliteConnection, Error> {
    let name = path.to_str().ok_or_else(|| Error::Connection("the path is not UTF-8".into()))?;
    let left_over = std::fs::metadata(format!("{name}-wal")).is_ok_and(|file| file.len() > 0);
    let name = if left_over {
        let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        format!("file:{escaped}?mode=ro")
    } else {
        name.to_owned()
    };
    let conn = SqliteConnection::establish(&name);
    let mut conn = conn.map_err(|error| Error::Connection(error.to_string()))?;
    conn.batch_execute("PRAGMA busy_timeout = 10000")?;
    let mut lines = |query: &str| -> Result<Vec<String>, Error> {
        let found: Vec<Line> = sql_query(query).load(&mut conn)?;
        Ok(found.into_iter().map(|found| found.line).collect())
    };
    let tables = lines("SELECT name AS line FROM sqlite_master WHERE type = 'table'")?;
    if tables.is_empty() {
        return Ok(conn);
    }
    if !tables.iter().any(|table| table == "__diesel_schema_migrations") {
        return Err(Error::Connection("the file holds the tables of another program".to_owned()));
    }
    super::migrate::refuse_newer_file(lines("SELECT version AS line FROM __diesel_schema_migrations")?)?;
    let faults = lines("SELECT quick_check AS line FROM pragma_quick_check LIMIT 1")?;
    match faults.first() {
        Some(fault) if fault != "ok" => Err(Error::Connection(format!("the file is malformed: {fault}"))),
        Some(_) | None => Ok(conn),
    }
}

/// The error, with what to do about it where that is known.
pub(super) fn explained(database: &Database, error: Error) -> Error {
    let reason = match &error {
        Error::Connection(reason) | Error::Schema(reason) => reason.clone(),
        Error::Database(error) | Error::Full(error) | Error::Unconfirmed(error) => error.to_string(),
        Error::Panic | Error::Corrupt { .. } | Error::Unusable { .. } => return error,
    };
    // libpq speaks in several lines.
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let table: &[(&[&str], &str)] = match database {
        Database::Sqlite(_) => SQLITE,
        Database::Postgres(_) => POSTGRES,
    };
    let Some((_, advice)) = table.iter().find(|(words, _)| words.iter().any(|words| reason.contains(words)))
    else {
        return error;
    };
    let reason = match database {
        Database::Sqlite(path) => format!("{}: {reason}", path.display()),
        Database::Postgres(_) => reason,
    };
    Error::Unusable { reason, advice }
}

/// Words of SQLite, of the system and of ours, each with what to do.
const SQLITE: &[(&[&str], &str)] = &[
    (
        &["database is locked", "database table is locked", "the lock file is locked"],
        "Another process holds the file: `fuser -v` with its name tells which. End it (a forgotten sqlite3, a backup \
         tool), then start again",
    ),
    (
        &["file is not a database", "the tables of another program"],
        "This is no database of handslag, or a damaged one: name the right file with --database, or restore a backup. \
         Nothing was changed",
    ),
    (
        &["malformed"],
        "The file is damaged: restore a backup, and look at the disk. Nothing was changed; keep the file",
    ),
    (&["disk is full", "No space left on device"], "Make room on the disk, then start again"),
    (
        &["disk I/O error"],
        "The disk or its file system fails: look at the system's log before you start again",
    ),
    (
        &["Is a directory", "Not a directory", "File exists"],
        "The database is a file in a folder: look at --database and --data-dir",
    ),
    (
        &[
            "Permission denied",
            "Read-only file system",
            "Operation not permitted",
            "readonly database",
            "unable to open",
            "Unable to open",
        ],
        "The account of the service must be able to write the file and its folder",
    ),
];

/// Words of libpq and of the server.
const POSTGRES: &[(&[&str], &str)] = &[
    (
        &["authentication failed", "no password supplied", "no pg_hba.conf entry", "role \""],
        "Look at user and password in --database, and at pg_hba.conf of the server",
    ),
    (&["database \""], "Look at the name in --database, or make the database"),
    (
        &["connection to server", "could not translate host name", "could not connect"],
        "Does the server run, and are host and port in --database right? The program does not wait for it",
    ),
    (&["lock timeout"], "Another process is changing the schema: wait until it is done, then start again"),
];
