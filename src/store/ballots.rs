//! The ballots that count now: the latest revision of each participant, one row each.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::schema::ballots;
use super::{Conn, Error, ROWS_A_STATEMENT, number, parsed, stored};
use crate::domain::{Instant, ParticipantCode, Ranking, RoundId, Sequence};

/// The latest revision of a participant's ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The revision.
    pub revision: u32,
    /// Its number in the log.
    pub sequence: Sequence,
    /// The ranking; none when it was withdrawn.
    pub ranking: Option<Ranking>,
    /// Since when the participant has had a ballot without a break; none when it was withdrawn.
    pub answered_at: Option<Instant>,
    /// Whether it was made up for a demonstration.
    pub synthetic: bool,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = ballots, treat_none_as_default_value = false)]
struct Row {
    round_id: String,
    participant_code: String,
    revision: i32,
    sequence: i64,
    ranking: Option<String>,
    answered_at: Option<NaiveDateTime>,
    synthetic: bool,
}

/// Puts these in the place of the participants' earlier ones. Each participant stands at most once.
pub fn upsert<'a>(
    conn: &mut Conn,
    round: &RoundId,
    ballots: impl Iterator<Item = (&'a ParticipantCode, &'a Current)>,
) -> Result<(), Error> {
    let row = |(participant, current): (&ParticipantCode, &Current)| Row {
        round_id: round.to_string(),
        participant_code: participant.to_string(),
        revision: stored(current.revision),
        sequence: stored(current.sequence),
        ranking: current.ranking.as_ref().map(ToString::to_string),
        answered_at: current.answered_at.map(Instant::naive),
        synthetic: current.synthetic,
    };
    let rows: Vec<Row> = ballots.map(row).collect();
    match conn {
        Conn::Postgres(conn) => {
            for rows in rows.chunks(ROWS_A_STATEMENT) {
                diesel::insert_into(ballots::table)
                    .values(rows)
                    .on_conflict((ballots::round_id, ballots::participant_code))
                    .do_update()
                    .set((
                        ballots::revision.eq(excluded(ballots::revision)),
                        ballots::sequence.eq(excluded(ballots::sequence)),
                        ballots::ranking.eq(excluded(ballots::ranking)),
                        ballots::answered_at.eq(excluded(ballots::answered_at)),
                        ballots::synthetic.eq(excluded(ballots::synthetic)),
                    ))
                    .execute(conn)?;
            }
        }
        // The same by a statement that diesel keeps prepared; it prepares an upsert anew for each row.
        Conn::Sqlite(conn) => {
            for row in &rows {
                diesel::replace_into(ballots::table).values(row).execute(conn)?;
            }
        }
    }
    Ok(())
}

/// The latest revision of every participant that ever submitted.
pub fn load(conn: &mut Conn, round: &RoundId) -> Result<Vec<(ParticipantCode, Current)>, Error> {
    let rows: Vec<Row> = ballots::table.filter(ballots::round_id.eq(round.as_str())).load(conn)?;
    let current = |row: Row| {
        let ranking: Option<Ranking> =
            row.ranking.as_deref().map(|ranking| parsed("ballots", "ranking", ranking)).transpose()?;
        if ranking.as_ref().map(ToString::to_string) != row.ranking {
            let value = row.ranking.unwrap_or_default();
            return Err(Error::Corrupt { table: "ballots", what: "ranking", value });
        }
        let current = Current {
            revision: number("ballots", "revision", row.revision)?,
            sequence: number("ballots", "sequence", row.sequence)?,
            ranking,
            answered_at: row.answered_at.map(Instant::from),
            synthetic: row.synthetic,
        };
        Ok((parsed("ballots", "participant code", &row.participant_code)?, current))
    };
    rows.into_iter().map(current).collect()
}
