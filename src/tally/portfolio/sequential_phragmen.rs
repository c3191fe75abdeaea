//! `sequential-phragmen`: every member is a load of 1 on those who list it; each time the one that burdens least.
//!
//! Phragmén 1894 to 1899; Janson, Phragmén's and Thiele's election methods (2016), section 3. The supporters of a new
//! member carry its load and all they carried before in equal parts; selected is whoever makes that part smallest.
//! Candidates whom nobody lists come last. Ties are followed in every order.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 4);
//! profile.add(&[2], 3);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(3), ..Parameters::default() };
//! let outcome = Rule::find("sequential-phragmen").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.value.unwrap().to_string(), "1/2"); // two members on four ballots
//! ```

use num_bigint::BigInt;
use num_traits::Zero;

use super::Hall;
use super::purses::Purses;
use super::sequence::Sequences;
use crate::tally::{Election, Fraction, Outcome, Parameters, Refusal};

/// Selects until the seats are filled, from whatever load the ballots carry already.
pub(super) fn fill(hall: &Hall<'_>, sequences: Sequences<Purses>) -> Sequences<Purses> {
    let candidates = hall.candidates();
    let outside =
        |set: crate::tally::rounds::Set| (0..candidates).filter(|&c| !set.has(c)).collect::<Vec<_>>();
    let unit = BigInt::from(hall.election.profile.unit());
    sequences.run(
        hall.seats,
        &hall.places,
        hall.effort(),
        |branch| {
            let (best, load) = branch.state.lightest(&hall.approvals, &outside(branch.set), candidates);
            (best, load.map(|load| branch.state.fraction(&load) * &unit))
        },
        |branch, candidate| {
            let (_, load) = branch.state.lightest(&hall.approvals, &[candidate], candidates);
            match load {
                Some(load) => branch.state.loaded(&hall.approvals, candidate, &load),
                None => branch.state.clone(),
            }
        },
    )
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let start = Purses::equal(&hall.approvals, &Fraction::zero());
    let sequences = fill(&hall, Sequences::begin(start));
    let found = sequences.found(None);
    let outcome = hall.outcome(&found);
    Ok(outcome.adding(|portfolio| {
        let members = portfolio.selected.as_ref();
        portfolio.selection = sequences.path(members, &hall.places);
        let largest = sequences
            .branches
            .iter()
            .filter(|branch| members.is_some_and(|members| members.iter().all(|&c| branch.set.has(c))));
        let largest = largest.map(|branch| branch.state.largest()).min();
        portfolio.value = largest.map(|load| load * BigInt::from(election.profile.unit()));
    }))
}
