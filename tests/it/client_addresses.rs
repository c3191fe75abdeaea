//! Whom a request is from: nobody but a proxy that is believed can say that it is from somebody else.

use handslag::config::{Edge, Limits, Rate};

use crate::support::{Caller, Database, Service, until};

const BURST: usize = 20;

/// Lets every address ask twenty times, and believes these proxies.
fn behind(proxies: &[&str]) -> Service {
    let address = Rate { per_second: 1, burst: u32::try_from(BURST).unwrap() };
    let limits = Limits { address, ..Limits::default() };
    let trusted_proxies = proxies.iter().map(|range| range.parse().unwrap()).collect();
    Service::start_behind(&Database::sqlite(), Edge { limits, trusted_proxies, ..Edge::default() })
}

/// How many of twice as many requests as one address may make are answered, when each says that it is from who is
/// named for its number; a few more come back meanwhile.
#[track_caller]
fn answered(service: &Service, fields: impl Fn(usize) -> Vec<(&'static str, String)>) -> usize {
    let ask = |number: &usize| {
        let fields = fields(*number);
        let request = service.get("/rules");
        let request = fields.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.send().status == 200
    };
    (0..2 * BURST).filter(ask).count()
}

#[track_caller]
fn check_one(service: &Service, forwarded: impl Fn(usize) -> String) {
    let answered = answered(service, |number| vec![("X-Forwarded-For", forwarded(number))]);
    assert!((BURST..BURST + 8).contains(&answered), "{answered} answered: these are not one address");
}

#[track_caller]
fn check_many(service: &Service, forwarded: impl Fn(usize) -> String) {
    let answered = answered(service, |number| vec![("X-Forwarded-For", forwarded(number))]);
    assert_eq!(answered, 2 * BURST, "these are many addresses");
}

#[test]
fn without_a_trusted_proxy_nobody_is_believed() {
    check_one(&behind(&[]), |number| format!("203.0.113.{number}"));
    // Trusted are others than the one that asks.
    check_one(&behind(&["10.0.0.0/8", "::1/128", "127.0.0.2/32"]), |number| format!("203.0.113.{number}"));
}

#[test]
fn a_trusted_proxy_says_whom_a_request_is_from() {
    check_many(&behind(&["127.0.0.1/32"]), |number| format!("203.0.113.{number}"));
    check_one(&behind(&["127.0.0.1/32"]), |_| "203.0.113.7".to_owned());
    // With a port, and in brackets, as some proxies write it.
    check_one(&behind(&["127.0.0.0/8"]), |number| format!("203.0.113.7:{}", 1_000 + number));
    check_many(&behind(&["127.0.0.0/8"]), |number| format!("[2001:db8:0:{number:x}::1]:443"));
}

#[test]
fn what_the_caller_has_written_itself_is_not_read() {
    // The proxy adds whom it was asked by to what it was sent.
    check_one(&behind(&["127.0.0.1/32"]), |number| format!("198.51.100.{number}, 203.0.113.7"));
    check_one(&behind(&["127.0.0.1/32"]), |number| format!("127.0.0.1, 10.0.0.{number}, , 203.0.113.7"));
    let two_fields = |number: usize| {
        let fields = [format!("198.51.100.{number}"), "203.0.113.7".to_owned()];
        fields.map(|value| ("X-Forwarded-For", value)).to_vec()
    };
    let answered = answered(&behind(&["127.0.0.1/32"]), two_fields);
    assert!(answered < BURST + 8, "{answered}");
}

#[test]
fn a_chain_of_trusted_proxies_is_followed_to_its_first_stranger() {
    let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
    check_many(&behind(&proxies), |number| format!("203.0.113.{number}, 10.0.0.3, 10.0.0.2"));
    check_one(&behind(&proxies), |number| format!("198.51.100.{number}, 203.0.113.7, 10.0.0.{number}"));
    // A stranger in the chain is as far as anybody is believed.
    check_one(&behind(&["127.0.0.1/32"]), |number| format!("203.0.113.{number}, 10.0.0.2"));
}

#[test]
fn what_is_no_address_is_the_proxys_own() {
    check_one(&behind(&["127.0.0.1/32"]), |number| format!("unknown-{number}"));
    check_one(&behind(&["127.0.0.1/32"]), |number| format!("203.0.113.{number}, _hidden"));
    let none = answered(&behind(&["127.0.0.1/32"]), |_| Vec::new());
    assert!(none < BURST + 8, "{none}");
}

#[test]
fn other_fields_of_the_kind_are_not_read() {
    for name in ["Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"] {
        let service = behind(&["127.0.0.1/32"]);
        let value = |number: usize| match name {
            "Forwarded" => format!("for=203.0.113.{number}"),
            _ => format!("203.0.113.{number}"),
        };
        let answered = answered(&service, |number| vec![(name, value(number))]);
        assert!(answered < BURST + 8, "{name}: {answered}");
    }
}

#[test]
fn a_network_of_version_6_is_one_caller() {
    let trusted = ["127.0.0.1/32"];
    check_one(&behind(&trusted), |number| format!("2001:db8:0:7:{number:x}::1"));
    check_many(&behind(&trusted), |number| format!("2001:db8:0:{number:x}::1"));
    // One of version 4 is the same however it is written.
    let written = |number: usize| if number.is_multiple_of(2) { "203.0.113.7" } else { "::ffff:203.0.113.7" };
    check_one(&behind(&trusted), |number| written(number).to_owned());
    check_one(&behind(&["::ffff:0:0/96"]), |number| format!("203.0.113.{number}"));
}

#[test]
fn the_audit_trail_has_whom_a_refused_request_is_from() {
    for (proxies, expected) in [(&["127.0.0.1/32"][..], "203.0.113.7"), (&[], "127.0.0.1")] {
        let trusted_proxies = proxies.iter().map(|range| range.parse().unwrap()).collect();
        let edge = Edge { limits: Limits::off(), trusted_proxies, ..Edge::default() };
        let service = Service::start_behind(&Database::sqlite(), edge);
        let request = service.get("/audit-entries").header("X-Forwarded-For", "203.0.113.7");
        request.by(Caller::Nobody).send().is(401);
        let found = until("the refusal is in the trail", || {
            let page = service.get("/audit-entries").by(Caller::Manager).send().is(200);
            page.json()["auditEntries"].as_array().unwrap().first().cloned()
        });
        assert_eq!(found["event"]["address"], expected);
    }
}
