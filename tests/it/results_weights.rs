//! Weighted results: what a ballot weighs, and what of the result stays a count of heads.

use serde_json::{Value, json};

use crate::support::{Caller, Database, Reply, Service, VECTOR, on_both_databases, roll};

const RESULTS: &str = "/rounds/handslag-2026/results";

/// Populations 1 to 9, `votes` in tenths, and a weight of the roll's own for the last one.
fn weighted(database: &Database, changes: Value) -> Service {
    let service = Service::start(database);
    let mut roll = roll(VECTOR.iter().enumerate().map(|(i, (code, _))| {
        let votes = ["1/10", "2/10", "3/10", "4/10", "5/10", "6/10", "7/10", "8/10", "9/10"][i];
        (*code, u32::try_from(i + 1).ok(), vec![("votes", votes), ("half", ["odd", "even"][i % 2])])
    }));
    roll[8]["weight"] = json!("5/2");
    let mut round = json!({ "participants": roll });
    crate::support::merge(&mut round, changes);
    service.conformance(round);
    service
}

#[track_caller]
fn get(service: &Service, query: &str) -> Reply {
    service.get(&format!("{RESULTS}?{query}")).send()
}

#[track_caller]
fn result(service: &Service, query: &str) -> Value {
    get(service, query).is(200).json()
}

/// What stands for an initiative.
fn standing<'a>(result: &'a Value, id: &str) -> &'a Value {
    let mut standings = result["standings"].as_array().unwrap().iter();
    standings.find(|standing| standing["initiativeId"] == id).unwrap()
}

on_both_databases! {
    fn a_ballot_weighs_as_much_as_its_population(database: Database) {
        let service = weighted(&database, json!({}));
        // DBF 1, FDB 2, BDC 3, EAB 4, EAB 5, CAB 6, FAC 7, ECF 8, ADB 9.
        let result = result(&service, "weights=population");
        let a = standing(&result, "a");
        // First for 9, second for 4 + 5 + 6 + 7.
        assert_eq!(a["score"], "71");
        assert_eq!(a["scoreDecimal"], 71.0);
        assert_eq!((&a["listed"], &a["rankCounts"]), (&json!(5), &json!([1, 4, 0])), "heads stay heads");
        assert_eq!((&a["listedWeight"], &a["rankWeights"]), (&json!("31"), &json!(["9", "22", "0"])));
        assert_eq!(a["listedShare"], "5/9");
        assert_eq!((&result["counted"], &result["countedWeight"]), (&json!(9), &json!("45")));
        assert_eq!(result["rule"]["ruleSet"], "handslag-2026/1+weights=population");
        assert_eq!(result["rule"]["parameters"]["weights"], "population");
        assert_eq!(result["status"], "provisional");
    }
}

#[test]
fn a_root_is_cut_to_a_grid_that_is_declared() {
    let service = weighted(&Database::sqlite(), json!({}));
    let result = result(&service, "weights=sqrt-population");
    // D is first for DBF (1), second for FDB (2), BDC (3) and ADB (9); the roots of 2 and 3 to nine places, half up.
    let d = standing(&result, "d");
    assert_eq!(d["rankWeights"][0], "1");
    assert_eq!(d["rankWeights"][1], "614626437/100000000", "1.414213562 + 1.732050808 + 3");
    assert_eq!(result["rule"]["ruleSet"], "handslag-2026/1+weights=sqrt-population");
}

#[test]
fn the_roll_s_own_weights_and_any_column_of_numbers_are_weights() {
    let service = weighted(&Database::sqlite(), json!({}));
    let own = result(&service, "weights=weight");
    assert_eq!(own["countedWeight"], "21/2");
    assert_eq!(standing(&own, "a")["rankWeights"], json!(["5/2", "4", "0"]));
    let column = result(&service, "weights=votes");
    assert_eq!(column["countedWeight"], "9/2");
    assert_eq!(standing(&column, "a")["score"], "71/10");
    // A tenth of the population, and so a tenth of everything.
    let by_population = result(&service, "weights=population&rule=schulze");
    let by_column = result(&service, "weights=votes&rule=schulze");
    let order = |result: &Value| -> Vec<Value> {
        result["standings"].as_array().unwrap().iter().map(|s| s["initiativeId"].clone()).collect()
    };
    assert_eq!(order(&by_population), order(&by_column));
    assert_eq!(by_column["pairwise"]["matrix"]["a"]["d"], "31/10", "EAB, EAB, CAB, FAC and ADB");
}

#[test]
fn groups_are_weighed_too_and_add_up() {
    let service = weighted(&Database::sqlite(), json!({}));
    let result = result(&service, "weights=population&groupBy=half");
    let groups = result["groups"].as_array().unwrap();
    let weights: Vec<&Value> = groups.iter().map(|group| &group["countedWeight"]).collect();
    assert_eq!(json!(weights), json!(["20", "25"]));
    let score = |tally: &Value| standing(tally, "b")["score"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(groups.iter().map(score).sum::<u64>(), score(&result));
}

#[test]
fn a_table_of_weights_describes_its_column() {
    let service = weighted(&Database::sqlite(), json!({}));
    let csv = get(&service, "weights=votes&rule=pav&seats=2&format=csv").is(200);
    let mut lines = csv.text().lines();
    assert!(lines.next().is_some_and(|heading| heading.ends_with(",rank3,listedWeight,selected")), "{csv}");
    let table = get(&service, "weights=votes&rule=pav&seats=2&format=csvw").is(200).json();
    let columns = table["tableSchema"]["columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names.join(","), csv.text().lines().next().unwrap());
    assert_eq!(table["notes"][0]["ruleSet"], "handslag-2026/1+weights=votes");
    let excel = get(&service, "weights=votes&format=excel-csv").is(200);
    assert!(
        excel.text().lines().next().is_some_and(|heading| heading.ends_with(";Vikt som valt")),
        "{excel}"
    );
}

#[test]
fn a_weight_that_is_missing_or_does_not_fit_is_told() {
    let service = weighted(&Database::sqlite(), json!({}));
    let fault = |service: &Service, query: &str| {
        let reply = service.get(&format!("{RESULTS}?{query}")).header("Accept-Language", "en").send().is(400);
        let (place, code) = reply.faults()[0].clone();
        let document = reply.json();
        (format!("{place} {code}"), document["errors"][0]["detail"].as_str().unwrap().to_owned())
    };
    for weights in ["nonsense", "", "half", "county:01"] {
        let (told, detail) = fault(&service, &format!("weights={weights}"));
        assert_eq!(told, "weights parameter", "{weights}");
        assert!(detail.starts_with("9 of 9 participants"), "{detail}");
    }
    for query in ["rule=stv&weights=sqrt-population", "rule=monroe&weights=votes", "rule=stv&weights=weight"]
    {
        assert_eq!(fault(&service, query).0, "weights not-whole", "{query}");
    }
    for query in ["rule=stv&weights=population", "rule=monroe&weights=population"] {
        get(&service, query).is(200);
    }
    let some = roll(
        VECTOR.iter().enumerate().map(|(i, (code, _))| (*code, (i != 4 && i != 7).then_some(10), Vec::new())),
    );
    let service = Service::start(&Database::sqlite());
    service.conformance(json!({ "participants": some }));
    let (told, detail) = fault(&service, "weights=population");
    assert_eq!(told, "weights parameter");
    assert!(detail.starts_with("2 of 9 participants") && detail.contains("0123"), "{detail}");
}

#[test]
fn weights_would_open_a_closed_book() {
    // The weight that lists something tells who: nobody else weighs the same.
    let changes = json!({ "visibility": "after-close", "ballotBook": "analysts" });
    let service = weighted(&Database::sqlite(), changes);
    service.step("handslag-2026", "closed");
    let path = format!("{RESULTS}?weights=population");
    let nobody = service.get(&path).send().is(401);
    assert_eq!(nobody.faults(), [("weights".to_owned(), "withheld".to_owned())]);
    let lacks = service.get(&path).by(Caller::Participant("0114")).send().is(403);
    assert_eq!(lacks.problem("forbidden")["scope"], "ballots.list");
    let analyst = service.get(&path).by(Caller::Analyst).send().is(200);
    assert!(analyst.field("Cache-Control").starts_with("private"), "{analyst}");
    // As many heads as before for anyone.
    service.get(RESULTS).send().is(200);
}
