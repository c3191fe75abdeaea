//! What a portfolio must and must not hold.

use num_traits::Zero;

use crate::tally::Fraction;
use crate::tally::rounds::Set;

/// Conditions on a portfolio. Rules that search all portfolios take them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// These are in it.
    pub must: Vec<usize>,
    /// These are not.
    pub exclude: Vec<usize>,
    /// Of each pair at most one.
    pub either_or: Vec<(usize, usize)>,
    /// The first only with the second.
    pub requires: Vec<(usize, usize)>,
    /// What all together may cost.
    pub budget: Option<Budget>,
}

/// A limit on what a portfolio costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// At most this.
    pub limit: Fraction,
    /// What each candidate costs; not negative.
    pub costs: Vec<Fraction>,
}

impl Constraints {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a portfolio that holds these could still become a good one by holding more.
    pub(super) fn can_grow(&self, set: Set) -> bool {
        let cost = |budget: &Budget| set.members().fold(Fraction::zero(), |sum, c| sum + &budget.costs[c]);
        !self.exclude.iter().any(|&c| set.has(c))
            && !self.either_or.iter().any(|&(a, b)| set.has(a) && set.has(b))
            && self.budget.as_ref().is_none_or(|budget| cost(budget) <= budget.limit)
    }

    /// Whether this portfolio is allowed.
    pub(super) fn allow(&self, set: Set) -> bool {
        self.can_grow(set)
            && self.must.iter().all(|&c| set.has(c))
            && self.requires.iter().all(|&(a, b)| !set.has(a) || set.has(b))
    }
}
