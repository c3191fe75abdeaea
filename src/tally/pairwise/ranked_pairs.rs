//! `ranked-pairs`: the defeats are locked from the strongest down, but for those that would close a circle.
//!
//! Tideman, Independence of clones as a criterion for voting rules, Social Choice and Welfare 4 (1987). Equally strong
//! defeats are taken in the ladder's order of their winners, then of their losers; draws are not locked. Tiers: the
//! unbeaten by locked defeats, then the unbeaten of the rest, and so on. Orders of equals are never tried out: where
//! the ladder leaves equals and their order would matter, the count is refused and they are named.
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1, 2], 4); // A beats B 6 to 3, B beats C 7 to 2, C beats A 5 to 4
//! profile.add(&[1, 2, 0], 3);
//! profile.add(&[2, 0, 1], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 3 };
//! let outcome = Rule::find("ranked-pairs").unwrap().count(&election, &Parameters::default()).unwrap();
//! let order: Vec<usize> = outcome.standings.iter().map(|standing| standing.candidate).collect();
//! assert_eq!(order, [0, 1, 2]);
//! ```

use super::{Pairwise, by_tiers, strengths, tiers_of};
use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Refusal};

/// A defeat that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Who won the duel.
    pub winner: usize,
    /// Who lost it.
    pub loser: usize,
    /// How strong the defeat is.
    pub strength: Fraction,
    /// What became of it.
    pub decision: Decision,
}

/// What becomes of a defeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It counts.
    Locked,
    /// It would have closed a circle of locked defeats.
    Circle,
}

/// Who reaches whom over locked defeats, as one set of candidates a candidate; a candidate reaches itself.
struct Reach(Vec<u64>);

impl Reach {
    fn over(&self, from: usize, to: usize) -> bool {
        self.0[from] & (1 << to) != 0
    }

    fn lock(&mut self, winner: usize, loser: usize) {
        let gained = self.0[loser];
        for from in 0..self.0.len() {
            if self.over(from, winner) {
                self.0[from] |= gained;
            }
        }
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = election.counts;
    let candidates = counts.candidates();
    let strength = parameters.strength.unwrap_or_default();
    let strengths = strengths(counts, strength);
    let places = parameters.ladder.order_of_all(counts);
    let mut defeats: Vec<(usize, usize)> = (0..candidates)
        .flat_map(|a| (0..candidates).map(move |b| (a, b)))
        .filter(|&(a, b)| strengths[a][b] > 0)
        .collect();
    let rank = |&(a, b): &(usize, usize)| (std::cmp::Reverse(strengths[a][b]), places[a], places[b]);
    defeats.sort_by_key(rank);

    let mut reach = Reach((0..candidates).map(|c| 1 << c).collect());
    let mut locked = vec![vec![false; candidates]; candidates];
    let mut pairs = Vec::new();
    for equals in defeats.chunk_by(|a, b| rank(a) == rank(b)) {
        let mut left_out = Vec::new();
        let already: Vec<bool> = equals.iter().map(|&(a, b)| reach.over(b, a)).collect();
        for (&(winner, loser), already) in equals.iter().zip(already) {
            let decision = if reach.over(loser, winner) { Decision::Circle } else { Decision::Locked };
            match decision {
                Decision::Locked => {
                    reach.lock(winner, loser);
                    locked[winner][loser] = true;
                }
                // One of its equals locked it out; in another order it would have locked that one out.
                Decision::Circle if !already => left_out.push((winner, loser)),
                Decision::Circle => {}
            }
            let strength = election.profile.fraction(strengths[winner][loser]);
            pairs.push(Pair { winner, loser, strength, decision });
        }
        if !left_out.is_empty() {
            let mut tied: Vec<usize> = equals.iter().flat_map(|&(a, b)| [a, b]).collect();
            tied.sort_unstable();
            tied.dedup();
            return Err(Refusal::Undecided { tied });
        }
    }
    let tiers = tiers_of(candidates, |a, b| locked[a][b]);
    let facts = Pairwise { strength: Some(strength), pairs, ..Pairwise::facts(election) };
    let outcome = by_tiers(tiers, election, &parameters.ladder, parameters.cut);
    Ok(outcome.with(Detail::Pairwise(Box::new(facts))))
}
