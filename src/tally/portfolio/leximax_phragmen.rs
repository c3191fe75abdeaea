//! `leximax-phragmen`: every member is a load of 1 on those who list it, spread so that the largest loads are least.
//!
//! Brill, Freeman, Janson & Lackner, Phragmén's voting methods and justified representation (AAAI 2017; Mathematical
//! Programming 2023): of all portfolios and ways to spread their loads, the one whose vector of voters' loads, sorted
//! from the largest, is lexicographically least. For one portfolio the best spread follows from its dense parts: the
//! members S with the most members per weight that lists any of them cannot do better than |S| / weight each, and do
//! that well; then the same for the rest. A member whom nobody lists is worse than any load.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 4);
//! profile.add(&[2], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("leximax-phragmen").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.value.unwrap().to_string(), "1/2"); // A or B on four, C on two; A and B on four is 1/2 too …
//! assert_eq!(portfolio.optima.count, 2); // … but then four carry it instead of two
//! ```

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::approvals::Approvals;
use super::monroe::{most_portfolios, subsets};
use super::{Found, Hall, first, search};
use crate::tally::rounds::Set;
use crate::tally::{Election, Fraction, Outcome, Parameters, Refusal};

/// So many members on so much weight.
#[derive(Clone, Copy, Debug)]
struct Load {
    members: u128,
    weight: u128,
}

impl Load {
    /// The higher load first; of equal loads the one that more weight carries.
    fn cmp(&self, other: &Self) -> Ordering {
        let density = (self.members * other.weight).cmp(&(other.members * self.weight));
        density.then(self.weight.cmp(&other.weight))
    }
}

/// The loads of a portfolio from the largest, as far as they are worth knowing: members that nobody lists first.
#[derive(Clone, Debug)]
struct Loads {
    unlisted: usize,
    loads: Vec<Load>,
}

impl Loads {
    fn of(portfolio: Set, approvals: &Approvals) -> Self {
        let listed = portfolio.members().filter(|&c| approvals.covered(Set(0).with(c)) > 0);
        let mut left = listed.fold(Set(0), Set::with);
        let unlisted = portfolio.len() - left.len();
        let mut done = Set(0);
        let mut loads = Vec::new();
        while left.len() > 0 {
            let before = approvals.covered(done);
            let mut densest: Option<(Load, Set)> = None;
            for part in subsets(left).filter(|part| part.len() > 0) {
                let weight = approvals.covered(Set(done.0 | part.0)) - before;
                let load = Load { members: part.len() as u128, weight };
                densest = Some(match densest {
                    None => (load, part),
                    Some((most, parts)) => {
                        match (load.members * most.weight).cmp(&(most.members * load.weight)) {
                            Ordering::Greater => (load, part),
                            // Equally dense parts together are as dense.
                            Ordering::Equal => (most, Set(parts.0 | part.0)),
                            Ordering::Less => (most, parts),
                        }
                    }
                });
            }
            let (_, part) = densest.expect("somebody is left");
            done = Set(done.0 | part.0);
            left = Set(left.0 & !part.0);
            let weight = approvals.covered(done) - before;
            loads.push(Load { members: part.len() as u128, weight });
        }
        Self { unlisted, loads }
    }

    /// Whether a portfolio is worse at first sight: its largest load is at least what all its members are on all whom they
    /// cover.
    fn beats(&self, portfolio: Set, approvals: &Approvals) -> bool {
        let all = Load { members: portfolio.len() as u128, weight: approvals.covered(portfolio) };
        let is_denser = |largest: &Load| all.members * largest.weight > largest.members * all.weight;
        self.unlisted == 0 && self.loads.first().is_some_and(is_denser)
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let by_load = || {
            let pairs = self.loads.iter().zip(&other.loads).map(|(a, b)| a.cmp(b));
            let differing = pairs.into_iter().find(|ordering| ordering.is_ne());
            differing.unwrap_or(self.loads.len().cmp(&other.loads.len()))
        };
        self.unlisted.cmp(&other.unlisted).then_with(by_load)
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let mut best: Option<(Loads, Vec<Set>)> = None;
    search::each(hall.candidates(), hall.seats, most_portfolios(&hall), |portfolio| {
        if !best.as_ref().is_some_and(|(least, _)| least.beats(portfolio, &hall.approvals))
            && parameters.constraints.allow(portfolio)
        {
            let loads = Loads::of(portfolio, &hall.approvals);
            match &mut best {
                Some((least, sets)) => match loads.cmp(least) {
                    Ordering::Less => best = Some((loads, vec![portfolio])),
                    Ordering::Equal => sets.push(portfolio),
                    Ordering::Greater => {}
                },
                None => best = Some((loads, vec![portfolio])),
            }
        }
    })?;
    let (loads, sets) = best.ok_or(Refusal::NoSuchPortfolio)?;
    let unit = election.profile.unit();
    let each = |load: &Load| Fraction::new(BigInt::from(load.members) * unit, BigInt::from(load.weight));
    let largest = loads.loads.first().filter(|_| loads.unlisted == 0).map(each);
    let found = Found::all(largest, sets);
    let published = first(&found.sets, &hall.places);
    Ok(hall.outcome(&found).adding(|portfolio| {
        if published.is_some() {
            let row = |load: &Load| (each(load), hall.fraction(load.weight));
            portfolio.loads = loads.loads.iter().map(row).collect();
        }
    }))
}
