//! The ballots without their owners: each distinct ranking and how many gave it.

use std::collections::BTreeMap;

/// A multiset of rankings, sorted, so that no rule can see who voted or in what order.
///
/// Candidates are numbered from 0; a ranking lists distinct candidates, the most urgent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    candidates: usize,
    rankings: BTreeMap<Box<[u8]>, u64>,
    ballots: u64,
}

impl Profile {
    /// An empty profile over so many candidates.
    pub fn new(candidates: usize) -> Self {
        Self { candidates, rankings: BTreeMap::new(), ballots: 0 }
    }

    /// Adds so many ballots with this ranking.
    ///
    /// # Panics
    /// If the ranking names a candidate twice or one that does not exist: callers hold validated rankings.
    pub fn add(&mut self, ranking: &[u8], ballots: u64) {
        assert!(is_ranking(ranking, self.candidates), "not a ranking of {} candidates", self.candidates);
        if ballots == 0 {
            return;
        }
        *self.rankings.entry(ranking.into()).or_default() += ballots;
        self.ballots += ballots;
    }

    /// Takes one ballot with this ranking away.
    ///
    /// # Panics
    /// If there is none: a caller can only withdraw what it added.
    pub fn remove(&mut self, ranking: &[u8]) {
        let count = self.rankings.get_mut(ranking).expect("only an added ballot is removed");
        *count -= 1;
        if *count == 0 {
            self.rankings.remove(ranking);
        }
        self.ballots -= 1;
    }

    /// How many candidates there are, ranked by anybody or not.
    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// How many ballots there are.
    pub fn ballots(&self) -> u64 {
        self.ballots
    }

    /// The length of the longest ranking; 0 when there is none.
    pub fn longest(&self) -> usize {
        self.rankings.keys().map(|ranking| ranking.len()).max().unwrap_or(0)
    }

    /// Every distinct ranking with its number of ballots, in lexicographic order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.rankings.iter().map(|(ranking, &ballots)| (&**ranking, ballots))
    }

    /// The same ballots with only the first `picks` ranks read.
    #[must_use]
    pub fn truncated(&self, picks: usize) -> Self {
        let mut profile = Self::new(self.candidates);
        for (ranking, ballots) in self.iter() {
            profile.add(&ranking[..ranking.len().min(picks)], ballots);
        }
        profile
    }
}

fn is_ranking(ranking: &[u8], candidates: usize) -> bool {
    let mut seen = [false; 256];
    ranking.iter().all(|&candidate| {
        usize::from(candidate) < candidates && !std::mem::replace(&mut seen[usize::from(candidate)], true)
    })
}
