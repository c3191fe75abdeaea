//! Header fields that keep browsers and caches from what they should not do.

use serde_json::json;

use crate::support::document::operations;
use crate::support::{Caller, Database, FIVE, ROUND, Reply, Service};

/// Replies of every kind: what goes well, what is refused, and what is not there.
fn replies(service: &Service) -> Vec<(String, Reply)> {
    let mut replies = Vec::new();
    for (method, path) in operations() {
        let path = path.replace("{roundId}", ROUND).replace("{participantCode}", "0180");
        let path = path.replace("{ruleId}", "linear");
        for caller in
            [Caller::Nobody, Caller::Participant("0180"), Caller::Manager, Caller::Token("nonsense")]
        {
            let reply = service.request(&method, &path).by(caller).send();
            replies.push((format!("{method} {path} by {caller:?}"), reply));
        }
    }
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("POST", "/livez"),
        ("HEAD", "/handslag/v1/rules"),
        ("GET", "/handslag/v1/openapi.yaml"),
        ("OPTIONS", "/handslag/v1/rounds"),
        ("GET", "/handslag/v1/%00"),
    ] {
        replies.push((format!("{method} {path}"), service.request_outside(method, path).send()));
    }
    replies
}

fn service() -> Service {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    service.submit("0180", FIVE).is(201);
    service
}

#[test]
fn every_reply_says_what_browsers_and_caches_may_do() {
    let service = service();
    let replies = replies(&service);
    assert!(replies.len() > 80, "{}", replies.len());
    for (what, reply) in replies {
        assert_eq!(reply.field("X-Content-Type-Options"), "nosniff", "{what}");
        assert_eq!(reply.field("Strict-Transport-Security"), "max-age=31536000", "{what}");
        for name in ["Server", "X-Powered-By", "Via", "Set-Cookie"] {
            assert_eq!(reply.header(name), None, "{what}");
        }
        if !what.starts_with("OPTIONS") {
            reply.field("Cache-Control");
        }
        if reply.status >= 400 {
            assert_eq!(reply.field("Cache-Control"), "no-store", "{what}: {reply}");
        }
    }
}

#[test]
fn what_is_for_one_caller_is_kept_by_no_shared_cache() {
    let service = service();
    let ballot = format!("/rounds/{ROUND}/ballots/0180");
    let participant = Caller::Participant("0180");
    assert_eq!(service.get(&ballot).by(participant).send().is(200).field("Cache-Control"), "no-store");
    let put = service.put(&ballot).by(participant).json(&json!({ "ranking": FIVE }));
    assert_eq!(put.send().is(200).field("Cache-Control"), "no-store");
    assert_eq!(service.delete(&ballot).by(participant).send().is(204).field("Cache-Control"), "no-store");
    for path in ["/livez", "/readyz"] {
        assert_eq!(service.request_outside("GET", path).send().is(200).field("Cache-Control"), "no-store");
    }
}

#[test]
fn without_tls_nobody_is_told_to_come_by_tls() {
    let database = Database::sqlite();
    let service = Service::start_program_at("http://127.0.0.1", &database);
    let reply = service.request_outside("GET", "/livez").send().is(200);
    assert_eq!(reply.header("Strict-Transport-Security"), None);
}
