//! The audit trail: append-only, but that the oldest entries may go once a checkpoint covers them. The databases refuse
//! everything else too.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::schema::{audit_chain, audit_entries};
use super::{Conn, Error, Store, insert_each, number, parsed, stored};
use crate::domain::Hash;
use crate::domain::audit::{AuditColumns, AuditEntry, AuditFilter};

#[derive(Queryable, Insertable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
struct Row {
    sequence: i64,
    at: NaiveDateTime,
    operation: String,
    outcome: String,
    client: Option<String>,
    target_id: Option<String>,
    organisation: Option<String>,
    round_id: Option<String>,
    participant_code: Option<String>,
    covers: Option<i64>,
    event: String,
    hash: String,
}

/// How far the chain has come: the number and the hash of its newest entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number; 0 before the first.
    pub sequence: u64,
    /// The hash; zeros before the first.
    pub head: Hash,
}

impl Store {
    /// A connection for whoever keeps the trail. On SQLite what it commits reaches the disk with the next ballot, or soon
    /// after: to see to that itself it would hold everybody's lock meanwhile. A kill loses nothing, a power cut the last.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn connect_for_audit(&self) -> Result<Conn, Error> {
        use diesel::connection::SimpleConnection;
        let mut conn = self.connect()?;
        if let Conn::Sqlite(_) = &conn {
            // While it waits for another process, and while it brings the log into the database, it holds the turn of
            // the ballots' writer, which does the latter itself where it writes at all.
            conn.batch_execute(
                "PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000; PRAGMA wal_autocheckpoint = 8000",
            )?;
        }
        Ok(conn)
    }
}

/// How many entries one transaction is to append of so many that wait. On SQLite ballots wait for its end: few, unless
/// there are so many that they would never come to an end.
pub fn at_once(conn: &Conn, waiting: usize) -> usize {
    let most = match conn {
        Conn::Postgres(_) => 1_000,
        Conn::Sqlite(_) => (waiting / 16).clamp(64, 1_000),
    };
    waiting.min(most)
}

/// Takes the chain for this transaction: the first statement of every append.
pub fn claim(conn: &mut Conn) -> Result<Mark, Error> {
    #[derive(QueryableByName)]
    struct Claimed {
        #[diesel(sql_type = BigInt)]
        sequence: i64,
        #[diesel(sql_type = Text)]
        head: String,
    }
    let Conn::Postgres(postgres) = conn else { return mark(conn) };
    // Waits for whoever holds the row.
    let claim =
        diesel::sql_query("UPDATE audit_chain SET sequence = sequence WHERE id = 1 RETURNING sequence, head");
    let Claimed { sequence, head } = claim.get_result(postgres)?;
    of_row((sequence, head))
}

/// How far the chain has come.
pub fn mark(conn: &mut Conn) -> Result<Mark, Error> {
    let row: (i64, String) =
        audit_chain::table.find(1).select((audit_chain::sequence, audit_chain::head)).first(conn)?;
    of_row(row)
}

fn of_row((sequence, head): (i64, String)) -> Result<Mark, Error> {
    Ok(Mark {
        sequence: number("audit_chain", "sequence", sequence)?,
        head: parsed("audit_chain", "hash", &head)?,
    })
}

/// Appends entries that follow on the chain, which this transaction holds.
pub fn append(conn: &mut Conn, entries: Vec<AuditEntry>) -> Result<(), Error> {
    let Some(last) = entries.last() else { return Ok(()) };
    let (sequence, head) = (stored::<u64, i64>(last.sequence), last.hash.to_string());
    let rows: Vec<Row> = entries.into_iter().map(row).collect();
    insert_each!(conn, &rows, |row| diesel::insert_into(audit_entries::table).values(row));
    diesel::update(audit_chain::table.find(1))
        .set((audit_chain::sequence.eq(sequence), audit_chain::head.eq(head)))
        .execute(conn)?;
    Ok(())
}

/// The hash of an entry.
pub fn hash_at(conn: &mut Conn, sequence: u64) -> Result<Option<Hash>, Error> {
    let found: Option<String> = audit_entries::table
        .find(stored::<u64, i64>(sequence))
        .select(audit_entries::hash)
        .first(conn)
        .optional()?;
    found.map(|hash| parsed("audit_entries", "hash", &hash)).transpose()
}

/// The entries after a sequence that a filter lets through, in order, at most so many after leaving some out.
pub fn find(
    conn: &mut Conn,
    filter: &AuditFilter,
    after: u64,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditEntry>, Error> {
    let rows: Vec<Row> = filtered(filter)
        .filter(audit_entries::sequence.gt(stored::<u64, i64>(after)))
        .order(audit_entries::sequence)
        .offset(offset)
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(entry).collect()
}

/// How many entries a filter lets through.
pub fn count(conn: &mut Conn, filter: &AuditFilter) -> Result<u64, Error> {
    let count: i64 = filtered(filter).count().get_result(conn)?;
    number("audit_entries", "count", count)
}

/// The newest number such that this entry and all before it are older than a moment; none if there is none.
pub fn older(conn: &mut Conn, moment: NaiveDateTime) -> Result<Option<u64>, Error> {
    let kept: Option<i64> = audit_entries::table
        .filter(audit_entries::at.ge(moment))
        .select(diesel::dsl::min(audit_entries::sequence))
        .first(conn)?;
    let last: Option<i64> =
        audit_entries::table.select(diesel::dsl::max(audit_entries::sequence)).first(conn)?;
    let through = kept.map(|kept| kept - 1).or(last);
    let first = first(conn)?;
    let through = through.map(|through| number("audit_entries", "sequence", through)).transpose()?;
    Ok(through.filter(|through: &u64| first.is_some_and(|first| first <= *through)))
}

/// The number of the oldest entry.
pub fn first(conn: &mut Conn) -> Result<Option<u64>, Error> {
    let first: Option<i64> =
        audit_entries::table.select(diesel::dsl::min(audit_entries::sequence)).first(conn)?;
    first.map(|first| number("audit_entries", "sequence", first)).transpose()
}

/// The checkpoint that covers the entries up to this number and no more.
pub fn checkpoint(conn: &mut Conn, through: u64) -> Result<Option<AuditEntry>, Error> {
    let row: Option<Row> = audit_entries::table
        .filter(audit_entries::covers.eq(stored::<u64, i64>(through)))
        .order(audit_entries::sequence.desc())
        .first(conn)
        .optional()?;
    row.map(entry).transpose()
}

/// Removes the entries up to this number, which a checkpoint must cover.
pub fn remove(conn: &mut Conn, through: u64) -> Result<(), Error> {
    diesel::delete(audit_entries::table.filter(audit_entries::sequence.le(stored::<u64, i64>(through))))
        .execute(conn)?;
    Ok(())
}

type Filtered<'a> =
    diesel::helper_types::IntoBoxed<'a, audit_entries::table, <Conn as diesel::Connection>::Backend>;

fn filtered(filter: &AuditFilter) -> Filtered<'_> {
    let AuditFilter { from, to, operation, outcome, client, participant, round } = filter;
    let mut query: Filtered<'_> = audit_entries::table.into_boxed();
    if let Some(from) = from {
        query = query.filter(audit_entries::at.ge(from.naive()));
    }
    if let Some(to) = to {
        query = query.filter(audit_entries::at.lt(to.naive()));
    }
    if let Some(operation) = operation {
        query = query.filter(audit_entries::operation.eq(operation));
    }
    if let Some(outcome) = outcome {
        query = query.filter(audit_entries::outcome.eq(outcome));
    }
    if let Some(client) = client {
        query = query.filter(audit_entries::client.eq(client).or(audit_entries::target_id.eq(client)));
    }
    if let Some(round) = round {
        query = query.filter(audit_entries::round_id.eq(round));
    }
    if let Some(participant) = participant {
        let by = audit_entries::organisation.eq(participant);
        query = query.filter(by.or(audit_entries::participant_code.eq(participant)));
    }
    query
}

fn row(entry: AuditEntry) -> Row {
    let AuditEntry { sequence, columns, canonical, hash } = entry;
    Row {
        sequence: stored(sequence),
        at: columns.at.naive(),
        operation: columns.operation,
        outcome: columns.outcome,
        client: columns.client,
        target_id: columns.target,
        organisation: columns.organisation,
        round_id: columns.round,
        participant_code: columns.participant,
        covers: columns.covers.map(stored),
        event: canonical,
        hash: hash.to_string(),
    }
}

fn entry(row: Row) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        sequence: number("audit_entries", "sequence", row.sequence)?,
        columns: AuditColumns {
            at: row.at.into(),
            operation: row.operation,
            outcome: row.outcome,
            client: row.client,
            target: row.target_id,
            organisation: row.organisation,
            round: row.round_id,
            participant: row.participant_code,
            covers: row.covers.map(|covers| number("audit_entries", "covers", covers)).transpose()?,
        },
        canonical: row.event,
        hash: parsed("audit_entries", "hash", &row.hash)?,
    })
}
