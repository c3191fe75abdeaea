//! Pairwise rules against what their definitions say, tried out: all paths, all orders, all sets.
//!
//! Nothing here shares code with the rules. All elections of three candidates and three voters, random larger ones.

use handslag::tally::pairwise::{Pairwise, Strength};
use handslag::tally::{Detail, Fraction, Outcome, Parameters, Refusal};
use proptest::prelude::*;

use crate::tally_axioms::smith_set;
use crate::tally_space::{
    Case, all_of_four, all_of_three, alone, by_lot, find, orders, random_with_order, ranks, variants,
};

fn duels(outcome: &Outcome) -> &Pairwise {
    let Detail::Pairwise(facts) = &outcome.detail else { panic!("no duels") };
    facts
}

fn whole(number: i128) -> Fraction {
    Fraction::from_integer(number.into())
}

fn scores(outcome: &Outcome) -> Vec<Fraction> {
    let mut rows: Vec<_> = outcome.standings.iter().collect();
    rows.sort_by_key(|standing| standing.candidate);
    rows.iter().map(|standing| standing.score.clone().unwrap()).collect()
}

/// Ranks of figures, the largest first.
fn ranks_of<T: PartialOrd>(figures: &[T]) -> Vec<usize> {
    figures.iter().map(|one| figures.iter().filter(|other| *other > one).count() + 1).collect()
}

/// Ranks by how long the longest chain of victories is that ends at a candidate, the shortest first.
fn ranks_by_chains(candidates: usize, beats: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    fn depth(c: usize, candidates: usize, beats: &dyn Fn(usize, usize) -> bool) -> i32 {
        let above = (0..candidates).filter(|&other| beats(other, c));
        above.map(|other| depth(other, candidates, beats) + 1).max().unwrap_or(0)
    }
    let depths: Vec<i32> = (0..candidates).map(|c| -depth(c, candidates, beats)).collect();
    ranks_of(&depths)
}

/// How strong a beats b: 0 if it does not.
fn strength(case: &Case, strength: Strength, a: usize, b: usize) -> u128 {
    let (ours, theirs) = (case.above(a, b), case.above(b, a));
    match strength {
        _ if ours <= theirs => 0,
        Strength::Margins => ours - theirs,
        _ => ours,
    }
}

#[track_caller]
fn check_facts(case: &Case) {
    let outcome = case.count(&find("copeland"), &alone(&find("copeland"), case.picks, 1)).unwrap();
    let facts = duels(&outcome);
    let all = 0..case.candidates;
    let against_all = |holds: &dyn Fn(usize, usize) -> bool| -> Vec<usize> {
        all.clone().filter(|&a| all.clone().all(|b| a == b || holds(a, b))).collect()
    };
    assert_eq!(facts.smith_set, smith_set(case), "{case:?}");
    assert_eq!(facts.weak_winners, against_all(&|a, b| !case.beats(b, a)), "{case:?}");
    assert_eq!(facts.condorcet_winner, against_all(&|a, b| case.beats(a, b)).first().copied(), "{case:?}");
    for (a, b) in all.clone().flat_map(|a| all.clone().map(move |b| (a, b))).filter(|(a, b)| a != b) {
        assert_eq!(facts.matrix[a][b], whole(case.above(a, b).try_into().unwrap()), "{case:?}");
    }
}

#[track_caller]
fn check_scores(case: &Case) {
    for rule in ["copeland", "minimax"].map(find) {
        for parameters in variants(&rule, &alone(&rule, case.picks, 1)) {
            let others = |c: usize| (0..case.candidates).filter(move |&other| other != c);
            let figure = |c: usize| -> Fraction {
                if rule.id() == "copeland" {
                    let wins = others(c).filter(|&other| case.beats(c, other)).count();
                    let draws = others(c).filter(|&o| !case.beats(c, o) && !case.beats(o, c)).count();
                    let [wins, draws] = [wins, draws].map(|n| whole(n.try_into().unwrap()));
                    let worth = match parameters.draws.unwrap().id() {
                        "half" => Fraction::new(1.into(), 2.into()),
                        "llull" => whole(1),
                        _ => whole(0),
                    };
                    return wins + draws * worth;
                }
                let worst = others(c).map(|other| {
                    let [ours, theirs] =
                        [case.above(c, other), case.above(other, c)].map(|n| i128::try_from(n).unwrap());
                    match parameters.strength.unwrap() {
                        Strength::WinningVotes => {
                            if theirs > ours {
                                theirs
                            } else {
                                0
                            }
                        }
                        Strength::Margins => theirs - ours,
                        Strength::Opposition => theirs,
                    }
                });
                whole(worst.max().unwrap_or(0))
            };
            let figures: Vec<Fraction> = (0..case.candidates).map(figure).collect();
            let outcome = case.count(&rule, &parameters).unwrap();
            assert_eq!(scores(&outcome), figures, "{rule:?} {parameters:?} {case:?}");
            let best_first: Vec<Fraction> =
                figures.into_iter().map(|f| if rule.id() == "minimax" { -f } else { f }).collect();
            assert_eq!(ranks(&outcome), ranks_of(&best_first), "{rule:?} {parameters:?} {case:?}");
        }
    }
}

/// The strongest of all paths that visit nobody twice, each as strong as its weakest duel.
fn strongest_path(
    strengths: &dyn Fn(usize, usize) -> u128,
    path: &mut Vec<usize>,
    to: usize,
    n: usize,
) -> u128 {
    let from = *path.last().unwrap();
    if from == to {
        return path.windows(2).map(|step| strengths(step[0], step[1])).min().unwrap();
    }
    let mut best = 0;
    for next in 0..n {
        if !path.contains(&next) {
            path.push(next);
            best = best.max(strongest_path(strengths, path, to, n));
            path.pop();
        }
    }
    best
}

#[track_caller]
fn check_schulze(case: &Case) {
    let rule = find("schulze");
    let n = case.candidates;
    for parameters in variants(&rule, &alone(&rule, case.picks, 1)) {
        let of = |a: usize, b: usize| strength(case, parameters.strength.unwrap(), a, b);
        let path = |a: usize, b: usize| if a == b { 0 } else { strongest_path(&of, &mut vec![a], b, n) };
        let paths: Vec<Vec<u128>> = (0..n).map(|a| (0..n).map(|b| path(a, b)).collect()).collect();
        let outcome = case.count(&rule, &parameters).unwrap();
        assert_eq!(ranks(&outcome), ranks_by_chains(n, &|a, b| paths[a][b] > paths[b][a]), "{case:?}");
        let shown = duels(&outcome).paths.as_ref().unwrap();
        for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
            assert_eq!(shown[a][b], whole(paths[a][b].try_into().unwrap()), "{a} {b} {case:?}");
        }
    }
}

/// Locks defeats in this order; who beats whom in the end.
fn locked(n: usize, defeats: &[(usize, usize)]) -> Vec<(usize, usize)> {
    fn leads(locked: &[(usize, usize)], from: usize, to: usize) -> bool {
        from == to || locked.iter().any(|&(a, b)| a == from && leads(locked, b, to))
    }
    let mut locked = Vec::new();
    for &(winner, loser) in defeats {
        assert!(winner < n && loser < n);
        if !leads(&locked, loser, winner) {
            locked.push((winner, loser));
        }
    }
    locked.sort_unstable();
    locked
}

#[track_caller]
fn check_ranked_pairs(case: &Case, lot: &[usize]) {
    let rule = find("ranked-pairs");
    let n = case.candidates;
    for parameters in variants(&rule, &alone(&rule, case.picks, 1)) {
        let of = |&(a, b): &(usize, usize)| strength(case, parameters.strength.unwrap(), a, b);
        let pairs = (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).filter(|pair| of(pair) > 0);
        let mut defeats: Vec<(usize, usize)> = pairs.collect();
        let place = |c: usize| lot.iter().position(|&drawn| drawn == c);
        defeats.sort_by_key(|pair| (std::cmp::Reverse(of(pair)), place(pair.0), place(pair.1)));
        let expected = locked(n, &defeats);
        let ranks_of_locked =
            |locked: &[(usize, usize)]| ranks_by_chains(n, &|a, b| locked.contains(&(a, b)));
        let outcome = case.count(&rule, &Parameters { ladder: by_lot(lot), ..parameters.clone() }).unwrap();
        assert_eq!(ranks(&outcome), ranks_of_locked(&expected), "{case:?} {lot:?}");

        if defeats.len() <= 5 {
            // Without a ladder: the same in every order of equally strong defeats, or no count.
            let ways = orders(defeats.len())
                .into_iter()
                .map(|order| order.into_iter().map(|i| defeats[i]).collect::<Vec<_>>());
            let falling = |way: &Vec<(usize, usize)>| way.windows(2).all(|two| of(&two[0]) >= of(&two[1]));
            let ends: Vec<_> = ways.filter(falling).map(|way| locked(n, &way)).collect();
            match case.count(&rule, &parameters) {
                Ok(outcome) => {
                    assert!(ends.iter().all(|end| *end == expected), "{case:?}");
                    assert_eq!(ranks(&outcome), ranks_of_locked(&expected), "{case:?}");
                }
                Err(Refusal::Undecided { tied }) => {
                    assert!(tied.len() > 1 && ends.iter().any(|end| *end != expected), "{case:?}");
                }
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }
}

#[track_caller]
fn check_kemeny(case: &Case, lot: &[usize]) {
    let rule = find("kemeny");
    let n = case.candidates;
    let parameters = Parameters { ladder: by_lot(lot), ..alone(&rule, case.picks, 1) };
    let outcome = case.count(&rule, &parameters).unwrap();
    let found = duels(&outcome).orders.as_ref().unwrap();
    let pairs = |order: &[usize]| -> Vec<(usize, usize)> {
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        pairs.map(|(i, j)| (order[i], order[j])).collect()
    };
    let score = |order: &[usize]| pairs(order).into_iter().map(|(a, b)| case.above(a, b)).sum::<u128>();
    let all = orders(n);
    let most = all.iter().map(|order| score(order)).max().unwrap();
    let mut optimal: Vec<Vec<usize>> = all.into_iter().filter(|order| score(order) == most).collect();
    assert_eq!(found.score, whole(most.try_into().unwrap()), "{case:?}");
    assert_eq!(found.optimal, optimal.len() as u64, "{case:?}");
    let mut shared: Vec<_> = pairs(&optimal[0]);
    shared.retain(|pair| optimal.iter().all(|order| pairs(order).contains(pair)));
    shared.sort_unstable();
    assert_eq!(found.shared, shared, "{case:?}");
    let place = |c: &usize| lot.iter().position(|drawn| drawn == c);
    optimal.sort_by_key(|order| order.iter().map(place).collect::<Vec<_>>());
    assert_eq!(found.published.as_ref(), Some(&optimal[0]), "{case:?}");
    assert_eq!(found.listed, optimal[..optimal.len().min(100)], "{case:?}");
    // A tier ends where all optimal orders have the same candidates on top.
    let top = |order: &[usize], size: usize| {
        let mut top = order[..size].to_vec();
        top.sort_unstable();
        top
    };
    let ends = |size: &usize| optimal.iter().all(|order| top(order, *size) == top(&optimal[0], *size));
    for cut in 1..=n {
        let outcome = case.count(&rule, &Parameters { cut, ..parameters.clone() }).unwrap();
        assert_eq!(outcome.ties.iter().any(|tie| tie.matters), !ends(&cut), "cut {cut} {case:?}");
    }
    let tier = |c: usize| {
        let place = optimal[0].iter().position(|&other| other == c).unwrap();
        (0..=place).rev().find(ends).unwrap() + 1
    };
    assert_eq!(ranks(&outcome), (0..n).map(tier).collect::<Vec<_>>(), "{case:?}");
}

#[track_caller]
fn check(case: &Case, lot: &[usize]) {
    check_facts(case);
    check_scores(case);
    check_schulze(case);
    check_ranked_pairs(case, lot);
    check_kemeny(case, lot);
}

#[test]
fn duels_of_all_elections_of_three_candidates_and_three_voters_count_as_their_definitions_say() {
    for case in all_of_three() {
        let lots = orders(case.candidates);
        check(&case, &lots[lots.len() / 2]);
    }
}

#[test]
#[ignore = "all elections of four: without optimisation an hour; .ci/run has them"]
fn duels_of_all_elections_of_four_candidates_and_four_voters_count_as_their_definitions_say() {
    let lots = orders(4);
    all_of_four().for_each(|case| check(&case, &lots[lots.len() / 2]));
}

proptest! {
    #[test]
    fn duels_of_random_elections_count_as_their_definitions_say((case, lot) in random_with_order(5, 7)) {
        check(&case, &lot);
    }
}
