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
    let rows = rows(round, subtrees);
    if !rows.is_empty() {
        each_backend!(conn, |c| diesel::insert_into(log_subtrees::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// Stores subtrees that were complete long ago, unless somebody else has done it meanwhile.
pub fn fill_in(conn: &mut Conn, round: &RoundId, subtrees: &[Subtree]) -> Result<(), Error> {
    let rows = rows(round, subtrees);
    for row in &rows {
        let insert = diesel::insert_into(log_subtrees::table).values(row);
        each_backend!(conn, |c| insert.on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

fn rows(round: &RoundId, subtrees: &[Subtree]) -> Vec<Row> {
    let row = |subtree: &Subtree| Row {
        round_id: round.to_string(),
        level: stored(subtree.level),
        position: stored(subtree.position),
        hash: subtree.hash.to_string(),
    };
    subtrees.iter().map(row).collect()
}

/// The positions on a level that are stored, in order.
pub fn positions(conn: &mut Conn, round: &RoundId, level: u32) -> Result<Vec<u64>, Error> {
    let positions: Vec<i64> = log_subtrees::table
        .filter(log_subtrees::round_id.eq(round.as_str()))
        .filter(log_subtrees::level.eq(stored::<u32, i32>(level)))
        .order(log_subtrees::position)
        .select(log_subtrees::position)
        .load(conn)?;
    positions.into_iter().map(|position| number("log_subtrees", "position", position)).collect()
}

/// The roots on a level from one position up to, and without, another, each at its place; none where it is not stored.
pub fn load(
    conn: &mut Conn,
    round: &RoundId,
    level: u32,
    from: u64,
    until: u64,
) -> Result<Vec<Option<Hash>>, Error> {
    let rows: Vec<(i64, String)> = log_subtrees::table
        .filter(log_subtrees::round_id.eq(round.as_str()))
        .filter(log_subtrees::level.eq(stored::<u32, i32>(level)))
        .filter(log_subtrees::position.ge(stored::<u64, i64>(from)))
        .filter(log_subtrees::position.lt(stored::<u64, i64>(until)))
        .order(log_subtrees::position)
        .select((log_subtrees::position, log_subtrees::hash))
        .load(conn)?;
    let mut rows = rows.into_iter().peekable();
    let mut root = |position: u64| {
        let row = rows.next_if(|(found, _)| u64::try_from(*found) == Ok(position));
        row.map(|(_, hash)| parsed("log_subtrees", "hash", &hash)).transpose()
    };
    (from..until).map(&mut root).collect()
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
