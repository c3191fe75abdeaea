//! Results: which rule is asked for, with what parameters, and the tally it gives.

use num_traits::Zero;

use super::Fault;
use super::ledger::Ledger;
use crate::domain::{Definition, InitiativeId, LadderStep, Points, Slate};
use crate::tally::{
    Counts, Election, Fraction, Ladder, MAX_PICKS, Outcome, Parameters, Profile, Refusal, Rule, Step,
    parse_fraction,
};

/// What a reader asks for, as text; the same names in queries and on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// The rule's id; the round's own when absent.
    pub rule: Option<String>,
    /// Points of `custom`, with commas.
    pub points: Option<String>,
    /// Read only so many first ranks.
    pub picks: Option<String>,
    /// Steps of the ladder with commas, or `none`.
    pub ladder: Option<String>,
}

impl Query {
    /// The query as an address writes it, after `?`; empty for the round's own rule. What it holds has been
    /// counted with, so every value is of the narrow form that needs no escaping.
    pub fn written(&self) -> String {
        let Self { rule, points, picks, ladder } = self;
        let pairs = [("rule", rule), ("points", points), ("picks", picks), ("ladder", ladder)];
        let pairs: Vec<String> =
            pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
        pairs.join("&")
    }
}

/// The ballots and the frame that a rule counts in.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The candidates.
    pub slate: &'a Slate,
    /// The ballots.
    pub profile: &'a Profile,
    /// Figures of the same ballots.
    pub counts: &'a Counts,
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
    /// The points of the rule set, for `custom` when no others are asked for.
    pub points: &'a [Points],
}

/// The outcome of one rule, with everything a reader needs to compute it again.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The rule.
    pub rule: Rule,
    /// Points per rank, of rules that are points.
    pub points: Vec<Fraction>,
    /// Set if fewer ranks were read than ballots have.
    pub picks: Option<usize>,
    /// The ladder, if another than the frame's was asked for.
    pub ladder: Option<Vec<Step>>,
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
}

impl Ledger {
    /// The frame of the round's rule set.
    pub fn frame(&self) -> Frame<'_> {
        let definition = &self.round.definition;
        Frame {
            slate: &self.slate,
            profile: &self.profile,
            counts: &self.counts,
            picks: definition.picks.max,
            cut: definition.cut,
            ladder: &definition.ladder,
            lot: definition.lot.as_deref(),
            rule: &definition.rule,
            points: &definition.points,
        }
    }
}

/// Counts.
///
/// # Errors
/// Every fault of the query.
pub fn tally(frame: &Frame<'_>, query: &Query) -> Result<Tally, Vec<Fault>> {
    let mut faults = Vec::new();
    let picks = read_picks(frame, query, &mut faults);
    let steps = read_ladder(query, &mut faults);
    let points = read_points(query, &mut faults);
    let rule = Rule::find(query.rule.as_deref().unwrap_or(frame.rule));
    if rule.is_none() {
        faults.push(Fault::member(
            "rule",
            "unknown-rule",
            "Det finns ingen sådan räkneregel.",
            "There is no such rule.",
        ));
    }
    let (Some(rule), true) = (rule, faults.is_empty()) else { return Err(faults) };

    let truncated = (picks < frame.picks).then(|| {
        let profile = frame.profile.truncated(picks);
        (Counts::of(&profile), profile)
    });
    let (counts, profile) =
        truncated.as_ref().map_or((frame.counts, frame.profile), |(counts, profile)| (counts, profile));
    let points = points.or_else(|| rule_set_points(&rule, frame, picks));
    let place = |id: &InitiativeId| frame.slate.find(id).map(usize::from);
    let parameters = Parameters {
        ladder: Ladder {
            steps: steps.clone().unwrap_or_else(|| frame.ladder.iter().copied().map(Step::from).collect()),
            lot: frame.lot.map(|lot| lot.iter().filter_map(place).collect()),
        },
        cut: frame.cut,
        points,
    };
    let election = Election { profile, counts, picks };
    let refused = |refusal: Refusal| {
        let (member, sv) = match refusal {
            Refusal::PointsDoNotApply => {
                ("points", "Regeln custom tar poäng, ett per plats, och ingen annan regel gör det.")
            }
            Refusal::WrongNumberOfPoints => ("points", "Lika många poängtal som val behövs."),
            Refusal::PointsRise => {
                ("points", "Poängen får inte stiga från en plats till nästa och inte vara negativa.")
            }
            Refusal::TooDeep => {
                ("rule", "approval-j läser de j första platserna, och en prioritering här har färre.")
            }
        };
        vec![Fault::member(member, "parameter", sv, &refusal.to_string())]
    };
    let outcome = rule.count(&election, &parameters).map_err(refused)?;
    let scale = rule.points(frame.slate.len(), picks, parameters.points.as_deref()).map_err(refused)?;
    let candidates = 0..frame.slate.len();
    Ok(Tally {
        rule,
        points: scale.ranked,
        picks: truncated.is_some().then_some(picks),
        ladder: steps,
        cut: frame.cut,
        outcome,
        rank_counts: candidates
            .clone()
            .map(|c| (0..picks).map(|rank| counts.at_rank(c, rank)).collect())
            .collect(),
        listed: candidates.map(|c| counts.listed(c)).collect(),
        counted: counts.ballots(),
    })
}

/// Whether a definition's rule can be counted with its picks and points.
///
/// # Errors
/// Why it cannot.
pub fn rule_set_fits(definition: &Definition, candidates: usize) -> Result<(), Refusal> {
    let Some(rule) = Rule::find(&definition.rule) else { return Ok(()) };
    let picks = definition.picks.max;
    let custom = (definition.rule == "custom").then(|| fractions(&definition.points));
    // A draft may not have its initiatives yet: as many as picks will do for the question.
    rule.points(candidates.max(picks), picks, custom.as_deref()).map(drop)
}

fn rule_set_points(rule: &Rule, frame: &Frame<'_>, picks: usize) -> Option<Vec<Fraction>> {
    (rule.id() == "custom" && frame.rule == "custom").then(|| fractions(&frame.points[..picks]))
}

fn fractions(points: &[Points]) -> Vec<Fraction> {
    let fraction = |points: &Points| parse_fraction(&points.to_string()).unwrap_or_else(Fraction::zero);
    points.iter().map(fraction).collect()
}

fn read_picks(frame: &Frame<'_>, query: &Query, faults: &mut Vec<Fault>) -> usize {
    let Some(text) = query.picks.as_deref() else { return frame.picks };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<usize>() {
        Ok(picks) if digits && (1..=frame.picks).contains(&picks) => picks,
        Ok(_) | Err(_) => {
            let sv = format!("Ett heltal från 1 till {}.", frame.picks);
            let en = format!("A whole number from 1 to {}.", frame.picks);
            faults.push(Fault::member("picks", "parameter", &sv, &en));
            frame.picks
        }
    }
}

fn read_ladder(query: &Query, faults: &mut Vec<Fault>) -> Option<Vec<Step>> {
    let text = query.ladder.as_deref()?;
    let steps: Result<Vec<Step>, ()> =
        if text == "none" { Ok(Vec::new()) } else { text.split(',').map(str::parse).collect() };
    let distinct = |steps: &Vec<Step>| (1..steps.len()).all(|i| !steps[..i].contains(&steps[i]));
    let steps = steps.ok().filter(distinct);
    if steps.is_none() {
        faults.push(Fault::member(
            "ladder",
            "parameter",
            "Steg med komma: listed, first-places, head-to-head, lot, vart och ett en gång; eller none.",
            "Steps with commas: listed, first-places, head-to-head, lot, each once; or none.",
        ));
    }
    steps
}

fn read_points(query: &Query, faults: &mut Vec<Fault>) -> Option<Vec<Fraction>> {
    let text = query.points.as_deref()?;
    let points: Option<Vec<Fraction>> = text.split(',').take(MAX_PICKS + 1).map(parse_fraction).collect();
    if points.is_none() {
        let sv = "Heltal eller bråk med komma, som 5,4,3,3/2,0.";
        faults.push(Fault::member(
            "points",
            "parameter",
            sv,
            "Whole numbers or fractions with commas, such as 5,4,3,3/2,0.",
        ));
    }
    points
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
