//! `modified-borda`: a ballot of l picks gives l points to its first, down to 1 to its last.
//!
//! It differs from `linear` only where ballots may have different lengths: a short ballot is worth
//! less, so nobody gains by leaving ranks empty (Emerson, Social Choice and Welfare 40, 2013).
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0], 1); // a ballot with one pick is worth one point
//! profile.add(&[1, 2, 0], 1);
//! let counts = Counts::of(&profile);
//! let election = Election { profile: &profile, counts: &counts, picks: 3 };
//! let outcome = Rule::find("modified-borda").unwrap().count(&election, &Parameters::default()).unwrap();
//! assert_eq!(outcome.standings[0].candidate, 1);
//! assert_eq!(outcome.standings[0].score.as_ref().unwrap().to_string(), "3");
//! ```

use super::{Frame, Scale, whole};

pub(crate) fn scale(_: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| whole(length + 1 - rank))
}
