//! `pav`: a ballot counts 1 for its first pick in the portfolio, 1/2 for the second, 1/3 for the third, and so on.
//!
//! Proportional approval voting (Thiele, Om Flerfoldsvalg, 1895). Satisfies EJR+ (Brill & Peters 2023).
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(4);
//! profile.add(&[0, 1], 5);
//! profile.add(&[2, 3], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("pav").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.value.unwrap().to_string(), "15/2"); // both of the larger group: 5 + 5/2
//! ```

use num_bigint::BigInt;
use num_integer::Integer;

use super::approvals::Approvals;
use super::search::Objective;
use super::{Hall, optimise};
use crate::tally::rounds::Set;
use crate::tally::{Election, Outcome, Parameters, Refusal};

/// Thiele's harmonic sum, in whole parts.
pub(super) struct Harmonic<'a> {
    approvals: &'a Approvals,
    /// How many parts are 1.
    pub(super) parts: u128,
}

impl<'a> Harmonic<'a> {
    /// # Errors
    /// If so many picks can be in the portfolio that the parts do not fit.
    pub(super) fn new(hall: &'a Hall<'_>) -> Result<Self, Refusal> {
        let most = hall.election.profile.longest().min(hall.seats) as u128;
        let parts =
            (1..=most).try_fold(1_u128, |parts, picks| Some(parts.lcm(&picks)).filter(|p| *p < 1 << 40));
        Ok(Self { approvals: &hall.approvals, parts: parts.ok_or(Refusal::TooFine)? })
    }

    pub(super) fn value(&self, hall: &Hall<'_>, parts: u128) -> crate::tally::Fraction {
        hall.fraction(parts) / BigInt::from(self.parts)
    }
}

impl Objective for Harmonic<'_> {
    fn gains(&self, set: Set, gains: &mut [u128]) {
        for (listed, weight) in &self.approvals.sets {
            let mut left = listed.0 & !set.0;
            if left == 0 {
                continue;
            }
            let gain = weight * (self.parts / (u128::from((listed.0 & set.0).count_ones()) + 1));
            while left != 0 {
                gains[left.trailing_zeros() as usize] += gain;
                left &= left - 1;
            }
        }
    }

    fn effort(&self) -> usize {
        self.approvals.sets.len() * 2
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let harmonic = Harmonic::new(&hall)?;
    let found = optimise(&hall, &harmonic, |best| harmonic.value(&hall, best))?;
    Ok(hall.outcome(&found))
}
