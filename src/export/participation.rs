//! Participation as a document and as tables.

use serde::Serialize;
use serde_json::json;

use super::csvw::{self, Column};
use super::results::share;
use super::{Cell, Dialect, Language, Link, Links, Meta, Page, Table, labels};
use crate::domain::{Participant, Titles};
use crate::service::ledger::Ledger;
use crate::service::participation::{Figures, Participation};

/// A participation document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParticipationDocument {
    round_id: String,
    sequence: u64,
    as_of: Option<String>,
    eligible: u64,
    answered: u64,
    share: String,
    synthetic_ballots: u64,
    groups: Vec<ColumnView>,
    over_time: Vec<DayView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<MissingView>>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ColumnView {
    column: String,
    title_sv: Option<&'static str>,
    title_en: Option<&'static str>,
    values: Vec<ValueView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueView {
    key: Option<String>,
    value: Option<String>,
    title_sv: Option<&'static str>,
    title_en: Option<&'static str>,
    eligible: u64,
    answered: u64,
    share: String,
}

#[derive(Debug, Serialize)]
struct DayView {
    date: String,
    answered: u64,
}

#[derive(Debug, Serialize)]
struct MissingView {
    code: String,
    name: String,
}

/// The document; `missing` and the page of them only for those who may see names.
pub fn document(
    ledger: &Ledger,
    participation: &Participation,
    missing: Option<(&[&Participant], Page)>,
    links: &Links,
) -> ParticipationDocument {
    let round = &ledger.round;
    let address = links.of_state(&round.id, "participation", &[]);
    let page = missing.map(|(missing, page)| (page.slice(missing), page, missing.len()));
    let mut all_links = page.map_or_else(
        || vec![Link::get("self", address.clone())],
        |(_, page, total)| page.links(&address, total),
    );
    all_links.push(Link::get("round", links.round(&round.id)));
    let Figures { eligible, answered } = participation.total;
    ParticipationDocument {
        round_id: round.id.to_string(),
        sequence: round.sequence,
        as_of: round.last_at.map(|at| at.to_string()),
        eligible,
        answered,
        share: share(answered, eligible).to_string(),
        synthetic_ballots: ledger.synthetic,
        groups: participation
            .columns
            .iter()
            .map(|(column, groups)| {
                let title = labels::column(column);
                ColumnView {
                    column: column.clone(),
                    title_sv: title.map(|title| &*title.sv),
                    title_en: title.map(|title| &*title.en),
                    values: groups
                        .iter()
                        .map(|group| value(column, group.value.as_deref(), group.figures))
                        .collect(),
                }
            })
            .collect(),
        over_time: participation
            .over_time
            .iter()
            .map(|(date, answered)| DayView { date: date.to_string(), answered: *answered })
            .collect(),
        missing: page.map(|(slice, ..)| {
            slice.iter().map(|p| MissingView { code: p.code.to_string(), name: p.name.clone() }).collect()
        }),
        meta: page.map(|(slice, page, total)| page.meta(total, slice.len())),
        links: all_links,
    }
}

fn value(column: &str, value: Option<&str>, figures: Figures) -> ValueView {
    let title: Option<&'static Titles> = value.and_then(|value| labels::value(column, value));
    ValueView {
        key: value.map(|value| format!("{column}:{value}")),
        value: value.map(ToOwned::to_owned),
        title_sv: title.map(|title| &*title.sv),
        title_en: title.map(|title| &*title.en),
        eligible: figures.eligible,
        answered: figures.answered,
        share: share(figures.answered, figures.eligible).to_string(),
    }
}

/// One row a group, of every column of the roll.
pub fn groups_csv(participation: &Participation, dialect: Dialect, language: Language) -> Vec<u8> {
    let headings = [
        ("column", "Indelning"),
        ("value", "Värde"),
        ("title", "Grupp"),
        ("eligible", "Tillfrågade"),
        ("answered", "Svarat"),
        ("share", "Andel"),
    ];
    let mut table = Table::new(dialect, headings);
    for (column, groups) in &participation.columns {
        for group in groups {
            let value = group.value.as_deref().unwrap_or_default();
            let Figures { eligible, answered } = group.figures;
            let title =
                labels::value(column, value).filter(|_| !value.is_empty()).map(|title| language.of(title));
            let column = match dialect {
                Dialect::Rfc4180 => column,
                Dialect::Excel => labels::column(column).map_or(&**column, |title| &*title.sv),
            };
            table.row([
                Cell::Text(column.to_owned()),
                Cell::Code(value.to_owned()),
                Cell::Text(title.unwrap_or_default().to_owned()),
                Cell::number(eligible),
                Cell::number(answered),
                table.fraction(&share(answered, eligible)),
            ]);
        }
    }
    table.finish()
}

/// Who is missing, with the groups they belong to.
pub fn missing_csv(ledger: &Ledger, missing: &[&Participant], dialect: Dialect) -> Vec<u8> {
    let columns = ledger.roll.columns();
    let heading =
        |column: &str| labels::column(column).map_or_else(|| column.to_owned(), |title| title.sv.clone());
    let names: Vec<(&str, String)> = columns.iter().map(|column| (*column, heading(column))).collect();
    let first = [("participantCode", "Kod"), ("name", "Namn")];
    let mut table =
        Table::new(dialect, first.into_iter().chain(names.iter().map(|(name, heading)| (*name, &**heading))));
    for participant in missing {
        let groups =
            columns.iter().map(|column| Cell::Code(participant.group(column).unwrap_or_default().to_owned()));
        let (code, name) = (Cell::Code(participant.code.to_string()), Cell::Text(participant.name.clone()));
        table.row([code, name].into_iter().chain(groups));
    }
    table.finish()
}

/// One row a day.
pub fn over_time_csv(participation: &Participation, dialect: Dialect) -> Vec<u8> {
    let mut table = Table::new(dialect, [("date", "Datum"), ("answered", "Svarat")]);
    for (date, answered) in &participation.over_time {
        table.row([Cell::number(date), Cell::number(answered)]);
    }
    table.finish()
}

/// Which table of participation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One row a group.
    Groups,
    /// One row a participant that has not answered.
    Missing,
    /// One row a day.
    OverTime,
}

impl View {
    /// The name in addresses.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Missing => "missing",
            Self::OverTime => "over-time",
        }
    }
}

/// What the columns of a table mean.
pub fn csvw(ledger: &Ledger, view: View, links: &Links, language: Language) -> Vec<u8> {
    let answered = || Column::new("answered", "integer", "Antal som svarat", "How many have answered");
    let (columns, key): (Vec<Column>, &[&str]) = match view {
        View::Groups => (
            vec![
                Column::new("column", "string", "Röstlängdens kolumn", "Column of the roll"),
                Column::new(
                    "value",
                    "string",
                    "Gruppens värde; tomt för ingen grupp",
                    "Value of the group; empty for none",
                )
                .optional(),
                Column::new("title", "string", "Gruppens namn", "Name of the group").optional(),
                Column::new("eligible", "integer", "Antal tillfrågade", "How many are asked"),
                answered(),
                Column::new("share", "string", "Andel som bråk", "Share as a fraction"),
            ],
            &["column", "value"],
        ),
        View::Missing => {
            let mut columns = vec![
                Column::new("participantCode", "string", "Deltagarens kod", "Code of the participant"),
                Column::new("name", "string", "Deltagarens namn", "Name of the participant"),
            ];
            columns.extend(ledger.roll.columns().into_iter().map(|column| {
                Column::new(column, "string", "Grupp i denna indelning", "Group in this column").optional()
            }));
            (columns, &["participantCode"])
        }
        View::OverTime => {
            (vec![Column::new("date", "date", "Svensk dag", "Swedish day"), answered()], &["date"])
        }
    };
    let round = &ledger.round;
    let (view, lang) = (format!("view={}", view.id()), language.pick("", "lang=en"));
    let address = links.of_state(&round.id, "participation", &["format=csv", &view, lang]);
    let notes = json!({ "roundId": round.id.as_str(), "sequence": round.sequence, "eligible": ledger.roll.len(),
        "syntheticBallots": ledger.synthetic });
    csvw::metadata(&address, language.of(&round.definition.title), &columns, key, &notes)
}
