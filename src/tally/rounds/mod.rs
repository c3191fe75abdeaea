//! Rules that count in rounds: `bucklin`, `irv` and `stv`. Every round is kept, so that it can be followed by hand.

pub mod bucklin;
pub mod irv;
pub mod meek;
pub mod stv;

pub use bucklin::Bucklin;
pub use irv::{Round, Runoff};
pub use stv::{Action, Stage, Stages};

use super::ladder::Resolution;
use super::{Counts, Ladder, Refusal};
use crate::tally::words::words;

words! {
    /// How `stv` moves votes on.
    Transfer {
        /// Weighted inclusive Gregory, as Scotland counts its local elections.
        #[default]
        Scottish = "scottish",
        /// Meek, as New Zealand counts its local elections.
        Meek = "meek",
    }
}

/// A set of candidates, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Set(pub(super) u64);

impl Set {
    pub(super) fn all(candidates: usize) -> Self {
        Self(if candidates == 64 { u64::MAX } else { (1 << candidates) - 1 })
    }

    pub(super) fn has(self, candidate: usize) -> bool {
        self.0 & (1 << candidate) != 0
    }

    pub(super) fn without(self, candidate: usize) -> Self {
        Self(self.0 & !(1 << candidate))
    }

    pub(super) fn with(self, candidate: usize) -> Self {
        Self(self.0 | (1 << candidate))
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Its members, by number.
    pub(super) fn members(self) -> Members {
        Members(self.0)
    }
}

/// The members of a set that are still to come.
#[derive(Clone, Debug)]
pub(super) struct Members(u64);

impl Iterator for Members {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        (next < 64).then_some(next)
    }
}

/// Tells the tied of an elimination apart: who leads, and who leaves.
///
/// # Errors
/// If the ladder leaves more than one on the side that is asked for.
struct Told {
    resolution: Resolution,
}

impl Told {
    fn apart(ladder: &Ladder, counts: &Counts, earlier: &[Vec<u128>], tied: Vec<usize>) -> Self {
        Self { resolution: ladder.resolve_in_count(counts, earlier, tied) }
    }

    fn one(part: &[usize]) -> Result<usize, Refusal> {
        match part {
            [one] => Ok(*one),
            tied => Err(Refusal::Undecided { tied: tied.to_vec() }),
        }
    }

    fn first(&self) -> Result<usize, Refusal> {
        Self::one(self.resolution.parts.first().expect("somebody is tied"))
    }

    fn last(&self) -> Result<usize, Refusal> {
        Self::one(self.resolution.parts.last().expect("somebody is tied"))
    }
}
