//! Rules that select one member after the other, in every order that ties allow.
//!
//! Branches that have come to the same state are one branch, so orders of ties are never enumerated.

use std::collections::BTreeMap;

use super::{Found, Selection, by_places};
use crate::tally::Fraction;
use crate::tally::rounds::Set;

/// How many states are followed.
const MOST_STATES: usize = 10_000;

/// What has been selected so far, and the state that the rule keeps.
#[derive(Clone)]
pub(super) struct Branch<S> {
    pub(super) set: Set,
    pub(super) state: S,
    /// How it came to be: of the orders that lead here, the first by the ladder.
    pub(super) path: Vec<Selection>,
}

/// Branches that are through, and whether they are all.
pub(super) struct Sequences<S> {
    pub(super) branches: Vec<Branch<S>>,
    pub(super) complete: bool,
}

impl<S: Clone + Ord> Sequences<S> {
    pub(super) fn begin(state: S) -> Self {
        Self { branches: vec![Branch { set: Set(0), state, path: Vec::new() }], complete: true }
    }

    /// Selects until there are so many members, or nobody can be selected. `choices` are the equally best, with their
    /// figure; `select` gives the state after one.
    pub(super) fn run(
        self,
        seats: usize,
        places: &[usize],
        choices: impl Fn(&Branch<S>) -> (Vec<usize>, Option<Fraction>),
        select: impl Fn(&Branch<S>, usize) -> S,
    ) -> Self {
        let mut through: BTreeMap<(Set, S), Branch<S>> = BTreeMap::new();
        let mut complete = self.complete;
        let mut open = self.branches;
        while !open.is_empty() {
            let mut next: BTreeMap<(Set, S), Branch<S>> = BTreeMap::new();
            for branch in open {
                let (mut best, figure) =
                    if branch.set.len() < seats { choices(&branch) } else { (Vec::new(), None) };
                if best.is_empty() {
                    through.entry((branch.set, branch.state.clone())).or_insert(branch);
                    continue;
                }
                best.sort_by_key(|&c| (places[c], c));
                for &candidate in &best {
                    let state = select(&branch, candidate);
                    let set = branch.set.with(candidate);
                    next.entry((set, state)).or_insert_with_key(|(_, state)| {
                        let tied = best.iter().copied().filter(|&c| c != candidate).collect();
                        let selection = Selection { candidate, figure: figure.clone(), tied };
                        let path = branch.path.iter().cloned().chain([selection]).collect();
                        Branch { set, state: state.clone(), path }
                    });
                }
            }
            open = next.into_values().collect();
            open.sort_by_cached_key(|branch| by_places(branch.set, places));
            if open.len() > MOST_STATES {
                open.truncate(MOST_STATES);
                complete = false;
            }
        }
        Self { branches: through.into_values().collect(), complete }
    }

    /// The distinct portfolios.
    pub(super) fn found(&self, value: Option<Fraction>) -> Found {
        let mut sets: Vec<Set> = self.branches.iter().map(|branch| branch.set).collect();
        sets.sort_unstable();
        sets.dedup();
        Found { complete: self.complete, ..Found::all(value, sets) }
    }

    /// How a portfolio was selected.
    pub(super) fn path(&self, selected: Option<&Vec<usize>>) -> Vec<Selection> {
        let set = selected.map(|members| members.iter().fold(Set(0), |set, &c| set.with(c)));
        self.branches.iter().find(|branch| Some(branch.set) == set).map_or(Vec::new(), |b| b.path.clone())
    }
}
