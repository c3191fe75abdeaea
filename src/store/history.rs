//! What the log tells of a round as it was: always by an index, and never more of it than is needed.

use chrono::NaiveDateTime;
use diesel::dsl::{max, min, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::log::{Row, entry};
use super::schema::log_entries;
use super::{Conn, Error, ROWS_A_STATEMENT, number, parsed, stored};
use crate::domain::{Instant, LogEntry, ParticipantCode, RoundId, Sequence};

/// The entries up to a sequence that are no ballots, in order: few, and they have an index of their own.
pub fn other_than_ballots(conn: &mut Conn, round: &RoundId, until: Sequence) -> Result<Vec<LogEntry>, Error> {
    let rows: Vec<Row> = log_entries::table
        .filter(log_entries::round_id.eq(round.as_str()))
        .filter(log_entries::sequence.le(stored::<u64, i64>(until)))
        // As it stands in the index: with a bound value neither database could know that the index is enough.
        .filter(sql::<Bool>("kind <> 'ballot'"))
        .order(log_entries::sequence)
        .load(conn)?;
    rows.into_iter().map(entry).collect()
}

/// The first and the newest entry of each of these participants up to a sequence; nothing of those that have none.
pub fn spans(
    conn: &mut Conn,
    round: &RoundId,
    participants: &[&ParticipantCode],
    until: Sequence,
) -> Result<Vec<(ParticipantCode, Sequence, Sequence)>, Error> {
    type Span = (Option<String>, Option<i64>, Option<i64>);
    let mut spans = Vec::new();
    for participants in participants.chunks(ROWS_A_STATEMENT) {
        let rows: Vec<Span> = log_entries::table
            .filter(log_entries::round_id.eq(round.as_str()))
            .filter(log_entries::participant_code.eq_any(codes(participants)))
            .filter(log_entries::sequence.le(stored::<u64, i64>(until)))
            .group_by(log_entries::participant_code)
            .select((log_entries::participant_code, min(log_entries::sequence), max(log_entries::sequence)))
            .load(conn)?;
        for row in rows {
            let (Some(code), Some(first), Some(newest)) = row else { continue };
            spans.push((
                parsed("log_entries", "participant code", &code)?,
                number("log_entries", "sequence", first)?,
                number("log_entries", "sequence", newest)?,
            ));
        }
    }
    Ok(spans)
}

/// The sequences of all entries of these participants after one sequence and up to another, in no order: to put them
/// in order, SQLite would rather read the whole log than the index.
pub fn sequences(
    conn: &mut Conn,
    round: &RoundId,
    participants: &[&ParticipantCode],
    after: Sequence,
    until: Sequence,
) -> Result<Vec<(ParticipantCode, Sequence)>, Error> {
    let mut found = Vec::new();
    for participants in participants.chunks(ROWS_A_STATEMENT) {
        let rows: Vec<(Option<String>, i64)> = log_entries::table
            .filter(log_entries::round_id.eq(round.as_str()))
            .filter(log_entries::participant_code.eq_any(codes(participants)))
            .filter(log_entries::sequence.gt(stored::<u64, i64>(after)))
            .filter(log_entries::sequence.le(stored::<u64, i64>(until)))
            .select((log_entries::participant_code, log_entries::sequence))
            .load(conn)?;
        for (code, sequence) in rows {
            let Some(code) = code else { continue };
            found.push((
                parsed("log_entries", "participant code", &code)?,
                number("log_entries", "sequence", sequence)?,
            ));
        }
    }
    Ok(found)
}

/// When the entries of these sequences were accepted.
pub fn times(
    conn: &mut Conn,
    round: &RoundId,
    sequences: &[Sequence],
) -> Result<Vec<(Sequence, Instant)>, Error> {
    let mut times = Vec::new();
    for sequences in sequences.chunks(ROWS_A_STATEMENT) {
        let sequences: Vec<i64> = sequences.iter().copied().map(stored).collect();
        let rows: Vec<(i64, NaiveDateTime)> = log_entries::table
            .filter(log_entries::round_id.eq(round.as_str()))
            .filter(log_entries::sequence.eq_any(sequences))
            .select((log_entries::sequence, log_entries::at))
            .load(conn)?;
        for (sequence, at) in rows {
            times.push((number("log_entries", "sequence", sequence)?, at.into()));
        }
    }
    Ok(times)
}

fn codes<'a>(participants: &[&'a ParticipantCode]) -> Vec<&'a str> {
    participants.iter().map(|code| code.as_str()).collect()
}
