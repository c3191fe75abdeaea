//! A connection that learns of what other processes commit to the same database.

use diesel::connection::SimpleConnection;
use diesel::{RunQueryDsl, SqliteConnection, sql_types};

use super::{Conn, Error, Store};

/// Learns of others' commits: on PostgreSQL by notices (`LISTEN`), on SQLite by a number that changes with them.
pub struct Watch {
    /// For reading what was committed.
    pub conn: Conn,
    version: Option<i32>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Store {
    /// Begins to watch, on a connection of its own that goes straight to the database.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn watch(&self) -> Result<Watch, Error> {
        let mut conn = self.connect()?;
        if let Conn::Postgres(conn) = &mut conn {
            conn.batch_execute("LISTEN handslag_rounds")?;
        }
        Ok(Watch { conn, version: None })
    }
}

impl Watch {
    /// Whether something was committed since this was last asked. Costs no round trip.
    ///
    /// # Errors
    /// If the database fails.
    pub fn has_news(&mut self) -> Result<bool, Error> {
        match &mut self.conn {
            Conn::Postgres(conn) => {
                let mut news = false;
                for notice in conn.notifications_iter() {
                    notice?;
                    news = true;
                }
                Ok(news)
            }
            Conn::Sqlite(conn) => {
                let version = Some(data_version(conn)?);
                Ok(std::mem::replace(&mut self.version, version) != version)
            }
        }
    }

    /// Whether notices come by themselves, so that it is worth looking for them often.
    pub fn is_told(&self) -> bool {
        matches!(self.conn, Conn::Postgres(_))
    }
}

/// A number that changes when another connection commits to the same file.
fn data_version(conn: &mut SqliteConnection) -> Result<i32, Error> {
    #[derive(diesel::QueryableByName)]
    struct Version {
        #[diesel(sql_type = sql_types::Integer)]
        data_version: i32,
    }
    let version: Version = diesel::sql_query("PRAGMA data_version").get_result(conn)?;
    Ok(version.data_version)
}
