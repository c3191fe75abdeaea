//! `bucklin`: first places, then first and second places, and so on, until somebody has more than half.
//!
//! Hoag & Hallett, Proportional Representation (1926), on the Grand Junction ballot of 1909. All candidates are ordered
//! by C(j) at the smallest j at which somebody has more than W/2; if nobody ever has, by C(k), and the outcome says
//! that there is no majority.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 2);
//! profile.add(&[1, 2], 2);
//! profile.add(&[2, 1], 1);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let outcome = Rule::find("bucklin").unwrap().count(&election, &Parameters::default()).unwrap();
//! assert_eq!(outcome.standings[0].candidate, 1); // five of five at the second rank
//! let Detail::Bucklin(bucklin) = outcome.detail else { unreachable!() };
//! assert_eq!(bucklin.majority_at, Some(2));
//! ```

use num_bigint::BigInt;

use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Refusal};

/// How a Bucklin count went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucklin {
    /// W/2: a majority is more than this.
    pub half: Fraction,
    /// The rank down to which ballots were read when somebody had a majority; none if nobody ever had.
    pub majority_at: Option<usize>,
    /// C(1), C(2), … of every candidate, down to the rank that decided.
    pub levels: Vec<Vec<Fraction>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the one shape of all rules in the table")]
pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = election.counts;
    let candidates = counts.candidates();
    let deepest = counts.longest();
    let has_majority = |c: usize, ranks: usize| counts.within(c, ranks) > counts.weight() / 2;
    let majority_at = (1..=deepest).find(|&ranks| (0..candidates).any(|c| has_majority(c, ranks)));
    let decided_at = majority_at.unwrap_or(deepest);
    let level = |ranks: usize| -> Vec<Fraction> {
        (0..candidates).map(|c| election.profile.fraction(counts.within(c, ranks))).collect()
    };
    let bucklin = Bucklin {
        half: election.profile.fraction(counts.weight()) / BigInt::from(2),
        majority_at,
        levels: (1..=decided_at).map(level).collect(),
    };
    let scores = level(decided_at);
    let outcome = Outcome::by_score(&scores, counts, &parameters.ladder, parameters.cut);
    Ok(outcome.with(Detail::Bucklin(bucklin)))
}
