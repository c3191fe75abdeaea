//! `irv`: every ballot counts for its first candidate still in; the one with the fewest leaves, until one is left.
//!
//! Instant runoff (Ware 1871; Robert's Rules of Order, preferential voting). A ballot without a candidate still in is
//! exhausted, and its weight is shown. The first round in which somebody has more than half of what still counts is
//! marked; it ends nothing, so that every candidate gets a place: the later it leaves, the better. Equal fewest are
//! told apart by the ladder, which here begins with the latest earlier count where they differ; where it leaves equals
//! who have votes, the count is refused and they are named. Those without any vote move nothing when they leave: they
//! share their place.
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0], 4);
//! profile.add(&[1, 2], 3);
//! profile.add(&[2, 1], 2); // C leaves first, and its two ballots go to B
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let outcome = Rule::find("irv").unwrap().count(&election, &Parameters::default()).unwrap();
//! let order: Vec<usize> = outcome.standings.iter().map(|standing| standing.candidate).collect();
//! assert_eq!(order, [1, 0, 2]);
//! ```

use std::collections::HashSet;

use super::{Set, Told};
use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Profile, Refusal, Standing, Step, Tie};

/// How an instant runoff went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runoff {
    /// Every round; in the last one is left.
    pub rounds: Vec<Round>,
    /// The first round, from 1, in which somebody has more than half of what still counts; none without ballots.
    pub majority_in: Option<usize>,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The votes of each candidate still in.
    pub votes: Vec<(usize, Fraction)>,
    /// The weight of the ballots that rank nobody still in.
    pub exhausted: Fraction,
    /// Who leaves after this count; none in the last.
    pub eliminated: Option<usize>,
    /// Who had equally few, if it was more than one.
    pub tied: Vec<usize>,
    /// The deepest step that was needed to tell who of them leaves.
    pub resolved_by: Option<Step>,
}

/// How many sets of candidates are looked through to tell whether a tie matters; beyond, it is taken to.
const MOST_SETS: usize = 10_000;

/// The votes of every candidate, and of nobody, when only these are in.
fn votes(profile: &Profile, into: Set) -> (Vec<u128>, u128) {
    let mut votes = vec![0; profile.candidates()];
    let mut exhausted = 0;
    for (ranking, weight) in profile.weights() {
        match ranking.iter().find(|&&c| into.has(c.into())) {
            Some(&first) => votes[usize::from(first)] += weight,
            None => exhausted += weight,
        }
    }
    (votes, exhausted)
}

/// Who of these has the fewest votes.
fn fewest(votes: &[u128], into: Set) -> Vec<usize> {
    let least = into.members().map(|c| votes[c]).min();
    into.members().filter(|&c| Some(votes[c]) == least).collect()
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let profile = election.profile;
    let ladder = &parameters.ladder;
    let mut into = Set::all(profile.candidates());
    let mut earlier: Vec<Vec<u128>> = Vec::new();
    let mut runoff = Runoff { rounds: Vec::new(), majority_in: None };
    let mut left: Vec<Standing> = Vec::new();
    let mut ties: Vec<(Tie, Set)> = Vec::new();
    // Those without votes whom the ladder leaves tied, and the place they share.
    let mut sharing: Option<(Vec<usize>, usize)> = None;
    while into.len() > 0 {
        let (votes, exhausted) = votes(profile, into);
        let members: Vec<usize> = into.members().collect();
        let counting: u128 = members.iter().map(|&c| votes[c]).sum();
        if runoff.majority_in.is_none() && members.iter().any(|&c| votes[c] > counting / 2) {
            runoff.majority_in = Some(runoff.rounds.len() + 1);
        }
        let mut round = Round {
            votes: members.iter().map(|&c| (c, profile.fraction(votes[c]))).collect(),
            exhausted: profile.fraction(exhausted),
            eliminated: None,
            tied: Vec::new(),
            resolved_by: None,
        };
        let place = into.len();
        let leaves = if place == 1 {
            members[0]
        } else {
            let tied = fewest(&votes, into);
            let told = Told::apart(ladder, election.counts, &earlier, tied.clone());
            let last = told.resolution.parts.last().expect("somebody has the fewest");
            let leaves = if last.len() > 1 && last.iter().all(|&c| votes[c] == 0) {
                if sharing.as_ref().is_none_or(|(tied, _)| !tied.contains(&last[0])) {
                    sharing = Some((last.clone(), place + 1 - last.len()));
                }
                *last.last().expect("more than one")
            } else {
                told.last()?
            };
            if tied.len() > 1 {
                let needed = told.resolution.resolved_by(ladder);
                let continues =
                    ties.last().is_some_and(|(tie, _)| tied.iter().all(|c| tie.candidates.contains(c)));
                round.resolved_by = needed;
                if !(continues && votes[leaves] == 0) {
                    let tie = Tie {
                        candidates: told.resolution.parts.concat(),
                        resolved_by: needed,
                        matters: false,
                    };
                    ties.push((tie, into));
                }
                round.tied = tied;
            }
            round.eliminated = Some(leaves);
            leaves
        };
        let shared = sharing.as_ref().filter(|(tied, _)| tied.contains(&leaves)).map(|(_, rank)| *rank);
        let rank = shared.unwrap_or(place);
        left.push(Standing { candidate: leaves, rank, resolved_rank: rank, score: None });
        runoff.rounds.push(round);
        earlier.push(votes);
        into = into.without(leaves);
    }
    left.reverse();
    let top = left.iter().take(parameters.cut).fold(Set(0), |top, standing| top.with(standing.candidate));
    let matters = |from: Set| from.len() > parameters.cut && another_top(profile, from, top);
    let ties = ties.into_iter().map(|(tie, from)| Tie { matters: matters(from), ..tie }).collect();
    Ok(Outcome { standings: left, ties, detail: Detail::Runoff(runoff) })
}

/// Whether other choices among the fewest, from these on, lead to another top: sets of those still in are gone
/// through, never orders.
fn another_top(profile: &Profile, from: Set, top: Set) -> bool {
    let mut seen = HashSet::from([from]);
    let mut open = vec![from];
    while let Some(into) = open.pop() {
        if into.len() == top.len() {
            if into != top {
                return true;
            }
            continue;
        }
        for c in fewest(&votes(profile, into).0, into) {
            if seen.len() >= MOST_SETS {
                return true;
            }
            if seen.insert(into.without(c)) {
                open.push(into.without(c));
            }
        }
    }
    false
}
