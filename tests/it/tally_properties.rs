//! What every counting rule must keep, over random elections, and every small election against a scorer that
//! was written from the definitions with nothing but loops and sixths.
//!
//! A rule that looks at the order of ballots or names, or a figure that drifts when ballots are replaced one at a
//! time, fails here.

use handslag::tally::{
    Counts, Election, Family, Fraction, Ladder, Outcome, Parameters, Profile, Rule, Step, parse_fraction,
    rules,
};
use proptest::prelude::*;

/// The most candidates of a random election; large enough for ties, circles and unranked ones.
const MOST: u8 = 6;

/// Candidates, the most picks, ballots of any length up to it.
#[derive(Clone, Debug)]
struct Random {
    candidates: u8,
    picks: usize,
    ballots: Vec<Vec<u8>>,
}

fn random() -> impl Strategy<Value = Random> {
    (2..=MOST).prop_flat_map(|candidates| {
        (1..=usize::from(candidates)).prop_flat_map(move |picks| {
            let order = Just((0..candidates).collect::<Vec<u8>>()).prop_shuffle();
            let ballot = (order, 0..=picks).prop_map(|(order, length)| order[..length].to_vec());
            prop::collection::vec(ballot, 0..12).prop_map(move |ballots| Random {
                candidates,
                picks,
                ballots,
            })
        })
    })
}

fn order(candidates: u8) -> impl Strategy<Value = Vec<u8>> {
    Just((0..candidates).collect::<Vec<u8>>()).prop_shuffle()
}

fn profile(candidates: u8, ballots: &[Vec<u8>]) -> Profile {
    let mut profile = Profile::new(candidates.into());
    for ballot in ballots {
        profile.add(ballot, 1);
    }
    profile
}

/// Every rule that adds points up.
fn positional(picks: usize) -> impl Iterator<Item = Rule> {
    rules(picks).filter(|rule| rule.family() == Family::Positional)
}

/// Falling points with fractions, for `custom`: k², (k-1)², …, and the last one halved.
fn points(rule: &Rule, picks: usize) -> Option<Vec<Fraction>> {
    let square = |rank: usize| if rank == 1 { "1/2".to_owned() } else { (rank * rank).to_string() };
    let points = || (1..=picks).rev().map(|rank| parse_fraction(&square(rank)).unwrap()).collect();
    (rule.id() == "custom").then(points)
}

/// The ladder with a lot of all candidates.
fn ladder(lot: &[u8]) -> Ladder {
    Ladder { steps: Step::ALL.to_vec(), lot: Some(lot.iter().copied().map(usize::from).collect()) }
}

fn count(rule: &Rule, profile: &Profile, picks: usize, ladder: &Ladder) -> Outcome {
    let counts = Counts::of(profile);
    let election = Election { profile, counts: &counts, picks };
    let parameters =
        Parameters { points: points(rule, picks), ladder: ladder.clone(), cut: 1, ..Parameters::default() };
    rule.count(&election, &parameters).unwrap()
}

/// By number of the candidate: score, rank, resolved rank.
fn by_candidate(outcome: &Outcome) -> Vec<(Fraction, usize, usize)> {
    let mut rows: Vec<_> = outcome.standings.iter().collect();
    rows.sort_by_key(|standing| standing.candidate);
    rows.iter().map(|s| (s.score.clone().unwrap(), s.rank, s.resolved_rank)).collect()
}

fn scores(outcome: &Outcome) -> Vec<Fraction> {
    by_candidate(outcome).into_iter().map(|(score, ..)| score).collect()
}

fn whole(number: usize) -> Fraction {
    Fraction::from_integer(number.into())
}

proptest! {
    #[test]
    fn the_order_of_the_ballots_does_not_matter(
        (election, shuffled, lot) in random().prop_flat_map(|election| {
            let shuffled = Just(election.ballots.clone()).prop_shuffle();
            let lot = order(election.candidates);
            (Just(election), shuffled, lot)
        })
    ) {
        let (one, other) = (profile(election.candidates, &election.ballots), profile(election.candidates, &shuffled));
        for rule in positional(election.picks) {
            let ladder = ladder(&lot);
            prop_assert_eq!(
                count(&rule, &one, election.picks, &ladder),
                count(&rule, &other, election.picks, &ladder)
            );
        }
    }

    #[test]
    fn the_names_of_the_candidates_do_not_matter(
        (election, names, lot) in random().prop_flat_map(|election| {
            let (names, lot) = (order(election.candidates), order(election.candidates));
            (Just(election), names, lot)
        })
    ) {
        let rename = |ballot: &Vec<u8>| ballot.iter().map(|&c| names[usize::from(c)]).collect::<Vec<u8>>();
        let renamed: Vec<Vec<u8>> = election.ballots.iter().map(rename).collect();
        let (one, other) = (profile(election.candidates, &election.ballots), profile(election.candidates, &renamed));
        for rule in positional(election.picks) {
            let before = by_candidate(&count(&rule, &one, election.picks, &ladder(&lot)));
            let after = by_candidate(&count(&rule, &other, election.picks, &ladder(&rename(&lot))));
            for (candidate, row) in before.iter().enumerate() {
                prop_assert_eq!(row, &after[usize::from(names[candidate])], "{:?}", rule);
            }
        }
    }

    #[test]
    fn so_many_copies_of_the_ballots_give_so_many_times_the_scores(
        (election, lot) in random().prop_flat_map(|election| {
            let lot = order(election.candidates);
            (Just(election), lot)
        }),
        copies in 1_usize..5,
    ) {
        let one = profile(election.candidates, &election.ballots);
        let copied = vec![election.ballots.clone(); copies].concat();
        let many = profile(election.candidates, &copied);
        for rule in positional(election.picks) {
            let ladder = ladder(&lot);
            let (one, many) = (count(&rule, &one, election.picks, &ladder), count(&rule, &many, election.picks, &ladder));
            for (row, multiplied) in by_candidate(&one).into_iter().zip(by_candidate(&many)) {
                prop_assert_eq!((row.0 * whole(copies), row.1, row.2), multiplied);
            }
            prop_assert_eq!(one.ties, many.ties);
        }
    }

    #[test]
    fn raising_a_winner_keeps_it_a_winner(election in random(), which in any::<prop::sample::Index>()) {
        prop_assume!(!election.ballots.is_empty());
        let which = which.index(election.ballots.len());
        let before = profile(election.candidates, &election.ballots);
        for rule in positional(election.picks) {
            let ladder = Ladder { steps: Vec::new(), lot: None };
            let outcome = count(&rule, &before, election.picks, &ladder);
            let winner = u8::try_from(outcome.standings[0].candidate).unwrap();
            let mut ballots = election.ballots.clone();
            let ballot = &mut ballots[which];
            match ballot.iter().position(|&pick| pick == winner) {
                Some(0) => {}
                Some(rank) => ballot.swap(rank - 1, rank),
                // Not picked: it takes the last pick's place, so the length stays as it was.
                None => if let Some(last) = ballot.last_mut() { *last = winner },
            }
            let after = count(&rule, &profile(election.candidates, &ballots), election.picks, &ladder);
            prop_assert_eq!(by_candidate(&after)[usize::from(winner)].1, 1, "{:?} {:?}", rule, ballots);
        }
    }

    #[test]
    fn scores_of_groups_add_up_to_the_whole(election in random(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(election.ballots.len() + 1);
        let (some, others) = election.ballots.split_at(cut);
        for rule in positional(election.picks) {
            let of = |ballots: &[Vec<u8>]| {
                let profile = profile(election.candidates, ballots);
                scores(&count(&rule, &profile, election.picks, &Ladder::default()))
            };
            let sum: Vec<Fraction> = of(some).into_iter().zip(of(others)).map(|(a, b)| a + b).collect();
            prop_assert_eq!(sum, of(&election.ballots), "{:?}", rule);
        }
    }

    #[test]
    fn every_ballot_gives_out_the_same_sum_in_average_borda(election in random()) {
        let rule = Rule::find("borda-average").unwrap();
        let profile = profile(election.candidates, &election.ballots);
        let sum: Fraction = scores(&count(&rule, &profile, election.picks, &Ladder::default())).into_iter().sum();
        let m = usize::from(election.candidates);
        prop_assert_eq!(sum, whole(election.ballots.len() * (m * (m - 1) / 2)));
    }

    #[test]
    fn average_borda_is_pairwise_support_with_halves_for_the_uncompared(election in random()) {
        // 2 S(a) = V (M - 1) + sum over b of N(a, b) - N(b, a): a second way to the same score.
        let m = usize::from(election.candidates);
        let profile = profile(election.candidates, &election.ballots);
        let counts = Counts::of(&profile);
        let rule = Rule::find("borda-average").unwrap();
        for (a, score) in scores(&count(&rule, &profile, election.picks, &Ladder::default())).iter().enumerate() {
            let for_a: u128 = (0..m).filter(|&b| b != a).map(|b| counts.above(a, b)).sum();
            let against: u128 = (0..m).filter(|&b| b != a).map(|b| counts.above(b, a)).sum();
            let twice = whole(election.ballots.len() * (m - 1)) + Fraction::from_integer(for_a.into())
                - Fraction::from_integer(against.into());
            prop_assert_eq!(score * whole(2), twice);
        }
    }

    #[test]
    fn replacing_ballots_one_at_a_time_gives_what_a_recount_gives(
        steps in prop::collection::vec((order(5), 0_usize..=5, any::<Option<prop::sample::Index>>()), 0..60)
    ) {
        let mut present: Vec<Vec<u8>> = Vec::new();
        let (mut kept, mut counts) = (Profile::new(5), Counts::new(5));
        for (ballot, length, withdrawn) in steps {
            if let Some(which) = withdrawn.filter(|_| !present.is_empty()) {
                let gone = present.swap_remove(which.index(present.len()));
                kept.remove(&gone);
                counts.remove(&gone);
            } else {
                let ballot = ballot[..length].to_vec();
                kept.add(&ballot, 1);
                counts.add(&ballot);
                present.push(ballot);
            }
            let recounted = profile(5, &present);
            prop_assert_eq!(&kept, &recounted);
            prop_assert_eq!(&counts, &Counts::of(&recounted));
            prop_assert_eq!(kept.longest(), counts.longest());
        }
    }
}

/// Six times the points that one ballot gives a candidate, by the definitions and by nothing else.
fn sixths(rule: &str, candidates: usize, picks: usize, ballot: &[u8], candidate: u8) -> usize {
    let length = ballot.len();
    match (ballot.iter().position(|&pick| pick == candidate).map(|i| i + 1), rule) {
        (Some(rank), "linear") => 6 * (picks - rank + 1),
        (Some(rank), "borda-average" | "borda-pessimistic") => 6 * (candidates - rank),
        (None, "borda-average") => 3 * (candidates - length - 1),
        (Some(rank), "modified-borda") => 6 * (length - rank + 1),
        (Some(rank), "dowdall") => 6 / rank,
        (Some(1), "approval-1") => 6,
        (Some(rank), "approval-2") if rank <= 2 => 6,
        (Some(rank), "approval-3") if rank <= 3 => 6,
        // 9, 4, 1/2, the last of them for the last rank there can be.
        (Some(rank), "custom") if rank == picks => 3,
        (Some(rank), "custom") => 6 * (picks - rank + 1) * (picks - rank + 1),
        (_, _) => 0,
    }
}

/// Every ranking of so many candidates, of every length.
fn rankings(candidates: u8) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    let mut from = 0;
    while from < all.len() {
        let longer: Vec<Vec<u8>> = (0..candidates)
            .filter(|candidate| !all[from].contains(candidate))
            .map(|candidate| [&all[from][..], &[candidate]].concat())
            .collect();
        all.extend(longer);
        from += 1;
    }
    all
}

#[test]
fn all_elections_of_three_candidates_and_three_voters_count_as_the_definitions_say() {
    let mut elections = 0;
    for candidates in 1..=3_u8 {
        let rankings = rankings(candidates);
        assert_eq!(rankings.len(), [2, 5, 16][usize::from(candidates) - 1]);
        for voters in 0..=3_u32 {
            for election in 0..rankings.len().pow(voters) {
                let ballot = |voter: u32| &rankings[election / rankings.len().pow(voter) % rankings.len()];
                let ballots: Vec<Vec<u8>> = (0..voters).map(|voter| ballot(voter).clone()).collect();
                elections += 1;
                check(candidates, &ballots);
            }
        }
    }
    // The sum of n^v for n of 2, 5 and 16 rankings and v from 0 to 3 voters.
    assert_eq!(elections, 15 + 156 + 4_369);
}

fn check(candidates: u8, ballots: &[Vec<u8>]) {
    let (m, picks) = (usize::from(candidates), usize::from(candidates));
    let profile = profile(candidates, ballots);
    for rule in positional(picks) {
        let outcome = count(&rule, &profile, picks, &Ladder { steps: Vec::new(), lot: None });
        let naive: Vec<usize> = (0..candidates)
            .map(|c| ballots.iter().map(|ballot| sixths(&rule.id(), m, picks, ballot, c)).sum())
            .collect();
        for (c, (score, rank, resolved)) in by_candidate(&outcome).into_iter().enumerate() {
            assert_eq!(score * whole(6), whole(naive[c]), "{rule:?} {ballots:?}");
            let above = naive.iter().filter(|&&other| other > naive[c]).count();
            assert_eq!((rank, resolved), (above + 1, above + 1), "{rule:?} {ballots:?}");
        }
    }
    let counts = Counts::of(&profile);
    for (a, b) in (0..candidates).flat_map(|a| (0..candidates).map(move |b| (a, b))).filter(|(a, b)| a != b) {
        let place = |ballot: &Vec<u8>, c| ballot.iter().position(|&pick| pick == c).unwrap_or(usize::MAX);
        let above = ballots.iter().filter(|ballot| place(ballot, a) < place(ballot, b)).count();
        assert_eq!(counts.above(a.into(), b.into()), above as u128, "{ballots:?}");
    }
}
