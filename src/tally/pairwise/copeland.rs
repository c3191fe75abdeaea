//! `copeland`: a point for every duel won, and by default half a point for a draw.
//!
//! Copeland, A reasonable social welfare function (Michigan, 1951). With `draws=llull` a draw gives a whole point, as
//! Ramon Llull counted in 1299 (Hägele & Pukelsheim, Studia Lulliana 41, 2001); with `draws=strict` nothing.
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 2); // two ballots: A before B, C unranked
//! profile.add(&[2, 1, 0], 1);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 3 };
//! let outcome = Rule::find("copeland").unwrap().count(&election, &Parameters::default()).unwrap();
//! assert_eq!(outcome.standings[0].candidate, 0);
//! assert_eq!(outcome.standings[0].score.as_ref().unwrap().to_string(), "2");
//! ```

use num_bigint::BigInt;
use std::cmp::Ordering;

use super::Pairwise;
use crate::tally::words::words;
use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Refusal};

words! {
    /// What a draw is worth.
    Draws {
        /// Half a point.
        #[default]
        Half = "half",
        /// A whole point.
        Llull = "llull",
        /// Nothing.
        Strict = "strict",
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the one shape of all rules in the table")]
pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = election.counts;
    let candidates = counts.candidates();
    let halves = match parameters.draws.unwrap_or_default() {
        Draws::Half => 1,
        Draws::Llull => 2,
        Draws::Strict => 0,
    };
    let scores: Vec<Fraction> = (0..candidates)
        .map(|c| {
            let duels = (0..candidates).filter(|&other| other != c);
            let score: u64 = duels
                .map(|other| match counts.above(c, other).cmp(&counts.above(other, c)) {
                    Ordering::Greater => 2,
                    Ordering::Equal => halves,
                    Ordering::Less => 0,
                })
                .sum();
            Fraction::new(BigInt::from(score), BigInt::from(2))
        })
        .collect();
    let detail = Detail::Pairwise(Box::new(Pairwise::facts(election)));
    Ok(Outcome::by_score(&scores, counts, &parameters.ladder, parameters.cut).with(detail))
}
