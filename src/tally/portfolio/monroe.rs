//! `monroe`: every member represents equally many voters, and as many voters as possible are represented by one they
//! list.
//!
//! Monroe, Fully proportional representation, American Political Science Review 89 (1995). With W voters and m members,
//! W mod m members represent one voter more than the rest. How many can be represented by a listed member is a flow
//! problem; by its cuts it is the smallest of covered(S) + what the members outside S can take, over all sets S of
//! members, so no assignment is tried out. Takes whole weights only.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 3);
//! profile.add(&[2], 1);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("monroe").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.value.unwrap().to_string(), "3"); // A or B stands for two of the three, and nobody else can
//! ```

use super::{Found, Hall, search};
use crate::tally::rounds::Set;
use crate::tally::{Election, Outcome, Parameters, Refusal};

/// How many sets of members are looked at: some tenths of a second.
pub(super) const MOST_SUBSETS: usize = 20_000_000;

/// Every subset of a set, itself and the empty one too.
pub(super) fn subsets(of: Set) -> impl Iterator<Item = Set> {
    let mut next = Some(of.0);
    std::iter::from_fn(move || {
        let set = next?;
        next = (set != 0).then(|| (set - 1) & of.0);
        Some(Set(set))
    })
}

/// How many portfolios can be compared when all subsets of each are looked at.
pub(super) fn most_portfolios(hall: &Hall<'_>) -> usize {
    let each = 1_usize.checked_shl(u32::try_from(hall.seats).unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    let scan = if hall.approvals.is_tabled() { 1 } else { hall.approvals.sets.len().max(1) };
    MOST_SUBSETS / hall.parameters.share() / each.saturating_mul(scan).max(1)
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    election.whole()?;
    let hall = Hall::new(election, parameters)?;
    let seats = hall.seats as u128;
    let (each, more) = (hall.approvals.total / seats, hall.approvals.total % seats);
    let represented = |portfolio: Set| {
        let cut = |covering: Set| {
            let others = (portfolio.len() - covering.len()) as u128;
            hall.approvals.covered(covering) + each * others + more.min(others)
        };
        subsets(portfolio).map(cut).min().expect("a set has subsets")
    };
    let mut best: Option<(u128, Vec<Set>)> = None;
    search::each(hall.candidates(), hall.seats, most_portfolios(&hall), |portfolio| {
        // Nobody represents more than the portfolio covers.
        let is_hopeless = best.as_ref().is_some_and(|(most, _)| hall.approvals.covered(portfolio) < *most);
        if !is_hopeless && parameters.constraints.allow(portfolio) {
            let value = represented(portfolio);
            match &mut best {
                Some((most, _)) if value < *most => {}
                Some((most, sets)) if value == *most => sets.push(portfolio),
                _ => best = Some((value, vec![portfolio])),
            }
        }
    })?;
    let (value, sets) = best.ok_or(Refusal::NoSuchPortfolio)?;
    let found = Found::all(Some(hall.fraction(value)), sets);
    Ok(hall.outcome(&found))
}
