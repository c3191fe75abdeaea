//! `stv` with `method=meek`: every elected candidate keeps just the share of each vote that it needs.
//!
//! Meek 1969 and 1970; Hill, Wichmann & Woodall, Algorithm 123, The Computer Journal 30 (1987); nine decimals as in New
//! Zealand's Local Electoral Regulations 2001, schedule 1A: quota (W - exhausted)/(m+1) cut to nine decimals plus
//! 0.000000001, keep values and the parts of votes they take rounded up. A stage goes on until the elected together
//! have less than 0.0001 over the quota, or what they have over it grows no less: rounding can lead keep values in a
//! circle, which the regulations do not speak of, so this end is that of the Proportional Representation Foundation's
//! Reference STV Rules, Meek, B.2.f. Then the one with the fewest votes is excluded. Where the regulations end in a pseudo-random number, ties go by the most recent earlier stage where the
//! tied differ, then by the lot.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule, rounds::Transfer};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 6);
//! profile.add(&[2], 3);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters =
//!     Parameters { seats: Some(2), method: Some(Transfer::Meek), ..Parameters::default() };
//! let outcome = Rule::find("stv").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Stages(stages) = outcome.detail else { unreachable!() };
//! assert_eq!(stages.stages[0].quota.to_string(), "3000000001/1000000000");
//! ```

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use super::stv::{Action, Counted, Otherwise, Progress, Side};
use crate::tally::{Election, Parameters};

/// A vote in thousand-millionths.
const SCALE: u128 = 1_000_000_000;
/// 0.0001 of a vote: less than this over the quota counts as nothing.
const SETTLED: u128 = SCALE / 10_000;

/// a × b / c, rounded up. The product may be larger than 128 bits, the quotient is not.
fn share(a: u128, b: u128, c: u128) -> u128 {
    let up = match a.checked_mul(b) {
        Some(product) => Some(product.div_ceil(c)),
        None => ((BigUint::from(a) * b + (c - 1)) / c).to_u128(),
    };
    up.expect("a quotient near the quota")
}

/// The votes of each candidate when each keeps its share of what reaches it.
fn votes(count: &Progress<'_>, keep: &[u128]) -> Vec<u128> {
    let mut votes = vec![0; keep.len()];
    for (ranking, weight) in count.profile.weights() {
        let mut value = SCALE;
        for &candidate in ranking {
            let candidate = usize::from(candidate);
            let kept = (value * keep[candidate]).div_ceil(SCALE);
            votes[candidate] += weight * kept;
            value -= kept;
            if value == 0 {
                break;
            }
        }
    }
    votes
}

fn quota(count: &Progress<'_>, votes: &[u128]) -> u128 {
    votes.iter().sum::<u128>() / (count.seats as u128 + 1) + 1
}

/// Takes from the elected what they have over the quota, until that is next to nothing.
fn settle(count: &Progress<'_>, keep: &mut [u128]) -> Vec<u128> {
    let mut least = u128::MAX;
    loop {
        let now = votes(count, keep);
        let quota = quota(count, &now);
        let over: u128 = count.elected.iter().map(|&c| now[c].saturating_sub(quota)).sum();
        if over < SETTLED || over >= least || count.continuing.members().any(|c| now[c] >= quota) {
            return now;
        }
        least = over;
        for &c in &count.elected {
            keep[c] = share(keep[c], quota, now[c]).min(SCALE);
        }
    }
}

pub(super) fn count<'a>(
    election: &Election<'a>,
    parameters: &Parameters,
    otherwise: Option<Otherwise>,
) -> Counted<'a> {
    let mut count = Progress::begin(election, parameters, SCALE, otherwise)?;
    let mut keep = vec![SCALE; count.profile.candidates()];
    let first = votes(&count, &keep);
    let mut present = quota(&count, &first);
    count.stage(Action::FirstPreferences, first, present, None);
    while !count.fill_last(present) {
        let newly_elected = count.stages.last().is_some_and(|stage| !stage.elected.is_empty());
        let (action, told);
        if newly_elected {
            let of = *count.elected.last().expect("somebody was just elected");
            let surplus = count.elected.iter().map(|&c| count.votes()[c].saturating_sub(present)).sum();
            (action, told) = (Action::Surplus { of, surplus: count.fraction(surplus) }, None);
        } else {
            let (of, tied) = count.extreme(count.continuing.members(), Side::Fewest)?;
            count.continuing = count.continuing.without(of);
            count.excluded.push(of);
            keep[of] = 0;
            (action, told) = (Action::Exclusion { of }, Some(tied));
        }
        let votes = settle(&count, &mut keep);
        present = quota(&count, &votes);
        count.stage(action, votes, present, told);
    }
    Ok((count, present))
}
