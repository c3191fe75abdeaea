//! The search through all portfolios of a size, by branch and bound.
//!
//! Sums over ballots in which a further member gains the less, the more members there are (submodular), are bounded
//! from above by the largest gains of the moment: a branch that cannot reach the best so far is left out. All optima
//! are found, since a branch that could equal the best is not.

use super::Constraints;
use crate::tally::Refusal;
use crate::tally::rounds::Set;

/// A sum over ballots to be made as large as possible.
pub(super) trait Objective {
    /// Adds to each candidate's cell what it would gain as a further member; only for those outside the set.
    fn gains(&self, set: Set, gains: &mut [u128]);

    /// How many steps one call of `gains` takes, roughly.
    fn effort(&self) -> usize;
}

/// How many steps a search may take: some tenths of a second.
const MOST_EFFORT: usize = 100_000_000;

/// How many steps the search for a value alone may take: there are as many of them as there are sizes.
const MOST_EFFORT_FOR_A_VALUE: usize = 10_000_000;

/// How many optima are looked at.
const MOST_OPTIMA: usize = 50_000;

struct Search<'a, O> {
    objective: &'a O,
    candidates: usize,
    constraints: &'a Constraints,
    /// Candidates in the order in which branches try them.
    order: Vec<usize>,
    best: Option<u128>,
    optima: Vec<Set>,
    effort: usize,
    /// One of so many counts that somebody waits for together.
    share: usize,
    keep: Keep,
}

/// Whether all optima are wanted or their value alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Optima,
    Value,
}

impl<O: Objective> Search<'_, O> {
    /// Goes on from a set with this value, choosing so many more among the candidates from this place on.
    fn branch(&mut self, set: Set, value: u128, from: usize, more: usize) -> Result<(), Refusal> {
        if more == 0 {
            if self.constraints.allow(set) {
                self.found(set, value);
            }
            let few = self.optima.len() <= MOST_OPTIMA;
            return if few { Ok(()) } else { Err(Refusal::TooManyPortfolios) };
        }
        self.effort = self.effort.saturating_add(self.objective.effort() + self.candidates);
        let most = match self.keep {
            Keep::Optima => MOST_EFFORT / self.share,
            Keep::Value => MOST_EFFORT_FOR_A_VALUE / self.share,
        };
        if self.effort > most {
            return Err(Refusal::TooManyPortfolios);
        }
        let mut gains = vec![0; self.candidates];
        self.objective.gains(set, &mut gains);
        let mut rest: Vec<u128> = self.order[from..].iter().map(|&c| gains[c]).collect();
        rest.sort_unstable_by(|a, b| b.cmp(a));
        let bound = value + rest.iter().take(more).sum::<u128>();
        if self.is_hopeless(bound) {
            return Ok(());
        }
        let others: u128 = rest.iter().take(more - 1).sum();
        for place in from..=self.order.len() - more {
            let c = self.order[place];
            let with = set.with(c);
            // Nobody gains more later than now: with this one, at most its own gain and the largest others.
            if self.constraints.can_grow(with) && !self.is_hopeless(value + gains[c] + others) {
                self.branch(with, value + gains[c], place + 1, more - 1)?;
            }
        }
        Ok(())
    }

    fn is_hopeless(&self, bound: u128) -> bool {
        match self.keep {
            Keep::Optima => self.best.is_some_and(|best| bound < best),
            Keep::Value => self.best.is_some_and(|best| bound <= best),
        }
    }

    fn found(&mut self, set: Set, value: u128) {
        if self.best.is_none_or(|best| value > best) {
            self.best = Some(value);
            self.optima.clear();
        }
        if self.best == Some(value) && (self.keep == Keep::Optima || self.optima.is_empty()) {
            self.optima.push(set);
        }
    }
}

/// The best value of a portfolio of so many members, and every portfolio that has it.
///
/// # Errors
/// If no portfolio is allowed, or the search would take too long.
pub(super) fn best(
    objective: &impl Objective,
    candidates: usize,
    seats: usize,
    constraints: &Constraints,
    share: usize,
) -> Result<(u128, Vec<Set>), Refusal> {
    search(objective, candidates, seats, constraints, share, Keep::Optima)
}

/// The best value alone.
///
/// # Errors
/// As [`best`].
pub(super) fn best_value(
    objective: &impl Objective,
    candidates: usize,
    seats: usize,
    share: usize,
) -> Result<u128, Refusal> {
    Ok(search(objective, candidates, seats, &Constraints::default(), share, Keep::Value)?.0)
}

fn search(
    objective: &impl Objective,
    candidates: usize,
    seats: usize,
    constraints: &Constraints,
    share: usize,
    keep: Keep,
) -> Result<(u128, Vec<Set>), Refusal> {
    let mut gains = vec![0; candidates];
    objective.gains(Set(0), &mut gains);
    let mut order: Vec<usize> = (0..candidates).collect();
    // The most promising first, so that the bound bites early.
    order.sort_by_key(|&c| std::cmp::Reverse(gains[c]));
    let mut search = Search {
        objective,
        candidates,
        constraints,
        order,
        best: None,
        optima: Vec::new(),
        effort: 0,
        share,
        keep,
    };
    search.branch(Set(0), 0, 0, seats)?;
    let best = search.best.ok_or(Refusal::NoSuchPortfolio)?;
    Ok((best, search.optima))
}

/// Calls with every set of so many candidates.
///
/// # Errors
/// If that would be more than `most`.
pub(super) fn each(
    candidates: usize,
    seats: usize,
    most: usize,
    mut call: impl FnMut(Set),
) -> Result<(), Refusal> {
    let mut number: u128 = 1;
    // As many as there are ways to leave the others out.
    for i in 0..seats.min(candidates - seats) {
        number = number * (candidates - i) as u128 / (i as u128 + 1);
        if number > most as u128 {
            return Err(Refusal::TooManyPortfolios);
        }
    }
    let mut chosen: Vec<usize> = (0..seats).collect();
    loop {
        call(chosen.iter().fold(Set(0), |set, &c| set.with(c)));
        let Some(place) = (0..seats).rev().find(|&i| chosen[i] < candidates - seats + i) else {
            return Ok(());
        };
        chosen[place] += 1;
        for i in place + 1..seats {
            chosen[i] = chosen[i - 1] + 1;
        }
    }
}
