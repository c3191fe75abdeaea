//! Where one message ends and the next begins: what can be read in two ways is refused, and the connection ends, so that
//! no request travels hidden in another's body.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::{Database, Service};

const PATH: &str = "/handslag/v1/rounds/handslag-2026/ballots/0180";
/// What would be the hidden request; its answer is known by its status.
const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// All that is answered to these bytes until the service closes the connection.
#[track_caller]
fn answered(service: &Service, bytes: &str) -> String {
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("it closes: {error}\n{bytes}"));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn lengths_that_contradict_each_other_are_refused_and_the_connection_ends() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let length = HIDDEN.len();
    for (fields, body) in [
        // A chunked body with a length: one reader stops at the length, the other at the last chunk.
        ("Content-Length: 0\r\nTransfer-Encoding: chunked".to_owned(), &*chunk),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5".to_owned(), &*chunk),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(), &*chunk),
        ("Transfer-Encoding: xchunked".to_owned(), &*chunk),
        ("Transfer-Encoding: gzip, chunked".to_owned(), &*chunk),
        (format!("Content-Length: 0\r\nContent-Length: {length}"), HIDDEN),
        (format!("Content-Length: +{length}"), HIDDEN),
        (format!("Content-Length: {length}, 0"), HIDDEN),
        ("Content-Length: -1".to_owned(), HIDDEN),
        (format!("Content-Length : {length}"), HIDDEN),
        (format!("X: y\r\n Content-Length: {length}"), HIDDEN),
        (format!("Host: elsewhere\r\nContent-Length: {length}"), HIDDEN),
    ] {
        let request = format!("PUT {PATH} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}");
        let answer = answered(&service, &request);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields}: the rest is answered too\n{answer}");
    }
}

#[test]
fn a_second_request_on_a_connection_is_answered_after_the_first() {
    let service = Service::start(&Database::sqlite());
    let close = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = answered(&service, &format!("{HIDDEN}{close}"));
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{answer}");
}

#[test]
fn a_body_that_nobody_reads_is_no_second_request() {
    let service = Service::start(&Database::sqlite());
    let length = HIDDEN.len();
    let request = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"
    );
    let answer = answered(&service, &request);
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}
