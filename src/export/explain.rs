//! A count told step by step, so that anybody can follow it by hand.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Language, decimal};
use crate::domain::Slate;
use crate::service::results::Tally;
use crate::tally::pairwise::{Decision, Pairwise};
use crate::tally::portfolio::Portfolio;
use crate::tally::rounds::{Action, Bucklin, Runoff, Stage, Stages};
use crate::tally::{Detail, Fraction, Term, Tie};

/// The count of a tally in words and figures.
pub fn text(slate: &Slate, tally: &Tally, language: Language) -> String {
    let mut teller = Teller { slate, tally, language, text: String::new() };
    teller.heading();
    match &tally.outcome.detail {
        Detail::Positional(terms) => teller.points(terms),
        Detail::Pairwise(facts) => teller.duels(facts),
        Detail::Bucklin(bucklin) => teller.bucklin(bucklin),
        Detail::Runoff(runoff) => teller.runoff(runoff),
        Detail::Stages(stages) => teller.stages(stages),
        Detail::Portfolio(portfolio) => teller.portfolio(portfolio),
    }
    teller.ties();
    teller.text
}

struct Teller<'a> {
    slate: &'a Slate,
    tally: &'a Tally,
    language: Language,
    text: String,
}

impl Teller<'_> {
    fn say(&mut self, sv: impl AsRef<str>, en: impl AsRef<str>) {
        let line = self.language.pick(sv.as_ref(), en.as_ref()).trim_end().to_owned();
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn id(&self, candidate: usize) -> &str {
        self.slate.initiatives()[candidate].id.as_str()
    }

    fn ids(&self, candidates: &[usize]) -> String {
        let ids: Vec<&str> = candidates.iter().map(|&c| self.id(c)).collect();
        if ids.is_empty() { "–".to_owned() } else { ids.join(", ") }
    }

    /// The candidates in resolved order.
    fn order(&self) -> Vec<usize> {
        self.tally.outcome.standings.iter().map(|standing| standing.candidate).collect()
    }

    fn heading(&mut self) {
        let rule = self.tally.rule;
        let definition = rule.definition();
        let title = rule.title(|titles| self.language.pick(titles.sv, titles.en));
        let counted = self.tally.counted;
        self.say(format!("{}: {title}", rule.id()), format!("{}: {title}", rule.id()));
        self.say(definition.sv, definition.en);
        self.say(format!("{counted} prioriteringar räknas."), format!("{counted} ballots are counted."));
        if let Some(weighted) = &self.tally.weighted {
            let weight = weighted.counted.clone();
            self.say(format!("De väger tillsammans {weight}."), format!("They weigh {weight} together."));
        }
        self.text.push('\n');
    }

    fn points(&mut self, terms: &[Vec<Term>]) {
        for c in self.order() {
            let sum: Vec<String> =
                terms[c].iter().map(|term| format!("{}·{}", term.weight, term.points)).collect();
            let score = self.score(c);
            let sum = if sum.is_empty() { "0".to_owned() } else { sum.join(" + ") };
            let line = if sum == score {
                format!("{}: {score}", self.id(c))
            } else {
                format!("{}: {sum} = {score}", self.id(c))
            };
            self.say(&line, &line);
        }
        self.say(
            "(antal på platsen · poäng för platsen, i platsernas ordning)",
            "(number at the rank · points of the rank, in the order of ranks)",
        );
    }

    fn score(&self, candidate: usize) -> String {
        let mut standings = self.tally.outcome.standings.iter();
        let standing = standings.find(|standing| standing.candidate == candidate);
        standing.and_then(|standing| standing.score.as_ref()).map(ToString::to_string).unwrap_or_default()
    }

    fn duels(&mut self, facts: &Pairwise) {
        self.say(
            "Varje duell, räknad från den som står i raden:",
            "Every duel, counted from the one in the row:",
        );
        let order = self.order();
        for &a in &order {
            let mut told = Vec::new();
            for &b in order.iter().filter(|&&b| b != a) {
                let (ours, theirs) = (&facts.matrix[a][b], &facts.matrix[b][a]);
                let mark = match ours.cmp(theirs) {
                    Ordering::Greater => "+",
                    Ordering::Equal => "=",
                    Ordering::Less => "−",
                };
                told.push(format!("{mark}{} {ours}–{theirs}", self.id(b)));
            }
            let line = format!("  {}: {}", self.id(a), told.join("; "));
            self.say(&line, &line);
        }
        let winner = facts.condorcet_winner.map_or("–", |c| self.id(c)).to_owned();
        let smith = self.ids(&facts.smith_set);
        self.say(
            format!("Slår alla andra (Condorcetvinnare): {winner}. Smithmängden: {smith}."),
            format!("Beats all others (Condorcet winner): {winner}. The Smith set: {smith}."),
        );
        self.text.push('\n');
        match self.tally.rule.id().as_str() {
            "copeland" => self.copeland(facts),
            "minimax" => {
                for &c in &order {
                    let line = format!("{}: {}", self.id(c), self.score(c));
                    self.say(format!("{line} i sin sämsta duell"), format!("{line} in its worst duel"));
                }
            }
            _ => {}
        }
        if let Some(paths) = &facts.paths {
            self.say(
                "Starkaste kedjan åt vardera hållet; den starkare avgör:",
                "The strongest chain each way; the stronger one decides:",
            );
            for (i, &a) in order.iter().enumerate() {
                for &b in &order[i + 1..] {
                    let (there, back) = (&paths[a][b], &paths[b][a]);
                    let sign = match there.cmp(back) {
                        Ordering::Greater => ">",
                        Ordering::Equal => "=",
                        Ordering::Less => "<",
                    };
                    let line = format!("  {} {there} {sign} {back} {}", self.id(a), self.id(b));
                    self.say(&line, &line);
                }
            }
        }
        self.defeats(facts);
        self.orders(facts);
    }

    fn copeland(&mut self, facts: &Pairwise) {
        for a in self.order() {
            let against = |sign: Ordering| {
                let others = (0..facts.matrix.len()).filter(|&b| b != a);
                others.filter(|&b| facts.matrix[a][b].cmp(&facts.matrix[b][a]) == sign).count()
            };
            let (won, drawn, lost) =
                (against(Ordering::Greater), against(Ordering::Equal), against(Ordering::Less));
            let (id, score) = (self.id(a).to_owned(), self.score(a));
            self.say(
                format!("{id}: {won} vunna, {drawn} oavgjorda, {lost} förlorade = {score}"),
                format!("{id}: {won} won, {drawn} drawn, {lost} lost = {score}"),
            );
        }
    }

    fn defeats(&mut self, facts: &Pairwise) {
        if facts.pairs.is_empty() {
            return;
        }
        self.say("Nederlagen från det starkaste:", "The defeats from the strongest:");
        for pair in &facts.pairs {
            let line = format!("  {} > {} ({})", self.id(pair.winner), self.id(pair.loser), pair.strength);
            match pair.decision {
                Decision::Locked => self.say(format!("{line}: låses"), format!("{line}: locked")),
                Decision::Circle => self.say(
                    format!("{line}: skulle sluta en cirkel, hoppas över"),
                    format!("{line}: would close a circle, passed over"),
                ),
            }
        }
    }

    fn orders(&mut self, facts: &Pairwise) {
        let Some(orders) = &facts.orders else { return };
        let (score, optimal) = (&orders.score, orders.optimal);
        self.say(
            format!(
                "Den bästa ordningen stämmer med {score} parvisa jämförelser; {optimal} ordningar gör det."
            ),
            format!("The best order agrees with {score} pairwise comparisons; {optimal} orders do."),
        );
        for order in orders.listed.iter().take(20) {
            let ids: Vec<&str> = order.iter().map(|&c| self.id(c)).collect();
            let line = format!("  {}", ids.join(" > "));
            self.say(&line, &line);
        }
        if optimal > 20 {
            self.say("  …", "  …");
        }
    }

    fn bucklin(&mut self, bucklin: &Bucklin) {
        for (i, level) in bucklin.levels.iter().enumerate() {
            let ranks = i + 1;
            self.say(format!("Plats 1 till {ranks}:"), format!("Ranks 1 to {ranks}:"));
            self.votes(&self.order().into_iter().map(|c| (c, level[c].clone())).collect::<Vec<_>>());
        }
        let half = &bucklin.half;
        match bucklin.majority_at {
            Some(ranks) => self.say(
                format!("Vid plats {ranks} har någon mer än hälften ({half}); antalet där avgör."),
                format!("At rank {ranks} somebody has more than half ({half}); the count there decides."),
            ),
            None => self.say(
                format!("Ingen får mer än hälften ({half}); antalet vid sista platsen avgör."),
                format!("Nobody has more than half ({half}); the count at the last rank decides."),
            ),
        }
    }

    fn votes(&mut self, votes: &[(usize, Fraction)]) {
        let mut line = String::from(" ");
        for (c, votes) in votes {
            let text = if votes.is_integer() { votes.to_string() } else { decimal(votes).to_string() };
            let _ = write!(line, " {} {text};", self.id(*c));
        }
        let line = line.trim_end_matches(';').to_owned();
        self.say(&line, &line);
    }

    fn runoff(&mut self, runoff: &Runoff) {
        for (i, round) in runoff.rounds.iter().enumerate() {
            let (n, exhausted) = (i + 1, &round.exhausted);
            self.say(format!("Omgång {n}:"), format!("Round {n}:"));
            self.votes(&round.votes);
            if *exhausted != Fraction::default() {
                self.say(
                    format!("  utan val kvar: {exhausted}"),
                    format!("  with no pick left: {exhausted}"),
                );
            }
            if runoff.majority_in == Some(n) {
                self.say(
                    "  här har någon mer än hälften av dem som räknas",
                    "  here somebody has more than half of those that count",
                );
            }
            if let Some(leaves) = round.eliminated {
                let id = self.id(leaves).to_owned();
                let (sv, en) = self.among(&round.tied, round.resolved_by);
                self.say(format!("  {id} lämnar{sv}"), format!("  {id} leaves{en}"));
            }
        }
    }

    /// How one of the tied was chosen.
    fn among(&self, tied: &[usize], by: Option<crate::tally::Step>) -> (String, String) {
        match by {
            _ if tied.len() < 2 => (String::new(), String::new()),
            Some(step) => {
                let ids = self.ids(tied);
                (
                    format!(" (lika få: {ids}; avgjort av {step})"),
                    format!(" (equally few: {ids}; decided by {step})"),
                )
            }
            None => {
                let ids = self.ids(tied);
                (format!(" (lika få: {ids})"), format!(" (equally few: {ids})"))
            }
        }
    }

    fn stages(&mut self, stages: &Stages) {
        let (seats, quota) = (stages.seats, decimal(&stages.quota));
        self.say(format!("{seats} platser, kvot {quota}."), format!("{seats} seats, quota {quota}."));
        for (i, stage) in stages.stages.iter().enumerate() {
            let (sv, en) = self.action(stage);
            self.say(format!("Steg {}: {sv}", i + 1), format!("Stage {}: {en}", i + 1));
            self.votes(&stage.votes.iter().cloned().enumerate().collect::<Vec<_>>());
            let left = decimal(&stage.not_transferred);
            if stage.not_transferred != Fraction::default() {
                self.say(format!("  hos ingen: {left}"), format!("  with nobody: {left}"));
            }
            if !stage.elected.is_empty() {
                let ids = self.ids(&stage.elected);
                self.say(format!("  invalda: {ids}"), format!("  elected: {ids}"));
            }
        }
    }

    fn action(&self, stage: &Stage) -> (String, String) {
        let (tied_sv, tied_en) = match stage.resolved_by {
            Some(step) if stage.tied.len() > 1 => {
                let ids = self.ids(&stage.tied);
                (format!(" (lika: {ids}; avgjort av {step})"), format!(" (equal: {ids}; decided by {step})"))
            }
            _ => (String::new(), String::new()),
        };
        match &stage.action {
            Action::FirstPreferences => ("förstaplatser".into(), "first preferences".into()),
            Action::Surplus { of, surplus } => {
                let (id, surplus) = (self.id(*of), decimal(surplus));
                (
                    format!("överskottet hos {id}, {surplus}, flyttas{tied_sv}"),
                    format!("the surplus of {id}, {surplus}, moves on{tied_en}"),
                )
            }
            Action::Exclusion { of } => {
                let id = self.id(*of);
                (format!("{id} utesluts{tied_sv}"), format!("{id} is excluded{tied_en}"))
            }
            Action::LastVacancies => (
                "så många är kvar som det finns platser".into(),
                "as many are left as there are seats".into(),
            ),
        }
    }

    fn portfolio(&mut self, portfolio: &Portfolio) {
        let order: Vec<usize> = portfolio.selection.iter().map(|selection| selection.candidate).collect();
        let is_start = |members: &&Vec<usize>| members.iter().all(|c| order[..members.len()].contains(c));
        let before = portfolio.before_completion.as_ref();
        let bought =
            before.and_then(|before| before.listed.iter().find(is_start)).map_or(order.len(), Vec::len);
        for (i, selection) in portfolio.selection.iter().enumerate() {
            let figure = selection.figure.as_ref().map(|figure| format!(" ({figure})")).unwrap_or_default();
            let id = self.id(selection.candidate).to_owned();
            let tied = if selection.tied.is_empty() { None } else { Some(self.ids(&selection.tied)) };
            let (sv, en) = match tied {
                Some(tied) => (format!("; lika bra: {tied}"), format!("; as good: {tied}")),
                None => (String::new(), String::new()),
            };
            // Equal shares: what is not bought is filled in.
            let (filled_sv, filled_en) =
                if i >= bought { (" fylls enligt Phragmén", " filled in by Phragmén") } else { ("", "") };
            let n = i + 1;
            self.say(
                format!("{n}. {id}{filled_sv}{figure}{sv}"),
                format!("{n}. {id}{filled_en}{figure}{en}"),
            );
        }
        if let Some(value) = &portfolio.value {
            self.say(format!("Regelns värde: {value}"), format!("The rule's value: {value}"));
        }
        for (load, weight) in &portfolio.loads {
            self.say(format!("  börda {load} för {weight}"), format!("  load {load} for {weight}"));
        }
        let count = portfolio.optima.count;
        let at_least = if portfolio.optima.complete { "" } else { "≥ " };
        self.say(
            format!("Optimala portföljer: {at_least}{count}"),
            format!("Optimal portfolios: {at_least}{count}"),
        );
        for members in portfolio.optima.listed.iter().take(20) {
            let line = format!("  {{{}}}", self.ids(members));
            self.say(&line, &line);
        }
        if count > 20 {
            self.say("  …", "  …");
        }
        match &portfolio.selected {
            Some(members) => {
                let ids = self.ids(members);
                self.say(format!("Utsedd: {{{ids}}}"), format!("Published: {{{ids}}}"));
            }
            None => self.say(
                "Ingen är utsedd: stegen för lika lämnar fler än en.",
                "None is published: the tie ladder leaves more than one.",
            ),
        }
        if let Some(coverage) = &portfolio.coverage {
            let (covered, twice) = (&coverage.covered, &coverage.twice);
            self.say(
                format!("Täcker {covered}, därav {twice} med minst två val."),
                format!("Covers {covered}, {twice} of them with two picks or more."),
            );
            for (c, alone) in &coverage.alone {
                let id = self.id(*c).to_owned();
                self.say(format!("  bara av {id}: {alone}"), format!("  only by {id}: {alone}"));
            }
        }
        let curve: Vec<String> = portfolio.curve.iter().map(ToString::to_string).collect();
        let curve = curve.join(", ");
        self.say(
            format!("Mest som 1, 2, 3 … initiativ kan täcka: {curve}"),
            format!("The most that 1, 2, 3 … initiatives can cover: {curve}"),
        );
        self.certificate(portfolio);
    }

    fn certificate(&mut self, portfolio: &Portfolio) {
        let Some(certificate) = &portfolio.certificate else { return };
        match &certificate.violation {
            None => self.say("Rättvis mot alla grupper (EJR+): ja.", "Fair to every group (EJR+): yes."),
            Some(violation) => {
                let (id, weight, needed) =
                    (self.id(violation.candidate).to_owned(), &violation.weight, &violation.needed);
                let deserved = violation.deserved;
                self.say(
                    format!("Rättvis mot alla grupper (EJR+): nej. {weight} (minst {needed}) vill ha {id} och har alla färre än {deserved} val med."),
                    format!("Fair to every group (EJR+): no. {weight} (at least {needed}) list {id}, and all of them have fewer than {deserved} picks in it."),
                );
            }
        }
    }

    fn ties(&mut self) {
        if self.tally.outcome.ties.is_empty() {
            return;
        }
        self.text.push('\n');
        let ties: Vec<Tie> = self.tally.outcome.ties.clone();
        for tie in ties {
            let ids = self.ids(&tie.candidates);
            let (sv, en) = match tie.resolved_by {
                Some(step) => {
                    (format!("skilda åt av steget {step}"), format!("told apart by the step {step}"))
                }
                None => ("inte skilda åt".to_owned(), "not told apart".to_owned()),
            };
            let (matters_sv, matters_en) = if tie.matters {
                ("; det avgör vilka som är i toppen", "; it decides who is in the top")
            } else {
                ("", "")
            };
            self.say(format!("Lika: {ids}; {sv}{matters_sv}."), format!("Tied: {ids}; {en}{matters_en}."));
        }
    }
}
