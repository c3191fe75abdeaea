//! The figures that positional and pairwise rules and the tie ladder read: rank counts and pairwise counts.

use std::collections::BTreeMap;

use super::Profile;

/// Rank counts by ballot length and pairwise counts, kept up to date one ballot at a time.
///
/// Figures are weights in the units of the profile they were taken from; where every ballot weighs 1, numbers of
/// ballots. Adding or taking away a ballot of k picks among M candidates costs O(k·M).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    candidates: usize,
    weight: u128,
    by_length: BTreeMap<usize, ByLength>,
    pairwise: Vec<u128>,
}

/// The ballots of one length: their weight, and the weight of those that list each candidate at each rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByLength {
    pub(super) weight: u128,
    /// `at_rank[candidate * length + rank]`, ranks from 0.
    at_rank: Vec<u128>,
}

impl Counts {
    /// No ballots yet.
    pub fn new(candidates: usize) -> Self {
        Self { candidates, weight: 0, by_length: BTreeMap::new(), pairwise: vec![0; candidates * candidates] }
    }

    /// Counts a whole profile.
    pub fn of(profile: &Profile) -> Self {
        let mut counts = Self::new(profile.candidates());
        for (ranking, weight) in profile.weights() {
            counts.change(ranking, |figure| *figure += weight);
        }
        counts
    }

    /// Adds one ballot of weight 1, to figures of ballots that all weigh 1.
    pub fn add(&mut self, ranking: &[u8]) {
        self.change(ranking, |figure| *figure += 1);
    }

    /// Takes one ballot away that was added before.
    pub fn remove(&mut self, ranking: &[u8]) {
        self.change(ranking, |figure| *figure -= 1);
        if self.by_length.get(&ranking.len()).is_some_and(|length| length.weight == 0) {
            self.by_length.remove(&ranking.len());
        }
    }

    fn change(&mut self, ranking: &[u8], step: impl Fn(&mut u128)) {
        let length = ranking.len();
        step(&mut self.weight);
        let cells = self
            .by_length
            .entry(length)
            .or_insert_with(|| ByLength { weight: 0, at_rank: vec![0; self.candidates * length] });
        step(&mut cells.weight);
        let mut below = vec![true; self.candidates];
        for (rank, &candidate) in ranking.iter().enumerate() {
            let candidate = usize::from(candidate);
            step(&mut cells.at_rank[candidate * length + rank]);
            below[candidate] = false;
            let row = &mut self.pairwise[candidate * self.candidates..][..self.candidates];
            for (figure, _) in row.iter_mut().zip(&below).filter(|(_, below)| **below) {
                step(figure);
            }
        }
    }

    /// How many candidates.
    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// W: the weight of all ballots.
    pub fn weight(&self) -> u128 {
        self.weight
    }

    /// N(a, b): the weight of the ballots that rank `a` above `b`; a ranked candidate is above every unranked one.
    pub fn above(&self, a: usize, b: usize) -> u128 {
        self.pairwise[a * self.candidates + b]
    }

    /// The weight of the ballots that list the candidate at this rank, ranks from 0.
    pub fn at_rank(&self, candidate: usize, rank: usize) -> u128 {
        self.by_length.iter().map(|(&length, cells)| cells.at(length, candidate, rank)).sum()
    }

    /// C(j): the weight of the ballots that list the candidate at one of the first `ranks` ranks.
    pub fn within(&self, candidate: usize, ranks: usize) -> u128 {
        (0..ranks).map(|rank| self.at_rank(candidate, rank)).sum()
    }

    /// C(k): the weight of the ballots that list the candidate at any rank.
    pub fn listed(&self, candidate: usize) -> u128 {
        self.within(candidate, self.longest())
    }

    /// The length of the longest ballot; 0 when there is none.
    pub fn longest(&self) -> usize {
        self.by_length.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn by_length(&self) -> impl Iterator<Item = (usize, &ByLength)> {
        self.by_length.iter().map(|(&length, cells)| (length, cells))
    }
}

impl ByLength {
    pub(super) fn at(&self, length: usize, candidate: usize, rank: usize) -> u128 {
        if rank < length { self.at_rank[candidate * length + rank] } else { 0 }
    }

    pub(super) fn listed(&self, length: usize, candidate: usize) -> u128 {
        self.at_rank[candidate * length..][..length].iter().sum()
    }
}
