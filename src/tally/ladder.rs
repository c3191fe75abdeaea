//! The tie ladder: the declared steps, in order, by which equals are told apart.
//!
//! A step that splits a tie hands each part back to the first step. What no step splits stays tied:
//! nothing here chooses.

use std::fmt;
use std::str::FromStr;

use super::Counts;

/// One step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// T0, in eliminations only: more votes in the latest earlier count where the tied differ.
    EarlierCount,
    /// T1: listed on more ballots, C(k).
    Listed,
    /// T2: more first places, then more first and second places, and so on: C(1), C(2), … C(k).
    FirstPlaces,
    /// T3: Copeland score among the tied alone, 1 per win and ½ per draw.
    HeadToHead,
    /// T4: the lot, an order of all candidates published before opening.
    Lot,
}

impl Step {
    /// Every step, in the order of the eliminations' ladder.
    pub const ALL: [Self; 5] =
        [Self::EarlierCount, Self::Listed, Self::FirstPlaces, Self::HeadToHead, Self::Lot];
    /// The ladder of pairwise rules: who beat whom comes first.
    pub(super) const PAIRWISE: [Self; 4] = [Self::HeadToHead, Self::Listed, Self::FirstPlaces, Self::Lot];

    /// The id by which rule sets and outcomes name the step.
    pub const fn id(self) -> &'static str {
        match self {
            Self::EarlierCount => "earlier-count",
            Self::Listed => "listed",
            Self::FirstPlaces => "first-places",
            Self::HeadToHead => "head-to-head",
            Self::Lot => "lot",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Step {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|step| step.id() == text).ok_or(())
    }
}

/// The steps in force and the lot they may end in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The steps in the order they are tried.
    pub steps: Vec<Step>,
    /// All candidates, best first; without it the step `lot` splits nothing.
    pub lot: Option<Vec<usize>>,
}

impl Default for Ladder {
    /// The ladder of positional rules: T1 T2 T3 T4.
    fn default() -> Self {
        Self { steps: Step::ALL[1..].to_vec(), lot: None }
    }
}

/// A tie after the ladder: its parts best first, and the steps that split it.
pub(super) struct Resolution {
    pub(super) parts: Vec<Vec<usize>>,
    pub(super) steps: Vec<Step>,
}

impl Resolution {
    /// The deepest step that was needed, if all have been told apart.
    pub(super) fn resolved_by(&self, ladder: &Ladder) -> Option<Step> {
        let complete = self.parts.iter().all(|part| part.len() == 1);
        let needed = self.steps.iter().copied().filter(|_| complete);
        needed.max_by_key(|step| ladder.steps.iter().position(|s| s == step))
    }
}

impl Ladder {
    /// Splits a tie as far as the ladder goes. Parts with more than one candidate remain tied.
    pub(super) fn resolve(&self, counts: &Counts, tied: Vec<usize>) -> Resolution {
        self.resolve_in_count(counts, &[], tied)
    }

    /// The same in an elimination: `earlier` holds the votes of every candidate at each count so far.
    pub(super) fn resolve_in_count(
        &self,
        counts: &Counts,
        earlier: &[Vec<u128>],
        tied: Vec<usize>,
    ) -> Resolution {
        let mut resolution = Resolution { parts: Vec::new(), steps: Vec::new() };
        self.split(counts, earlier, tied, &mut resolution);
        resolution
    }

    /// The ladder's order of all: the ladder applied to all candidates as one tie. For each candidate how many stand
    /// before it; equal numbers are told apart by no step.
    pub(super) fn order_of_all(&self, counts: &Counts) -> Vec<usize> {
        let mut places = vec![0; counts.candidates()];
        let mut before = 0;
        for part in self.resolve(counts, (0..counts.candidates()).collect()).parts {
            for &candidate in &part {
                places[candidate] = before;
            }
            before += part.len();
        }
        places
    }

    /// The ladder with its first `steps` steps alone.
    pub(super) fn first(&self, steps: usize) -> Self {
        Self { steps: self.steps[..steps].to_vec(), lot: self.lot.clone() }
    }

    fn split(&self, counts: &Counts, earlier: &[Vec<u128>], tied: Vec<usize>, resolution: &mut Resolution) {
        if tied.len() > 1 {
            for &step in &self.steps {
                let parts = self.apply(step, counts, earlier, &tied);
                if parts.len() > 1 {
                    resolution.steps.push(step);
                    for part in parts {
                        self.split(counts, earlier, part, resolution);
                    }
                    return;
                }
            }
        }
        resolution.parts.push(tied);
    }

    fn apply(&self, step: Step, counts: &Counts, earlier: &[Vec<u128>], tied: &[usize]) -> Vec<Vec<usize>> {
        let first_split = |mut tries: Box<dyn Iterator<Item = Vec<Vec<usize>>> + '_>| {
            tries.find(|parts| parts.len() > 1).unwrap_or_else(|| vec![tied.to_vec()])
        };
        match step {
            Step::EarlierCount => {
                first_split(Box::new(earlier.iter().rev().map(|votes| partition(tied, |c| votes[c]))))
            }
            Step::Listed => partition(tied, |c| counts.listed(c)),
            Step::FirstPlaces => first_split(Box::new(
                (1..=counts.longest()).map(|ranks| partition(tied, |c| counts.within(c, ranks))),
            )),
            Step::HeadToHead => partition(tied, |c| head_to_head(counts, c, tied)),
            Step::Lot => match &self.lot {
                None => vec![tied.to_vec()],
                // The earlier in the lot, the better: the distance from its end.
                Some(lot) => partition(tied, |c| {
                    let place = lot.iter().position(|&drawn| drawn == c);
                    lot.len() - place.expect("a lot holds every candidate, checked where it is read")
                }),
            },
        }
    }
}

/// Twice the Copeland score among the tied: 2 per win, 1 per draw.
fn head_to_head(counts: &Counts, candidate: usize, tied: &[usize]) -> u64 {
    let others = tied.iter().filter(|&&other| other != candidate);
    others
        .map(|&other| match counts.above(candidate, other).cmp(&counts.above(other, candidate)) {
            std::cmp::Ordering::Greater => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => 0,
        })
        .sum()
}

/// Groups by a figure, the largest first; within a group the order of the input stays.
pub(super) fn partition<K: Ord>(candidates: &[usize], figure: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut keyed: Vec<(K, usize)> = candidates.iter().map(|&c| (figure(c), c)).collect();
    keyed.sort_by(|a, b| b.0.cmp(&a.0));
    keyed.chunk_by(|a, b| a.0 == b.0).map(|chunk| chunk.iter().map(|&(_, c)| c).collect()).collect()
}
