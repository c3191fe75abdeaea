//! `stv`: so many seats, each for a quota of votes; what is over a quota and what is left of losers moves on.
//!
//! `method=scottish` is the count of the Scottish Local Government Elections Order 2007 (weighted inclusive Gregory):
//! quota floor(W/(m+1)) + 1; one surplus a stage, the largest first; a paper moves on at surplus × value / total, cut to
//! five decimals, to its next candidate who is neither elected nor excluded; one exclusion a stage, at unchanged
//! values; who has exactly the quota makes no stage; the last vacancies are filled between stages when as many
//! continue. Ties go by the most recent earlier stage where the tied differ, then by the lot; the other steps of the
//! ladder are not in the Order, and not used. `method=meek` is in [`super::meek`].
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(4);
//! profile.add(&[0, 1], 6); // quota 4: A's surplus of 2 goes to B, each paper at 2/6 = 0.33333
//! profile.add(&[1], 1);
//! profile.add(&[2], 3);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 2 };
//! let parameters = Parameters { seats: Some(2), ..Parameters::default() };
//! let outcome = Rule::find("stv").unwrap().count(&election, &parameters).unwrap();
//! let Detail::Stages(stages) = outcome.detail else { unreachable!() };
//! assert_eq!(stages.elected, [0, 2]);
//! ```

use std::cmp::Reverse;

use num_bigint::BigInt;

use super::{Set, Told, Transfer, meek};
use crate::tally::{
    Counts, Detail, Election, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Standing, Step, Tie,
};

/// How a single transferable vote went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages {
    /// How votes moved.
    pub method: Transfer,
    /// m.
    pub seats: usize,
    /// The quota; of Meek's method the one of the last stage.
    pub quota: Fraction,
    /// The elected in the order of their election.
    pub elected: Vec<usize>,
    /// Every stage.
    pub stages: Vec<Stage>,
}

/// One stage of the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What was done.
    pub action: Action,
    /// The votes of every candidate after it.
    pub votes: Vec<Fraction>,
    /// What is with nobody: papers without a further candidate, and what cutting left over.
    pub not_transferred: Fraction,
    /// The quota at this stage.
    pub quota: Fraction,
    /// Who is elected at its end, the one with most votes first.
    pub elected: Vec<usize>,
    /// Who was tied for the action, if it was more than one.
    pub tied: Vec<usize>,
    /// The step that told them apart.
    pub resolved_by: Option<Step>,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// First preferences are counted.
    FirstPreferences,
    /// What somebody has over the quota moves on.
    Surplus {
        /// Whose.
        of: usize,
        /// How much.
        surplus: Fraction,
    },
    /// Somebody is excluded and the votes move on.
    Exclusion {
        /// Who.
        of: usize,
    },
    /// As many are left as there are seats.
    LastVacancies,
}

/// A vote in hundred-thousandths.
const SCALE: u128 = 100_000;

/// Papers with the same ranking that moved together.
struct Paper<'a> {
    ranking: &'a [u8],
    /// How many.
    weight: u128,
    /// The value of each.
    value: u128,
}

/// A count that is under way, in whole parts of a vote: `scale` of them are one.
pub(super) struct Progress<'a> {
    pub(super) profile: &'a Profile,
    pub(super) counts: &'a Counts,
    pub(super) ladder: Ladder,
    pub(super) scale: u128,
    pub(super) seats: usize,
    pub(super) continuing: Set,
    pub(super) elected: Vec<usize>,
    pub(super) excluded: Vec<usize>,
    /// The votes at every stage.
    pub(super) history: Vec<Vec<u128>>,
    pub(super) stages: Vec<Stage>,
    pub(super) ties: Vec<Tie>,
    /// Takes one tie the other way, to see whether it matters.
    otherwise: Option<Otherwise>,
}

/// A tie, by its number from 0, and who of the tied is taken.
#[derive(Clone, Copy)]
pub(super) struct Otherwise {
    tie: usize,
    takes: usize,
}

/// How many other ways are counted to see which ties matter; beyond, a tie is taken to.
const MOST_WAYS: usize = 500;

impl<'a> Progress<'a> {
    /// # Errors
    /// If the weights are no whole numbers, or the seats do not fit.
    pub(super) fn begin(
        election: &Election<'a>,
        parameters: &Parameters,
        scale: u128,
        otherwise: Option<Otherwise>,
    ) -> Result<Self, Refusal> {
        let profile = election.profile;
        let seats = parameters.seats(profile.candidates())?;
        election.whole()?;
        let has_lot = parameters.ladder.steps.contains(&Step::Lot);
        let steps = [Step::EarlierCount].into_iter().chain(has_lot.then_some(Step::Lot)).collect();
        Ok(Self {
            profile,
            counts: election.counts,
            ladder: Ladder { steps, lot: parameters.ladder.lot.clone() },
            scale,
            seats,
            continuing: Set::all(profile.candidates()),
            elected: Vec::new(),
            excluded: Vec::new(),
            history: Vec::new(),
            stages: Vec::new(),
            ties: Vec::new(),
            otherwise,
        })
    }

    pub(super) fn votes(&self) -> &[u128] {
        self.history.last().expect("first preferences have been counted")
    }

    pub(super) fn fraction(&self, parts: u128) -> Fraction {
        Fraction::new(BigInt::from(parts), BigInt::from(self.scale))
    }

    pub(super) fn vacancies(&self) -> usize {
        self.seats - self.elected.len()
    }

    /// Writes a stage down and elects whoever has the quota.
    pub(super) fn stage(&mut self, action: Action, votes: Vec<u128>, quota: u128, told: Option<Told>) {
        let total = self.profile.weight() * self.scale;
        let given: u128 = votes.iter().sum();
        let mut reached: Vec<usize> = self.continuing.members().filter(|&c| votes[c] >= quota).collect();
        // Equals stand in the order of the roll: all of them are elected.
        reached.sort_by_key(|&c| (Reverse(votes[c]), c));
        for &c in &reached {
            self.continuing = self.continuing.without(c);
        }
        self.elected.extend(&reached);
        let (mut tied, mut resolved_by) = (Vec::new(), None);
        if let Some(told) = told.filter(|told| told.resolution.parts.concat().len() > 1) {
            tied = told.resolution.parts.concat();
            resolved_by = told.resolution.resolved_by(&self.ladder);
            self.ties.push(Tie { candidates: tied.clone(), resolved_by, matters: true });
        }
        self.stages.push(Stage {
            action,
            votes: votes.iter().map(|&parts| self.fraction(parts)).collect(),
            not_transferred: self.fraction(total - given),
            quota: self.fraction(quota),
            elected: reached,
            tied,
            resolved_by,
        });
        self.history.push(votes);
    }

    /// Who of these has the most votes or the fewest; equals are told apart.
    pub(super) fn extreme(
        &self,
        among: impl Iterator<Item = usize> + Clone,
        side: Side,
    ) -> Result<(usize, Told), Refusal> {
        let votes = self.votes();
        let figures = among.clone().map(|c| votes[c]);
        let extreme = match side {
            Side::Most => figures.max(),
            Side::Fewest => figures.min(),
        };
        let tied: Vec<usize> = among.filter(|&c| Some(votes[c]) == extreme).collect();
        let told = Told::apart(&self.ladder, self.counts, &self.history, tied);
        let ways = told.resolution.parts.concat();
        let here = self.otherwise.filter(|other| other.tie == self.ties.len() && ways.len() > 1);
        let one = match side {
            _ if here.is_some_and(|other| ways.contains(&other.takes)) => here.map_or(0, |other| other.takes),
            Side::Most => told.first()?,
            Side::Fewest => told.last()?,
        };
        Ok((one, told))
    }

    /// If no more continue than there are vacancies, fills them.
    pub(super) fn fill_last(&mut self, quota: u128) -> bool {
        if self.elected.len() < self.seats && self.continuing.len() > self.vacancies() {
            return false;
        }
        if self.elected.len() < self.seats {
            let votes = self.votes().to_vec();
            let mut rest: Vec<usize> = self.continuing.members().collect();
            rest.sort_by_key(|&c| (Reverse(votes[c]), c));
            self.continuing = Set(0);
            self.elected.extend(&rest);
            self.stages.push(Stage {
                action: Action::LastVacancies,
                votes: votes.iter().map(|&parts| self.fraction(parts)).collect(),
                not_transferred: self
                    .fraction(self.profile.weight() * self.scale - votes.iter().sum::<u128>()),
                quota: self.fraction(quota),
                elected: rest,
                tied: Vec::new(),
                resolved_by: None,
            });
        }
        true
    }

    /// The elected in their order, then those who were left by their votes, then the excluded, the last one first.
    pub(super) fn finish(self, method: Transfer, quota: u128) -> Outcome {
        let votes = self.votes();
        let mut rest: Vec<usize> = self.continuing.members().collect();
        rest.sort_by_key(|&c| (Reverse(votes[c]), c));
        let mut standings: Vec<Standing> = Vec::new();
        let mut place = |candidate: usize, rank: usize| {
            standings.push(Standing { candidate, rank, resolved_rank: rank, score: None });
        };
        for &c in &self.elected {
            place(c, 1);
        }
        for &c in &rest {
            let ahead = rest.iter().filter(|&&other| votes[other] > votes[c]).count();
            place(c, self.elected.len() + ahead + 1);
        }
        for (i, &c) in self.excluded.iter().rev().enumerate() {
            place(c, self.elected.len() + rest.len() + i + 1);
        }
        let quota = self.fraction(quota);
        let stages = Stages { method, seats: self.seats, quota, elected: self.elected, stages: self.stages };
        Outcome { standings, ties: self.ties, detail: Detail::Stages(stages) }
    }
}

/// Which end of the votes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Most,
    Fewest,
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let (method, count): (Transfer, Count) = match parameters.method.unwrap_or_default() {
        Transfer::Scottish => (Transfer::Scottish, scottish),
        Transfer::Meek => (Transfer::Meek, meek::count),
    };
    let (progress, quota) = count(election, parameters, None)?;
    let elected = |progress: &Progress<'_>| progress.elected.iter().fold(Set(0), |set, &c| set.with(c));
    let mut ways_left = MOST_WAYS;
    let mut matters = |(tie, tied): (usize, &[usize])| {
        ways_left = ways_left.saturating_sub(tied.len());
        let differs = |&takes: &usize| {
            let other = count(election, parameters, Some(Otherwise { tie, takes }));
            other.map_or(true, |(other, _)| elected(&other) != elected(&progress))
        };
        ways_left == 0 || tied.iter().any(differs)
    };
    let ties = progress.ties.iter().enumerate();
    let matters: Vec<bool> = ties.map(|(i, tie)| matters((i, &tie.candidates))).collect();
    let mut outcome = progress.finish(method, quota);
    for (tie, matters) in outcome.ties.iter_mut().zip(matters) {
        tie.matters = matters;
    }
    Ok(outcome)
}

/// A count to its end, with the last quota.
pub(super) type Counted<'a> = Result<(Progress<'a>, u128), Refusal>;

/// How a method counts.
type Count = for<'a> fn(&Election<'a>, &Parameters, Option<Otherwise>) -> Counted<'a>;

fn scottish<'a>(
    election: &Election<'a>,
    parameters: &Parameters,
    otherwise: Option<Otherwise>,
) -> Counted<'a> {
    let mut count = Progress::begin(election, parameters, SCALE, otherwise)?;
    let candidates = count.profile.candidates();
    let quota = (count.profile.weight() / (count.seats as u128 + 1) + 1) * SCALE;
    let mut piles: Vec<Vec<Paper<'_>>> = (0..candidates).map(|_| Vec::new()).collect();
    for (ranking, weight) in count.profile.weights() {
        if let Some(&first) = ranking.first() {
            piles[usize::from(first)].push(Paper { ranking, weight, value: SCALE });
        }
    }
    let total = |pile: &[Paper<'_>]| pile.iter().map(|paper| paper.weight * paper.value).sum::<u128>();
    let votes = piles.iter().map(|pile| total(pile)).collect();
    count.stage(Action::FirstPreferences, votes, quota, None);
    while !count.fill_last(quota) {
        let over: Vec<usize> = count.elected.iter().copied().filter(|&c| count.votes()[c] > quota).collect();
        let mut votes = count.votes().to_vec();
        let (action, of, told);
        if over.is_empty() {
            (of, told) = count.extreme(count.continuing.members(), Side::Fewest)?;
            action = Action::Exclusion { of };
            count.continuing = count.continuing.without(of);
            count.excluded.push(of);
            votes[of] = 0;
        } else {
            (of, told) = count.extreme(over.iter().copied(), Side::Most)?;
            let (all, surplus) = (votes[of], votes[of] - quota);
            action = Action::Surplus { of, surplus: count.fraction(surplus) };
            for paper in &mut piles[of] {
                paper.value = surplus * paper.value / all;
            }
            votes[of] = quota;
        }
        for paper in std::mem::take(&mut piles[of]) {
            let next = paper.ranking.iter().map(|&c| usize::from(c)).find(|&c| count.continuing.has(c));
            if let Some(next) = next.filter(|_| paper.value > 0) {
                votes[next] += paper.weight * paper.value;
                piles[next].push(paper);
            }
        }
        count.stage(action, votes, quota, Some(told));
    }
    Ok((count, quota))
}
