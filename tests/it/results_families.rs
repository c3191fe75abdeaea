//! Results of every family of rules over HTTP: in which forms they come, which parameters they take, and what the
//! API document says of them.
//!
//! The figures are those of the conformance vector (`tally_rules`), which other programs have counted too.

use std::collections::{BTreeMap, BTreeSet};

use handslag::service::Query;
use handslag::tally::{Family, Rule, rules};
use serde_json::{Value, json};

use crate::support::document::{DOCUMENT, members_in, members_of};
use crate::support::{Caller, Database, FIVE, Service, VECTOR, municipality_codes, on_both_databases, roll};

const RESULTS: &str = "/rounds/handslag-2026/results";

fn conformance() -> Service {
    let service = Service::start(&Database::sqlite());
    service.conformance(json!({}));
    service
}

/// What makes a rule countable where it has no default: points of `custom`.
fn query(rule: &Rule, points: &str) -> String {
    if rule.id() == "custom" { format!("rule=custom&points={points}") } else { format!("rule={}", rule.id()) }
}

#[track_caller]
fn result(service: &Service, query: &str) -> Value {
    service.get(&format!("{RESULTS}?{query}")).send().is(200).json()
}

/// `b 4, a 3, …`: who and with what score, in resolved order.
#[track_caller]
fn scores(service: &Service, query: &str) -> String {
    let result = result(service, query);
    let told = |standing: &Value| {
        let score = standing["score"].as_str().unwrap_or("-");
        format!("{} {score}", standing["initiativeId"].as_str().unwrap())
    };
    result["standings"].as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ")
}

/// Ids as one word, in alphabetical order.
fn word(ids: &Value) -> String {
    let ids: BTreeSet<&str> = ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    ids.into_iter().collect()
}

on_both_databases! {
    fn every_rule_is_counted_in_every_form(database: Database) {
        let service = Service::start(&database);
        let lot: Vec<Value> = crate::support::initiatives().as_array().unwrap().iter().rev().map(|i| i["id"].clone()).collect();
        service.open_round(json!({ "visibility": "live", "ballotBook": "open", "lot": lot, "lotSource": "Exempel" }));
        let all: Vec<&str> = lot.iter().map(|id| id.as_str().unwrap()).collect();
        for (i, code) in municipality_codes().iter().take(11).enumerate() {
            let ranking: Vec<&str> = (0..5).map(|pick| all[(i * i + pick * 3) % 13]).collect();
            service.submit(code, &ranking).is(201);
        }
        for rule in rules(5) {
            let path = format!("{RESULTS}?{}", query(&rule, "5,3,2,1,1/2"));
            let reply = service.get(&path).send().is(200);
            let document = reply.json();
            assert_eq!(document["rule"]["id"], rule.id());
            assert_eq!(document["counted"], 11);
            assert_eq!(document["standings"].as_array().unwrap().len(), 13, "{path}");
            let again = service.get(&path).header("If-None-Match", &reply.etag()).send().is(304);
            assert_eq!(again.etag(), reply.etag());
            let csv = service.get(&format!("{path}&format=csv")).send().is(200);
            let described: Vec<Value> = {
                let table = service.get(&format!("{path}&format=csvw")).send().is(200).json();
                table["tableSchema"]["columns"].as_array().unwrap().clone()
            };
            let mut rows = csv::Reader::from_reader(csv.text().as_bytes());
            let headings: Vec<&str> = rows.headers().unwrap().iter().map(|name| name.to_owned().leak() as &str).collect();
            let names: Vec<&str> = described.iter().map(|column| column["name"].as_str().unwrap()).collect();
            assert_eq!(names, headings, "{path}");
            let mut expected = vec![
                "rank", "resolvedRank", "initiativeId", "title", "score", "scoreDecimal", "listed", "listedShare",
                "rank1", "rank2", "rank3", "rank4", "rank5",
            ];
            expected.extend((rule.family() == Family::Portfolio).then_some("selected"));
            assert_eq!(headings, expected, "{path}");
            for row in rows.records() {
                let row = row.unwrap();
                for (cell, column) in row.iter().zip(&described) {
                    let is_number = cell.parse::<f64>().is_ok();
                    let fits = match column["datatype"].as_str().unwrap() {
                        _ if cell.is_empty() => column["required"] == false,
                        "integer" => cell.parse::<u64>().is_ok(),
                        "decimal" => is_number,
                        "boolean" => cell == "true" || cell == "false",
                        _ => true,
                    };
                    assert!(fits, "{path}: {cell:?} as {column}");
                }
            }
            let excel = service.get(&format!("{path}&format=excel-csv")).send().is(200);
            assert_eq!(excel.text().lines().count(), 14, "{path}");
        }
    }
}

#[test]
fn a_result_of_each_family_reads_well() {
    let service = conformance();
    for (name, query) in [
        ("positional", "rule=dowdall"),
        ("pairwise", "rule=schulze&strength=margins"),
        ("pairwise-orders", "rule=kemeny"),
        ("rounds", "rule=irv"),
        ("rounds-stages", "rule=stv&seats=2"),
        ("portfolio", "rule=sequential-phragmen&seats=2"),
    ] {
        let mut result = result(&service, query);
        // The head of the chain depends on the roll.
        result["logHead"] = json!("…");
        insta::assert_snapshot!(format!("result-{name}"), serde_json::to_string_pretty(&result).unwrap());
    }
}

#[test]
fn duels_have_their_parameters() {
    let service = conformance();
    // A beats B, C and D, B beats C to F, D beats C and E; of the rest F draws four, E three and C two.
    assert_eq!(scores(&service, "rule=copeland"), "a 4, b 4, d 5/2, f 2, e 3/2, c 1");
    assert_eq!(scores(&service, "rule=copeland&draws=llull"), "a 5, b 4, f 4, d 3, e 3, c 2");
    assert_eq!(scores(&service, "rule=copeland&draws=strict"), "b 4, a 3, d 2, f 0, c 0, e 0");
    assert_eq!(scores(&service, "rule=minimax&strength=margins"), "a 0, b 2, d 2, e 2, f 3, c 3");
    assert_eq!(scores(&service, "rule=minimax&strength=opposition"), "a 4, b 5, d 5, e 5, f 6, c 6");
    let schulze = result(&service, "rule=schulze&strength=margins");
    assert_eq!(schulze["rule"]["parameters"], json!({ "strength": "margins" }));
    assert_eq!(schulze["pairwise"]["matrix"]["a"]["b"], "5");
    assert_eq!(schulze["pairwise"]["condorcetWinner"], Value::Null);
    assert_eq!(schulze["pairwise"]["weakCondorcetWinners"], json!(["a"]));
    let kemeny = result(&service, "rule=kemeny")["orders"].clone();
    assert_eq!((&kemeny["score"], &kemeny["optimal"]), (&json!("62"), &json!(8)));
    assert_eq!(kemeny["listed"].as_array().unwrap().len(), 8);
    let ranked = result(&service, "rule=ranked-pairs");
    assert_eq!(ranked["standings"][0]["initiativeId"], "a");
    assert!(ranked["pairwise"]["defeats"].as_array().unwrap().iter().any(|defeat| defeat["locked"] == true));
}

#[test]
fn counting_rounds_can_be_followed() {
    let service = conformance();
    let bucklin = result(&service, "rule=bucklin");
    assert_eq!(bucklin["rounds"][1]["majority"], json!(["a"]));
    assert_eq!(bucklin["rounds"].as_array().unwrap().len(), 2);
    let irv = result(&service, "rule=irv");
    let out: Vec<&Value> =
        irv["rounds"].as_array().unwrap().iter().map(|round| &round["eliminated"]).collect();
    assert_eq!(json!(out), json!(["c", "d", "b", "a", "f", null]));
    assert_eq!(irv["standings"][0]["initiativeId"], "e");
    for (query, method) in [("rule=stv&seats=3", "scottish"), ("rule=stv&seats=3&method=meek", "meek")] {
        let stv = result(&service, query);
        assert_eq!(stv["rule"]["parameters"], json!({ "seats": 3, "method": method }));
        let stages = stv["stages"].as_array().unwrap();
        let elected = stages.iter().map(|stage| stage["elected"].as_array().unwrap().len());
        assert_eq!(elected.sum::<usize>(), 3, "{query}");
        let decimals = stages[0]["votes"]["a"].as_str().unwrap().rsplit_once('.').unwrap().1.len();
        assert_eq!(decimals, if method == "meek" { 9 } else { 5 });
    }
}

#[test]
fn portfolios_keep_their_conditions() {
    let service = conformance();
    let portfolio =
        |query: &str| result(&service, &format!("rule=coverage&seats=2{query}"))["portfolio"].clone();
    let found = |query: &str| {
        let portfolio = portfolio(query);
        let listed = portfolio["optima"]["listed"].as_array().unwrap();
        let listed: BTreeSet<String> = listed.iter().map(word).collect();
        let listed: Vec<String> = listed.into_iter().collect();
        format!("{} by {}", portfolio["value"].as_str().unwrap(), listed.join(" "))
    };
    assert_eq!(found(""), "9 by bc bf");
    // With A the ballots of BDC or ECF are left over; with B the FAC or the ECF.
    assert_eq!(found("&must=a"), "8 by ab ad af");
    assert_eq!(found("&exclude=b"), "8 by ad af");
    assert_eq!(found("&must=b&exclude=f"), "9 by bc");
    assert_eq!(found("&eitherOr=b:c,b:f"), "8 by ab ad af be");
    assert_eq!(found("&requires=b:a"), "8 by ab ad af");
    assert_eq!(found("&budget=10,a:5,b:15/2,c:4,d:5,e:5/2,f:5"), "8 by ad af be");
    let settings = &result(
        &service,
        "rule=pav&seats=2&must=a,b&eitherOr=c:d&requires=e:f&budget=9,a:1,b:1,c:1,d:1,e:1,f:1/2",
    )["rule"]["parameters"];
    assert_eq!(settings["must"], json!(["a", "b"]));
    assert_eq!(settings["eitherOr"], json!([["c", "d"]]));
    assert_eq!(settings["requires"], json!([["e", "f"]]));
    assert_eq!(settings["budget"]["limit"], "9");
    assert_eq!(settings["budget"]["costs"][5], json!({ "initiativeId": "f", "cost": "1/2" }));
    assert_eq!(portfolio("")["uncovered"], json!([]), "the book is open, and everybody has a pick in it");
    assert_eq!(portfolio("&must=a,b")["uncovered"], json!(["0127"]));
    let ranked = result(&service, "rule=coverage-ranked&seats=2");
    assert_eq!(ranked["rule"]["parameters"]["points"], json!(["3", "2", "1"]));
}

#[test]
fn what_does_not_fit_is_told_all_at_once() {
    let service = conformance();
    let faults = |query: &str| {
        let reply = service.get(&format!("{RESULTS}?{query}")).send();
        assert_eq!(reply.status, 400, "{query}\n{reply}");
        reply.problem("bad-request");
        let told = |(place, code): (String, String)| format!("{place} {code}");
        reply.faults().into_iter().map(told).collect::<Vec<_>>().join(", ")
    };
    for (query, expected) in [
        ("rule=schulze&strength=votes", "strength parameter"),
        ("rule=schulze&strength=", "strength parameter"),
        ("rule=schulze&strength=opposition", "strength parameter"),
        ("rule=copeland&draws=HALF", "draws parameter"),
        ("rule=stv&method=irish", "method parameter"),
        ("rule=linear&strength=margins", "strength parameter"),
        ("rule=kemeny&seats=3", "seats parameter"),
        ("rule=irv&points=3,2,1", "points parameter"),
        ("rule=sequential-pav&must=a", "must parameter"),
        ("rule=stv&must=a", "must parameter"),
        ("rule=pav&seats=0", "seats parameter"),
        ("rule=pav&seats=7", "seats parameter"),
        ("rule=pav&seats=", "seats parameter"),
        ("rule=pav&must=g", "must parameter"),
        ("rule=pav&must=", "must parameter"),
        ("rule=pav&must=a,a", "must parameter"),
        ("rule=pav&eitherOr=a", "eitherOr parameter"),
        ("rule=pav&eitherOr=a:a", "eitherOr parameter"),
        ("rule=pav&requires=a:g", "requires parameter"),
        ("rule=pav&requires=a:b,a:b", "requires parameter"),
        ("rule=pav&budget=10,a:1,b:1", "budget parameter"),
        ("rule=pav&budget=10,a:1,b:1,c:1,d:1,e:1,f:1,f:1", "budget parameter"),
        ("rule=pav&budget=-1,a:1,b:1,c:1,d:1,e:1,f:1", "budget parameter"),
        ("rule=pav&budget=10,a:1,b:1,c:1,d:1,e:1,f:-1", "budget parameter"),
        ("rule=pav&must=a&exclude=a", "rule no-such-portfolio"),
        ("rule=pav&seats=2&must=a,b,c", "rule no-such-portfolio"),
        ("rule=coverage-ranked&points=1,2,3", "points parameter"),
        ("rule=coverage-ranked&points=3,2", "points parameter"),
        ("rule=custom&points=1234567890123,2,1", "points parameter"),
        ("rule=custom&points=03,2,1", "points parameter"),
        (
            "rule=linear&strength=x&seats=9&method=meek&must=a&group=county:99&ladder=x",
            "ladder parameter, strength parameter, seats parameter, method parameter, must parameter, group unknown-group",
        ),
        (
            "rule=nonsense&strength=x&budget=&weights=x&groupBy=x",
            "strength parameter, budget parameter, weights parameter, rule unknown-rule, groupBy unknown-column",
        ),
    ] {
        assert_eq!(faults(query), expected, "{query}");
    }
}

#[test]
fn without_a_lot_a_count_that_must_choose_names_the_tied() {
    let service = Service::start(&Database::sqlite());
    service.conformance(json!({ "lot": null, "lotSource": null }));
    let refused = service
        .get(&format!("{RESULTS}?rule=irv&ladder=none"))
        .header("Accept-Language", "en")
        .send()
        .is(400);
    assert_eq!(refused.faults(), [("ladder".to_owned(), "undecided".to_owned())]);
    // A, B, C and D have one first place each.
    assert!(refused.text().contains("a, b, c, d"), "{refused}");
    service.get(&format!("{RESULTS}?rule=irv")).send().is(200);
}

#[test]
fn a_ladder_for_eliminations_has_a_step_of_its_own() {
    let service = conformance();
    let irv = result(&service, "rule=irv&ladder=earlier-count,lot");
    assert_eq!(irv["rule"]["parameters"]["ladder"], json!(["earlier-count", "lot"]));
    // The lot lists best first: of the four with one first place A stands last in it.
    assert_eq!(irv["rounds"][0]["eliminated"], "a");
    assert_eq!(irv["rounds"][0]["resolvedBy"], "lot");
}

#[test]
fn nobody_has_answered_and_every_rule_has_an_answer() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    for rule in rules(5) {
        let path = format!("{RESULTS}?{}", query(&rule, "5,4,3,2,1"));
        let reply = service.get(&path).send();
        // STV has to exclude somebody, and there is no lot.
        let expected = if rule.id() == "stv" { 400 } else { 200 };
        assert_eq!(reply.status, expected, "{path}\n{reply}");
    }
    service.submit("0180", FIVE).is(201);
    assert_eq!(result(&service, "rule=schulze")["pairwise"]["condorcetWinner"], FIVE[0]);
}

/// The names of the query parameters that the document gives an operation.
fn documented(path: &str) -> BTreeSet<&'static str> {
    let parameters = DOCUMENT["paths"][path]["get"]["parameters"].as_array().expect("it has some");
    let own = parameters.iter().filter(|parameter| parameter["in"] == "query");
    own.map(|parameter| parameter["name"].as_str().expect("a name")).collect()
}

#[test]
fn the_document_the_code_and_the_rules_name_the_same_parameters() {
    let mut asked: BTreeSet<&str> = Query::names().collect();
    asked.extend(["format", "lang"]);
    assert_eq!(documented("/rounds/{roundId}/results"), asked);

    let service = conformance();
    let list = service.get("/rules?limit=100").send().is(200).json();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut families: BTreeSet<&str> = BTreeSet::new();
    for rule in list["rules"].as_array().unwrap() {
        families.insert(rule["family"].as_str().unwrap());
        taken.extend(rule["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()));
        assert_eq!(
            rule["example"].is_null(),
            rule["family"] != "positional" || rule["id"] == "custom",
            "{rule}"
        );
        let own = service.get(&format!("/rules/{}", rule["id"].as_str().unwrap())).send().is(200).json();
        assert_eq!(own, *rule);
    }
    let others = ["rule", "group", "groupBy", "format", "lang"];
    let of_rules: BTreeSet<&str> = asked.iter().copied().filter(|name| !others.contains(name)).collect();
    assert_eq!(taken, of_rules);
    let documented =
        DOCUMENT["components"]["schemas"]["Rule"]["properties"]["family"]["enum"].as_array().unwrap();
    let documented: BTreeSet<&str> = documented.iter().map(|family| family.as_str().unwrap()).collect();
    assert_eq!(families, documented);
    assert_eq!(documented, Family::ALL.iter().map(|family| family.id()).collect());
    service.get("/rules/approval-64").send().is(200);
}

#[test]
fn a_rule_takes_the_parameters_that_it_says() {
    let service = conformance();
    let samples = BTreeMap::from([
        ("picks", "2"),
        ("ladder", "lot"),
        ("weights", "population"),
        ("points", "3,2,1"),
        ("strength", "margins"),
        ("draws", "llull"),
        ("seats", "2"),
        ("method", "meek"),
        ("must", "a"),
        ("exclude", "f"),
        ("eitherOr", "a:b"),
        ("requires", "a:b"),
        ("budget", "6,a:1,b:1,c:1,d:1,e:1,f:1"),
    ]);
    for rule in rules(2) {
        let taken: BTreeSet<&str> = rule.parameters().iter().map(|parameter| parameter.name).collect();
        for (name, value) in &samples {
            let base = if rule.id() == "custom" && *name != "points" {
                // As many points as picks.
                let points = if *name == "picks" { "2,1" } else { "3,2,1" };
                format!("rule=custom&points={points}")
            } else {
                format!("rule={}", rule.id())
            };
            let reply = service.get(&format!("{RESULTS}?{base}&{name}={value}")).send();
            let expected = if taken.contains(name) { 200 } else { 400 };
            assert_eq!(reply.status, expected, "{} with {name}\n{reply}", rule.id());
        }
    }
}

#[test]
fn every_member_of_the_document_is_sent_by_some_rule() {
    let service = conformance();
    // Two of the nine are a group that is withheld; and in which A and E have one vote each.
    let closed = Service::start(&Database::sqlite());
    let team = |code: &str| if code < "0127" { "many" } else { "few" };
    let roll = roll(VECTOR.map(|(code, _)| (code, Some(1_000), vec![("team", team(code))])));
    closed.conformance(json!({
        "participants": roll, "visibility": "after-close", "ballotBook": "analysts", "lot": null, "lotSource": null,
    }));
    closed.step("handslag-2026", "closed");
    let mut sent = BTreeSet::new();
    let mut of_family: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for rule in rules(2) {
        let base = query(&rule, "3,2,1");
        let conditions = if rule.takes("must") {
            "&must=e&exclude=f&eitherOr=a:b&requires=c:d&budget=9,a:1,b:1,c:1,d:1,e:1,f:1"
        } else {
            ""
        };
        let extra = [
            "&weights=population&picks=2&ladder=listed,lot",
            "&groupBy=county",
            "&group=county:01",
            conditions,
        ];
        for extra in extra.into_iter().chain([""]) {
            let weighed = base.clone() + extra;
            let points = if extra.contains("picks=2") { weighed.replace("3,2,1", "2,1") } else { weighed };
            let result = result(&service, &points);
            let members = members_of("Result", &result);
            if extra.is_empty() {
                let own = result.as_object().unwrap().keys().cloned();
                of_family.entry(rule.family().id()).or_default().extend(own);
            }
            sent.extend(members);
        }
    }
    // C, E and F: seven list B and have one of the three at most, though six deserve two.
    let of_closed =
        ["rule=pav&seats=3&must=c,e,f", "rule=irv&groupBy=team", "weights=population&groupBy=team"];
    for query in of_closed {
        let path = format!("{RESULTS}?{query}");
        // Weights and conditions are for analysts.
        let is_told = |query: &str| !query.contains("weights") && !query.contains("must");
        let nobody = Some(Caller::Nobody).filter(|_| is_told(query));
        for caller in nobody.into_iter().chain([Caller::Analyst]) {
            sent.extend(members_of("Result", &closed.get(&path).by(caller).send().is(200).json()));
        }
    }
    let documented = members_in("Result");
    let missing: Vec<&String> = documented.difference(&sent).collect();
    assert!(missing.is_empty(), "documented and never sent: {missing:?}");
    let beyond = |family: &str| -> BTreeSet<String> {
        of_family[family].difference(&of_family["positional"]).cloned().collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(beyond("pairwise"), words(&["orders", "pairwise"]));
    assert_eq!(beyond("rounds"), words(&["rounds", "stages"]));
    assert_eq!(beyond("portfolio"), words(&["portfolio"]));
}
