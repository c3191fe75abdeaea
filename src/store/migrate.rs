//! The schema's history: two trees with the same names, compiled in.

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, Error, Store};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Which way to move the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the newest version.
    Up,
    /// Back to nothing; every table and what it holds is gone.
    Down,
}

/// Which migrations a database has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// The names of those applied, in order.
    pub applied: Vec<String>,
}

impl Store {
    /// Moves the schema, on a connection of its own.
    ///
    /// # Errors
    /// If a migration fails.
    pub fn migrate(&self, direction: Direction) -> Result<SchemaState, Error> {
        let mut conn = self.connect()?;
        match direction {
            Direction::Up => up(&mut conn)?,
            Direction::Down => match &mut conn {
                Conn::Postgres(conn) => drop(conn.revert_all_migrations(POSTGRES).map_err(schema)?),
                Conn::Sqlite(conn) => drop(conn.revert_all_migrations(SQLITE).map_err(schema)?),
            },
        }
        Ok(SchemaState { applied: applied(&mut conn)? })
    }
}

/// Applies what is missing, and refuses a database that a newer program has migrated further. One process at a
/// time: on PostgreSQL by an advisory lock, on SQLite by the file lock that [`Store::open`] holds.
pub(super) fn up(conn: &mut Conn) -> Result<(), Error> {
    use diesel::connection::SimpleConnection;
    if let Conn::Sqlite(_) = conn {
        return apply(conn);
    }
    conn.batch_execute("SELECT pg_advisory_lock(4842178)")?;
    let outcome = apply(conn);
    conn.batch_execute("SELECT pg_advisory_unlock(4842178)")?;
    outcome
}

/// How old the schema of a database is, compared with this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Age {
    /// Migrations are missing.
    Older,
    /// As it should be.
    Current,
    /// It has had this migration, which this program does not know.
    Newer(String),
}

/// How old the schema is; changes nothing if it is a database of this program.
pub(super) fn age(conn: &mut Conn) -> Result<Age, Error> {
    let (applied, known) = (applied(conn)?, known(conn)?);
    Ok(match applied.iter().find(|version| !known.contains(version)) {
        Some(newer) => Age::Newer(newer.clone()),
        None if applied.len() < known.len() => Age::Older,
        None => Age::Current,
    })
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Whether the schema has every migration of this program; one of a newer program may have more. Asks with a query
/// that a reader may make, where diesel would first try to make the table.
pub fn is_complete(conn: &mut Conn) -> Result<bool, Error> {
    use __diesel_schema_migrations::{table, version};
    use diesel::{QueryDsl, RunQueryDsl};
    let applied: Vec<String> = table.select(version).load(conn)?;
    Ok(known(conn)?.iter().all(|name| applied.contains(name)))
}

fn apply(conn: &mut Conn) -> Result<(), Error> {
    refuse_newer(applied(conn)?, &known(conn)?)?;
    match conn {
        Conn::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(drop).map_err(schema),
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(drop).map_err(schema),
    }
}

/// Refuses a schema with a migration that this program does not have.
fn refuse_newer(applied: Vec<String>, known: &[String]) -> Result<(), Error> {
    match applied.into_iter().find(|version| !known.contains(version)) {
        None => Ok(()),
        Some(newer) => Err(Error::Schema(format!(
            "the database has had the migration {newer}, which this program does not know: it was made by a newer \
             version. Start that one, or restore a backup from before it; nothing was changed"
        ))),
    }
}

/// Refuses the schema of a SQLite file, of which only the migrations that it has had are known yet.
pub(super) fn refuse_newer_file(applied: Vec<String>) -> Result<(), Error> {
    let known = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(schema)?;
    refuse_newer(applied, &names(&known))
}

fn applied(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let versions = match conn {
        Conn::Postgres(conn) => conn.applied_migrations().map_err(schema)?,
        Conn::Sqlite(conn) => conn.applied_migrations().map_err(schema)?,
    };
    let mut versions: Vec<String> = versions.iter().map(MigrationVersion::to_string).collect();
    versions.sort();
    Ok(versions)
}

/// The migrations that this program has.
pub(super) fn known(conn: &Conn) -> Result<Vec<String>, Error> {
    Ok(match conn {
        Conn::Postgres(_) => {
            names(&MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES).map_err(schema)?)
        }
        Conn::Sqlite(_) => {
            names(&MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(schema)?)
        }
    })
}

fn names<DB: diesel::backend::Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn schema(error: impl ToString) -> Error {
    Error::Schema(error.to_string())
}
