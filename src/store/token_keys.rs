//! The public halves of the keys that sign tokens.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::readable::each;
use super::schema::token_keys;
use super::{Conn, Error, Readable};
use crate::domain::{Instant, TokenKey};

#[derive(Queryable, Insertable)]
#[diesel(table_name = token_keys)]
struct Row {
    kid: String,
    public: String,
    created_at: NaiveDateTime,
    signs_from: NaiveDateTime,
    retires_at: Option<NaiveDateTime>,
}

/// Every key, the oldest first.
pub fn all(conn: &mut Conn) -> Result<Vec<TokenKey>, Error> {
    readable(conn)?.all()
}

/// Every key that can be read, the oldest first.
pub fn readable(conn: &mut Conn) -> Result<Readable<TokenKey>, Error> {
    let (rows, unreadable) = each(
        conn,
        |conn| token_keys::table.load::<Row>(conn),
        |conn| token_keys::table.select(token_keys::kid).load::<String>(conn),
        |conn, kid| token_keys::table.find(kid).first(conn),
    )?;
    let key = |row: Row| TokenKey {
        kid: row.kid,
        public: row.public,
        created_at: row.created_at.into(),
        signs_from: row.signs_from.into(),
        retires_at: row.retires_at.map(Instant::from),
    };
    let mut keys: Vec<TokenKey> = rows.into_iter().map(key).collect();
    keys.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
    Ok(Readable { rows: keys, unreadable })
}

/// Stores a new key.
pub fn insert(conn: &mut Conn, key: &TokenKey) -> Result<(), Error> {
    let row = Row {
        kid: key.kid.clone(),
        public: key.public.clone(),
        created_at: key.created_at.naive(),
        signs_from: key.signs_from.naive(),
        retires_at: key.retires_at.map(Instant::naive),
    };
    diesel::insert_into(token_keys::table).values(row).execute(conn)?;
    Ok(())
}

/// Says from when on a key is not believed.
pub fn retire(conn: &mut Conn, kid: &str, at: Instant) -> Result<(), Error> {
    let row = diesel::update(token_keys::table.find(kid));
    row.set(token_keys::retires_at.eq(Some(at.naive()))).execute(conn)?;
    Ok(())
}
