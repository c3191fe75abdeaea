//! Results as a stream of events: what comes, when it ends, and that a thousand listeners are no burden.

use std::time::{Duration, Instant as Monotonic};

use handslag::http::Pace;
use handslag::identity::{Grant, Scope, Scopes, TokenIssuer};
use serde_json::{Value, json};

use crate::support::registered::{Registered, handslag};
use crate::support::{
    Caller, Database, FIVE, Listener, PUBLIC_URL, ROUND, Reply, Request, Service, definition, in_ci,
    municipality_codes, on_both_databases, until,
};

const RESULTS: &str = "/rounds/handslag-2026/results";
const EVENTS: &str = "/rounds/handslag-2026/results/events";

/// Sends without a pause and tells soon that there is nothing to tell.
const QUICK: Pace =
    Pace { heartbeat: Duration::from_millis(50), gap: Duration::from_millis(1), listeners: 100 };

/// An open round whose results anyone may see.
fn open_to_all(service: &Service) {
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
}

fn sequence(accepted: &Reply) -> u64 {
    accepted.json()["sequence"].as_u64().expect("a ballot has a sequence")
}

fn knowing<'a>(service: &'a Service, sequence: &str) -> Request<'a> {
    service.get(EVENTS).header("Last-Event-ID", sequence)
}

#[track_caller]
fn end(listener: &mut Listener) {
    assert_eq!(listener.event(), None, "nothing comes any more");
}

on_both_databases! {
    fn a_ballot_is_in_the_next_result_of_every_listener(database: Database) {
        let service = Service::start_at_pace(&database, QUICK);
        open_to_all(&service);
        let mut listeners: Vec<Listener> = (0..3).map(|_| service.get(EVENTS).listen()).collect();
        let mut newest = vec![0; listeners.len()];
        for code in municipality_codes().iter().take(20) {
            let accepted = sequence(&service.submit(code, FIVE).is(201));
            for (listener, newest) in listeners.iter_mut().zip(&mut newest) {
                for event in listener.results_until(accepted) {
                    let id = event.id.expect("a result has an id");
                    assert!(id > *newest, "{id} after {newest}");
                    *newest = id;
                }
            }
        }
        // What is sent is what is answered, byte for byte.
        let polled = service.get(RESULTS).send().is(200);
        let event = service.get(EVENTS).listen().result();
        assert_eq!(event.data.as_deref(), Some(polled.text()));
    }

    fn the_stream_ends_with_the_round(database: Database) {
        let service = Service::start_at_pace(&database, QUICK);
        open_to_all(&service);
        let mut listener = service.get(EVENTS).listen();
        let first = listener.result();
        let accepted = sequence(&service.submit("0180", FIVE).is(201));
        assert_eq!(listener.results_until(accepted).len(), 1, "after {first:?}");
        service.step(ROUND, "closed");
        let last = listener.result();
        assert_eq!(last.id, Some(accepted + 1));
        let closed = listener.event().expect("the end is told");
        assert_eq!((closed.id, closed.name.as_deref()), (last.id, Some("closed")));
        assert_eq!(closed.json(), json!({ "sequence": accepted + 1, "state": "closed" }));
        end(&mut listener);
        // Whoever has seen the end is told not to come back; others get the last result once.
        let last = (accepted + 1).to_string();
        for path in [EVENTS, RESULTS] {
            let again = service.get(path).header("Accept", "text/event-stream").header("Last-Event-ID", &last);
            again.send().is(204);
        }
        for request in [service.get(EVENTS), knowing(&service, "1"), knowing(&service, "x")] {
            let mut late = request.listen();
            assert_eq!(late.result().id, Some(accepted + 1));
            assert_eq!(late.event().expect("the end is told"), closed);
            end(&mut late);
        }
        service.step(ROUND, "certified");
        let mut late = knowing(&service, &last).listen();
        assert_eq!(late.result().json()["status"], "certified");
        assert_eq!(late.event().expect("the end is told").json()["state"], "certified");
        end(&mut late);
    }
}

#[test]
fn a_stream_begins_with_when_to_come_back_and_the_result_of_now() {
    let service = Service::start(&Database::sqlite());
    open_to_all(&service);
    let accepted = sequence(&service.submit("0180", FIVE).is(201));
    for request in [
        service.get(EVENTS),
        service.get(RESULTS).header("Accept", "text/event-stream"),
        service.get(RESULTS).header("Accept", "application/json;q=0.5, text/event-stream"),
    ] {
        let mut listener = request.listen();
        let reply = &listener.reply;
        assert_eq!(reply.field("Cache-Control"), "no-store");
        assert_eq!(reply.field("X-Accel-Buffering"), "no");
        assert!(reply.field("Vary").contains("Accept"));
        let opening = listener.block().expect("it begins");
        assert_eq!((opening.retry, opening.data), (Some(3_000), None));
        let result = listener.block().expect("the result follows");
        assert_eq!((result.id, result.name.as_deref()), (Some(accepted), Some("result")));
    }
}

#[test]
fn who_comes_back_with_the_newest_event_is_not_sent_it_again() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    open_to_all(&service);
    let accepted = sequence(&service.submit("0180", FIVE).is(201));
    let mut listener = knowing(&service, &accepted.to_string()).listen();
    let opening = listener.block().expect("it begins");
    assert_eq!((opening.comment.as_deref(), opening.data), (Some("unchanged"), None));
    let next = sequence(&service.submit("0114", FIVE).is(201));
    assert_eq!(listener.result().id, Some(next));
    // An older one, a later one than there is, and what is no number: the result of now.
    for known in ["1", "999999", "-1", "", "+2x"] {
        assert_eq!(knowing(&service, known).listen().result().id, Some(next), "{known:?}");
    }
}

#[test]
fn many_quick_ballots_are_few_results_and_the_last_is_the_newest() {
    let pace = Pace { gap: Duration::from_secs(1), ..Pace::default() };
    let service = Service::start_at_pace(&Database::sqlite(), pace);
    open_to_all(&service);
    let mut listener = service.get(EVENTS).listen();
    let began = std::time::Instant::now();
    let codes = municipality_codes();
    let newest = codes.iter().take(100).map(|code| sequence(&service.submit(code, FIVE).is(201))).max();
    let results = listener.results_until(newest.expect("some have answered"));
    // One at once, one for each second that has begun, and the one that was waited for.
    let most = 2 + began.elapsed().as_secs() + 1;
    assert!(results.len() as u64 <= most, "{} results, {most} at most", results.len());
    assert_eq!(results.last().and_then(|result| result.id), newest);
    assert_eq!(results.last().map(|result| result.json()["counted"].clone()), Some(json!(100)));
}

#[test]
fn silence_is_broken_by_heartbeats() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    open_to_all(&service);
    let mut listener = service.get(EVENTS).listen();
    listener.result();
    for _ in 0..5 {
        let block = listener.block().expect("it goes on");
        assert_eq!(block.comment.as_deref(), Some("heartbeat"));
    }
}

#[test]
fn a_stream_takes_no_parameters_and_has_one_form() {
    let service = Service::start(&Database::sqlite());
    open_to_all(&service);
    for (query, name) in [("rule=dowdall", "rule"), ("format=json", "format"), ("x=1", "x")] {
        let refused = service.get(&format!("{EVENTS}?{query}")).send().is(400);
        assert_eq!(refused.faults(), [(name.to_owned(), "unknown-parameter".to_owned())]);
    }
    let by_accept =
        |query: &str| service.get(&format!("{RESULTS}?{query}")).header("Accept", "text/event-stream").send();
    by_accept("rule=dowdall").is(400).problem("bad-request");
    // The format by name goes before `Accept`.
    assert_eq!(by_accept("format=csv").is(200).field("Content-Type").split(';').next(), Some("text/csv"));
    let refused = service.get(EVENTS).header("Accept", "application/json").send().is(406);
    assert!(refused.problem("not-acceptable")["detail"].as_str().unwrap().contains("text/event-stream"));
    for accept in ["*/*", "text/*", "text/event-stream, */*;q=0.1"] {
        service.get(EVENTS).header("Accept", accept).listen().result();
    }
    // A table is what there was for these words before there were streams.
    let table = service.get(RESULTS).header("Accept", "text/*").send().is(200);
    assert!(table.field("Content-Type").starts_with("text/csv"));
    let head = service.request("HEAD", EVENTS).send().is(200);
    assert_eq!(head.field("Content-Type"), "text/event-stream");
    service.get("/rounds/finns-inte/results/events").send().is(404).problem("not-found");
}

#[test]
fn a_stream_that_needs_a_token_ends_with_it() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    service.open_round(json!({}));
    let mut needed = service.get(EVENTS).by(Caller::Analyst).listen();
    assert_eq!(needed.result().id, Some(1));
    // Fourteen minutes on it is still good, and a result comes.
    service.set_time("2026-03-10T12:14:00+01:00");
    service.submit("0180", FIVE).is(201);
    assert_eq!(needed.result().id, Some(2));
    service.set_time("2026-03-10T12:15:31+01:00");
    end(&mut needed);
}

#[test]
fn a_stream_of_a_client_that_is_disabled_ends_at_once() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    // Heartbeats come every fifteen seconds: nothing but the disabling wakes it.
    let service = Service::start(&database);
    service.open_round(json!({}));
    let token = client.token(&service);
    let mut listener = service.get(EVENTS).by(Caller::Token(&token)).listen();
    listener.result();
    let began = Monotonic::now();
    handslag(&database, &["client", "disable", &client.id]);
    end(&mut listener);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_stream_that_needs_no_token_outlives_it() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    open_to_all(&service);
    let mut listener = service.get(EVENTS).by(Caller::Analyst).listen();
    listener.result();
    service.set_time("2026-03-10T13:00:00+01:00");
    for _ in 0..3 {
        listener.block().expect("it goes on");
    }
    let accepted = sequence(&service.submit("0180", FIVE).is(201));
    assert_eq!(listener.result().id, Some(accepted));
}

#[test]
fn a_draft_is_listened_to_by_its_managers() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    service.create(&crate::support::definition(json!({ "opensAt": "2026-03-20T08:00:00+01:00" })));
    service.get(EVENTS).send().is(404);
    let mut listener = service.get(EVENTS).by(Caller::Manager).listen();
    assert_eq!(listener.result().id, Some(0));
    service.step(ROUND, "open");
    assert_eq!(listener.result().id, Some(1));
}

#[test]
fn what_the_rule_cannot_count_is_an_event_and_not_the_end() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    let initiative =
        |id: &str| json!({ "id": id, "number": id.len(), "titleSv": id, "titleEn": id, "status": "example" });
    service.open_round(json!({
        "visibility": "live", "ballotBook": "open", "initiatives": [initiative("a"), initiative("bb")],
        "picksMax": 1, "cut": 1, "rule": "irv", "ladder": [],
    }));
    service.submit("0114", &["a"]).is(201);
    service.submit("0115", &["bb"]).is(201);
    let refused = service.get(RESULTS).send().is(400);
    assert_eq!(refused.faults(), [("ladder".to_owned(), "undecided".to_owned())]);
    let mut listener = service.get(EVENTS).listen();
    let refusal = listener.event().expect("it begins");
    assert_eq!((refusal.id, refusal.name.as_deref()), (Some(3), Some("refusal")));
    let told = &refusal.json()["errors"][0];
    assert_eq!(told["code"], "undecided");
    assert!(told["detailSv"].is_string() && told["detailEn"].is_string(), "{told}");
    // The next ballot decides.
    service.submit("0117", &["a"]).is(201);
    assert_eq!(listener.result().json()["standings"][0]["initiativeId"], "a");
}

#[test]
fn a_listener_too_many_is_told_to_come_back_later() {
    let service = Service::start_at_pace(&Database::sqlite(), Pace { listeners: 2, ..QUICK });
    open_to_all(&service);
    let mut first = service.get(EVENTS).listen();
    let mut second = service.get(EVENTS).listen();
    let refused = service.get(EVENTS).send().is(503);
    refused.problem("unavailable");
    assert_eq!(refused.field("Retry-After"), "30");
    service.request("HEAD", EVENTS).send().is(200);
    first.result();
    second.result();
    drop(first);
    // That somebody has gone is seen when something is sent.
    until("there is a place again", || (service.get(EVENTS).send().status == 200).then_some(()));
    assert!(second.block().is_some());
}

/// The number of threads of a process.
fn threads(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("it has threads");
    line.trim().parse().expect("a number")
}

#[test]
fn a_thousand_listeners_all_get_the_newest_result_and_no_thread_each() {
    let service = Service::start_program(&Database::sqlite());
    let now = service.now();
    service.open_round(json!({
        "visibility": "live", "ballotBook": "open",
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    service.get(EVENTS).listen().result();
    service.submit("0114", FIVE).is(201);
    let before = threads(service.process());
    let mut listeners: Vec<Listener> =
        (0..if in_ci() { 1_000 } else { 50 }).map(|_| service.get(EVENTS).listen()).collect();
    for listener in &mut listeners {
        listener.result();
    }
    let accepted = sequence(&service.submit("0180", FIVE).is(201));
    let newest: Vec<Value> = listeners
        .iter_mut()
        .map(|listener| listener.results_until(accepted).pop().expect("at least one").json())
        .collect();
    let after = threads(service.process());
    assert!(newest.iter().all(|result| *result == newest[0]), "all get the same");
    assert_eq!(newest[0]["counted"], 2);
    // A few threads make results beside the workers and go to sleep; their number is not that of the listeners.
    assert!(after <= before + 16, "{before} threads with one listener, {after} with {}", listeners.len());
    let polled = service.get(RESULTS).send().is(200).json();
    assert_eq!(polled, newest[0]);
}

#[test]
fn with_a_closed_book_neighbouring_results_are_for_those_who_may_list_ballots() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    service.open_round(json!({ "ballotBook": "analysts", "visibility": "after-close" }));
    let token = |scopes: &[Scope]| {
        let grant = Grant { subject: "test".into(), scopes: Scopes::of(scopes), participant: None };
        TokenIssuer { issuer: PUBLIC_URL, key: service.key() }.issue(&grant, service.now())
    };
    let sees = token(&[Scope::ResultsRead]);
    let lists = token(&[Scope::ResultsRead, Scope::BallotsList]);
    service.get(RESULTS).by(Caller::Token(&sees)).send().is(200);
    for path in [EVENTS, RESULTS] {
        let stream = service.get(path).header("Accept", "text/event-stream");
        stream.clone().send().is(401).problem("unauthorized");
        let refused = stream.clone().by(Caller::Token(&sees)).send().is(403);
        assert_eq!(refused.problem("forbidden")["scope"], "ballots.list");
        assert_eq!(stream.by(Caller::Token(&lists)).listen().result().id, Some(1));
    }
    // After the closing there is one result, and it is for everybody.
    service.step(ROUND, "closed");
    assert_eq!(service.get(EVENTS).listen().result().id, Some(2));
}

#[test]
fn a_stream_of_a_draft_ends_when_its_book_is_closed_to_the_listener() {
    let service = Service::start_at_pace(&Database::sqlite(), QUICK);
    let draft = json!({
        "opensAt": "2026-03-20T08:00:00+01:00", "ballotBook": "open", "visibility": "after-close",
    });
    service.create(&definition(draft));
    let scopes = Scopes::of(&[Scope::ResultsRead, Scope::RoundsAdmin]);
    let grant = Grant { subject: "test".into(), scopes, participant: None };
    let token = TokenIssuer { issuer: PUBLIC_URL, key: service.key() }.issue(&grant, service.now());
    let mut listener = service.get(EVENTS).by(Caller::Token(&token)).listen();
    assert_eq!(listener.block().expect("it begins").retry, Some(3_000));
    let closed = json!({ "ballotBook": "analysts" });
    service.request("PATCH", "/rounds/handslag-2026").by(Caller::Manager).json(&closed).send().is(200);
    service.step(ROUND, "open");
    let told: Vec<u64> = std::iter::from_fn(|| listener.event()).filter_map(|event| event.id).collect();
    assert!(told.iter().all(|sequence| *sequence == 0), "nothing from the opening on: {told:?}");
}
