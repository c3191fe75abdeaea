//! Small elections: all there are, up to a size, and random ones; and the one way in which the tests count them.

use handslag::tally::pairwise::Strength;
use handslag::tally::pairwise::copeland::Draws;
use handslag::tally::rounds::Transfer;
use handslag::tally::{
    Counts, Election, Family, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Rule, Step, rules,
};
use proptest::prelude::*;

/// An election: candidates, the most picks, ballots of any length up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) candidates: usize,
    pub(crate) picks: usize,
    pub(crate) ballots: Vec<Vec<u8>>,
}

impl Case {
    pub(crate) fn profile(&self) -> Profile {
        let mut profile = Profile::new(self.candidates);
        self.ballots.iter().for_each(|ballot| profile.add(ballot, 1));
        profile
    }

    pub(crate) fn count(&self, rule: &Rule, parameters: &Parameters) -> Result<Outcome, Refusal> {
        count(rule, &self.profile(), self.picks, parameters)
    }

    /// The same election with other ballots.
    pub(crate) fn with(&self, ballots: Vec<Vec<u8>>) -> Self {
        Self { ballots, ..self.clone() }
    }

    /// Every ballot with other names.
    pub(crate) fn renamed(&self, names: &[usize]) -> Self {
        self.with(self.ballots.iter().map(|ballot| renamed(ballot, names)).collect())
    }

    /// How many ballots put a above b; a ranked candidate is above every unranked one.
    pub(crate) fn above(&self, a: usize, b: usize) -> u128 {
        let place = |ballot: &[u8], c: usize| ballot.iter().position(|&pick| usize::from(pick) == c);
        let is_above = |ballot: &&Vec<u8>| match (place(ballot, a), place(ballot, b)) {
            (Some(a), Some(b)) => a < b,
            (a, b) => a.is_some() && b.is_none(),
        };
        self.ballots.iter().filter(is_above).count() as u128
    }

    pub(crate) fn beats(&self, a: usize, b: usize) -> bool {
        self.above(a, b) > self.above(b, a)
    }

    /// Whether every ballot ranks everybody.
    pub(crate) fn is_complete(&self) -> bool {
        self.ballots.iter().all(|ballot| ballot.len() == self.candidates)
    }
}

fn renamed(ballot: &[u8], names: &[usize]) -> Vec<u8> {
    ballot.iter().map(|&c| u8::try_from(names[usize::from(c)]).unwrap()).collect()
}

pub(crate) fn count(
    rule: &Rule,
    profile: &Profile,
    picks: usize,
    parameters: &Parameters,
) -> Result<Outcome, Refusal> {
    let counts = Counts::of(profile);
    rule.count(&Election { profile, counts: &counts, picks }, parameters)
}

/// No step of the ladder, and points where the rule needs them: k², (k-1)², …, and the last one halved.
pub(crate) fn alone(rule: &Rule, picks: usize, cut: usize) -> Parameters {
    let square = |rank: usize| Fraction::new((rank * rank).into(), if rank == 1 { 2 } else { 1 }.into());
    let points = (rule.id() == "custom").then(|| (1..=picks).rev().map(square).collect());
    Parameters { points, cut, ladder: Ladder { steps: Vec::new(), lot: None }, ..Parameters::default() }
}

/// The ladder with the lot alone.
pub(crate) fn by_lot(lot: &[usize]) -> Ladder {
    Ladder { steps: vec![Step::Lot], lot: Some(lot.to_vec()) }
}

/// Every way in which a rule's own parameters can be set, besides points, seats and conditions.
pub(crate) fn variants(rule: &Rule, parameters: &Parameters) -> Vec<Parameters> {
    let with = |change: &dyn Fn(&mut Parameters)| {
        let mut parameters = parameters.clone();
        change(&mut parameters);
        parameters
    };
    match rule.id().as_str() {
        "copeland" => Draws::ALL.map(|draws| with(&|p| p.draws = Some(draws))).to_vec(),
        "minimax" => Strength::ALL.map(|strength| with(&|p| p.strength = Some(strength))).to_vec(),
        "schulze" | "ranked-pairs" => [Strength::WinningVotes, Strength::Margins]
            .map(|strength| with(&|p| p.strength = Some(strength)))
            .to_vec(),
        "stv" => Transfer::ALL.map(|method| with(&|p| p.method = Some(method))).to_vec(),
        _ => vec![parameters.clone()],
    }
}

pub(crate) fn find(rule: &str) -> Rule {
    Rule::find(rule).unwrap_or_else(|| panic!("there is no rule {rule}"))
}

/// Whether the outcome depends on a number of seats.
pub(crate) fn has_seats(rule: &Rule) -> bool {
    rule.takes("seats")
}

/// Ranks by number of the candidate, before the ladder.
pub(crate) fn ranks(outcome: &Outcome) -> Vec<usize> {
    let mut ranks = vec![0; outcome.standings.len()];
    outcome.standings.iter().for_each(|standing| ranks[standing.candidate] = standing.rank);
    ranks
}

/// Every rule that a short round has, and each number of seats that makes a difference to it.
pub(crate) fn rules_and_cuts(case: &Case) -> Vec<(Rule, usize)> {
    let cuts = |rule: &Rule| if has_seats(rule) { 1..=case.candidates } else { 1..=1 };
    rules(case.picks).flat_map(|rule| cuts(&rule).map(move |cut| (rule, cut))).collect()
}

/// The rules of a family.
pub(crate) fn family(family: Family, picks: usize) -> impl Iterator<Item = Rule> {
    rules(picks).filter(move |rule| rule.family() == family)
}

/// Every ranking of so many candidates, of every length.
pub(crate) fn rankings(candidates: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    let mut from = 0;
    while from < all.len() {
        let outside = (0..u8::try_from(candidates).unwrap()).filter(|c| !all[from].contains(c));
        let longer: Vec<Vec<u8>> = outside.map(|c| [&all[from][..], &[c]].concat()).collect();
        all.extend(longer);
        from += 1;
    }
    all
}

/// Every order of the numbers below n.
pub(crate) fn orders(n: usize) -> Vec<Vec<usize>> {
    let complete = rankings(n).into_iter().filter(|ranking| ranking.len() == n);
    complete.map(|ranking| ranking.into_iter().map(usize::from).collect()).collect()
}

/// Every set of so many of the candidates.
pub(crate) fn sets(candidates: usize, size: usize) -> Vec<Vec<usize>> {
    let all = 0..1_u32 << candidates;
    let members = |bits: u32| (0..candidates).filter(|c| bits & (1 << c) != 0).collect::<Vec<usize>>();
    all.map(members).filter(|set| set.len() == size).collect()
}

/// Multisets of so many of the first `n` numbers, each in ascending order.
fn multisets(n: usize, size: usize) -> Vec<Vec<usize>> {
    (0..size).fold(vec![Vec::new()], |shorter, _| {
        let longer = |set: &Vec<usize>| {
            let set = set.clone();
            (set.last().copied().unwrap_or(0)..n).map(move |next| [&set[..], &[next]].concat())
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// All elections of up to three candidates and up to three voters.
pub(crate) fn all_of_three() -> Vec<Case> {
    let mut cases = Vec::new();
    for candidates in 1..=3 {
        let rankings = rankings(candidates);
        for voters in 0..=3 {
            for chosen in multisets(rankings.len(), voters) {
                let ballots = chosen.into_iter().map(|i| rankings[i].clone()).collect();
                cases.push(Case { candidates, picks: candidates, ballots });
            }
        }
    }
    // n multichoose v, for n of 2, 5 and 16 rankings and v from 0 to 3 voters.
    assert_eq!(cases.len(), 10 + 56 + 969);
    cases
}

/// All elections of so many candidates and voters, up to the candidates' names.
fn all_up_to_names(candidates: usize, voters: usize) -> Vec<Case> {
    let rankings = rankings(candidates);
    let number = |ranking: &Vec<u8>| rankings.iter().position(|other| other == ranking).unwrap();
    let renamings: Vec<Vec<usize>> = orders(candidates)
        .iter()
        .map(|names| rankings.iter().map(|ranking| number(&renamed(ranking, names))).collect())
        .collect();
    let is_first = |chosen: &Vec<usize>| {
        renamings.iter().all(|renaming| {
            let mut other: Vec<usize> = chosen.iter().map(|&i| renaming[i]).collect();
            other.sort_unstable();
            *chosen <= other
        })
    };
    let firsts = multisets(rankings.len(), voters).into_iter().filter(is_first);
    let ballots = |chosen: Vec<usize>| chosen.into_iter().map(|i| rankings[i].clone()).collect();
    firsts.map(|chosen| Case { candidates, picks: candidates, ballots: ballots(chosen) }).collect()
}

/// All elections of four candidates and up to four voters, up to the candidates' names: for optimised builds.
pub(crate) fn all_of_four() -> impl Iterator<Item = Case> {
    (0..=4).flat_map(|voters| all_up_to_names(4, voters))
}

/// All elections of up to three candidates and up to three voters, up to the candidates' names.
pub(crate) fn all_of_three_up_to_names() -> Vec<Case> {
    let sizes = (1..=3).flat_map(|candidates| (0..=3).map(move |voters| (candidates, voters)));
    sizes.flat_map(|(candidates, voters)| all_up_to_names(candidates, voters)).collect()
}

/// Random elections of two to so many candidates and up to so many voters.
pub(crate) fn random(most_candidates: usize, most_voters: usize) -> impl Strategy<Value = Case> {
    (2..=most_candidates).prop_flat_map(move |candidates| {
        (1..=candidates).prop_flat_map(move |picks| {
            let ballot = (order(candidates), 0..=picks).prop_map(|(order, length)| {
                order[..length].iter().map(|&c| u8::try_from(c).unwrap()).collect::<Vec<u8>>()
            });
            prop::collection::vec(ballot, 0..=most_voters).prop_map(move |ballots| Case {
                candidates,
                picks,
                ballots,
            })
        })
    })
}

/// A random order of so many candidates.
pub(crate) fn order(candidates: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..candidates).collect::<Vec<usize>>()).prop_shuffle()
}

/// A random election with a random order of its candidates.
pub(crate) fn random_with_order(
    most_candidates: usize,
    most_voters: usize,
) -> impl Strategy<Value = (Case, Vec<usize>)> {
    random(most_candidates, most_voters).prop_flat_map(|case| {
        let order = order(case.candidates);
        (Just(case), order)
    })
}
