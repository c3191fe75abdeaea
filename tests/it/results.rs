//! Results: what stands in them, in which forms they come, and what a poll costs.

use std::io::Read;

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, Service, on_both_databases};

const RESULTS: &str = "/rounds/handslag-2026/results";

/// Five initiatives, a to e, of which a ballot ranks three. `b` has a title that Excel would run.
fn five_initiatives() -> Value {
    let initiative = |(number, id): (u32, &str)| {
        let title = if id == "b" { "=1+1".to_owned() } else { format!("Titel {id}, \"{id}\"") };
        json!({ "id": id, "number": number, "titleSv": title, "titleEn": format!("Title {id}"), "status": "example" })
    };
    (1..).zip(["a", "b", "c", "d", "e"]).map(initiative).collect()
}

/// A round that five municipalities have answered; small enough to be counted by hand.
///
/// First places: a 2, b 1, c 1, d 1. Listed: a 4, b 4, c 4, d 3, e 0.
fn answered(changes: Value) -> Service {
    let service = Service::start(&Database::sqlite());
    let mut round = json!({
        "initiatives": five_initiatives(), "picksMax": 3, "visibility": "live", "ballotBook": "open",
    });
    crate::support::merge(&mut round, changes);
    service.open_round(round);
    for (code, ranking) in [
        ("0114", ["a", "b", "c"]),
        ("0115", ["a", "b", "d"]),
        ("0117", ["b", "c", "a"]),
        ("0120", ["c", "d", "b"]),
        ("0123", ["d", "a", "c"]),
    ] {
        service.submit(code, &ranking).is(201);
    }
    service
}

/// Standings as `rank resolvedRank id score`, and ties as `ids resolvedBy tieMatters`.
#[track_caller]
fn check(service: &Service, query: &str, standings: &[&str], ties: &[&str]) {
    let result = service.get(&format!("{RESULTS}{query}")).send().is(200).json();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let words = |object: &Value, names: &[&str]| {
        names.iter().map(|name| text(&object[name])).collect::<Vec<_>>().join(" ")
    };
    let list = |name: &str| result[name].as_array().cloned().expect("a list");
    let found: Vec<String> = list("standings")
        .iter()
        .map(|standing| words(standing, &["rank", "resolvedRank", "initiativeId", "score"]))
        .collect();
    assert_eq!(found, standings, "{query}");
    let found: Vec<String> = list("ties")
        .iter()
        .map(|tie| {
            let ids: Vec<String> = tie["initiativeIds"].as_array().expect("ids").iter().map(text).collect();
            format!("{} {}", ids.join(","), words(tie, &["resolvedBy", "tieMatters"]))
        })
        .collect();
    assert_eq!(found, ties, "{query}");
}

#[test]
fn each_rule_counts_the_ballots_as_by_hand() {
    let service = answered(json!({}));
    let linear = ["1 1 a 9", "2 2 b 8", "3 3 c 7", "4 4 d 6", "5 5 e 0"];
    check(&service, "", &linear, &[]);
    check(&service, "?rule=linear", &linear, &[]);
    check(&service, "?rule=modified-borda", &linear, &[]);
    // 1, 1/2, 1/3
    let dowdall = ["1 1 a 17/6", "2 2 b 7/3", "3 3 c 13/6", "4 4 d 11/6", "5 5 e 0"];
    check(&service, "?rule=dowdall", &dowdall, &[]);
    // 4, 3, 2, and 1/2 for each that is not picked
    let average = ["1 1 a 27/2", "2 2 b 25/2", "3 3 c 23/2", "4 4 d 10", "5 5 e 5/2"];
    check(&service, "?rule=borda-average", &average, &[]);
    let pessimistic = ["1 1 a 13", "2 2 b 12", "3 3 c 11", "4 4 d 9", "5 5 e 0"];
    check(&service, "?rule=borda-pessimistic", &pessimistic, &[]);
}

#[test]
fn ties_are_told_with_the_step_that_parts_them_and_whether_they_matter() {
    let service = answered(json!({}));
    // a and b have 3 and are listed by 4 each, but a is first twice; c and d have 2, and c is listed once more.
    // The cut is 3: between c and d it decides who is in.
    check(
        &service,
        "?rule=approval-2",
        &["1 1 a 3", "1 2 b 3", "3 3 c 2", "3 4 d 2", "5 5 e 0"],
        &["a,b first-places false", "c,d listed true"],
    );
    check(
        &service,
        "?rule=approval-2&ladder=listed",
        &["1 1 a 3", "1 1 b 3", "3 3 c 2", "3 4 d 2", "5 5 e 0"],
        &["a,b null false", "c,d listed true"],
    );
    check(
        &service,
        "?rule=approval-2&ladder=none",
        &["1 1 a 3", "1 1 b 3", "3 3 c 2", "3 3 d 2", "5 5 e 0"],
        &["a,b null false", "c,d null true"],
    );
    check(
        &service,
        "?rule=custom&points=5,3/2,0",
        &["1 1 a 23/2", "2 2 b 8", "3 3 c 13/2", "3 4 d 13/2", "5 5 e 0"],
        &["c,d listed true"],
    );
    // Read only the first rank, and b, c and d are alike in everything.
    check(
        &service,
        "?picks=1",
        &["1 1 a 2", "2 2 b 1", "2 2 c 1", "2 2 d 1", "5 5 e 0"],
        &["b,c,d null true"],
    );
}

#[test]
fn a_lot_parts_what_nothing_else_does() {
    let service = answered(json!({ "lot": ["e", "d", "c", "b", "a"], "lotSource": "Dragen i förväg" }));
    check(
        &service,
        "?picks=1",
        &["1 1 a 2", "2 2 d 1", "2 3 c 1", "2 4 b 1", "5 5 e 0"],
        &["d,c,b lot true"],
    );
}

#[test]
fn a_result_says_of_what_and_by_which_rule() {
    let service = answered(json!({}));
    let result = service.get(&format!("{RESULTS}?rule=dowdall&ladder=listed,lot")).send().is(200).json();
    let round = service.get("/rounds/handslag-2026").send().is(200).json();
    for (member, expected) in [
        ("roundId", json!("handslag-2026")),
        ("status", json!("provisional")),
        ("sequence", json!(6)),
        ("asOf", json!("2026-03-10T11:00:00.000000Z")),
        (
            "rule",
            json!({
                "id": "dowdall", "ruleSet": "handslag-2026/1",
                "parameters": { "points": ["1", "1/2", "1/3"], "ladder": ["listed", "lot"] },
            }),
        ),
        ("eligible", json!(290)),
        ("counted", json!(5)),
        ("share", json!("1/58")),
        ("syntheticBallots", json!(0)),
        ("cut", json!(3)),
        ("logHead", round["logHead"].clone()),
    ] {
        assert_eq!(result[member], expected, "{member}");
    }
    assert_eq!(
        result["standings"][0],
        json!({
            "rank": 1, "resolvedRank": 1, "initiativeId": "a", "score": "17/6", "scoreDecimal": 2.833_333,
            "listed": 4, "listedShare": "4/5", "rankCounts": [2, 1, 1],
        })
    );
}

#[test]
fn nobody_has_answered_yet_and_everyone_shares_the_first_place() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let result = service.get(RESULTS).send().is(200).json();
    assert_eq!(result["counted"], 0);
    assert_eq!(result["share"], "0");
    let standings = result["standings"].as_array().unwrap();
    assert_eq!(standings.len(), 13);
    assert!(standings.iter().all(|standing| standing["rank"] == 1 && standing["listedShare"] == "0"));
}

#[test]
fn a_query_that_makes_no_sense_is_refused_by_name() {
    let service = answered(json!({}));
    for (query, parameter) in [
        ("rule=condorcet", "rule"),
        ("rule=approval-0", "rule"),
        ("rule=approval-4", "rule"),
        ("rule=", "rule"),
        ("rule=custom", "points"),
        ("rule=custom&points=3,2", "points"),
        ("rule=custom&points=1,2,3", "points"),
        ("rule=custom&points=3,2,-1", "points"),
        ("rule=custom&points=3,2,x", "points"),
        ("rule=custom&points=3,2,1/0", "points"),
        ("rule=custom&points=3.5,2,1", "points"),
        ("points=3,2,1", "points"),
        ("picks=0", "picks"),
        ("picks=4", "picks"),
        ("picks=x", "picks"),
        ("ladder=coin", "ladder"),
        ("ladder=listed,listed", "ladder"),
        ("ladder=", "ladder"),
        ("format=pdf", "format"),
        ("lang=de", "lang"),
        ("rul=dowdall", "rul"),
    ] {
        let reply = service.get(&format!("{RESULTS}?{query}")).send();
        assert_eq!(reply.status, 400, "{query}\n{reply}");
        reply.problem("bad-request");
        assert_eq!(reply.faults()[0].0, parameter, "{query}");
    }
    let both = service.get(&format!("{RESULTS}?rule=condorcet&ladder=coin&picks=9")).send().is(400);
    assert_eq!(both.faults().len(), 3, "every fault at once\n{both}");
}

/// Line ends made visible.
fn shown(text: &str) -> String {
    text.replace("\r\n", "⏎\n")
}

#[test]
fn a_table_for_programs_is_rfc_4180() {
    let service = answered(json!({}));
    let reply = service.get(&format!("{RESULTS}?rule=dowdall&format=csv")).send().is(200);
    assert_eq!(reply.field("Content-Type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(reply.field("Content-Disposition"), "attachment; filename=\"handslag-2026-dowdall-6.csv\"");
    insta::assert_snapshot!(shown(reply.text()), @r#"
    rank,resolvedRank,initiativeId,title,score,scoreDecimal,listed,listedShare,rank1,rank2,rank3⏎
    1,1,a,"Titel a, ""a""",17/6,2.833333,4,4/5,2,1,1⏎
    2,2,b,=1+1,7/3,2.333333,4,4/5,1,2,1⏎
    3,3,c,"Titel c, ""c""",13/6,2.166667,4,4/5,1,1,2⏎
    4,4,d,"Titel d, ""d""",11/6,1.833333,3,3/5,1,1,1⏎
    5,5,e,"Titel e, ""e""",0,0.0,0,0,0,0,0⏎
    "#);
    let english = service.get(&format!("{RESULTS}?format=csv&lang=en")).send().is(200);
    assert!(english.text().contains(",a,Title a,9,9.0,"), "{english}");
}

#[test]
fn a_table_for_excel_opens_right_in_swedish() {
    let service = answered(json!({}));
    let reply = service.get(&format!("{RESULTS}?rule=dowdall&format=excel-csv")).send().is(200);
    let text = reply.text().strip_prefix('\u{feff}').expect("a byte order mark");
    insta::assert_snapshot!(shown(text), @r#"
    Placering;Avgjord placering;Initiativ-id;Titel;Poäng;Poäng (decimal);Antal som valt;Andel som valt;Plats 1;Plats 2;Plats 3⏎
    1;1;a;"Titel a, ""a""";2,833333;2,833333;4;0,8;2;1;1⏎
    2;2;b;'=1+1;2,333333;2,333333;4;0,8;1;2;1⏎
    3;3;c;"Titel c, ""c""";2,166667;2,166667;4;0,8;1;1;2⏎
    4;4;d;"Titel d, ""d""";1,833333;1,833333;3;0,6;1;1;1⏎
    5;5;e;"Titel e, ""e""";0;0,0;0;0;0;0;0⏎
    "#);
}

#[test]
fn the_format_is_what_is_named_else_what_is_accepted() {
    let service = answered(json!({}));
    let essence = |query: &str, accept: &str| {
        let reply = service.get(&format!("{RESULTS}{query}")).header("Accept", accept).send().is(200);
        reply.field("Content-Type").split(';').next().unwrap().to_owned()
    };
    for accept in
        ["*/*", "application/json", "application/*", "text/csv;q=0.9, application/json", "*/*;q=0.1"]
    {
        assert_eq!(essence("", accept), "application/json", "{accept}");
    }
    for accept in [
        "text/csv",
        "text/*",
        "text/csv, application/json;q=0.9",
        "application/json;q=0, */*",
        "text/html, text/csv;q=0.1",
    ] {
        assert_eq!(essence("", accept), "text/csv", "{accept}");
    }
    assert_eq!(essence("?format=json", "text/csv"), "application/json");
    assert_eq!(essence("?format=csv", "application/json"), "text/csv");
    for accept in
        ["application/xml", "text/html, application/pdf", "application/json;q=0, text/csv;q=0", "image/*"]
    {
        let refused = service.get(RESULTS).header("Accept", accept).send().is(406);
        refused.problem("not-acceptable");
    }
}

#[test]
fn an_accept_that_cannot_be_read_asks_for_nothing_in_particular() {
    let service = answered(json!({}));
    for accept in ["nonsense", "", ",", "text", "/"] {
        let reply = service.get(RESULTS).header("Accept", accept).send();
        assert_eq!(reply.status, 200, "{accept:?}\n{reply}");
        assert_eq!(reply.field("Content-Type"), "application/json");
    }
}

#[test]
fn a_compressed_result_is_the_same_result() {
    let service = answered(json!({}));
    for query in ["", "?format=csv", "?rule=dowdall"] {
        let path = format!("{RESULTS}{query}");
        let plain = service.get(&path).send().is(200);
        assert_eq!(plain.header("Content-Encoding"), None);
        let mut tags = vec![plain.etag()];
        for (accepted, coding) in [("gzip", "gzip"), ("br", "br"), ("br;q=0.1, gzip;q=0.9", "gzip")] {
            let coded = service.get(&path).header("Accept-Encoding", accepted).send().is(200);
            assert_eq!(coded.field("Content-Encoding"), coding, "{accepted}");
            assert!(coded.field("Vary").contains("Accept-Encoding"));
            let mut body = Vec::new();
            let read = match coding {
                "gzip" => flate2::read::GzDecoder::new(&coded.body[..]).read_to_end(&mut body),
                _ => brotli::Decompressor::new(&coded.body[..], 4_096).read_to_end(&mut body),
            };
            read.expect("the body can be decoded");
            assert_eq!(body, plain.body, "{accepted} of {path}");
            tags.push(coded.etag());
        }
        // A strong tag names bytes: each coding has its own (RFC 9110, section 8.8.3.3).
        assert_eq!(tags[1], tags[3]);
        tags.truncate(3);
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 3, "{path}");
        for accepted in ["identity", "gzip;q=0", "zstd", "", "deflate"] {
            let plain_too = service.get(&path).header("Accept-Encoding", accepted).send().is(200);
            assert_eq!(plain_too.body, plain.body, "{accepted}");
        }
    }
}

#[test]
fn of_codings_that_are_liked_alike_the_smallest_is_sent() {
    let service = answered(json!({}));
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br,gzip", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("deflate, identity", None),
        ("gzip, deflate;q=0.5, br;q=0.9", Some("gzip")),
    ] {
        let reply = service.get(RESULTS).header("Accept-Encoding", accepted).send().is(200);
        assert_eq!(reply.header("Content-Encoding"), coding, "{accepted}");
    }
}

#[test]
fn caches_are_told_what_a_result_depends_on() {
    let service = answered(json!({}));
    let public = service.get(RESULTS).send().is(200);
    assert_eq!(public.field("Cache-Control"), "public, max-age=0, must-revalidate");
    let vary = public.field("Vary").to_lowercase();
    assert!(vary.contains("accept") && vary.contains("accept-encoding"), "{vary}");

    let restricted = answered(json!({ "visibility": "after-close", "ballotBook": "analysts" }));
    let private = restricted.get(RESULTS).by(Caller::Analyst).send().is(200);
    assert!(private.field("Cache-Control").starts_with("private"), "{private}");
    assert!(private.field("Vary").contains("Authorization"), "{private}");
}

on_both_databases! {
    fn results_are_seen_when_the_round_says_so(database: Database) {
        let service = Service::start(&database);
        let participant = Caller::Participant("0180");
        for (visibility, public) in [
            ("live", [true, true, true, true]),
            ("after-close", [false, true, true, true]),
            ("after-certification", [false, false, true, true]),
        ] {
            let book = if visibility == "live" { "open" } else { "analysts" };
            service.open_round(json!({ "id": visibility, "visibility": visibility, "ballotBook": book }));
            let path = format!("/rounds/{visibility}/results");
            for (state, public) in ["open", "closed", "certified", "corrected"].into_iter().zip(public) {
                if state != "open" {
                    service.step(visibility, state);
                }
                let expected = if public { [200, 200] } else { [401, 403] };
                let found = [Caller::Nobody, participant].map(|who| service.get(&path).by(who).send().status);
                assert_eq!(found, expected, "{visibility}, {state}");
                let status = if matches!(state, "certified" | "corrected") { state } else { "provisional" };
                for caller in [Caller::Analyst, Caller::Manager] {
                    let result = service.get(&path).by(caller).send().is(200).json();
                    assert_eq!(result["status"], status, "{visibility}, {state}");
                }
            }
        }
    }

    fn who_was_answered_finds_the_ballot_in_the_next_poll(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
        let codes = crate::support::municipality_codes();
        std::thread::scope(|scope| {
            for codes in codes.chunks(10).take(4) {
                let service = &service;
                scope.spawn(move || {
                    for code in codes {
                        let accepted = service.submit(code, FIVE).is(201).json();
                        let result = service.get(RESULTS).send().is(200).json();
                        let [sequence, accepted] = [&result["sequence"], &accepted["sequence"]].map(Value::as_u64);
                        assert!(sequence >= accepted, "{sequence:?} is before {accepted:?}");
                        // The opening is the one entry of the log that is no ballot.
                        assert_eq!(result["counted"].as_u64(), sequence.map(|sequence| sequence - 1));
                    }
                });
            }
        });
        assert_eq!(service.get(RESULTS).send().is(200).json()["counted"], 40);
    }
}
