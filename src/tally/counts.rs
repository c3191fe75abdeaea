//! The figures that positional and pairwise rules and the tie ladder read: rank counts and pairwise counts.

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

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
        // Numbers of 64 bits are added twice as fast; what all weigh bounds every figure.
        if u64::try_from(profile.weight()).is_ok() {
            let narrow = |weight: u128| u64::try_from(weight).expect("no more than all together");
            Self::added(profile, narrow)
        } else {
            Self::added(profile, |weight| weight)
        }
    }

    fn added<T>(profile: &Profile, figure: impl Fn(u128) -> T) -> Self
    where
        T: Copy + Default + AddAssign + SubAssign + Into<u128>,
    {
        let candidates = profile.candidates();
        let mut pairwise = vec![T::default(); candidates * candidates];
        let mut lengths: Vec<Option<(u128, Vec<T>)>> = vec![None; candidates + 1];
        for (ranking, weight) in profile.weights() {
            let length = ranking.len();
            let (sum, at_rank) =
                lengths[length].get_or_insert_with(|| (0, vec![T::default(); candidates * length]));
            *sum += weight;
            add(ranking, figure(weight), candidates, at_rank, &mut pairwise);
        }
        let wide = |figures: Vec<T>| figures.into_iter().map(Into::into).collect();
        let by_length = lengths.into_iter().enumerate().filter_map(|(length, cells)| {
            let (weight, at_rank) = cells?;
            Some((length, ByLength { weight, at_rank: wide(at_rank) }))
        });
        Self {
            candidates,
            weight: profile.weight(),
            by_length: by_length.collect(),
            pairwise: wide(pairwise),
        }
    }

    /// Adds one ballot of weight 1, to figures of ballots that all weigh 1.
    pub fn add(&mut self, ranking: &[u8]) {
        let cells = self.cells(ranking.len());
        cells.weight += 1;
        self.weight += 1;
        let (candidates, pairwise) = (self.candidates, &mut self.pairwise);
        let cells = self.by_length.get_mut(&ranking.len()).expect("made above");
        add(ranking, 1, candidates, &mut cells.at_rank, pairwise);
    }

    /// Takes one ballot away that was added before.
    pub fn remove(&mut self, ranking: &[u8]) {
        let length = ranking.len();
        self.weight -= 1;
        let cells = self.cells(length);
        cells.weight -= 1;
        for (rank, &candidate) in ranking.iter().enumerate() {
            cells.at_rank[usize::from(candidate) * length + rank] -= 1;
        }
        if cells.weight == 0 {
            self.by_length.remove(&length);
        }
        for (rank, &candidate) in ranking.iter().enumerate() {
            for below in (0..self.candidates).filter(|&below| !is_among(&ranking[..=rank], below)) {
                self.pairwise[usize::from(candidate) * self.candidates + below] -= 1;
            }
        }
    }

    fn cells(&mut self, length: usize) -> &mut ByLength {
        let candidates = self.candidates;
        let empty = || ByLength { weight: 0, at_rank: vec![0; candidates * length] };
        self.by_length.entry(length).or_insert_with(empty)
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

/// Adds a ballot to rank counts and pairwise counts.
fn add<T>(ranking: &[u8], weight: T, candidates: usize, at_rank: &mut [T], pairwise: &mut [T])
where
    T: Copy + AddAssign + SubAssign,
{
    let length = ranking.len();
    for (rank, &candidate) in ranking.iter().enumerate() {
        let candidate = usize::from(candidate);
        at_rank[candidate * length + rank] += weight;
        // Above everybody, but for itself and those before it.
        let row = &mut pairwise[candidate * candidates..][..candidates];
        for figure in &mut *row {
            *figure += weight;
        }
        for &above in &ranking[..=rank] {
            row[usize::from(above)] -= weight;
        }
    }
}

fn is_among(ranking: &[u8], candidate: usize) -> bool {
    ranking.iter().any(|&ranked| usize::from(ranked) == candidate)
}
