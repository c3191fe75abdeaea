//! The same sets as in `tally_elections`, for the rules that are not sums of points: duels, rounds, portfolios.
//!
//! Compared are the orders, the tiers, every round and every stage, and all optima. The ladder is the lot alone, in the
//! order of the candidates, as the other programs broke their ties; for eliminations the order is turned round.

use std::collections::{BTreeMap, BTreeSet};

use handslag::tally::pairwise::{Pairwise, Strength};
use handslag::tally::portfolio::Portfolio;
use handslag::tally::{
    Counts, Detail, Election, Fraction, Ladder, Outcome, Parameters, Profile, Refusal, Rule, Step,
};
use serde_json::Value;

use crate::paper::fractions;
use crate::tally_elections::{Set, exact, number, sets, tiers, whole};

/// Methods that no rule of the table expresses, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    (
        "maximin_support",
        "the least support in a duel, which rules.md does not define: minimax by another name",
    ),
    ("irv_simultaneous", "eliminates all who tie for the fewest at once"),
];

fn by_lot(set: &Set) -> Parameters {
    let lot = Some((0..set.ids.len()).collect());
    Parameters { ladder: Ladder { steps: vec![Step::Lot], lot }, cut: 1, ..Parameters::default() }
}

fn count_in(profile: &Profile, rule: &str, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = Counts::of(profile);
    let election = Election { profile, counts: &counts, picks: profile.longest() };
    Rule::find(rule).unwrap().count(&election, parameters)
}

fn count(set: &Set, rule: &str, parameters: &Parameters) -> Outcome {
    count_in(&set.profile, rule, parameters)
        .unwrap_or_else(|refusal| panic!("{} {rule}: {refusal}", set.name))
}

fn duels(outcome: &Outcome) -> &Pairwise {
    let Detail::Pairwise(facts) = &outcome.detail else { panic!("no duels") };
    facts
}

fn id_of(set: &Set, candidate: usize) -> String {
    set.ids[candidate].clone()
}

fn ids(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn figures(value: &Value) -> BTreeMap<String, Fraction> {
    value.as_object().unwrap().iter().map(|(id, score)| (id.clone(), exact(score))).collect()
}

fn scores(set: &Set, outcome: &Outcome) -> BTreeMap<String, Fraction> {
    let row = |s: &handslag::tally::Standing| (id_of(set, s.candidate), s.score.clone().unwrap());
    outcome.standings.iter().map(row).collect()
}

fn check_facts(set: &Set, expected: &Value) {
    let outcome = count(set, "copeland", &by_lot(set));
    let facts = duels(&outcome);
    if expected.get("set").is_some() {
        let smith: BTreeSet<String> = facts.smith_set.iter().map(|&c| id_of(set, c)).collect();
        assert_eq!(smith, ids(&expected["set"]), "{} Smith set", set.name);
    } else {
        let winner = facts.condorcet_winner.map(|c| id_of(set, c));
        assert_eq!(winner.as_deref(), expected["winner"].as_str(), "{} Condorcet winner", set.name);
        let weak: BTreeSet<String> = facts.weak_winners.iter().map(|&c| id_of(set, c)).collect();
        if let Some(expected) = expected.get("weak_condorcet_winners") {
            assert_eq!(weak, ids(expected), "{} weak winners", set.name);
        }
    }
}

fn check_copeland(set: &Set, method: &str, expected: &Value) {
    let outcome = count(set, "copeland", &by_lot(set));
    let half = scores(set, &outcome);
    let candidates = set.ids.len() as u64;
    let wanted = figures(&expected["scores"]);
    let same: BTreeMap<String, Fraction> = if method == "copeland_win_minus_loss" {
        half.into_iter().map(|(id, score)| (id, score * whole(2) - whole(candidates - 1))).collect()
    } else {
        half
    };
    assert_eq!(same, wanted, "{} {method}", set.name);
    assert_eq!(set.tiers(&outcome), tiers(&expected["ranking"]), "{} {method}", set.name);
}

fn strength(method: &str) -> Strength {
    match method.rsplit('_').next().unwrap() {
        "wv" => Strength::WinningVotes,
        "margins" => Strength::Margins,
        "opposition" => Strength::Opposition,
        other => panic!("no strength {other}"),
    }
}

fn check_minimax(set: &Set, method: &str, expected: &Value) {
    let parameters = Parameters { strength: Some(strength(method)), ..by_lot(set) };
    let outcome = count(set, "minimax", &parameters);
    assert_eq!(scores(set, &outcome), figures(&expected["scores"]), "{} {method}", set.name);
    assert_eq!(set.tiers(&outcome), tiers(&expected["ranking"]), "{} {method}", set.name);
}

fn check_schulze(set: &Set, method: &str, expected: &Value) {
    let parameters = Parameters { strength: Some(strength(method)), ..by_lot(set) };
    let outcome = count(set, "schulze", &parameters);
    assert_eq!(set.tiers(&outcome), tiers(&expected["tiers"]), "{} {method}", set.name);
    let paths = duels(&outcome).paths.as_ref().unwrap();
    for (a, row) in expected["strengths"].as_object().unwrap() {
        for (b, strength) in row.as_object().unwrap() {
            let path = &paths[number(&set.ids, a)][number(&set.ids, b)];
            assert_eq!(*path, exact(strength), "{} {method} {a} {b}", set.name);
        }
    }
}

fn check_ranked_pairs(set: &Set, method: &str, expected: &Value) {
    let parameters = Parameters { strength: Some(strength(method)), ..by_lot(set) };
    let outcome = count(set, "ranked-pairs", &parameters);
    assert_eq!(set.tiers(&outcome), tiers(&expected["order_index_ties"]), "{} {method}", set.name);
    if let Some(unique) = expected.get("tiers").filter(|tiers| tiers.is_array()) {
        assert_eq!(set.tiers(&outcome), tiers(unique), "{} {method}", set.name);
    }
    // Without the lot the count says the same or names the equals between whom it would have to choose.
    let none = Ladder { steps: Vec::new(), lot: None };
    match count_in(&set.profile, "ranked-pairs", &Parameters { ladder: none, ..parameters }) {
        Ok(alone) => assert_eq!(set.tiers(&alone), set.tiers(&outcome), "{} {method}", set.name),
        Err(Refusal::Undecided { tied }) => assert!(tied.len() > 1, "{} {method}", set.name),
        Err(refusal) => panic!("{} {method}: {refusal}", set.name),
    }
}

fn check_kemeny(set: &Set, expected: &Value) {
    if set.ids.len() > 20 {
        let refused = count_in(&set.profile, "kemeny", &by_lot(set)).unwrap_err();
        assert_eq!(refused, Refusal::TooManyCandidates { most: 20 }, "{}", set.name);
        return;
    }
    let outcome = count(set, "kemeny", &by_lot(set));
    let orders = duels(&outcome).orders.as_ref().unwrap();
    assert_eq!(orders.score, exact(&expected["score"]), "{} kemeny", set.name);
    assert_eq!(Some(orders.optimal), expected["optimal_orders"].as_u64(), "{} kemeny", set.name);
    let told = |order: &Vec<usize>| order.iter().map(|&c| id_of(set, c)).collect::<Vec<String>>();
    let listed: BTreeSet<Vec<String>> = orders.listed.iter().map(told).collect();
    let wanted: BTreeSet<Vec<String>> = expected["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect())
        .collect();
    assert_eq!(listed.len() as u64, orders.optimal.min(100), "{} kemeny", set.name);
    if expected["orders_complete"] == true {
        assert!(listed.is_subset(&wanted), "{} kemeny", set.name);
    }
}

fn check_bucklin(set: &Set, expected: &Value) {
    let outcome = count(set, "bucklin", &by_lot(set));
    let Detail::Bucklin(bucklin) = &outcome.detail else { panic!("no Bucklin") };
    assert_eq!(bucklin.majority_at.is_some(), expected["majority"] == true, "{} bucklin", set.name);
    assert_eq!(Some(bucklin.levels.len() as u64), expected["level"].as_u64(), "{} bucklin", set.name);
    assert_eq!(scores(set, &outcome), figures(&expected["scores"]), "{} bucklin", set.name);
    assert_eq!(set.tiers(&outcome)[0], ids(&expected["winners"]), "{} bucklin", set.name);
}

fn reversed(set: &Set) -> Parameters {
    let lot = Some((0..set.ids.len()).rev().collect());
    Parameters { ladder: Ladder { steps: vec![Step::Lot], lot }, ..by_lot(set) }
}

fn check_irv(set: &Set, expected: &Value) {
    let outcome = count(set, "irv", &reversed(set));
    let Detail::Runoff(runoff) = &outcome.detail else { panic!("no runoff") };
    let rounds = expected["rounds"].as_array().unwrap();
    assert_eq!(runoff.rounds.len(), rounds.len(), "{} irv", set.name);
    for (i, (round, wanted)) in runoff.rounds.iter().zip(rounds).enumerate() {
        let context = format!("{} irv round {}", set.name, i + 1);
        let votes: BTreeMap<String, Fraction> =
            round.votes.iter().map(|(c, votes)| (id_of(set, *c), votes.clone())).collect();
        assert_eq!(votes, figures(&wanted["tally"]), "{context}");
        assert_eq!(round.exhausted, exact(&wanted["exhausted"]), "{context}");
        let eliminated = round.eliminated.map(|c| id_of(set, c));
        assert_eq!(eliminated.as_deref(), wanted["eliminated"].as_str(), "{context}");
        let tied: BTreeSet<String> = round.tied.iter().map(|&c| id_of(set, c)).collect();
        assert_eq!(tied, ids(&wanted["tied"]), "{context}");
    }
    let majority = expected["first_round_with_majority_of_continuing"].as_u64();
    assert_eq!(runoff.majority_in.map(|round| round as u64), majority, "{} irv", set.name);
    assert_eq!(set.tiers(&outcome)[0], [expected["winner_index_ties"].as_str().unwrap().to_owned()].into());
}

/// RCTab's own published report: with its order of eliminations as the lot, each of its rounds is one of ours.
fn check_rctab(set: &Set, expected: &Value) {
    let rounds = expected["rounds"].as_array().unwrap();
    let mut out: Vec<usize> = Vec::new();
    for id in rounds.iter().flat_map(|round| round["eliminated"].as_array().unwrap()) {
        out.extend(set.ids.iter().position(|known| Some(&**known) == id.as_str()));
    }
    let mut lot: Vec<usize> = (0..set.ids.len()).filter(|c| !out.contains(c)).collect();
    lot.extend(out.iter().rev());
    let ladder = Ladder { steps: vec![Step::Lot], lot: Some(lot) };
    let outcome = count(set, "irv", &Parameters { ladder, ..by_lot(set) });
    let Detail::Runoff(runoff) = &outcome.detail else { panic!("no runoff") };
    let ours: Vec<BTreeMap<String, Fraction>> = runoff
        .rounds
        .iter()
        .map(|round| round.votes.iter().map(|(c, votes)| (id_of(set, *c), votes.clone())).collect())
        .collect();
    // Undeclared write-ins are a candidate there and not in the ballots: as long as they have votes, rounds differ.
    let all_known = |tally: &BTreeMap<String, Fraction>| {
        tally.iter().all(|(id, votes)| set.ids.contains(id) || *votes == whole(0))
    };
    let tallies = rounds.iter().map(|round| (round, figures(&round["tally"])));
    let (known, other): (Vec<_>, Vec<_>) = tallies.partition(|(_, tally)| all_known(tally));
    assert!(other.len() <= 1, "{} RCTab", set.name);
    for (round, mut tally) in known {
        tally.retain(|id, _| set.ids.contains(id));
        assert!(ours.contains(&tally), "{} RCTab round {}: {tally:?}", set.name, round["round"]);
    }
}

fn check_stv(set: &Set, expected: &Value) {
    let seats = usize::try_from(expected["seats"].as_u64().unwrap()).unwrap();
    let outcome = count(set, "stv", &Parameters { seats: Some(seats), ..by_lot(set) });
    let Detail::Stages(stv) = &outcome.detail else { panic!("no stages") };
    let context = format!("{} stv {seats}", set.name);
    assert_eq!(stv.quota, exact(&expected["quota"]), "{context}");
    if expected["tie_broken_by_lot"] == true {
        return;
    }
    let elected: BTreeSet<String> = stv.elected.iter().map(|&c| id_of(set, c)).collect();
    assert_eq!(elected, ids(&expected["elected"]), "{context}");
    let stages: Vec<BTreeMap<String, String>> = stv
        .stages
        .iter()
        .filter(|stage| stage.action != handslag::tally::rounds::Action::LastVacancies)
        .map(|stage| {
            let votes = stage.votes.iter().map(five_decimals);
            set.ids.iter().cloned().zip(votes).collect()
        })
        .collect();
    let wanted: Vec<BTreeMap<String, String>> = expected["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| serde_json::from_value(stage["votes"].clone()).unwrap())
        .collect();
    assert_eq!(stages, wanted, "{context}");
}

fn five_decimals(votes: &Fraction) -> String {
    let parts = votes * whole(100_000);
    assert!(parts.is_integer());
    let digits = format!("{:0>6}", parts.to_integer().to_string());
    let (ones, decimals) = digits.split_at(digits.len() - 5);
    format!("{ones}.{decimals}")
}

fn portfolio(set: &Set, rule: &str, profile: &Profile, parameters: &Parameters) -> Portfolio {
    let outcome = count_in(profile, rule, parameters);
    let outcome = outcome.unwrap_or_else(|refusal| panic!("{} {rule}: {refusal}", set.name));
    let Detail::Portfolio(portfolio) = outcome.detail else { panic!("no portfolio") };
    *portfolio
}

/// Rule and points of a committee method, and how many ranks it reads.
fn committee_rule(set: &Set, method: &str) -> (&'static str, Option<Vec<Fraction>>, usize) {
    let longest = set.profile.longest();
    let picks = if method.contains("top5") { longest.min(5) } else { longest };
    let falling = |from: usize| -> Vec<Fraction> {
        let points = (0..longest).map(|rank| from.saturating_sub(rank).to_string());
        fractions(&points.collect::<Vec<String>>().join(","))
    };
    match method.split('@').next().unwrap() {
        "ranked_cc_borda_m" => ("coverage-ranked", Some(falling(set.ids.len() - 1)), longest),
        "ranked_cc_borda_top5" => ("coverage-ranked", Some(falling(5)), longest),
        other => {
            let rule = match other.rsplit_once('_').unwrap().0 {
                "av" => "approval",
                "cc" => "coverage",
                "pav" => "pav",
                "seqpav" => "sequential-pav",
                "seqphragmen" => "sequential-phragmen",
                "leximaxphragmen" => "leximax-phragmen",
                "monroe" => "monroe",
                "mes" | "mes_phragmen" => "equal-shares",
                other => panic!("no committee rule {other}"),
            };
            (rule, None, picks)
        }
    }
}

fn check_committee(set: &Set, method: &str, expected: &Value) {
    let context = format!("{} {method}", set.name);
    let seats = usize::try_from(expected["k"].as_u64().unwrap()).unwrap();
    let (rule, points, picks) = committee_rule(set, method);
    let profile = set.profile.truncated(picks);
    let parameters = Parameters { seats: Some(seats), points, ..by_lot(set) };
    let found = portfolio(set, rule, &profile, &parameters);
    let optima = match found.before_completion {
        Some(before) if method.starts_with("mes_") && !method.starts_with("mes_phragmen") => before,
        _ => found.optima,
    };
    assert!(optima.complete, "{context}");
    assert_eq!(Some(optima.count), expected["number_of_committees"].as_u64(), "{context}");
    let told = |members: &Vec<usize>| members.iter().map(|&c| id_of(set, c)).collect::<BTreeSet<String>>();
    let listed: BTreeSet<BTreeSet<String>> = optima.listed.iter().map(told).collect();
    let wanted: BTreeSet<BTreeSet<String>> =
        expected["committees"].as_array().unwrap().iter().map(ids).collect();
    if optima.count <= 100 {
        assert_eq!(listed, wanted, "{context}");
    }
    if let Some(all) = expected.get("in_every_committee") {
        assert_eq!(told(&optima.shared), ids(all), "{context}");
    }
    if let Some(score) = expected.get("score") {
        assert_eq!(found.value.unwrap(), exact(score), "{context}");
    } else if let Some([load]) = expected.get("maximum_load").and_then(Value::as_array).map(|l| &l[..]) {
        assert_eq!(found.value.unwrap(), exact(load), "{context}");
    }
}

/// Checks a method; false if it is left out.
fn check(set: &Set, method: &str, expected: &Value) -> bool {
    match method.split('@').next().unwrap() {
        "condorcet_winner" | "smith_set" => check_facts(set, expected),
        "copeland_half" | "copeland_win_minus_loss" => check_copeland(set, method, expected),
        "minimax_wv" | "minimax_margins" | "minimax_opposition" => check_minimax(set, method, expected),
        "schulze_wv" | "schulze_margins" => check_schulze(set, method, expected),
        "ranked_pairs_wv" | "ranked_pairs_margins" => check_ranked_pairs(set, method, expected),
        "kemeny" => check_kemeny(set, expected),
        "bucklin" => check_bucklin(set, expected),
        "irv" => check_irv(set, expected),
        "rctab_expected" => check_rctab(set, expected),
        "stv_scottish" => check_stv(set, expected),
        _ if expected.get("committees").is_some() => check_committee(set, method, expected),
        _ => return false,
    }
    true
}

#[test]
fn every_family_agrees_with_the_other_programs_on_every_set() {
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let sets = sets();
    for set in &sets {
        for (method, expected) in &set.methods {
            if check(set, method, expected) {
                let family = method.split('@').next().unwrap().to_owned();
                table.entry(family).or_default().push(set.name.clone());
            } else if !LEFT_OUT.iter().any(|(left_out, _)| left_out == method) {
                // Points and figures are compared in `tally_elections`.
                let positional =
                    ["approval_", "borda_", "dowdall", "plurality", "rank_counts", "pairwise_matrix"];
                assert!(positional.iter().any(|start| method.starts_with(start)), "{} {method}", set.name);
            }
        }
    }
    let checked: usize = table.values().map(Vec::len).sum();
    for (method, sets) in &table {
        println!("{method}: {}", sets.len());
    }
    assert!(table.len() >= 29, "only {} kinds of methods: {:?}", table.len(), table.keys());
    assert!(checked >= 36 * 7 && checked >= 36 * sets.len(), "only {checked} pairs of set and method");
}
