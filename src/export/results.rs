//! Results: the shape that the API, `handslag tally` and `handslag export` share, byte for byte.

use num_bigint::BigInt;
use serde::Serialize;

use super::family::FamilyMembers;
pub use super::result_table::{csv, csvw};
use super::{Link, Links, decimal};
use crate::domain::{Slate, State};
use crate::service::Query;
use crate::service::groups::GroupKey;
use crate::service::ledger::Ledger;
use crate::service::results::{Answer, GroupTally, NoTally, Tally, Used};
use crate::tally::portfolio::Constraints;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    eligible: Option<u64>,
    counted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_weight: Option<String>,
    share: Option<String>,
    synthetic_ballots: u64,
    cut: usize,
    standings: Vec<StandingView>,
    ties: Vec<TieView>,
    #[serde(flatten)]
    family: FamilyMembers,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupView>>,
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
#[serde(rename_all = "camelCase")]
struct ParametersUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    draws: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    must: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    either_or: Vec<[String; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requires: Vec<[String; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetUsed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
}

#[derive(Debug, Serialize)]
struct BudgetUsed {
    limit: String,
    costs: Vec<CostUsed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CostUsed {
    initiative_id: String,
    cost: String,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    listed_weight: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank_weights: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TieView {
    initiative_ids: Vec<String>,
    resolved_by: Option<&'static str>,
    tie_matters: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    group: String,
    eligible: u64,
    counted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_weight: Option<String>,
    share: Option<String>,
    withheld: bool,
    refusal: Option<RefusalView>,
    standings: Vec<StandingView>,
    ties: Vec<TieView>,
    #[serde(flatten)]
    family: FamilyMembers,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusalView {
    code: &'static str,
    detail_sv: String,
    detail_en: String,
}

/// The document of a count without a round.
pub fn document(slate: &Slate, answer: &Answer, rule_set: Option<String>) -> ResultDocument {
    let tally = &answer.tally;
    let (standings, ties) = views(slate, tally);
    ResultDocument {
        round_id: None,
        status: "provisional",
        sequence: None,
        as_of: None,
        rule: RuleUsed {
            id: tally.rule.id(),
            rule_set: rule_set.map(|id| rule_set_used(&id, tally)),
            parameters: parameters(slate, &tally.used),
        },
        group: tally.group.as_ref().map(GroupKey::written),
        eligible: tally.eligible,
        counted: tally.counted,
        counted_weight: tally.weighted.as_ref().map(|weighted| weighted.counted.to_string()),
        share: tally.eligible.map(|eligible| share(tally.counted, eligible).to_string()),
        synthetic_ballots: 0,
        cut: tally.cut,
        standings,
        ties,
        family: FamilyMembers::of(slate, tally),
        group_by: answer.groups.as_ref().map(|groups| groups.column.clone()),
        groups: answer
            .groups
            .as_ref()
            .map(|groups| groups.groups.iter().map(|group| group_view(slate, group)).collect()),
        log_head: None,
        links: Vec::new(),
    }
}

/// The rule set that counted: other weights make another one.
pub(super) fn rule_set_used(id: &str, tally: &Tally) -> String {
    match &tally.used.weights {
        Some(weights) => format!("{id}+weights={weights}"),
        None => id.to_owned(),
    }
}

/// The document of a count of a round.
pub fn of_round(ledger: &Ledger, answer: &Answer, links: &Links, query: &Query) -> ResultDocument {
    let round = &ledger.round;
    let address = address(ledger, links, &[&query.written()]);
    let own_rule = query.get("rule").is_none_or(|rule| *rule == round.definition.rule);
    let is_own = query.is_plain() && own_rule;
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
        eligible: Some(answer.tally.eligible.unwrap_or(0)),
        share: Some(share(answer.tally.counted, answer.tally.eligible.unwrap_or(0)).to_string()),
        synthetic_ballots: ledger.synthetic,
        log_head: Some(round.head.to_string()),
        links: vec![
            Link::get("self", address),
            Link::get("round", links.round(&round.id)),
            Link::get("participation", links.of_state(&round.id, "participation", &[])),
            Link::get("rule", links.to(&format!("/rules/{}", answer.tally.rule.id()))),
        ],
        ..document(&ledger.slate, answer, Some(round.rule_set()))
    }
}

/// The address of a result with these parameters, of which some may be empty.
pub fn address(ledger: &Ledger, links: &Links, parameters: &[&str]) -> String {
    links.of_state(&ledger.round.id, "results", parameters)
}

fn parameters(slate: &Slate, used: &Used) -> ParametersUsed {
    let id = |c: usize| slate.initiatives()[c].id.to_string();
    let texts = |fractions: &Vec<Fraction>| fractions.iter().map(ToString::to_string).collect();
    let pairs = |pairs: &[(usize, usize)]| pairs.iter().map(|&(a, b)| [id(a), id(b)]).collect();
    let Constraints { must, exclude, either_or, requires, budget } = &used.constraints;
    ParametersUsed {
        points: used.points.as_ref().map(texts),
        picks: used.picks,
        ladder: used.ladder.as_ref().map(|steps| steps.iter().copied().map(Step::id).collect()),
        strength: used.strength.map(crate::tally::pairwise::Strength::id),
        draws: used.draws.map(crate::tally::pairwise::copeland::Draws::id),
        seats: used.seats,
        method: used.method.map(crate::tally::rounds::Transfer::id),
        must: must.iter().map(|&c| id(c)).collect(),
        exclude: exclude.iter().map(|&c| id(c)).collect(),
        either_or: pairs(either_or),
        requires: pairs(requires),
        budget: budget.as_ref().map(|budget| BudgetUsed {
            limit: budget.limit.to_string(),
            costs: budget
                .costs
                .iter()
                .enumerate()
                .map(|(c, cost)| CostUsed { initiative_id: id(c), cost: cost.to_string() })
                .collect(),
        }),
        weights: used.weights.clone(),
    }
}

fn views(slate: &Slate, tally: &Tally) -> (Vec<StandingView>, Vec<TieView>) {
    let standings = tally.outcome.standings.iter().map(|standing| view(slate, tally, standing));
    let id = |c: usize| slate.initiatives()[c].id.to_string();
    let ties = tally.outcome.ties.iter().map(|tie| TieView {
        initiative_ids: tie.candidates.iter().map(|&c| id(c)).collect(),
        resolved_by: tie.resolved_by.map(Step::id),
        tie_matters: tie.matters,
    });
    (standings.collect(), ties.collect())
}

fn group_view(slate: &Slate, group: &GroupTally) -> GroupView {
    let empty = GroupView {
        group: group.key.written(),
        eligible: group.eligible,
        counted: None,
        counted_weight: None,
        share: None,
        withheld: false,
        refusal: None,
        standings: Vec::new(),
        ties: Vec::new(),
        family: FamilyMembers::default(),
    };
    match &group.tally {
        Ok(tally) => {
            let (standings, ties) = views(slate, tally);
            GroupView {
                counted: Some(tally.counted),
                counted_weight: tally.weighted.as_ref().map(|weighted| weighted.counted.to_string()),
                share: Some(share(tally.counted, group.eligible).to_string()),
                standings,
                ties,
                family: FamilyMembers::of(slate, tally),
                ..empty
            }
        }
        Err(NoTally::Withheld) => GroupView { withheld: true, ..empty },
        Err(NoTally::Refused(fault)) => GroupView {
            refusal: Some(RefusalView {
                code: fault.code,
                detail_sv: fault.detail.sv.clone(),
                detail_en: fault.detail.en.clone(),
            }),
            ..empty
        },
    }
}

fn view(slate: &Slate, tally: &Tally, standing: &Standing) -> StandingView {
    let c = standing.candidate;
    let weighted = tally.weighted.as_ref();
    StandingView {
        rank: standing.rank,
        resolved_rank: standing.resolved_rank,
        initiative_id: slate.initiatives()[c].id.to_string(),
        score: standing.score.as_ref().map(ToString::to_string),
        score_decimal: standing.score.as_ref().map(decimal),
        listed: tally.listed[c],
        listed_share: share(tally.listed[c], tally.counted).to_string(),
        rank_counts: tally.rank_counts[c].clone(),
        listed_weight: weighted.map(|weighted| weighted.listed[c].to_string()),
        rank_weights: weighted
            .map(|weighted| weighted.rank_weights[c].iter().map(ToString::to_string).collect()),
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
