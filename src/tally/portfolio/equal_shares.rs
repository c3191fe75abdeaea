//! `equal-shares`: every ballot gets the same money, and supporters pay for what they list in equal parts.
//!
//! The method of equal shares (Peters & Skowron, Proportionality and the limits of welfarism, EC 2020). Each unit of
//! weight owns m/W, a member costs 1; each time the one is bought whose supporters have to pay the least each, those
//! who own less paying all they have. When nobody can be afforded any more, the seats that are empty are filled by
//! `sequential-phragmen`, started with the unspent money as negative load (Lackner & Skowron 2023, section 2.5).
//! Satisfies EJR+ (Brill & Peters 2023). Ties are followed in every order.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(4);
//! profile.add(&[0, 1], 4);
//! profile.add(&[2, 3], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(3), ..Parameters::default() };
//! let outcome = Rule::find("equal-shares").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.optima.shared, [0, 1]); // four own 2, two own 1
//! ```

use num_bigint::BigInt;

use super::Hall;
use super::purses::Purses;
use super::sequence::{Branch, Sequences};
use super::sequential_phragmen::fill;
use crate::tally::{Election, Fraction, Outcome, Parameters, Refusal};

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let candidates = hall.candidates();
    let total = hall.approvals.total.max(1);
    let each = Fraction::new(BigInt::from(hall.seats), BigInt::from(total));
    let unit = BigInt::from(election.profile.unit());
    let outside =
        |branch: &Branch<Purses>| (0..candidates).filter(|&c| !branch.set.has(c)).collect::<Vec<_>>();
    let bought = Sequences::begin(Purses::equal(&hall.approvals, &each)).run(
        hall.seats,
        &hall.places,
        hall.effort(),
        |branch| match branch.state.cheapest(&hall.approvals, &outside(branch), candidates) {
            Some((best, price)) => (best, Some(branch.state.fraction(&price) * &unit)),
            None => (Vec::new(), None),
        },
        |branch, candidate| {
            let (_, price) = branch
                .state
                .cheapest(&hall.approvals, &[candidate], candidates)
                .expect("only what can be afforded is bought");
            branch.state.paid(&hall.approvals, candidate, &price)
        },
    );
    let before = bought.found(None).optima(&hall.places);
    let in_debt = |branch: Branch<Purses>| branch.with(|purses| purses.negated());
    let start =
        Sequences { branches: bought.branches.into_iter().map(in_debt).collect(), complete: bought.complete };
    let sequences = fill(&hall, start);
    let found = sequences.found(None);
    let outcome = hall.outcome(&found);
    Ok(outcome.adding(|portfolio| {
        portfolio.selection = sequences.path(portfolio.selected.as_ref(), &hall.places);
        portfolio.before_completion = Some(before);
    }))
}
