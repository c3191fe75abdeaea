//! What the service tells its monitoring: that it moves with what it counts, and that nothing of a caller is in it.

#![expect(clippy::float_cmp, reason = "what is counted is whole, and a number of this size is exact")]

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::support::metrics::{Metrics, Monitor, start_measured};
use crate::support::{Caller, Database, FIVE, ROUND, Service, on_both_databases, until};

const RESULTS: &str = "/rounds/handslag-2026/results";

fn open(database: &Database) -> (Service, Monitor) {
    let (service, monitor) = start_measured(database);
    let now = service.now();
    service.open_round(json!({
        "visibility": "live", "ballotBook": "open",
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    (service, monitor)
}

fn requests(method: &str, path: &str, status: &str) -> String {
    let labels = format!("method=\"{method}\",route=\"/handslag/v1{path}\",status=\"{status}\"");
    format!("handslag_http_requests_total{{{labels}}}")
}

/// Checks how much each series has grown.
#[track_caller]
fn grown(before: &Metrics, after: &Metrics, expected: &[(&str, f64)]) {
    let found: Vec<_> = expected.iter().map(|&(series, _)| (series, after.since(before, series))).collect();
    assert_eq!(found, expected, "\n{}", after.text);
}

on_both_databases! {
    fn ballots_are_counted_as_they_are_decided_on(database: Database) {
        let (service, monitor) = open(&database);
        let before = monitor.look();
        let path = format!("/rounds/{ROUND}/ballots/0180");
        let stockholm = || service.put(&path).by(Caller::Participant("0180"));
        let good = json!({ "ranking": FIVE });
        stockholm().json(&good).send().is(201);
        stockholm().json(&good).send().is(200);
        service.delete(&path).by(Caller::Participant("0180")).send().is(204);
        service.submit("0114", FIVE).is(201);
        let twice = [FIVE[0], FIVE[0], "nothing-of-that-name", FIVE[1]];
        stockholm().json(&json!({ "ranking": twice })).send().is(422).problem("invalid-ballot");
        stockholm().header("If-Match", "\"9\"").json(&good).send().is(412);
        service.put(&path).by(Caller::Participant("0114")).json(&good).send().is(403);
        service.put(&path).json(&good).send().is(401);
        service.put(&path).by(Caller::Token("not.a.token")).json(&good).send().is(401);
        let after = monitor.look();
        grown(&before, &after, &[
            ("handslag_ballots_accepted_total{kind=\"first\"}", 2.0),
            ("handslag_ballots_accepted_total{kind=\"replacing\"}", 1.0),
            ("handslag_ballots_accepted_total{kind=\"withdrawal\"}", 1.0),
            ("handslag_ballots_refused_total{reason=\"invalid-ballot\"}", 1.0),
            ("handslag_ballots_refused_total{reason=\"precondition-failed\"}", 1.0),
            ("handslag_ballots_refused_total{reason=\"forbidden\"}", 1.0),
            ("handslag_ballots_refused_total{reason=\"unauthorized\"}", 2.0),
            ("handslag_ballots_refused_total{reason=\"not-found\"}", 0.0),
            ("handslag_ballot_faults_total{code=\"ranked-twice\"}", 1.0),
            ("handslag_ballot_faults_total{code=\"unknown-initiative\"}", 1.0),
            ("handslag_http_problems_total{type=\"unauthorized\"}", 2.0),
            ("handslag_tokens_refused_total{reason=\"form\"}", 1.0),
            // Four that were accepted, and the one whose condition did not hold.
            ("handslag_writer_commit_duration_seconds_count", 5.0),
            ("handslag_writer_batch_size_count", 5.0),
            ("handslag_writer_batch_size_sum", 5.0),
            ("handslag_writer_queue_length", 0.0),
            ("handslag_board_sequence{round=\"handslag-2026\"}", 4.0),
            ("handslag_round_ballots{round=\"handslag-2026\"}", 1.0),
        ]);
    }

    fn what_stands_is_told_as_it_stands(database: Database) {
        let (service, monitor) = open(&database);
        service.submit("0180", FIVE).is(201);
        let mut listener = service.get("/rounds/handslag-2026/results/events").listen();
        listener.result();
        monitor.wait_for("handslag_listeners", 1.0);
        drop(listener);
        // That it is gone is seen when something is sent to it.
        until("nobody listens", || {
            service.submit("0114", FIVE);
            (monitor.look().count("handslag_listeners") == 0.0).then_some(())
        });
        let now = monitor.look();
        for part in ["database", "migrations", "writer", "follower", "register"] {
            assert_eq!(now.get(&format!("handslag_part_well{{part=\"{part}\"}}")), Some(1.0));
        }
        assert_eq!(now.get("handslag_ready"), Some(1.0));
        assert_eq!(now.get("handslag_writer_queue_places"), Some(1_024.0));
        assert_eq!(now.get("handslag_database_connections_max"), Some(8.0));
        for age in ["handslag_board_age_seconds", "handslag_register_age_seconds", "handslag_audit_age_seconds"] {
            assert!(now.get(age).is_some_and(|age| age < 5.0), "{}", now.text);
        }
        let seconds = |moment: handslag::domain::Instant| {
            f64::from(u32::try_from(moment.utc().timestamp()).unwrap())
        };
        let present = seconds(service.now());
        let closes = now.count("handslag_round_closes_timestamp_seconds{round=\"handslag-2026\"}");
        assert!((3_500.0..=3_600.0).contains(&(closes - present)), "{closes}, and it is {present}");
        let changed = now.count("handslag_board_timestamp_seconds{round=\"handslag-2026\"}");
        assert!((0.0..60.0).contains(&(present - changed)), "{changed}, and it is {present}");
        let started = now.count("process_start_time_seconds");
        assert!((0.0..60.0).contains(&(present - started)), "{started}, and it is {present}");
        assert!(now.count("process_open_fds") > 5.0 && now.count("process_threads") > 4.0, "{}", now.text);
        let kind = if database.is_sqlite() { "sqlite" } else { "postgres" };
        let version = env!("CARGO_PKG_VERSION");
        let info = format!("handslag_build_info{{database=\"{kind}\",version=\"{version}\"}}");
        assert_eq!(now.get(&info), Some(1.0));
        service.step(ROUND, "closed");
        let after = monitor.look();
        assert_eq!(after.get("handslag_round_closes_timestamp_seconds{round=\"handslag-2026\"}"), None);
    }

    fn what_another_process_writes_moves_the_board_of_this_one(database: Database) {
        let (service, _) = open(&database);
        let (_second, monitor) = start_measured(&database);
        let before = monitor.look();
        for code in ["0180", "0114"] {
            service.submit(code, FIVE).is(201);
        }
        let sequence = "handslag_board_sequence{round=\"handslag-2026\"}";
        monitor.wait_for(sequence, before.count(sequence) + 2.0);
        let after = monitor.look();
        assert_eq!(after.count("handslag_ballots_accepted_total{kind=\"first\"}"), 0.0, "{}", after.text);
    }
}

#[test]
fn requests_are_counted_by_method_route_and_kind_of_status() {
    let (service, monitor) = open(&Database::sqlite());
    let before = monitor.look();
    for _ in 0..3 {
        service.get(RESULTS).send().is(200);
    }
    let tag = service.get(RESULTS).send().is(200).etag();
    service.get(RESULTS).header("If-None-Match", &tag).send().is(304);
    service.request("HEAD", RESULTS).send().is(200);
    service.request("OPTIONS", RESULTS).send().is(204);
    service.request("POST", RESULTS).send().is(405);
    service.get("/rounds/another/results").send().is(404);
    service.get("/nothing").send().is(404);
    service.request_outside("GET", "/livez").send().is(200);
    let after = monitor.look();
    let results = "/rounds/{roundId}/results";
    grown(
        &before,
        &after,
        &[
            (&*requests("GET", results, "2xx"), 4.0),
            (&*requests("GET", results, "3xx"), 1.0),
            (&*requests("GET", results, "4xx"), 1.0),
            (&*requests("HEAD", results, "2xx"), 1.0),
            (&*requests("OPTIONS", results, "2xx"), 1.0),
            (&*requests("POST", results, "4xx"), 1.0),
            ("handslag_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"}", 1.0),
            ("handslag_http_requests_total{method=\"GET\",route=\"/livez\",status=\"2xx\"}", 1.0),
            ("handslag_http_problems_total{type=\"not-found\"}", 2.0),
            ("handslag_http_problems_total{type=\"method-not-allowed\"}", 1.0),
        ],
    );
    let timed = "{method=\"GET\",route=\"/handslag/v1/rounds/{roundId}/results\"}";
    let count = format!("handslag_http_request_duration_seconds_count{timed}");
    assert_eq!(after.since(&before, &count), 6.0, "{}", after.text);
    assert!(after.since(&before, &format!("handslag_http_request_duration_seconds_sum{timed}")) > 0.0);
}

#[test]
fn nothing_that_a_caller_writes_is_in_a_label_or_makes_one() {
    let (service, monitor) = open(&Database::sqlite());
    let strange = |i: u32| {
        service.get(&format!("/hemlig-{i}")).send().is(404);
        service.get(&format!("/rounds/hemlig-{i}/results?hemlig={i}")).send().is(400);
        service.get(&format!("/rounds/hemlig-{i}/ballots/{i:04}")).by(Caller::Analyst).send().is(404);
        service.request(&format!("HEMLIG{i}"), "/rounds").send().is(405);
        service.get(&format!("/rules/hemlig-{i}")).by(Caller::Token(&format!("hemlig.{i}.x"))).send().is(401);
        service.get("/rounds").header("User-Agent", &format!("hemlig-{i}")).send().is(200);
        let body = json!({ "ranking": [format!("hemlig-{i}")] });
        let path = format!("/rounds/{ROUND}/ballots/0180");
        service.put(&path).by(Caller::Participant("0180")).json(&body).send().is(422);
    };
    strange(0);
    service.submit("0180", FIVE).is(201);
    let names = |metrics: &Metrics| metrics.series.keys().cloned().collect::<BTreeSet<_>>();
    let before = monitor.look();
    (1..60).for_each(strange);
    service.submit("0114", FIVE).is(201);
    let after = monitor.look();
    assert_eq!(names(&after), names(&before));
    let text = after.text.to_lowercase();
    for secret in ["hemlig", "0180", "0114", "municipality", "eyj"] {
        assert!(!text.contains(secret), "{secret} is told:\n{}", after.text);
    }
    assert!(
        after.count(
            "handslag_http_requests_total{method=\"other\",route=\"/handslag/v1/rounds\",status=\"4xx\"}"
        ) >= 60.0
    );
}

#[test]
fn what_waits_for_the_writer_is_seen_waiting() {
    let database = Database::sqlite();
    let (service, monitor) = open(&database);
    let service = &service;
    let mut other = service.store().connect().unwrap();
    let taken = monitor.look().count("handslag_writer_batch_size_count");
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let submit = |code| scope.spawn(move || service.submit(code, FIVE).is(201));
        submit("0180");
        // The first is with the writer, who waits for us.
        monitor.wait_for("handslag_writer_batch_size_count", taken + 1.0);
        let _waiting = ["0114", "0115", "0117"].map(submit);
        monitor.wait_for("handslag_writer_queue_length", 3.0);
        other.batch_execute("ROLLBACK").unwrap();
    });
    let after = monitor.look();
    assert_eq!(after.get("handslag_writer_queue_length"), Some(0.0));
    assert_eq!(after.count("handslag_writer_batch_size_count"), taken + 2.0, "three at once");
}

#[test]
fn the_port_has_nothing_else_and_the_api_has_no_metrics() {
    let (service, monitor) = open(&Database::sqlite());
    let (status, media, text) = monitor.ask("GET", "/metrics");
    assert_eq!((status, &*media), (200, "text/plain; version=0.0.4; charset=utf-8"));
    assert!(text.contains("# TYPE handslag_http_requests_total counter\n"), "{text}");
    assert_eq!(monitor.ask("HEAD", "/metrics").0, 200);
    for (method, path) in
        [("POST", "/metrics"), ("GET", "/"), ("GET", "/handslag/v1/rounds"), ("GET", "/livez")]
    {
        assert!((404..=405).contains(&monitor.ask(method, path).0), "{method} {path}");
    }
    service.request_outside("GET", "/metrics").send().is(404);
}

#[test]
fn without_the_setting_there_is_no_other_port() {
    let database = Database::sqlite();
    let service = Service::start_program(&database);
    service.request_outside("GET", "/livez").send().is(200);
    let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
    assert!(log.contains("listening") && !log.contains("metrics are told"), "{log}");
}

#[test]
fn metrics_are_told_until_the_last_request_is_finished() {
    let (service, monitor) = open(&Database::sqlite());
    let body = json!({ "ranking": FIVE });
    let request = service.put(&format!("/rounds/{ROUND}/ballots/0180"));
    let mut slow = request.by(Caller::Participant("0180")).json(&body).send_partly(5);
    // Every worker has answered somebody who came later: the slow one has begun.
    for _ in 0..2 * std::thread::available_parallelism().unwrap().get() {
        service.get("/rounds").send_off().reply().is(200);
    }
    service.signal("TERM");
    monitor.wait_for("handslag_ready", 0.0);
    slow.finish(&body.to_string().as_bytes()[body.to_string().len() - 5..]);
    slow.reply().is(201);
    assert_eq!(service.ended(), Some(0));
}
