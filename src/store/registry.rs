//! The register of clients and token keys as a whole: how often it has changed.

use diesel::prelude::*;

use super::schema::registry;
use super::{Conn, Error, number};

/// The only row there is.
const ROW: i32 = 1;

/// How often clients or keys have changed.
pub fn version(conn: &mut Conn) -> Result<u64, Error> {
    let version: i64 = registry::table.find(ROW).select(registry::version).get_result(conn)?;
    number("registry", "version", version)
}

/// Takes the register for this transaction, and counts the change that is about to be made. The first statement of
/// every write to it: whoever else changes it waits.
pub fn claim(conn: &mut Conn) -> Result<(), Error> {
    let row = diesel::update(registry::table.find(ROW));
    row.set(registry::version.eq(registry::version + 1_i64)).execute(conn)?;
    Ok(())
}
