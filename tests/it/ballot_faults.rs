//! Ballots that are refused for what they say, and bodies that are no ballots.

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, Reply, Service};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const STOCKHOLM: Caller<'_> = Caller::Participant("0180");

fn open() -> Service {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    service
}

#[track_caller]
fn submit(service: &Service, body: &Value) -> Reply {
    service.put(OWN).by(STOCKHOLM).json(body).send()
}

/// Sends a ballot that must be refused for exactly these faults.
#[track_caller]
fn check(service: &Service, body: &Value, expected: &[(&str, &str)]) {
    let reply = submit(service, body).is(422);
    reply.problem("invalid-ballot");
    let expected: Vec<(String, String)> =
        expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect();
    assert_eq!(reply.faults(), expected, "{body}");
}

#[test]
fn every_fault_of_a_ballot_is_told_in_one_answer() {
    let service = open();
    let body = json!({
        "ranking": [FIVE[0], "finns-inte", FIVE[0], "Inte ett id"],
        "engagements": [
            { "initiativeId": "valfardsteknik", "engagement": "lead" },
            { "initiativeId": FIVE[0], "engagement": "lead" },
            { "initiativeId": FIVE[0], "engagement": "follow" },
            { "initiativeId": "finns-inte", "engagement": "boss" },
        ],
        "reference": "r".repeat(101),
        "comment": "k".repeat(501),
    });
    check(
        &service,
        &body,
        &[
            ("#/ranking", "too-few-picks"),
            ("#/ranking/1", "unknown-initiative"),
            ("#/ranking/2", "ranked-twice"),
            ("#/ranking/3", "unknown-initiative"),
            ("#/engagements/0/initiativeId", "engagement-not-ranked"),
            ("#/engagements/2/initiativeId", "engagement-twice"),
            ("#/engagements/3/engagement", "unknown-engagement"),
            ("#/reference", "too-long"),
            ("#/comment", "too-long"),
        ],
    );
    service.get(OWN).by(STOCKHOLM).send().is(404);
}

#[test]
fn a_ballot_has_exactly_as_many_picks_as_the_round_asks_for() {
    let service = open();
    check(&service, &json!({ "ranking": [] }), &[("#/ranking", "too-few-picks")]);
    check(&service, &json!({ "ranking": &FIVE[..4] }), &[("#/ranking", "too-few-picks")]);
    let six: Vec<&str> = FIVE.iter().copied().chain(["juridiskt-stod"]).collect();
    check(&service, &json!({ "ranking": six }), &[("#/ranking", "too-many-picks")]);
    submit(&service, &json!({ "ranking": FIVE })).is(201);
}

#[test]
fn a_round_may_ask_for_a_span_of_picks() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "picksMin": 2, "picksMax": 4 }));
    check(&service, &json!({ "ranking": &FIVE[..1] }), &[("#/ranking", "too-few-picks")]);
    submit(&service, &json!({ "ranking": &FIVE[..2] })).is(201);
    submit(&service, &json!({ "ranking": &FIVE[..4] })).is(200);
    check(&service, &json!({ "ranking": FIVE }), &[("#/ranking", "too-many-picks")]);
}

#[test]
fn texts_are_measured_in_characters_and_hold_no_control_characters() {
    let service = open();
    let body = json!({ "ranking": FIVE, "reference": "ö".repeat(100), "comment": "🤝".repeat(500) });
    let accepted = submit(&service, &body).is(201).json();
    assert_eq!(accepted["comment"], body["comment"]);
    assert_eq!(accepted["reference"], body["reference"]);
    check(&service, &json!({ "ranking": FIVE, "comment": "a\u{0}b" }), &[("#/comment", "control-character")]);
    let body = json!({ "ranking": FIVE, "reference": "\u{1b}[31m", "comment": "å".repeat(501) });
    check(&service, &body, &[("#/reference", "control-character"), ("#/comment", "too-long")]);
}

#[test]
fn what_is_not_of_the_shape_of_a_ballot_is_a_bad_request() {
    let service = open();
    let ranking = json!(FIVE);
    let shapes = [
        json!({}),
        json!([]),
        json!(null),
        json!("ranking"),
        json!({ "ranking": null }),
        json!({ "ranking": FIVE[0] }),
        json!({ "ranking": [1, 2, 3, 4, 5] }),
        json!({ "ranking": { "0": FIVE[0] } }),
        json!({ "Ranking": ranking }),
        json!({ "ranking": ranking, "weight": 2 }),
        json!({ "ranking": ranking, "synthetic": true }),
        json!({ "ranking": ranking, "comment": 5 }),
        json!({ "ranking": ranking, "engagements": null }),
        json!({ "ranking": ranking, "engagements": {} }),
        json!({ "ranking": ranking, "engagements": [{ "initiativeId": FIVE[0] }] }),
        json!({ "ranking": ranking, "engagements": [{ "initiativeId": FIVE[0], "engagement": 1 }] }),
        json!({ "ranking": ranking, "engagements": [
            { "initiativeId": FIVE[0], "engagement": "lead", "why": "because" },
        ] }),
    ];
    for body in shapes {
        let reply = submit(&service, &body);
        assert_eq!(reply.status, 400, "{body}\n{reply}");
        reply.problem("bad-request");
    }
    let texts = [
        "",
        "{",
        "{\"ranking\":[\"a\",]}",
        "{\"ranking\":[]} trailing",
        "{\"ranking\":[],\"ranking\":[]}",
        "{'ranking':[]}",
        "\u{feff}{\"ranking\":[]}",
    ];
    for text in texts {
        let reply = service.put(OWN).by(STOCKHOLM).body("application/json", text).send();
        assert_eq!(reply.status, 400, "{text}\n{reply}");
        reply.problem("bad-request");
    }
    service.get(OWN).by(STOCKHOLM).send().is(404);
}

#[test]
fn a_ballot_comes_as_json_in_utf8_only() {
    let service = open();
    let body = json!({ "ranking": FIVE }).to_string();
    let refused = [
        "text/plain",
        "application/xml",
        "application/merge-patch+json",
        "application/json; charset=iso-8859-1",
        "application/jsonp",
        "json",
        "",
    ];
    for media_type in refused {
        let reply = service.put(OWN).by(STOCKHOLM).body(media_type, &body).send();
        assert_eq!(reply.status, 415, "{media_type}\n{reply}");
        reply.problem("unsupported-media-type");
    }
    for (media_type, status) in [
        ("application/json; charset=utf-8", 201),
        ("application/json;charset=\"UTF-8\"", 200),
        ("Application/JSON", 200),
    ] {
        service.put(OWN).by(STOCKHOLM).body(media_type, &body).send().is(status);
    }
}

#[test]
fn a_ballot_may_have_four_kibibytes() {
    let service = open();
    let body = json!({ "ranking": FIVE }).to_string();
    let padded = |size: usize| format!("{body}{}", " ".repeat(size - body.len()));
    service.put(OWN).by(STOCKHOLM).body("application/json", &padded(4_096)).send().is(201);
    for size in [4_097, 9_000] {
        let reply = service.put(OWN).by(STOCKHOLM).body("application/json", &padded(size)).send().is(413);
        reply.problem("content-too-large");
    }
}
