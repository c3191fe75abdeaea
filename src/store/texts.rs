//! References and comments, which lie apart from the log so that they can be erased.

use std::fmt;
use std::str::FromStr;

use diesel::prelude::*;

use super::schema::private_texts;
use super::{Conn, Error, ROWS_A_STATEMENT, each_backend, number, parsed, stored};
use crate::domain::{PrivateText, RoundId, Sequence};

/// Which text of a ballot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The participant's own reference.
    Reference,
    /// The participant's comment.
    Comment,
}

impl Field {
    const fn id(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Comment => "comment",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Field {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Reference, Self::Comment].into_iter().find(|field| field.id() == text).ok_or(())
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = private_texts, treat_none_as_default_value = false)]
struct Row {
    round_id: String,
    sequence: i64,
    field: String,
    salt: String,
    text: String,
}

/// A text with its place.
pub type Placed = (Sequence, Field, PrivateText);

/// Stores the texts of new log entries.
pub fn insert(conn: &mut Conn, round: &RoundId, texts: &[Placed]) -> Result<(), Error> {
    let row = |(sequence, field, text): &Placed| Row {
        round_id: round.to_string(),
        sequence: stored(*sequence),
        field: field.id().to_owned(),
        salt: text.salt.clone(),
        text: text.text.clone(),
    };
    let rows: Vec<Row> = texts.iter().map(row).collect();
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        each_backend!(conn, |c| diesel::insert_into(private_texts::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// The texts of these log entries that have not been erased.
pub fn load(conn: &mut Conn, round: &RoundId, sequences: &[Sequence]) -> Result<Vec<Placed>, Error> {
    let mut texts = Vec::new();
    for sequences in sequences.chunks(ROWS_A_STATEMENT) {
        let sequences: Vec<i64> = sequences.iter().copied().map(stored).collect();
        let rows: Vec<Row> = private_texts::table
            .filter(private_texts::round_id.eq(round.as_str()))
            .filter(private_texts::sequence.eq_any(sequences))
            .load(conn)?;
        for row in rows {
            texts.push(placed(row)?);
        }
    }
    Ok(texts)
}

/// The texts that have not been erased of the entries after a sequence and up to another, in the order of the log.
pub fn between(
    conn: &mut Conn,
    round: &RoundId,
    after: Sequence,
    last: Sequence,
) -> Result<Vec<Placed>, Error> {
    let rows: Vec<Row> = private_texts::table
        .filter(private_texts::round_id.eq(round.as_str()))
        .filter(private_texts::sequence.gt(stored::<u64, i64>(after)))
        .filter(private_texts::sequence.le(stored::<u64, i64>(last)))
        .order(private_texts::sequence)
        .load(conn)?;
    rows.into_iter().map(placed).collect()
}

fn placed(row: Row) -> Result<Placed, Error> {
    let text = PrivateText { text: row.text, salt: row.salt };
    let field = parsed("private_texts", "field", &row.field)?;
    Ok((number("private_texts", "sequence", row.sequence)?, field, text))
}
