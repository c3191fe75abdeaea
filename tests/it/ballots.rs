//! One participant's ballot: submitting, reading, replacing, withdrawing, submitting again.

use serde_json::{Value, json};

use crate::support::{Caller, FIVE, ROUND, Service, on_both_databases};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const STOCKHOLM: Caller<'_> = Caller::Participant("0180");

/// The five in another order.
const OTHER: &[&str] =
    &["informationssakerhet", "kompetensgemenskaper", "valfardsteknik", "sdk-socialtjanst", "juridiskt-stod"];

on_both_databases! {
    fn a_first_ballot_is_created_and_a_second_replaces_it(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let body = json!({
            "ranking": FIVE,
            "engagements": [{ "initiativeId": "valfardsteknik", "engagement": "lead" }],
            "reference": "KS 2026/12",
            "comment": "Gärna!\n\tSnart.",
        });

        let first = service.put(OWN).by(STOCKHOLM).json(&body).send().is(201);
        assert_eq!(first.etag(), "\"1\"");
        assert_eq!(first.field("Location"), format!("https://handslag.example.se/handslag/v1{OWN}"));
        let document = first.json();
        for (member, expected) in [
            ("roundId", json!(ROUND)),
            ("participantCode", json!("0180")),
            ("ranking", json!(FIVE)),
            ("engagements", body["engagements"].clone()),
            ("reference", json!("KS 2026/12")),
            ("comment", json!("Gärna!\n\tSnart.")),
            ("synthetic", json!(false)),
            ("revision", json!(1)),
            // The opening was the first entry of the log.
            ("sequence", json!(2)),
            ("acceptedAt", json!("2026-03-10T11:00:00.000000Z")),
        ] {
            assert_eq!(document[member], expected, "{member}");
        }
        assert_eq!(document["receipt"]["sequence"], document["sequence"]);
        assert_eq!(document["receipt"]["acceptedAt"], document["acceptedAt"]);

        service.set_time("2026-03-10T13:00:00+01:00");
        let second = service.put(OWN).by(STOCKHOLM).json(&json!({ "ranking": OTHER })).send().is(200);
        assert_eq!(second.etag(), "\"2\"");
        assert_eq!(second.json()["ranking"], json!(OTHER));
        assert_eq!(second.json()["reference"], Value::Null);
        assert_eq!(second.json()["sequence"], 3);
        assert_ne!(second.json()["receipt"]["entryHash"], document["receipt"]["entryHash"]);
    }

    fn what_was_accepted_is_what_is_read(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.get(OWN).by(STOCKHOLM).send().is(404).problem("not-found");
        let body = json!({ "ranking": FIVE, "comment": "å ä ö 🤝", "reference": "" });
        let accepted = service.put(OWN).by(STOCKHOLM).json(&body).send().is(201);

        for caller in [STOCKHOLM, Caller::Analyst, Caller::Manager] {
            let read = service.get(OWN).by(caller).send().is(200);
            assert_eq!(read.json(), accepted.json());
            assert_eq!(read.etag(), accepted.etag());
            assert_eq!(read.field("Cache-Control"), "no-store");
        }
        // An empty reference says nothing, and is kept as nothing.
        assert_eq!(accepted.json()["reference"], Value::Null);
        assert_eq!(accepted.json()["comment"], "å ä ö 🤝");
    }

    fn sending_the_same_ballot_twice_is_harmless(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
        let first = service.submit("0180", FIVE).is(201);
        let again = service.submit("0180", FIVE).is(200);
        assert_eq!(again.json()["ranking"], first.json()["ranking"]);
        let results = service.get("/rounds/handslag-2026/results").send().is(200).json();
        assert_eq!(results["counted"], 1);
        assert_eq!(results["standings"][0]["score"], "5");
    }

    fn a_withdrawn_ballot_is_gone_and_can_be_submitted_again(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.delete(OWN).by(STOCKHOLM).send().is(404).problem("not-found");
        service.submit("0180", FIVE).is(201);

        let withdrawn = service.delete(OWN).by(STOCKHOLM).send().is(204);
        assert_eq!(withdrawn.etag(), "\"2\"");
        service.get(OWN).by(STOCKHOLM).send().is(404).problem("not-found");
        service.get(OWN).by(Caller::Analyst).send().is(404);
        service.delete(OWN).by(STOCKHOLM).send().is(404).problem("not-found");
        let participation = service.get("/rounds/handslag-2026/participation").send().is(200).json();
        assert_eq!(participation["answered"], 0);

        let body = json!({ "ranking": OTHER });
        let again = service.put(OWN).by(STOCKHOLM).header("If-None-Match", "*").json(&body).send().is(201);
        assert_eq!(again.etag(), "\"3\"");
        assert_eq!(again.json()["ranking"], json!(OTHER));
        let read = service.get(OWN).by(STOCKHOLM).send().is(200);
        assert_eq!(read.json(), again.json());
    }

    fn revisions_are_kept_and_listed_newest_first(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let path = format!("{OWN}/revisions");
        let none = service.get(&path).by(STOCKHOLM).send().is(200).json();
        assert_eq!(none["revisions"], json!([]));
        assert_eq!(none["_meta"]["totalRecords"], 0);

        let body = json!({
            "ranking": FIVE, "comment": "Först", "reference": "KS 1",
            "engagements": [{ "initiativeId": FIVE[4], "engagement": "follow" }],
        });
        let first = service.put(OWN).by(STOCKHOLM).json(&body).send().is(201).json();
        service.submit("1480", OTHER).is(201);
        service.delete(OWN).by(STOCKHOLM).send().is(204);
        let third = service.submit("0180", OTHER).is(201).json();

        let listed = service.get(&path).by(STOCKHOLM).send().is(200).json();
        assert_eq!(listed["_meta"], json!({
            "totalRecords": 3, "page": 1, "offset": 0, "limit": 20, "count": 3,
        }));
        let [newest, withdrawal, oldest] = listed["revisions"].as_array().unwrap().as_slice() else {
            panic!("three revisions: {listed}");
        };
        assert_eq!(
            [&newest["revision"], &newest["withdrawn"], &newest["ranking"], &newest["sequence"]],
            [&json!(3), &json!(false), &json!(OTHER), &third["sequence"]],
        );
        assert_eq!(
            [&withdrawal["revision"], &withdrawal["withdrawn"], &withdrawal["ranking"]],
            [&json!(2), &json!(true), &Value::Null],
        );
        assert_eq!(
            [&oldest["comment"], &oldest["reference"], &oldest["engagements"], &oldest["entryHash"]],
            [&body["comment"], &body["reference"], &body["engagements"], &first["receipt"]["entryHash"]],
        );

        let page = service.get(&format!("{path}?page=2&limit=2")).by(Caller::Analyst).send().is(200).json();
        assert_eq!(page["revisions"], json!([oldest]));
        let beyond = service.get(&format!("{path}?page=3&limit=2")).by(STOCKHOLM).send().is(200).json();
        assert_eq!(beyond["revisions"], json!([]));
        let zeroth = service.get(&format!("{path}?page=0")).by(STOCKHOLM).send().is(200).json();
        assert_eq!(zeroth["revisions"], json!([]));
    }

    fn a_ballot_outside_the_opening_hours_is_refused_with_the_times(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        service.set_time("2026-03-31T23:59:59+02:00");
        // No waiting: the writer records the closing before it decides.
        let late = service.submit("0180", OTHER).is(409);
        let problem = late.problem("round-not-open");
        assert_eq!(problem["opensAt"], "2026-03-02T07:00:00.000000Z");
        assert_eq!(problem["closesAt"], "2026-03-31T21:59:59.000000Z");
        // To be told of the deadline is worth more than to be told of the faults.
        service.wait_for_state(ROUND, "closed");
        service.submit("0180", &[]).is(409).problem("round-not-open");
        service.delete(OWN).by(STOCKHOLM).send().is(409).problem("round-not-open");
        assert_eq!(service.get(OWN).by(STOCKHOLM).send().is(200).etag(), "\"1\"");
    }

    fn a_ballot_a_microsecond_before_the_closing_is_accepted(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.set_time("2026-03-31T23:59:58.999999+02:00");
        let accepted = service.submit("0180", FIVE).is(201).json();
        assert_eq!(accepted["acceptedAt"], "2026-03-31T21:59:58.999999Z");
    }

    fn a_clock_that_is_put_back_does_not_put_the_log_back(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let first = service.submit("0180", FIVE).is(201).json();
        service.set_time("2026-03-10T11:59:59+01:00");
        let second = service.submit("1480", FIVE).is(201).json();
        assert_eq!(second["acceptedAt"], first["acceptedAt"]);
        assert_eq!(second["sequence"], 3);
    }

    fn a_round_that_is_not_there_or_a_draft_is_not_found(database: Database) {
        let service = Service::start(&database);
        service.create(&crate::support::definition(json!({ "opensAt": "2026-03-20T08:00:00+01:00" })));
        for round in ["handslag-1999", ROUND, "Handslag-2026", "a--b", "%2e%2e"] {
            let path = format!("/rounds/{round}/ballots/0180");
            let body = json!({ "ranking": FIVE });
            service.put(&path).by(STOCKHOLM).json(&body).send().is(404).problem("not-found");
            service.get(&path).by(STOCKHOLM).send().is(404).problem("not-found");
            service.delete(&path).by(STOCKHOLM).send().is(404).problem("not-found");
        }
    }

    fn a_participant_that_is_not_on_the_roll_cannot_submit(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("9999", FIVE).is(404).problem("not-found");
        service.submit("01", FIVE).is(404).problem("not-found");
        let path = "/rounds/handslag-2026/ballots/9999";
        service.delete(path).by(Caller::Participant("9999")).send().is(404).problem("not-found");
    }
}
