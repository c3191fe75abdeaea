//! What is not told where the ballot book is closed: figures from which few ballots would follow.
//!
//! A group with fewer than [`LEAST_SHOWN`] answers is withheld, and so many more that its figures do not follow from
//! others: not from the total and the rest of its column, and not from another column that is coarser or finer. Where
//! the A1 and A2 of one column make up the A of another, A2 beside A would tell A1.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::groups::{GroupKey, Voter};

/// Figures of fewer ballots are for those who may list ballots, where the ballot book is closed.
pub const LEAST_SHOWN: u64 = 5;

/// A group of those who have answered.
struct Group {
    key: GroupKey,
    answers: u64,
    is_hidden: bool,
}

/// What others add up to: the total, or a group of another column.
struct Sum {
    /// None for the total, which everybody sees.
    whole: Option<usize>,
    parts: Vec<usize>,
}

/// The groups, of every column, that are withheld.
pub(super) fn withheld(voters: &[Voter<'_>]) -> BTreeSet<GroupKey> {
    let answered: Vec<Voter<'_>> = voters.iter().copied().filter(|voter| voter.ranking.is_some()).collect();
    let columns: BTreeSet<&str> = voters
        .iter()
        .flat_map(|voter| voter.participant.groups.iter().map(|membership| &*membership.column))
        .collect();
    let mut groups: Vec<Group> = Vec::new();
    let columns: Vec<Vec<usize>> =
        columns.into_iter().map(|column| members(&answered, column, &mut groups)).collect();
    let sums = sums(&columns, groups.len());
    let nested = nested(&columns);
    // What is hidden only grows, so this ends.
    while sums.iter().any(|sum| sum.hide_more(&mut groups))
        || nested.iter().any(|&(part, whole)| hide_nested(&mut groups, part, whole))
    {}
    groups.into_iter().filter(|group| group.is_hidden).map(|group| group.key).collect()
}

/// Adds the groups of a column, and answers in which of them each voter is.
fn members(voters: &[Voter<'_>], column: &str, groups: &mut Vec<Group>) -> Vec<usize> {
    let mut numbers: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let mut in_group = Vec::with_capacity(voters.len());
    for voter in voters {
        let value = voter.participant.group(column);
        let number = *numbers.entry(value).or_insert_with(|| {
            let key = GroupKey { column: column.to_owned(), value: value.map(ToOwned::to_owned) };
            groups.push(Group { key, answers: 0, is_hidden: false });
            groups.len() - 1
        });
        groups[number].answers += 1;
        in_group.push(number);
    }
    for &number in numbers.values() {
        groups[number].is_hidden = groups[number].answers < LEAST_SHOWN;
    }
    in_group
}

/// Every column makes up the total; and any group of another column that it does not cut through.
fn sums(columns: &[Vec<usize>], groups: usize) -> Vec<Sum> {
    let mut sums = Vec::new();
    for (i, finer) in columns.iter().enumerate() {
        let parts: BTreeSet<usize> = finer.iter().copied().collect();
        sums.push(Sum { whole: None, parts: parts.into_iter().collect() });
        for (_, coarser) in columns.iter().enumerate().filter(|(j, _)| *j != i) {
            let mut wholes: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); groups];
            for (&part, &whole) in finer.iter().zip(coarser) {
                wholes[part].insert(whole);
            }
            let mut made_up: BTreeMap<usize, (BTreeSet<usize>, bool)> = BTreeMap::new();
            for (&part, &whole) in finer.iter().zip(coarser) {
                let (parts, is_whole) = made_up.entry(whole).or_insert((BTreeSet::new(), true));
                parts.insert(part);
                *is_whole &= wholes[part].len() == 1;
            }
            let made_up = made_up.into_iter().filter(|(_, (_, is_whole))| *is_whole);
            sums.extend(
                made_up.map(|(whole, (parts, _))| Sum {
                    whole: Some(whole),
                    parts: parts.into_iter().collect(),
                }),
            );
        }
    }
    sums
}

/// Every group that lies within a group of another column.
fn nested(columns: &[Vec<usize>]) -> BTreeSet<(usize, usize)> {
    let mut nested = BTreeSet::new();
    for (i, inner) in columns.iter().enumerate() {
        for (_, outer) in columns.iter().enumerate().filter(|(j, _)| *j != i) {
            let mut within: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            for (&part, &whole) in inner.iter().zip(outer) {
                within.entry(part).or_default().insert(whole);
            }
            let single = within.into_iter().filter(|(_, wholes)| wholes.len() == 1);
            nested
                .extend(single.flat_map(|(part, wholes)| wholes.into_iter().map(move |whole| (part, whole))));
        }
    }
    nested
}

/// Hides a group within another whose rest is few: the difference of the two would tell them.
fn hide_nested(groups: &mut [Group], part: usize, whole: usize) -> bool {
    let rest = groups[whole].answers - groups[part].answers;
    let tells = !groups[part].is_hidden && !groups[whole].is_hidden && (1..LEAST_SHOWN).contains(&rest);
    groups[part].is_hidden |= tells;
    tells
}

impl Sum {
    /// Hides one group more if something hidden would follow from this sum; answers whether it did.
    fn hide_more(&self, groups: &mut [Group]) -> bool {
        let hidden: Vec<usize> = self.parts.iter().copied().filter(|&part| groups[part].is_hidden).collect();
        let answers: u64 = hidden.iter().map(|&part| groups[part].answers).sum();
        let whole_is_hidden = self.whole.is_some_and(|whole| groups[whole].is_hidden);
        let follows = if whole_is_hidden {
            hidden.is_empty()
        } else {
            hidden.len() == 1 || !hidden.is_empty() && answers < LEAST_SHOWN
        };
        let shown = self.parts.iter().copied().filter(|&part| !groups[part].is_hidden);
        let smallest = shown.min_by_key(|&part| (groups[part].answers, &groups[part].key));
        let next = smallest.or(self.whole.filter(|_| !whole_is_hidden));
        match next.filter(|_| follows) {
            Some(next) => {
                groups[next].is_hidden = true;
                true
            }
            None => false,
        }
    }
}

/// The code of faults that are none for who may list ballots.
pub const WITHHELD: &str = "withheld";

/// Everybody weighs something else: what an initiative weighs at a rank tells who put it there.
pub(super) fn weights_withheld() -> Fault {
    Fault::member(
        "weights",
        WITHHELD,
        "Av vikterna syns vem som har valt vad; vägda resultat visas för den som får se prioriteringarna.",
        "Weights tell who has picked what; weighted results are for those who may list ballots.",
    )
}

/// Asked often enough, portfolios of groups and under conditions tell which sets are listed together.
pub(super) fn portfolio_withheld() -> Fault {
    Fault::member(
        "rule",
        WITHHELD,
        "Portföljer för grupper och under villkor visas för den som får se prioriteringarna.",
        "Portfolios of groups and under conditions are for those who may list ballots.",
    )
}

/// Two results after each other differ by a single ballot.
pub fn as_of_withheld() -> Fault {
    Fault::member(
        "asOf",
        WITHHELD,
        "Två resultat efter varandra visar en enskild prioritering; tidigare resultat visas för den som får se prioriteringarna.",
        "Two neighbouring results show a single ballot; earlier results are for those who may list ballots.",
    )
}

pub(super) fn group_withheld() -> Fault {
    Fault::member(
        "group",
        WITHHELD,
        &format!(
            "Färre än {LEAST_SHOWN} har svarat i gruppen, eller skulle kunna räknas fram; siffrorna visas för den som får se prioriteringarna."
        ),
        &format!(
            "Fewer than {LEAST_SHOWN} in the group have answered, or theirs would follow; figures are for those who may list ballots."
        ),
    )
}
