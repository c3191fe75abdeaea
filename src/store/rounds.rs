//! Rounds: their definition, and the row that a batch of writes takes first and gives back last.

use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Integer, Nullable, Text, Timestamp, Untyped};

use super::schema::rounds;
use super::{Conn, Error, each_backend, number, parsed, stored};
use crate::domain::{Bounds, Definition, Hash, Instant, Round, RoundId, Sequence, Titles};

#[derive(Clone, Queryable, Insertable, AsChangeset, PartialEq)]
#[diesel(table_name = rounds, treat_none_as_null = true)]
struct Row {
    id: String,
    title_sv: String,
    title_en: String,
    participant_kind: String,
    opens_at: NaiveDateTime,
    closes_at: NaiveDateTime,
    picks_min: i32,
    picks_max: i32,
    rule: String,
    points: String,
    cut: i32,
    visibility: String,
    ballot_book: String,
    require_condition: bool,
    ladder: String,
    lot: Option<String>,
    lot_source: Option<String>,
    synthetic: bool,
    state: String,
    opened_at: Option<NaiveDateTime>,
    closed_at: Option<NaiveDateTime>,
    sequence: i64,
    head: String,
    last_at: Option<NaiveDateTime>,
    revision: i32,
    first_closes_at: NaiveDateTime,
}

/// Stores a new round; says whether the id was free.
pub fn insert(conn: &mut Conn, round: &Round) -> Result<bool, Error> {
    match diesel::insert_into(rounds::table).values(row(round)).execute(conn) {
        Ok(_) => Ok(true),
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// The round of this id.
pub fn find(conn: &mut Conn, id: &RoundId) -> Result<Option<Round>, Error> {
    let found: Option<Row> = rounds::table.find(id.as_str()).first(conn).optional()?;
    found.map(round).transpose()
}

/// The round of this id, if its row is in the very form in which this program writes it.
///
/// # Errors
/// [`Error::Corrupt`] if a value only means the same as what is written.
pub fn find_exact(conn: &mut Conn, id: &RoundId) -> Result<Option<Round>, Error> {
    let Some(stored) = rounds::table.find(id.as_str()).first::<Row>(conn).optional()? else {
        return Ok(None);
    };
    let found = round(stored.clone())?;
    if row(&found) == stored {
        return Ok(Some(found));
    }
    Err(Error::Corrupt { table: "rounds", what: "value in an unusual form", value: id.to_string() })
}

/// The ids of every round, as they are stored.
pub fn ids(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let mut ids: Vec<String> = rounds::table.select(rounds::id).load(conn)?;
    ids.sort();
    Ok(ids)
}

/// Every round.
pub fn all(conn: &mut Conn) -> Result<Vec<Round>, Error> {
    rounds::table.load::<Row>(conn)?.into_iter().map(round).collect()
}

/// How far each round has come.
pub fn marks(conn: &mut Conn) -> Result<Vec<(RoundId, Mark)>, Error> {
    type Found = (String, i64, String, Option<NaiveDateTime>, i32);
    let columns = (rounds::id, rounds::sequence, rounds::head, rounds::last_at, rounds::revision);
    let found: Vec<Found> = rounds::table.select(columns).load(conn)?;
    let mark = |(id, sequence, head, last_at, revision): Found| {
        Ok((parsed("rounds", "id", &id)?, Mark::new(sequence, &head, last_at, revision)?))
    };
    found.into_iter().map(mark).collect()
}

/// How far a round has come, as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of its newest log entry.
    pub sequence: Sequence,
    /// The hash of its newest log entry.
    pub head: Hash,
    /// When its newest log entry was accepted.
    pub last_at: Option<Instant>,
    /// Counts the changes of its definition.
    pub revision: u32,
}

impl Mark {
    fn new(sequence: i64, head: &str, last_at: Option<NaiveDateTime>, revision: i32) -> Result<Self, Error> {
        Ok(Self {
            sequence: number("rounds", "sequence", sequence)?,
            head: parsed("rounds", "hash", head)?,
            last_at: last_at.map(Instant::from),
            revision: number("rounds", "revision", revision)?,
        })
    }
}

/// What [`claim`] finds, and on PostgreSQL the time.
#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = Text)]
    head: String,
    #[diesel(sql_type = Nullable<Timestamp>)]
    last_at: Option<NaiveDateTime>,
    #[diesel(sql_type = Integer)]
    revision: i32,
    #[diesel(sql_type = Nullable<Timestamp>)]
    now: Option<NaiveDateTime>,
}

/// Takes the round's row for this transaction, and reads how far it has come; with the database's own time, where
/// several processes share it. The first statement of every write to a round: on PostgreSQL it waits for whoever holds
/// the row, and the time is read when it is held; on SQLite the transaction has the lock already.
pub fn claim(conn: &mut Conn, id: &RoundId) -> Result<Option<(Mark, Option<Instant>)>, Error> {
    let found: Option<Claimed> = match conn {
        Conn::Postgres(conn) => Claim { id: id.as_str() }.get_result(conn).optional()?,
        Conn::Sqlite(conn) => {
            let columns = (rounds::sequence, rounds::head, rounds::last_at, rounds::revision);
            let row: Option<(i64, String, Option<NaiveDateTime>, i32)> =
                rounds::table.find(id.as_str()).select(columns).get_result(conn).optional()?;
            row.map(|(sequence, head, last_at, revision)| Claimed {
                sequence,
                head,
                last_at,
                revision,
                now: None,
            })
        }
    };
    let Some(Claimed { sequence, head, last_at, revision, now }) = found else { return Ok(None) };
    let mark = Mark::new(sequence, &head, last_at, revision)?;
    Ok(Some((mark, now.map(Instant::from))))
}

/// Gives the row back with what the round has become by ballots alone.
pub fn advance(conn: &mut Conn, round: &Round) -> Result<(), Error> {
    let advance = Advance {
        sequence: stored(round.sequence),
        head: round.head.to_string(),
        last_at: round.last_at.map(Instant::naive),
        id: round.id.as_str(),
    };
    each_backend!(conn, |c| advance.execute(c))?;
    Ok(())
}

/// The statement of [`claim`] on PostgreSQL. Written out, since diesel prepares every update that it builds anew.
struct Claim<'a> {
    id: &'a str,
}

impl QueryId for Claim<'_> {
    type QueryId = Claim<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Claim<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE rounds SET sequence = sequence WHERE id = ");
        out.push_bind_param::<Text, _>(&self.id)?;
        out.push_sql(
            " RETURNING sequence, head, last_at, revision, clock_timestamp() AT TIME ZONE 'UTC' AS now",
        );
        Ok(())
    }
}

impl Query for Claim<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Claim<'_> {}

/// The statement of [`advance`], written out for the same reason: it is part of every batch of ballots.
struct Advance<'a> {
    sequence: i64,
    head: String,
    last_at: Option<NaiveDateTime>,
    id: &'a str,
}

impl QueryId for Advance<'_> {
    type QueryId = Advance<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB: Backend> QueryFragment<DB> for Advance<'_>
where
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
    NaiveDateTime: ToSql<Timestamp, DB>,
    DB: HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Timestamp>,
    String: ToSql<Text, DB>,
    for<'s> &'s str: ToSql<Text, DB>,
    Option<NaiveDateTime>: ToSql<Nullable<Timestamp>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE rounds SET sequence = ");
        out.push_bind_param::<BigInt, _>(&self.sequence)?;
        out.push_sql(", head = ");
        out.push_bind_param::<Text, _>(&self.head)?;
        out.push_sql(", last_at = ");
        out.push_bind_param::<Nullable<Timestamp>, _>(&self.last_at)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(&self.id)?;
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for Advance<'_> {}

/// Gives the row back with what the round has become.
pub fn update(conn: &mut Conn, round: &Round) -> Result<(), Error> {
    diesel::update(rounds::table.find(round.id.as_str())).set(row(round)).execute(conn)?;
    Ok(())
}

fn row(round: &Round) -> Row {
    let Round { definition: d, .. } = round;
    let words = |words: Vec<String>| words.join(" ");
    Row {
        id: round.id.to_string(),
        title_sv: d.title.sv.clone(),
        title_en: d.title.en.clone(),
        participant_kind: d.kind.to_string(),
        opens_at: d.opens_at.naive(),
        closes_at: d.closes_at.naive(),
        picks_min: stored(d.picks.min),
        picks_max: stored(d.picks.max),
        rule: d.rule.clone(),
        points: words(d.points.iter().map(ToString::to_string).collect()),
        cut: stored(d.cut),
        visibility: d.visibility.to_string(),
        ballot_book: d.ballot_book.to_string(),
        require_condition: d.require_condition,
        ladder: words(d.ladder.iter().map(ToString::to_string).collect()),
        lot: d.lot.as_ref().map(|lot| words(lot.iter().map(ToString::to_string).collect())),
        lot_source: d.lot_source.clone(),
        synthetic: d.synthetic,
        state: round.state.to_string(),
        opened_at: round.opened_at.map(Instant::naive),
        closed_at: round.closed_at.map(Instant::naive),
        sequence: stored(round.sequence),
        head: round.head.to_string(),
        last_at: round.last_at.map(Instant::naive),
        revision: stored(round.revision),
        first_closes_at: round.first_closes_at.naive(),
    }
}

fn round(row: Row) -> Result<Round, Error> {
    fn words<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<Vec<T>, Error> {
        text.split_whitespace().map(|word| parsed("rounds", what, word)).collect()
    }
    Ok(Round {
        id: parsed("rounds", "id", &row.id)?,
        definition: Definition {
            title: Titles { sv: row.title_sv, en: row.title_en },
            kind: parsed("rounds", "participant kind", &row.participant_kind)?,
            opens_at: row.opens_at.into(),
            closes_at: row.closes_at.into(),
            picks: Bounds {
                min: number("rounds", "number of picks", row.picks_min)?,
                max: number("rounds", "number of picks", row.picks_max)?,
            },
            rule: row.rule,
            points: words("points", &row.points)?,
            cut: number("rounds", "cut", row.cut)?,
            visibility: parsed("rounds", "visibility", &row.visibility)?,
            ballot_book: parsed("rounds", "ballot book", &row.ballot_book)?,
            require_condition: row.require_condition,
            ladder: words("ladder", &row.ladder)?,
            lot: row.lot.map(|lot| words("lot", &lot)).transpose()?,
            lot_source: row.lot_source,
            synthetic: row.synthetic,
        },
        first_closes_at: row.first_closes_at.into(),
        state: parsed("rounds", "state", &row.state)?,
        opened_at: row.opened_at.map(Instant::from),
        closed_at: row.closed_at.map(Instant::from),
        sequence: number("rounds", "sequence", row.sequence)?,
        head: parsed("rounds", "hash", &row.head)?,
        last_at: row.last_at.map(Instant::from),
        revision: number("rounds", "revision", row.revision)?,
    })
}
