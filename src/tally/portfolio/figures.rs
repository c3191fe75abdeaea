//! The figures that stand beside every portfolio: coverage, its curve, and the trade between score and coverage.

use super::coverage::Covered;
use super::{Hall, by_places, in_order, search};
use crate::tally::rounds::Set;
use crate::tally::{Election, Fraction};

/// How many portfolios are compared for the trade-offs.
const MOST_COMPARED: usize = 200_000;

/// Up to so many candidates all sets of them are gone through.
const MOST_SCANNED: usize = 16;

/// What a portfolio covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The weight that lists at least one member.
    pub covered: Fraction,
    /// The weight that lists at least two.
    pub twice: Fraction,
    /// For each member the weight that lists it and no other member: what would be lost without it.
    pub alone: Vec<(usize, Fraction)>,
}

/// A portfolio that none of its size beats in both score and coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeOff {
    /// The linear points of its members together.
    pub score: Fraction,
    /// The weight that lists at least one member.
    pub covered: Fraction,
    /// Of those with these figures the first by the ladder.
    pub members: Vec<usize>,
    /// How many have these figures.
    pub count: usize,
}

/// The linear points of every candidate, in units.
pub(super) fn linear(election: &Election<'_>) -> Vec<u128> {
    let counts = election.counts;
    let points = |rank: usize| election.picks.saturating_sub(rank) as u128;
    let score = |c| (0..election.picks).map(|rank| counts.at_rank(c, rank) * points(rank)).sum();
    (0..counts.candidates()).map(score).collect()
}

pub(super) fn coverage(hall: &Hall<'_>, portfolio: Set) -> Coverage {
    let alone = |member: usize| -> u128 {
        let only = Set(0).with(member).0;
        let sets = hall.approvals.sets.iter().filter(|(set, _)| set.0 & portfolio.0 == only);
        sets.map(|(_, weight)| weight).sum()
    };
    Coverage {
        covered: hall.fraction(hall.approvals.listing(portfolio, 1)),
        twice: hall.fraction(hall.approvals.listing(portfolio, 2)),
        alone: in_order(portfolio, &hall.places).into_iter().map(|c| (c, hall.fraction(alone(c)))).collect(),
    }
}

/// The best coverage of every size from 1 on; ends early where the search would take too long.
pub(super) fn curve(hall: &Hall<'_>) -> Vec<Fraction> {
    let candidates = hall.candidates();
    if candidates <= MOST_SCANNED {
        let mut best = vec![0; candidates + 1];
        for set in (0..1_u64 << candidates).map(Set) {
            best[set.len()] = hall.approvals.covered(set).max(best[set.len()]);
        }
        return best[1..].iter().map(|&weight| hall.fraction(weight)).collect();
    }
    let all = hall.approvals.listing(Set::all(candidates), 1);
    let mut reached = 0;
    let best = |seats: usize| {
        if reached < all {
            reached =
                search::best_value(&Covered(&hall.approvals), candidates, seats, hall.parameters.share())
                    .ok()?;
        }
        Some(hall.fraction(reached))
    };
    (1..=candidates).map_while(best).collect()
}

/// The portfolios of the size that are allowed and that no other one beats in both figures, the best score first.
pub(super) fn trade_offs(hall: &Hall<'_>) -> Option<Vec<TradeOff>> {
    let linear = linear(hall.election);
    let most = if hall.approvals.is_tabled() { MOST_COMPARED } else { MOST_COMPARED / 20 };
    // For each score reached so far that is not beaten: coverage, the first portfolio by the ladder, how many.
    let mut front: Vec<(u128, u128, Set, usize)> = Vec::new();
    search::each(hall.candidates(), hall.seats, most, |set| {
        if !hall.parameters.constraints.allow(set) {
            return;
        }
        let score = set.members().map(|c| linear[c]).sum();
        let covered = hall.approvals.covered(set);
        if let Some(equal) = front.iter_mut().find(|(s, c, ..)| (*s, *c) == (score, covered)) {
            equal.3 += 1;
            if by_places(set, &hall.places) < by_places(equal.2, &hall.places) {
                equal.2 = set;
            }
        } else if !front.iter().any(|&(s, c, ..)| s >= score && c >= covered) {
            front.retain(|&(s, c, ..)| s > score || c > covered);
            front.push((score, covered, set, 1));
        }
    })
    .ok()?;
    front.sort_unstable_by_key(|&(score, ..)| std::cmp::Reverse(score));
    let row = |(score, covered, set, count)| TradeOff {
        score: hall.fraction(score),
        covered: hall.fraction(covered),
        members: in_order(set, &hall.places),
        count,
    };
    Some(front.into_iter().map(row).collect())
}
