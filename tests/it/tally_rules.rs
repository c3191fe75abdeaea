//! Every rule against figures that were computed by hand: the conformance vector of nine ballots, on
//! which linear points elect A, wider steps B and first places E, and ballots of different lengths.
//!
//! A rule that reads ranks in another way than its definition says fails here, in a profile short enough to recount.

use std::panic::catch_unwind;

use handslag::tally::pairwise::{Pairwise, Strength};
use handslag::tally::portfolio::Portfolio;
use handslag::tally::{
    Counts, Detail, Election, Family, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Rule, Step,
    parse_fraction, rules,
};

use crate::paper::{Paper, fractions};

/// Six candidates, three picks, nine ballots; E has most first places, A most pairwise wins, B most mentions.
const CONFORMANCE: Paper =
    Paper { candidates: "ABCDEF", picks: 3, ballots: "DBF FDB BDC EAB EAB CAB FAC ECF ADB" };

/// Ballots of three, one, two and two picks among five; nobody picks E.
const LENGTHS: Paper = Paper { candidates: "ABCDE", picks: 3, ballots: "ABC A CA DB" };

#[track_caller]
fn check(rule: &str, paper: Paper, expected: &str) {
    let outcome = paper.count(rule, &Ladder::default(), 3).unwrap();
    assert_eq!(paper.scores(&outcome), expected, "{rule}");
}

#[track_caller]
fn check_order(rule: &str, paper: Paper, expected: &str) {
    let outcome = paper.count(rule, &Ladder { steps: Vec::new(), lot: None }, 3).unwrap();
    assert_eq!(paper.order(&outcome), expected, "{rule}");
}

#[track_caller]
fn check_refused(rule: &str, expected: &Refusal) {
    assert_eq!(&CONFORMANCE.count(rule, &Ladder::default(), 3).unwrap_err(), expected, "{rule}");
}

#[test]
fn the_conformance_vector_holds_for_every_positional_row() {
    check("approval-1", CONFORMANCE, "A1 B1 C1 D1 E3 F2");
    check("linear", CONFORMANCE, "A11 B10 C7 D9 E9 F8");
    check("custom 3,2,1", CONFORMANCE, "A11 B10 C7 D9 E9 F8");
    check("modified-borda", CONFORMANCE, "A11 B10 C7 D9 E9 F8");
    check("custom 4,3,2", CONFORMANCE, "A16 B17 C11 D13 E12 F12");
    check("custom 5,4,3", CONFORMANCE, "A21 B24 C15 D17 E15 F16");
    check("dowdall", CONFORMANCE, "A3 B19/6 C13/6 D5/2 E3 F8/3");
    check("approval-3", CONFORMANCE, "A5 B7 C4 D4 E3 F4");
}

#[test]
fn the_dial_of_steps_reaches_the_other_rules_of_the_table() {
    // g = M - k = 3 is the pessimistic rule: six candidates, three picks.
    check("borda-pessimistic", CONFORMANCE, "A21 B24 C15 D17 E15 F16");
    // g = (M - k + 1)/2 = 2 and 1 more for everybody on every ballot: 9 more than g = 2 for each.
    check("borda-average", CONFORMANCE, "A25 B26 C20 D22 E21 F21");
    // The second place has A four times, D three times, B and C once each.
    check("approval-2", CONFORMANCE, "A5 B2 C2 D4 E3 F2");
}

#[test]
fn three_rules_elect_three_winners_from_the_same_ballots() {
    check_order("linear", CONFORMANCE, "A > B > D = E > F > C");
    check_order("custom 4,3,2", CONFORMANCE, "B > A > D > E = F > C");
    check_order("approval-1", CONFORMANCE, "E > F > A = B = C = D");
}

#[test]
fn the_pairwise_matrix_of_the_conformance_vector_holds() {
    let counts = Counts::of(&CONFORMANCE.profile());
    let rows: Vec<String> = (0..6)
        .map(|a| (0..6).map(|b| counts.above(a, b).to_string()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        ["0 5 4 5 3 4", "3 0 6 4 5 6", "3 3 0 3 3 3", "3 3 4 0 4 3", "3 3 3 3 0 3", "4 3 3 3 3 0"]
    );
}

/// The ladder that the default steps make for a rule, ending in this lot.
fn ladder_of(rule: &str, lot: &str) -> Ladder {
    let steps = Rule::find(rule).unwrap().steps(&Step::ALL[1..]);
    Ladder { steps, lot: Some(CONFORMANCE.lot(lot)) }
}

/// Without any step of a ladder.
fn alone() -> Parameters {
    Parameters { ladder: Ladder { steps: Vec::new(), lot: None }, cut: 3, ..Parameters::default() }
}

fn duels(outcome: &Outcome) -> &Pairwise {
    let Detail::Pairwise(facts) = &outcome.detail else { panic!("no duels") };
    facts
}

#[test]
fn copeland_counts_the_conformance_vector_and_head_to_head_tells_its_leaders_apart() {
    let outcome = CONFORMANCE.count("copeland", &ladder_of("copeland", "FEDCBA"), 1).unwrap();
    assert_eq!(CONFORMANCE.scores(&outcome), "A4 B4 C1 D5/2 E3/2 F2");
    assert_eq!(CONFORMANCE.order(&outcome), "A = B > D > F > E > C");
    assert_eq!(CONFORMANCE.resolved(&outcome), "A > B > D > F > E > C");
    let tie = &outcome.ties[0];
    assert_eq!((tie.resolved_by, tie.matters), (Some(Step::HeadToHead), true));
    // A and E draw, so A beats not everybody; nor does B.
    assert_eq!(duels(&outcome).condorcet_winner, None);
}

#[test]
fn schulze_counts_the_conformance_vector_with_either_strength() {
    for strength in [Strength::WinningVotes, Strength::Margins] {
        let parameters = Parameters { strength: Some(strength), ..alone() };
        let outcome = CONFORMANCE.count_with("schulze", &parameters).unwrap();
        assert_eq!(CONFORMANCE.order(&outcome), "A > B > D = F > C = E", "{strength}");
        let paths = duels(&outcome).paths.as_ref().unwrap();
        let beaten = |a: usize| -> String {
            (0..6).filter(|&b| paths[a][b] > paths[b][a]).map(|b| CONFORMANCE.name(b)).collect()
        };
        assert_eq!([0, 1, 3].map(beaten), ["BCDEF", "CDEF", "CE"], "{strength}");
    }
}

#[test]
fn minimax_counts_the_worst_margins_of_the_conformance_vector() {
    let parameters = Parameters { strength: Some(Strength::Margins), ..alone() };
    let outcome = CONFORMANCE.count_with("minimax", &parameters).unwrap();
    assert_eq!(CONFORMANCE.scores(&outcome), "A0 B2 C3 D2 E2 F3");
    assert_eq!(CONFORMANCE.order(&outcome), "A > B = D = E > C = F");
}

#[test]
fn kemeny_finds_the_eight_best_orders_of_the_conformance_vector() {
    let outcome = CONFORMANCE.count_with("kemeny", &alone()).unwrap();
    let orders = duels(&outcome).orders.as_ref().unwrap();
    assert_eq!((orders.score.to_string().as_str(), orders.optimal), ("62", 8));
    let starts: Vec<String> =
        orders.listed.iter().map(|order| CONFORMANCE.words(&[order[..3].to_vec()])).collect();
    let starting = |start: &str| starts.iter().filter(|other| *other == start).count();
    assert_eq!((starting("ABD"), starting("ABF"), starts.len()), (6, 2, 8));
    assert_eq!(CONFORMANCE.order(&outcome), "A > B > C = D = E = F");
    assert_eq!(orders.published, None);
}

#[test]
fn bucklin_finds_a_majority_of_the_conformance_vector_at_the_second_rank() {
    let outcome = CONFORMANCE.count_with("bucklin", &alone()).unwrap();
    let Detail::Bucklin(bucklin) = &outcome.detail else { panic!("no Bucklin") };
    assert_eq!((bucklin.half.to_string().as_str(), bucklin.majority_at), ("9/2", Some(2)));
    assert_eq!(CONFORMANCE.scores(&outcome), "A5 B2 C2 D4 E3 F2");
    assert_eq!(CONFORMANCE.order(&outcome), "A > D > E > B = C = F");
}

#[test]
fn an_instant_runoff_of_the_conformance_vector_names_the_step_of_every_elimination() {
    let outcome = CONFORMANCE.count("irv", &ladder_of("irv", "ABCDEF"), 1).unwrap();
    let Detail::Runoff(runoff) = &outcome.detail else { panic!("no runoff") };
    let eliminated: Vec<String> = runoff
        .rounds
        .iter()
        .filter_map(|round| {
            let name = CONFORMANCE.name(round.eliminated?);
            Some(format!("{name} {}", round.resolved_by.map_or("alone", Step::id)))
        })
        .collect();
    assert_eq!(eliminated, ["C first-places", "D listed", "B earlier-count", "A alone", "F earlier-count"]);
    assert_eq!(CONFORMANCE.resolved(&outcome), "E > F > A > B > D > C");
}

#[track_caller]
fn check_optima(rule: &str, seats: usize, expected: &str) -> Portfolio {
    let outcome = CONFORMANCE.count_with(rule, &Parameters { seats: Some(seats), ..alone() }).unwrap();
    let Detail::Portfolio(portfolio) = outcome.detail else { panic!("no portfolio") };
    assert_eq!(CONFORMANCE.words(&portfolio.optima.listed), expected, "{rule}");
    assert_eq!(portfolio.optima.count, portfolio.optima.listed.len() as u64, "{rule}");
    *portfolio
}

#[test]
fn portfolios_of_the_conformance_vector_hold() {
    let coverage = check_optima("coverage", 2, "BC BF");
    assert_eq!(coverage.value, Some(Fraction::from_integer(9.into())));
    check_optima("pav", 2, "AB BC BF");
    check_optima("sequential-phragmen", 2, "AB");
    check_optima("sequential-phragmen", 3, "ABF");
}

#[test]
fn rank_counts_of_the_conformance_vector_hold() {
    let counts = Counts::of(&CONFORMANCE.profile());
    // B: first once (BDC), second once (DBF), third five times.
    assert_eq!((0..3).map(|rank| counts.at_rank(1, rank)).collect::<Vec<_>>(), [1, 1, 5]);
    assert_eq!((1..=3).map(|ranks| counts.within(1, ranks)).collect::<Vec<_>>(), [1, 2, 7]);
    assert_eq!((counts.listed(1), counts.listed(4), counts.weight()), (7, 3, 9));
}

#[test]
fn ballots_of_different_lengths_tell_the_bordas_apart() {
    // A short ballot starts at three points all the same.
    check("linear", LENGTHS, "A8 B4 C4 D3 E0");
    // A gives 3 + 1 + 1, and the ballot with one pick is worth one point.
    check("modified-borda", LENGTHS, "A5 B3 C3 D2 E0");
    // The unranked get 1/2 from ABC, 3/2 from A, 1 from CA and DB; every ballot gives out ten.
    check("borda-average", LENGTHS, "A12 B17/2 C17/2 D7 E4");
    check("borda-pessimistic", LENGTHS, "A11 B6 C6 D4 E0");
    check("dowdall", LENGTHS, "A5/2 B1 C4/3 D1 E0");
    check("approval-1", LENGTHS, "A2 B0 C1 D1 E0");
    check("approval-2", LENGTHS, "A3 B2 C1 D1 E0");
    check("approval-3", LENGTHS, "A3 B2 C2 D1 E0");
    check("custom 5/2,1,1/3", LENGTHS, "A6 B2 C17/6 D5/2 E0");
}

#[test]
fn a_full_ballot_and_an_empty_one_are_ballots_too() {
    let paper = Paper { candidates: "ABC", picks: 3, ballots: "BCA -" };
    check("borda-average", paper, "A1 B3 C2");
    check("borda-pessimistic", paper, "A0 B2 C1");
    check("linear", paper, "A1 B3 C2");
    check("approval-3", paper, "A1 B1 C1");
    assert_eq!(paper.profile().ballots(), 2);
}

#[test]
fn custom_points_are_exact_fractions() {
    check("custom 1,1/2,1/3", CONFORMANCE, "A3 B19/6 C13/6 D5/2 E3 F8/3");
    check("custom 0,0,0", CONFORMANCE, "A0 B0 C0 D0 E0 F0");
    // A third of A's 11: nothing is rounded on the way.
    check("custom 1,2/3,1/3", CONFORMANCE, "A11/3 B10/3 C7/3 D3 E3 F8/3");
}

#[test]
fn points_that_do_not_fit_are_refused() {
    check_refused("custom", &Refusal::PointsMissing);
    check_refused("linear 3,2,1", &Refusal::DoesNotTake("points"));
    check_refused("custom 3,2", &Refusal::WrongNumberOfPoints);
    check_refused("custom 4,3,2,1", &Refusal::WrongNumberOfPoints);
    check_refused("custom 1,2,1", &Refusal::PointsRise);
    check_refused("custom 3,2,-1", &Refusal::PointsRise);
    check_refused("custom 1/3,1/2,0", &Refusal::PointsRise);
    check_refused("approval-4", &Refusal::TooDeep);
}

#[test]
fn only_the_ids_of_the_table_are_rules() {
    for id in ["approval-0", "approval-65", "approval-01", "Linear", "borda", "plurality", ""] {
        assert_eq!(Rule::find(id), None, "{id:?}");
    }
    for id in
        ["linear", "borda-average", "borda-pessimistic", "modified-borda", "dowdall", "approval-64", "custom"]
    {
        assert_eq!(Rule::find(id).map(|rule| rule.id()).as_deref(), Some(id));
    }
    // As many approvals as there are ranks to read.
    let deepest = |picks: usize| rules(picks).filter(|rule| rule.id().starts_with("approval-")).count();
    assert_eq!((deepest(1), deepest(5)), (1, 5));
    assert!(rules(20).all(|rule| Rule::find(&rule.id()) == Some(rule)));
}

#[test]
fn fewer_picks_read_only_the_first_ranks() {
    let cut = |picks: usize| {
        let profile = CONFORMANCE.profile().truncated(picks);
        let counts = Counts::of(&profile);
        let election = Election { profile: &profile, counts: &counts, picks };
        let outcome = Rule::find("linear").unwrap().count(&election, &Parameters::default()).unwrap();
        (CONFORMANCE.scores(&outcome), profile.ballots(), profile.longest())
    };
    assert_eq!(cut(3), ("A11 B10 C7 D9 E9 F8".to_owned(), 9, 3));
    // 2 and 1 points for the first two ranks of each ballot.
    assert_eq!(cut(2), ("A6 B3 C3 D5 E6 F4".to_owned(), 9, 2));
    assert_eq!(cut(1), ("A1 B1 C1 D1 E3 F2".to_owned(), 9, 1));
}

#[test]
fn nobody_has_voted_and_everybody_ties() {
    let paper = Paper { candidates: "ABC", picks: 2, ballots: "" };
    let positional = rules(2).filter(|rule| rule.family() == Family::Positional).map(|rule| rule.id());
    for rule in positional.filter(|id| id != "custom") {
        check(&rule, paper, "A0 B0 C0");
        check_order(&rule, paper, "A = B = C");
    }
    check("custom 1,1", paper, "A0 B0 C0");
    let by_lot = Ladder { lot: Some(paper.lot("CAB")), ..Ladder::default() };
    let outcome = paper.count("linear", &by_lot, 1).unwrap();
    assert_eq!(paper.resolved(&outcome), "C > A > B");
    assert!(outcome.ties[0].matters);
}

#[test]
fn scores_beyond_sixty_four_bits_are_exact() {
    const MANY: u64 = 9_000_000_000_000_000_000;
    let mut profile = Profile::new(3);
    profile.add(&[0, 1, 2], MANY);
    profile.add(&[1, 0], MANY);
    let counts = Counts::of(&profile);
    let election = Election { profile: &profile, counts: &counts, picks: 3 };
    let points = Some(fractions("1000000000000,999999999999,1/999999999999"));
    let parameters = Parameters { points, ..Parameters::default() };
    let outcome = Rule::find("custom").unwrap().count(&election, &parameters).unwrap();
    let score = |candidate: usize| {
        let found = outcome.standings.iter().find(|standing| standing.candidate == candidate).unwrap();
        found.score.clone().unwrap()
    };
    // 9e18 * (1e12 + 1e12 - 1), and 9e18 / (1e12 - 1): far beyond 64 bits, and not whole.
    let exact = parse_fraction("17999999999991000000000000000000").unwrap();
    assert_eq!((score(0), score(1)), (exact.clone(), exact));
    let part: Fraction = parse_fraction("9000000000000000000/999999999999").unwrap();
    assert_eq!(score(2), part);
}

#[test]
fn more_ballots_than_can_be_counted_are_an_error_and_never_a_wrong_count() {
    // 10^12 ballots 10^8 times over do not fit in 64 bits: the count must stop, in a release build too.
    let overflown = catch_unwind(|| {
        let mut profile = Profile::new(2);
        for _ in 0..100 {
            profile.add(&[0], 1_000_000_000_000 * 1_000_000);
        }
        profile.ballots()
    });
    assert!(overflown.is_err(), "wrapped to {overflown:?}");
    let manifest = include_str!("../../Cargo.toml");
    let release = manifest.split("[profile.release]").nth(1).unwrap();
    assert!(release.contains("overflow-checks = true"));
}

#[test]
fn a_ranking_that_is_none_never_enters_a_profile() {
    for ranking in [&[0, 0][..], &[3], &[0, 1, 2, 0]] {
        assert!(catch_unwind(|| Profile::new(3).add(ranking, 1)).is_err(), "{ranking:?}");
    }
}
