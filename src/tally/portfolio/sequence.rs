//! Rules that select one member after the other, in every order that ties allow.
//!
//! Branches that have come to the same state are one branch, so orders of ties are never enumerated.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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

impl<S> Branch<S> {
    /// The ladder's places in the order of selection: so paths compare, and never by the numbers of candidates.
    fn order(&self, places: &[usize]) -> Vec<usize> {
        self.path.iter().map(|selection| places[selection.candidate]).collect()
    }
}

/// One branch for each state that was come to.
type States<S> = BTreeMap<(Set, S), Branch<S>>;

/// Keeps of two branches in the same state the one whose path is first by the ladder.
fn keep_first<S: Clone + Ord>(states: &mut States<S>, branch: Branch<S>, places: &[usize]) {
    match states.entry((branch.set, branch.state.clone())) {
        Entry::Vacant(cell) => {
            cell.insert(branch);
        }
        Entry::Occupied(mut cell) => {
            if branch.order(places) < cell.get().order(places) {
                cell.insert(branch);
            }
        }
    }
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
        let mut through: States<S> = BTreeMap::new();
        let mut complete = self.complete;
        let mut open = self.branches;
        while !open.is_empty() {
            let mut next: States<S> = BTreeMap::new();
            for branch in open {
                let (mut best, figure) =
                    if branch.set.len() < seats { choices(&branch) } else { (Vec::new(), None) };
                if best.is_empty() {
                    keep_first(&mut through, branch, places);
                    continue;
                }
                best.sort_by_key(|&c| (places[c], c));
                for &candidate in &best {
                    let tied = best.iter().copied().filter(|&c| c != candidate).collect();
                    let selection = Selection { candidate, figure: figure.clone(), tied };
                    let path = branch.path.iter().cloned().chain([selection]).collect();
                    let state = select(&branch, candidate);
                    keep_first(&mut next, Branch { set: branch.set.with(candidate), state, path }, places);
                }
            }
            open = next.into_values().collect();
            open.sort_by_cached_key(|branch| (by_places(branch.set, places), branch.order(places)));
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

    /// How a portfolio was selected: of all orders the first by the ladder.
    pub(super) fn path(&self, selected: Option<&Vec<usize>>, places: &[usize]) -> Vec<Selection> {
        let set = selected.map(|members| members.iter().fold(Set(0), |set, &c| set.with(c)));
        let through = self.branches.iter().filter(|branch| Some(branch.set) == set);
        through.min_by_key(|branch| branch.order(places)).map_or(Vec::new(), |branch| branch.path.clone())
    }
}
