//! Elections as text, short enough to be counted by hand.
//!
//! Candidates are letters. `DBF` is a ballot with D first, `3*DBF` stands for three of them, and `-` ranks nobody.

use handslag::tally::{
    Counts, Election, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Rule, parse_fraction,
};

/// An election on paper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paper {
    /// Every candidate, picked or not.
    pub(crate) candidates: &'static str,
    /// k, the most picks of a ballot.
    pub(crate) picks: usize,
    /// The ballots, with spaces.
    pub(crate) ballots: &'static str,
}

impl Paper {
    /// The ballots without their order.
    pub(crate) fn profile(&self) -> Profile {
        let mut profile = Profile::new(self.candidates.len());
        for ballot in self.ballots.split_whitespace() {
            let (count, ranking) = ballot.split_once('*').unwrap_or(("1", ballot));
            let ranking: Vec<u8> = ranking.trim_matches('-').chars().map(|name| self.number(name)).collect();
            profile.add(&ranking, count.parse().unwrap());
        }
        profile
    }

    /// Counts with `linear`, `approval-3`, `custom 4,3,2`, …
    pub(crate) fn count(&self, rule: &str, ladder: &Ladder, cut: usize) -> Result<Outcome, Refusal> {
        let (id, points) = match rule.split_once(' ') {
            None => (rule, None),
            Some((id, points)) => (id, Some(fractions(points))),
        };
        self.count_with(id, &Parameters { points, ladder: ladder.clone(), cut, ..Parameters::default() })
    }

    /// Counts with the rule of this id and any parameters.
    pub(crate) fn count_with(&self, id: &str, parameters: &Parameters) -> Result<Outcome, Refusal> {
        let profile = self.profile();
        let counts = Counts::of(&profile);
        let election = Election { profile: &profile, counts: &counts, picks: self.picks };
        let rule = Rule::find(id).unwrap_or_else(|| panic!("there is no rule {id}"));
        rule.count(&election, parameters)
    }

    /// The scores in the order of the candidates: `A11 B19/6`.
    pub(crate) fn scores(&self, outcome: &Outcome) -> String {
        let mut scores: Vec<(usize, String)> = outcome
            .standings
            .iter()
            .map(|standing| (standing.candidate, standing.score.as_ref().unwrap().to_string()))
            .collect();
        scores.sort();
        let scores: Vec<String> =
            scores.iter().map(|(candidate, score)| format!("{}{score}", self.name(*candidate))).collect();
        scores.join(" ")
    }

    /// The order by the rule alone: `A > B = C > D`.
    pub(crate) fn order(&self, outcome: &Outcome) -> String {
        self.tiers(outcome.standings.iter().map(|standing| (standing.rank, standing.candidate)))
    }

    /// The order after the ladder.
    pub(crate) fn resolved(&self, outcome: &Outcome) -> String {
        self.tiers(outcome.standings.iter().map(|standing| (standing.resolved_rank, standing.candidate)))
    }

    /// Ranks in the order of the candidates: `A1 B2 C2 D4`.
    pub(crate) fn ranks(&self, outcome: &Outcome) -> String {
        let mut ranks: Vec<String> = outcome
            .standings
            .iter()
            .map(|standing| format!("{}{}", self.name(standing.candidate), standing.rank))
            .collect();
        ranks.sort();
        ranks.join(" ")
    }

    /// The lot as the ladder takes it, from letters: `DCBA`.
    pub(crate) fn lot(&self, order: &str) -> Vec<usize> {
        order.chars().map(|name| usize::from(self.number(name))).collect()
    }

    /// Sets or orders of candidates as words: `AB BC`.
    pub(crate) fn words(&self, lists: &[Vec<usize>]) -> String {
        let word = |list: &Vec<usize>| list.iter().map(|&c| self.name(c)).collect::<String>();
        lists.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn name(&self, candidate: usize) -> char {
        self.candidates.chars().nth(candidate).unwrap()
    }

    fn number(&self, name: char) -> u8 {
        let place = self.candidates.find(name).unwrap_or_else(|| panic!("{name} is no candidate"));
        u8::try_from(place).unwrap()
    }

    fn tiers(&self, ranked: impl Iterator<Item = (usize, usize)>) -> String {
        let mut ranked: Vec<(usize, char)> = ranked.map(|(rank, c)| (rank, self.name(c))).collect();
        ranked.sort_unstable();
        let tiers: Vec<String> = ranked
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tier| tier.iter().map(|(_, name)| name.to_string()).collect::<Vec<_>>().join(" = "))
            .collect();
        tiers.join(" > ")
    }
}

/// `4,3/2,0` as points.
pub(crate) fn fractions(points: &str) -> Vec<Fraction> {
    points.split(',').map(|text| parse_fraction(text).unwrap()).collect()
}
