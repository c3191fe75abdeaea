//! What each ballot has paid or still owns, exactly: ballots that own the same are one purse.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

use super::approvals::Approvals;
use crate::tally::Fraction;

/// A figure for every distinct set of picks, per unit of weight, over one common denominator and in lowest terms: so
/// two states are equal exactly if their figures are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Purses {
    denominator: BigInt,
    /// Distinct figures in ascending order.
    values: Vec<BigInt>,
    /// For each distinct set of picks, which figure is its own.
    of: Vec<usize>,
}

/// The weight that supports a candidate, by purse.
type Support = Vec<Vec<u128>>;

/// A price or a load over the common denominator: (D - S) / R of the purses' parts.
#[derive(Clone, Debug)]
pub(super) struct Price {
    numerator: BigInt,
    weight: u128,
}

impl Price {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * other.weight).cmp(&(&other.numerator * self.weight))
    }
}

impl Purses {
    /// Everybody owns the same.
    pub(super) fn equal(approvals: &Approvals, each: &Fraction) -> Self {
        Self {
            denominator: each.denom().clone(),
            values: vec![each.numer().clone()],
            of: vec![0; approvals.sets.len()],
        }
        .reduced()
    }

    /// What they own as a debt.
    pub(super) fn negated(&self) -> Self {
        let values = self.values.iter().map(|value| -value).collect();
        Self { denominator: self.denominator.clone(), values, of: self.of.clone() }.reduced()
    }

    /// The price or load in units of 1 per unit of weight.
    pub(super) fn fraction(&self, price: &Price) -> Fraction {
        Fraction::new(price.numerator.clone(), &self.denominator * price.weight)
    }

    /// The largest figure.
    pub(super) fn largest(&self) -> Fraction {
        let largest = self.values.last().cloned().unwrap_or_else(BigInt::zero);
        Fraction::new(largest, self.denominator.clone())
    }

    fn support(&self, approvals: &Approvals, candidates: usize) -> Support {
        let mut support = vec![vec![0; self.values.len()]; candidates];
        for ((set, weight), &purse) in approvals.sets.iter().zip(&self.of) {
            let mut left = set.0;
            while left != 0 {
                support[left.trailing_zeros() as usize][purse] += weight;
                left &= left - 1;
            }
        }
        support
    }

    /// Equal shares: the candidates that their supporters can pay for at the lowest price, which nobody pays more than.
    pub(super) fn cheapest(
        &self,
        approvals: &Approvals,
        among: &[usize],
        candidates: usize,
    ) -> Option<(Vec<usize>, Price)> {
        let support = self.support(approvals, candidates);
        let price = |c: usize| -> Option<Price> {
            let mut left = self.denominator.clone();
            let mut rich: u128 = support[c].iter().sum();
            for (value, &weight) in self.values.iter().zip(&support[c]).filter(|(_, weight)| **weight > 0) {
                // Everybody from this purse on can pay an equal part of what is left.
                if left <= value * rich {
                    return Some(Price { numerator: left, weight: rich });
                }
                left -= value * weight;
                rich -= weight;
            }
            None
        };
        least(among.iter().filter_map(|&c| Some((c, price(c)?))))
    }

    /// After paying that price for a candidate, or all they own where that is less.
    pub(super) fn paid(&self, approvals: &Approvals, candidate: usize, price: &Price) -> Self {
        self.changed(approvals, candidate, price.weight, |value| {
            let left = value * price.weight - &price.numerator;
            if left.is_negative() { BigInt::zero() } else { left }
        })
    }

    /// Phragmén: the candidates whose supporters would carry the least load; none has any supporter if there is no load.
    pub(super) fn lightest(
        &self,
        approvals: &Approvals,
        among: &[usize],
        candidates: usize,
    ) -> (Vec<usize>, Option<Price>) {
        let support = self.support(approvals, candidates);
        let load = |c: usize| -> Option<Price> {
            let weight: u128 = support[c].iter().sum();
            let carried: BigInt =
                self.values.iter().zip(&support[c]).map(|(value, &weight)| value * weight).sum();
            (weight > 0).then(|| Price { numerator: &self.denominator + carried, weight })
        };
        match least(among.iter().filter_map(|&c| Some((c, load(c)?)))) {
            Some((best, load)) => (best, Some(load)),
            None => (among.to_vec(), None),
        }
    }

    /// After a candidate's supporters all carry that load.
    pub(super) fn loaded(&self, approvals: &Approvals, candidate: usize, load: &Price) -> Self {
        self.changed(approvals, candidate, load.weight, |_| load.numerator.clone())
    }

    /// Figures over a denominator that is so many times as large, the supporters' ones changed.
    fn changed(
        &self,
        approvals: &Approvals,
        candidate: usize,
        times: u128,
        change: impl Fn(&BigInt) -> BigInt,
    ) -> Self {
        let others: Vec<BigInt> = self.values.iter().map(|value| value * times).collect();
        let supporters: Vec<BigInt> = self.values.iter().map(change).collect();
        let purses = self.values.len();
        let of = approvals
            .sets
            .iter()
            .zip(&self.of)
            .map(|((set, _), &purse)| if set.has(candidate) { purses + purse } else { purse });
        let of = of.collect();
        let values = others.into_iter().chain(supporters).collect();
        Self { denominator: &self.denominator * times, values, of }.reduced()
    }

    /// Each figure once, in ascending order, only those that somebody has, in lowest terms.
    fn reduced(self) -> Self {
        let mut used = vec![false; self.values.len()];
        self.of.iter().for_each(|&purse| used[purse] = true);
        let mut values: Vec<BigInt> = self
            .values
            .iter()
            .zip(&used)
            .filter(|(_, used)| **used)
            .map(|(value, _)| value.clone())
            .collect();
        values.sort_unstable();
        values.dedup();
        let places: Vec<usize> =
            self.values.iter().map(|value| values.binary_search(value).unwrap_or_default()).collect();
        let divisor = values.iter().fold(self.denominator.clone(), |divisor, value| divisor.gcd(value));
        if !divisor.is_one() {
            for value in &mut values {
                *value /= &divisor;
            }
        }
        Self {
            denominator: self.denominator / divisor,
            values,
            of: self.of.into_iter().map(|purse| places[purse]).collect(),
        }
    }
}

/// Those with the least price, and it.
fn least(prices: impl Iterator<Item = (usize, Price)>) -> Option<(Vec<usize>, Price)> {
    prices.fold(None, |best: Option<(Vec<usize>, Price)>, (c, price)| match best {
        None => Some((vec![c], price)),
        Some((mut tied, least)) => Some(match price.cmp(&least) {
            Ordering::Less => (vec![c], price),
            Ordering::Equal => {
                tied.push(c);
                (tied, least)
            }
            Ordering::Greater => (tied, least),
        }),
    })
}
