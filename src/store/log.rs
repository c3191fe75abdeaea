//! The ballot log: append-only. Nothing here changes or deletes an entry, and the databases refuse it too.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::log_entries;
use super::{Conn, Error, ROWS_A_STATEMENT, insert_each, number, parsed, stored};
use crate::domain::{Hash, LogEntry, ParticipantCode, RoundId, Sequence};

#[derive(Queryable, Insertable)]
#[diesel(table_name = log_entries, treat_none_as_default_value = false)]
pub(super) struct Row {
    round_id: String,
    sequence: i64,
    at: NaiveDateTime,
    kind: String,
    participant_code: Option<String>,
    revision: Option<i32>,
    event: String,
    hash: String,
}

/// Appends entries, whose sequences follow on the round's.
pub fn append(conn: &mut Conn, round: &RoundId, entries: &[LogEntry]) -> Result<(), Error> {
    let rows: Vec<Row> = entries.iter().map(|entry| row(round, entry)).collect();
    insert_each!(conn, &rows, |row| diesel::insert_into(log_entries::table).values(row));
    Ok(())
}

/// The entries after a sequence, in order, at most so many.
pub fn after(
    conn: &mut Conn,
    round: &RoundId,
    sequence: Sequence,
    limit: i64,
) -> Result<Vec<LogEntry>, Error> {
    let rows: Vec<Row> = log_entries::table
        .filter(log_entries::round_id.eq(round.as_str()))
        .filter(log_entries::sequence.gt(stored::<u64, i64>(sequence)))
        .order(log_entries::sequence)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(entry).collect()
}

/// The hashes of the entries from one index, their sequence less 1, up to, and without, another.
pub fn hashes(conn: &mut Conn, round: &RoundId, from: u64, until: u64) -> Result<Vec<Hash>, Error> {
    let hashes: Vec<String> = log_entries::table
        .filter(log_entries::round_id.eq(round.as_str()))
        .filter(log_entries::sequence.gt(stored::<u64, i64>(from)))
        .filter(log_entries::sequence.le(stored::<u64, i64>(until)))
        .order(log_entries::sequence)
        .select(log_entries::hash)
        .load(conn)?;
    hashes.iter().map(|hash| parsed("log_entries", "hash", hash)).collect()
}

/// The hash of the entry of a sequence.
pub fn hash_at(conn: &mut Conn, round: &RoundId, sequence: Sequence) -> Result<Option<Hash>, Error> {
    let index = sequence.saturating_sub(1);
    Ok(hashes(conn, round, index, sequence)?.pop())
}

/// The entries of these sequences, in order.
pub fn of_sequences(
    conn: &mut Conn,
    round: &RoundId,
    sequences: &[Sequence],
) -> Result<Vec<LogEntry>, Error> {
    let mut entries = Vec::new();
    for sequences in sequences.chunks(ROWS_A_STATEMENT) {
        let sequences: Vec<i64> = sequences.iter().copied().map(stored).collect();
        let rows: Vec<Row> = log_entries::table
            .filter(log_entries::round_id.eq(round.as_str()))
            .filter(log_entries::sequence.eq_any(sequences))
            .order(log_entries::sequence)
            .load(conn)?;
        entries.extend(rows.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(entries)
}

/// The entries of one participant, newest first: how many there are, and a page of them.
pub fn of_participant(
    conn: &mut Conn,
    round: &RoundId,
    participant: &ParticipantCode,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<LogEntry>), Error> {
    let total = log_entries::table
        .filter(log_entries::round_id.eq(round.as_str()))
        .filter(log_entries::participant_code.eq(participant.as_str()))
        .count()
        .get_result(conn)?;
    let rows: Vec<Row> = log_entries::table
        .filter(log_entries::round_id.eq(round.as_str()))
        .filter(log_entries::participant_code.eq(participant.as_str()))
        .order(log_entries::sequence.desc())
        .offset(offset)
        .limit(limit)
        .load(conn)?;
    Ok((total, rows.into_iter().map(entry).collect::<Result<_, _>>()?))
}

fn row(round: &RoundId, entry: &LogEntry) -> Row {
    Row {
        round_id: round.to_string(),
        sequence: stored(entry.sequence),
        at: entry.at.naive(),
        kind: entry.kind.clone(),
        participant_code: entry.participant.as_ref().map(ToString::to_string),
        revision: entry.revision.map(stored),
        event: entry.canonical.clone(),
        hash: entry.hash.to_string(),
    }
}

pub(super) fn entry(row: Row) -> Result<LogEntry, Error> {
    Ok(LogEntry {
        sequence: number("log_entries", "sequence", row.sequence)?,
        at: row.at.into(),
        kind: row.kind,
        participant: row
            .participant_code
            .map(|code| parsed("log_entries", "participant code", &code))
            .transpose()?,
        revision: row.revision.map(|n| number("log_entries", "revision", n)).transpose()?,
        canonical: row.event,
        hash: parsed("log_entries", "hash", &row.hash)?,
    })
}
