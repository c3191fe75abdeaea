//! Real and synthetic elections whose outcomes at least two other programs computed, under `fixtures/elections`.
//!
//! Every set goes through the same table of methods: scores as exact fractions, orders and ties. A set that is
//! missing, or a method that is neither in the table nor among those left out with a reason, is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use handslag::tally::{Counts, Election, Family, Fraction, Ladder, Outcome, Parameters, Profile, Rule};
use serde_json::Value;

use crate::paper::fractions;

/// The sets that are part of this repository; others of the same form may lie beside them.
const SHIPPED: [&str; 7] = [
    "edinburgh_2022_ward11",
    "minneapolis_2017_mayor",
    "rctab_portland_15",
    "syn_condorcet_cycle_290",
    "syn_impartial_290",
    "syn_mallows_290",
    "syn_tie_swap_230",
];

/// How a method of the other programs is asked of this one; M candidates, L the longest ballot.
struct Reading {
    method: &'static str,
    /// The id, with L for the longest ballot.
    rule: &'static str,
    /// k: a number of picks, `L`, or `M`.
    picks: Picks,
    /// Their score is this many of ours …
    times: i64,
    /// … less this many times V (M - 1), V being the number of ballots.
    less: i64,
}

enum Picks {
    /// So many; ballots that are longer are read only so far.
    First(usize),
    Longest,
    /// At least so many, and as many as the longest ballot has.
    AtLeast(usize),
    /// As many as there are candidates, with the points M, M - 1, …, 1.
    All,
}

const fn reading(method: &'static str, rule: &'static str, picks: Picks) -> Reading {
    Reading { method, rule, picks, times: 1, less: 0 }
}

const READINGS: [Reading; 13] = [
    reading("plurality", "approval-1", Picks::Longest),
    reading("approval_top2", "approval-2", Picks::AtLeast(2)),
    reading("approval_top3", "approval-3", Picks::AtLeast(3)),
    reading("approval_top5", "approval-5", Picks::AtLeast(5)),
    reading("approval_ranked", "approval-L", Picks::Longest),
    reading("borda_top5", "linear", Picks::First(5)),
    reading("borda_topL", "linear", Picks::Longest),
    reading("borda_m_unranked0", "borda-pessimistic", Picks::Longest),
    reading("borda_m_base1", "custom", Picks::All),
    reading("borda_modified", "modified-borda", Picks::Longest),
    reading("borda_averaged", "borda-average", Picks::Longest),
    // Its definition says so: 2 * borda_averaged - V (M - 1). The order is that of borda-average.
    Reading { method: "borda_symmetric", rule: "borda-average", picks: Picks::Longest, times: 2, less: 1 },
    reading("dowdall", "dowdall", Picks::Longest),
];

/// Beginnings of the methods that are not about points: in `tally_elections_families`, but for what is said there.
const OTHERS: [&str; 23] = [
    "condorcet_winner",
    "smith_set",
    "copeland_",
    "minimax_",
    "maximin_support",
    "schulze_",
    "ranked_pairs_",
    "kemeny",
    "irv",
    "bucklin",
    "stv_",
    "rctab_expected",
    "av_",
    "cc_",
    "pav_",
    "seqpav_",
    "seqphragmen_",
    "leximaxphragmen_",
    "monroe_",
    "mes_",
    "ranked_cc_",
    // Figures, not rules: compared below.
    "rank_counts",
    "pairwise_matrix",
];

/// A set, read.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) ids: Vec<String>,
    pub(crate) profile: Profile,
    pub(crate) methods: BTreeMap<String, Value>,
}

impl Set {
    fn shipped(name: &str) -> Self {
        Self::read(&shipped().join(name))
    }

    fn read(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(folder.join("expected.json"))
            .unwrap_or_else(|error| panic!("the set {name} is missing: {error}"));
        let expected: Value = serde_json::from_str(&text).unwrap();
        let ids: Vec<String> = expected["candidates"].as_array().unwrap().iter().map(id).collect();
        let mut profile = Profile::new(ids.len());
        let mut reader = csv::Reader::from_path(folder.join("ballots.csv")).unwrap();
        for row in reader.records() {
            let row = row.unwrap();
            let picks = row.iter().skip(1).filter(|cell| !cell.is_empty());
            let ranking: Vec<u8> = picks.map(|pick| u8::try_from(number(&ids, pick)).unwrap()).collect();
            profile.add(&ranking, row[0].parse().unwrap());
        }
        assert_eq!(profile.ballots(), expected["votes"].as_u64().unwrap(), "{name}");
        let methods = expected["methods"].as_object().unwrap().clone().into_iter().collect();
        Self { name: name.to_owned(), ids, profile, methods }
    }

    /// Counts as the reading says.
    fn count(&self, reading: &Reading) -> (Outcome, u64) {
        let longest = self.profile.longest();
        let picks = match reading.picks {
            Picks::First(picks) => picks,
            Picks::Longest => longest,
            Picks::AtLeast(picks) => longest.max(picks),
            Picks::All => self.ids.len(),
        };
        let points = matches!(reading.picks, Picks::All).then(|| {
            let falling: Vec<String> = (1..=picks).rev().map(|points| points.to_string()).collect();
            fractions(&falling.join(","))
        });
        let profile = self.profile.truncated(picks);
        let counts = Counts::of(&profile);
        let election = Election { profile: &profile, counts: &counts, picks };
        let rule = Rule::find(&reading.rule.replace('L', &longest.to_string())).unwrap();
        let parameters = Parameters {
            points,
            ladder: Ladder { steps: Vec::new(), lot: None },
            cut: 3,
            ..Parameters::default()
        };
        (rule.count(&election, &parameters).unwrap(), profile.ballots())
    }

    fn check_rule(&self, reading: &Reading) {
        let context = format!("{} {}", self.name, reading.method);
        let expected = &self.methods[reading.method];
        let (outcome, ballots) = self.count(reading);
        let less = whole(reading.less) * whole(ballots) * whole(self.ids.len() as u64 - 1);
        let scores: BTreeMap<&str, Fraction> = outcome
            .standings
            .iter()
            .map(|s| (&*self.ids[s.candidate], s.score.clone().unwrap() * whole(reading.times) - &less))
            .collect();
        let wanted: BTreeMap<&str, Fraction> =
            expected["scores"].as_object().unwrap().iter().map(|(id, score)| (&**id, exact(score))).collect();
        assert_eq!(scores, wanted, "{context}");
        assert_eq!(self.tiers(&outcome), tiers(&expected["ranking"]), "{context}: order");
        let tied: BTreeSet<BTreeSet<String>> = outcome
            .ties
            .iter()
            .map(|tie| tie.candidates.iter().map(|&c| self.ids[c].clone()).collect())
            .collect();
        let wanted: BTreeSet<BTreeSet<String>> =
            expected.get("tied").map(tiers).unwrap_or_default().into_iter().collect();
        assert_eq!(tied, wanted, "{context}: ties");
    }

    fn check_figures(&self) {
        let counts = Counts::of(&self.profile);
        for (a, id) in self.ids.iter().enumerate() {
            let at: Vec<u64> =
                (0..self.profile.longest()).map(|rank| counts.at_rank(a, rank).try_into().unwrap()).collect();
            let wanted = &self.methods["rank_counts"]["matrix"][id];
            assert_eq!(Value::from(at), *wanted, "{} rank_counts of {id}", self.name);
            for (b, other) in self.ids.iter().enumerate().filter(|(b, _)| *b != a) {
                let wanted = &self.methods["pairwise_matrix"]["matrix"][id][other];
                assert_eq!(
                    Some(counts.above(a, b)),
                    wanted.as_u64().map(u128::from),
                    "{} {id} above {other}",
                    self.name
                );
            }
        }
    }

    pub(crate) fn tiers(&self, outcome: &Outcome) -> Vec<BTreeSet<String>> {
        let tiers = outcome.standings.chunk_by(|a, b| a.rank == b.rank);
        let ids = |tier: &[handslag::tally::Standing]| {
            tier.iter().map(|standing| self.ids[standing.candidate].clone()).collect()
        };
        tiers.map(ids).collect()
    }
}

#[test]
fn every_rule_agrees_with_the_other_programs_on_every_set() {
    let mut checked = 0;
    for set in sets() {
        for reading in &READINGS {
            set.check_rule(reading);
            checked += 1;
        }
        set.check_figures();
        checked += 2;
    }
    assert!(checked >= 7 * 15, "only {checked} pairs of set and method were checked");
}

#[test]
fn every_method_of_the_sets_is_known() {
    for set in sets() {
        for method in set.methods.keys() {
            let read = READINGS.iter().any(|reading| reading.method == method);
            let other = OTHERS.iter().any(|beginning| method.starts_with(beginning));
            assert!(read != other, "{}: {method}", set.name);
        }
    }
}

#[test]
fn every_positional_rule_is_held_against_other_programs() {
    for rule in handslag::tally::rules(1).filter(|rule| rule.family() == Family::Positional) {
        let family = rule.id().replace("-1", "-");
        assert!(READINGS.iter().any(|reading| reading.rule.starts_with(&family)), "{}", rule.id());
    }
}

#[test]
fn the_exchanged_candidates_tie_under_every_rule() {
    // The set is its own mirror image with c04 and c09 exchanged, so no anonymous and neutral rule tells them apart.
    let set = Set::shipped("syn_tie_swap_230");
    for reading in &READINGS {
        let tier = set.tiers(&set.count(reading).0).into_iter().find(|tier| tier.contains("c04")).unwrap();
        assert!(tier.contains("c09"), "{}", reading.method);
    }
}

/// The sets of this repository, and further ones of the same form where there are any.
pub(crate) fn sets() -> Vec<Set> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.retain(|folder| folder.join("expected.json").exists());
        folders.sort();
        folders
    };
    let own = folders(&shipped());
    let names: BTreeSet<&str> =
        own.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
    let missing: Vec<&str> = SHIPPED.into_iter().filter(|shipped| !names.contains(shipped)).collect();
    assert!(missing.is_empty(), "missing from fixtures/elections: {missing:?}");
    let further = folders(&further());
    if further.is_empty() {
        eprintln!("SKIPPED: no further election sets under {} (set ELECTIONS)", self::further().display());
    }
    let further =
        further.iter().filter(|folder| !names.contains(folder.file_name().unwrap().to_str().unwrap()));
    own.iter().chain(further).map(|folder| Set::read(folder)).collect()
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/elections")
}

/// Sets that ask for a citation or have a licence of their own are not part of this repository.
#[expect(clippy::disallowed_methods, reason = "a setting of this test, not of the service")]
fn further() -> PathBuf {
    std::env::var_os("ELECTIONS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/elections"), PathBuf::from)
}

fn id(candidate: &Value) -> String {
    candidate["id"].as_str().unwrap().to_owned()
}

pub(crate) fn number(ids: &[String], id: &str) -> usize {
    ids.iter().position(|known| known == id).unwrap_or_else(|| panic!("{id} is no candidate"))
}

/// `"19/6"` or `3`: never a float.
pub(crate) fn exact(score: &Value) -> Fraction {
    let text = score.as_str().map_or_else(|| score.to_string(), ToOwned::to_owned);
    text.parse().unwrap()
}

pub(crate) fn whole(number: impl Into<num_bigint::BigInt>) -> Fraction {
    Fraction::from_integer(number.into())
}

pub(crate) fn tiers(ranking: &Value) -> Vec<BTreeSet<String>> {
    let ids = |tier: &Value| -> BTreeSet<String> {
        tier.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    ranking.as_array().unwrap().iter().map(ids).collect()
}
