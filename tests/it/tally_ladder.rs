//! Ties and the ladder: each step alone, splits that begin again at the first step, ties that stay,
//! and whether a tie crosses the cut.
//!
//! The profiles are made so that the steps disagree: with another order of steps, or without the new beginning
//! after a split, the expected order comes out differently.

use handslag::tally::Step::{FirstPlaces, HeadToHead, Listed, Lot};
use handslag::tally::{Detail, Ladder, Outcome, Step};

use crate::paper::Paper;

/// A and B have 3 points each: A by one first place, B by three third places.
const ONE_FIRST_OR_THREE_THIRDS: Paper = Paper { candidates: "ABCD", picks: 3, ballots: "A 3*CDB" };

/// A and B have 5 points and one first place each; A is listed three times, B twice but higher.
const SAME_FIRST_PLACES: Paper = Paper { candidates: "ABCD", picks: 3, ballots: "A B 2*CDA CB" };

/// Two first places for each of A, B and C, which beat each other in a circle; A is listed once more.
const CIRCLE: Paper = Paper { candidates: "ABCD", picks: 3, ballots: "2*ABC 2*BCA 2*CAB DA" };

/// All listed by all. A beats B and C, B beats C and D, C beats D, D beats A, each by two ballots.
const FOUR: Paper = Paper {
    candidates: "ABCD",
    picks: 4,
    ballots: "ABCD DCAB ACBD DBAC DABC CBDA BCAD DABC BDAC CABD CDAB BACD",
};

/// Counts and tells order, ranks and ties: `A > B; AB by listed`.
fn told(paper: Paper, rule: &str, steps: &[Step], lot: Option<&str>) -> String {
    let ladder = Ladder { steps: steps.to_vec(), lot: lot.map(|lot| paper.lot(lot)) };
    let outcome = paper.count(rule, &ladder, 1).unwrap();
    format!("{}; {}", paper.resolved(&outcome), ties(paper, &outcome))
}

fn ties(paper: Paper, outcome: &Outcome) -> String {
    let tie = |tie: &handslag::tally::Tie| {
        let names: String = tie.candidates.iter().map(|&c| paper.name(c)).collect();
        format!("{names} by {}", tie.resolved_by.map_or("nothing", Step::id))
    };
    outcome.ties.iter().map(tie).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(paper: Paper, rule: &str, steps: &[Step], lot: Option<&str>, expected: &str) {
    assert_eq!(told(paper, rule, steps, lot), expected, "{rule} {steps:?} {lot:?}");
}

#[test]
fn each_step_alone_has_its_own_answer() {
    let paper = ONE_FIRST_OR_THREE_THIRDS;
    check(paper, "linear", &[], None, "C > D > A = B; AB by nothing");
    check(paper, "linear", &[Listed], None, "C > D > B > A; BA by listed");
    check(paper, "linear", &[FirstPlaces], None, "C > D > A > B; AB by first-places");
    check(paper, "linear", &[HeadToHead], None, "C > D > B > A; BA by head-to-head");
    check(paper, "linear", &[Lot], Some("ABCD"), "C > D > A > B; AB by lot");
    check(paper, "linear", &[Lot], Some("DCBA"), "C > D > B > A; BA by lot");
}

#[test]
fn the_first_step_that_splits_decides() {
    let paper = ONE_FIRST_OR_THREE_THIRDS;
    check(paper, "linear", &Step::ALL, Some("ABCD"), "C > D > B > A; BA by listed");
    check(paper, "linear", &[FirstPlaces, Listed], None, "C > D > A > B; AB by first-places");
    check(paper, "linear", &[Lot, Listed], Some("ABCD"), "C > D > A > B; AB by lot");
}

#[test]
fn equal_first_places_are_followed_by_first_and_second_places() {
    check(SAME_FIRST_PLACES, "linear", &[FirstPlaces], None, "C > B > A > D; BA by first-places");
    check(SAME_FIRST_PLACES, "linear", &[Listed], None, "C > A > B > D; AB by listed");
    // A above B on A, CDA, CDA; B above A on B, CB.
    check(SAME_FIRST_PLACES, "linear", &[HeadToHead], None, "C > A > B > D; AB by head-to-head");
}

#[test]
fn a_part_begins_again_at_the_first_step() {
    // The circle is not split head to head, A leaves by being listed more, and then B beats C head to head.
    // Without the new beginning the lot would decide between B and C, the other way.
    let steps = [HeadToHead, Listed, Lot];
    check(CIRCLE, "approval-1", &steps, Some("DCBA"), "A > B > C > D; ABC by listed");
    check(CIRCLE, "approval-1", &[HeadToHead, Lot], Some("DCBA"), "C > B > A > D; CBA by lot");
}

#[test]
fn head_to_head_looks_at_the_tied_alone() {
    // Two wins for A and B, one for C and D; then A beats B and C beats D. The lot says the opposite.
    let steps = [Listed, HeadToHead, Lot];
    check(FOUR, "approval-4", &steps, Some("DCBA"), "A > B > C > D; ABCD by head-to-head");
}

#[test]
fn a_circle_that_nothing_splits_stays_a_tie() {
    check(CIRCLE, "approval-1", &[HeadToHead], None, "A = B = C > D; ABC by nothing");
    // The lot as a step without a lot drawn is no decision either.
    check(CIRCLE, "approval-1", &[HeadToHead, Lot], None, "A = B = C > D; ABC by nothing");
}

#[test]
fn a_tie_that_is_resolved_in_part_says_so() {
    check(CIRCLE, "approval-1", &[Listed], None, "A > B = C > D; ABC by nothing");
}

#[test]
fn the_lot_orders_only_what_is_tied() {
    let lot = Some("FEDCBA");
    let paper = Paper { candidates: "ABCDEF", picks: 1, ballots: "2*A 2*C E" };
    check(paper, "approval-1", &[Lot], lot, "C > A > E > F > D > B; CA by lot, FDB by lot");
}

#[test]
fn ranks_before_the_ladder_are_standard_competition_ranks() {
    let paper = Paper { candidates: "ABCD", picks: 1, ballots: "3*A 2*B 2*C D" };
    let outcome = paper.count("approval-1", &Ladder { lot: Some(vec![2, 1, 0, 3]), ..Ladder::default() }, 1);
    let outcome = outcome.unwrap();
    assert_eq!(paper.ranks(&outcome), "A1 B2 C2 D4");
    assert_eq!(paper.order(&outcome), "A > B = C > D");
    assert_eq!(paper.resolved(&outcome), "A > C > B > D");
    let resolved: Vec<usize> = outcome.standings.iter().map(|standing| standing.resolved_rank).collect();
    assert_eq!(resolved, [1, 2, 3, 4]);
}

#[test]
fn a_tie_matters_only_where_it_crosses_the_cut() {
    let paper = Paper { candidates: "ABCDEF", picks: 1, ballots: "2*A 2*B C D E" };
    let matters = |cut: usize| -> Vec<bool> {
        let outcome = paper.count("approval-1", &Ladder::default(), cut).unwrap();
        assert_eq!(paper.order(&outcome), "A = B > C = D = E > F");
        outcome.ties.iter().map(|tie| tie.matters).collect()
    };
    // The places are 1 and 2, then 3 to 5, then 6.
    assert_eq!(matters(1), [true, false]);
    assert_eq!(matters(2), [false, false]);
    assert_eq!(matters(3), [false, true]);
    assert_eq!(matters(4), [false, true]);
    assert_eq!(matters(5), [false, false]);
    assert_eq!(matters(6), [false, false]);
}

#[test]
fn a_tie_that_the_ladder_resolves_matters_all_the_same() {
    // Whether it crosses the cut is a matter of the rule; who wins it, of the ladder.
    let outcome = ONE_FIRST_OR_THREE_THIRDS.count("linear", &Ladder::default(), 3).unwrap();
    assert_eq!(outcome.ties.len(), 1);
    assert_eq!((outcome.ties[0].matters, outcome.ties[0].resolved_by), (true, Some(Listed)));
}

#[test]
fn of_all_orders_in_which_equals_are_selected_the_first_by_the_ladder_is_published() {
    // A and C are bought by the same ballot, whoever comes first; then B or D fills the last seat.
    let paper = Paper { candidates: "ABCD", picks: 2, ballots: "AC 2*-" };
    let selection = |rule: &str, lot: &str| {
        let ladder = Ladder { steps: vec![Lot], lot: Some(paper.lot(lot)) };
        let Detail::Portfolio(portfolio) = paper.count(rule, &ladder, 3).unwrap().detail else {
            panic!("no portfolio")
        };
        let order: Vec<usize> = portfolio.selection.iter().map(|step| step.candidate).collect();
        paper.words(&[order])
    };
    for rule in ["sequential-pav", "sequential-phragmen", "equal-shares"] {
        assert_eq!(["ABCD", "CBAD", "DCBA"].map(|lot| selection(rule, lot)), ["ACB", "CAB", "CAD"], "{rule}");
    }
}

#[test]
fn steps_have_their_published_ids() {
    let ids: Vec<&str> = Step::ALL.iter().map(|step| step.id()).collect();
    assert_eq!(ids, ["earlier-count", "listed", "first-places", "head-to-head", "lot"]);
    assert!(Step::ALL.iter().all(|step| step.id().parse() == Ok(*step)));
    assert_eq!("latest-count".parse::<Step>(), Err(()));
}
