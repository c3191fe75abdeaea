//! The figures that all positional rules and the tie ladder read: rank counts and pairwise counts.

use std::collections::BTreeMap;

use super::Profile;

/// Rank counts by ballot length and pairwise counts, kept up to date one ballot at a time.
///
/// Adding or taking away a ballot of k picks among M candidates costs O(k·M).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    candidates: usize,
    ballots: u64,
    by_length: BTreeMap<usize, ByLength>,
    pairwise: Vec<u64>,
}

/// The ballots of one length: how many, and how many list each candidate at each rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByLength {
    pub(super) ballots: u64,
    /// `at_rank[candidate * length + rank]`, ranks from 0.
    at_rank: Vec<u64>,
}

impl Counts {
    /// No ballots yet.
    pub fn new(candidates: usize) -> Self {
        Self {
            candidates,
            ballots: 0,
            by_length: BTreeMap::new(),
            pairwise: vec![0; candidates * candidates],
        }
    }

    /// Counts a whole profile.
    pub fn of(profile: &Profile) -> Self {
        let mut counts = Self::new(profile.candidates());
        for (ranking, ballots) in profile.iter() {
            counts.change(ranking, |figure| *figure += ballots);
        }
        counts
    }

    /// Adds one ballot.
    pub fn add(&mut self, ranking: &[u8]) {
        self.change(ranking, |figure| *figure += 1);
    }

    /// Takes one ballot away that was added before.
    pub fn remove(&mut self, ranking: &[u8]) {
        self.change(ranking, |figure| *figure -= 1);
        if self.by_length.get(&ranking.len()).is_some_and(|length| length.ballots == 0) {
            self.by_length.remove(&ranking.len());
        }
    }

    fn change(&mut self, ranking: &[u8], step: impl Fn(&mut u64)) {
        let length = ranking.len();
        step(&mut self.ballots);
        let cells = self
            .by_length
            .entry(length)
            .or_insert_with(|| ByLength { ballots: 0, at_rank: vec![0; self.candidates * length] });
        step(&mut cells.ballots);
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

    /// How many ballots.
    pub fn ballots(&self) -> u64 {
        self.ballots
    }

    /// How many ballots rank `a` above `b`; a ranked candidate is above every unranked one.
    pub fn above(&self, a: usize, b: usize) -> u64 {
        self.pairwise[a * self.candidates + b]
    }

    /// How many ballots list the candidate at this rank, ranks from 0.
    pub fn at_rank(&self, candidate: usize, rank: usize) -> u64 {
        self.by_length.iter().map(|(&length, cells)| cells.at(length, candidate, rank)).sum()
    }

    /// C(j): how many ballots list the candidate at one of the first `ranks` ranks.
    pub fn within(&self, candidate: usize, ranks: usize) -> u64 {
        (0..ranks).map(|rank| self.at_rank(candidate, rank)).sum()
    }

    /// How many ballots list the candidate at any rank.
    pub fn listed(&self, candidate: usize) -> u64 {
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
    pub(super) fn at(&self, length: usize, candidate: usize, rank: usize) -> u64 {
        if rank < length { self.at_rank[candidate * length + rank] } else { 0 }
    }

    pub(super) fn listed(&self, length: usize, candidate: usize) -> u64 {
        self.at_rank[candidate * length..][..length].iter().sum()
    }
}
