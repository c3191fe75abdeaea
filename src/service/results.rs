//! Results: which rule is asked for, with what parameters and of whom, and the tally it gives.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{ToPrimitive, Zero};

use super::disclosure;
use super::groups::{self, Asked, GroupKey, Voter};
use super::ledger::Ledger;
use super::query::Reader;
use super::refused::refused;
use super::{Fault, Query};
use crate::domain::{BallotBook, Definition, InitiativeId, LadderStep, Points, Slate};
use crate::tally::pairwise::{Strength, copeland::Draws};
use crate::tally::portfolio::Constraints;
use crate::tally::rounds::Transfer;
use crate::tally::{
    Counts, Detail, Election, Family, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Rule, Step,
    parse_fraction,
};

/// The ballots and the frame that a rule counts in.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The candidates.
    pub slate: &'a Slate,
    /// The ballots.
    pub profile: &'a Profile,
    /// Figures of the same ballots.
    pub counts: &'a Counts,
    /// Everybody on the roll, with the same ballots; empty where there is no roll.
    pub voters: Vec<Voter<'a>>,
    /// Whether single ballots may be told.
    pub disclosure: Disclosure,
    /// k, the most picks of a ballot.
    pub picks: usize,
    /// m, how many count as the top.
    pub cut: usize,
    /// The steps of the tie ladder.
    pub ladder: &'a [LadderStep],
    /// The lot.
    pub lot: Option<&'a [InitiativeId]>,
    /// The rule when none is asked for.
    pub rule: &'a str,
    /// The points of the rule set, for its own rule when no others are asked for.
    pub points: &'a [Points],
}

/// What the reader of a result may learn of single ballots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Disclosure {
    /// Nothing.
    #[default]
    Figures,
    /// Everything: the ballot book is open, or the reader may list ballots.
    Ballots,
}

/// What was asked for, counted.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The tally of all, or of the one group asked for.
    pub tally: Tally,
    /// Beside it, the tallies of all groups of a column.
    pub groups: Option<Groups>,
}

/// All groups of a column.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The column.
    pub column: String,
    /// The groups by value, those without one first.
    pub groups: Vec<GroupTally>,
}

/// A group and its tally.
#[derive(Clone, Debug)]
pub struct GroupTally {
    /// The group.
    pub key: GroupKey,
    /// How many are asked.
    pub eligible: u64,
    /// The tally, or why there is none.
    pub tally: Result<Tally, NoTally>,
}

/// Why a group has no tally.
#[derive(Clone, Debug)]
pub enum NoTally {
    /// Too few ballots to be shown to this reader, or another group's would follow from them.
    Withheld,
    /// The rule cannot be counted on these ballots.
    Refused(Fault),
}

/// The parameters that a count was made with, defaults included; those that the rule takes.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// Points per rank, of rules that are points.
    pub points: Option<Vec<Fraction>>,
    /// Set if fewer ranks were read than ballots have.
    pub picks: Option<usize>,
    /// The ladder, if another than the frame's was asked for.
    pub ladder: Option<Vec<Step>>,
    /// Of `schulze`, `ranked-pairs`, `minimax`.
    pub strength: Option<Strength>,
    /// Of `copeland`.
    pub draws: Option<Draws>,
    /// Of `stv` and portfolios.
    pub seats: Option<usize>,
    /// Of `stv`.
    pub method: Option<Transfer>,
    /// Of portfolios.
    pub constraints: Constraints,
    /// What ballots weigh, if not 1 each.
    pub weights: Option<String>,
}

/// The outcome of one rule, with everything a reader needs to compute it again.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The rule.
    pub rule: Rule,
    /// Its parameters.
    pub used: Used,
    /// The group, if it is not of all.
    pub group: Option<GroupKey>,
    /// How many are asked, where there is a roll.
    pub eligible: Option<u64>,
    /// m.
    pub cut: usize,
    /// What the rule says.
    pub outcome: Outcome,
    /// How many ballots list each candidate at each rank.
    pub rank_counts: Vec<Vec<u64>>,
    /// How many ballots list each candidate.
    pub listed: Vec<u64>,
    /// How many ballots were counted.
    pub counted: u64,
    /// The same figures in weight, where ballots weigh something else than 1.
    pub weighted: Option<Weighted>,
    /// Of portfolios: who has nothing in the published one, and whom a violation of its fairness concerns; none where
    /// there is no roll, or single ballots may not be told.
    pub names: Option<Names>,
}

/// Figures in weight.
#[derive(Clone, Debug)]
pub struct Weighted {
    /// The weight that lists each candidate at each rank.
    pub rank_weights: Vec<Vec<Fraction>>,
    /// The weight that lists each candidate.
    pub listed: Vec<Fraction>,
    /// The weight of all ballots.
    pub counted: Fraction,
}

/// Participants that a portfolio concerns, by code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Who has no pick in it.
    pub uncovered: Vec<String>,
    /// The group that it is not fair to.
    pub violated: Vec<String>,
}

impl Ledger {
    /// The frame of the round's rule set.
    pub fn frame(&self, disclosure: Disclosure) -> Frame<'_> {
        let definition = &self.round.definition;
        let answers = self.answers();
        let voters = answers.map(|(participant, current)| {
            Voter::new(participant, current.and_then(|current| current.ranking.as_ref()))
        });
        Frame {
            slate: &self.slate,
            profile: &self.profile,
            counts: &self.counts,
            voters: voters.collect(),
            disclosure: match definition.ballot_book {
                BallotBook::Open => Disclosure::Ballots,
                BallotBook::Analysts => disclosure,
            },
            picks: definition.picks.max,
            cut: definition.cut,
            ladder: &definition.ladder,
            lot: definition.lot.as_deref(),
            rule: &definition.rule,
            points: &definition.points,
        }
    }
}

/// A query that has been read.
struct Request<'a> {
    frame: &'a Frame<'a>,
    rule: Rule,
    parameters: Parameters,
    picks: usize,
    used: Used,
    /// Everybody, with the weights asked for.
    voters: Vec<Voter<'a>>,
    /// How many units of weight are 1, where weights are asked for.
    unit: Option<u128>,
}

/// Counts.
///
/// # Errors
/// Every fault of the query.
pub fn tally(frame: &Frame<'_>, query: &Query) -> Result<Answer, Vec<Fault>> {
    let mut reader = Reader::new(query, frame.slate);
    let request = read(frame, query, &mut reader);
    let groups = Asked::read(&frame.voters, query, &mut reader);
    let faults = reader.faults;
    let (Some(request), Some(groups), true) = (request, groups, faults.is_empty()) else {
        return Err(faults);
    };
    let counted = |tally: Result<Tally, Fault>| tally.map_err(|fault| vec![fault]);
    let hidden = request.hidden(&groups)?;
    if let Asked::One(key) = groups {
        let all = groups::partition(&request.voters, &key.column);
        let voters = &all[&key.value];
        let tally = counted(request.count_voters(voters, 1))?;
        let eligible = Some(voters.len() as u64);
        return Ok(Answer { tally: Tally { eligible, group: Some(key), ..tally }, groups: None });
    }
    let eligible = (!frame.voters.is_empty()).then_some(frame.voters.len() as u64);
    let tally = Tally { eligible, ..counted(request.count_all())? };
    let groups = match groups {
        Asked::Each(column) => Some(request.each(column, &hidden)),
        Asked::All | Asked::One(_) => None,
    };
    Ok(Answer { tally, groups })
}

impl Request<'_> {
    /// The groups whose figures this reader may not see.
    ///
    /// # Errors
    /// If it is those that are asked for.
    fn hidden(&self, groups: &Asked) -> Result<BTreeSet<GroupKey>, Vec<Fault>> {
        if self.frame.disclosure == Disclosure::Ballots {
            return Ok(BTreeSet::new());
        }
        let mut faults = Vec::new();
        if self.unit.is_some() {
            faults.push(disclosure::weights_withheld());
        }
        let hidden = match groups {
            Asked::All => BTreeSet::new(),
            Asked::One(_) | Asked::Each(_) => disclosure::withheld(&self.voters),
        };
        // What any set of initiatives covers in a small group, or any set at all, adds up to single ballots.
        let probes = !matches!(groups, Asked::All) || !self.parameters.constraints.is_empty();
        if self.rule.family() == Family::Portfolio && probes {
            faults.push(disclosure::portfolio_withheld());
        }
        if let Asked::One(key) = groups
            && hidden.contains(key)
        {
            faults.push(disclosure::group_withheld());
        }
        if faults.is_empty() { Ok(hidden) } else { Err(faults) }
    }

    /// A tally for every group of a column.
    fn each(&self, column: String, hidden: &BTreeSet<GroupKey>) -> Groups {
        let all = groups::partition(&self.voters, &column);
        self.check_sums(&all);
        let groups = all.iter().map(|(value, voters)| {
            let key = GroupKey { column: column.clone(), value: value.clone() };
            let eligible = voters.len() as u64;
            let tally = if hidden.contains(&key) {
                Err(NoTally::Withheld)
            } else {
                let told = |tally| Tally { eligible: Some(eligible), group: Some(key.clone()), ..tally };
                self.count_voters(voters, all.len()).map(told).map_err(NoTally::Refused)
            };
            GroupTally { key, eligible, tally }
        });
        let groups = groups.collect();
        Groups { column, groups }
    }

    /// What the groups count together is what all count: figure by figure, hence every sum of points too.
    fn check_sums(&self, groups: &BTreeMap<Option<String>, Vec<Voter<'_>>>) {
        let total = self.weighed(&self.voters).1;
        let parts: Vec<Counts> = groups.values().map(|voters| self.weighed(voters).1).collect();
        for c in 0..self.frame.slate.len() {
            for rank in 0..self.picks {
                let sum: u128 = parts.iter().map(|part| part.at_rank(c, rank)).sum();
                assert_eq!(sum, total.at_rank(c, rank), "the figures of the groups add up");
            }
        }
    }

    /// The ballots of some voters by their weight.
    fn weighed(&self, voters: &[Voter<'_>]) -> (Profile, Counts) {
        let candidates = self.frame.slate.len();
        match self.unit {
            Some(unit) => groups::weighted(voters, candidates, self.picks, unit),
            None => groups::heads(voters, candidates, self.picks),
        }
    }

    /// Counts everybody: from the figures at hand, where those are what is asked for.
    fn count_all(&self) -> Result<Tally, Fault> {
        let Frame { profile, counts, picks, .. } = *self.frame;
        if self.unit.is_some() {
            self.count_voters(&self.voters, 1)
        } else if self.picks == picks {
            self.count(profile, counts, (profile, counts), &self.voters, 1)
        } else {
            let profile = profile.truncated(self.picks);
            let counts = Counts::of(&profile);
            self.count(&profile, &counts, (&profile, &counts), &self.voters, 1)
        }
    }

    /// Counts some voters, as one of so many counts that are asked for together.
    fn count_voters(&self, voters: &[Voter<'_>], one_of: usize) -> Result<Tally, Fault> {
        let heads = groups::heads(voters, self.frame.slate.len(), self.picks);
        let weighed = self.unit.map(|_| self.weighed(voters));
        let (profile, counts) = weighed.as_ref().unwrap_or(&heads);
        self.count(profile, counts, (&heads.0, &heads.1), voters, one_of)
    }

    /// Counts ballots by their weight; `heads` are the same ballots, every one as one.
    fn count(
        &self,
        profile: &Profile,
        counts: &Counts,
        heads: (&Profile, &Counts),
        voters: &[Voter<'_>],
        one_of: usize,
    ) -> Result<Tally, Fault> {
        let parameters = Parameters { one_of, ..self.parameters.clone() };
        let election = Election { profile, counts, picks: self.picks };
        let outcome =
            self.rule.count(&election, &parameters).map_err(|refusal| refused(&refusal, self.frame.slate))?;
        let candidates = 0..self.frame.slate.len();
        let head = |figure: u128| figure.to_u64().expect("as many as there are ballots at most");
        let rank_counts = |c| (0..self.picks).map(|rank| head(heads.1.at_rank(c, rank))).collect();
        let rank_weights =
            |c| (0..self.picks).map(|rank| profile.fraction(counts.at_rank(c, rank))).collect();
        Ok(Tally {
            rule: self.rule,
            used: self.used.clone(),
            group: None,
            eligible: None,
            cut: self.parameters.cut,
            names: self.names(&outcome, voters),
            outcome,
            rank_counts: candidates.clone().map(rank_counts).collect(),
            listed: candidates.clone().map(|c| head(heads.1.listed(c))).collect(),
            counted: heads.0.ballots(),
            weighted: self.unit.is_some().then(|| Weighted {
                rank_weights: candidates.clone().map(rank_weights).collect(),
                listed: candidates.map(|c| profile.fraction(counts.listed(c))).collect(),
                counted: profile.fraction(profile.weight()),
            }),
        })
    }

    fn names(&self, outcome: &Outcome, voters: &[Voter<'_>]) -> Option<Names> {
        let Detail::Portfolio(portfolio) = &outcome.detail else { return None };
        let members = portfolio.selected.as_ref()?;
        if self.frame.disclosure == Disclosure::Figures || voters.is_empty() {
            return None;
        }
        let picks_in = |voter: &Voter<'_>| -> Option<usize> {
            let places = voter.ranking?.places().iter().take(self.picks);
            Some(places.filter(|&&c| members.contains(&c.into())).count())
        };
        let codes = |holds: &dyn Fn(&Voter<'_>) -> bool| {
            voters.iter().filter(|v| holds(v)).map(|v| v.participant.code.to_string()).collect()
        };
        let violation = portfolio.certificate.as_ref().and_then(|certificate| certificate.violation.as_ref());
        let lists = |voter: &Voter<'_>, c: usize| {
            voter.ranking.is_some_and(|r| r.places().iter().take(self.picks).any(|&p| usize::from(p) == c))
        };
        Some(Names {
            uncovered: codes(&|voter| picks_in(voter) == Some(0)),
            violated: violation.map_or_else(Vec::new, |violation| {
                codes(&|voter| {
                    lists(voter, violation.candidate)
                        && picks_in(voter).is_some_and(|picks| picks < violation.deserved)
                })
            }),
        })
    }
}

fn read<'a>(frame: &'a Frame<'a>, query: &'a Query, reader: &mut Reader<'_>) -> Option<Request<'a>> {
    let picks = reader.picks(frame.picks);
    let steps = reader.ladder();
    let points = reader.points();
    let (strength, draws) = (reader.strength(), reader.draws());
    let (seats, method) = (reader.seats(), reader.method());
    let constraints = reader.constraints();
    let mut voters = frame.voters.clone();
    let mut unit = None;
    if let Some(name) = query.get("weights") {
        if voters.is_empty() {
            reader.fault(
                "weights",
                "parameter",
                "Vikter kräver en röstlängd.",
                "Weights need a roll of participants.",
            );
        }
        match groups::weigh(&mut voters, name) {
            Ok(units) => unit = Some(units),
            Err(faults) => reader.faults.extend(faults),
        }
    }
    let rule = Rule::find(query.get("rule").unwrap_or(frame.rule));
    if rule.is_none() {
        reader.fault("rule", "unknown-rule", "Det finns ingen sådan räkneregel.", "There is no such rule.");
    }
    if let Some(rule) = &rule {
        reader.not_taken(rule);
    }
    let rule = rule.filter(|_| reader.faults.is_empty())?;
    let points = points.or_else(|| rule_set_points(&rule, frame, picks));
    let stated: Vec<Step> = frame.ladder.iter().copied().map(Step::from).collect();
    let place = |id: &InitiativeId| frame.slate.find(id).map(usize::from);
    let scale = match rule.points(frame.slate.len(), picks, points.as_deref()) {
        Err(Refusal::DoesNotTake(_)) | Ok(None) => None,
        Ok(scale) => scale.map(|scale| scale.ranked),
        Err(refusal) => {
            reader.faults.push(refused(&refusal, frame.slate));
            return None;
        }
    };
    let default = |parameter: &str| rule.takes(parameter);
    let used = Used {
        points: scale
            .or_else(|| Some(points.clone().unwrap_or_else(|| linear(picks))).filter(|_| default("points"))),
        picks: (picks < frame.picks).then_some(picks),
        ladder: steps.clone(),
        strength: default("strength").then(|| strength.unwrap_or_default()),
        draws: default("draws").then(|| draws.unwrap_or_default()),
        seats: default("seats").then(|| seats.unwrap_or(frame.cut)),
        method: default("method").then(|| method.unwrap_or_default()),
        constraints: constraints.clone(),
        weights: query.get("weights").map(ToOwned::to_owned),
    };
    let parameters = Parameters {
        ladder: Ladder {
            steps: steps.unwrap_or_else(|| rule.steps(&stated)),
            lot: frame.lot.map(|lot| lot.iter().filter_map(place).collect()),
        },
        // What is top is one question for all rules; a rule that fills seats answers it by them.
        cut: seats.filter(|_| default("seats")).unwrap_or(frame.cut),
        points,
        strength,
        draws,
        seats,
        method,
        constraints,
        one_of: 1,
    };
    Some(Request { frame, rule, parameters, picks, used, voters, unit })
}

/// Whether the answer may be another for who may list ballots, where the ballot book is closed.
pub fn concerns_ballots(query: &Query, own_rule: &str) -> bool {
    let rule = query.get("rule").unwrap_or(own_rule);
    ["group", "groupBy", "weights"].iter().any(|name| query.get(name).is_some())
        || Rule::find(rule).is_some_and(|rule| rule.family() == Family::Portfolio)
}

/// Whether a definition's rule can be counted with its picks and points.
///
/// # Errors
/// Why it cannot.
pub fn rule_set_fits(definition: &Definition, candidates: usize) -> Result<(), Refusal> {
    let Some(rule) = Rule::find(&definition.rule) else { return Ok(()) };
    let picks = definition.picks.max;
    let own =
        (rule.family() == Family::Positional && rule.takes("points")).then(|| fractions(&definition.points));
    // A draft may not have its initiatives yet: as many as picks will do for the question.
    rule.points(candidates.max(picks), picks, own.as_deref()).map(drop)
}

/// What `coverage-ranked` counts by when no points are given.
fn linear(picks: usize) -> Vec<Fraction> {
    (1..=picks).rev().map(|points| Fraction::from_integer(points.into())).collect()
}

fn rule_set_points(rule: &Rule, frame: &Frame<'_>, picks: usize) -> Option<Vec<Fraction>> {
    let is_own = rule.takes("points") && rule.id() == frame.rule && frame.points.len() >= picks;
    is_own.then(|| fractions(&frame.points[..picks]))
}

fn fractions(points: &[Points]) -> Vec<Fraction> {
    let fraction = |points: &Points| parse_fraction(&points.to_string()).unwrap_or_else(Fraction::zero);
    points.iter().map(fraction).collect()
}

impl From<LadderStep> for Step {
    fn from(step: LadderStep) -> Self {
        match step {
            LadderStep::Listed => Self::Listed,
            LadderStep::FirstPlaces => Self::FirstPlaces,
            LadderStep::HeadToHead => Self::HeadToHead,
            LadderStep::Lot => Self::Lot,
        }
    }
}
