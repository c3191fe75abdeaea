//! Portfolios: not a ranking but a set of so many candidates that serves the ballots together.
//!
//! A ballot stands for the set it lists. Every rule of the family answers with all its optima, of which the published
//! one is the first by the ladder; beside it stand what the portfolio covers, the best coverage of every size, the
//! trade between score and coverage, and a certificate of fairness.
//!
//! **Ranks.** Who is in every optimum stands first, then who is in some, then the rest; after the ladder, the
//! published portfolio stands first as one. A set has no order within. Where a rule itself prefers some of its optima
//! (`coverage` does), ranks and ties are of those.

pub mod approval;
mod approvals;
mod certificate;
mod constraints;
pub mod coverage;
pub mod coverage_ranked;
pub mod equal_shares;
mod figures;
pub mod leximax_phragmen;
pub mod monroe;
pub mod pav;
mod purses;
mod search;
mod sequence;
pub mod sequential_pav;
pub mod sequential_phragmen;

pub use certificate::{Certificate, Violation};
pub use constraints::{Budget, Constraints};
pub use figures::{Coverage, TradeOff};

use super::rounds::Set;
use super::{Detail, Election, Fraction, Outcome, Parameters, Refusal, Standing, Tie};
use approvals::Approvals;

/// How many optima are listed.
pub const MOST_LISTED: usize = 100;

/// A portfolio and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portfolio {
    /// m.
    pub seats: usize,
    /// The published one, in the ladder's order; none if the ladder leaves more than one.
    pub selected: Option<Vec<usize>>,
    /// What the rule makes as large as possible, or of Phragmén's rules the largest load, as small as possible.
    pub value: Option<Fraction>,
    /// All optima.
    pub optima: Optima,
    /// Of sequential rules: the published members in the order of their selection, each with its figure.
    pub selection: Vec<Selection>,
    /// Of `equal-shares`: the portfolios before the empty seats are filled.
    pub before_completion: Option<Optima>,
    /// Of `leximax-phragmen`: the loads of the published one, the largest first, each with the weight of those who
    /// carry it.
    pub loads: Vec<(Fraction, Fraction)>,
    /// What the published one covers.
    pub coverage: Option<Coverage>,
    /// The most weight that any portfolio of 1, 2, … M members covers, as far as it could be found.
    pub curve: Vec<Fraction>,
    /// The portfolios of this size that no other one beats in both score and coverage; none if there are too many to
    /// compare.
    pub trade_offs: Option<Vec<TradeOff>>,
    /// Whether the published one is fair to every group (EJR+).
    pub certificate: Option<Certificate>,
}

/// The best portfolios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optima {
    /// How many there are; at least so many if not all could be found.
    pub count: u64,
    /// Whether all were found.
    pub complete: bool,
    /// Those first by the ladder, at most [`MOST_LISTED`].
    pub listed: Vec<Vec<usize>>,
    /// Who is in all of them.
    pub shared: Vec<usize>,
}

/// A member that a sequential rule selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Who.
    pub candidate: usize,
    /// The gain, the load or the price at which it was selected; none where nobody had to pay.
    pub figure: Option<Fraction>,
    /// Who else would have done as well.
    pub tied: Vec<usize>,
}

/// What a rule found.
struct Found {
    value: Option<Fraction>,
    /// Optima: all, or as many as are listed.
    sets: Vec<Set>,
    count: u64,
    complete: bool,
    /// In all of them.
    shared: Set,
    /// In some of them.
    possible: Set,
}

impl Found {
    fn all(value: Option<Fraction>, sets: Vec<Set>) -> Self {
        Self {
            value,
            count: sets.len() as u64,
            complete: true,
            shared: sets.iter().fold(Set(u64::MAX), |all, set| Set(all.0 & set.0)),
            possible: sets.iter().fold(Set(0), |some, set| Set(some.0 | set.0)),
            sets,
        }
    }

    /// The optima as they are shown, first by these places.
    fn optima(&self, places: &[usize]) -> Optima {
        let mut sets = self.sets.clone();
        sets.sort_by_cached_key(|&set| (by_places(set, places), set));
        sets.truncate(MOST_LISTED);
        Optima {
            count: self.count,
            complete: self.complete,
            listed: sets.into_iter().map(|set| in_order(set, places)).collect(),
            shared: in_order(self.shared, places),
        }
    }
}

/// The places of a set's members in ascending order: portfolios compare place by place.
fn by_places(set: Set, places: &[usize]) -> Vec<usize> {
    let mut key: Vec<usize> = set.members().map(|c| places[c]).collect();
    key.sort_unstable();
    key
}

fn in_order(set: Set, places: &[usize]) -> Vec<usize> {
    let mut members: Vec<usize> = set.members().collect();
    members.sort_by_key(|&c| (places[c], c));
    members
}

/// The first of some portfolios by these places; none if two are equal.
fn first(sets: &[Set], places: &[usize]) -> Option<Set> {
    let least = sets.iter().map(|&set| by_places(set, places)).min()?;
    let mut firsts = sets.iter().filter(|&&set| by_places(set, places) == least);
    let one = *firsts.next()?;
    firsts.next().is_none().then_some(one)
}

/// An election seen by this family.
struct Hall<'a> {
    election: &'a Election<'a>,
    parameters: &'a Parameters,
    approvals: Approvals,
    seats: usize,
    /// The ladder's order of all.
    places: Vec<usize>,
}

impl<'a> Hall<'a> {
    fn new(election: &'a Election<'a>, parameters: &'a Parameters) -> Result<Self, Refusal> {
        Ok(Self {
            election,
            parameters,
            approvals: Approvals::of(election.profile),
            seats: parameters.seats(election.profile.candidates())?,
            places: parameters.ladder.order_of_all(election.counts),
        })
    }

    fn candidates(&self) -> usize {
        self.election.profile.candidates()
    }

    /// How many figures a selection looks at, and how many counts share the effort.
    fn effort(&self) -> (usize, usize) {
        let picks = self.election.profile.longest() + 1;
        (self.approvals.sets.len() * picks + self.candidates() * 20, self.parameters.share())
    }

    fn fraction(&self, units: u128) -> Fraction {
        self.election.profile.fraction(units)
    }

    /// The outcome of a rule whose optima only the ladder tells apart.
    fn outcome(&self, found: &Found) -> Outcome {
        self.outcome_among(found, found)
    }

    /// The outcome of a rule that itself prefers some of its optima: those that are `left` are for the ladder.
    fn outcome_among(&self, found: &Found, left: &Found) -> Outcome {
        let decisive = &left.sets;
        let published = first(decisive, &self.places);
        let ladder = &self.parameters.ladder;
        let resolved_by = || {
            let decides = |&steps: &usize| {
                first(decisive, &ladder.first(steps).order_of_all(self.election.counts)) == published
            };
            (1..=ladder.steps.len()).find(decides).map(|steps| ladder.steps[steps - 1])
        };
        let mut standings: Vec<Standing> = (0..self.candidates())
            .map(|candidate| {
                let rank = if left.shared.has(candidate) {
                    1
                } else if left.possible.has(candidate) {
                    left.shared.len() + 1
                } else {
                    left.possible.len() + 1
                };
                let resolved_rank = match published {
                    None => rank,
                    Some(set) if set.has(candidate) => 1,
                    Some(set) => set.len() + 1,
                };
                Standing { candidate, rank, resolved_rank, score: None }
            })
            .collect();
        standings.sort_by_key(|s| (s.resolved_rank, self.places[s.candidate], s.candidate));
        let tied = Set(left.possible.0 & !left.shared.0);
        let ties = (tied.len() > 0).then(|| Tie {
            candidates: standings.iter().map(|s| s.candidate).filter(|&c| tied.has(c)).collect(),
            resolved_by: if published.is_some() { resolved_by() } else { None },
            matters: true,
        });
        let portfolio = Portfolio {
            seats: self.seats,
            selected: published.map(|set| in_order(set, &self.places)),
            value: found.value.clone(),
            optima: found.optima(&self.places),
            selection: Vec::new(),
            before_completion: None,
            loads: Vec::new(),
            coverage: published.map(|set| figures::coverage(self, set)),
            curve: figures::curve(self),
            trade_offs: figures::trade_offs(self),
            certificate: published.map(|set| certificate::of(self, set)),
        };
        Outcome {
            standings,
            ties: ties.into_iter().collect(),
            detail: Detail::Portfolio(Box::new(portfolio)),
        }
    }
}

impl Outcome {
    /// The same outcome with what one rule adds to its portfolio.
    fn adding(mut self, add: impl FnOnce(&mut Portfolio)) -> Self {
        if let Detail::Portfolio(portfolio) = &mut self.detail {
            add(portfolio);
        }
        self
    }
}

/// A rule that makes a sum over ballots as large as possible.
fn optimise(
    hall: &Hall<'_>,
    objective: &impl search::Objective,
    value: impl Fn(u128) -> Fraction,
) -> Result<Found, Refusal> {
    let (best, sets) = search::best(
        objective,
        hall.candidates(),
        hall.seats,
        &hall.parameters.constraints,
        hall.parameters.share(),
    )?;
    Ok(Found::all(Some(value(best)), sets))
}
