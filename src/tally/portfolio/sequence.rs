//! Rules that select one member after the other, in every order that ties allow.
//!
//! Branches that have come to the same state are one branch, so orders of ties are never enumerated.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use super::{Found, Selection, by_places, in_order};
use crate::tally::Fraction;
use crate::tally::rounds::Set;

/// How many states are followed side by side.
const MOST_STATES: usize = 10_000;
/// How many figures are looked at in all; beyond, only the first state by the ladder is gone on from.
const MOST_EFFORT: usize = 60_000_000;

/// What has been selected so far, and the state that the rule keeps.
#[derive(Clone)]
pub(super) struct Branch<S> {
    pub(super) set: Set,
    pub(super) state: S,
    /// How it came to be: of the orders that lead here, the first by the ladder.
    path: Option<Rc<Step>>,
    /// The ladder's places in the order of selection: so paths compare, and never by the numbers of candidates.
    order: Vec<usize>,
}

impl<S> Branch<S> {
    /// The same branch with another state.
    pub(super) fn with<T>(self, state: impl FnOnce(S) -> T) -> Branch<T> {
        Branch { set: self.set, state: state(self.state), path: self.path, order: self.order }
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

/// One branch for each state that was come to.
type States<S> = BTreeMap<(Set, S), Branch<S>>;

/// Keeps of two branches in the same state the one whose path is first by the ladder; false if there was no room.
fn keep_first<S: Clone + Ord>(states: &mut States<S>, branch: Branch<S>) -> bool {
    let room = states.len() < MOST_STATES;
    match states.entry((branch.set, branch.state.clone())) {
        Entry::Vacant(cell) if room => {
            cell.insert(branch);
        }
        Entry::Vacant(_) => return false,
        Entry::Occupied(mut cell) => {
            if branch.order < cell.get().order {
                cell.insert(branch);
            }
        }
    }
    true
}

/// Branches that are through, and whether they are all.
pub(super) struct Sequences<S> {
    pub(super) branches: Vec<Branch<S>>,
    pub(super) complete: bool,
}

impl<S: Clone + Ord> Sequences<S> {
    pub(super) fn begin(state: S) -> Self {
        Self { branches: vec![Branch { set: Set(0), state, path: None, order: Vec::new() }], complete: true }
    }

    /// Selects until there are so many members, or nobody can be selected. `choices` are the equally best, with their
    /// figure; `select` gives the state after one. A selection looks at `each` figures; the count is one of `share`.
    pub(super) fn run(
        self,
        seats: usize,
        places: &[usize],
        (each, share): (usize, usize),
        choices: impl Fn(&Branch<S>) -> (Vec<usize>, Option<Fraction>),
        select: impl Fn(&Branch<S>, usize) -> S,
    ) -> Self {
        let mut through: States<S> = BTreeMap::new();
        let mut complete = self.complete;
        let mut open = self.branches;
        let mut effort = 0;
        while !open.is_empty() {
            let mut next: States<S> = BTreeMap::new();
            for branch in open {
                let (mut best, figure) =
                    if branch.set.len() < seats { choices(&branch) } else { (Vec::new(), None) };
                if best.is_empty() {
                    complete &= keep_first(&mut through, branch);
                    continue;
                }
                effort += best.len() * each;
                best.sort_by_key(|&c| (places[c], c));
                let tied = best.iter().copied().fold(Set(0), Set::with);
                for candidate in best {
                    if effort > MOST_EFFORT / share && !next.is_empty() {
                        complete = false;
                        break;
                    }
                    let step =
                        Step { candidate, figure: figure.clone(), best: tied, before: branch.path.clone() };
                    let order = branch.order.iter().copied().chain([places[candidate]]).collect();
                    let branch = Branch {
                        set: branch.set.with(candidate),
                        state: select(&branch, candidate),
                        path: Some(Rc::new(step)),
                        order,
                    };
                    complete &= keep_first(&mut next, branch);
                }
            }
            open = next.into_values().collect();
            open.sort_by_cached_key(|branch| (by_places(branch.set, places), branch.order.clone()));
            if effort > MOST_EFFORT / share && open.len() > 1 {
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

    /// How a portfolio was selected: of all orders the first by the ladder.
    pub(super) fn path(&self, selected: Option<&Vec<usize>>, places: &[usize]) -> Vec<Selection> {
        let set = selected.map(|members| members.iter().copied().fold(Set(0), Set::with));
        let through = self.branches.iter().filter(|branch| Some(branch.set) == set);
        let first = through.min_by_key(|branch| &branch.order);
        let mut step = first.and_then(|branch| branch.path.as_ref());
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
