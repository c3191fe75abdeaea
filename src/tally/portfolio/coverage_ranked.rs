//! `coverage-ranked`: every ballot counts the points of its best pick in the portfolio.
//!
//! Chamberlin & Courant 1983 in their own form, with points by rank. The points are the linear ones, k for the first
//! rank down to 1 for the last, unless `points` gives others; a ballot without a pick in the portfolio counts 0.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 2);
//! profile.add(&[2, 1], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("coverage-ranked").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.value.unwrap().to_string(), "8"); // A and C: two points four times
//! ```

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, ToPrimitive};

use super::search::Objective;
use super::{Hall, optimise};
use crate::tally::rounds::Set;
use crate::tally::{Election, Fraction, Outcome, Parameters, Refusal, positional};

/// Points of the best pick, in whole parts of a point.
struct BestPick<'a> {
    ballots: Vec<(&'a [u8], u128)>,
    points: Vec<u128>,
}

impl Objective for BestPick<'_> {
    fn gains(&self, set: Set, gains: &mut [u128]) {
        for &(ranking, weight) in &self.ballots {
            let best = ranking.iter().position(|&c| set.has(c.into()));
            let reached = best.map_or(0, |rank| self.points[rank]);
            for (&c, &points) in ranking[..best.unwrap_or(ranking.len())].iter().zip(&self.points) {
                gains[usize::from(c)] += weight * (points - reached);
            }
        }
    }

    fn effort(&self) -> usize {
        self.ballots.len() * 2
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let points: Vec<Fraction> = match &parameters.points {
        Some(points) => {
            positional::custom::check(points, election.picks)?;
            points.clone()
        }
        None => (1..=election.picks).rev().map(|points| Fraction::from_integer(points.into())).collect(),
    };
    let parts = points.iter().fold(BigInt::one(), |parts, points| parts.lcm(points.denom()));
    let whole = |points: &Fraction| (points * &parts).to_integer().to_u128().filter(|&p| p < 1 << 40);
    let points: Option<Vec<u128>> = points.iter().map(whole).collect();
    let objective =
        BestPick { ballots: election.profile.weights().collect(), points: points.ok_or(Refusal::TooFine)? };
    let found = optimise(&hall, &objective, |best| hall.fraction(best) / &parts)?;
    Ok(hall.outcome(&found))
}
