//! Weights as large as they come: every rule counts them exactly or refuses, and never panics.
//!
//! What is counted with large weights is what is counted with small ones: all of one profile's are multiplied.

use handslag::tally::rounds::Transfer;
use handslag::tally::{
    Detail, Fraction, MAX_WEIGHT, Outcome, Parameters, Profile, Refusal, Rule, Step, rules,
};
use proptest::prelude::*;

use crate::tally_space::{Case, alone, by_lot, count, has_seats, random_with_order, variants};

/// 10^12 on each of 10^8 ballots.
const HEAVY: u128 = 1_000_000_000_000 * 100_000_000;

fn weighted(case: &Case, each: u128, unit: u128) -> Profile {
    let mut profile = Profile::weighted(case.candidates, unit);
    case.ballots.iter().for_each(|ballot| profile.add_weighted(ballot, each));
    profile
}

/// Every rule with all its own parameters and a lot.
fn ways(case: &Case, cut: usize, lot: &[usize]) -> Vec<(Rule, Parameters)> {
    let of = |rule: Rule| {
        let cut = if has_seats(&rule) { cut.min(case.candidates) } else { 1 };
        let parameters = Parameters { ladder: by_lot(lot), ..alone(&rule, case.picks, cut) };
        variants(&rule, &parameters).into_iter().map(move |parameters| (rule, parameters))
    };
    rules(case.picks).flat_map(of).collect()
}

fn scores(outcome: &Outcome) -> Vec<Option<Fraction>> {
    outcome.standings.iter().map(|standing| standing.score.clone()).collect()
}

/// With weights beyond the nine decimals, rounding leads the keep values from one to another and back.
#[test]
fn a_count_by_meek_ends_where_rounding_goes_in_circles() {
    let ballots: [&[u8]; 6] = [&[2, 1, 3], &[], &[0, 4], &[0, 1, 2], &[0, 3, 4], &[0, 3, 4]];
    let mut profile = Profile::weighted(5, 1);
    for ballot in ballots {
        profile.add_weighted(ballot, HEAVY + 12_345_678_910_111);
    }
    let rule = Rule::find("stv").unwrap();
    let parameters =
        Parameters { method: Some(Transfer::Meek), ladder: by_lot(&[3, 2, 0, 4, 1]), ..alone(&rule, 4, 3) };
    let outcome = count(&rule, &profile, 4, &parameters).unwrap();
    let elected = outcome.standings.iter().filter(|standing| standing.rank <= 3).map(|s| s.candidate);
    let mut elected: Vec<_> = elected.collect();
    elected.sort_unstable();
    assert_eq!(elected, [0, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn heavy_ballots_count_as_light_ones_do((case, lot) in random_with_order(5, 7), cut in 1_usize..=3) {
        // A little more than 10^20, so that no figure divides it by chance.
        let heavy = HEAVY + 12_345_678_910_111;
        for (rule, parameters) in ways(&case, cut, &lot) {
            let light = case.count(&rule, &parameters).unwrap();
            let found = count(&rule, &weighted(&case, heavy, 1), case.picks, &parameters).unwrap();
            // The quota of `stv` and the places of `monroe` are whole votes.
            if ["stv", "monroe"].contains(&rule.id().as_str()) {
                continue;
            }
            let row = |outcome: &Outcome| {
                outcome.standings.iter().map(|s| (s.candidate, s.rank, s.resolved_rank)).collect::<Vec<_>>()
            };
            prop_assert_eq!(row(&light), row(&found), "{:?}", rule);
            if rule.id() != "copeland" {
                let times = |score: Option<Fraction>| score.map(|s| s * Fraction::from_integer(heavy.into()));
                let multiplied: Vec<_> = scores(&light).into_iter().map(times).collect();
                prop_assert_eq!(multiplied, scores(&found), "{:?}", rule);
            }
            if let (Detail::Portfolio(light), Detail::Portfolio(found)) = (&light.detail, &found.detail) {
                prop_assert_eq!(&light.optima, &found.optima, "{:?}", rule);
            }
        }
    }

    #[test]
    fn no_weight_makes_a_rule_panic(
        (case, lot) in random_with_order(5, 7),
        cut in 1_usize..=4,
        each in prop::sample::select(vec![1, 3, 1 << 40, HEAVY, MAX_WEIGHT / 7, MAX_WEIGHT]),
        unit in prop::sample::select(vec![1, 2, 1_000_003, 1 << 79]),
    ) {
        let profile = weighted(&case, each, unit);
        for (rule, parameters) in ways(&case, cut, &lot) {
            let counted = count(&rule, &profile, case.picks, &parameters);
            if profile.weight() > MAX_WEIGHT {
                prop_assert_eq!(counted.unwrap_err(), Refusal::TooHeavy);
            } else if let Err(refusal) = counted {
                prop_assert!(unit > 1 && refusal == Refusal::NotWhole, "{:?} {}", rule, refusal);
            }
        }
    }
}

#[test]
fn the_most_weight_is_counted_and_one_unit_more_is_refused() {
    let case = Case { candidates: 3, picks: 2, ballots: Vec::new() };
    let mut profile = Profile::new(3);
    profile.add_weighted(&[0, 1], MAX_WEIGHT / 2);
    profile.add_weighted(&[1, 0], MAX_WEIGHT / 2 - 1);
    profile.add_weighted(&[2], 1);
    assert_eq!(profile.weight(), MAX_WEIGHT);
    for (rule, parameters) in ways(&case, 2, &[0, 1, 2]) {
        let outcome = count(&rule, &profile, 2, &parameters).unwrap();
        assert_eq!(outcome.standings.len(), 3, "{rule:?}");
    }
    let linear = Rule::find("linear").unwrap();
    let outcome = count(&linear, &profile, 2, &alone(&linear, 2, 1)).unwrap();
    // 2 · 2^79 + 2^79 - 1 for A, and one less than 3 · 2^79 - 1 for B.
    let half = MAX_WEIGHT / 2;
    let expected = [3 * half - 1, 3 * half - 2, 2].map(|score| Some(Fraction::from_integer(score.into())));
    assert_eq!(scores(&outcome), expected);
    profile.add_weighted(&[], 1);
    for (rule, parameters) in ways(&case, 2, &[0, 1, 2]) {
        assert_eq!(count(&rule, &profile, 2, &parameters).unwrap_err(), Refusal::TooHeavy, "{rule:?}");
    }
}

#[test]
fn as_many_ballots_as_there_can_be_are_counted() {
    let case = Case { candidates: 4, picks: 3, ballots: Vec::new() };
    let mut profile = Profile::new(4);
    for (ranking, ballots) in [(&[0, 1, 2][..], u64::MAX / 2), (&[3, 2], u64::MAX / 3), (&[1], u64::MAX / 7)]
    {
        profile.add(ranking, ballots);
    }
    for (rule, parameters) in ways(&case, 2, &[3, 2, 1, 0]) {
        let outcome = count(&rule, &profile, 3, &parameters).unwrap();
        assert_eq!(outcome.standings.len(), 4, "{rule:?}");
    }
}

#[test]
fn every_rule_answers_where_nobody_has_voted_or_nobody_stands() {
    for (candidates, picks) in [(0, 1), (1, 1), (2, 2), (4, 2)] {
        for ballots in [Vec::new(), vec![Vec::new()], vec![Vec::new(); 5]] {
            let case = Case { candidates, picks, ballots };
            let lot: Vec<usize> = (0..candidates).rev().collect();
            for (rule, parameters) in ways(&case, 1, &lot) {
                match case.count(&rule, &parameters) {
                    Ok(outcome) => assert_eq!(outcome.standings.len(), candidates, "{rule:?} {case:?}"),
                    Err(refusal) => {
                        assert_eq!(refusal, Refusal::Seats, "{rule:?} {case:?}");
                        assert!(candidates == 0 && has_seats(&rule));
                    }
                }
                // Nothing but the lot tells anybody apart.
                let undecided = Parameters { ladder: alone(&rule, picks, 1).ladder, ..parameters.clone() };
                if let Ok(outcome) = case.count(&rule, &undecided) {
                    assert!(outcome.standings.iter().all(|standing| standing.rank == 1), "{rule:?} {case:?}");
                }
                assert_eq!(parameters.ladder.steps, [Step::Lot]);
            }
        }
    }
}
