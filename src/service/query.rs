//! What a reader of results asks for: a rule and its parameters as text, under the same names everywhere.

use std::collections::BTreeMap;

use super::{Fault, Place};
use crate::domain::{Points, Slate};
use crate::tally::pairwise::{Strength, copeland::Draws};
use crate::tally::portfolio::{Budget, Constraints};
use crate::tally::rounds::Transfer;
use crate::tally::{Fraction, MAX_PICKS, PARAMETERS, Rule, Step, parse_fraction};

/// The parameters of an address or a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query(BTreeMap<&'static str, String>);

/// How many pairs a condition can have.
const MOST_PAIRS: usize = 64;

/// What is asked for besides the parameters of the table of rules.
const OTHERS: [&str; 3] = ["rule", "group", "groupBy"];

impl Query {
    /// Every name: `rule`, the parameters of the table of rules, and the groups.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OTHERS.into_iter().chain(PARAMETERS.iter().map(|parameter| parameter.name))
    }

    /// The query with this value, if it is one of the names.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Some(name) = Self::names().find(|known| *known == name) {
            self.0.insert(name, value.into());
        }
        self
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value)
    }

    /// The query with only the names that hold.
    #[must_use]
    pub fn only(mut self, holds: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| holds(name));
        self
    }

    /// Whether nothing but perhaps the rule is asked for.
    pub fn is_plain(&self) -> bool {
        self.0.keys().all(|name| *name == "rule")
    }

    /// The query as an address writes it, after `?`; empty for the round's own rule.
    pub fn written(&self) -> String {
        let pairs = Self::names().filter_map(|name| Some(format!("{name}={}", escaped(self.get(name)?))));
        pairs.collect::<Vec<String>>().join("&")
    }
}

/// Percent-encoded, but for what may stand in a query as it is (RFC 3986, section 3.4) and means nothing there.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,:/".contains(&byte);
    let written = text
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    written.collect()
}

/// Reads the values of a query. What is wrong with them gathers.
pub(super) struct Reader<'a> {
    query: &'a Query,
    slate: &'a Slate,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(query: &'a Query, slate: &'a Slate) -> Self {
        Self { query, slate, faults: Vec::new() }
    }

    pub(super) fn fault(&mut self, name: &str, code: &'static str, sv: &str, en: &str) {
        self.faults.push(Fault::member(name, code, sv, en));
    }

    /// Every parameter that this rule does not take: silence would let it seem to have been heard.
    pub(super) fn not_taken(&mut self, rule: &Rule) {
        let taken = rule.parameters();
        for parameter in &PARAMETERS {
            let name = parameter.name;
            let is_known = |fault: &Fault| fault.place == Place::Member(name.to_owned());
            if self.query.get(name).is_some()
                && !taken.iter().any(|taken| taken.name == name)
                && !self.faults.iter().any(is_known)
            {
                let id = rule.id();
                let (sv, en) =
                    (format!("Regeln {id} tar inte {name}."), format!("The rule {id} does not take {name}."));
                self.fault(name, "parameter", &sv, &en);
            }
        }
    }

    /// A whole number from 1 on.
    fn number(&mut self, name: &'static str, most: usize) -> Option<usize> {
        let text = self.query.get(name)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (1..=most).contains(number));
        if number.is_none() {
            let sv = format!("Ett heltal från 1 till {most}.");
            let en = format!("A whole number from 1 to {most}.");
            self.fault(name, "parameter", &sv, &en);
        }
        number
    }

    pub(super) fn picks(&mut self, most: usize) -> usize {
        self.number("picks", most).unwrap_or(most)
    }

    pub(super) fn seats(&mut self) -> Option<usize> {
        self.number("seats", self.slate.len())
    }

    /// One of a few words.
    fn word<T>(&mut self, name: &'static str, all: &[T], id: impl Fn(&T) -> &'static str) -> Option<T>
    where
        T: Copy,
    {
        let text = self.query.get(name)?;
        let found = all.iter().copied().find(|value| id(value) == text);
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(id).collect();
            let words = words.join(", ");
            self.fault(name, "parameter", &format!("Något av {words}."), &format!("One of {words}."));
        }
        found
    }

    pub(super) fn strength(&mut self) -> Option<Strength> {
        self.word("strength", &Strength::ALL, |strength| strength.id())
    }

    pub(super) fn draws(&mut self) -> Option<Draws> {
        self.word("draws", &Draws::ALL, |draws| draws.id())
    }

    pub(super) fn method(&mut self) -> Option<Transfer> {
        self.word("method", &Transfer::ALL, |method| method.id())
    }

    pub(super) fn ladder(&mut self) -> Option<Vec<Step>> {
        let text = self.query.get("ladder")?;
        let steps: Result<Vec<Step>, ()> =
            if text == "none" { Ok(Vec::new()) } else { text.split(',').map(str::parse).collect() };
        let steps = steps.ok().filter(|steps| are_distinct(steps));
        if steps.is_none() {
            self.fault(
                "ladder",
                "parameter",
                "Steg åtskilda med komma: earlier-count, listed, first-places, head-to-head, lot, vart och ett en gång; eller none.",
                "Steps with commas: earlier-count, listed, first-places, head-to-head, lot, each once; or none.",
            );
        }
        steps
    }

    pub(super) fn points(&mut self) -> Option<Vec<Fraction>> {
        let text = self.query.get("points")?;
        let points: Option<Vec<Fraction>> = text.split(',').take(MAX_PICKS + 1).map(amount).collect();
        if points.is_none() {
            self.fault(
                "points",
                "parameter",
                "Heltal eller bråk åtskilda med komma, som 5,4,3,3/2,0.",
                "Whole numbers or fractions with commas, such as 5,4,3,3/2,0.",
            );
        }
        points
    }

    pub(super) fn constraints(&mut self) -> Constraints {
        Constraints {
            must: self.initiatives("must"),
            exclude: self.initiatives("exclude"),
            either_or: self.pairs("eitherOr"),
            requires: self.pairs("requires"),
            budget: self.budget(),
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.slate.initiatives().iter().position(|initiative| initiative.id.as_str() == id)
    }

    fn initiatives(&mut self, name: &'static str) -> Vec<usize> {
        let Some(text) = self.query.get(name) else { return Vec::new() };
        let places: Option<Vec<usize>> = text.split(',').map(|id| self.place(id)).collect();
        let places = places.filter(|places| are_distinct(places));
        if places.is_none() {
            self.fault(
                name,
                "parameter",
                "Initiativ i omgången, åtskilda med komma, vart och ett en gång.",
                "Initiatives of the round, with commas, each once.",
            );
        }
        places.unwrap_or_default()
    }

    fn pairs(&mut self, name: &'static str) -> Vec<(usize, usize)> {
        let Some(text) = self.query.get(name) else { return Vec::new() };
        let pair = |pair: &str| {
            let (a, b) = pair.split_once(':')?;
            Some((self.place(a)?, self.place(b)?)).filter(|(a, b)| a != b)
        };
        let pairs: Option<Vec<(usize, usize)>> = text.split(',').take(MOST_PAIRS + 1).map(pair).collect();
        let pairs = pairs.filter(|pairs| pairs.len() <= MOST_PAIRS && are_distinct(pairs));
        if pairs.is_none() {
            self.fault(
                name,
                "parameter",
                "Par av olika initiativ i omgången, a:b, åtskilda med komma; högst 64, vart och ett en gång.",
                "Pairs of different initiatives of the round, a:b, with commas; at most 64, each once.",
            );
        }
        pairs.unwrap_or_default()
    }

    fn budget(&mut self) -> Option<Budget> {
        let text = self.query.get("budget")?;
        let mut parts = text.split(',');
        let limit = parts.next().and_then(amount);
        let mut costs: Vec<Option<Fraction>> = vec![None; self.slate.len()];
        let mut readable = true;
        for part in parts {
            let cost = part.split_once(':').and_then(|(id, cost)| Some((self.place(id)?, amount(cost)?)));
            match cost {
                Some((place, cost)) if costs[place].is_none() => costs[place] = Some(cost),
                Some(_) | None => readable = false,
            }
        }
        // A cost that was forgotten must not count as nothing.
        let costs: Option<Vec<Fraction>> = costs.into_iter().collect();
        let budget = limit.zip(costs).filter(|_| readable).map(|(limit, costs)| Budget { limit, costs });
        if budget.is_none() {
            self.fault(
                "budget",
                "parameter",
                "Först vad alla tillsammans får kosta, sedan vad varje initiativ kostar, alla: 100,a:40,b:25 …",
                "First what all together may cost, then what each initiative costs, all of them: 100,a:40,b:25 …",
            );
        }
        budget
    }
}

/// A whole number or a fraction, with the bounds of the points in a round's definition.
fn amount(text: &str) -> Option<Fraction> {
    let is_written_once = |part: &str| part == "0" || !part.starts_with('0');
    text.parse::<Points>().ok().filter(|_| text.split('/').all(is_written_once))?;
    parse_fraction(text)
}

fn are_distinct<T: PartialEq>(items: &[T]) -> bool {
    (1..items.len()).all(|i| !items[..i].contains(&items[i]))
}
