//! How a database is, looked at without changing anything: for whoever sets one up.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Timestamp};

use super::{Conn, Database, Error, migrate, opening};
use crate::domain::Instant;

/// How a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The migrations that it has not had; all of them if it is empty.
    pub pending: Vec<String>,
    /// A migration that it has had and this program does not know.
    pub newer: Option<String>,
    /// What only one of the two has.
    pub kind: Kind,
}

/// What only one of the two databases has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of the embedded database.
    Sqlite {
        /// How it keeps its journal, as the file says.
        journal: String,
    },
    /// A server.
    Postgres {
        /// Its version, such as 150004.
        version: i32,
        /// `synchronous_commit` as it is unless a connection says otherwise.
        synchronous_commit: String,
        /// The standbys that commits wait for; empty if none.
        standbys: String,
        /// Whether it is a standby itself.
        is_standby: bool,
        /// What time it is there.
        clock: Instant,
    },
}

impl Condition {
    /// Looks at a database; none if it is a file that is not there.
    ///
    /// # Errors
    /// If it cannot be reached, or is damaged or somebody else's.
    pub fn of(database: &Database) -> Result<Option<Self>, Error> {
        let looked = match database {
            Database::Sqlite(path) if !path.exists() => return Ok(None),
            Database::Sqlite(path) => opening::look(path).map(Conn::Sqlite),
            Database::Postgres(_) => database.connect_as_is(),
        };
        let looked = looked.and_then(|mut conn| Self::on(&mut conn));
        looked.map(Some).map_err(|error| opening::explained(database, error))
    }

    fn on(conn: &mut Conn) -> Result<Self, Error> {
        let had = migrations(conn)?;
        let known = migrate::known(conn)?;
        Ok(Self {
            newer: had.iter().find(|version| !known.contains(version)).cloned(),
            pending: known.into_iter().filter(|version| !had.contains(version)).collect(),
            kind: match conn {
                Conn::Sqlite(conn) => sqlite(conn)?,
                Conn::Postgres(conn) => postgres(conn)?,
            },
        })
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The migrations that it has had. diesel would make the table of them, which a standby refuses.
fn migrations(conn: &mut Conn) -> Result<Vec<String>, Error> {
    const HAD: &str = "SELECT version AS line FROM __diesel_schema_migrations";
    let lines = match conn {
        Conn::Sqlite(conn) => {
            let table = "SELECT name AS line FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
            let there: Vec<Line> = diesel::sql_query(table).load(conn)?;
            if there.is_empty() { Vec::new() } else { diesel::sql_query(HAD).load::<Line>(conn)? }
        }
        Conn::Postgres(conn) => {
            let table = "SELECT '' AS line WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL";
            let there: Vec<Line> = diesel::sql_query(table).load(conn)?;
            if there.is_empty() { Vec::new() } else { diesel::sql_query(HAD).load::<Line>(conn)? }
        }
    };
    Ok(lines.into_iter().map(|found| found.line).collect())
}

fn sqlite(conn: &mut SqliteConnection) -> Result<Kind, Error> {
    let found: Line =
        diesel::sql_query("SELECT journal_mode AS line FROM pragma_journal_mode").get_result(conn)?;
    Ok(Kind::Sqlite { journal: found.line })
}

fn postgres(conn: &mut PgConnection) -> Result<Kind, Error> {
    #[derive(QueryableByName)]
    struct Server {
        #[diesel(sql_type = Integer)]
        version: i32,
        #[diesel(sql_type = Text)]
        synchronous_commit: String,
        #[diesel(sql_type = Text)]
        standbys: String,
        #[diesel(sql_type = Bool)]
        is_standby: bool,
        #[diesel(sql_type = Timestamp)]
        clock: chrono::NaiveDateTime,
    }
    // Our own connections turn it on where it is off: what the server says by itself is its `reset_val`.
    let found: Server = diesel::sql_query(
        "SELECT current_setting('server_version_num')::integer AS version,
                (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS synchronous_commit,
                current_setting('synchronous_standby_names') AS standbys,
                pg_is_in_recovery() AS is_standby,
                clock_timestamp() AT TIME ZONE 'UTC' AS clock",
    )
    .get_result(conn)?;
    Ok(Kind::Postgres {
        version: found.version,
        synchronous_commit: found.synchronous_commit,
        standbys: found.standbys,
        is_standby: found.is_standby,
        clock: found.clock.into(),
    })
}
