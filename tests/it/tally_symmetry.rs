//! Anonymity, neutrality and weights, for every rule with each of its own parameters: the order of ballots, the names
//! of candidates and the way in which weight came together are nothing to an outcome, down to its last member.
//!
//! An outcome that names somebody because of a number and not because of the ballots fails here.

use handslag::tally::pairwise::Pairwise;
use handslag::tally::portfolio::{Optima, Portfolio};
use handslag::tally::rounds::{Action, Transfer};
use handslag::tally::{Detail, Fraction, Outcome, Parameters, Profile, Refusal, Rule, Step};
use proptest::prelude::*;

use crate::tally_space::{
    Case, all_of_three_up_to_names, alone, by_lot, count, orders, random_with_order, rules_and_cuts, variants,
};

/// An outcome as lines in which candidates have other names and whatever has no order is sorted.
struct Told<'a> {
    names: &'a [usize],
    /// Whether a lot has told all equals apart, so that orders say something.
    decided: bool,
    lines: Vec<String>,
}

impl Told<'_> {
    fn name(&self, candidate: usize) -> usize {
        self.names[candidate]
    }

    fn set(&self, candidates: &[usize]) -> Vec<usize> {
        let mut set = self.list(candidates);
        set.sort_unstable();
        set
    }

    fn list(&self, candidates: &[usize]) -> Vec<usize> {
        candidates.iter().map(|&c| self.name(c)).collect()
    }

    /// A list that the ladder has put in order; without a lot, a set.
    fn resolved(&self, candidates: &[usize]) -> Vec<usize> {
        if self.decided { self.list(candidates) } else { self.set(candidates) }
    }

    fn sets(&self, lists: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = lists.iter().map(|list| self.resolved(list)).collect();
        if !self.decided {
            sets.sort();
        }
        sets
    }

    fn by_name<T: Clone>(&self, figures: &[T]) -> Vec<T> {
        let mut rows: Vec<(usize, &T)> = figures.iter().enumerate().map(|(c, t)| (self.name(c), t)).collect();
        rows.sort_by_key(|(name, _)| *name);
        rows.into_iter().map(|(_, figure)| figure.clone()).collect()
    }

    fn square<T: Clone>(&self, rows: &[Vec<T>]) -> Vec<Vec<T>> {
        self.by_name(&rows.iter().map(|row| self.by_name(row)).collect::<Vec<_>>())
    }

    fn say(&mut self, what: &str, figures: impl std::fmt::Debug) {
        self.lines.push(format!("{what}: {figures:?}"));
    }

    fn outcome(mut self, outcome: &Outcome) -> Vec<String> {
        let mut rows: Vec<_> = outcome
            .standings
            .iter()
            .map(|s| (self.name(s.candidate), s.rank, s.resolved_rank, s.score.clone()))
            .collect();
        rows.sort();
        self.say("standings", rows);
        for tie in &outcome.ties {
            self.say("tie", (self.resolved(&tie.candidates), tie.resolved_by, tie.matters));
        }
        match &outcome.detail {
            Detail::Positional(terms) => {
                let terms = self.by_name(terms);
                self.say("terms", terms);
            }
            Detail::Pairwise(duels) => self.duels(duels),
            Detail::Bucklin(bucklin) => {
                let levels: Vec<_> = bucklin.levels.iter().map(|level| self.by_name(level)).collect();
                self.say("bucklin", (&bucklin.half, bucklin.majority_at, levels));
            }
            Detail::Runoff(runoff) => {
                self.say("majority", runoff.majority_in);
                // Without a lot, those without votes who share a place leave one by one in some order.
                for round in runoff.rounds.iter().filter(|_| self.decided).cloned().collect::<Vec<_>>() {
                    let mut votes: Vec<_> = round.votes.iter().map(|(c, v)| (self.name(*c), v)).collect();
                    votes.sort();
                    self.say("votes", (votes, &round.exhausted, round.resolved_by));
                    self.say("leaves", (round.eliminated.map(|c| self.name(c)), self.set(&round.tied)));
                }
            }
            Detail::Stages(stages) => {
                self.say("stv", (stages.method, stages.seats, &stages.quota, self.set(&stages.elected)));
                for stage in &stages.stages {
                    let action = match &stage.action {
                        // All surpluses move at once; of equals who were elected last, one is named.
                        Action::Surplus { surplus, .. } if stages.method == Transfer::Meek => {
                            surplus.to_string()
                        }
                        Action::Surplus { of, surplus } => format!("{} over {surplus}", self.name(*of)),
                        Action::Exclusion { of } => format!("{} out", self.name(*of)),
                        other => format!("{other:?}"),
                    };
                    self.say("stage", (action, &stage.not_transferred, &stage.quota, stage.resolved_by));
                    self.say("votes", self.by_name(&stage.votes));
                    self.say("elected", (self.set(&stage.elected), self.resolved(&stage.tied)));
                }
            }
            Detail::Portfolio(portfolio) => self.portfolio(portfolio),
        }
        self.lines
    }

    fn duels(&mut self, duels: &Pairwise) {
        self.say("matrix", self.square(&duels.matrix));
        self.say("winner", duels.condorcet_winner.map(|c| self.name(c)));
        self.say("sets", (self.set(&duels.weak_winners), self.set(&duels.smith_set)));
        self.say("paths", (duels.strength, duels.paths.as_ref().map(|paths| self.square(paths))));
        let told = |pair: &handslag::tally::pairwise::Pair| {
            (
                self.name(pair.winner),
                self.name(pair.loser),
                pair.strength.clone(),
                format!("{:?}", pair.decision),
            )
        };
        let mut pairs: Vec<_> = duels.pairs.iter().map(told).collect();
        if !self.decided {
            pairs.sort();
        }
        self.say("pairs", pairs);
        if let Some(orders) = &duels.orders {
            self.say("kemeny", (&orders.score, orders.optimal));
            self.say("published", orders.published.as_ref().map(|order| self.list(order)));
            let mut shared: Vec<_> =
                orders.shared.iter().map(|&(a, b)| (self.name(a), self.name(b))).collect();
            shared.sort_unstable();
            self.say("shared", shared);
            let mut listed: Vec<_> = orders.listed.iter().map(|order| self.list(order)).collect();
            if !self.decided {
                listed.sort();
            }
            if self.decided || orders.optimal <= 100 {
                self.say("listed", listed);
            }
        }
    }

    fn optima(&mut self, optima: &Optima) {
        self.say("optima", (optima.count, optima.complete, self.resolved(&optima.shared)));
        self.say("listed", self.sets(&optima.listed));
    }

    fn portfolio(&mut self, portfolio: &Portfolio) {
        let selected = portfolio.selected.as_ref().map(|selected| self.resolved(selected));
        self.say("selected", (portfolio.seats, selected, &portfolio.value));
        self.optima(&portfolio.optima);
        if let Some(before) = &portfolio.before_completion {
            self.optima(before);
        }
        // Without a lot the order in which equals were selected is one of many.
        for step in portfolio.selection.iter().filter(|_| self.decided).cloned().collect::<Vec<_>>() {
            self.say("selection", (self.name(step.candidate), &step.figure, self.set(&step.tied)));
        }
        self.say("loads", &portfolio.loads);
        if let Some(coverage) = &portfolio.coverage {
            let mut alone: Vec<_> = coverage.alone.iter().map(|(c, w)| (self.name(*c), w)).collect();
            if !self.decided {
                alone.sort();
            }
            self.say("coverage", (&coverage.covered, &coverage.twice, alone));
        }
        self.say("curve", &portfolio.curve);
        for row in portfolio.trade_offs.iter().flatten() {
            let members = self.decided.then(|| self.list(&row.members));
            self.say("trade", (&row.score, &row.covered, row.count, members));
        }
        // Of equally large groups one is named.
        let certificate = portfolio.certificate.as_ref().map(|c| c.violation.as_ref());
        self.say("certificate", certificate.map(|v| v.map(|v| (v.deserved, &v.weight, &v.needed))));
    }
}

/// The outcome or refusal with other names of the candidates.
fn told(counted: &Result<Outcome, Refusal>, names: &[usize], decided: bool) -> Vec<String> {
    let mut told = Told { names, decided, lines: Vec::new() };
    match counted {
        Ok(outcome) => told.outcome(outcome),
        Err(Refusal::Undecided { tied }) => {
            let tied = told.set(tied);
            told.say("undecided", tied);
            told.lines
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

/// Without a ladder, and with one that ends in this lot.
fn both_ladders(rule: &Rule, case: &Case, cut: usize, lot: &[usize]) -> Vec<(Parameters, bool)> {
    let plain = alone(rule, case.picks, cut);
    let mut whole = Parameters { ladder: by_lot(lot), ..plain.clone() };
    whole.ladder.steps = rule.steps(&Step::ALL[1..]);
    let ladders = [(plain, false), (whole, true)];
    ladders
        .iter()
        .flat_map(|(parameters, decided)| variants(rule, parameters).into_iter().map(|p| (p, *decided)))
        .collect()
}

#[track_caller]
fn check_neutral(case: &Case, renamings: &[Vec<usize>], lot: &[usize]) {
    let same: Vec<usize> = (0..case.candidates).collect();
    for (rule, cut) in rules_and_cuts(case) {
        for (parameters, decided) in both_ladders(&rule, case, cut, lot) {
            let counted = case.count(&rule, &parameters);
            for names in renamings {
                let mut other = parameters.clone();
                other.ladder.lot = other.ladder.lot.map(|lot| lot.iter().map(|&c| names[c]).collect());
                let before = told(&counted, names, decided);
                let after = told(&case.renamed(names).count(&rule, &other), &same, decided);
                assert_eq!(before, after, "{rule:?} {parameters:?} {case:?} {names:?}");
            }
        }
    }
}

#[test]
fn names_are_nothing_in_all_elections_of_three_candidates_and_three_voters() {
    for case in all_of_three_up_to_names() {
        let names = orders(case.candidates);
        check_neutral(&case, &names[1..], names.last().unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn names_are_nothing_in_random_elections(
        ((case, names), lot) in random_with_order(5, 8).prop_flat_map(|(case, names)| {
            let lot = crate::tally_space::order(case.candidates);
            (Just((case, names)), lot)
        })
    ) {
        check_neutral(&case, &[names], &lot);
    }

    #[test]
    fn the_order_of_ballots_and_the_way_they_are_added_are_nothing(
        (case, shuffled, lot) in random_with_order(5, 8).prop_flat_map(|(case, lot)| {
            let shuffled = Just(case.ballots.clone()).prop_shuffle();
            (Just(case), shuffled, Just(lot))
        })
    ) {
        let mut at_once = Profile::new(case.candidates);
        for (ranking, ballots) in case.with(shuffled).profile().iter() {
            at_once.add(ranking, ballots);
        }
        prop_assert_eq!(&at_once, &case.profile());
        for (rule, cut) in rules_and_cuts(&case) {
            for (parameters, _) in both_ladders(&rule, &case, cut, &lot) {
                let other = count(&rule, &at_once, case.picks, &parameters);
                prop_assert_eq!(case.count(&rule, &parameters), other, "{:?}", rule);
            }
        }
    }

    #[test]
    fn weight_is_what_so_many_ballots_are(
        (case, weights, lot) in random_with_order(5, 6).prop_flat_map(|(case, lot)| {
            let weights = prop::collection::vec(0_u8..4, case.ballots.len());
            (Just(case), weights, Just(lot))
        }),
        unit in 1_u128..7,
    ) {
        let repeat = |(ballot, weight): (&Vec<u8>, &u8)| vec![ballot.clone(); usize::from(*weight)];
        let whole = case.with(case.ballots.iter().zip(&weights).flat_map(repeat).collect());
        let mut parts = Profile::weighted(case.candidates, unit);
        for (ballot, weight) in case.ballots.iter().zip(&weights) {
            parts.add_weighted(ballot, u128::from(*weight));
        }
        for (rule, cut) in rules_and_cuts(&case) {
            for (parameters, _) in both_ladders(&rule, &case, cut, &lot) {
                let one = whole.count(&rule, &parameters);
                match (one, count(&rule, &parts, case.picks, &parameters)) {
                    (_, Err(Refusal::NotWhole)) => {
                        prop_assert!(unit > 1 && ["stv", "monroe"].contains(&rule.id().as_str()));
                    }
                    (Ok(one), Ok(other)) => check_weighted(&rule, &one, &other, unit),
                    (one, other) => prop_assert_eq!(one.unwrap_err(), other.unwrap_err(), "{:?}", rule),
                }
            }
        }
    }
}

/// The second outcome is the first with every weight divided by the unit.
#[track_caller]
fn check_weighted(rule: &Rule, one: &Outcome, other: &Outcome, unit: u128) {
    let per_unit = Fraction::from_integer(unit.into());
    let is_weight = rule.id() != "copeland";
    let row = |s: &handslag::tally::Standing, by: &Fraction| {
        (s.candidate, s.rank, s.resolved_rank, s.score.as_ref().map(|score| score * by))
    };
    let by = if is_weight { per_unit.clone() } else { Fraction::from_integer(1.into()) };
    let rows =
        |outcome: &Outcome, by: &Fraction| outcome.standings.iter().map(|s| row(s, by)).collect::<Vec<_>>();
    assert_eq!(rows(one, &Fraction::from_integer(1.into())), rows(other, &by), "{rule:?}");
    assert_eq!(one.ties, other.ties, "{rule:?}");
    match (&one.detail, &other.detail) {
        (Detail::Pairwise(one), Detail::Pairwise(other)) => {
            assert_eq!((&one.smith_set, &one.weak_winners), (&other.smith_set, &other.weak_winners));
            let told = |duels: &Pairwise| {
                duels.orders.as_ref().map(|o| (o.optimal, o.listed.clone(), o.shared.clone()))
            };
            assert_eq!(told(one), told(other));
        }
        (Detail::Runoff(one), Detail::Runoff(other)) => {
            let told = |r: &handslag::tally::rounds::Round| (r.eliminated, r.tied.clone(), r.resolved_by);
            assert_eq!(one.majority_in, other.majority_in);
            assert!(one.rounds.iter().map(told).eq(other.rounds.iter().map(told)));
        }
        (Detail::Portfolio(one), Detail::Portfolio(other)) => {
            assert_eq!((&one.optima, &one.selected), (&other.optima, &other.selected), "{rule:?}");
            assert_eq!(one.before_completion, other.before_completion, "{rule:?}");
            // Loads grow where weight falls, sums fall with it.
            let loads = rule.id().ends_with("phragmen");
            let scaled = |value: &Fraction| if loads { value / &per_unit } else { value * &per_unit };
            assert_eq!(one.value, other.value.as_ref().map(scaled), "{rule:?}");
            let members =
                |p: &Portfolio| p.selection.iter().map(|s| (s.candidate, s.tied.clone())).collect::<Vec<_>>();
            assert_eq!(members(one), members(other), "{rule:?}");
            let violation = |p: &Portfolio| {
                let violation = p.certificate.as_ref().map(|c| c.violation.as_ref());
                violation.map(|v| v.map(|v| (v.candidate, v.deserved)))
            };
            assert_eq!(violation(one), violation(other), "{rule:?}");
            let curve: Vec<Fraction> = other.curve.iter().map(|covered| covered * &per_unit).collect();
            assert_eq!(one.curve, curve, "{rule:?}");
        }
        _ => {}
    }
}
