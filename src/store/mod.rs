//! Storage: domain types in and out of SQLite or PostgreSQL, through one `Conn` and one set of queries.
//!
//! Writes go through [`Store::write`], which begins immediately on SQLite: a deferred transaction that
//! reads first cannot be upgraded to a write when somebody else wrote meanwhile. Text is never ordered
//! or matched in SQL, because the two databases disagree about it.

pub mod assertions;
pub mod audit;
pub mod ballots;
pub mod clients;
mod condition;
mod conn;
pub mod copies;
mod files;
pub mod history;
pub mod initiatives;
pub mod log;
mod migrate;
mod opening;
pub mod participants;
mod readable;
pub mod registry;
pub mod rounds;
mod schema;
pub mod subtrees;
pub mod texts;
pub mod token_keys;
pub mod verify;
mod watch;

pub use condition::{Condition, Kind};
pub use conn::{Conn, Connections, Database, DatabaseUrlFault, READERS, Store};
pub use migrate::{Age, Direction, SchemaState, is_complete};
pub use readable::Readable;
pub use watch::Watch;

/// What can go wrong in storage. The message is for the log, never for a caller outside.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or failed.
    #[error("database: {0}")]
    Database(diesel::result::Error),
    /// There is no room for what was to be written: nothing of it was stored.
    #[error("no room: {0}")]
    Full(diesel::result::Error),
    /// No connection could be had.
    #[error("no database connection: {0}")]
    Connection(String),
    /// The database cannot be opened, and why it is left as it is.
    #[error("{reason}. {advice}")]
    Unusable {
        /// What is wrong, with the file where it is one.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// A migration failed, or the schema is not one this program knows.
    #[error("schema: {0}")]
    Schema(String),
    /// The commit was sent, and what became of it is not known.
    #[error("the commit was not confirmed: {0}")]
    Unconfirmed(diesel::result::Error),
    /// The program itself failed while it was writing; the transaction went with its connection.
    #[error("a panic while writing")]
    Panic,
    /// A stored value is not one this program writes.
    #[error("table {table} holds a {what} that is not valid: {value:?}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What kind of value.
        what: &'static str,
        /// The value found.
        value: String,
    },
}

impl Error {
    /// What has failed when a commit has: it was not made where there was no room for it, else that must be found out.
    fn of_commit(error: diesel::result::Error) -> Self {
        match Self::from(error) {
            Self::Database(error) => Self::Unconfirmed(error),
            error => error,
        }
    }

    /// Whether it is what is stored that is wrong, and not the database that failed.
    pub fn is_about_content(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Database(diesel::result::Error::DeserializationError(_)))
    }

    /// Whether the same may well succeed in a moment, on a new connection.
    pub fn may_pass(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error as Failed};
        match self {
            // Neither database's driver tells a lost connection, a shutdown or a deadlock by kind alone.
            Self::Database(Failed::DatabaseError(kind, _)) => matches!(
                kind,
                Kind::SerializationFailure
                    | Kind::ClosedConnection
                    | Kind::UnableToSendCommand
                    | Kind::ReadOnlyTransaction
                    | Kind::Unknown
            ),
            Self::Connection(_) | Self::Unconfirmed(_) => true,
            Self::Database(error) => matches!(error, Failed::BrokenTransactionManager),
            Self::Full(_) | Self::Unusable { .. } | Self::Schema(_) | Self::Panic | Self::Corrupt { .. } => {
                false
            }
        }
    }
}

impl From<diesel::result::Error> for Error {
    /// Tells a full disk, after which nothing has been stored, from a failure after which that must be asked.
    ///
    /// SQLite says so only of a write that failed, and a transaction without all its pages is none. PostgreSQL says
    /// it of a table that cannot grow, which is before the commit; of its own log it says it in a crash, which is not
    /// meant here. Diesel hands out no codes for either, so it is the words. Where they are others, in a server that
    /// speaks another language, the failure counts as one of unknown outcome, which is true too.
    fn from(error: diesel::result::Error) -> Self {
        let diesel::result::Error::DatabaseError(_, information) = &error else {
            return Self::Database(error);
        };
        let words = information.message();
        let full = words == "database or disk is full"
            || words.starts_with("could not extend file") && words.contains("No space left on device");
        if full { Self::Full(error) } else { Self::Database(error) }
    }
}

/// Runs one query text on whichever database it is, for the few statements that the derived `Conn` lacks:
/// upserts and multi-row inserts. Never two different queries.
macro_rules! each_backend {
    ($conn:expr, |$c:ident| $query:expr) => {
        match $conn {
            $crate::store::Conn::Postgres($c) => $query,
            $crate::store::Conn::Sqlite($c) => $query,
        }
    };
}
use each_backend;

/// Inserts rows with one query text: on PostgreSQL many a statement, because round trips are what costs there; on SQLite
/// one by one, because a statement that is kept costs less than a long one that is read anew each time.
macro_rules! insert_each {
    ($conn:expr, $rows:expr, |$row:ident| $query:expr) => {
        match $conn {
            $crate::store::Conn::Postgres(c) => {
                for $row in $rows.chunks($crate::store::ROWS_A_STATEMENT) {
                    $query.execute(c)?;
                }
            }
            $crate::store::Conn::Sqlite(c) => {
                for $row in $rows {
                    $query.execute(c)?;
                }
            }
        }
    };
}
use insert_each;

/// How many rows one insert carries: both databases allow 32,766 bound values a statement.
///
/// Every row type that is inserted so says `treat_none_as_default_value = false`, even one without an
/// `Option`: otherwise diesel inserts one by one on SQLite, in a transaction of its own inside ours.
const ROWS_A_STATEMENT: usize = 2_000;

/// Parses a stored value with the domain's own parser.
fn parsed<T: std::str::FromStr>(table: &'static str, what: &'static str, value: &str) -> Result<T, Error> {
    value.parse().map_err(|_| Error::Corrupt { table, what, value: value.to_owned() })
}

/// Turns a stored whole number into the domain's.
fn number<T: TryFrom<i64>>(
    table: &'static str,
    what: &'static str,
    value: impl Into<i64>,
) -> Result<T, Error> {
    let value = value.into();
    T::try_from(value).map_err(|_| Error::Corrupt { table, what, value: value.to_string() })
}

/// A number of the domain as the databases store it; all of them are bounded far below.
fn stored<T, S: TryFrom<T>>(value: T) -> S
where
    S::Error: std::fmt::Debug,
{
    S::try_from(value).expect("counts and sequences stay below 2^31 and 2^63")
}
