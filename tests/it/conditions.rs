//! Conditional requests (RFC 9110, section 13): a colleague's newer ballot is never overwritten unseen.

use serde_json::json;

use crate::support::{Caller, FIVE, Reply, Service, on_both_databases};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const STOCKHOLM: Caller<'_> = Caller::Participant("0180");

/// Submits on a condition.
#[track_caller]
fn put(service: &Service, field: &str, value: &str) -> Reply {
    service.put(OWN).by(STOCKHOLM).header(field, value).json(&json!({ "ranking": FIVE })).send()
}

/// Withdraws on a condition.
#[track_caller]
fn delete(service: &Service, field: &str, value: &str) -> Reply {
    service.delete(OWN).by(STOCKHOLM).header(field, value).send()
}

on_both_databases! {
    fn a_stale_condition_fails_and_changes_nothing(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        put(&service, "If-Match", "\"1\"").is(412).problem("precondition-failed");
        put(&service, "If-Match", "*").is(412).problem("precondition-failed");
        put(&service, "If-None-Match", "*").is(201);
        put(&service, "If-None-Match", "*").is(412).problem("precondition-failed");
        put(&service, "If-Match", "\"1\"").is(200);
        put(&service, "If-Match", "\"1\"").is(412).problem("precondition-failed");
        put(&service, "If-Match", "*").is(200);
        put(&service, "If-Match", "\"1\", \"3\"").is(200);
        put(&service, "If-None-Match", "\"4\"").is(412);
        put(&service, "If-None-Match", "\"3\"").is(200);
        delete(&service, "If-Match", "\"4\"").is(412).problem("precondition-failed");
        delete(&service, "If-None-Match", "*").is(412);
        assert_eq!(service.get(OWN).by(STOCKHOLM).send().is(200).etag(), "\"5\"");
        assert_eq!(delete(&service, "If-Match", "\"5\"").is(204).etag(), "\"6\"");
        // Withdrawn is not there: its revision is no representation to match.
        put(&service, "If-Match", "\"6\"").is(412);
        put(&service, "If-Match", "*").is(412);
        put(&service, "If-None-Match", "*").is(201);
    }

    fn a_round_can_require_a_condition(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "requireCondition": true }));
        service.submit("0180", FIVE).is(428).problem("precondition-required");
        service.get(OWN).by(STOCKHOLM).send().is(404);
        put(&service, "If-None-Match", "*").is(201);
        service.submit("0180", FIVE).is(428);
        service.delete(OWN).by(STOCKHOLM).send().is(428).problem("precondition-required");
        put(&service, "If-Match", "\"1\"").is(200);
        delete(&service, "If-Match", "*").is(204);
    }
}

#[test]
fn a_condition_that_cannot_be_read_is_never_met() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    for tags in ["1", "\"1", "1\"", "\"1\",", ",\"1\"", "\"1\" \"2\"", "*, \"1\"", "", "\"\"", "\"ett\""] {
        let reply = put(&service, "If-Match", tags);
        assert_eq!(reply.status, 412, "If-Match: {tags}\n{reply}");
    }
    let both = service.put(OWN).by(STOCKHOLM).header("If-Match", "\"1\"").header("If-None-Match", "\"9\"");
    both.json(&json!({ "ranking": FIVE })).send().is(412);
    assert_eq!(service.get(OWN).by(STOCKHOLM).send().is(200).etag(), "\"1\"");
}

#[test]
fn if_match_compares_strongly_and_to_the_letter() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    // RFC 9110, section 8.8.3.2: a weak tag matches nothing strongly, and tags are opaque.
    for tags in ["W/\"1\"", "\"01\"", "\"+1\"", "\"1 \""] {
        let reply = put(&service, "If-Match", tags);
        assert_eq!(reply.status, 412, "If-Match: {tags}\n{reply}");
    }
}

#[test]
fn if_none_match_compares_weakly() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    put(&service, "If-None-Match", "W/\"1\"").is(412);
    let read = service.get(OWN).by(STOCKHOLM).header("If-None-Match", "W/\"1\"").send().is(304);
    assert_eq!(read.etag(), "\"1\"");
}

#[test]
fn what_is_known_is_not_sent_again() {
    check_known(&[
        "/rounds/handslag-2026",
        "/rounds/handslag-2026/initiatives",
        "/rounds/handslag-2026/ballots/0180",
        "/rounds/handslag-2026/results",
        "/rounds/handslag-2026/results?rule=dowdall&format=csv",
        "/rounds/handslag-2026/participation",
        "/rounds/handslag-2026/participation?format=csv&view=over-time",
    ]);
}

#[test]
fn a_roll_that_is_known_is_not_sent_again() {
    check_known(&["/rounds/handslag-2026/participants?column=county&value=12"]);
}

#[track_caller]
fn check_known(paths: &[&str]) {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    service.submit("0180", FIVE).is(201);
    for path in paths {
        let whole = service.get(path).by(Caller::Analyst).send().is(200);
        let etag = whole.etag();
        for tags in [etag.clone(), format!("\"x\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
            let known = service.get(path).by(Caller::Analyst).header("If-None-Match", &tags).send().is(304);
            assert_eq!(known.etag(), etag, "{path}");
            for name in ["Cache-Control", "Vary"] {
                assert_eq!(known.header(name), whole.header(name), "{name} of {path}");
            }
        }
        for tags in ["\"x\"", "x", "\"\""] {
            let other = service.get(path).by(Caller::Analyst).header("If-None-Match", tags).send().is(200);
            assert_eq!(other.body, whole.body, "{path}");
        }
    }
}

#[test]
fn a_new_ballot_gives_what_depends_on_it_a_new_tag() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    service.submit("0180", FIVE).is(201);
    let depends = [
        "/rounds/handslag-2026",
        "/rounds/handslag-2026/results",
        "/rounds/handslag-2026/results?format=csv",
        "/rounds/handslag-2026/participation",
    ];
    let before = depends.map(|path| service.get(path).send().is(200).etag());
    service.submit("1480", FIVE).is(201);
    for (path, before) in depends.into_iter().zip(before) {
        service.get(path).header("If-None-Match", &before).send().is(200);
    }
}
