//! What is asked only to find rows that nothing else would read.

use diesel::prelude::*;

use super::schema::{
    ballots, initiatives, log_entries, log_subtrees, memberships, participants, private_texts,
};
use super::{Conn, Error, number};
use crate::domain::RoundId;

/// How many entries and how many private texts there are of a round, whatever their numbers are.
pub fn counts(conn: &mut Conn, round: &RoundId) -> Result<(u64, u64), Error> {
    let of_log = log_entries::table.filter(log_entries::round_id.eq(round.as_str()));
    let entries: i64 = of_log.count().get_result(conn)?;
    let of_texts = private_texts::table.filter(private_texts::round_id.eq(round.as_str()));
    let texts: i64 = of_texts.count().get_result(conn)?;
    Ok((number("log_entries", "number", entries)?, number("private_texts", "number", texts)?))
}

/// The ids of the rounds that rows say they belong to, with the table: rounds that need not be there.
pub fn rounds_of_rows(conn: &mut Conn) -> Result<Vec<(&'static str, String)>, Error> {
    let mut found = Vec::new();
    macro_rules! of {
        ($($table:ident),+) => {$(
            let ids: Vec<String> = $table::table.select($table::round_id).distinct().load(conn)?;
            found.extend(ids.into_iter().map(|id| (stringify!($table), id)));
        )+};
    }
    of!(initiatives, participants, memberships, log_entries, log_subtrees, ballots, private_texts);
    found.sort();
    Ok(found)
}
