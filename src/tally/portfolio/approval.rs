//! `approval`: the m that most weight lists.
//!
//! Block approval (Lackner & Skowron, Multi-winner voting with approval preferences, 2023, section 2.2: AV).
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1], 2);
//! profile.add(&[2, 1], 1);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("approval").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Portfolio(portfolio) = outcome.detail else { unreachable!() };
//! assert_eq!(portfolio.optima.listed, [[1, 0]]);
//! ```

use super::search::Objective;
use super::{Found, Hall, MOST_LISTED, in_order, optimise};
use crate::tally::rounds::Set;
use crate::tally::{Election, Outcome, Parameters, Refusal};

/// The weight that lists each member, added up.
struct Listed(Vec<u128>);

impl Objective for Listed {
    fn gains(&self, _: Set, gains: &mut [u128]) {
        gains.copy_from_slice(&self.0);
    }

    fn effort(&self) -> usize {
        self.0.len()
    }
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hall = Hall::new(election, parameters)?;
    let listed = Listed((0..hall.candidates()).map(|c| election.counts.listed(c)).collect());
    let found = if parameters.constraints.is_empty() {
        most_listed(&hall, &listed.0)
    } else {
        optimise(&hall, &listed, |best| hall.fraction(best))?
    };
    Ok(hall.outcome(&found))
}

/// Without conditions: all above the line, and any choice of those on it. Those choices are counted, not tried.
fn most_listed(hall: &Hall<'_>, listed: &[u128]) -> Found {
    let mut figures = listed.to_vec();
    figures.sort_unstable_by(|a, b| b.cmp(a));
    let line = figures[hall.seats - 1];
    let those = |holds: &dyn Fn(u128) -> bool| {
        (0..listed.len()).filter(|&c| holds(listed[c])).fold(Set(0), Set::with)
    };
    let above = those(&|figure| figure > line);
    let on_it = in_order(those(&|figure| figure == line), &hall.places);
    let open = hall.seats - above.len();
    // The first choices in the ladder's order: as many as are listed, and one more to see that the first is alone.
    let mut sets = Vec::new();
    let mut chosen: Vec<usize> = (0..open).collect();
    loop {
        sets.push(chosen.iter().fold(above, |set, &i| set.with(on_it[i])));
        let next = (0..open).rev().find(|&i| chosen[i] < on_it.len() - open + i);
        let Some(place) = next.filter(|_| sets.len() <= MOST_LISTED) else { break };
        chosen[place] += 1;
        for i in place + 1..open {
            chosen[i] = chosen[i - 1] + 1;
        }
    }
    let all_of_them = on_it.len() == open;
    let on_line = those(&|figure| figure == line);
    Found {
        value: Some(hall.fraction(figures[..hall.seats].iter().sum::<u128>())),
        sets,
        count: choices(on_it.len(), open),
        complete: true,
        shared: if all_of_them { Set(above.0 | on_line.0) } else { above },
        possible: Set(above.0 | on_line.0),
    }
}

/// n over k; at most 64 over 32, which fits.
fn choices(n: usize, k: usize) -> u64 {
    let product = (0..k as u128).fold(1_u128, |product, i| product * (n as u128 - i) / (i + 1));
    u64::try_from(product).expect("64 over 32 is below 2^61")
}
