//! Positional rules: a rank is worth points, the points are added.
//!
//! `linear`, `borda-average`, `borda-pessimistic` and approval by all picks are one dial: the points
//! of rank j are (k − j) + g, where g is the step from the last rank to "not picked": 1 linear,
//! (M − k + 1)/2 average, M − k pessimistic, g without bound approval (Terzopoulou & Endriss 2021).

pub mod approval;
pub mod borda_average;
pub mod borda_pessimistic;
pub mod custom;
pub mod dowdall;
pub mod linear;
pub mod modified_borda;

use num_bigint::BigInt;
use num_traits::Zero;

use super::{Election, Fraction, Term};

/// What the points of a rule may depend on, besides the length of a ballot.
#[derive(Debug)]
pub struct Frame<'a> {
    /// M, all candidates.
    pub candidates: usize,
    /// k, the most picks a ballot may hold.
    pub picks: usize,
    /// The points of `custom`.
    pub points: &'a [Fraction],
    /// The j of `approval-j`.
    pub depth: usize,
}

/// The points that a ballot of one length gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Points of rank 1, 2, … up to the ballot's length.
    pub ranked: Vec<Fraction>,
    /// Points of every candidate the ballot does not rank.
    pub unranked: Fraction,
}

impl Scale {
    /// So many points at each rank (from 1), none for the unranked.
    fn of(length: usize, points: impl Fn(usize) -> Fraction) -> Self {
        Self { ranked: (1..=length).map(points).collect(), unranked: Fraction::zero() }
    }
}

/// What the score of each candidate adds up from: `scales[l]` holds for the ballots of length l.
pub(super) fn terms(election: &Election<'_>, scales: &[Scale]) -> Vec<Vec<Term>> {
    let counts = election.counts;
    let term = |weight: u128, points: &Fraction, rank| {
        let weight = election.profile.fraction(weight);
        (!weight.is_zero() && !points.is_zero()).then(|| Term { weight, points: points.clone(), rank })
    };
    let of = |candidate: usize| {
        let lengths = counts.by_length().map(move |(length, cells)| {
            let scale = &scales[length];
            let ranked = scale.ranked.iter().enumerate();
            let ranked = ranked.filter_map(move |(rank, points)| {
                term(cells.at(length, candidate, rank), points, Some(rank + 1))
            });
            let unranked = cells.weight - cells.listed(length, candidate);
            ranked.chain(term(unranked, &scale.unranked, None))
        });
        lengths.flatten().collect()
    };
    (0..counts.candidates()).map(of).collect()
}

/// The sum of each candidate's terms.
pub(super) fn scores(terms: &[Vec<Term>]) -> Vec<Fraction> {
    let sum = |terms: &Vec<Term>| terms.iter().map(|term| &term.weight * &term.points).sum();
    terms.iter().map(sum).collect()
}

fn whole(number: usize) -> Fraction {
    Fraction::from_integer(BigInt::from(number))
}
