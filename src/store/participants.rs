//! The roll of a round: participants and the groups they belong to.

use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::{memberships, participants};
use super::{Conn, Error, ROWS_A_STATEMENT, each_backend, number, parsed, stored};
use crate::domain::{Membership, Participant, Roll, RoundId};

#[derive(Queryable, Insertable)]
#[diesel(table_name = participants, treat_none_as_default_value = false)]
struct Row {
    round_id: String,
    code: String,
    name: String,
    population: Option<i32>,
    weight: String,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = memberships, treat_none_as_default_value = false)]
struct MembershipRow {
    round_id: String,
    participant_code: String,
    position: i32,
    column_name: String,
    value: String,
}

/// Replaces the roll of a round.
pub fn replace(conn: &mut Conn, round: &RoundId, roll: &Roll) -> Result<(), Error> {
    diesel::delete(memberships::table.filter(memberships::round_id.eq(round.as_str()))).execute(conn)?;
    diesel::delete(participants::table.filter(participants::round_id.eq(round.as_str()))).execute(conn)?;
    let rows: Vec<Row> = roll.participants().iter().map(|participant| row(round, participant)).collect();
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        each_backend!(conn, |c| diesel::insert_into(participants::table).values(rows).execute(c))?;
    }
    let rows: Vec<MembershipRow> =
        roll.participants().iter().flat_map(|participant| membership_rows(round, participant)).collect();
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        each_backend!(conn, |c| diesel::insert_into(memberships::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// The roll of a round.
pub fn load(conn: &mut Conn, round: &RoundId) -> Result<Roll, Error> {
    let rows: Vec<Row> = participants::table.filter(participants::round_id.eq(round.as_str())).load(conn)?;
    let memberships: Vec<MembershipRow> = memberships::table
        .filter(memberships::round_id.eq(round.as_str()))
        .order(memberships::position)
        .load(conn)?;
    let mut groups: HashMap<String, Vec<Membership>> = HashMap::new();
    for row in memberships {
        let group = Membership { column: row.column_name, value: row.value };
        groups.entry(row.participant_code).or_default().push(group);
    }
    let participant = |row: Row| {
        Ok(Participant {
            groups: groups.remove(&row.code).unwrap_or_default(),
            code: parsed("participants", "code", &row.code)?,
            name: row.name,
            population: row.population.map(|n| number("participants", "population", n)).transpose()?,
            weight: parsed("participants", "weight", &row.weight)?,
        })
    };
    Ok(Roll::new(rows.into_iter().map(participant).collect::<Result<_, Error>>()?))
}

fn row(round: &RoundId, participant: &Participant) -> Row {
    Row {
        round_id: round.to_string(),
        code: participant.code.to_string(),
        name: participant.name.clone(),
        population: participant.population.map(stored),
        weight: participant.weight.to_string(),
    }
}

fn membership_rows(round: &RoundId, participant: &Participant) -> impl Iterator<Item = MembershipRow> {
    (0..).zip(&participant.groups).map(|(position, group)| MembershipRow {
        round_id: round.to_string(),
        participant_code: participant.code.to_string(),
        position,
        column_name: group.column.clone(),
        value: group.value.clone(),
    })
}
