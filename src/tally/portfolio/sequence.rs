//! Rules that select one member after the other, in every order that ties allow.
//!
//! Branches that have come to the same state are one branch, so orders of ties are never enumerated.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Found, Selection, by_places, in_order};
use crate::tally::Fraction;
use crate::tally::rounds::Set;

/// How many states are followed side by side.
const MOST_STATES: usize = 10_000;
/// How many states are gone on from in all; beyond, only the first by the ladder.
const MOST_STEPS: usize = 50_000;

/// What has been selected so far, and the state that the rule keeps.
#[derive(Clone)]
pub(super) struct Branch<S> {
    pub(super) set: Set,
    pub(super) state: S,
    /// How it came to be: of the orders that lead here, the first by the ladder.
    path: Option<Rc<Step>>,
}

impl<S> Branch<S> {
    /// The same branch with another state.
    pub(super) fn with<T>(self, state: impl FnOnce(S) -> T) -> Branch<T> {
        Branch { set: self.set, state: state(self.state), path: self.path }
    }
}

/// A member that was selected, and what went before.
struct Step {
    candidate: usize,
    figure: Option<Fraction>,
    /// All who would have done as well, itself too.
    best: Set,
    before: Option<Rc<Step>>,
}

/// Branches that are through, and whether they are all.
pub(super) struct Sequences<S> {
    pub(super) branches: Vec<Branch<S>>,
    pub(super) complete: bool,
}

impl<S: Clone + Ord> Sequences<S> {
    pub(super) fn begin(state: S) -> Self {
        Self { branches: vec![Branch { set: Set(0), state, path: None }], complete: true }
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
        let mut steps = 0;
        while !open.is_empty() {
            let mut next: BTreeMap<(Set, S), Branch<S>> = BTreeMap::new();
            for branch in open {
                let (mut best, figure) =
                    if branch.set.len() < seats { choices(&branch) } else { (Vec::new(), None) };
                if best.is_empty() {
                    through.entry((branch.set, branch.state.clone())).or_insert(branch);
                    continue;
                }
                steps += 1;
                best.sort_by_key(|&c| (places[c], c));
                let tied = best.iter().copied().fold(Set(0), Set::with);
                for candidate in best {
                    if next.len() >= MOST_STATES {
                        complete = false;
                        break;
                    }
                    let state = select(&branch, candidate);
                    let set = branch.set.with(candidate);
                    next.entry((set, state)).or_insert_with_key(|(_, state)| {
                        let before = branch.path.clone();
                        let step = Step { candidate, figure: figure.clone(), best: tied, before };
                        Branch { set, state: state.clone(), path: Some(Rc::new(step)) }
                    });
                }
            }
            open = next.into_values().collect();
            open.sort_by_cached_key(|branch| by_places(branch.set, places));
            if steps > MOST_STEPS && open.len() > 1 {
                open.truncate(1);
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
    pub(super) fn path(&self, selected: Option<&Vec<usize>>, places: &[usize]) -> Vec<Selection> {
        let set = selected.map(|members| members.iter().copied().fold(Set(0), Set::with));
        let branch = self.branches.iter().find(|branch| Some(branch.set) == set);
        let mut step = branch.and_then(|branch| branch.path.as_ref());
        let mut path = Vec::new();
        while let Some(selected) = step {
            path.push(Selection {
                candidate: selected.candidate,
                figure: selected.figure.clone(),
                tied: in_order(selected.best.without(selected.candidate), places),
            });
            step = selected.before.as_ref();
        }
        path.reverse();
        path
    }
}
