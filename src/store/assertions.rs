//! Assertions that have been taken, so that none is taken twice.

use diesel::prelude::*;

use super::schema::used_assertions;
use super::{Conn, Error, each_backend};
use crate::domain::ClientId;

/// Takes note of an assertion until it ends, in seconds since 1970; says whether it is the first time.
pub fn take(conn: &mut Conn, client: &ClientId, jti: &str, ends: i64) -> Result<bool, Error> {
    let row = (
        used_assertions::client_id.eq(client.as_str()),
        used_assertions::jti.eq(jti),
        used_assertions::ends.eq(ends),
    );
    let taken = each_backend!(conn, |c| {
        diesel::insert_into(used_assertions::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    Ok(taken == 1)
}

/// Forgets those that have ended before a moment, in seconds since 1970.
pub fn forget(conn: &mut Conn, before: i64) -> Result<(), Error> {
    diesel::delete(used_assertions::table.filter(used_assertions::ends.lt(before))).execute(conn)?;
    Ok(())
}
