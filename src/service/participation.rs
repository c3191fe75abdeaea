//! Participation: who has answered, in total, by group and over time.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Europe::Stockholm;

use super::ledger::Ledger;
use crate::domain::Participant;

/// Figures of a group or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many are asked.
    pub eligible: u64,
    /// How many have a ballot that counts.
    pub answered: u64,
}

/// The figures of one value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The value; none for participants that have none in this column.
    pub value: Option<String>,
    /// Its figures.
    pub figures: Figures,
}

/// Participation in a round at one sequence.
#[derive(Clone, Debug)]
pub struct Participation {
    /// Of all.
    pub total: Figures,
    /// By column of the roll, each a partition of it.
    pub columns: Vec<(String, Vec<Group>)>,
    /// How many of those that have answered now had done so by the end of each Swedish day.
    pub over_time: Vec<(NaiveDate, u64)>,
}

/// Counts who has answered.
pub fn participation(ledger: &Ledger) -> Participation {
    let mut total = Figures::default();
    let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    let columns = ledger.roll.columns();
    let mut groups: Vec<BTreeMap<Option<&str>, Figures>> = vec![BTreeMap::new(); columns.len()];
    for (participant, current) in ledger.answers() {
        let answered = u64::from(current.is_some());
        total.eligible += 1;
        total.answered += answered;
        for (column, groups) in columns.iter().zip(&mut groups) {
            let figures = groups.entry(participant.group(column)).or_default();
            figures.eligible += 1;
            figures.answered += answered;
        }
        if let Some(since) = current.and_then(|current| current.answered_at) {
            *days.entry(since.utc().with_timezone(&Stockholm).date_naive()).or_default() += 1;
        }
    }
    let mut sum = 0;
    let over_time = days.into_iter().map(|(day, answered)| {
        sum += answered;
        (day, sum)
    });
    let group =
        |(value, figures): (Option<&str>, Figures)| Group { value: value.map(ToOwned::to_owned), figures };
    Participation {
        total,
        over_time: over_time.collect(),
        columns: columns
            .iter()
            .zip(groups)
            .map(|(column, groups)| {
                let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
                groups.sort_by_key(|group| in_order(group.value.as_deref()));
                ((*column).to_owned(), groups)
            })
            .collect(),
    }
}

/// The participants without a ballot that counts, in the roll's order.
pub fn missing(ledger: &Ledger) -> Vec<&Participant> {
    ledger.answers().filter(|(_, current)| current.is_none()).map(|(participant, _)| participant).collect()
}

/// Values that begin with a number stand by that number (`5000-9999` before `10000-14999`), others by text, none last.
fn in_order(value: Option<&str>) -> (bool, Option<u64>, Option<String>) {
    let digits = value.map(|value| value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    (value.is_none(), digits.and_then(|digits| digits.parse().ok()), value.map(ToOwned::to_owned))
}
