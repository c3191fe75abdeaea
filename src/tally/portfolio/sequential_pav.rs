//! `sequential-pav`: one member after the other, each time whoever adds most to the harmonic sum of `pav`.
//!
//! Thiele's addition method (Om Flerfoldsvalg, 1895). Ties are followed in every order.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(4);
//! profile.add(&[0, 1], 5);
//! profile.add(&[2, 3], 3);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("sequential-pav").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.optima.count, 4); // one of each group: 5, then 3 rather than 5/2
//! ```

use super::Hall;
use super::pav::Harmonic;
use super::search::Objective;
use super::sequence::Sequences;
use crate::tally::{Election, Outcome, Parameters, Refusal};

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let harmonic = Harmonic::new(&hall)?;
    let sequences = Sequences::begin(()).run(
        hall.seats,
        &hall.places,
        hall.effort(),
        |branch| {
            let mut gains = vec![0; hall.candidates()];
            harmonic.gains(branch.set, &mut gains);
            let outside: Vec<usize> = (0..gains.len()).filter(|&c| !branch.set.has(c)).collect();
            let most = outside.iter().map(|&c| gains[c]).max().unwrap_or(0);
            let best = outside.into_iter().filter(|&c| gains[c] == most).collect();
            (best, Some(harmonic.value(&hall, most)))
        },
        |_, _| (),
    );
    let found = sequences.found(None);
    let outcome = hall.outcome(&found);
    Ok(outcome
        .adding(|portfolio| portfolio.selection = sequences.path(portfolio.selected.as_ref(), &hall.places)))
}
