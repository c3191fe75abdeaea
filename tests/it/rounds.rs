//! Rounds: making them, changing drafts, and the steps of their life.

use serde_json::{Value, json};

use crate::support::{
    Caller, FIVE, ROUND, Reply, Service, definition, initiatives, municipalities, on_both_databases,
};

const PATH: &str = "/rounds/handslag-2026";
/// Later than noon, so that the round stays a draft.
const LATER: &str = "2026-03-20T08:00:00+01:00";

#[track_caller]
fn patch(service: &Service, changes: &Value) -> Reply {
    service.request("PATCH", PATH).by(Caller::Manager).json(changes).send()
}

#[track_caller]
fn create(service: &Service, definition: &Value) -> Reply {
    service.request("POST", "/rounds").by(Caller::Manager).json(definition).send()
}

on_both_databases! {
    fn a_definition_becomes_a_draft_with_the_defaults(database: Database) {
        let service = Service::start(&database);
        let made = create(&service, &definition(json!({ "opensAt": LATER }))).is(201);
        assert_eq!(made.field("Location"), "https://handslag.example.se/handslag/v1/rounds/handslag-2026");
        let round = made.json();
        for (member, expected) in [
            ("state", json!("draft")),
            ("participantKind", json!("municipality")),
            ("opensAt", json!("2026-03-20T07:00:00.000000Z")),
            ("opensAtLocal", json!("2026-03-20T08:00:00+01:00")),
            ("closesAt", json!("2026-03-31T21:59:59.000000Z")),
            // Summer time began on the 29th.
            ("closesAtLocal", json!("2026-03-31T23:59:59+02:00")),
            ("openedAt", Value::Null),
            ("picksMin", json!(5)),
            ("picksMax", json!(5)),
            ("points", json!(["5", "4", "3", "2", "1"])),
            ("rule", json!("linear")),
            ("ruleSet", json!("handslag-2026/1")),
            ("cut", json!(3)),
            ("visibility", json!("after-close")),
            ("ballotBook", json!("analysts")),
            ("requireCondition", json!(false)),
            ("ladder", json!(["listed", "first-places", "head-to-head", "lot"])),
            ("lot", Value::Null),
            ("lotSource", Value::Null),
            ("synthetic", json!(false)),
            ("initiativeCount", json!(13)),
            ("participantCount", json!(290)),
            ("sequence", json!(0)),
            ("revision", json!(1)),
        ] {
            assert_eq!(round[member], expected, "{member}");
        }
        let read = service.get(PATH).by(Caller::Manager).send().is(200);
        assert_eq!(read.json(), round);
        assert_eq!(read.etag(), made.etag());
        create(&service, &definition(json!({}))).is(409).problem("already-exists");
        assert_eq!(service.get(PATH).by(Caller::Manager).send().is(200).json(), round);
    }

    fn a_definition_says_everything_that_is_not_the_default(database: Database) {
        let service = Service::start(&database);
        let lot: Vec<Value> =
            initiatives().as_array().unwrap().iter().rev().map(|initiative| initiative["id"].clone()).collect();
        let given = json!({
            "opensAt": LATER, "picksMin": 1, "picksMax": 3, "points": ["3", "3/2", "0"], "rule": "custom",
            "cut": 5, "visibility": "live", "ballotBook": "open", "requireCondition": true,
            "ladder": ["lot"], "lot": lot, "lotSource": "Notarius publicus",
        });
        let round = create(&service, &definition(given.clone())).is(201).json();
        for (member, value) in given.as_object().unwrap() {
            if member != "opensAt" {
                assert_eq!(round[member], *value, "{member}");
            }
        }
        let read = service.get(PATH).by(Caller::Manager).send().is(200).json();
        assert_eq!(read, round);
    }

    fn initiatives_and_roll_are_listed_as_they_were_given(database: Database) {
        let service = Service::start(&database);
        service.create(&definition(json!({ "opensAt": LATER })));
        let listed = service.get(&format!("{PATH}/initiatives")).by(Caller::Manager).send().is(200).json();
        for (given, found) in initiatives().as_array().unwrap().iter().zip(listed["initiatives"].as_array().unwrap()) {
            for member in ["id", "number", "titleSv", "titleEn", "area", "owner", "status", "source"] {
                assert_eq!(found[member], *given.get(member).unwrap_or(&Value::Null), "{member} of {given}");
            }
        }
        assert_eq!(listed["_meta"]["totalRecords"], 13);
        let path = format!("{PATH}/participants?column=county&value=12&limit=100");
        let skane = service.get(&path).by(Caller::Manager).send().is(200).json();
        assert_eq!(skane["_meta"]["totalRecords"], 33);
        let malmo = skane["participants"].as_array().unwrap().iter().find(|one| one["code"] == "1280").unwrap();
        assert_eq!([&malmo["name"], &malmo["kind"], &malmo["weight"]], ["Malmö", "municipality", "1"]);
        assert!(malmo["population"].as_u64().unwrap() > 300_000);
        assert_eq!(malmo["groups"][0], json!({ "column": "county", "value": "12", "title": "Skåne län" }));
        for half in ["column=county", "value=12"] {
            let path = format!("{PATH}/participants?{half}");
            service.get(&path).by(Caller::Manager).send().is(400).problem("bad-request");
        }
    }

    fn a_draft_is_there_for_managers_only(database: Database) {
        let service = Service::start(&database);
        service.create(&definition(json!({ "opensAt": LATER, "visibility": "live", "ballotBook": "open" })));
        for caller in [Caller::Nobody, Caller::Participant("0180"), Caller::Analyst] {
            for below in ["", "/initiatives", "/participants", "/results", "/participation"] {
                service.get(&format!("{PATH}{below}")).by(caller).send().is(404).problem("not-found");
            }
            let listed = service.get("/rounds").by(caller).send().is(200).json();
            assert_eq!(listed["rounds"], json!([]));
            let listed = service.get("/rounds?state=draft").by(caller).send().is(200).json();
            assert_eq!(listed["rounds"], json!([]));
        }
        let listed = service.get("/rounds?state=draft").by(Caller::Manager).send().is(200).json();
        assert_eq!(listed["rounds"][0]["id"], ROUND);
        service.get(&format!("{PATH}/results")).by(Caller::Manager).send().is(200);
    }

    fn a_draft_can_be_changed_in_everything(database: Database) {
        let service = Service::start(&database);
        let made = create(&service, &definition(json!({ "opensAt": LATER }))).is(201);
        let changes = json!({ "titleSv": "Ny titel", "picksMax": 3, "picksMin": 2, "cut": 4, "lotSource": "tärning" });
        let changed = patch(&service, &changes).is(200);
        assert_ne!(changed.etag(), made.etag());
        let round = changed.json();
        assert_eq!(round["revision"], 2);
        assert_eq!(round["points"], json!(["3", "2", "1"]), "the points follow the picks");
        assert_ne!(round["logHead"], made.json()["logHead"], "the head is the hash of the definition");
        for (member, value) in changes.as_object().unwrap() {
            assert_eq!(round[member], *value, "{member}");
        }
        let read = service.get(PATH).by(Caller::Manager).send().is(200).json();
        assert_eq!(read, round);
    }

    fn a_manager_who_read_an_older_round_is_told(database: Database) {
        let service = Service::start(&database);
        let first = create(&service, &definition(json!({ "opensAt": LATER }))).is(201).etag();
        let send = |method: &str, below: &str, tag: &str, body: Value| {
            let request = service.request(method, &format!("{PATH}{below}")).by(Caller::Manager);
            request.header("If-Match", tag).json(&body).send()
        };
        let second = send("PATCH", "", &first, json!({ "titleSv": "Andra" })).is(200).etag();
        for tag in [&*first, "\"x\"", "x", &format!("W/{second}")] {
            send("PATCH", "", tag, json!({ "titleSv": "Tredje" })).is(412).problem("precondition-failed");
            send("PUT", "/initiatives", tag, json!({ "initiatives": initiatives() })).is(412);
            send("PUT", "/participants", tag, json!({ "participants": municipalities() })).is(412);
        }
        let round = service.get(PATH).by(Caller::Manager).send().is(200);
        assert_eq!(round.etag(), second);
        assert_eq!(round.json()["titleSv"], "Andra");
        send("PUT", "/initiatives", &second, json!({ "initiatives": initiatives() })).is(200);
        send("PATCH", "", "*", json!({ "titleSv": "Femte" })).is(200);
    }

    fn a_draft_takes_new_initiatives_and_a_new_roll(database: Database) {
        let service = Service::start(&database);
        let bare = json!({ "opensAt": LATER, "initiatives": [], "participants": [] });
        service.create(&definition(bare));
        let put = |below: &str, body: &Value| {
            service.put(&format!("{PATH}/{below}")).by(Caller::Manager).json(body).send()
        };
        let initiatives = json!({ "initiatives": initiatives() });
        let listed = put("initiatives", &initiatives).is(200);
        assert_eq!(listed.json()["_meta"]["totalRecords"], 13);
        let listed_again = service.get(&format!("{PATH}/initiatives")).by(Caller::Manager).send().is(200);
        assert_eq!(listed_again.json(), listed.json());
        let roll = json!({ "participants": [
            { "code": "0180", "name": "Stockholm", "weight": "3/2", "population": null },
            { "code": "0114", "name": "Upplands Väsby", "groups": [{ "column": "county", "value": "01" }] },
        ] });
        let listed = put("participants", &roll).is(200).json();
        let codes: Vec<&Value> =
            listed["participants"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!(codes, ["0114", "0180"]);
        assert_eq!(listed["participants"][1]["weight"], "3/2");

        service.set_time(LATER);
        service.wait_for_state(ROUND, "open");
        put("initiatives", &initiatives).is(409).problem("round-state");
        put("participants", &roll).is(409).problem("round-state");
        service.submit("0180", FIVE).is(201);
        service.submit("1480", FIVE).is(404);
    }
}

#[test]
fn what_only_managers_see_is_not_for_shared_caches() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.create(&definition(json!({ "opensAt": LATER })));
    for below in ["", "/results", "/participation", "/initiatives", "/participants"] {
        let reply = service.get(&format!("{PATH}{below}")).by(Caller::Manager).send().is(200);
        assert!(reply.field("Cache-Control").starts_with("private"), "{below}\n{reply}");
    }
}

#[test]
fn null_takes_a_member_of_a_draft_back_to_its_default() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.create(&definition(json!({ "opensAt": LATER, "cut": 5, "lotSource": "tärning" })));
    assert_eq!(patch(&service, &json!({ "lotSource": null })).is(200).json()["lotSource"], Value::Null);
    // RFC 7396: null in a merge patch means that the member is not to be there.
    assert_eq!(patch(&service, &json!({ "cut": null })).is(200).json()["cut"], 3);
}

#[test]
fn a_definition_has_no_member_that_the_document_does_not_name() {
    let service = Service::start(&crate::support::Database::sqlite());
    // Whether ballots are made up is for the command line to say, and not for a request.
    create(&service, &definition(json!({ "synthetic": true }))).is(400).problem("bad-request");
}

#[test]
fn a_roll_may_have_eight_mebibytes() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.create(&definition(json!({ "opensAt": LATER })));
    let body = json!({ "participants": municipalities() }).to_string();
    let send = |size: usize| {
        let body = format!("{body}{}", " ".repeat(size - body.len()));
        // The client asks first, so that it is told before the connection is closed on the rest of the body.
        let request = service.put(&format!("{PATH}/participants")).by(Caller::Manager);
        request.header("Expect", "100-continue").body("application/json", &body).send()
    };
    send(8 * 1024 * 1024).is(200);
    send(8 * 1024 * 1024 + 1).is(413).problem("content-too-large");
}

#[test]
fn every_fault_of_a_definition_is_told_at_once() {
    let service = Service::start(&crate::support::Database::sqlite());
    let mut initiatives = initiatives();
    initiatives[1]["id"] = json!("Inte ett id");
    initiatives[2]["number"] = json!(1);
    initiatives[3]["titleSv"] = json!(" ");
    let body = definition(json!({
        "visibility": "sometimes", "picksMax": "fem", "opensAt": "i morgon", "rule": "condorcet",
        "initiatives": initiatives,
        "participants": [
            { "code": "018", "name": "Stockholm" },
            { "code": "1480", "name": "" },
            { "code": "1480", "name": "Göteborg", "weight": "0" },
        ],
    }));
    let reply = create(&service, &body).is(400);
    let mut places: Vec<String> = reply.faults().into_iter().map(|(place, _)| place).collect();
    places.sort();
    assert_eq!(
        places,
        [
            "#/initiatives/1/id",
            "#/initiatives/2/number",
            "#/initiatives/3/titleSv",
            "#/opensAt",
            "#/participants/0/code",
            "#/participants/1/name",
            "#/participants/2/code",
            "#/participants/2/weight",
            "#/picksMax",
            "#/rule",
            "#/visibility",
        ]
    );
    assert_eq!(service.get("/rounds").by(Caller::Manager).send().is(200).json()["rounds"], json!([]));
}

#[test]
fn members_that_do_not_fit_each_other_are_told_at_once() {
    let service = Service::start(&crate::support::Database::sqlite());
    let body = definition(json!({
        "titleSv": " ", "closesAt": "2026-03-02T08:00:00+01:00", "picksMin": 6, "picksMax": 5,
        "points": ["1", "2"], "cut": 14, "visibility": "live", "ladder": ["lot", "lot"],
        "lot": ["identitet-behorighet"], "participantKind": "region", "lotSource": "x".repeat(501),
    }));
    let reply = create(&service, &body).is(422);
    reply.problem("invalid-round");
    let mut places: Vec<String> = reply.faults().into_iter().map(|(place, _)| place).collect();
    places.sort();
    assert_eq!(
        places,
        [
            "#/closesAt",
            "#/cut",
            "#/ladder",
            "#/lot",
            "#/lotSource",
            "#/participantKind",
            "#/picksMin",
            "#/points",
            "#/titleSv",
            "#/visibility",
        ]
    );
}

/// A definition with one member changed that must be refused with this status, for this place alone.
#[track_caller]
fn refused(service: &Service, changes: &Value, status: u16, place: &str) {
    let reply = create(service, &definition(changes.clone()));
    assert_eq!(reply.status, status, "{changes}\n{reply}");
    let places: Vec<String> = reply.faults().into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [place], "{changes}");
}

#[test]
fn faults_of_members_lists_and_between_members_are_told_together() {
    let service = Service::start(&crate::support::Database::sqlite());
    let mut initiatives = crate::support::initiatives();
    initiatives[0]["id"] = json!("Not an id");
    let faulty = json!({ "initiatives": initiatives, "cut": 0, "closesAt": "2026-03-01T00:00:00+01:00" });
    let told = create(&service, &definition(faulty)).is(422).faults();
    let pointers: Vec<&str> = told.iter().map(|(pointer, _)| &**pointer).collect();
    for pointer in ["#/initiatives/0/id", "#/cut", "#/closesAt"] {
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
}

#[test]
fn a_draft_without_initiatives_has_an_empty_result_under_every_rule() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.create(&definition(json!({ "opensAt": LATER, "initiatives": [] })));
    for rule in ["linear", "borda-average", "borda-pessimistic", "dowdall"] {
        let result =
            service.get(&format!("{PATH}/results?rule={rule}")).by(Caller::Manager).send().is(200).json();
        assert_eq!(result["standings"], json!([]), "{rule}");
    }
}

#[test]
fn a_roll_has_at_most_32_columns_of_groups() {
    let service = Service::start(&crate::support::Database::sqlite());
    let person = |i: usize| json!({ "code": format!("{i:04}"), "name": "x", "groups": [{ "column": format!("c{i}"), "value": "1" }] });
    let roll = |n: usize| definition(json!({ "participants": (0..n).map(person).collect::<Vec<_>>() }));
    create(&service, &roll(33)).is(422);
    create(&service, &roll(32)).is(201);
}

#[test]
fn single_faults_of_a_definition() {
    let service = Service::start(&crate::support::Database::sqlite());
    // Live results with a closed book would let two polls show one ballot.
    refused(&service, &json!({ "visibility": "live" }), 422, "#/visibility");
    refused(&service, &json!({ "picksMax": 14 }), 422, "#/picksMax");
    // One database keeps a leap second and the other does not.
    refused(&service, &json!({ "closesAt": "2030-12-31T23:59:60Z" }), 422, "#/closesAt");
    refused(&service, &json!({ "picksMin": 0 }), 422, "#/picksMin");
    refused(&service, &json!({ "cut": 0 }), 422, "#/cut");
    refused(&service, &json!({ "points": ["5", "4", "3", "2"] }), 422, "#/points");
    refused(&service, &json!({ "rule": "approval-6" }), 422, "#/rule");
    refused(&service, &json!({ "id": "Stora bokstäver" }), 422, "#/id");
    refused(&service, &json!({ "opensAt": "2026-03-02T08:00:00" }), 422, "#/opensAt");
    refused(&service, &json!({ "closesAt": "2226-03-02T08:00:00Z" }), 422, "#/closesAt");
    refused(&service, &json!({ "titleEn": null }), 400, "#/titleEn");
    refused(&service, &json!({ "requireCondition": "ja" }), 400, "#/requireCondition");
    refused(&service, &json!({ "synthetic": "ja" }), 400, "#/synthetic");
    refused(&service, &json!({ "state": "open" }), 400, "#/state");
    refused(&service, &json!({ "färg": "blå" }), 400, "#/färg");
    let mut without = definition(json!({}));
    without.as_object_mut().unwrap().remove("closesAt");
    assert_eq!(create(&service, &without).is(400).faults()[0].0, "#/closesAt");
    for shape in [json!([]), json!({ "participants": {} }), json!({ "initiatives": [{ "id": 1 }] })] {
        create(&service, &shape).is(400).problem("bad-request");
    }
    let body = service.request("POST", "/rounds").by(Caller::Manager).body("text/plain", "{}");
    body.send().is(415).problem("unsupported-media-type");
}

#[test]
fn a_patch_comes_as_a_merge_patch_or_as_json() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.create(&definition(json!({ "opensAt": LATER })));
    let send = |media_type: &str, body: &str| {
        service.request("PATCH", PATH).by(Caller::Manager).body(media_type, body).send()
    };
    send("application/merge-patch+json", "{\"cut\":4}").is(200);
    send("application/json", "{\"cut\":5}").is(200);
    send("application/json-patch+json", "[]").is(415).problem("unsupported-media-type");
    for body in [
        "",
        "[]",
        "null",
        "{\"cut\":\"fyra\"}",
        "{\"state\":5}",
        "{\"state\":\"ajar\"}",
        "{\"x\":1}",
        "{\"id\":\"x\"}",
    ] {
        let reply = send("application/json", body);
        assert_eq!(reply.status, 400, "{body}\n{reply}");
    }
    send("application/json", "{\"cut\":14}").is(422).problem("invalid-round");
    send("application/json", &format!("{{\"titleSv\":\"{}\"}}", "x".repeat(70_000))).is(413);
    assert_eq!(service.get(PATH).by(Caller::Manager).send().is(200).json()["cut"], 5);
    service.request("PATCH", "/rounds/finns-inte").by(Caller::Manager).json(&json!({})).send().is(404);
}

#[test]
fn a_pointer_to_a_member_with_an_odd_name_can_be_followed() {
    let service = Service::start(&crate::support::Database::sqlite());
    let body = definition(json!({ "a/b~c å": 1 }));
    let refused = service.request("POST", "/rounds").by(Caller::Manager).json(&body).send().is(400);
    let pointers: Vec<String> = refused.faults().into_iter().map(|(pointer, _)| pointer).collect();
    // RFC 6901, section 3.
    assert_eq!(pointers, ["#/a~1b~0c å"]);
}
