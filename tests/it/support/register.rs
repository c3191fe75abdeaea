//! Whether what clients were told of one participant's ballot can have happened in some order (linearisability).
//!
//! The search is Wing and Gong's (Testing and verifying concurrent objects, 1993) with Lowe's memory of what has been
//! tried (Testing for linearizability, 2017): take any operation that nobody else's answer forces to come later, let
//! the ballot as it is specified do it, and go on if that gives the answer that was given.

use std::collections::HashSet;

/// The condition that a write is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// None.
    Anything,
    /// `If-Match` with the tag of this revision.
    Revision(usize),
    /// `If-None-Match: *`
    Absence,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// `GET`
    Get,
    /// `PUT` with this ranking.
    Put(String, On),
    /// `DELETE`
    Delete(On),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A ballot: its revision and ranking.
    Ballot(usize, String),
    /// Accepted as this revision; whether there was no ballot before.
    Accepted(usize, bool),
    /// Withdrawn, which made this revision.
    Withdrawn(usize),
    /// There is no ballot.
    Absent,
    /// The condition does not hold.
    Changed,
}

/// One client's operation, with the moments between which it happened.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The instance that was asked, 0 or 1.
    pub(crate) instance: usize,
    /// What was asked.
    pub(crate) asked: Asked,
    /// When it was sent.
    pub(crate) sent: u64,
    /// When what was answered; without an answer it may have happened at any time since, or never.
    pub(crate) told: Option<(u64, Told)>,
}

/// What readers are promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Of one instance: a read shows the newest write.
    Newest,
    /// Of two: a read shows at least what its own instance has answered or shown before.
    OwnWrites,
}

/// The ballot by its specification: the ranking of each revision. And how many revisions each operation has answered
/// from, which later readers of the same instance must be shown.
///
/// Not before it has answered: an instance may have written, and another have built on it, while its own readers are
/// still shown what was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Register {
    revisions: Vec<Option<String>>,
    answered_from: Vec<usize>,
}

impl Register {
    fn at(&self, revision: usize) -> Option<&String> {
        self.revisions[..revision].last()?.as_ref()
    }

    fn write(&mut self, ranking: Option<&String>, on: On) -> Told {
        let now = self.at(self.revisions.len()).is_some();
        let holds = match on {
            On::Anything => true,
            On::Revision(revision) => now && revision == self.revisions.len(),
            On::Absence => !now,
        };
        if ranking.is_none() && !now {
            return Told::Absent;
        }
        if !holds {
            return Told::Changed;
        }
        self.revisions.push(ranking.cloned());
        if ranking.is_some() {
            Told::Accepted(self.revisions.len(), !now)
        } else {
            Told::Withdrawn(self.revisions.len())
        }
    }

    /// The ballot after one of the operations; none if it cannot have given its answer now.
    fn after(&self, operations: &[Operation], which: usize, promise: Promise) -> Option<Self> {
        let Operation { instance, asked, sent, told } = &operations[which];
        let mut next = self.clone();
        let would = match asked {
            Asked::Put(ranking, on) => next.write(Some(ranking), *on),
            Asked::Delete(on) => next.write(None, *on),
            Asked::Get => {
                let newest = self.revisions.len();
                let before = |other: &Operation| {
                    other.instance == *instance && other.told.as_ref().is_some_and(|(at, _)| at < sent)
                };
                let shown = operations.iter().zip(&self.answered_from).filter(|(other, _)| before(other));
                let least = match promise {
                    Promise::Newest => newest,
                    Promise::OwnWrites => shown.map(|(_, from)| *from).max().unwrap_or_default(),
                };
                // The oldest that fits forbids the least of what comes later.
                let fits = |revision: &usize| {
                    let ballot = self.at(*revision);
                    let view = ballot.map_or(Told::Absent, |ballot| Told::Ballot(*revision, ballot.clone()));
                    told.as_ref().is_none_or(|(_, told)| *told == view)
                };
                next.answered_from[which] = (least..=newest).find(fits)?;
                return Some(next);
            }
        };
        let Some((_, told)) = told else { return Some(next) };
        next.answered_from[which] = next.revisions.len();
        (would == *told).then_some(next)
    }
}

/// Whether the operations on a ballot that nobody had submitted can have happened in some order, each between its
/// sending and its answer.
pub(crate) fn is_linearizable(operations: &[Operation], promise: Promise) -> bool {
    assert!(operations.len() <= 128, "a set of operations is kept in 128 bits");
    let mut tried = HashSet::new();
    let nothing = Register { revisions: Vec::new(), answered_from: vec![0; operations.len()] };
    let mut open = vec![(0_u128, nothing)];
    while let Some((done, register)) = open.pop() {
        let left = || operations.iter().enumerate().filter(|(i, _)| done >> i & 1 == 0);
        let Some(first_answer) = left().filter_map(|(_, left)| Some(left.told.as_ref()?.0)).min() else {
            return true;
        };
        for (i, _) in left().filter(|(_, left)| left.sent < first_answer) {
            if let Some(next) = register.after(operations, i, promise) {
                let next = (done | 1 << i, next);
                if tried.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    false
}
