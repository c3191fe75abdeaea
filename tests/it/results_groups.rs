//! Results by group of the roll, and what of them is told where the ballot book is closed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Caller, Database, FIVE, PUBLIC_URL, Reply, Service, VECTOR, municipalities, on_both_databases, roll,
};

const RESULTS: &str = "/rounds/handslag-2026/results";

/// The default round with a ballot of every eighth municipality, of different rankings.
fn municipal(database: &Database, changes: Value) -> Service {
    let service = Service::start(database);
    service.open_round(changes);
    let codes = crate::support::municipality_codes();
    for (i, code) in codes.iter().step_by(8).enumerate() {
        let ranking: Vec<&str> = (0..5).map(|pick| FIVE[(i + pick * (1 + i % 4)) % 5]).collect();
        service.submit(code, &ranking).is(201);
    }
    service
}

fn open() -> Value {
    json!({ "visibility": "live", "ballotBook": "open" })
}

/// The conformance vector, closed, its ballots for analysts; every participant with these groups.
fn closed(groups: impl Fn(usize) -> Vec<(&'static str, &'static str)>) -> Service {
    let service = Service::start(&Database::sqlite());
    let roll = roll(VECTOR.iter().enumerate().map(|(i, (code, _))| (*code, Some(1_000), groups(i))));
    service
        .conformance(json!({ "participants": roll, "visibility": "after-close", "ballotBook": "analysts" }));
    service.step("handslag-2026", "closed");
    service
}

#[track_caller]
fn get(service: &Service, query: &str, caller: Caller<'_>) -> Reply {
    service.get(&format!("{RESULTS}?{query}")).by(caller).send()
}

#[track_caller]
fn result(service: &Service, query: &str) -> Value {
    get(service, query, Caller::Nobody).is(200).json()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Score by initiative.
fn scores(tally: &Value) -> BTreeMap<String, u64> {
    let standings = tally["standings"].as_array().unwrap();
    let score =
        |standing: &Value| (text(&standing["initiativeId"]), text(&standing["score"]).parse().unwrap());
    standings.iter().map(score).collect()
}

/// The groups as `group counted`, or what there is instead of a count.
fn told(result: &Value) -> Vec<String> {
    let told = |group: &Value| {
        let what = match (&group["counted"], &group["withheld"], &group["refusal"]["code"]) {
            (Value::Null, Value::Bool(true), _) => "withheld".to_owned(),
            (Value::Null, _, code) => text(code),
            (counted, ..) => counted.to_string(),
        };
        format!("{} {what}", text(&group["group"]))
    };
    result["groups"].as_array().unwrap().iter().map(told).collect()
}

on_both_databases! {
    fn the_groups_of_a_column_add_up_to_the_result(database: Database) {
        let service = municipal(&database, open());
        for column in ["county", "skr-group-2023", "main-group-2023", "size"] {
            let result = result(&service, &format!("groupBy={column}"));
            assert_eq!(result["groupBy"], column);
            let groups = result["groups"].as_array().unwrap();
            let sum = |member: &str| groups.iter().map(|group| group[member].as_u64().unwrap()).sum::<u64>();
            assert_eq!([sum("eligible"), sum("counted")], [290, 37], "{column}");
            assert_eq!([&result["eligible"], &result["counted"]], [290, 37]);
            let mut total: BTreeMap<String, u64> = BTreeMap::new();
            for group in groups {
                for (id, score) in scores(group) {
                    *total.entry(id).or_default() += score;
                }
                // A group is told the same alone.
                let key = text(&group["group"]);
                let alone = get(&service, &format!("group={}", key.replace('+', "%2B")), Caller::Nobody);
                let alone = alone.is(200).json();
                for member in ["group", "eligible", "counted", "share", "standings", "ties"] {
                    assert_eq!(alone[member], group[member], "{member} of {key}");
                }
            }
            assert_eq!(total, scores(&result), "{column}");
        }
        let skane = result(&service, "group=county:12&rule=schulze");
        assert_eq!((&skane["group"], &skane["eligible"]), (&json!("county:12"), &json!(33)));
        assert_eq!(skane["status"], "provisional");
        assert!(skane.get("groups").is_none() && skane["pairwise"].is_object());
    }
}

#[test]
fn groups_come_as_a_table_with_a_row_for_each_and_initiative() {
    let service = municipal(&Database::sqlite(), open());
    let reply = get(&service, "groupBy=main-group-2023&format=csv", Caller::Nobody).is(200);
    assert_eq!(reply.text().lines().count(), 1 + 3 * 13);
    let mut lines = reply.text().lines();
    assert_eq!(
        lines.next(),
        Some(
            "group,eligible,counted,rank,resolvedRank,initiativeId,title,score,scoreDecimal,listed,listedShare,\
             rank1,rank2,rank3,rank4,rank5"
        )
    );
    assert!(lines.next().is_some_and(|line| line.starts_with("main-group-2023:A,46,7,1,1,")), "{reply}");
    let described = get(&service, "groupBy=main-group-2023&format=csvw", Caller::Nobody).is(200).json();
    assert_eq!(described["tableSchema"]["primaryKey"], json!(["group", "initiativeId"]));
    let link = reply.field("Link").to_owned();
    assert!(link.contains("results?format=csvw&groupBy=main-group-2023>"), "{link}");
    let address = format!("{PUBLIC_URL}/handslag/v1{RESULTS}?format=csv&groupBy=main-group-2023");
    assert_eq!(described["url"], address);
}

#[test]
fn those_without_a_value_are_a_group_too() {
    let mut roll = municipalities();
    for participant in roll.as_array_mut().unwrap() {
        let code = participant["code"].as_str().unwrap().to_owned();
        let groups = participant["groups"].as_array_mut().unwrap();
        // Stockholm has no county; Malmö belongs to something with every sign that an address minds.
        groups.retain(|group| code != "0180" || group["column"] != "county");
        if code == "1280" {
            groups.push(json!({ "column": "project", "value": "Å & Ä: 50 % + #1?" }));
        }
    }
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "participants": roll, "visibility": "live", "ballotBook": "open" }));
    service.submit("0180", FIVE).is(201);
    service.submit("1280", FIVE).is(201);
    let result = result(&service, "groupBy=county");
    assert_eq!(told(&result)[..2], ["county: 1", "county:01 0"]);
    assert_eq!(result["groups"][0]["eligible"], 1);
    let without = get(&service, "group=county:", Caller::Nobody).is(200).json();
    assert_eq!(
        [&without["group"], &without["standings"]],
        [&json!("county:"), &result["groups"][0]["standings"]]
    );

    let written = "project:%C3%85%20%26%20%C3%84:%2050%20%25%20%2B%20%231%3F";
    let project = get(&service, &format!("group={written}"), Caller::Nobody).is(200).json();
    assert_eq!(project["group"], "project:Å & Ä: 50 % + #1?");
    assert_eq!(project["counted"], 1);
    let own = text(&project["_links"][0]["href"]);
    assert_eq!(own, format!("{PUBLIC_URL}/handslag/v1{RESULTS}?group={written}"));
    let path = own.strip_prefix(&format!("{PUBLIC_URL}/handslag/v1")).unwrap();
    assert_eq!(service.get(path).send().is(200).json(), project, "the link leads to itself");
    let csv = get(&service, &format!("group={written}&format=csv"), Caller::Nobody).is(200);
    assert!(csv.field("Link").contains(&format!("?format=csvw&group={written}>")), "{csv}");
}

#[test]
fn groups_that_are_not_there_are_refused() {
    let service = municipal(&Database::sqlite(), open());
    for (query, expected) in [
        ("group=county:99", "group unknown-group"),
        ("group=county:", "group unknown-group"),
        ("group=county", "group unknown-group"),
        ("group=shoe-size:43", "group unknown-group"),
        ("group=", "group unknown-group"),
        ("groupBy=shoe-size", "groupBy unknown-column"),
        ("groupBy=", "groupBy unknown-column"),
        ("groupBy=county:12", "groupBy unknown-column"),
        ("group=county:12&groupBy=county", "groupBy parameter"),
    ] {
        let reply = get(&service, query, Caller::Nobody).is(400);
        let faults: Vec<String> =
            reply.faults().into_iter().map(|(place, code)| format!("{place} {code}")).collect();
        assert_eq!(faults, [expected], "{query}");
    }
}

#[test]
fn a_column_of_too_many_groups_is_not_counted_one_by_one() {
    let mut municipalities = municipalities();
    for (i, participant) in municipalities.as_array_mut().unwrap().iter_mut().enumerate() {
        for (column, groups) in [("hundred", 100), ("more", 101)] {
            let value = (i % groups).to_string();
            participant["groups"].as_array_mut().unwrap().push(json!({ "column": column, "value": value }));
        }
    }
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "participants": municipalities, "visibility": "live", "ballotBook": "open" }));
    assert_eq!(told(&result(&service, "groupBy=hundred")).len(), 100);
    let refused = get(&service, "groupBy=more", Caller::Nobody).is(400);
    assert_eq!(refused.faults(), [("groupBy".to_owned(), "too-large".to_owned())]);
    get(&service, "group=more:7", Caller::Nobody).is(200);
}

#[test]
fn a_group_that_a_rule_cannot_count_says_so_and_the_others_are_counted() {
    let service = Service::start(&Database::sqlite());
    // The last two, ECF and ADB: A and E have one first place each and are alike in all else.
    let team = |i| if i < 7 { "many" } else { "few" };
    let roll = roll(VECTOR.iter().enumerate().map(|(i, (code, _))| (*code, None, vec![("team", team(i))])));
    service.conformance(json!({ "participants": roll, "lot": null, "lotSource": null }));
    let result = result(&service, "rule=irv&groupBy=team");
    assert_eq!(told(&result), ["team:few undecided", "team:many 7"]);
    let few = &result["groups"][0];
    assert_eq!(few["standings"], json!([]));
    assert!(text(&few["refusal"]["detailSv"]).contains("a, e"), "{few}");
    assert!(text(&few["refusal"]["detailEn"]).contains("a, e"), "{few}");
    let csv = get(&service, "rule=irv&groupBy=team&format=csv", Caller::Nobody).is(200);
    assert_eq!(csv.text().lines().count(), 7, "a group without a count has no rows");
    let refused = get(&service, "rule=irv&group=team:few", Caller::Nobody).is(400);
    assert_eq!(refused.faults(), [("ladder".to_owned(), "undecided".to_owned())]);
}

#[test]
fn a_closed_book_withholds_small_groups_from_all_but_analysts() {
    // Two answers and seven: the seven are withheld too, or the two would follow from the total.
    let service = closed(|i| vec![("team", ["a", "a", "b", "b", "b", "b", "b", "b", "b"][i])]);
    let withheld = ["team:a withheld", "team:b withheld"];
    let shown = ["team:a 2", "team:b 7"];
    for (caller, expected) in
        [(Caller::Nobody, withheld), (Caller::Participant("0114"), withheld), (Caller::Analyst, shown)]
    {
        let result = get(&service, "groupBy=team", caller).is(200).json();
        assert_eq!(told(&result), expected, "{caller:?}");
        assert_eq!(result["groups"][0]["eligible"], 2);
        assert_eq!(result["counted"], 9);
    }
    let csv = get(&service, "groupBy=team&format=csv", Caller::Nobody).is(200);
    assert_eq!(csv.text().lines().count(), 1);
    for group in ["a", "b"] {
        let query = format!("group=team:{group}");
        let nobody = get(&service, &query, Caller::Nobody).is(401);
        nobody.problem("unauthorized");
        assert!(nobody.field("WWW-Authenticate").starts_with("Bearer"));
        assert_eq!(nobody.faults(), [("group".to_owned(), "withheld".to_owned())]);
        let lacks = get(&service, &query, Caller::Participant("0114")).is(403);
        assert_eq!(lacks.problem("forbidden")["scope"], "ballots.list");
        assert!(lacks.field("WWW-Authenticate").contains("scope=\"ballots.list\""), "{lacks}");
        assert_eq!(lacks.faults(), [("group".to_owned(), "withheld".to_owned())]);
        get(&service, &query, Caller::Analyst).is(200);
    }
    // What is wrong comes before what is withheld.
    get(&service, "group=team:a&rule=nonsense", Caller::Nobody).is(400);
}

#[test]
fn groups_of_five_are_told_and_the_empty_ones_too() {
    let service = closed(|i| vec![("half", ["a", "b"][i % 2]), ("team", ["a", "b"][i / 5])]);
    let withheld = ["half:a withheld", "half:b withheld"];
    assert_eq!(told(&result(&service, "groupBy=half")), withheld, "five and four");
    assert_eq!(
        told(&get(&service, "groupBy=half", Caller::Analyst).is(200).json()),
        ["half:a 5", "half:b 4"]
    );

    let service = Service::start(&Database::sqlite());
    let roll = roll((0..12).map(|i| {
        let code =
            ["0114", "0115", "0117", "0120", "0123", "0125", "0126", "0127", "0128", "0136", "0138", "0139"]
                [i];
        (code, None, vec![("team", ["a", "b", "c"][i / 5])])
    }));
    service.open_round(json!({ "participants": roll, "visibility": "after-close" }));
    for code in ["0114", "0115", "0117", "0120", "0123", "0125", "0126", "0127", "0128", "0136"] {
        service.submit(code, FIVE).is(201);
    }
    service.step("handslag-2026", "closed");
    assert_eq!(told(&result(&service, "groupBy=team")), ["team:a 5", "team:b 5", "team:c 0"]);
}

#[test]
fn a_coarser_or_finer_column_does_not_tell_what_is_withheld() {
    // a1 and a2 make up A, b1 and b2 B. A is told: were a2 told too, the two ballots of a1 would follow.
    let fine = ["a1", "a1", "a2", "a2", "a2", "a2", "b1", "b1", "b1"];
    let service = closed(|i| vec![("fine", fine[i]), ("coarse", if i < 6 { "A" } else { "B" })]);
    // B is small, so A is withheld beside it; and so is all that either is made of.
    let all = get(&service, "groupBy=coarse", Caller::Nobody).is(200).json();
    assert_eq!(told(&all), ["coarse:A withheld", "coarse:B withheld"]);

    let service = Service::start(&Database::sqlite());
    let codes = crate::support::municipality_codes();
    // By main group A 10 and B 20; by group a1 2, a2 8, b1 5, b2 15.
    let fine = |i: usize| match i {
        0..2 => "a1",
        2..10 => "a2",
        10..15 => "b1",
        _ => "b2",
    };
    let coarse = |i: usize| if i < 10 { "A" } else { "B" };
    let rows = codes.iter().take(30).enumerate();
    let roll = roll(rows.map(|(i, code)| (&**code, None, vec![("fine", fine(i)), ("coarse", coarse(i))])));
    service.open_round(json!({ "participants": roll, "visibility": "after-close" }));
    for code in codes.iter().take(30) {
        service.submit(code, FIVE).is(201);
    }
    service.step("handslag-2026", "closed");
    assert_eq!(told(&result(&service, "groupBy=coarse")), ["coarse:A 10", "coarse:B 20"]);
    // Beside a1 the total alone would take b1, the smallest; A takes a2.
    let fine = told(&result(&service, "groupBy=fine"));
    assert_eq!(fine[..2], ["fine:a1 withheld", "fine:a2 withheld"]);
    for group in ["fine:a1", "fine:a2"] {
        get(&service, &format!("group={group}"), Caller::Nobody).is(401);
    }
    let hidden: u64 = 30
        - result(&service, "groupBy=fine")["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|group| group["counted"].as_u64())
            .sum::<u64>();
    assert!(hidden >= 5);
}

#[test]
fn a_portfolio_names_those_left_out_to_analysts_only() {
    let service = closed(|_| Vec::new());
    assert_eq!(result(&service, "rule=pav&seats=2")["portfolio"]["uncovered"], Value::Null);
    let analyst = get(&service, "rule=pav&seats=2&must=a,b", Caller::Analyst).is(200);
    assert_eq!(analyst.json()["portfolio"]["uncovered"], json!(["0127"]));
    // Seven list B and have at most one of C, E and F.
    let query = "rule=pav&seats=3&must=c,e,f";
    let told = get(&service, query, Caller::Analyst).is(200).json();
    let violation = &told["portfolio"]["certificate"]["violation"];
    let codes = json!(["0114", "0115", "0117", "0120", "0123", "0125", "0128"]);
    assert_eq!((&violation["participantCodes"], &violation["weight"]), (&codes, &json!("7")));
    // What any set covers, asked for often enough, tells the ballots.
    for query in [query, "rule=coverage&seats=1&exclude=a"] {
        let refused = get(&service, query, Caller::Nobody).is(401).json();
        assert!(refused.to_string().contains("withheld"), "{refused}");
    }
}

#[test]
fn caches_are_told_where_the_answer_depends_on_who_asks() {
    let shared = ("public, max-age=0, must-revalidate", "Accept, Accept-Encoding");
    let own = ("private, max-age=0, must-revalidate", "Accept, Accept-Encoding, Authorization");
    let service = closed(|i| vec![("team", ["a", "b"][i / 7])]);
    for (query, expected) in [
        ("", shared),
        ("rule=irv", shared),
        ("rule=kemeny&picks=2", shared),
        ("rule=pav", own),
        ("groupBy=team", own),
        ("group=team:a", own),
    ] {
        for caller in [Caller::Nobody, Caller::Analyst] {
            let reply = get(&service, query, caller);
            if reply.status == 200 {
                assert_eq!(
                    (reply.field("Cache-Control"), reply.field("Vary")),
                    expected,
                    "{query} {caller:?}"
                );
                let known = service
                    .get(&format!("{RESULTS}?{query}"))
                    .by(caller)
                    .header("If-None-Match", &reply.etag());
                assert_eq!(known.send().is(304).field("Cache-Control"), expected.0);
            }
        }
        let tags = [Caller::Nobody, Caller::Analyst]
            .map(|caller| get(&service, query, caller))
            .map(|reply| reply.header("ETag").map(ToOwned::to_owned));
        assert_eq!(tags[0] == tags[1], expected == shared, "{query}: equal exactly if the answers are");
    }
    let service = municipal(&Database::sqlite(), open());
    for query in ["rule=pav", "groupBy=county", "group=county:12", "weights=population"] {
        let reply = get(&service, query, Caller::Analyst).is(200);
        assert_eq!((reply.field("Cache-Control"), reply.field("Vary")), shared, "{query}");
        assert_eq!(get(&service, query, Caller::Nobody).etag(), reply.etag());
    }
    // With an open book everything is told to anyone.
    let result = result(&service, "groupBy=county");
    assert!(result["groups"].as_array().unwrap().iter().all(|group| group["withheld"] == false));
}
