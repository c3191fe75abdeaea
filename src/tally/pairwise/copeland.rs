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

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use num_bigint::BigInt;

use super::Pairwise;
use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Refusal};

/// What a draw is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Draws {
    /// Half a point.
    #[default]
    Half,
    /// A whole point.
    Llull,
    /// Nothing.
    Strict,
}

impl Draws {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Half, Self::Llull, Self::Strict];

    /// The word in queries and documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Llull => "llull",
            Self::Strict => "strict",
        }
    }
}

impl FromStr for Draws {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|draws| draws.id() == text).ok_or(())
    }
}

impl fmt::Display for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
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
