//! EJR+: whether a portfolio is fair to every group that agrees on something.
//!
//! Brill & Peters, Robust and verifiable proportionality axioms for multiwinner voting (EC 2023): for no candidate c
//! outside the portfolio and no l from 1 to m is there weight of at least l·W/m that lists c while each of those ballots
//! has fewer than l picks in the portfolio.

use num_bigint::BigInt;

use super::Hall;
use crate::tally::Fraction;
use crate::tally::rounds::Set;

/// Whether EJR+ holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// A group that deserves more, if there is one: of all, the one that falls short most, l by l.
    pub violation: Option<Violation>,
}

/// A group that a portfolio is not fair to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What all of the group list and the portfolio lacks.
    pub candidate: usize,
    /// l: how many picks in the portfolio somebody of the group should have; all have fewer.
    pub deserved: usize,
    /// The weight of the group.
    pub weight: Fraction,
    /// l·W/m: the weight that deserves so many.
    pub needed: Fraction,
}

pub(super) fn of(hall: &Hall<'_>, portfolio: Set) -> Certificate {
    let seats = hall.seats as u128;
    let outside = (0..hall.candidates()).filter(|&c| !portfolio.has(c));
    let group = |candidate: usize, deserved: usize| -> u128 {
        let in_it = |(set, _): &&(Set, u128)| {
            set.has(candidate) && ((set.0 & portfolio.0).count_ones() as usize) < deserved
        };
        hall.approvals.sets.iter().filter(in_it).map(|(_, weight)| weight).sum()
    };
    let mut worst: Option<(usize, u128, usize)> = None;
    for candidate in outside {
        for deserved in 1..=hall.seats {
            let weight = group(candidate, deserved);
            let is_larger = worst.is_none_or(|(l, w, _)| (deserved, weight) > (l, w));
            // The group must not be empty, though l·W/m may be 0 without ballots.
            if weight > 0 && weight * seats >= deserved as u128 * hall.approvals.total && is_larger {
                worst = Some((deserved, weight, candidate));
            }
        }
    }
    let violation = worst.map(|(deserved, weight, candidate)| Violation {
        candidate,
        deserved,
        weight: hall.fraction(weight),
        needed: hall.fraction(hall.approvals.total) * BigInt::from(deserved) / BigInt::from(hall.seats),
    });
    Certificate { violation }
}
