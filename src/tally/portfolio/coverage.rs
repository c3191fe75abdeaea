//! `coverage`: as much weight as possible lists at least one of the portfolio.
//!
//! Chamberlin & Courant, Representative deliberations and representative decisions, American Political Science Review 77
//! (1983), on the sets that ballots list. The optima are those by this alone; among them the published one has the most
//! weight that lists two of it, then the largest sum of linear points, and only then does the ladder decide.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(4);
//! profile.add(&[0, 1], 3);
//! profile.add(&[0, 2], 2);
//! profile.add(&[3], 1);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("coverage").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.selected, Some(vec![0, 3])); // all six
//! ```

use super::approvals::Approvals;
use super::search::Objective;
use super::{Found, Hall, optimise};
use crate::tally::rounds::Set;
use crate::tally::{Election, Outcome, Parameters, Refusal};

/// Weight that lists at least one member.
pub(super) struct Covered<'a>(pub(super) &'a Approvals);

impl Objective for Covered<'_> {
    fn gains(&self, set: Set, gains: &mut [u128]) {
        for (listed, weight) in self.0.sets.iter().filter(|(listed, _)| listed.0 & set.0 == 0) {
            let mut left = listed.0;
            while left != 0 {
                gains[left.trailing_zeros() as usize] += weight;
                left &= left - 1;
            }
        }
    }

    fn effort(&self) -> usize {
        self.0.sets.len()
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let found = optimise(&hall, &Covered(&hall.approvals), |best| hall.fraction(best))?;
    let linear = super::figures::linear(election);
    let second = |&set: &Set| {
        let score: u128 = set.members().map(|c| linear[c]).sum();
        (hall.approvals.listing(set, 2), score)
    };
    let most = found.sets.iter().map(second).max();
    let decisive: Vec<Set> = found.sets.iter().copied().filter(|set| Some(second(set)) == most).collect();
    Ok(hall.outcome_among(&found, &Found::all(None, decisive)))
}
