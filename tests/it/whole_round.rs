//! The whole way: every municipality answers over HTTP, and anyone can count again from what is published.

use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::support::{Caller, Database, Service, initiatives, municipality_codes, on_both_databases};

/// Five of the 13 for each municipality; early ones are favoured, so that there is something to rank.
fn rankings() -> Vec<(String, Vec<String>)> {
    let mut random = ChaCha8Rng::seed_from_u64(2026);
    let ids: Vec<String> = initiatives()
        .as_array()
        .unwrap()
        .iter()
        .map(|initiative| initiative["id"].as_str().unwrap().to_owned())
        .collect();
    let mut ranking = || {
        let favoured = ids.choose_multiple_weighted(&mut random, 5, |id| {
            let place = ids.iter().position(|other| other == id).unwrap();
            1.0 / (4.0 + f64::from(u8::try_from(place).unwrap()))
        });
        let mut ranking: Vec<String> = favoured.unwrap().cloned().collect();
        ranking.shuffle(&mut random);
        ranking
    };
    municipality_codes().into_iter().map(|code| (code, ranking())).collect()
}

/// Counts a file with the program.
#[track_caller]
fn tally(file: &Path, arguments: &[&str]) -> Vec<u8> {
    let initiatives = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/initiatives.csv");
    let output = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .arg("tally")
        .arg(file)
        .args(["--initiatives", initiatives, "--rule-set", "handslag-2026/1"])
        .args(arguments)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What a recount must give as well.
const MEMBERS: [&str; 10] =
    ["rule", "counted", "cut", "standings", "ties", "pairwise", "orders", "rounds", "stages", "portfolio"];

/// A member without the participants that a portfolio names.
fn nameless(mut member: Value) -> Value {
    if let Some(portfolio) = member.as_object_mut() {
        portfolio.remove("uncovered");
        if let Some(violation) =
            portfolio.get_mut("certificate").and_then(|it| it["violation"].as_object_mut())
        {
            violation.remove("participantCodes");
        }
    }
    member
}

on_both_databases! {
    fn all_municipalities_answer_and_a_recount_of_the_published_ballots_gives_the_same(database: Database) {
        let service = Service::start(&database);
        let lot: Vec<Value> = initiatives().as_array().unwrap().iter().rev().map(|i| i["id"].clone()).collect();
        service.open_round(json!({ "lot": lot, "lotSource": "Exempel" }));
        let lot: Vec<&str> = lot.iter().map(|id| id.as_str().unwrap()).collect();
        let lot = lot.join(",");
        let rankings = rankings();
        std::thread::scope(|scope| {
            for part in rankings.chunks(73) {
                let service = &service;
                scope.spawn(move || {
                    for (code, ranking) in part {
                        let ranking: Vec<&str> = ranking.iter().map(String::as_str).collect();
                        service.submit(code, &ranking).is(201);
                    }
                });
            }
        });
        service.step("handslag-2026", "closed");

        let path = "/rounds/handslag-2026/ballots?format=csv";
        let book = service.get(path).by(Caller::Analyst).send().is(200);
        assert_eq!(book.text().lines().count(), 291);
        let file = service.database().folder().join("ballots.csv");
        std::fs::write(&file, &book.body).unwrap();

        for query in [
            "",
            "rule=dowdall",
            "rule=borda-average",
            "rule=borda-pessimistic",
            "rule=modified-borda",
            "rule=approval-1",
            "rule=approval-5",
            "rule=custom&points=12,7,13/3,1/7,0",
            "picks=3",
            "rule=approval-2&ladder=none",
            "rule=approval-1&picks=2&ladder=head-to-head,listed",
            "rule=copeland&draws=llull",
            "rule=schulze&strength=margins",
            "rule=ranked-pairs",
            "rule=kemeny&picks=4",
            "rule=bucklin",
            "rule=irv",
            "rule=irv&ladder=lot&picks=2",
            "rule=stv&seats=5",
            "rule=stv&seats=4&method=meek",
            "rule=approval&seats=6",
            "rule=coverage-ranked&points=9,5,3,1,1/3",
            "rule=pav&seats=4&must=juridiskt-stod&exclude=initiativ-10,initiativ-11&either-or=valfardsteknik:initiativ-12",
            "rule=equal-shares&seats=5",
            "rule=leximax-phragmen",
        ] {
            let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let options: Vec<String> =
                pairs.iter().flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()]).collect();
            let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
            options.extend(["--lot", &lot]);
            let address = format!("/rounds/handslag-2026/results?{}", query.replace("either-or", "eitherOr"));
            let csv = service.get(&address).by(Caller::Analyst).header("Accept", "text/csv").send().is(200);
            let counted = tally(&file, &options);
            assert_eq!(csv.text(), String::from_utf8(counted).unwrap(), "{query}");

            let json = service.get(&address).by(Caller::Analyst).send().is(200).json();
            options.extend(["--format", "json"]);
            let counted: Value = serde_json::from_slice(&tally(&file, &options)).unwrap();
            for member in MEMBERS {
                // In a file nobody has a name.
                let [ours, theirs] = [&json, &counted].map(|document| nameless(document[member].clone()));
                assert_eq!(ours, theirs, "{member} of {query}");
                assert_eq!(ours.to_string(), theirs.to_string(), "to the byte");
            }
            assert_eq!(json["counted"], 290);
            assert_eq!(json["share"], "1");
        }
    }
}

#[test]
fn a_recount_agrees_where_no_ballot_uses_all_its_ranks() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "picksMin": 3, "visibility": "live", "ballotBook": "open" }));
    for (code, ranking) in rankings().into_iter().take(9) {
        let three: Vec<&str> = ranking[..3].iter().map(String::as_str).collect();
        service.submit(&code, &three).is(201);
    }
    let book = service.get("/rounds/handslag-2026/ballots?format=csv").send().is(200);
    let file = service.database().folder().join("ballots.csv");
    std::fs::write(&file, &book.body).unwrap();
    let result = service.get("/rounds/handslag-2026/results?format=csv").send().is(200);
    assert_eq!(result.text(), String::from_utf8(tally(&file, &["--picks", "5"])).unwrap());
}

#[test]
fn the_order_of_submission_does_not_matter() {
    let rankings: Vec<(String, Vec<String>)> = rankings().into_iter().take(30).collect();
    let result = |rankings: &[(String, Vec<String>)]| {
        let service = Service::start(&Database::sqlite());
        service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
        for (code, ranking) in rankings {
            let ranking: Vec<&str> = ranking.iter().map(String::as_str).collect();
            service.submit(code, &ranking).is(201);
        }
        service.get("/rounds/handslag-2026/results?format=csv").send().is(200).text().to_owned()
    };
    let mut shuffled = rankings.clone();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    assert_ne!(shuffled, rankings);
    assert_eq!(result(&shuffled), result(&rankings));
}
