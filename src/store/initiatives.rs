//! The initiatives of a round.

use diesel::prelude::*;

use super::schema::initiatives;
use super::{Conn, Error, each_backend, number, parsed};
use crate::domain::{Initiative, RoundId, Slate, Titles};

#[derive(Queryable, Insertable)]
#[diesel(table_name = initiatives, treat_none_as_default_value = false)]
struct Row {
    round_id: String,
    id: String,
    number: i32,
    title_sv: String,
    title_en: String,
    area: Option<String>,
    owner: Option<String>,
    status: String,
    source: Option<String>,
}

/// Replaces the initiatives of a round.
pub fn replace(conn: &mut Conn, round: &RoundId, slate: &Slate) -> Result<(), Error> {
    diesel::delete(initiatives::table.filter(initiatives::round_id.eq(round.as_str()))).execute(conn)?;
    let rows: Vec<Row> = slate.initiatives().iter().map(|initiative| row(round, initiative)).collect();
    if !rows.is_empty() {
        each_backend!(conn, |c| diesel::insert_into(initiatives::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// The initiatives of a round.
pub fn load(conn: &mut Conn, round: &RoundId) -> Result<Slate, Error> {
    let rows: Vec<Row> = initiatives::table.filter(initiatives::round_id.eq(round.as_str())).load(conn)?;
    Ok(Slate::new(rows.into_iter().map(initiative).collect::<Result<_, _>>()?))
}

fn row(round: &RoundId, initiative: &Initiative) -> Row {
    Row {
        round_id: round.to_string(),
        id: initiative.id.to_string(),
        number: initiative.number.into(),
        title_sv: initiative.title.sv.clone(),
        title_en: initiative.title.en.clone(),
        area: initiative.area.clone(),
        owner: initiative.owner.clone(),
        status: initiative.status.id().to_owned(),
        source: initiative.source.clone(),
    }
}

fn initiative(row: Row) -> Result<Initiative, Error> {
    Ok(Initiative {
        id: parsed("initiatives", "id", &row.id)?,
        number: number("initiatives", "number", row.number)?,
        title: Titles { sv: row.title_sv, en: row.title_en },
        area: row.area,
        owner: row.owner,
        status: parsed("initiatives", "status", &row.status)?,
        source: row.source,
    })
}
