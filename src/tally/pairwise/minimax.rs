//! `minimax`: whoever's worst duel is the least bad; smallest first.
//!
//! Simpson 1969, Kramer 1977. The worst duel of a is, by `strength`: `winning-votes`, the most votes in a duel that a
//! lost, 0 if it lost none; `margins`, the largest N(b, a) - N(a, b), negative for a Condorcet winner; `opposition`,
//! the largest N(b, a), lost or not.
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1, 2], 4);
//! profile.add(&[1, 2, 0], 3);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 3 };
//! let outcome = Rule::find("minimax").unwrap().count(&election, &Parameters::default()).unwrap();
//! let scores: Vec<String> =
//!     outcome.standings.iter().map(|standing| standing.score.as_ref().unwrap().to_string()).collect();
//! assert_eq!(scores, ["0", "4", "7"]);
//! ```

use num_bigint::BigInt;
use num_traits::Zero;

use super::{Pairwise, Strength};
use crate::tally::{Detail, Election, Fraction, Outcome, Parameters, Refusal};

#[expect(clippy::unnecessary_wraps, reason = "the one shape of all rules in the table")]
pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = election.counts;
    let strength = parameters.strength.unwrap_or_default();
    let duel = |c: usize, other: usize| -> BigInt {
        let (ours, theirs) = (counts.above(c, other), counts.above(other, c));
        match strength {
            Strength::WinningVotes if theirs > ours => theirs.into(),
            Strength::WinningVotes => BigInt::zero(),
            Strength::Margins => BigInt::from(theirs) - BigInt::from(ours),
            Strength::Opposition => theirs.into(),
        }
    };
    let candidates = counts.candidates();
    let worst: Vec<Fraction> = (0..candidates)
        .map(|c| {
            let duels = (0..candidates).filter(|&other| other != c).map(|other| duel(c, other));
            election.profile.fraction(duels.max().unwrap_or_default())
        })
        .collect();
    let all: Vec<usize> = (0..candidates).collect();
    let tiers = crate::tally::ladder::partition(&all, |c| std::cmp::Reverse(&worst[c]));
    let outcome = Outcome::by_tiers(tiers, Some(&worst), counts, &parameters.ladder, parameters.cut);
    let facts = Pairwise { strength: Some(strength), ..Pairwise::facts(election) };
    Ok(outcome.with(Detail::Pairwise(Box::new(facts))))
}
