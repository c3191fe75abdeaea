//! Which pages may read what: the public documents every page, the rest those of configured origins only.

use handslag::config::{Edge, Limits};
use serde_json::json;

use crate::program::Program;
use crate::support::{Caller, Database, FIVE, ROUND, Reply, Service};

const OURS: &str = "https://statistik.example.se";
const PUBLIC: [&str; 5] = ["/openapi.yaml", "/api-info", "/rules", "/rules/linear", "/log-keys"];

fn allowing(origins: &[&str]) -> Service {
    let cors_origins = origins.iter().map(ToString::to_string).collect();
    let edge = Edge { cors_origins, limits: Limits::off(), ..Edge::default() };
    let service = Service::start_behind(&Database::sqlite(), edge);
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    service
}

fn results() -> String {
    format!("/rounds/{ROUND}/results")
}

/// Every field of CORS in a reply, by name.
fn said(reply: &Reply) -> Vec<&str> {
    let fields = reply.headers.iter().map(|(name, _)| name.as_str());
    fields.filter(|name| name.starts_with("access-control-")).collect()
}

#[test]
fn without_configuration_no_page_may_read_what_is_not_public() {
    let service = allowing(&[]);
    for origin in [OURS, "null", "https://handslag.example.se"] {
        let reply = service.get(&results()).header("Origin", origin).send().is(200);
        assert!(said(&reply).is_empty(), "{reply}");
        assert!(!reply.field("Vary").contains("Origin"), "{reply}");
        let preflight = service.request("OPTIONS", &results()).header("Origin", origin);
        let preflight = preflight.header("Access-Control-Request-Method", "GET").send().is(204);
        assert!(said(&preflight).is_empty(), "{preflight}");
    }
}

#[test]
fn every_page_may_read_the_public_documents() {
    let service = allowing(&[]);
    for path in PUBLIC {
        for request in [service.get(path), service.get(path).header("Origin", "https://any.example")] {
            let reply = request.send().is(200);
            assert_eq!(reply.field("Access-Control-Allow-Origin"), "*", "{path}");
            assert_eq!(reply.header("Access-Control-Allow-Credentials"), None, "{path}");
        }
    }
}

#[test]
fn a_page_of_a_configured_origin_may_read_and_others_may_not() {
    let service = allowing(&["http://localhost:3000", OURS]);
    let ask = |origin: &str| service.get(&results()).header("Origin", origin).send().is(200);
    let reply = ask(OURS);
    assert_eq!(reply.field("Access-Control-Allow-Origin"), OURS);
    assert_eq!(reply.header("Access-Control-Allow-Credentials"), None);
    for name in ["ETag", "Round-Sequence", "Retry-After", "Link"] {
        assert!(reply.field("Access-Control-Expose-Headers").contains(name), "{reply}");
    }
    for other in [
        "https://statistik.example.se.evil.example",
        "https://evil.example",
        "http://statistik.example.se",
        "https://statistik.example.se:8443",
        "https://x.statistik.example.se",
        "null",
        "",
    ] {
        let reply = ask(other);
        assert!(said(&reply).is_empty(), "{other}: {reply}");
        assert!(reply.field("Vary").contains("Origin"), "a cache must not mix them up: {reply}");
    }
    let without = service.get(&results()).send().is(200);
    assert!(said(&without).is_empty() && without.field("Vary").contains("Origin"), "{without}");
}

#[test]
fn a_page_may_read_refusals_too() {
    let service = allowing(&[OURS]);
    for (request, status) in [
        (service.get("/rounds/nothing"), 404),
        (service.put(&format!("/rounds/{ROUND}/ballots/0180")), 401),
        (service.request("POST", &results()), 405),
    ] {
        let refused = request.header("Origin", OURS).send().is(status);
        assert_eq!(refused.field("Access-Control-Allow-Origin"), OURS);
    }
}

#[test]
fn a_preflight_names_the_methods_that_there_are() {
    let service = allowing(&[OURS]);
    let path = format!("/rounds/{ROUND}/ballots/0180");
    let ask = |origin: &str| {
        let preflight = service.request("OPTIONS", &path).header("Origin", origin);
        let preflight = preflight.header("Access-Control-Request-Method", "PUT");
        preflight
            .header("Access-Control-Request-Headers", "authorization,content-type,if-match")
            .send()
            .is(204)
    };
    let preflight = ask(OURS);
    assert_eq!(preflight.field("Access-Control-Allow-Origin"), OURS);
    assert_eq!(preflight.field("Access-Control-Allow-Methods"), preflight.field("Allow"));
    assert!(preflight.field("Allow").contains("PUT"));
    for name in ["Authorization", "Content-Type", "If-Match", "If-None-Match"] {
        assert!(preflight.field("Access-Control-Allow-Headers").contains(name), "{preflight}");
    }
    assert!(preflight.field("Access-Control-Max-Age").parse::<u32>().unwrap() <= 600);
    assert!(said(&ask("https://evil.example")).is_empty());
    // What is then sent is answered as to anybody: without a token it is 401, with one it is done.
    let put = || service.put(&path).header("Origin", OURS).json(&json!({ "ranking": FIVE }));
    put().send().is(401);
    let done = put().by(Caller::Participant("0180")).send().is(201);
    assert_eq!(done.field("Access-Control-Allow-Origin"), OURS);
}

#[test]
fn what_is_no_origin_is_no_setting() {
    let program = Program::new();
    for wrong in [
        "*",
        "null",
        "statistik.example.se",
        "https://",
        "https://a.example/",
        "https://a.example/path",
        "https://A.example",
        "https://a.example:443",
        "https://user@a.example",
    ] {
        let refused = program.run(&["--cors-origins", wrong, "config"]).is(2);
        assert!(refused.err.contains("cors-origins"), "{wrong}: {}", refused.err);
    }
    let told =
        program.run(&["--cors-origins", "https://a.example,http://localhost:3000", "config"]).is(0).out;
    let line = "corsOrigins = [\"https://a.example\", \"http://localhost:3000\"]  # flag or environment";
    assert!(told.lines().any(|known| known == line), "{told}");
}
