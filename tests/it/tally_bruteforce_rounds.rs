//! Rules that count in rounds against loops that move every ballot by itself.
//!
//! Nothing here shares code with the rules; ties go by the lot, or by an earlier count where the Order says so.

use std::collections::BTreeSet;

use handslag::tally::rounds::Action;
use handslag::tally::{Detail, Fraction, Parameters, Refusal};
use proptest::prelude::*;

use crate::tally_space::{
    Case, all_of_four, all_of_three, alone, by_lot, find, orders, random_with_order, ranks,
};

fn whole(number: usize) -> Fraction {
    Fraction::from_integer(number.into())
}

#[track_caller]
fn check_bucklin(case: &Case) {
    let rule = find("bucklin");
    let outcome = case.count(&rule, &alone(&rule, case.picks, 1)).unwrap();
    let Detail::Bucklin(found) = &outcome.detail else { panic!("no Bucklin") };
    let among = |c: usize, ranks: usize| {
        let reads = |ballot: &&Vec<u8>| ballot.iter().take(ranks).any(|&pick| usize::from(pick) == c);
        case.ballots.iter().filter(reads).count()
    };
    let longest = case.ballots.iter().map(Vec::len).max().unwrap_or(0);
    let mut at = 1;
    while at <= longest && (0..case.candidates).all(|c| 2 * among(c, at) <= case.ballots.len()) {
        at += 1;
    }
    assert_eq!(found.majority_at, (at <= longest).then_some(at), "{case:?}");
    let at = at.min(longest);
    let rank = |c: usize| (0..case.candidates).filter(|&other| among(other, at) > among(c, at)).count() + 1;
    assert_eq!(ranks(&outcome), (0..case.candidates).map(rank).collect::<Vec<_>>(), "{case:?}");
    assert_eq!(found.levels.len(), at, "{case:?}");
}

/// Who counts for how many when only these are in.
fn votes(case: &Case, into: &[usize]) -> Vec<usize> {
    let first = |ballot: &Vec<u8>| ballot.iter().map(|&c| usize::from(c)).find(|c| into.contains(c));
    let firsts: Vec<_> = case.ballots.iter().filter_map(first).collect();
    into.iter().map(|c| firsts.iter().filter(|first| *first == c).count()).collect()
}

/// The fewest of those in.
fn fewest(case: &Case, into: &[usize]) -> Vec<usize> {
    let votes = votes(case, into);
    let least = votes.iter().min().unwrap();
    into.iter().zip(&votes).filter(|(_, votes)| *votes == least).map(|(&c, _)| c).collect()
}

/// Every top of so many that can be left when the fewest are taken away, in whatever order equals go.
fn tops(case: &Case, into: &[usize], size: usize) -> BTreeSet<Vec<usize>> {
    if into.len() <= size {
        return BTreeSet::from([into.to_vec()]);
    }
    let without = |gone: usize| into.iter().copied().filter(|&c| c != gone).collect::<Vec<_>>();
    fewest(case, into).into_iter().flat_map(|gone| tops(case, &without(gone), size)).collect()
}

#[track_caller]
fn check_irv(case: &Case, lot: &[usize]) {
    let rule = find("irv");
    let place = |c: usize| lot.iter().position(|&drawn| drawn == c);
    let mut into: Vec<usize> = (0..case.candidates).collect();
    let mut order = Vec::new();
    let mut counts = Vec::new();
    let mut majority = None;
    while !into.is_empty() {
        let now = votes(case, &into);
        let counting: usize = now.iter().sum();
        if majority.is_none() && now.iter().any(|votes| 2 * votes > counting) {
            majority = Some(counts.len() + 1);
        }
        counts.push(into.iter().copied().zip(now.into_iter().map(whole)).collect::<Vec<_>>());
        let leaves = fewest(case, &into).into_iter().max_by_key(|&c| place(c)).unwrap();
        order.insert(0, leaves);
        into.retain(|&c| c != leaves);
    }
    for cut in 1..=case.candidates {
        let parameters = Parameters { ladder: by_lot(lot), ..alone(&rule, case.picks, cut) };
        let outcome = case.count(&rule, &parameters).unwrap();
        let Detail::Runoff(found) = &outcome.detail else { panic!("no runoff") };
        let found_order: Vec<usize> = outcome.standings.iter().map(|s| s.candidate).collect();
        assert_eq!(found_order, order, "{case:?} {lot:?}");
        assert_eq!(found.rounds.iter().map(|round| round.votes.clone()).collect::<Vec<_>>(), counts);
        assert_eq!(found.majority_in, majority, "{case:?}");
        // A tie matters if from there on another top was possible.
        for tie in &outcome.ties {
            let at = found.rounds.iter().position(|round| {
                let mut tied = tie.candidates.clone();
                tied.sort_unstable();
                round.tied == tied
            });
            let into: Vec<usize> = found.rounds[at.unwrap()].votes.iter().map(|(c, _)| *c).collect();
            let another = into.len() > cut && tops(case, &into, cut).len() > 1;
            assert_eq!(tie.matters, another, "{tie:?} cut {cut} {case:?} {lot:?}");
        }
    }
    // Without a ladder: refused, or whatever the lot says, except where nobody has a vote.
    match case.count(&rule, &alone(&rule, case.picks, 1)) {
        Err(Refusal::Undecided { tied }) => assert!(tied.len() > 1, "{case:?}"),
        Ok(outcome) => {
            let ranks = ranks(&outcome);
            assert!(order.windows(2).all(|two| ranks[two[0]] <= ranks[two[1]]), "{case:?} {ranks:?}");
            let places = outcome.standings.iter().map(|standing| standing.rank);
            let expected =
                places.clone().map(|rank| places.clone().filter(|&other| other < rank).count() + 1);
            assert!(places.clone().eq(expected), "{case:?} {ranks:?}");
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

/// A vote in hundred-thousandths.
const VOTE: i128 = 100_000;

/// One ballot paper: where it lies, and what it is worth.
struct Paper {
    ranking: Vec<usize>,
    with: Option<usize>,
    value: i128,
}

/// The Scottish count, paper by paper: the votes after each stage, and the elected in their order.
fn scottish(case: &Case, seats: usize, lot: &[usize]) -> (Vec<Vec<i128>>, Vec<usize>) {
    let quota = VOTE * (i128::try_from(case.ballots.len()).unwrap() / (seats as i128 + 1) + 1);
    let mut papers: Vec<Paper> = case
        .ballots
        .iter()
        .map(|ballot| ballot.iter().map(|&c| usize::from(c)).collect::<Vec<_>>())
        .map(|ranking| Paper { with: ranking.first().copied(), ranking, value: VOTE })
        .collect();
    let all: Vec<usize> = (0..case.candidates).collect();
    let mut gone: Vec<usize> = Vec::new();
    let mut elected: Vec<usize> = Vec::new();
    let mut stages: Vec<Vec<i128>> = Vec::new();
    // Who had a surplus once keeps the quota as whole votes, its papers having gone.
    let mut kept = vec![0; case.candidates];
    loop {
        let lying = |c: usize| papers.iter().filter(|p| p.with == Some(c)).map(|p| p.value).sum::<i128>();
        let now: Vec<i128> = all.iter().map(|&c| kept[c] + lying(c)).collect();
        let open = |c: &usize| !gone.contains(c) && !elected.contains(c);
        let mut reached: Vec<usize> = all.iter().copied().filter(open).filter(|&c| now[c] >= quota).collect();
        reached.sort_by_key(|&c| -now[c]);
        elected.extend(reached);
        stages.push(now.clone());
        let open: Vec<usize> =
            all.iter().copied().filter(|c| !gone.contains(c) && !elected.contains(c)).collect();
        if elected.len() >= seats {
            return (stages, elected);
        }
        if open.len() <= seats - elected.len() {
            let mut rest = open;
            rest.sort_by_key(|&c| -now[c]);
            elected.extend(rest);
            return (stages, elected);
        }
        // Equals: the latest earlier stage at which they differ, again for those still equal, and then the lot.
        let told_apart = |mut tied: Vec<usize>, sign: i128| -> usize {
            while tied.len() > 1 {
                let differs = |stage: &&Vec<i128>| tied.iter().any(|&c| stage[c] != stage[tied[0]]);
                let Some(stage) = stages.iter().rev().find(differs) else {
                    let place = |c: &&usize| lot.iter().position(|drawn| drawn == *c).unwrap() as i128;
                    return *tied.iter().min_by_key(|c| place(c) * sign).unwrap();
                };
                let most = tied.iter().map(|&c| stage[c] * sign).max().unwrap();
                tied.retain(|&c| stage[c] * sign == most);
            }
            tied[0]
        };
        let over: Vec<usize> = elected.iter().copied().filter(|&c| now[c] > quota).collect();
        let from;
        if over.is_empty() {
            let least = open.iter().map(|&c| now[c]).min().unwrap();
            from = told_apart(open.into_iter().filter(|&c| now[c] == least).collect(), -1);
            gone.push(from);
        } else {
            let most = over.iter().map(|&c| now[c]).max().unwrap();
            from = told_apart(over.into_iter().filter(|&c| now[c] == most).collect(), 1);
            for paper in papers.iter_mut().filter(|paper| paper.with == Some(from)) {
                paper.value = (now[from] - quota) * paper.value / now[from];
            }
            kept[from] = quota;
        }
        for paper in papers.iter_mut().filter(|paper| paper.with == Some(from)) {
            let next = |c: &&usize| !gone.contains(c) && !elected.contains(c);
            paper.with = paper.ranking.iter().find(next).copied();
        }
    }
}

#[track_caller]
fn check_stv(case: &Case, lot: &[usize]) {
    let rule = find("stv");
    for seats in 1..=case.candidates {
        let parameters = Parameters { ladder: by_lot(lot), ..alone(&rule, case.picks, seats) };
        let outcome = case.count(&rule, &parameters).unwrap();
        let Detail::Stages(found) = &outcome.detail else { panic!("no stages") };
        let (stages, elected) = scottish(case, seats, lot);
        let counted = found.stages.iter().filter(|stage| stage.action != Action::LastVacancies);
        let counted: Vec<Vec<Fraction>> = counted.map(|stage| stage.votes.clone()).collect();
        let parts = |votes: &Vec<i128>| -> Vec<Fraction> {
            votes.iter().map(|&parts| Fraction::new(parts.into(), VOTE.into())).collect()
        };
        assert_eq!(counted, stages.iter().map(parts).collect::<Vec<_>>(), "{seats} seats {lot:?} {case:?}");
        assert_eq!(found.elected, elected, "{seats} seats {lot:?} {case:?}");
    }
}

#[test]
fn rounds_of_all_elections_of_three_candidates_and_three_voters_count_as_their_definitions_say() {
    for case in all_of_three() {
        let lots = orders(case.candidates);
        check_bucklin(&case);
        check_irv(&case, &lots[lots.len() / 2]);
        check_stv(&case, &lots[lots.len() / 2]);
    }
}

#[test]
#[ignore = "all elections of four: without optimisation an hour; .ci/run has them"]
fn rounds_of_all_elections_of_four_candidates_and_four_voters_count_as_their_definitions_say() {
    let lots = orders(4);
    for case in all_of_four() {
        check_bucklin(&case);
        check_irv(&case, &lots[lots.len() / 2]);
        check_stv(&case, &lots[lots.len() / 2]);
    }
}

proptest! {
    #[test]
    fn rounds_of_random_elections_count_as_their_definitions_say((case, lot) in random_with_order(5, 9)) {
        check_bucklin(&case);
        check_irv(&case, &lot);
        check_stv(&case, &lot);
    }
}
