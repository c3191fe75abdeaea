//! The nodes of the logs' Merkle trees that are kept: roots of complete subtrees of 256^level entries.

use diesel::prelude::*;

use super::schema::log_subtrees;
use super::{Conn, Error, each_backend, number, parsed, stored};
use crate::domain::{Hash, RoundId, Subtree};

#[derive(Insertable)]
#[diesel(table_name = log_subtrees, treat_none_as_default_value = false)]
struct Row {
    round_id: String,
    level: i32,
    position: i64,
    hash: String,
}

/// Stores subtrees that have become complete.
pub fn insert(conn: &mut Conn, round: &RoundId, subtrees: &[Subtree]) -> Result<(), Error> {
    let row = |subtree: &Subtree| Row {
        round_id: round.to_string(),
        level: stored(subtree.level),
        position: stored(subtree.position),
        hash: subtree.hash.to_string(),
    };
    let rows: Vec<Row> = subtrees.iter().map(row).collect();
    if !rows.is_empty() {
        each_backend!(conn, |c| diesel::insert_into(log_subtrees::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// The roots on a level from one position up to, and without, another; fewer if they are not stored.
pub fn load(conn: &mut Conn, round: &RoundId, level: u32, from: u64, until: u64) -> Result<Vec<Hash>, Error> {
    let rows: Vec<(i64, String)> = log_subtrees::table
        .filter(log_subtrees::round_id.eq(round.as_str()))
        .filter(log_subtrees::level.eq(stored::<u32, i32>(level)))
        .filter(log_subtrees::position.ge(stored::<u64, i64>(from)))
        .filter(log_subtrees::position.lt(stored::<u64, i64>(until)))
        .order(log_subtrees::position)
        .select((log_subtrees::position, log_subtrees::hash))
        .load(conn)?;
    // What follows on a gap is not where a reader would look for it.
    let whole =
        (from..).zip(&rows).take_while(|(expected, (position, _))| u64::try_from(*position) == Ok(*expected));
    whole.map(|(_, (_, hash))| parsed("log_subtrees", "hash", hash)).collect()
}

/// Every stored root of a round: one for each 255 entries of its log.
pub fn all(conn: &mut Conn, round: &RoundId) -> Result<Vec<Subtree>, Error> {
    let rows: Vec<(i32, i64, String)> = log_subtrees::table
        .filter(log_subtrees::round_id.eq(round.as_str()))
        .select((log_subtrees::level, log_subtrees::position, log_subtrees::hash))
        .load(conn)?;
    let subtree = |(level, position, hash): (i32, i64, String)| {
        Ok(Subtree {
            level: number("log_subtrees", "level", level)?,
            position: number("log_subtrees", "position", position)?,
            hash: parsed("log_subtrees", "hash", &hash)?,
        })
    };
    rows.into_iter().map(subtree).collect()
}
