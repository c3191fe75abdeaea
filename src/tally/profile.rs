//! The ballots without their owners: each distinct ranking, how many gave it and what they weigh.

use std::collections::BTreeMap;
use std::sync::Arc;

use num_bigint::BigInt;

use super::Fraction;

/// A multiset of rankings, sorted, so that no rule can see who voted or in what order.
///
/// Candidates are numbered from 0; a ranking lists distinct candidates, the most urgent first. Weights are whole
/// multiples of 1/[`unit`](Self::unit): so every rule adds whole numbers, and only the outcome is a fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    candidates: usize,
    unit: u128,
    /// Those without a pick first, then by the first pick: a copy shares what is not changed in it.
    rankings: Vec<Arc<Rankings>>,
    total: Cell,
}

/// Rankings with the same first pick.
type Rankings = BTreeMap<Box<[u8]>, Cell>;

/// How many ballots, and their weight in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    ballots: u64,
    weight: u128,
}

impl Profile {
    /// An empty profile over so many candidates, in which every ballot weighs 1.
    pub fn new(candidates: usize) -> Self {
        Self::weighted(candidates, 1)
    }

    /// An empty profile in which weights are whole multiples of 1/`unit`.
    ///
    /// # Panics
    /// If the unit is 0.
    pub fn weighted(candidates: usize, unit: u128) -> Self {
        assert!(unit > 0, "a weight is some part of 1");
        Self { candidates, unit, rankings: vec![Arc::default(); candidates + 1], total: Cell::default() }
    }

    /// Where rankings like this one are.
    fn part(ranking: &[u8]) -> usize {
        ranking.first().map_or(0, |&first| usize::from(first) + 1)
    }

    /// The profile of rankings in ascending order without repetition, each with its number of ballots of weight 1:
    /// the quick way for a histogram.
    ///
    /// # Panics
    /// As [`Profile::add`].
    pub fn of_sorted(candidates: usize, rankings: impl IntoIterator<Item = (Box<[u8]>, u64)>) -> Self {
        let mut profile = Self::new(candidates);
        let mut total = Cell::default();
        let mut rankings = rankings
            .into_iter()
            .map(|(ranking, ballots)| {
                assert!(is_ranking(&ranking, candidates), "not a ranking of {candidates} candidates");
                let cell = Cell { ballots, weight: ballots.into() };
                total.add(cell);
                (ranking, cell)
            })
            .peekable();
        for (i, part) in profile.rankings.iter_mut().enumerate() {
            // A B-tree made of an ascending sequence is filled, not searched.
            let here = std::iter::from_fn(|| rankings.next_if(|(ranking, _)| Self::part(ranking) == i));
            *part = Arc::new(here.collect());
        }
        assert!(rankings.next().is_none(), "rankings in ascending order");
        Self { total, ..profile }
    }

    /// Adds so many ballots with this ranking, each of weight 1.
    ///
    /// # Panics
    /// If the ranking names a candidate twice or one that does not exist, since callers hold validated rankings;
    /// if there are more than 2^64 ballots.
    pub fn add(&mut self, ranking: &[u8], ballots: u64) {
        self.put(ranking, Cell { ballots, weight: u128::from(ballots) * self.unit });
    }

    /// Adds one ballot that weighs so many units. A ballot without weight is no ballot.
    ///
    /// # Panics
    /// As [`Profile::add`].
    pub fn add_weighted(&mut self, ranking: &[u8], weight: u128) {
        self.put(ranking, Cell { ballots: u64::from(weight > 0), weight });
    }

    fn put(&mut self, ranking: &[u8], cell: Cell) {
        assert!(is_ranking(ranking, self.candidates), "not a ranking of {} candidates", self.candidates);
        if cell.ballots == 0 {
            return;
        }
        let rankings = Arc::make_mut(&mut self.rankings[Self::part(ranking)]);
        match rankings.get_mut(ranking) {
            Some(present) => present.add(cell),
            None => {
                rankings.insert(ranking.into(), cell);
            }
        }
        self.total.add(cell);
    }

    /// Takes one ballot of weight 1 with this ranking away.
    ///
    /// # Panics
    /// If there is none: a caller can only withdraw what it added.
    pub fn remove(&mut self, ranking: &[u8]) {
        let rankings = Arc::make_mut(&mut self.rankings[Self::part(ranking)]);
        let cell = rankings.get_mut(ranking).expect("only an added ballot is removed");
        cell.ballots -= 1;
        cell.weight -= self.unit;
        if cell.ballots == 0 {
            rankings.remove(ranking);
        }
        self.total.ballots -= 1;
        self.total.weight -= self.unit;
    }

    /// How many candidates there are, ranked by anybody or not.
    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// How many ballots there are.
    pub fn ballots(&self) -> u64 {
        self.total.ballots
    }

    /// W: what all ballots weigh, in units.
    pub fn weight(&self) -> u128 {
        self.total.weight
    }

    /// How many units weigh 1.
    pub fn unit(&self) -> u128 {
        self.unit
    }

    /// A weight in units as the fraction it is.
    pub fn fraction(&self, units: impl Into<BigInt>) -> Fraction {
        let units = units.into();
        if self.unit == 1 { Fraction::from_integer(units) } else { Fraction::new(units, self.unit.into()) }
    }

    /// The length of the longest ranking; 0 when there is none.
    pub fn longest(&self) -> usize {
        self.cells().map(|(ranking, _)| ranking.len()).max().unwrap_or(0)
    }

    fn cells(&self) -> impl Iterator<Item = (&[u8], Cell)> {
        self.rankings.iter().flat_map(|part| part.iter()).map(|(ranking, &cell)| (&**ranking, cell))
    }

    /// Every distinct ranking with its number of ballots, in lexicographic order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.cells().map(|(ranking, cell)| (ranking, cell.ballots))
    }

    /// Every distinct ranking with its weight in units, in lexicographic order.
    pub fn weights(&self) -> impl Iterator<Item = (&[u8], u128)> {
        self.cells().map(|(ranking, cell)| (ranking, cell.weight))
    }

    /// The same ballots with only the first `picks` ranks read.
    #[must_use]
    pub fn truncated(&self, picks: usize) -> Self {
        let mut profile = Self::weighted(self.candidates, self.unit);
        for (ranking, cell) in self.cells() {
            profile.put(&ranking[..ranking.len().min(picks)], cell);
        }
        profile
    }
}

impl Cell {
    fn add(&mut self, other: Self) {
        self.ballots = self.ballots.checked_add(other.ballots).expect("fewer than 2^64 ballots");
        self.weight = self.weight.checked_add(other.weight).expect("a sum of weights below 2^128");
    }
}

fn is_ranking(ranking: &[u8], candidates: usize) -> bool {
    let mut seen = [false; 256];
    ranking.iter().all(|&candidate| {
        usize::from(candidate) < candidates && !std::mem::replace(&mut seen[usize::from(candidate)], true)
    })
}
