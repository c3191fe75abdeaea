//! Those who send or read a byte now and then: they are let go, and hold nobody up meanwhile.

use std::time::{Duration, Instant};

use handslag::config::{Edge, Limits, Patience};
use serde_json::json;

use crate::support::{Caller, Database, FIVE, ROUND, Raw, Service};

/// How long this service waits for anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it may take until somebody who is too slow has been let go: much more, since machines are busy.
const SOON: Duration = Duration::from_secs(20);
/// How slow somebody is who never pauses for long.
const PAUSE: Duration = Duration::from_millis(100);

fn impatient() -> Service {
    let patience = Patience { head: PATIENCE, body: PATIENCE, write: PATIENCE };
    Service::start_behind(&Database::sqlite(), Edge { patience, limits: Limits::off(), ..Edge::default() })
}

const REQUEST: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Header fields without an end.
fn endless() -> Vec<u8> {
    format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{}", "X-Field: value\r\n".repeat(60)).into_bytes()
}

#[test]
fn header_fields_that_dribble_are_408() {
    let service = impatient();
    let mut slow = Raw::connect(&service);
    slow.dribble(&endless()[..30], PAUSE);
    assert_eq!(slow.answer().0, 408);
    assert!(slow.ends(SOON));
}

#[test]
fn whoever_connects_and_says_nothing_is_let_go() {
    assert!(Raw::connect(&impatient()).ends(SOON));
}

#[test]
fn header_fields_of_a_later_request_may_not_dribble_either() {
    let service = impatient();
    let mut slow = Raw::connect(&service);
    for _ in 0..3 {
        slow.send(REQUEST);
        assert_eq!(slow.answer().0, 200);
    }
    let began = Instant::now();
    slow.dribble(&endless(), PAUSE);
    assert!(slow.ends(SOON));
    assert!(began.elapsed() >= PATIENCE, "whoever is only a little slow is waited for");
}

#[test]
fn a_body_that_dribbles_is_408_and_nothing_is_stored() {
    let service = impatient();
    service.open_round(json!({}));
    let path = format!("/rounds/{ROUND}/ballots/0180");
    let request = service.put(&path).by(Caller::Participant("0180")).json(&json!({ "ranking": FIVE }));
    let began = Instant::now();
    let unfinished = request.send_partly(5);
    let reply = unfinished.reply().is(408);
    reply.problem("request-timeout");
    assert!(began.elapsed() >= PATIENCE);
    service.get(&path).by(Caller::Participant("0180")).send().is(404);
    request.send().is(201);
}

#[test]
fn a_form_that_dribbles_is_408_too() {
    let service = impatient();
    let mut slow = Raw::connect(&service);
    let head = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n";
    slow.send(format!("{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n"));
    let began = Instant::now();
    slow.dribble(&[b'a'; 600], PAUSE);
    let (status, text) = slow.answer();
    let text = String::from_utf8(text).unwrap();
    assert!(status == 408 && text.contains("\"error\":\"invalid_request\""), "{status} {text}");
    assert!(began.elapsed() >= PATIENCE);
    assert!(slow.ends(SOON));
}

#[test]
fn a_body_that_nobody_reads_does_not_keep_a_connection() {
    let service = impatient();
    service.open_round(json!({}));
    let mut slow = Raw::connect(&service);
    let head = format!("PUT /handslag/v1/rounds/{ROUND}/ballots/0180 HTTP/1.1\r\nHost: localhost\r\n");
    slow.send(head + "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n");
    // Nobody reads the body of a stranger.
    assert_eq!(slow.answer().0, 401);
    for _ in 0..100 {
        if !slow.send("1\r\n \r\n") {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    assert!(slow.ends(SOON));
}

/// So many requests that their answers fit into no buffer of the system, and how long the answers are at least.
fn many(service: &Service) -> (Vec<u8>, usize) {
    let path = "/handslag/v1/openapi.yaml";
    let length = service.request_outside("GET", path).send().is(200).body.len();
    let count = 64 * 1024 * 1024 / length;
    (format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(count).into_bytes(), count * length)
}

#[test]
fn whoever_takes_nothing_of_an_answer_is_let_go() {
    let service = impatient();
    let (requests, length) = many(&service);
    let mut slow = Raw::connect(&service);
    slow.send_what_is_taken(&requests);
    let began = Instant::now();
    let mut refused = false;
    while !refused && began.elapsed() < SOON {
        std::thread::sleep(PAUSE);
        // Nothing is read; that the connection is gone is seen by what it takes.
        refused = !slow.send("G");
    }
    assert!(refused, "the connection is still open");
    let mut taken = 0;
    while let Some(bytes) = slow.read(1024 * 1024, SOON) {
        taken += bytes.len();
    }
    assert!(taken < length, "{taken} bytes of {length} had been kept for it");
    service.request_outside("GET", "/livez").send().is(200);
}

#[test]
fn whoever_takes_an_answer_slowly_but_steadily_is_waited_for() {
    let service = impatient();
    let (requests, length) = many(&service);
    let mut slow = Raw::connect(&service);
    slow.send_what_is_taken(&requests);
    let (began, mut taken) = (Instant::now(), 0);
    while began.elapsed() < 4 * PATIENCE {
        let bytes = slow.read(256 * 1024, SOON).expect("the connection is kept");
        taken += bytes.len();
        std::thread::sleep(PAUSE / 2);
    }
    assert!((1..length).contains(&taken), "{taken}");
}

#[test]
fn a_listener_is_not_slow_and_neither_is_a_pause_between_two_requests() {
    let service = impatient();
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let mut listener = service.get(&format!("/rounds/{ROUND}/results/events")).listen();
    listener.result();
    let mut idle = Raw::connect(&service);
    idle.send(REQUEST);
    assert_eq!(idle.answer().0, 200);
    std::thread::sleep(3 * PATIENCE);
    idle.send(REQUEST);
    assert_eq!(idle.answer().0, 200, "a connection is kept for five seconds");
    service.submit("0180", FIVE).is(201);
    assert_eq!(listener.result().json()["counted"], 1);
}

#[test]
fn hundreds_of_slow_ones_hold_nobody_up() {
    let service = impatient();
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let mut slow: Vec<Raw> = (0..300).map(|_| Raw::connect(&service)).collect();
    let endless = endless();
    for byte in &endless[..15] {
        for connection in &mut slow {
            connection.send([*byte]);
        }
        service.submit("0180", FIVE);
        service.get(&format!("/rounds/{ROUND}/results")).send().is(200);
        std::thread::sleep(PAUSE);
    }
    assert!(slow.iter_mut().all(|connection| connection.ends(SOON)), "all of them are let go");
}
