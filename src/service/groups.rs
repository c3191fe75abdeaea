//! Groups of participants and weights of ballots, from the roll.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, ToPrimitive};

use super::query::Reader;
use super::{Fault, Query};
use crate::domain::{Participant, Ranking};
use crate::tally::{Counts, Fraction, MAX_WEIGHT, Profile, parse_fraction};

/// Somebody on the roll, and the ballot if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Voter<'a> {
    /// Who.
    pub participant: &'a Participant,
    /// What counts for it.
    pub ranking: Option<&'a Ranking>,
    /// What it weighs, in units.
    pub weight: u128,
}

impl<'a> Voter<'a> {
    /// Somebody whose ballot weighs 1.
    pub fn new(participant: &'a Participant, ranking: Option<&'a Ranking>) -> Self {
        Self { participant, ranking, weight: 1 }
    }
}

/// A group: everybody with one value in a column, or without any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The column of the roll.
    pub column: String,
    /// The value; none for those who have none.
    pub value: Option<String>,
}

impl GroupKey {
    /// As it stands in addresses: `county:12`, and `county:` for those without.
    pub fn written(&self) -> String {
        format!("{}:{}", self.column, self.value.as_deref().unwrap_or_default())
    }
}

/// The most groups that are counted one by one: each is a count of its own.
pub(super) const MOST_GROUPS: usize = 100;

/// The groups of a column, each voter in exactly one.
pub(super) fn partition<'a>(voters: &[Voter<'a>], column: &str) -> BTreeMap<Option<String>, Vec<Voter<'a>>> {
    let mut groups: BTreeMap<Option<String>, Vec<Voter<'a>>> = BTreeMap::new();
    for &voter in voters {
        groups.entry(voter.participant.group(column).map(ToOwned::to_owned)).or_default().push(voter);
    }
    let members: usize = groups.values().map(Vec::len).sum();
    assert_eq!(members, voters.len(), "the groups of {column} partition the roll");
    groups
}

/// Gives each voter the weight that a name stands for; answers how many units are 1.
///
/// # Errors
/// If somebody's weight is missing or no number, or they have too fine a common denominator.
pub(super) fn weigh(voters: &mut [Voter<'_>], name: &str) -> Result<u128, Vec<Fault>> {
    let of = |participant: &Participant| -> Option<Fraction> {
        match name {
            "population" => participant.population.map(|people| Fraction::from_integer(people.into())),
            "sqrt-population" => participant.population.map(root),
            "weight" => parse_fraction(&participant.weight.to_string()),
            column => {
                participant.group(column).and_then(parse_fraction).filter(|w| *w >= Fraction::default())
            }
        }
    };
    let mut weights = Vec::with_capacity(voters.len());
    let mut without = Vec::new();
    for voter in voters.iter() {
        match of(voter.participant) {
            Some(weight) => weights.push(weight),
            None => without.push(voter.participant.code.as_str()),
        }
    }
    let fault = |sv: &str, en: &str| vec![Fault::member("weights", "parameter", sv, en)];
    if let Some(first) = without.first() {
        let (n, all) = (without.len(), voters.len());
        return Err(fault(
            &format!(
                "{n} av {all} deltagare har ingen sådan vikt, den första {first}. Vikter är population, sqrt-population, weight eller en kolumn med tal."
            ),
            &format!(
                "{n} of {all} participants have no such weight, the first {first}. Weights are population, sqrt-population, weight or a column of numbers."
            ),
        ));
    }
    let too_fine = || {
        fault(
            "Vikterna är för stora eller har för fin gemensam nämnare.",
            "The weights are too large or have too fine a common denominator.",
        )
    };
    // Many odd denominators have a common one of any length: it is given up as soon as it is too long.
    let most = BigInt::from(MAX_WEIGHT);
    let common =
        |unit: BigInt, weight: &Fraction| Some(unit.lcm(weight.denom())).filter(|unit| *unit <= most);
    let unit = weights.iter().try_fold(BigInt::one(), common).ok_or_else(too_fine)?;
    let whole = |weight: &Fraction| (weight * &unit).to_integer().to_u128().filter(|w| *w <= MAX_WEIGHT);
    for (voter, weight) in voters.iter_mut().zip(&weights) {
        voter.weight = whole(weight).ok_or_else(too_fine)?;
    }
    unit.to_u128().ok_or_else(too_fine)
}

/// The square root, rounded to the grid of 10^-9, half up.
fn root(number: u32) -> Fraction {
    let grid: u128 = 1_000_000_000;
    let square = u128::from(number) * grid * grid;
    let below = square.isqrt();
    let root = if square - below * below > below { below + 1 } else { below };
    Fraction::new(root.into(), grid.into())
}

/// The ballots of some voters, the first `picks` ranks of each, every one as one.
pub(super) fn heads(voters: &[Voter<'_>], candidates: usize, picks: usize) -> (Profile, Counts) {
    profile(Profile::new(candidates), voters, picks, |profile, ranking, _| profile.add(ranking, 1))
}

/// The same ballots by their weight.
pub(super) fn weighted(
    voters: &[Voter<'_>],
    candidates: usize,
    picks: usize,
    unit: u128,
) -> (Profile, Counts) {
    profile(Profile::weighted(candidates, unit), voters, picks, Profile::add_weighted)
}

fn profile(
    mut profile: Profile,
    voters: &[Voter<'_>],
    picks: usize,
    add: impl Fn(&mut Profile, &[u8], u128),
) -> (Profile, Counts) {
    for voter in voters {
        if let Some(ranking) = voter.ranking {
            let places = ranking.places();
            add(&mut profile, &places[..places.len().min(picks)], voter.weight);
        }
    }
    let counts = Counts::of(&profile);
    (profile, counts)
}

/// Who is counted.
pub(super) enum Asked {
    All,
    One(GroupKey),
    Each(String),
}

impl Asked {
    /// Reads `group` and `groupBy`; what is wrong with them goes to the reader.
    pub(super) fn read(voters: &[Voter<'_>], query: &Query, reader: &mut Reader<'_>) -> Option<Self> {
        let has_column = |column: &str| voters.iter().any(|voter| voter.participant.group(column).is_some());
        match (query.get("group"), query.get("groupBy")) {
            (None, None) => Some(Self::All),
            (Some(_), Some(_)) => {
                reader.fault(
                    "groupBy",
                    "parameter",
                    "Antingen group eller groupBy, inte båda.",
                    "Either group or groupBy, not both.",
                );
                None
            }
            (Some(key), None) => {
                let (column, value) = key.split_once(':').unwrap_or((key, ""));
                let value = Some(value.to_owned()).filter(|value| !value.is_empty());
                let in_it = |voter: &Voter<'_>| voter.participant.group(column) == value.as_deref();
                if !key.contains(':') || !has_column(column) || !voters.iter().any(in_it) {
                    reader.fault(
                        "group",
                        "unknown-group",
                        "Röstlängden har ingen sådan grupp; den skrivs kolumn:värde, som county:12.",
                        "The roll has no such group; it is written column:value, such as county:12.",
                    );
                    return None;
                }
                Some(Self::One(GroupKey { column: column.to_owned(), value }))
            }
            (None, Some(column)) => {
                if !has_column(column) {
                    reader.fault(
                        "groupBy",
                        "unknown-column",
                        "Röstlängden har ingen sådan kolumn.",
                        "The roll has no such column.",
                    );
                    return None;
                }
                let values: BTreeSet<Option<&str>> =
                    voters.iter().map(|voter| voter.participant.group(column)).collect();
                if values.len() > MOST_GROUPS {
                    reader.fault(
                        "groupBy",
                        "too-large",
                        &format!(
                            "Kolumnen har {} grupper; högst {MOST_GROUPS} räknas var för sig.",
                            values.len()
                        ),
                        &format!(
                            "The column has {} groups; at most {MOST_GROUPS} are counted one by one.",
                            values.len()
                        ),
                    );
                    return None;
                }
                Some(Self::Each(column.to_owned()))
            }
        }
    }
}
