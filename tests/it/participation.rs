//! Participation: who has answered, in total, by group, by day; and the missing by name, for analysts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, Service, municipalities, on_both_databases};

const PARTICIPATION: &str = "/rounds/handslag-2026/participation";

/// Of the fixtures' roll, independently of the service: column and value, and how many answered of how many.
fn expected(answered: &[String]) -> BTreeMap<(String, String), (u64, u64)> {
    let mut groups = BTreeMap::new();
    for participant in municipalities().as_array().unwrap() {
        let has = answered.iter().any(|code| participant["code"] == **code);
        for group in participant["groups"].as_array().unwrap() {
            let text = |name: &str| group[name].as_str().unwrap().to_owned();
            let figures: &mut (u64, u64) = groups.entry((text("column"), text("value"))).or_default();
            figures.0 += 1;
            figures.1 += u64::from(has);
        }
    }
    groups
}

on_both_databases! {
    fn every_column_of_the_roll_is_a_partition_of_it(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let codes = crate::support::municipality_codes();
        let answered: Vec<String> = codes.into_iter().step_by(9).collect();
        for code in &answered {
            service.submit(code, FIVE).is(201);
        }
        let document = service.get(PARTICIPATION).send().is(200).json();
        assert_eq!(document["eligible"], 290);
        assert_eq!(document["answered"], json!(answered.len()));
        assert_eq!(document["share"], "33/290");
        assert_eq!(document["syntheticBallots"], 0);
        assert!(document.get("missing").is_none(), "names are for analysts");

        let mut found = BTreeMap::new();
        for column in document["groups"].as_array().unwrap() {
            let mut sums = (0, 0);
            for value in column["values"].as_array().unwrap() {
                let figures = (value["eligible"].as_u64().unwrap(), value["answered"].as_u64().unwrap());
                sums = (sums.0 + figures.0, sums.1 + figures.1);
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let key = (text(&column["column"]), text(&value["value"]));
                assert_eq!(value["key"], format!("{}:{}", key.0, key.1));
                found.insert(key, figures);
            }
            assert_eq!(sums, (290, 33), "{}", column["column"]);
        }
        assert_eq!(found, expected(&answered));
        let skane = &document["groups"].as_array().unwrap().iter().find(|c| c["column"] == "county").unwrap();
        assert_eq!(skane["titleSv"], "Län");
        let skane = skane["values"].as_array().unwrap().iter().find(|v| v["value"] == "12").unwrap();
        assert_eq!([&skane["titleSv"], &skane["eligible"]], [&json!("Skåne län"), &json!(33)]);
    }

    fn answers_are_counted_by_swedish_day_from_the_first_one(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let over_time = || service.get(PARTICIPATION).send().is(200).json()["overTime"].clone();
        assert_eq!(over_time(), json!([]));
        service.submit("0114", FIVE).is(201);
        // Half past midnight in Sweden, still the day before in UTC.
        service.set_time("2026-03-11T00:30:00+01:00");
        service.submit("0115", FIVE).is(201);
        service.submit("0114", FIVE).is(200);
        service.set_time("2026-03-29T12:00:00+02:00");
        service.submit("0117", FIVE).is(201);
        let three = json!([
            { "date": "2026-03-10", "answered": 1 },
            { "date": "2026-03-11", "answered": 2 },
            { "date": "2026-03-29", "answered": 3 },
        ]);
        assert_eq!(over_time(), three);
        let csv = service.get(&format!("{PARTICIPATION}?format=csv&view=over-time")).send().is(200);
        assert_eq!(csv.text(), "date,answered\r\n2026-03-10,1\r\n2026-03-11,2\r\n2026-03-29,3\r\n");
        // Who withdraws has not answered, and who answers again did so then.
        let own = Caller::Participant("0114");
        service.delete("/rounds/handslag-2026/ballots/0114").by(own).send().is(204);
        let two = json!([{ "date": "2026-03-11", "answered": 1 }, { "date": "2026-03-29", "answered": 2 }]);
        assert_eq!(over_time(), two);
        service.submit("0114", FIVE).is(201);
        let again = json!([{ "date": "2026-03-11", "answered": 1 }, { "date": "2026-03-29", "answered": 3 }]);
        assert_eq!(over_time(), again);
    }
}

#[test]
fn a_participant_without_a_group_is_counted_in_every_column() {
    let service = Service::start(&Database::sqlite());
    let mut roll = municipalities();
    roll[0]["groups"] = json!([]);
    service.open_round(json!({ "participants": roll }));
    let document = service.get(PARTICIPATION).send().is(200).json();
    for column in document["groups"].as_array().unwrap() {
        let values = column["values"].as_array().unwrap();
        let sum: u64 = values.iter().map(|value| value["eligible"].as_u64().unwrap()).sum();
        assert_eq!(sum, 290, "{}", column["column"]);
    }
}

#[test]
fn the_missing_are_named_to_analysts_only() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    let codes = crate::support::municipality_codes();
    for code in &codes[..5] {
        service.submit(code, FIVE).is(201);
    }
    let participant = Caller::Participant("0180");
    for query in ["?view=missing", "?view=missing&format=csv", "?view=missing&format=excel-csv"] {
        let path = format!("{PARTICIPATION}{query}");
        service.get(&path).send().is(401).problem("unauthorized");
        let refused = service.get(&path).by(participant).send().is(403);
        assert_eq!(refused.problem("forbidden")["scope"], "ballots.list");
        service.get(&path).by(Caller::Analyst).send().is(200);
    }
    for query in ["", "?view=groups", "?view=over-time"] {
        for caller in [Caller::Nobody, participant] {
            let document = service.get(&format!("{PARTICIPATION}{query}")).by(caller).send().is(200).json();
            assert!(document.get("missing").is_none(), "{query}");
        }
    }

    let mut missing = Vec::new();
    for page in 1..=3 {
        let path = format!("{PARTICIPATION}?page={page}&limit=100");
        let document = service.get(&path).by(Caller::Analyst).send().is(200).json();
        assert_eq!(document["_meta"]["totalRecords"], 285);
        let listed = document["missing"].as_array().unwrap();
        missing.extend(listed.iter().map(|one| one["code"].as_str().unwrap().to_owned()));
    }
    assert_eq!(missing, codes[5..]);

    let csv = service.get(&format!("{PARTICIPATION}?view=missing&format=csv")).by(Caller::Manager).send();
    let csv = csv.is(200);
    assert!(csv.field("Cache-Control").starts_with("private"), "{csv}");
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines.len(), 286);
    assert_eq!(lines[0], "participantCode,name,county,main-group-2023,size,skr-group-2023");
    assert_eq!(lines[1].split(',').next(), Some(&*codes[5]));
}

#[test]
fn the_groups_come_as_a_table_too() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    service.submit("1280", FIVE).is(201);
    let csv = service.get(PARTICIPATION).header("Accept", "text/csv").send().is(200);
    assert_eq!(csv.field("Content-Type"), "text/csv; charset=utf-8; header=present");
    let lines: Vec<&str> = csv.text().split("\r\n").collect();
    assert_eq!(lines[0], "column,value,title,eligible,answered,share");
    assert!(lines.contains(&"county,12,Skåne län,33,1,1/33"), "{csv}");
    assert!(lines.contains(&"county,25,Norrbottens län,14,0,0"), "{csv}");
    // Every group, the heading, and the end.
    assert_eq!(lines.len(), expected(&[]).len() + 2);

    let excel = service.get(&format!("{PARTICIPATION}?format=excel-csv")).send().is(200);
    let text = excel.text().strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(text.starts_with("Indelning;Värde;Grupp;Tillfrågade;Svarat;Andel\r\n"), "{text}");
    assert!(text.contains("Län;'12;Skåne län;33;1;0,030303\r\n"), "{text}");
}
