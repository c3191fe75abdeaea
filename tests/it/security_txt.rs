//! `/.well-known/security.txt` (RFC 9116): there only if somebody has been named, and never out of date.

use chrono::{DateTime, TimeDelta, Utc};

use crate::program::Program;
use crate::support::{Database, Service};

const PATH: &str = "/.well-known/security.txt";
const CONTACT: &str = "HANDSLAG_SECURITY_CONTACT=mailto:sakerhet@handslag.example.se";
const POLICY: &str = "HANDSLAG_SECURITY_POLICY=https://handslag.example.se/sakerhet";

/// The program with these variables.
fn with(variables: &[&str]) -> Service {
    Service::start_program_under(&[&["env"], variables].concat(), &Database::sqlite())
}

/// The values of a field, in order.
fn values<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(of, _)| *of == name)
        .map(|(_, v)| v)
        .collect()
}

#[test]
fn without_a_contact_there_is_no_file() {
    let service = Service::start(&Database::sqlite());
    for method in ["GET", "HEAD"] {
        service.request_outside(method, PATH).send().is(404);
    }
    service.request_outside("GET", PATH).send().problem("not-found");
}

#[test]
fn the_file_says_whom_to_tell_and_until_when_that_holds() {
    let service = with(&[CONTACT, POLICY]);
    let reply = service.request_outside("GET", PATH).send().is(200);
    assert_eq!(reply.field("Content-Type"), "text/plain; charset=utf-8");
    let text = reply.text();
    assert_eq!(values(text, "Contact"), ["mailto:sakerhet@handslag.example.se"]);
    assert_eq!(values(text, "Policy"), ["https://handslag.example.se/sakerhet"]);
    assert_eq!(values(text, "Preferred-Languages"), ["sv, en"]);
    assert_eq!(values(text, "Canonical"), ["https://handslag.example.se/.well-known/security.txt"]);
    assert_eq!(text.lines().count(), 5, "{text}");
    let [expires] = values(text, "Expires")[..] else { panic!("one Expires, not\n{text}") };
    assert!(expires.ends_with("T00:00:00Z"), "{expires}");
    let ahead = expires.parse::<DateTime<Utc>>().unwrap()
        - DateTime::parse_from_rfc3339(&service.now().to_string()).unwrap().to_utc();
    assert!(TimeDelta::days(90) < ahead && ahead < TimeDelta::days(365), "{expires}");
    service.request_outside("HEAD", PATH).send().is(200);
    service.request_outside("POST", PATH).send().is(405);
    service.request_outside("GET", &format!("{PATH}?contact=x")).send().is(400);
}

#[test]
fn the_policy_may_be_left_out() {
    let service = with(&[CONTACT]);
    let reply = service.request_outside("GET", PATH).send().is(200);
    assert_eq!(values(reply.text(), "Policy"), [""; 0], "{}", reply.text());
}

#[test]
fn an_address_that_would_not_work_is_refused_at_the_start() {
    let program = Program::new();
    let contact = "mailto:sakerhet@handslag.example.se";
    for (arguments, name) in [
        (&["--security-contact", ""][..], "security-contact"),
        (&["--security-contact", "sakerhet@handslag.example.se"], "security-contact"),
        (&["--security-contact", "mailto:sakerhet"], "security-contact"),
        (&["--security-contact", "http://handslag.example.se/"], "security-contact"),
        (&["--security-contact", "mailto:a@b.example\nPolicy: https://c.example"], "security-contact"),
        (&["--security-contact", contact, "--security-policy", "http://b.example/"], "security-policy"),
        (&["--security-policy", "https://b.example/"], "security-policy"),
    ] {
        let refused = program.run(&[arguments, &["config"]].concat()).is(2);
        assert!(refused.err.starts_with(&format!("handslag: {name}: ")), "{arguments:?}: {}", refused.err);
    }
}

#[test]
fn the_contact_is_a_setting_as_others_are() {
    let program = Program::new();
    program.write("handslag.toml", "securityContact = \"tel:+46-8-000000\"\n");
    let told = program.run(&["--config", "handslag.toml", "config"]).is(0).out;
    assert!(told.contains("securityContact = \"tel:+46-8-000000\"  # file\n"), "{told}");
    assert!(!program.run(&["config"]).is(0).out.contains("security"));
}
