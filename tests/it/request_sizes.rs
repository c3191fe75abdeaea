//! Requests that are too large, too many or too deep are refused with an answer, and never a fault of the service.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, ROUND, Raw, Service};

const SOON: Duration = Duration::from_secs(20);

fn open() -> Service {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    service
}

fn path() -> String {
    format!("/rounds/{ROUND}/ballots/0180")
}

/// A ballot's body of exactly so many bytes.
fn ballot_of(bytes: usize) -> String {
    let body = |comment: &str| json!({ "ranking": FIVE, "comment": comment }).to_string();
    let empty = body("").len();
    // White space between tokens is as good as any other byte.
    body("") + &" ".repeat(bytes - empty)
}

#[test]
fn a_body_has_so_many_bytes_and_no_more() {
    let service = open();
    let put = |body: &str| {
        service.put(&path()).by(Caller::Participant("0180")).body("application/json", body).send()
    };
    put(&ballot_of(4 * 1024)).is(201);
    put(&ballot_of(4 * 1024 + 1)).is(413).problem("content-too-large");
    put(&ballot_of(1024 * 1024)).is(413).problem("content-too-large");
}

#[test]
fn a_body_of_unknown_length_is_read_as_far_as_it_may_be() {
    let service = open();
    let token = service.token(Caller::Participant("0180")).unwrap();
    let mut raw = Raw::connect(&service);
    raw.send(format!(
        "PUT /handslag/v1{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        path()
    ));
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
    for _ in 0..100 {
        if !raw.send(&chunk) {
            break;
        }
    }
    let (status, body) = raw.answer();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &body["status"]), (413, &json!(413)));
}

#[test]
fn json_may_be_so_deep_and_no_deeper() {
    let service = open();
    for depth in [50, 127, 128, 129, 1_000, 2_000] {
        let body = format!("{{\"ranking\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let put = service.put(&path()).by(Caller::Participant("0180"));
        put.body("application/json", &body).send().is(400).problem("bad-request");
        let objects = format!("{}1{}", "{\"a\":".repeat(depth / 4), "}".repeat(depth / 4));
        let post = service.request("POST", "/rounds").by(Caller::Manager);
        post.body("application/json", &objects).send().is(400).problem("bad-request");
    }
}

#[test]
fn an_address_may_be_so_long_and_no_longer() {
    let service = open();
    let ask = |length: usize| {
        let path = "/handslag/v1/rules?";
        service.request_outside("GET", &format!("{path}{}", "a".repeat(length + 1 - path.len()))).send()
    };
    // The question mark is not counted; the parameter is one that there is not.
    ask(8 * 1024).is(400).problem("bad-request");
    ask(8 * 1024 + 1).is(414).problem("uri-too-long");
    ask(60_000).is(414).problem("uri-too-long");
}

/// The status of the answer to these bytes; there must be one, and then the connection ends.
#[track_caller]
fn check_refused(service: &Service, sent: &[u8], statuses: &[u16]) {
    let mut raw = Raw::connect(service);
    raw.send_what_is_taken(sent);
    let (status, _) = raw.answer();
    assert!(statuses.contains(&status), "{status}");
    assert!(raw.ends(SOON));
}

#[test]
fn what_the_server_below_cannot_read_is_answered_too() {
    let service = open();
    let request =
        |fields: &str| format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes();
    check_refused(&service, &request(&"X-Field: value\r\n".repeat(97)), &[431]);
    check_refused(&service, &request(&format!("X-Field: {}\r\n", "a".repeat(140_000))), &[431]);
    check_refused(&service, format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)).as_bytes(), &[400]);
    check_refused(&service, b"GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n", &[400]);
    check_refused(&service, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", &[400]);
    check_refused(&service, &request("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), &[400]);
    check_refused(&service, &request("Content-Length: -1\r\n"), &[400]);
    service.request_outside("GET", "/livez").send().is(200);
}

#[test]
fn many_header_fields_and_long_ones_are_taken_as_long_as_they_fit() {
    let service = open();
    let mut raw = Raw::connect(&service);
    raw.send(format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-Field: value\r\n".repeat(90)));
    assert_eq!(raw.answer().0, 200);
    raw.send(format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Field: {}\r\n\r\n", "a".repeat(60_000)));
    assert_eq!(raw.answer().0, 200);
    let long = "a".repeat(20_000);
    service.get("/rounds").header("Authorization", &format!("Bearer {long}")).send().is(401);
}
