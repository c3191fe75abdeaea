//! Pairwise rules: every two candidates meet in a duel, and the duels decide.
//!
//! A ranked candidate beats every unranked one on its ballot; two unranked ones give nothing to either. The matrix,
//! the Condorcet winner and the Smith set are part of every outcome of this family, whatever the rule makes of them.

pub mod copeland;
pub mod kemeny;
pub mod minimax;
pub mod ranked_pairs;
pub mod schulze;

pub use kemeny::Orders;
pub use ranked_pairs::{Decision, Pair};

use super::{Counts, Election, Fraction, Ladder, Outcome, Profile};
use crate::tally::words::words;

words! {
    /// How strong a duel's outcome is.
    Strength {
        /// N(a, b) where a wins, else 0.
        #[default]
        WinningVotes = "winning-votes",
        /// N(a, b) - N(b, a) where that is positive.
        Margins = "margins",
        /// N(b, a), defeat or not; of `minimax` only.
        Opposition = "opposition",
    }
}

/// What a pairwise count shows besides the standings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairwise {
    /// N(a, b): `matrix[a][b]` is the weight of the ballots that rank a above b.
    pub matrix: Vec<Vec<Fraction>>,
    /// Who beats everybody else.
    pub condorcet_winner: Option<usize>,
    /// Who loses to nobody.
    pub weak_winners: Vec<usize>,
    /// The smallest group in which each beats everybody outside it (Smith 1973; Good 1971).
    pub smith_set: Vec<usize>,
    /// The strength in use, of rules that have one.
    pub strength: Option<Strength>,
    /// Of `schulze`: the strength of the strongest path from one to another, 0 if there is none.
    pub paths: Option<Vec<Vec<Fraction>>>,
    /// Of `ranked-pairs`: every defeat in the order in which it was tried.
    pub pairs: Vec<Pair>,
    /// Of `kemeny`: the optimal orders.
    pub orders: Option<Orders>,
}

impl Pairwise {
    /// The facts that every pairwise rule shows.
    pub(super) fn facts(election: &Election<'_>) -> Self {
        let counts = election.counts;
        let all: Vec<usize> = (0..counts.candidates()).collect();
        let facing = |c: usize, holds: &dyn Fn(usize, usize) -> bool| {
            all.iter().filter(|&&other| other != c).all(|&other| holds(c, other))
        };
        let beats = |a, b| counts.above(a, b) > counts.above(b, a);
        let draws = |a, b| counts.above(a, b) >= counts.above(b, a);
        Self {
            matrix: square(election.profile, |a, b| counts.above(a, b)),
            condorcet_winner: all.iter().copied().find(|&c| facing(c, &beats)),
            weak_winners: all.iter().copied().filter(|&c| facing(c, &draws)).collect(),
            smith_set: smith_set(counts),
            strength: None,
            paths: None,
            pairs: Vec::new(),
            orders: None,
        }
    }
}

/// A square of weights as the fractions they are.
fn square(profile: &Profile, weight: impl Fn(usize, usize) -> u128) -> Vec<Vec<Fraction>> {
    let all = 0..profile.candidates();
    all.clone().map(|a| all.clone().map(|b| profile.fraction(weight(a, b))).collect()).collect()
}

/// The Smith set: in the order of wins and draws it is the shortest beginning that beats all the rest.
fn smith_set(counts: &Counts) -> Vec<usize> {
    let candidates = counts.candidates();
    let beats = |a: usize, b: usize| counts.above(a, b) > counts.above(b, a);
    let score = |c: usize| -> usize {
        // Twice the Copeland score: whoever is in the Smith set has more than whoever is not.
        (0..candidates)
            .filter(|&o| o != c)
            .map(|o| usize::from(beats(c, o)) + usize::from(!beats(o, c)))
            .sum()
    };
    let mut order: Vec<usize> = (0..candidates).collect();
    order.sort_by_key(|&c| std::cmp::Reverse(score(c)));
    let splits = |size: usize| order[..size].iter().all(|&a| order[size..].iter().all(|&b| beats(a, b)));
    let size = (1..candidates).find(|&size| splits(size)).unwrap_or(candidates);
    let mut set = order[..size].to_vec();
    set.sort_unstable();
    set
}

/// The strength of each duel for its winner, 0 for all others.
fn strengths(counts: &Counts, strength: Strength) -> Vec<Vec<u128>> {
    let of = |a: usize, b: usize| {
        let (ours, theirs) = (counts.above(a, b), counts.above(b, a));
        match strength {
            _ if ours <= theirs => 0,
            Strength::Margins => ours - theirs,
            Strength::WinningVotes | Strength::Opposition => ours,
        }
    };
    let all = 0..counts.candidates();
    all.clone().map(|a| all.clone().map(|b| of(a, b)).collect()).collect()
}

/// Tiers: takes away the unbeaten, again and again, the best first. `beats` has no circles.
fn tiers_of(candidates: usize, beats: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..candidates).collect();
    let mut tiers = Vec::new();
    while !left.is_empty() {
        let unbeaten = |&c: &usize| !left.iter().any(|&other| beats(other, c));
        let (tier, rest): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(unbeaten);
        assert!(!tier.is_empty(), "a relation without circles leaves somebody unbeaten");
        tiers.push(tier);
        left = rest;
    }
    tiers
}

/// The outcome of tiers that have no score.
fn by_tiers(tiers: Vec<Vec<usize>>, election: &Election<'_>, ladder: &Ladder, cut: usize) -> Outcome {
    Outcome::by_tiers(tiers, None, election.counts, ladder, cut)
}
