//! `schulze`: a stands above b where the strongest path of duels from a to b is stronger than the one back.
//!
//! Schulze, A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner election
//! method, Social Choice and Welfare 36 (2011). A path is as strong as its weakest duel, a duel as `strength` says;
//! the strongest paths are found as Floyd and Warshall find the shortest. Tiers: the unbeaten, then the unbeaten of
//! the rest, and so on.
//!
//! ```
//! use handslag::tally::{Counts, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1, 2], 4); // A beats B 6 to 3, B beats C 7 to 2, C beats A 5 to 4
//! profile.add(&[1, 2, 0], 3);
//! profile.add(&[2, 0, 1], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 3 };
//! let outcome = Rule::find("schulze").unwrap().count(&election, &Parameters::default()).unwrap();
//! let order: Vec<usize> = outcome.standings.iter().map(|standing| standing.candidate).collect();
//! assert_eq!(order, [0, 1, 2]);
//! ```

use super::{Pairwise, by_tiers, square, strengths, tiers_of};
use crate::tally::{Detail, Election, Outcome, Parameters, Refusal};

#[expect(clippy::unnecessary_wraps, reason = "the one shape of all rules in the table")]
pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let strength = parameters.strength.unwrap_or_default();
    let candidates = election.counts.candidates();
    let mut path = strengths(election.counts, strength);
    for through in 0..candidates {
        for from in 0..candidates {
            for to in 0..candidates {
                if from != to {
                    path[from][to] = path[from][to].max(path[from][through].min(path[through][to]));
                }
            }
        }
    }
    let tiers = tiers_of(candidates, |a, b| path[a][b] > path[b][a]);
    let facts = Pairwise {
        strength: Some(strength),
        paths: Some(square(election.profile, |a, b| path[a][b])),
        ..Pairwise::facts(election)
    };
    let outcome = by_tiers(tiers, election, &parameters.ladder, parameters.cut);
    Ok(outcome.with(Detail::Pairwise(Box::new(facts))))
}
