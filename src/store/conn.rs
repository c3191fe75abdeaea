//! Connections: which database, how it is set up, how transactions begin and end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, Pool};
use diesel::{Connection, PgConnection, SqliteConnection};

use super::Error;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL, shared by several instances.
    Postgres(PgConnection),
    /// SQLite, embedded.
    Sqlite(SqliteConnection),
}

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of the embedded database.
    Sqlite(PathBuf),
    /// A PostgreSQL server, as a URL.
    Postgres(String),
}

/// The text is no database address of a known scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a database is sqlite:PATH or postgres://USER@HOST/NAME")]
pub struct DatabaseUrlFault;

impl FromStr for Database {
    type Err = DatabaseUrlFault;

    /// The scheme decides; a guess would make a silent empty SQLite file of a mistyped URL.
    fn from_str(text: &str) -> Result<Self, DatabaseUrlFault> {
        match text.split_once(':') {
            // A database in memory would be another one for each connection.
            Some(("sqlite", path)) if !path.is_empty() && !path.contains(":memory:") => {
                Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into()))
            }
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(text.to_owned()))
            }
            _ => Err(DatabaseUrlFault),
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            // The address may hold a password.
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// What the driver says when it cannot connect. It takes what follows an `@` or a `/` of a password for host, port or
/// name, and tells it.
fn refused(url: &str, said: String) -> Error {
    let address = url.split_once("//").map_or(url, |(_, address)| address);
    let password = address.split_once(':').and_then(|(_, rest)| Some(rest.rsplit_once('@')?.0));
    Error::Connection(match password {
        Some(password) if password.contains(['@', '/']) => {
            "the address cannot be read, or nobody answers there; an @ or a / of a password is to be written %40 or %2F"
                .to_owned()
        }
        Some(_) | None => said,
    })
}

impl Database {
    /// Makes what is missing, looks at what is there, and brings the schema up to date. Gives what says to others that
    /// the SQLite file is in use.
    fn prepare(&self) -> Result<Option<File>, Error> {
        let Self::Sqlite(path) = self else {
            return super::migrate::up(&mut self.connect(Access::Write)?).map(|()| None);
        };
        let unusable = |error: std::io::Error| Error::Connection(error.to_string());
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            super::files::make_folder(folder).map_err(unusable)?;
        }
        // References and comments are in it: for its owner only. SQLite gives its other files the same mode.
        super::files::make_file(path).map_err(unusable)?;
        // Held until the schema is there: of two processes that start on a new file, one waits.
        let _lock = super::files::lock(path).map_err(unusable)?;
        super::opening::inspect(path)?;
        let in_use = super::files::in_use(path).map_err(unusable)?;
        super::migrate::up(&mut self.connect(Access::Write)?)?;
        Ok(Some(in_use))
    }

    /// Connects for writing without bringing the schema up to date.
    pub(super) fn connect_as_is(&self) -> Result<Conn, Error> {
        self.connect(Access::Write)
    }

    fn connect(&self, access: Access) -> Result<Conn, Error> {
        match self {
            Self::Postgres(url) => {
                let conn = PgConnection::establish(url);
                let mut conn = conn.map_err(|error| refused(url, error.to_string()))?;
                conn.batch_execute(
                    "SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; SET client_min_messages = 'warning'; \
                     SET statement_timeout = '15s'; SELECT set_config('synchronous_commit', 'on', false) \
                     WHERE current_setting('synchronous_commit') IN ('off', 'local')",
                )?;
                Ok(Conn::Postgres(conn))
            }
            Self::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| Error::Connection("the path is not UTF-8".into()))?;
                let conn = SqliteConnection::establish(path);
                let mut conn = conn.map_err(|error| Error::Connection(error.to_string()))?;
                conn.batch_execute(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000",
                )?;
                if let Access::Read = access {
                    conn.batch_execute("PRAGMA query_only = ON")?;
                }
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Access {
    Read,
    Write,
}

/// How the readers' connections are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many are in use.
    pub used: u32,
    /// How many are not.
    pub idle: u32,
    /// How many threads wait for one.
    pub waiting: usize,
    /// How many there may be.
    pub most: u32,
}

#[derive(Debug)]
struct Readers(Database);

impl ManageConnection for Readers {
    type Connection = Conn;
    type Error = Error;

    fn connect(&self) -> Result<Conn, Error> {
        self.0.connect(Access::Read)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Error> {
        Ok(conn.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, _: &mut Conn) -> bool {
        // A panic while reading leaves a transaction open.
        std::thread::panicking()
    }
}

/// The database, opened: a pool for readers, and write connections on request.
#[derive(Clone)]
pub struct Store {
    database: Database,
    readers: Pool<Readers>,
    /// How many wait for a connection of a reader.
    waiting: Arc<AtomicUsize>,
    /// Held by whoever of this process writes to SQLite often.
    turn: Arc<Mutex<()>>,
    /// Says to others that the SQLite file is in use, as long as the last copy of this lives.
    _in_use: Option<Arc<File>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        write!(f, "Store({})", self.kind())
    }
}

/// How many connections there are for reading.
pub const READERS: u32 = 8;

impl Store {
    /// Opens the database, makes the SQLite file if there is none, and brings the schema up to date.
    ///
    /// # Errors
    /// If the database cannot be reached or used, or its schema is newer than this program; then what is there is
    /// left as it is.
    pub fn open(database: Database) -> Result<Self, Error> {
        let readers = database.clone();
        Self::open_with_readers(database, readers)
    }

    /// As [`Store::open`], with the readers' pool going another way to the same data. What one connection has
    /// committed the other must see: a replica that lags would make the service forget what it has answered.
    ///
    /// # Errors
    /// As [`Store::open`]. The readers' way is not tried before it is needed.
    pub fn open_with_readers(database: Database, readers: Database) -> Result<Self, Error> {
        let in_use = database.prepare().map_err(|error| super::opening::explained(&database, error))?;
        let readers = Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            .connection_timeout(Duration::from_secs(5))
            .build_unchecked(Readers(readers));
        let (waiting, turn) = (Arc::default(), Arc::default());
        Ok(Self { database, readers, waiting, turn, _in_use: in_use.map(Arc::new) })
    }

    /// A connection for writing. A server keeps one, in its writer.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn connect(&self) -> Result<Conn, Error> {
        self.database.connect(Access::Write)
    }

    /// Waits for a turn to write, until which it is held. SQLite has one write lock, and whoever finds it taken sleeps and
    /// looks again, longer each time: where one thread writes without a break another would never come to it. None is
    /// needed on PostgreSQL.
    pub fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.database {
            Database::Postgres(_) => None,
            Database::Sqlite(_) => Some(self.turn.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Reads on a pooled connection.
    ///
    /// # Errors
    /// What the reading says, or [`Error::Connection`] when none is free in time.
    pub fn read<T>(&self, reading: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let conn = self.readers.get();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        reading(&mut *conn.map_err(|error| Error::Connection(error.to_string()))?)
    }

    /// How the readers' connections are used just now.
    pub fn connections(&self) -> Connections {
        let state = self.readers.state();
        Connections {
            used: state.connections.saturating_sub(state.idle_connections),
            idle: state.idle_connections,
            waiting: self.waiting.load(Ordering::Relaxed),
            most: READERS,
        }
    }

    /// The kind of the database: `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.database {
            Database::Sqlite(_) => "sqlite",
            Database::Postgres(_) => "postgres",
        }
    }

    /// Reads from one snapshot: all queries see the same committed state.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn snapshot<T>(&self, reading: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        self.read(|conn| Self::snapshot_on(conn, reading))
    }

    /// Reads from one snapshot on a connection at hand.
    ///
    /// # Errors
    /// What the reading says.
    pub fn snapshot_on<T, E: From<Error>>(
        conn: &mut Conn,
        reading: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = match conn {
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Conn::Sqlite(_) => "BEGIN",
        };
        transaction(conn, begin, reading)
    }

    /// Writes in one transaction, which on SQLite takes the write lock at its beginning.
    ///
    /// # Errors
    /// What the writing says; then nothing was written.
    pub fn write<T, E: From<Error>>(
        conn: &mut Conn,
        writing: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = match conn {
            Conn::Postgres(_) => "BEGIN",
            Conn::Sqlite(_) => "BEGIN IMMEDIATE",
        };
        transaction(conn, begin, writing)
    }
}

fn transaction<T, E: From<Error>>(
    conn: &mut Conn,
    begin: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    conn.batch_execute(begin).map_err(Error::from)?;
    let result = work(conn).and_then(|value| {
        conn.batch_execute("COMMIT").map_err(Error::of_commit)?;
        Ok(value)
    });
    if result.is_err() {
        // A failed COMMIT may leave the transaction open; after a lost connection there is none to roll back.
        let _ = conn.batch_execute("ROLLBACK");
    }
    result
}
