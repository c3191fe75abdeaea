//! The audit trail, over HTTP: what is recorded and what is not, that a flood does not fill it, that it is chained and
//! cannot be changed, and that what is too old goes.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::board::{AuditTrail, Keeping, Weight};
use handslag::domain::audit::{Act, Channel, Outcome};
use handslag::service::Clock;
use handslag::store::{Conn, Store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::registered::{CREDENTIALS, Registered, ask, by_assertion};
use crate::support::{Caller, Database, FIVE, NOON, ROUND, Service, at, on_both_databases, until};

const PUT: &str = "PUT /rounds/{roundId}/ballots/{participantCode}";

/// The events that a query lets through, once there are at least so many.
#[track_caller]
fn events(service: &Service, query: &str, least: usize) -> Vec<Value> {
    until(&format!("{least} entries for {query:?}"), || {
        let page =
            service.get(&format!("/audit-entries?limit=100&{query}")).by(Caller::Manager).send().is(200);
        let entries = page.json()["auditEntries"].as_array().unwrap().clone();
        (entries.len() >= least).then(|| entries.iter().map(|entry| entry["event"].clone()).collect())
    })
}

/// Members of an event, as one value.
fn members(event: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| event[*name].clone()).collect()
}

/// All entries as the lines of the file, to the byte.
fn lines(service: &Service) -> Vec<(String, String)> {
    let reply = service.get("/audit-entries?format=ndjson").by(Caller::Manager).send().is(200);
    let line = |line: &str| {
        let (event, hash) = line.strip_prefix(r#"{"event":"#).unwrap().rsplit_once(r#","hash":""#).unwrap();
        (event.to_owned(), hash.strip_suffix(r#""}"#).unwrap().to_owned())
    };
    reply.text().lines().map(line).collect()
}

/// Keeps alike acts apart for a moment only, so that a test need not wait.
fn briefly() -> Keeping {
    Keeping { alike: Duration::from_secs(2), days: None }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn rows(store: &Store, query: &str) -> Vec<String> {
    let found: Vec<Line> = match &mut store.connect().unwrap() {
        Conn::Sqlite(conn) => sql_query(query).load(conn).unwrap(),
        Conn::Postgres(conn) => sql_query(query).load(conn).unwrap(),
    };
    found.into_iter().map(|found| found.line).collect()
}

on_both_databases! {
    fn a_caller_that_hangs_up_takes_no_record_along(database: Database) {
        let service = Service::start(&database);
        let body = json!({ "kind": "analyst", "name": "Statistik", "authMethod": "client_secret_post" });
        for round in 0..30 {
            let request = service.request("POST", "/clients").by(Caller::Manager).json(&body).send_off();
            std::thread::sleep(Duration::from_micros(150 * round));
            request.reset();
        }
        let made = || {
            let all = service.get("/clients?limit=1").by(Caller::Manager).send().is(200).json();
            all["_meta"]["totalRecords"].as_u64().unwrap()
        };
        let query = "operation=POST%20/clients&outcome=accepted";
        // What has begun goes on; when no more comes, there is an entry for each.
        let settled = until("as many entries as clients", || {
            std::thread::sleep(Duration::from_secs(1));
            let (before, entries) = (made(), events(&service, query, 0).len() as u64);
            (before == entries && before == made()).then_some(before)
        });
        assert!(settled > 0, "some were made");
    }

    fn clients_their_tokens_and_who_keeps_them_are_recorded(database: Database) {
        let client = Registered::new(&database, &["--municipality", "0180", "--secret"]);
        let service = Service::start(&database);
        client.ask(&service).is(200);
        let wrong = [CREDENTIALS, ("client_id", &client.id), ("client_secret", "another")];
        ask(&service, &wrong).is(401);
        let path = format!("/clients/{}", client.id);
        let disable = json!({ "disabled": true });
        service.request("PATCH", &path).by(Caller::Manager).json(&disable).send().is(200);
        until("the client is known as disabled", || (client.ask(&service).status == 400).then_some(()));
        let of = |name: &str, event: &Value| event["operation"] == *name;
        let seen = events(&service, "", 5);
        let who = ["client", "organisation", "targetId", "outcome", "status", "problem"];
        let made = seen.iter().find(|event| of("client create", event)).unwrap();
        let what = ["channel", "targetId", "participantCode", "outcome"];
        assert_eq!(members(made, &what), json!(["cli", client.id, "0180", "accepted"]));
        assert!(made["subject"].as_str().unwrap().starts_with("uid:"), "{made}");
        // All of it is found by the client, whether it did something or something was done to it.
        let found = events(&service, &format!("client={}", client.id), 4);
        let operations: Vec<&str> = found.iter().map(|event| event["operation"].as_str().unwrap()).collect();
        let token = "POST /oauth/token";
        let expected = ["client create", token, token, "PATCH /clients/{clientId}"];
        assert_eq!(operations[..4], expected, "{operations:?}");
        let tokens: Vec<Value> =
            seen.iter().filter(|event| of("POST /oauth/token", event)).map(|event| members(event, &who)).collect();
        assert_eq!(tokens[0], json!([client.id, "0180", client.id, "accepted", 200, null]));
        // Which client was tried, but not as who did it.
        assert_eq!(tokens[1], json!([null, null, client.id, "refused", 401, "invalid_client"]));
        let disabled = json!([client.id, "0180", client.id, "refused", 400, "unauthorized_client"]);
        assert!(tokens[2..].contains(&disabled), "{tokens:?}");
        let patched = seen.iter().find(|event| of("PATCH /clients/{clientId}", event)).unwrap();
        assert_eq!(members(patched, &["targetId", "outcome"]), json!([client.id, "accepted"]));
        assert!(!json!(seen).to_string().contains(&client.secret));
    }

    fn a_refused_token_names_the_client_that_was_tried_if_there_is_one(database: Database) {
        let [client, other] = [(); 2].map(|()| Registered::new(&database, &["--analyst"]));
        let service = Service::start(&database);
        let signed = |by: &Registered, iss: &str| {
            let mut claims = client.claims(&service);
            (claims["iss"], claims["sub"]) = (json!(iss), json!(iss));
            by.sign(&by.header().to_string(), &claims.to_string())
        };
        by_assertion(&service, &signed(&other, &client.id), &[]).is(401);
        by_assertion(&service, &signed(&other, "somebodys-writing"), &[]).is(401);
        ask(&service, &[CREDENTIALS, ("client_id", "other-writing"), ("client_secret", "x")]).is(401);
        let seen = events(&service, "operation=POST%20%2Foauth%2Ftoken", 2);
        let targets: Vec<&Value> = seen.iter().map(|event| &event["targetId"]).collect();
        assert_eq!(targets, [&json!(client.id), &Value::Null]);
        assert!(seen.iter().all(|event| event["client"].is_null()), "{seen:?}");
        assert!(!json!(events(&service, "", 2)).to_string().contains("writing"));
    }

    fn a_ballot_is_recorded_with_who_what_when_and_its_trace(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let body = json!({ "ranking": FIVE, "reference": "KS 2026/1", "comment": "Gärna snart." });
        let put = service.put(&format!("/rounds/{ROUND}/ballots/0180")).by(Caller::Participant("0180"));
        put.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")).json(&body).send().is(201);
        let found = events(&service, "participant=0180", 1);
        let expected = json!({
            "sequence": found[0]["sequence"], "at": "2026-03-10T11:00:00.000000Z", "channel": "http",
            "issuer": "https://handslag.example.se", "client": "handslag-cli", "organisation": "0180",
            "subject": "municipality:0180", "address": null, "operation": PUT, "roundId": ROUND,
            "participantCode": "0180", "targetId": null, "outcome": "accepted", "status": 201, "problem": null,
            "reason": null, "trace": trace, "count": 1, "removed": null,
        });
        assert_eq!(found, [expected]);
    }

    fn what_is_refused_is_recorded_with_its_problem(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("0180", &["finns-inte"]).is(422);
        let ballot = |code: &str| service.put(&format!("/rounds/{ROUND}/ballots/{code}")).json(&json!({ "ranking": FIVE }));
        ballot("1480").by(Caller::Participant("0180")).send().is(403);
        ballot("0180").send().is(401);
        ballot("0180").by(Caller::Token("bm9uc2Vuc2U")).send().is(401);
        service.get("/audit-entries").by(Caller::Analyst).send().is(403);
        let found = events(&service, "outcome=refused", 5);
        let told: Vec<Value> = found.iter().map(|event| {
            members(event, &["operation", "organisation", "participantCode", "status", "problem", "reason"])
        }).collect();
        assert_eq!(told, [
            json!([PUT, "0180", "0180", 422, "invalid-ballot", null]),
            json!([PUT, "0180", "1480", 403, "forbidden", null]),
            json!([PUT, null, "0180", 401, "unauthorized", null]),
            json!([PUT, null, "0180", 401, "unauthorized", "not a signed token"]),
            json!(["GET /audit-entries", null, null, 403, "forbidden", null]),
        ]);
        // Of a stranger only the address is known; of others it is not kept.
        let addresses: Vec<&Value> = found.iter().map(|event| &event["address"]).collect();
        assert_eq!(addresses, [&Value::Null, &Value::Null, &json!("127.0.0.1"), &json!("127.0.0.1"), &Value::Null]);
    }

    fn the_filters_let_through_what_they_say(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        service.set_time("2026-03-11T12:00:00+01:00");
        service.submit("1480", FIVE).is(201);
        service.submit("0180", &["finns-inte"]).is(422);
        events(&service, "outcome=refused", 1);
        for (query, count) in [
            ("participant=0180", 2),
            ("participant=0180&outcome=accepted", 1),
            ("from=2026-03-11T00:00:00Z", 2),
            ("to=2026-03-11T00:00:00Z", 2),
            ("from=2026-03-11T11:00:00Z&to=2026-03-11T11:00:00Z", 0),
            ("operation=POST%20/rounds", 1),
            ("client=handslag-cli", 4),
            ("client=annan", 0),
            ("round=handslag-2026", 4),
            ("round=annan", 0),
        ] {
            // What has been asked here is recorded too: the trail's own readings are left out.
            let found = events(&service, query, count);
            let found = found.iter().filter(|event| event["operation"] != "GET /audit-entries").count();
            assert_eq!(found, count, "{query}");
        }
        for wrong in ["from=yesterday", "outcome=maybe", "participant=018", "round=A%20B", "operation=", "who=me"] {
            service.get(&format!("/audit-entries?{wrong}")).by(Caller::Manager).send().is(400);
        }
    }

    fn pages_are_linked_and_files_hold_everything(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        for code in ["0180", "1480", "1280"] {
            service.submit(code, FIVE).is(201);
        }
        let by = "operation=PUT%20/rounds/%7BroundId%7D/ballots/%7BparticipantCode%7D";
        events(&service, by, 3);
        let page = service.get(&format!("/audit-entries?{by}&limit=2&page=2")).by(Caller::Manager).send().is(200);
        let page = page.json();
        assert_eq!(page["auditEntries"][0]["event"]["participantCode"], "1280");
        assert_eq!(page["_meta"]["totalRecords"], 3);
        let previous = page["_links"].as_array().unwrap().iter().find(|link| link["rel"] == "prev").unwrap();
        let previous = previous["href"].as_str().unwrap().split_once("/handslag/v1").unwrap().1;
        let first = service.get(previous).by(Caller::Manager).send().is(200).json();
        assert_eq!(first["auditEntries"].as_array().unwrap().len(), 2);
        for (format, head) in [("csv", "sequence,at,channel"), ("excel-csv", "\u{feff}Nr;Tid;Väg")] {
            let file = service.get(&format!("/audit-entries?{by}&format={format}")).by(Caller::Manager).send().is(200);
            assert!(file.text().starts_with(head) && file.text().lines().count() == 4, "{file}");
            assert!(file.field("Content-Disposition").contains("audit-entries.csv"));
        }
        let part = service.get(&format!("/audit-entries?{by}&format=ndjson&limit=1")).by(Caller::Manager).send();
        assert_eq!(part.is(200).text().lines().count(), 1);
    }

    fn each_entry_is_chained_to_the_one_before(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        for code in ["0180", "1480", "1280"] {
            service.submit(code, FIVE).is(201);
        }
        events(&service, "", 4);
        let mut head = [0; 32];
        let lines = lines(&service);
        assert!(lines.len() >= 4);
        for (i, (event, hash)) in lines.iter().enumerate() {
            let document: Value = serde_json::from_str(event).unwrap();
            assert_eq!(document["sequence"], i + 1);
            assert_eq!(document.to_string(), *event, "canonical: sorted members, no spaces");
            head = Sha256::new().chain_update(head).chain_update(event).finalize().into();
            assert_eq!(format!("{:064x}", num_bigint::BigUint::from_bytes_be(&head)), *hash);
        }
    }

    fn the_trail_refuses_to_be_changed(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        events(&service, "", 1);
        for statement in [
            "UPDATE audit_entries SET hash = 'x'",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_entries WHERE sequence = 1",
            "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE true
             ON CONFLICT (sequence) DO UPDATE SET hash = 'x'",
        ] {
            let refused = service.store().connect().unwrap().batch_execute(statement).unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
        }
    }

    fn a_flood_of_refusals_is_counted_and_does_not_fill_the_trail(database: Database) {
        let service = Service::start_keeping(&database, briefly());
        service.open_round(json!({}));
        for _ in 0..200 {
            service.delete(&format!("/rounds/{ROUND}/ballots/0180")).send().is(401);
        }
        let by = "outcome=refused&participant=0180";
        let sum = |events: &[Value]| events.iter().map(|event| event["count"].as_u64().unwrap()).sum::<u64>();
        let found = until("all have been counted", || {
            let found = events(&service, by, 1);
            (sum(&found) == 200).then_some(found)
        });
        assert!(found.len() < 20, "{}", found.len());
        assert_eq!(found[0]["count"], 1, "the first is told of at once");
    }

    fn many_strangers_paths_do_not_fill_the_trail_either(database: Database) {
        let service = Service::start_keeping(&database, briefly());
        service.open_round(json!({}));
        for i in 0..300 {
            service.delete(&format!("/rounds/{ROUND}/ballots/{i:04}")).send().is(401);
        }
        let counted = until("all have been counted", || {
            let found = events(&service, "outcome=refused", 1);
            let sum: u64 = found.iter().map(|event| event["count"].as_u64().unwrap()).sum();
            (sum == 300 || found.len() == 100).then_some(found)
        });
        let total = service.get("/audit-entries?outcome=refused").by(Caller::Manager).send().json()["_meta"]["totalRecords"].as_u64();
        assert!(total.unwrap() < 200 && counted.iter().any(|event| event["participantCode"].is_null()), "{total:?}");
    }

    fn results_polls_are_not_recorded_and_who_lists_ballots_is(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
        service.submit("0180", FIVE).is(201);
        service.get(&format!("/rounds/{ROUND}/results")).send().is(200);
        service.get(&format!("/rounds/{ROUND}/results")).by(Caller::Analyst).send().is(200);
        service.get(&format!("/rounds/{ROUND}/ballots/0180")).by(Caller::Participant("0180")).send().is(200);
        service.get(&format!("/rounds/{ROUND}/ballots/0180")).by(Caller::Analyst).send().is(200);
        service.get(&format!("/rounds/{ROUND}/ballots?format=csv")).by(Caller::Analyst).send().is(200);
        service.get(&format!("/rounds/{ROUND}/log-entries?format=ndjson")).by(Caller::Analyst).send().is(200);
        // Written after all of these: when it is there, they are.
        service.submit("1480", FIVE).is(201);
        let found = until("the last is there", || {
            let found = events(&service, "", 4);
            found.iter().any(|event| event["organisation"] == "1480").then_some(found)
        });
        let reads: Vec<Value> = found.iter().map(|event| members(event, &["operation", "subject"]))
            .filter(|read| read[0].as_str().unwrap().starts_with("GET") && read[0] != "GET /audit-entries").collect();
        assert_eq!(reads, [
            json!(["GET /rounds/{roundId}/ballots/{participantCode}", "analyst"]),
            json!(["GET /rounds/{roundId}/ballots", "analyst"]),
            json!(["GET /rounds/{roundId}/log-entries", "analyst"]),
        ]);
    }

    fn an_orderly_stop_writes_what_waits(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        for _ in 0..50 {
            service.delete(&format!("/rounds/{ROUND}/ballots/0180")).send().is(401);
        }
        service.submit("0180", FIVE).is(201);
        // Refusals of this minute have been counted, not written.
        let database = service.stop();
        let written = rows(&database.open(), "SELECT event AS line FROM audit_entries ORDER BY sequence");
        let events: Vec<Value> = written.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        assert_eq!(events.iter().filter(|event| event["status"] == 201 && event["organisation"] == "0180").count(), 1);
        let refused = events.iter().filter(|event| event["status"] == 401);
        assert_eq!(refused.map(|event| event["count"].as_u64().unwrap()).sum::<u64>(), 50);
    }

    fn what_is_too_old_goes_and_leaves_a_checkpoint(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        events(&service, "participant=0180", 1);
        let (_, hash) = lines(&service).into_iter().nth(1).unwrap();
        drop(service.stop());
        let count = rows(&database.open(), "SELECT CAST(count(*) AS TEXT) AS line FROM audit_entries")[0].parse::<u64>().unwrap();

        // A month later everything before is older than a week.
        let clock = Clock::at(at("2026-04-10T12:00:00+02:00"));
        let service = Service::start_keeping_at(&database, clock, Keeping { days: Some(7), ..Keeping::default() });
        let found = events(&service, "operation=audit%20prune", 1);
        assert_eq!(members(&found[0], &["channel", "outcome"]), json!(["service", "accepted"]));
        assert_eq!(found[0]["removed"]["count"], count);
        assert_eq!(found[0]["removed"]["throughSequence"], count);
        assert!(count > 2 || found[0]["removed"]["throughHash"] == *hash);
        let newest = rows(service.store(), "SELECT CAST(min(sequence) AS TEXT) AS line FROM audit_entries");
        assert_eq!(newest, [(count + 1).to_string()]);
    }

    fn what_the_trail_cannot_take_is_written_when_the_database_is_back(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        events(&service, "", 1);
        service.store().connect().unwrap().batch_execute("ALTER TABLE audit_chain RENAME TO away").unwrap();
        service.submit("0180", FIVE).is(201);
        service.submit("1480", FIVE).is(201);
        service.store().connect().unwrap().batch_execute("ALTER TABLE away RENAME TO audit_chain").unwrap();
        assert_eq!(events(&service, "participant=0180", 1).len(), 1);
        assert_eq!(events(&service, "participant=1480", 1).len(), 1);
    }
}

#[test]
fn two_instances_write_one_chain() {
    let Some(database) = Database::postgres("two_instances_write_one_chain") else { return };
    let (one, other) = (Service::start(&database), Service::start(&database));
    one.open_round(json!({}));
    until("the other has the round", || {
        let asked = other.get(&format!("/rounds/{ROUND}")).by(Caller::Manager).send();
        (asked.status == 200).then_some(())
    });
    for _ in 0..5 {
        one.submit("0180", FIVE);
        other.submit("1480", FIVE);
    }
    events(&one, "participant=0180", 5);
    events(&other, "participant=1480", 5);
    let sequences: Vec<u64> = lines(&one)
        .iter()
        .map(|(event, _)| serde_json::from_str::<Value>(event).unwrap()["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_does_not_fit_into_the_queue_is_counted_in_an_entry() {
    const ACTS: u64 = 40_000;
    let database = Database::sqlite();
    let store = database.open();
    let run = |statement: &str| store.connect().unwrap().batch_execute(statement).unwrap();
    run("ALTER TABLE audit_chain RENAME TO away");
    let clock = Clock::at(at(NOON));
    let (trail, thread) = AuditTrail::start(store.clone(), clock.clone(), Keeping::default()).unwrap();
    for _ in 0..ACTS {
        trail.record(Act::new(Channel::Service, "a test", Outcome::Accepted, clock.now()), Weight::Each);
    }
    run("ALTER TABLE away RENAME TO audit_chain");
    drop(trail);
    thread.join();
    let count = |operation: &str| {
        let of = format!("SELECT event AS line FROM audit_entries WHERE operation = '{operation}'");
        let event = |event: &String| serde_json::from_str::<Value>(event).unwrap()["count"].as_u64().unwrap();
        rows(&store, &of).iter().map(event).sum::<u64>()
    };
    let (taken, lost) = (count("a test"), count("audit lost"));
    assert_eq!(taken + lost, ACTS);
    assert!(taken > 10_000 && lost > 0, "{taken} and {lost}");
}

#[test]
fn what_is_lost_for_long_is_told_in_few_entries() {
    let database = Database::sqlite();
    let store = database.open();
    let clock = Clock::at(at(NOON));
    let (trail, thread) = AuditTrail::start(store.clone(), clock.clone(), Keeping::default()).unwrap();
    store.connect().unwrap().batch_execute("ALTER TABLE audit_chain RENAME TO away").unwrap();
    for _ in 0..10 {
        for _ in 0..20_000 {
            trail.record(Act::new(Channel::Service, "a test", Outcome::Accepted, clock.now()), Weight::Each);
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    store.connect().unwrap().batch_execute("ALTER TABLE away RENAME TO audit_chain").unwrap();
    drop(trail);
    thread.join();
    let of = "SELECT CAST(event AS TEXT) AS line FROM audit_entries WHERE operation = 'audit lost'";
    let told = rows(&store, of);
    // Ten times something was lost; what comes between two of them keeps them apart, and little does.
    assert!((1..=3).contains(&told.len()), "{told:?}");
    let count = |event: &String| serde_json::from_str::<Value>(event).unwrap()["count"].as_u64().unwrap();
    assert!(told.iter().map(count).sum::<u64>() > 100_000, "{told:?}");
}

#[test]
fn a_fault_of_the_program_does_not_end_the_trail() {
    let database = Database::sqlite();
    let store = database.open();
    // There is no such time: whoever asks for it panics, and what is too old is looked for by it.
    let clock = Clock::Manual(Arc::new(AtomicI64::new(i64::MAX)));
    let keeping = Keeping { days: Some(1), ..Keeping::default() };
    let (trail, thread) = AuditTrail::start(store.clone(), clock, keeping).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    trail.record(Act::new(Channel::Service, "a test", Outcome::Accepted, at(NOON)), Weight::Each);
    drop(trail);
    thread.join();
    assert_eq!(rows(&store, "SELECT operation AS line FROM audit_entries"), ["a test"]);
}
