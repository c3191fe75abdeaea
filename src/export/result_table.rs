//! The table of a result: one row an initiative, in resolved order; with groups, so for each of them.

use serde_json::json;

use super::csvw::{self, Column};
use super::results::{address, rule_set_used, share};
use super::{Cell, Dialect, Language, Links, Table};
use crate::domain::{Initiative, Slate};
use crate::service::Query;
use crate::service::ledger::Ledger;
use crate::service::results::{Answer, GroupTally, Tally};
use crate::tally::{Detail, Fraction, Standing};

/// What a row is made of.
struct Row<'a> {
    group: Option<&'a GroupTally>,
    tally: &'a Tally,
    standing: &'a Standing,
    initiative: &'a Initiative,
    language: Language,
}

/// In which tables a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Groups,
    Weights,
    Portfolios,
}

/// What stands in a column.
#[derive(Clone, Copy)]
enum Content {
    One(fn(&Row<'_>, &Table) -> Cell),
    /// A column for each rank; the rank follows the name and the heading.
    EachRank(fn(&Row<'_>, usize) -> Cell),
}
use Content::{EachRank, One};

/// A column: the one list for the table itself and for its description.
struct Field {
    of: Of,
    name: &'static str,
    /// What Excel's reader sees.
    heading: &'static str,
    datatype: &'static str,
    /// Whether cells may be empty.
    is_optional: bool,
    sv: &'static str,
    en: &'static str,
    content: Content,
}

static FIELDS: [Field; 14] = [
    Field {
        of: Of::Groups,
        name: "group",
        heading: "Grupp",
        datatype: "string",
        is_optional: false,
        sv: "Gruppen, kolumn:värde; utan värde de som inget har",
        en: "The group, column:value; without a value those that have none",
        content: One(|row, _| row.group.map_or(Cell::EMPTY, |group| Cell::Code(group.key.written()))),
    },
    Field {
        of: Of::Groups,
        name: "eligible",
        heading: "Antal i gruppen",
        datatype: "integer",
        is_optional: false,
        sv: "Antal i gruppen",
        en: "How many the group has",
        content: One(|row, _| row.group.map_or(Cell::EMPTY, |group| Cell::number(group.eligible))),
    },
    Field {
        of: Of::Groups,
        name: "counted",
        heading: "Antal räknade",
        datatype: "integer",
        is_optional: false,
        sv: "Antal räknade i gruppen",
        en: "How many of the group are counted",
        content: One(|row, _| Cell::number(row.tally.counted)),
    },
    Field {
        of: Of::All,
        name: "rank",
        heading: "Placering",
        datatype: "integer",
        is_optional: false,
        sv: "Placering före stegen för lika",
        en: "Standard competition rank before the tie ladder",
        content: One(|row, _| Cell::number(row.standing.rank)),
    },
    Field {
        of: Of::All,
        name: "resolvedRank",
        heading: "Avgjord placering",
        datatype: "integer",
        is_optional: false,
        sv: "Placering efter stegen för lika",
        en: "Rank after the tie ladder",
        content: One(|row, _| Cell::number(row.standing.resolved_rank)),
    },
    Field {
        of: Of::All,
        name: "initiativeId",
        heading: "Initiativ-id",
        datatype: "string",
        is_optional: false,
        sv: "Initiativets id",
        en: "Id of the initiative",
        content: One(|row, _| Cell::Code(row.initiative.id.to_string())),
    },
    Field {
        of: Of::All,
        name: "title",
        heading: "Titel",
        datatype: "string",
        is_optional: false,
        sv: "Initiativets titel",
        en: "Title of the initiative",
        content: One(|row, _| Cell::Text(row.language.of(&row.initiative.title).to_owned())),
    },
    Field {
        of: Of::All,
        name: "score",
        heading: "Poäng",
        datatype: "string",
        is_optional: true,
        sv: "Exakt poäng: heltal eller bråk; tomt där regeln inte ger någon",
        en: "Exact score: a whole number or a fraction; empty where the rule gives none",
        content: One(|row, table| score(row, |score| table.fraction(score))),
    },
    Field {
        of: Of::All,
        name: "scoreDecimal",
        heading: "Poäng (decimal)",
        datatype: "decimal",
        is_optional: true,
        sv: "Poängen avrundad till sex decimaler",
        en: "The score rounded to six decimals",
        content: One(|row, table| score(row, |score| table.decimal(score))),
    },
    Field {
        of: Of::All,
        name: "listed",
        heading: "Antal som valt",
        datatype: "integer",
        is_optional: false,
        sv: "Antal som valt initiativet",
        en: "How many picked the initiative",
        content: One(|row, _| Cell::number(row.tally.listed[row.standing.candidate])),
    },
    Field {
        of: Of::All,
        name: "listedShare",
        heading: "Andel som valt",
        datatype: "string",
        is_optional: false,
        sv: "Andel av de räknade, som bråk",
        en: "Share of those counted, as a fraction",
        content: One(|row, table| {
            table.fraction(&share(row.tally.listed[row.standing.candidate], row.tally.counted))
        }),
    },
    Field {
        of: Of::All,
        name: "rank",
        heading: "Plats",
        datatype: "integer",
        is_optional: false,
        sv: "Antal som satt det på platsen",
        en: "How many put it at this rank",
        content: EachRank(|row, rank| Cell::number(row.tally.rank_counts[row.standing.candidate][rank])),
    },
    Field {
        of: Of::Weights,
        name: "listedWeight",
        heading: "Vikt som valt",
        datatype: "string",
        is_optional: false,
        sv: "Vikten hos dem som valt initiativet, exakt",
        en: "The weight of those who picked the initiative, exact",
        content: One(|row, table| {
            let weighted = row.tally.weighted.as_ref();
            weighted.map_or(Cell::EMPTY, |weighted| table.fraction(&weighted.listed[row.standing.candidate]))
        }),
    },
    Field {
        of: Of::Portfolios,
        name: "selected",
        heading: "Med i portföljen",
        datatype: "boolean",
        is_optional: true,
        sv: "Om initiativet är med i portföljen; tomt om ingen är utsedd",
        en: "Whether the initiative is in the portfolio; empty if none is published",
        content: One(|row, _| {
            let Detail::Portfolio(portfolio) = &row.tally.outcome.detail else { return Cell::EMPTY };
            let selected = portfolio.selected.as_ref();
            selected.map_or(Cell::EMPTY, |members| Cell::number(members.contains(&row.standing.candidate)))
        }),
    },
];

fn score(row: &Row<'_>, written: impl Fn(&Fraction) -> Cell) -> Cell {
    row.standing.score.as_ref().map_or(Cell::EMPTY, written)
}

/// A column of one table: a field and, of a column for each rank, the rank from 0.
struct Place {
    field: &'static Field,
    rank: Option<usize>,
}

impl Place {
    fn name(&self) -> String {
        self.numbered(self.field.name, "")
    }

    fn heading(&self) -> String {
        self.numbered(self.field.heading, " ")
    }

    fn numbered(&self, text: &str, joint: &str) -> String {
        match self.rank {
            None => text.to_owned(),
            Some(rank) => format!("{text}{joint}{}", rank + 1),
        }
    }

    fn column(&self) -> Column {
        let Field { datatype, sv, en, is_optional, .. } = *self.field;
        let column = Column::new(self.name(), datatype, sv, en);
        if is_optional { column.optional() } else { column }
    }

    fn cell(&self, row: &Row<'_>, table: &Table) -> Cell {
        match (self.field.content, self.rank) {
            (One(cell), _) => cell(row, table),
            (EachRank(cell), rank) => cell(row, rank.unwrap_or_default()),
        }
    }
}

/// The columns of an answer's table.
fn places(answer: &Answer) -> Vec<Place> {
    let tally = &answer.tally;
    let ranks = tally.rank_counts.first().map_or(0, Vec::len);
    let stands = |field: &&'static Field| match field.of {
        Of::All => true,
        Of::Groups => answer.groups.is_some(),
        Of::Weights => tally.weighted.is_some(),
        Of::Portfolios => matches!(tally.outcome.detail, Detail::Portfolio(_)),
    };
    let fields = FIELDS.iter().filter(stands);
    let places = fields.flat_map(|field| match field.content {
        One(_) => vec![Place { field, rank: None }],
        EachRank(_) => (0..ranks).map(|rank| Place { field, rank: Some(rank) }).collect(),
    });
    places.collect()
}

/// What the columns of a count's table mean.
pub fn csvw(ledger: &Ledger, answer: &Answer, links: &Links, query: &Query, language: Language) -> Vec<u8> {
    let lang = language.pick("", "lang=en");
    let table = address(ledger, links, &["format=csv", &query.written(), lang]);
    let columns: Vec<Column> = places(answer).iter().map(Place::column).collect();
    let round = &ledger.round;
    let tally = &answer.tally;
    let notes = json!({
        "roundId": round.id.as_str(), "rule": tally.rule.id(),
        "ruleSet": rule_set_used(&round.rule_set(), tally),
        "sequence": round.sequence, "eligible": tally.eligible, "counted": tally.counted,
        "syntheticBallots": ledger.synthetic, "logHead": round.head.to_string(),
    });
    let title = language.of(&round.definition.title);
    let key: &[&str] = if answer.groups.is_some() { &["group", "initiativeId"] } else { &["initiativeId"] };
    csvw::metadata(&table, title, &columns, key, &notes)
}

/// The table. A group without figures has no rows: they would read as zeros.
pub fn csv<'a>(slate: &Slate, answer: &'a Answer, dialect: Dialect, language: Language) -> Vec<u8> {
    let places = places(answer);
    let headings: Vec<(String, String)> =
        places.iter().map(|place| (place.name(), place.heading())).collect();
    let mut table = Table::new(dialect, headings.iter().map(|(name, heading)| (&**name, &**heading)));
    let tallies: Vec<(Option<&GroupTally>, &Tally)> = match &answer.groups {
        None => vec![(None, &answer.tally)],
        Some(groups) => {
            let told = |group: &'a GroupTally| Some((Some(group), group.tally.as_ref().ok()?));
            groups.groups.iter().filter_map(told).collect()
        }
    };
    for (group, tally) in tallies {
        for standing in &tally.outcome.standings {
            let initiative = &slate.initiatives()[standing.candidate];
            let row = Row { group, tally, standing, initiative, language };
            let cells: Vec<Cell> = places.iter().map(|place| place.cell(&row, &table)).collect();
            table.row(cells);
        }
    }
    table.finish()
}
