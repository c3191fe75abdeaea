//! Results: the shape that the API, `handslag tally` and `handslag export` share, byte for byte.

use num_bigint::BigInt;
use serde::Serialize;
use serde_json::json;

use super::csvw::{self, Column};
use super::{Cell, Dialect, Language, Link, Links, Table, decimal};
use crate::domain::{Slate, State};
use crate::service::ledger::Ledger;
use crate::service::results::{Query, Tally};
use crate::tally::{Fraction, Standing, Step};

/// A result document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultDocument {
    round_id: Option<String>,
    status: &'static str,
    sequence: Option<u64>,
    as_of: Option<String>,
    rule: RuleUsed,
    eligible: Option<u64>,
    counted: u64,
    share: Option<String>,
    synthetic_ballots: u64,
    cut: usize,
    standings: Vec<StandingView>,
    ties: Vec<TieView>,
    log_head: Option<String>,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleUsed {
    id: String,
    rule_set: Option<String>,
    parameters: ParametersUsed,
}

#[derive(Debug, Serialize)]
struct ParametersUsed {
    points: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<Vec<&'static str>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StandingView {
    rank: usize,
    resolved_rank: usize,
    initiative_id: String,
    score: Option<String>,
    score_decimal: Option<f64>,
    listed: u64,
    listed_share: String,
    rank_counts: Vec<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TieView {
    initiative_ids: Vec<String>,
    resolved_by: Option<&'static str>,
    tie_matters: bool,
}

/// Where a tally comes from: what a result document says besides the count.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Id of the rule set; another than the round's own when parameters were changed.
    pub rule_set: Option<String>,
}

/// The document of a tally without a round.
pub fn document(slate: &Slate, tally: &Tally, provenance: Provenance) -> ResultDocument {
    ResultDocument {
        round_id: None,
        status: "provisional",
        sequence: None,
        as_of: None,
        rule: RuleUsed {
            id: tally.rule.id(),
            rule_set: provenance.rule_set,
            parameters: ParametersUsed {
                points: tally.points.iter().map(ToString::to_string).collect(),
                picks: tally.picks,
                ladder: tally.ladder.as_ref().map(|steps| steps.iter().copied().map(Step::id).collect()),
            },
        },
        eligible: None,
        counted: tally.counted,
        share: None,
        synthetic_ballots: 0,
        cut: tally.cut,
        standings: tally.outcome.standings.iter().map(|standing| view(slate, tally, standing)).collect(),
        ties: tally
            .outcome
            .ties
            .iter()
            .map(|tie| TieView {
                initiative_ids: tie
                    .candidates
                    .iter()
                    .map(|&c| slate.initiatives()[c].id.to_string())
                    .collect(),
                resolved_by: tie.resolved_by.map(Step::id),
                tie_matters: tie.matters,
            })
            .collect(),
        log_head: None,
        links: Vec::new(),
    }
}

/// The document of a tally of a round.
pub fn of_round(ledger: &Ledger, tally: &Tally, links: &Links, query: &Query) -> ResultDocument {
    let round = &ledger.round;
    let eligible = ledger.roll.len() as u64;
    let address = address(ledger, links, &[&query.written()]);
    let own_rule = query.rule.as_ref().is_none_or(|rule| *rule == round.definition.rule);
    let is_own = *query == Query { rule: query.rule.clone(), ..Query::default() } && own_rule;
    ResultDocument {
        round_id: Some(round.id.to_string()),
        // What was certified is the count by the round's own rule set; any other is a what-if.
        status: match round.state {
            State::Certified if is_own => "certified",
            State::Corrected if is_own => "corrected",
            State::Draft | State::Open | State::Closed | State::Certified | State::Corrected => "provisional",
        },
        sequence: Some(round.sequence),
        as_of: round.last_at.map(|at| at.to_string()),
        eligible: Some(eligible),
        share: Some(share(tally.counted, eligible).to_string()),
        synthetic_ballots: ledger.synthetic,
        log_head: Some(round.head.to_string()),
        links: vec![
            Link::get("self", address),
            Link::get("round", links.round(&round.id)),
            Link::get("participation", links.of_round(&round.id, "participation")),
            Link::get("rule", links.to(&format!("/rules/{}", tally.rule.id()))),
        ],
        ..document(&ledger.slate, tally, Provenance { rule_set: Some(round.rule_set()) })
    }
}

/// The address of a result with these parameters, of which some may be empty.
pub fn address(ledger: &Ledger, links: &Links, parameters: &[&str]) -> String {
    let address = links.of_round(&ledger.round.id, "results");
    let parameters: Vec<&str> = parameters.iter().copied().filter(|pair| !pair.is_empty()).collect();
    if parameters.is_empty() { address } else { format!("{address}?{}", parameters.join("&")) }
}

/// What the columns of a tally's table mean.
pub fn csvw(ledger: &Ledger, tally: &Tally, links: &Links, query: &Query, language: Language) -> Vec<u8> {
    let lang = language.pick("", "lang=en");
    let table = address(ledger, links, &["format=csv", &query.written(), lang]);
    let ranks = tally.rank_counts.first().map_or(0, Vec::len);
    let mut columns = vec![
        Column::new(
            "rank",
            "integer",
            "Placering före stegen för lika",
            "Standard competition rank before the tie ladder",
        ),
        Column::new(
            "resolvedRank",
            "integer",
            "Placering efter stegen för lika",
            "Rank after the tie ladder",
        ),
        Column::new("initiativeId", "string", "Initiativets id", "Id of the initiative"),
        Column::new("title", "string", "Initiativets titel", "Title of the initiative"),
        Column::new(
            "score",
            "string",
            "Exakt poäng: heltal eller bråk",
            "Exact score: a whole number or a fraction",
        )
        .optional(),
        Column::new(
            "scoreDecimal",
            "decimal",
            "Poängen avrundad till sex decimaler",
            "The score rounded to six decimals",
        )
        .optional(),
        Column::new("listed", "integer", "Antal som valt initiativet", "How many picked the initiative"),
        Column::new(
            "listedShare",
            "string",
            "Andel av de räknade, som bråk",
            "Share of those counted, as a fraction",
        ),
    ];
    columns.extend((1..=ranks).map(|rank| {
        Column::new(
            format!("rank{rank}"),
            "integer",
            "Antal som satt det på platsen",
            "How many put it at this rank",
        )
    }));
    let round = &ledger.round;
    let notes = json!({
        "roundId": round.id.as_str(), "rule": tally.rule.id(), "ruleSet": round.rule_set(),
        "sequence": round.sequence, "eligible": ledger.roll.len(), "counted": tally.counted,
        "syntheticBallots": ledger.synthetic, "logHead": round.head.to_string(),
    });
    let title = language.of(&round.definition.title);
    csvw::metadata(&table, title, &columns, &["initiativeId"], &notes)
}

fn view(slate: &Slate, tally: &Tally, standing: &Standing) -> StandingView {
    let c = standing.candidate;
    StandingView {
        rank: standing.rank,
        resolved_rank: standing.resolved_rank,
        initiative_id: slate.initiatives()[c].id.to_string(),
        score: standing.score.as_ref().map(ToString::to_string),
        score_decimal: standing.score.as_ref().map(decimal),
        listed: tally.listed[c],
        listed_share: share(tally.listed[c], tally.counted).to_string(),
        rank_counts: tally.rank_counts[c].clone(),
    }
}

/// A share in lowest terms; of nothing it is nothing.
pub(super) fn share(part: u64, whole: u64) -> Fraction {
    Fraction::new(BigInt::from(part), BigInt::from(whole.max(1)))
}

/// The document as JSON, as every way out writes it.
pub fn json(document: &ResultDocument) -> Vec<u8> {
    serde_json::to_vec(document).expect("a document of texts and numbers")
}

/// The table of a tally: one row an initiative, in resolved order.
pub fn csv(slate: &Slate, tally: &Tally, dialect: Dialect, language: Language) -> Vec<u8> {
    let ranks = tally.rank_counts.first().map_or(0, Vec::len);
    let names: Vec<(String, String)> =
        (1..=ranks).map(|rank| (format!("rank{rank}"), format!("Plats {rank}"))).collect();
    let headings = [
        ("rank", "Placering"),
        ("resolvedRank", "Avgjord placering"),
        ("initiativeId", "Initiativ-id"),
        ("title", "Titel"),
        ("score", "Poäng"),
        ("scoreDecimal", "Poäng (decimal)"),
        ("listed", "Antal som valt"),
        ("listedShare", "Andel som valt"),
    ];
    let ranks = names.iter().map(|(name, heading)| (&**name, &**heading));
    let mut table = Table::new(dialect, headings.into_iter().chain(ranks));
    for standing in &tally.outcome.standings {
        let c = standing.candidate;
        let initiative = &slate.initiatives()[c];
        let listed = tally.listed[c];
        let mut row = vec![
            Cell::number(standing.rank),
            Cell::number(standing.resolved_rank),
            Cell::Code(initiative.id.to_string()),
            Cell::Text(language.of(&initiative.title).to_owned()),
            standing.score.as_ref().map_or(Cell::EMPTY, |score| table.fraction(score)),
            standing.score.as_ref().map_or(Cell::EMPTY, |score| table.decimal(decimal(score))),
            Cell::number(listed),
            table.fraction(&share(listed, tally.counted)),
        ];
        row.extend(tally.rank_counts[c].iter().map(Cell::number));
        table.row(row);
    }
    table.finish()
}
