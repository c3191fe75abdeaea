//! The life of a round: `draft → open → closed → certified → corrected`, by itself and step by step.

use serde_json::{Value, json};

use crate::support::{Caller, FIVE, ROUND, Reply, Service, definition, on_both_databases};

const PATH: &str = "/rounds/handslag-2026";
const LATER: &str = "2026-03-20T08:00:00+01:00";

#[track_caller]
fn patch(service: &Service, changes: &Value) -> Reply {
    service.request("PATCH", PATH).by(Caller::Manager).json(changes).send()
}

on_both_databases! {
    fn a_round_opens_and_closes_at_its_times_with_nobody_present(database: Database) {
        let service = Service::start(&database);
        service.create(&definition(json!({ "opensAt": LATER })));
        service.get(PATH).send().is(404);
        service.set_time("2026-03-20T07:59:59.999999+01:00");
        assert_eq!(service.get(PATH).by(Caller::Manager).send().is(200).json()["state"], "draft");
        service.set_time(LATER);
        let open = service.wait_for_state(ROUND, "open");
        assert_eq!(open["openedAt"], "2026-03-20T07:00:00.000000Z");
        assert_eq!(open["sequence"], 1);
        service.get(PATH).send().is(200);
        service.submit("0180", FIVE).is(201);
        // The writer slept; what was due is recorded when it wakes, and counts from then.
        service.set_time("2026-04-01T08:00:00+02:00");
        let closed = service.wait_for_state(ROUND, "closed");
        assert_eq!(closed["closedAt"], "2026-04-01T06:00:00.000000Z");
        assert_eq!(closed["sequence"], 3);
        assert_eq!(service.get(&format!("{PATH}/results")).send().is(200).json()["counted"], 1);
    }

    fn a_round_whose_opening_was_slept_through_opens_when_the_service_starts(database: Database) {
        let service = Service::start(&database);
        service.create(&definition(json!({ "opensAt": LATER })));
        let database = service.stop();
        let clock = handslag::service::Clock::at(crate::support::at("2026-03-30T08:00:00+02:00"));
        let service = Service::start_at(&database, clock);
        service.wait_for_state(ROUND, "open");
        service.submit("0180", FIVE).is(201);
    }

    fn each_step_is_taken_once_and_in_order(database: Database) {
        let service = Service::start(&database);
        service.create(&definition(json!({ "opensAt": LATER })));
        let states = ["draft", "open", "closed", "certified", "corrected"];
        for (i, state) in states.iter().enumerate() {
            let round = service.get(PATH).by(Caller::Manager).send().is(200).json();
            assert_eq!([&round["state"], &round["sequence"]], [&json!(state), &json!(i)]);
            for (j, other) in states.iter().enumerate().filter(|(j, _)| *j != i + 1) {
                let refused = patch(&service, &json!({ "state": other }));
                assert_eq!(refused.status, 409, "from {state} to {other} ({j})\n{refused}");
                refused.problem("round-state");
            }
            if let Some(next) = states.get(i + 1) {
                let round = patch(&service, &json!({ "state": next })).is(200);
                assert_eq!(round.json()["state"], **next);
            }
        }
    }

    fn an_open_round_can_be_extended_and_nothing_else_of_it_changed(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        for (member, value) in [
            ("titleSv", json!("Ny")),
            ("titleEn", json!("New")),
            ("participantKind", json!("municipality")),
            ("opensAt", json!(LATER)),
            ("picksMin", json!(4)),
            ("picksMax", json!(6)),
            ("rule", json!("dowdall")),
            ("points", json!(["9", "4", "3", "2", "1"])),
            ("cut", json!(4)),
            ("visibility", json!("after-certification")),
            ("ballotBook", json!("open")),
            ("requireCondition", json!(true)),
            ("ladder", json!(["listed"])),
            ("lotSource", json!("x")),
        ] {
            let mut change = json!({});
            change[member] = value;
            let refused = patch(&service, &change);
            assert_eq!(refused.status, 409, "{member}\n{refused}");
            let detail = refused.problem("round-state")["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(member), "{detail} names {member}");
        }
        let refused = patch(&service, &json!({ "titleSv": "Ny", "state": "closed" })).is(409);
        refused.problem("round-state");
        assert_eq!(service.get(PATH).send().is(200).json()["state"], "open", "all of it or nothing");

        for not_later in ["2026-03-31T23:59:59+02:00", "2026-03-15T08:00:00+01:00"] {
            patch(&service, &json!({ "closesAt": not_later })).is(409).problem("round-state");
        }
        let extended = patch(&service, &json!({ "closesAt": "2026-04-07T23:59:59+02:00" })).is(200).json();
        assert_eq!(extended["closesAt"], "2026-04-07T21:59:59.000000Z");
        assert_eq!(extended["sequence"], 2);
        service.set_time("2026-04-05T12:00:00+02:00");
        service.submit("0180", FIVE).is(201);
        service.set_time("2026-04-07T23:59:59+02:00");
        service.wait_for_state(ROUND, "closed");
        patch(&service, &json!({ "closesAt": "2026-05-07T23:59:59+02:00" })).is(409).problem("round-state");
    }

    fn a_round_can_be_closed_before_its_time(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let closed = service.step(ROUND, "closed");
        assert_eq!(closed["closedAt"], "2026-03-10T11:00:00.000000Z");
        service.submit("0180", FIVE).is(409).problem("round-not-open");
    }

    fn a_round_of_the_regions_is_a_round_like_any_other(database: Database) {
        let service = Service::start(&database);
        let regions = crate::support::participants(include_str!("../../fixtures/regions.csv"));
        service.open_round(json!({
            "id": "regioner-2026", "participantKind": "region", "participants": regions,
            "picksMin": 3, "picksMax": 5, "rule": "modified-borda", "visibility": "live", "ballotBook": "open",
        }));
        let round = service.get("/rounds/regioner-2026").send().is(200).json();
        assert_eq!([&round["participantCount"], &round["participantKind"]], [&json!(21), &json!("region")]);
        for (code, picks) in [("01", 5), ("12", 3)] {
            let path = format!("/rounds/regioner-2026/ballots/{code}");
            let request = service.put(&path).by(Caller::Participant(code));
            request.json(&json!({ "ranking": &FIVE[..picks] })).send().is(201);
        }
        let result = service.get("/rounds/regioner-2026/results").send().is(200).json();
        // A ballot of three picks gives three points to its first.
        assert_eq!([&result["standings"][0]["score"], &result["eligible"]], [&json!("8"), &json!(21)]);
        let path = "/rounds/regioner-2026/ballots/0180";
        let municipality = service.put(path).by(Caller::Participant("0180"));
        municipality.json(&json!({ "ranking": FIVE })).send().is(404);
    }
}

#[test]
fn a_draft_that_lacks_something_does_not_open() {
    let service = Service::start(&crate::support::Database::sqlite());
    for (id, changes, missing) in [
        ("utan-initiativ", json!({ "initiatives": [] }), "initiativ."),
        ("utan-deltagare", json!({ "participants": [] }), "deltagare."),
    ] {
        let mut definition = definition(changes);
        definition["id"] = json!(id);
        service.create(&definition);
        let step = service.request("PATCH", &format!("/rounds/{id}")).by(Caller::Manager);
        let refused = step.json(&json!({ "state": "open" })).send().is(409);
        assert!(refused.problem("round-state")["detail"].as_str().unwrap().contains(missing), "{refused}");
    }
    // Its time is past, and still it waits for what it lacks; then it opens by itself.
    let initiatives = json!({ "initiatives": crate::support::initiatives() });
    service.put("/rounds/utan-initiativ/initiatives").by(Caller::Manager).json(&initiatives).send().is(200);
    service.wait_for_state("utan-initiativ", "open");
    let late =
        json!({ "id": "for-sent", "opensAt": "2026-01-01T00:00:00Z", "closesAt": "2026-02-01T00:00:00Z" });
    service.create(&definition(late));
    let step = service.request("PATCH", "/rounds/for-sent").by(Caller::Manager);
    step.json(&json!({ "state": "open" })).send().is(409).problem("round-state");
}

#[test]
fn rounds_are_listed_by_opening_the_newest_first() {
    let service = Service::start(&crate::support::Database::sqlite());
    for (id, opens_at) in
        [("b", "2026-03-01T00:00:00Z"), ("c", "2026-01-01T00:00:00Z"), ("a", "2026-02-01T00:00:00Z")]
    {
        service.open_round(json!({ "id": id, "opensAt": opens_at }));
    }
    service.step("a", "closed");
    let listed = |query: &str| {
        let page = service.get(&format!("/rounds{query}")).send().is(200).json();
        let ids =
            page["rounds"].as_array().unwrap().iter().map(|round| round["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(""), "b a c");
    assert_eq!(listed("?state=open"), "b c");
    assert_eq!(listed("?state=closed"), "a");
    assert_eq!(listed("?limit=2&page=2"), "c");
    service.get("/rounds?state=ajar").send().is(400).problem("bad-request");
}
