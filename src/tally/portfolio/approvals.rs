//! The ballots as sets: what each lists, whatever the order.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::tally::Profile;
use crate::tally::rounds::Set;

/// Above so many candidates no table over all sets of them is made.
const MOST_TABLED: usize = 20;

/// Distinct sets that ballots list, with their weight.
pub(super) struct Approvals {
    pub(super) sets: Vec<(Set, u128)>,
    /// W.
    pub(super) total: u128,
    candidates: usize,
    /// For every set of candidates the weight of the ballots that list nobody outside it.
    within: OnceCell<Vec<u128>>,
}

impl Approvals {
    pub(super) fn of(profile: &Profile) -> Self {
        let mut sets: BTreeMap<Set, u128> = BTreeMap::new();
        for (ranking, weight) in profile.weights() {
            let set = ranking.iter().fold(Set(0), |set, &c| set.with(c.into()));
            *sets.entry(set).or_default() += weight;
        }
        Self {
            sets: sets.into_iter().collect(),
            total: profile.weight(),
            candidates: profile.candidates(),
            within: OnceCell::new(),
        }
    }

    /// The weight that lists at least so many of these.
    pub(super) fn listing(&self, portfolio: Set, at_least: u32) -> u128 {
        let enough = |(set, _): &&(Set, u128)| (set.0 & portfolio.0).count_ones() >= at_least;
        self.sets.iter().filter(enough).map(|(_, weight)| weight).sum()
    }

    /// The weight of the ballots that list at least one of these: from a table, where one can be made.
    pub(super) fn covered(&self, portfolio: Set) -> u128 {
        if !self.is_tabled() {
            return self.listing(portfolio, 1);
        }
        let outside = !portfolio.0 & Set::all(self.candidates).0;
        let within = self.within.get_or_init(|| self.within_all());
        self.total - within[usize::try_from(outside).expect("at most twenty bits")]
    }

    pub(super) fn is_tabled(&self) -> bool {
        self.candidates <= MOST_TABLED
    }

    /// Sums over subsets, one candidate after the other (Yates 1937).
    fn within_all(&self) -> Vec<u128> {
        let mut within = vec![0; 1 << self.candidates];
        for (set, weight) in &self.sets {
            within[usize::try_from(set.0).expect("at most twenty bits")] += weight;
        }
        for candidate in 0..self.candidates {
            for set in 0..within.len() {
                if set & (1 << candidate) != 0 {
                    within[set] += within[set & !(1 << candidate)];
                }
            }
        }
        within
    }
}
