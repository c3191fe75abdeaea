//! The properties of the table in `src/tally/rule.rs`: every rule that claims one is put to it, over all elections of
//! three candidates and three voters, over all of four and four in CI, and over random ones.
//!
//! A property is written once, as a way to refute it in one election; `breaks` have their counterexamples in
//! `tally_axioms_counterexamples`.

use handslag::tally::{Detail, Family, Fraction, Outcome, Parameters, Property, Refusal, Rule, rules};
use proptest::prelude::*;

use crate::tally_space::{
    Case, all_of_four, all_of_three_up_to_names, alone, by_lot, family, random, ranks, rules_and_cuts,
};

/// The properties that the rules of a family either have or lack.
fn applicable(rule: &Rule) -> Vec<Property> {
    use Property::{
        Additivity, Condorcet, EjrPlus, Homogeneity, Monotonicity, Pareto, Reversal, ScoreSum, Smith,
    };
    let ranking = vec![Homogeneity, Monotonicity, Condorcet, Smith, Reversal, Pareto];
    match rule.family() {
        Family::Positional => [ranking, vec![Additivity, ScoreSum]].concat(),
        Family::Rounds if rule.id() == "stv" => vec![Homogeneity],
        Family::Pairwise | Family::Rounds => ranking,
        Family::Portfolio => vec![Homogeneity, EjrPlus],
    }
}

/// Counts without a ladder; none where the rule would have to choose between equals.
fn ranked(case: &Case, rule: &Rule, cut: usize) -> Option<Outcome> {
    match case.count(rule, &alone(rule, case.picks, cut)) {
        Ok(outcome) => Some(outcome),
        Err(Refusal::Undecided { tied }) => {
            assert!(tied.len() > 1, "{rule:?} {case:?}");
            None
        }
        Err(refusal) => panic!("{rule:?} {case:?}: {refusal}"),
    }
}

/// Why the election, which has this outcome, refutes the property of this way to count; none if it does not.
pub(crate) fn refutation_of(
    property: Property,
    outcome: &Outcome,
    case: &Case,
    count: &dyn Fn(&Case) -> Option<Outcome>,
) -> Option<String> {
    let all = 0..case.candidates;
    let ranks_here = ranks(outcome);
    let sole = |outcome: &Outcome| {
        let ranks = ranks(outcome);
        (0..ranks.len()).find(|&c| ranks[c] == 1 && ranks.iter().filter(|&&rank| rank == 1).count() == 1)
    };
    match property {
        Property::Homogeneity => [2, 3].into_iter().find_map(|copies| {
            let other = count(&case.with(vec![case.ballots.clone(); copies].concat()))?;
            let same = ranks(&other) == ranks_here && optima(&other) == optima(outcome);
            (!same).then(|| format!("{copies} copies: {:?}, not {ranks_here:?}", ranks(&other)))
        }),
        Property::Monotonicity => {
            let winner = sole(outcome)?;
            raised(case, winner).into_iter().find_map(|raised| {
                let other = count(&raised)?;
                (sole(&other) != Some(winner)).then(|| format!("{winner} loses with {:?}", raised.ballots))
            })
        }
        Property::Condorcet => {
            let winner =
                all.clone().find(|&c| all.clone().all(|other| other == c || case.beats(c, other)))?;
            (sole(outcome) != Some(winner)).then(|| format!("{winner} beats all: {ranks_here:?}"))
        }
        Property::Smith => {
            let smith = smith_set(case);
            let mut pairs = all.clone().flat_map(|a| all.clone().map(move |b| (a, b)));
            let worse = |&(a, b): &(usize, usize)| {
                smith.contains(&a) && !smith.contains(&b) && ranks_here[b] <= ranks_here[a]
            };
            pairs.find(worse).map(|pair| format!("{pair:?} with Smith set {smith:?}: {ranks_here:?}"))
        }
        Property::Reversal => {
            let winner = sole(outcome).filter(|_| case.is_complete() && case.candidates > 1)?;
            let turned = |ballot: &Vec<u8>| ballot.iter().rev().copied().collect();
            let other = count(&case.with(case.ballots.iter().map(turned).collect()))?;
            (sole(&other) == Some(winner)).then(|| format!("{winner} wins both ways"))
        }
        Property::Pareto => {
            let voters = case.ballots.len() as u128;
            let mut pairs = all.clone().flat_map(|a| all.clone().map(move |b| (a, b)));
            let wrong = |&(a, b): &(usize, usize)| {
                voters > 0 && case.above(a, b) == voters && ranks_here[a] >= ranks_here[b]
            };
            pairs.find(wrong).map(|pair| format!("{pair:?}: {ranks_here:?}"))
        }
        Property::Additivity => (0..=case.ballots.len()).find_map(|cut| {
            let (some, others) = case.ballots.split_at(cut);
            let (some, others) = (count(&case.with(some.to_vec()))?, count(&case.with(others.to_vec()))?);
            let sum: Vec<Fraction> =
                scores(&some).into_iter().zip(scores(&others)).map(|(a, b)| a + b).collect();
            (sum != scores(outcome)).then(|| format!("the first {cut} ballots and the rest: {sum:?}"))
        }),
        Property::ScoreSum => {
            // Ballots of the same lengths that all begin with the first candidate.
            let alike = |ballot: &Vec<u8>| (0..u8::try_from(ballot.len()).unwrap()).collect();
            let other = count(&case.with(case.ballots.iter().map(alike).collect()))?;
            let sum = |outcome: &Outcome| scores(outcome).into_iter().sum::<Fraction>();
            (sum(&other) != sum(outcome)).then(|| format!("{} and {}", sum(&other), sum(outcome)))
        }
        Property::EjrPlus => {
            let Detail::Portfolio(portfolio) = &outcome.detail else { panic!("no portfolio") };
            let unfair = |set: &&Vec<usize>| most_unfair(case, set).is_some();
            let found = portfolio.optima.listed.iter().find(unfair)?;
            Some(format!("{found:?}: {:?}", most_unfair(case, found)))
        }
    }
}

/// Every election in which one ballot, or all with its ranking, are kinder to a candidate: one place up, or last on it
/// instead of not at all.
fn raised(case: &Case, candidate: usize) -> Vec<Case> {
    let candidate = u8::try_from(candidate).unwrap();
    let mut cases = Vec::new();
    for ballot in &case.ballots {
        let mut kinder = ballot.clone();
        match ballot.iter().position(|&pick| pick == candidate) {
            Some(0) => continue,
            Some(rank) => kinder.swap(rank - 1, rank),
            None if ballot.len() < case.picks => kinder.push(candidate),
            None => continue,
        }
        let mut ballots = case.ballots.clone();
        ballots.iter_mut().filter(|other| *other == ballot).for_each(|other| other.clone_from(&kinder));
        cases.push(case.with(ballots.clone()));
        if let Some(one) = case.ballots.iter().position(|other| other == ballot) {
            ballots.clone_from(&case.ballots);
            ballots[one] = kinder;
            cases.push(case.with(ballots));
        }
    }
    cases
}

/// The smallest set in which each beats everybody outside it, by trying all sets.
pub(crate) fn smith_set(case: &Case) -> Vec<usize> {
    let all: Vec<usize> = (0..case.candidates).collect();
    let dominates = |set: &&Vec<usize>| {
        let outside = |b: &&usize| !set.contains(b);
        set.iter().all(|&a| all.iter().filter(outside).all(|&b| case.beats(a, b)))
    };
    let sets: Vec<Vec<usize>> =
        (1..=case.candidates).flat_map(|size| crate::tally_space::sets(case.candidates, size)).collect();
    sets.iter().find(dominates).unwrap().clone()
}

fn lists(ballot: &[u8], c: usize) -> bool {
    ballot.iter().any(|&pick| usize::from(pick) == c)
}

/// EJR+ by the largest groups: for a candidate whom the portfolio lacks and l, all who list the candidate and fewer
/// than l of the portfolio. Of those that deserve l the largest l and group, if there are any.
pub(crate) fn most_unfair(case: &Case, portfolio: &[usize]) -> Option<(usize, usize)> {
    let lacking = (0..case.candidates).filter(|c| !portfolio.contains(c));
    let groups = lacking.flat_map(|c| (1..=portfolio.len()).map(move |l| (c, l))).map(|(c, l)| {
        let has = |ballot: &[u8]| portfolio.iter().filter(|&&member| lists(ballot, member)).count();
        (l, case.ballots.iter().filter(|ballot| lists(ballot, c) && has(ballot) < l).count())
    });
    let deserves = |&(l, size): &(usize, usize)| size > 0 && size * portfolio.len() >= l * case.ballots.len();
    groups.filter(deserves).max()
}

/// EJR+ from its definition, over all groups there are: the largest l and size of a group all of whom list somebody
/// whom the portfolio lacks, each fewer than l of the portfolio, and who are l/m of all.
pub(crate) fn most_unfair_of_all_groups(case: &Case, portfolio: &[usize]) -> Option<(usize, usize)> {
    let (voters, seats) = (case.ballots.len(), portfolio.len());
    let mut found = None;
    for group in 1..1_u32 << voters {
        let group: Vec<&Vec<u8>> =
            (0..voters).filter(|i| group & (1 << i) != 0).map(|i| &case.ballots[i]).collect();
        let mut lacking = (0..case.candidates).filter(|c| !portfolio.contains(c));
        if lacking.any(|c| group.iter().all(|ballot| lists(ballot, c))) {
            let has = |ballot: &&Vec<u8>| portfolio.iter().filter(|&&c| lists(ballot, c)).count();
            let most = group.iter().map(has).max().unwrap();
            let deserves = |l: &usize| group.len() * seats >= l * voters;
            found = found.max((most + 1..=seats).filter(deserves).map(|l| (l, group.len())).max());
        }
    }
    found
}

fn scores(outcome: &Outcome) -> Vec<Fraction> {
    let mut rows: Vec<_> = outcome.standings.iter().collect();
    rows.sort_by_key(|standing| standing.candidate);
    rows.iter().map(|standing| standing.score.clone().unwrap()).collect()
}

/// The optima of a portfolio rule; nothing of other rules.
fn optima(outcome: &Outcome) -> Option<(u64, Vec<Vec<usize>>)> {
    let Detail::Portfolio(portfolio) = &outcome.detail else { return None };
    Some((portfolio.optima.count, portfolio.optima.listed.clone()))
}

#[track_caller]
fn check(case: &Case) {
    for (rule, cut) in rules_and_cuts(case) {
        let Some(outcome) = ranked(case, &rule, cut) else { continue };
        for &property in rule.keeps() {
            let refuted = refutation_of(property, &outcome, case, &|other: &Case| ranked(other, &rule, cut));
            assert_eq!(refuted, None, "{rule:?} does not keep {property:?}, cut {cut}: {case:?}");
        }
    }
}

#[test]
fn every_property_of_a_family_is_either_kept_or_broken_by_each_of_its_rules() {
    for rule in rules(3) {
        for property in applicable(&rule) {
            let times = |list: &[Property]| list.iter().filter(|&&other| other == property).count();
            assert_eq!(times(rule.keeps()) + times(rule.breaks()), 1, "{rule:?} {property:?}");
        }
        let stated = rule.keeps().len() + rule.breaks().len();
        assert_eq!(stated, applicable(&rule).len(), "{rule:?} states what does not apply to it");
    }
}

#[test]
fn all_elections_of_three_candidates_and_three_voters_bear_the_properties_out() {
    // Other names, another outcome of the same kind: `tally_symmetry` has all of them.
    all_of_three_up_to_names().iter().for_each(check);
}

#[test]
#[ignore = "all elections of four: without optimisation an hour; .ci/run has them"]
fn all_elections_of_four_candidates_and_four_voters_bear_the_properties_out() {
    all_of_four().for_each(|case| check(&case));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn random_elections_bear_the_properties_out(case in random(5, 9)) {
        check(&case);
    }

    #[test]
    fn random_elections_of_complete_ballots_bear_the_properties_out(case in random(5, 9)) {
        let all = || 0..u8::try_from(case.candidates).unwrap();
        let complete = |ballot: &Vec<u8>| {
            [&ballot[..], &all().filter(|c| !ballot.contains(c)).collect::<Vec<u8>>()].concat()
        };
        check(&Case { picks: case.candidates, ..case.with(case.ballots.iter().map(complete).collect()) });
    }

    #[test]
    fn certificates_say_what_all_groups_say(case in random(5, 7), cut in 1_usize..=5) {
        let order: Vec<usize> = (0..case.candidates).collect();
        for rule in family(Family::Portfolio, case.picks) {
            let parameters = Parameters {
                ladder: by_lot(&order), ..alone(&rule, case.picks, cut.min(case.candidates))
            };
            let Detail::Portfolio(portfolio) = case.count(&rule, &parameters).unwrap().detail else {
                panic!("no portfolio")
            };
            let selected = portfolio.selected.unwrap();
            let expected = most_unfair_of_all_groups(&case, &selected);
            prop_assert_eq!(most_unfair(&case, &selected), expected);
            let whole = |size: usize| Fraction::from_integer(size.into());
            let violation = portfolio.certificate.unwrap().violation;
            let told = violation.as_ref().map(|v| (v.deserved, v.weight.clone()));
            prop_assert_eq!(told, expected.map(|(l, size)| (l, whole(size))), "{:?}", rule);
            if let Some(violation) = violation {
                let needed = whole(violation.deserved * case.ballots.len()) / whole(selected.len());
                prop_assert_eq!(violation.needed, needed);
                prop_assert!(!selected.contains(&violation.candidate));
            }
        }
    }
}
