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

use super::{Counts, Fraction};

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

/// Adds the points up, in the unit of the counts: `scales[l]` holds for the ballots of length l.
pub(super) fn scores(counts: &Counts, unit: u128, scales: &[Scale]) -> Vec<Fraction> {
    let unit = BigInt::from(unit);
    let weigh = |points: &Fraction, weight: u128| points * BigInt::from(weight);
    (0..counts.candidates())
        .map(|candidate| {
            let mut score = Fraction::zero();
            for (length, cells) in counts.by_length() {
                let scale = &scales[length];
                for (rank, points) in scale.ranked.iter().enumerate() {
                    score += weigh(points, cells.at(length, candidate, rank));
                }
                score += weigh(&scale.unranked, cells.weight - cells.listed(length, candidate));
            }
            score / &unit
        })
        .collect()
}

fn whole(number: usize) -> Fraction {
    Fraction::from_integer(BigInt::from(number))
}
