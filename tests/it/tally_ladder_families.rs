//! The ladder where it chooses among whole orders and portfolios, and where a count cannot go on without it.
//!
//! A tie that names another step than the one that was needed, or a count that chooses without any, fails here.

use handslag::tally::Step::{EarlierCount, FirstPlaces, HeadToHead, Listed, Lot};
use handslag::tally::{Detail, Ladder, Outcome, Parameters, Refusal, Rule, Step, rules};

use crate::paper::Paper;

/// ABC, BAC and BCA agree best with these. B is listed twice, A and C once; A is first once.
const THREE_ORDERS: Paper = Paper { candidates: "ABC", picks: 3, ballots: "AB BC" };

/// AB, BC and BF are equally good for `pav`; A is listed five times, C and F four times; F is first more often.
const NINE: Paper = Paper { candidates: "ABCDEF", picks: 3, ballots: "DBF FDB BDC EAB EAB CAB FAC ECF ADB" };

/// Everybody beats one and loses to one, two to one.
const CIRCLE: Paper = Paper { candidates: "ABC", picks: 3, ballots: "ABC BCA CAB" };

/// C leaves, and A and B have two votes each, as they had before.
const TWO_AND_TWO: Paper = Paper { candidates: "ABC", picks: 2, ballots: "2*AB 2*BA C" };

/// C leaves, and A and B have three votes each; A had one more before.
const THREE_AND_TWO: Paper = Paper { candidates: "ABC", picks: 2, ballots: "3*AB 2*BA CB" };

fn count(
    paper: Paper,
    rule: &str,
    steps: &[Step],
    lot: Option<&str>,
    cut: usize,
) -> Result<Outcome, Refusal> {
    paper.count(rule, &Ladder { steps: steps.to_vec(), lot: lot.map(|lot| paper.lot(lot)) }, cut)
}

/// The tied, the step and whether the tie matters: `ABC by listed`, with `!` if it matters.
fn ties(paper: Paper, outcome: &Outcome) -> String {
    let tie = |tie: &handslag::tally::Tie| {
        let mark = if tie.matters { "!" } else { "" };
        let step = tie.resolved_by.map_or("nothing", Step::id);
        format!("{} by {step}{mark}", paper.words(std::slice::from_ref(&tie.candidates)))
    };
    outcome.ties.iter().map(tie).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check_order(steps: &[Step], lot: Option<&str>, expected: &str, tie: &str) {
    let outcome = count(THREE_ORDERS, "kemeny", steps, lot, 1).unwrap();
    assert_eq!(THREE_ORDERS.resolved(&outcome), expected, "{steps:?} {lot:?}");
    assert_eq!(ties(THREE_ORDERS, &outcome), tie, "{steps:?} {lot:?}");
    assert_eq!(THREE_ORDERS.order(&outcome), "A = B = C");
    let Detail::Pairwise(duels) = outcome.detail else { panic!("no duels") };
    let published = duels.orders.unwrap().published.map(|order| THREE_ORDERS.words(&[order]));
    assert_eq!(published.is_some(), !expected.contains('='), "{steps:?} {lot:?}");
}

#[test]
fn the_published_order_of_kemeny_is_the_first_by_the_ladder() {
    check_order(&[], None, "A = B = C", "ABC by nothing!");
    check_order(&[Listed], None, "B > A = C", "BAC by nothing!");
    check_order(&[Listed, FirstPlaces], None, "B > A > C", "BAC by first-places!");
    // B draws with A and beats C; A and C draw.
    check_order(&[HeadToHead, Listed], None, "B > A > C", "BAC by head-to-head!");
    check_order(&[Lot], Some("CAB"), "A > B > C", "ABC by lot!");
    check_order(&[Lot], Some("CBA"), "B > C > A", "BCA by lot!");
}

#[track_caller]
fn check_portfolio(rule: &str, steps: &[Step], lot: Option<&str>, expected: Option<&str>, tie: &str) {
    let outcome = count(NINE, rule, steps, lot, 2).unwrap();
    assert_eq!(ties(NINE, &outcome), tie, "{rule} {steps:?} {lot:?}");
    let Detail::Portfolio(portfolio) = outcome.detail else { panic!("no portfolio") };
    let selected = portfolio.selected.map(|selected| NINE.words(&[selected]));
    assert_eq!(selected.as_deref(), expected, "{rule} {steps:?} {lot:?}");
}

#[test]
fn the_published_portfolio_is_the_first_by_the_ladder() {
    check_portfolio("pav", &[], None, None, "ACF by nothing!");
    check_portfolio("pav", &[Listed], None, Some("BA"), "ACF by listed!");
    check_portfolio("pav", &[FirstPlaces], None, Some("FB"), "FAC by first-places!");
    check_portfolio("pav", &[Lot], Some("FEDCBA"), Some("FB"), "FCA by lot!");
    check_portfolio("pav", &[Lot], Some("CBAFDE"), Some("CB"), "CAF by lot!");
    // One portfolio is no tie.
    check_portfolio("sequential-phragmen", &[Listed], None, Some("BA"), "");
}

#[test]
fn what_the_rule_itself_decides_among_its_optima_is_no_step_of_the_ladder() {
    // BC and BF cover all nine and two of them twice; B and F have more points. Whatever the lot says.
    for (steps, lot) in [(&[][..], None), (&[Listed][..], None), (&[Lot][..], Some("CBAFDE"))] {
        let outcome = count(NINE, "coverage", steps, lot, 2).unwrap();
        assert_eq!(outcome.ties, [], "{steps:?}");
        let Detail::Portfolio(portfolio) = outcome.detail else { panic!("no portfolio") };
        let mut selected = portfolio.selected.unwrap();
        selected.sort_unstable();
        assert_eq!(NINE.words(&[selected]), "BF");
    }
}

#[track_caller]
fn check_elimination(paper: Paper, rule: &str, steps: &[Step], lot: Option<&str>, expected: (&str, Step)) {
    let outcome = count(paper, rule, steps, lot, 1).unwrap();
    let tie = &outcome.ties[outcome.ties.len() - 1];
    assert_eq!(tie.resolved_by, Some(expected.1), "{rule} {steps:?} {lot:?}");
    let in_it: Vec<Option<Step>> = match &outcome.detail {
        Detail::Runoff(runoff) => runoff.rounds.iter().map(|round| round.resolved_by).collect(),
        Detail::Stages(stages) => stages.stages.iter().map(|stage| stage.resolved_by).collect(),
        other => panic!("no rounds: {other:?}"),
    };
    assert_eq!(in_it.into_iter().flatten().collect::<Vec<_>>(), [expected.1], "{rule} {steps:?} {lot:?}");
    assert_eq!(paper.resolved(&outcome), expected.0, "{rule} {steps:?} {lot:?}");
}

#[test]
fn equals_who_might_leave_are_told_apart_by_the_step_that_is_named() {
    check_elimination(THREE_AND_TWO, "irv", &[EarlierCount, Lot], Some("BAC"), ("A > B > C", EarlierCount));
    check_elimination(THREE_AND_TWO, "irv", &[Lot], Some("BAC"), ("B > A > C", Lot));
    // B is listed six times, A five times.
    check_elimination(THREE_AND_TWO, "irv", &[Listed], None, ("B > A > C", Listed));
    check_elimination(TWO_AND_TWO, "irv", &[EarlierCount, Lot], Some("BAC"), ("B > A > C", Lot));
    // The Order knows the earlier stage and the lot, whatever else the ladder has.
    check_elimination(THREE_AND_TWO, "stv", &[Listed, Lot], Some("BAC"), ("A > B > C", EarlierCount));
    check_elimination(TWO_AND_TWO, "stv", &[Listed, Lot], Some("BAC"), ("B > A > C", Lot));
}

#[track_caller]
fn check_undecided(paper: Paper, rule: &str, steps: &[Step], lot: Option<&str>, tied: &str) {
    let mut names = paper.lot(tied);
    names.sort_unstable();
    let refused = count(paper, rule, steps, lot, 1).unwrap_err();
    assert_eq!(refused, Refusal::Undecided { tied: names }, "{rule} {steps:?} {lot:?}");
}

#[test]
fn a_count_that_would_have_to_choose_names_the_tied() {
    check_undecided(TWO_AND_TWO, "irv", &[], None, "AB");
    check_undecided(TWO_AND_TWO, "irv", &[EarlierCount, Listed, FirstPlaces, HeadToHead], None, "AB");
    // The step without a lot drawn.
    check_undecided(TWO_AND_TWO, "irv", &[Lot], None, "AB");
    check_undecided(TWO_AND_TWO, "stv", &[Lot], None, "AB");
    // Only the lot can stand behind the earlier stages: A is listed three times, B once.
    let listed = Paper { candidates: "ABC", picks: 2, ballots: "A B 2*CA" };
    check_undecided(listed, "stv", &[Listed], None, "AB");
    check_undecided(CIRCLE, "ranked-pairs", &[], None, "ABC");
    check_undecided(CIRCLE, "ranked-pairs", &[HeadToHead, Listed, FirstPlaces, Lot], None, "ABC");
    let outcome = count(CIRCLE, "ranked-pairs", &[Lot], Some("BCA"), 1).unwrap();
    assert_eq!(CIRCLE.order(&outcome), "B > C > A");
}

#[test]
fn with_a_lot_every_rule_tells_all_apart_but_those_elected_together() {
    for rule in rules(3) {
        for paper in [THREE_ORDERS, CIRCLE, THREE_AND_TWO, NINE] {
            let lot: Vec<usize> = (0..paper.candidates.len()).rev().collect();
            let ladder = Ladder { steps: rule.steps(&Step::ALL[1..]), lot: Some(lot) };
            let points = (rule.id() == "custom").then(|| crate::paper::fractions("3,2,1"));
            let points = points.map(|points| points[..paper.picks].to_vec());
            let parameters = Parameters { ladder, points, cut: 1, ..Parameters::default() };
            let Ok(outcome) = paper.count_with(&rule.id(), &parameters) else {
                assert_eq!((rule.id().as_str(), paper.picks), ("approval-3", 2));
                continue;
            };
            let mut ranks: Vec<usize> = outcome.standings.iter().map(|s| s.resolved_rank).collect();
            ranks.dedup();
            let is_set = rule.takes("seats") && rule.id() != "stv";
            assert_eq!(ranks.len(), if is_set { 2 } else { paper.candidates.len() }, "{rule:?} {paper:?}");
        }
    }
    assert_eq!(Rule::find("irv").unwrap().steps(&Step::ALL[1..])[0], EarlierCount);
}
