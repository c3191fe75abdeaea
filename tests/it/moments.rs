//! A round as it was (`asOf`), and a round that has come at least so far (`minSequence`).

use std::time::Instant as Monotonic;

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, Reply, Service, municipality_codes, on_both_databases, until};

const ROUND: &str = "/rounds/handslag-2026";
const OTHER: &[&str] =
    &["informationssakerhet", "kompetensgemenskaper", "valfardsteknik", "sdk-socialtjanst", "juridiskt-stod"];
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What changes with the sequence, and anyone may see where the ballot book is open.
const RESOURCES: [&str; 5] = [
    "results",
    "results?rule=schulze&format=csv",
    "participation",
    "participation?format=csv&view=over-time",
    "ballots",
];

fn open_book(service: &Service) {
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
}

/// The sequence that a reply says it is of.
#[track_caller]
fn sequence(reply: &Reply) -> u64 {
    reply.field("Round-Sequence").parse().expect("a number")
}

/// A document without its links, or a text; and the name of the file.
type Shown = (String, Option<String>);

/// The document without its links, or the text.
fn said(reply: &Reply) -> String {
    match serde_json::from_slice::<Value>(&reply.body) {
        Ok(mut document) => {
            document.as_object_mut().unwrap().remove("_links");
            document.to_string()
        }
        Err(_) => reply.text().to_owned(),
    }
}

fn with(resource: &str, parameter: &str) -> String {
    let joint = if resource.contains('?') { '&' } else { '?' };
    format!("{ROUND}/{resource}{joint}{parameter}")
}

type Step<'a> = Box<dyn Fn() -> Reply + 'a>;

/// Lets a round live, one entry after the other, each at a time of its own.
fn live(service: &Service, mut after_each: impl FnMut(u64)) {
    let withdraw = |code: &str| {
        service.delete(&format!("{ROUND}/ballots/{code}")).by(Caller::Participant(code)).send().is(204)
    };
    let patch =
        |document: Value| service.request("PATCH", ROUND).by(Caller::Manager).json(&document).send().is(200);
    let steps: Vec<Step<'_>> = vec![
        Box::new(|| service.submit("0180", FIVE)),
        Box::new(|| service.submit("0114", OTHER)),
        Box::new(|| service.submit("0180", OTHER)),
        Box::new(|| withdraw("0114")),
        Box::new(|| patch(json!({ "closesAt": "2026-04-07T23:59:59+02:00" }))),
        Box::new(|| service.submit("0114", FIVE)),
        Box::new(|| service.submit("1480", FIVE)),
        Box::new(|| patch(json!({ "state": "closed" }))),
        Box::new(|| patch(json!({ "state": "certified" }))),
    ];
    for (i, step) in steps.into_iter().enumerate() {
        service.set_time(&format!("2026-03-10T12:00:{:02}+01:00", 2 * i + 2));
        let reply = step();
        assert!(reply.status < 300, "{reply}");
        let expected = i as u64 + 2;
        assert_eq!(sequence(&reply), expected, "a write tells the sequence of its entry\n{reply}");
        after_each(expected);
    }
}

on_both_databases! {
    fn every_state_can_be_had_again_as_it_was(database: Database) {
        let service = Service::start(&database);
        open_book(&service);
        let mut states: Vec<(u64, Vec<Shown>)> = Vec::new();
        live(&service, |sequence_now| {
            let read = |resource: &&str| {
                let reply = service.get(&format!("{ROUND}/{resource}")).send().is(200);
                assert_eq!(sequence(&reply), sequence_now, "{resource}");
                (said(&reply), reply.header("Content-Disposition").map(ToOwned::to_owned))
            };
            states.push((sequence_now, RESOURCES.iter().map(read).collect()));
        });
        let newest = states.last().unwrap().0;
        for (then, state) in &states {
            // The time of the entry, a time before the next, and the sequence itself.
            let second = 2 * (then - 1);
            let moments = [
                format!("asOf={then}"),
                format!("asOf=2026-03-10T12:00:{second:02}%2B01:00"),
                format!("asOf=2026-03-10T11:00:{second:02}.999999Z"),
            ];
            for (resource, (body, file_name)) in RESOURCES.iter().zip(state) {
                for (i, moment) in moments.iter().enumerate() {
                    if i == 2 && *then == newest {
                        continue; // still to come
                    }
                    let path = with(resource, moment);
                    let reply = service.get(&path).send().is(200);
                    assert_eq!(said(&reply), *body, "{path}");
                    assert_eq!(reply.header("Content-Disposition"), file_name.as_deref(), "{path}");
                    assert_eq!(sequence(&reply), *then, "{path}");
                    let expected = match resource {
                        &"ballots" => "no-store",
                        _ if i == 0 || *then < newest => FOREVER,
                        _ => "public, max-age=0, must-revalidate",
                    };
                    assert_eq!(reply.field("Cache-Control"), expected, "{path}");
                    if let Some(etag) = reply.header("ETag") {
                        let known = service.get(&path).header("If-None-Match", etag).send().is(304);
                        assert_eq!(sequence(&known), *then);
                        assert_eq!(known.field("Cache-Control"), expected);
                    }
                    if let Some(document) = serde_json::from_slice::<Value>(&reply.body).ok().filter(|_| *resource != "ballots") {
                        let own = document["_links"][0]["href"].as_str().unwrap();
                        assert!(own.ends_with(&format!("asOf={then}")), "{own}");
                    }
                }
            }
        }
        let of = |as_of: u64| service.get(&with("results", &format!("asOf={as_of}"))).send().is(200).json();
        let closed = of(newest - 1);
        assert_eq!([&closed["status"], &closed["asOf"]], [&json!("provisional"), &json!("2026-03-10T11:00:16.000000Z")]);
        assert_eq!(of(newest)["status"], "certified");
    }

    fn a_participant_reads_its_ballot_as_it_was(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        live(&service, |_| ());
        let own = |as_of: u64| {
            let path = format!("{ROUND}/ballots/0114?asOf={as_of}");
            service.get(&path).by(Caller::Participant("0114")).send()
        };
        own(2).is(404).problem("not-found");
        for as_of in [3, 4] {
            let then = own(as_of).is(200);
            assert_eq!([&then.json()["ranking"], &then.json()["revision"]], [&json!(OTHER), &json!(1)]);
            assert_eq!((sequence(&then), then.field("Cache-Control")), (as_of, "no-store"));
        }
        own(5).is(404);
        assert_eq!(own(7).is(200).json()["revision"], 3);
        service.get(&format!("{ROUND}/ballots/0114?asOf=3")).by(Caller::Participant("0180")).send().is(403);
    }

    fn what_one_instance_wrote_another_can_be_made_to_wait_for(database: Database) {
        let [one, other] = [Service::start(&database), Service::start(&database)];
        open_book(&one);
        until("the other knows of the round", || (other.get(ROUND).send().status == 200).then_some(()));
        for code in municipality_codes().iter().take(20) {
            let at = sequence(&one.submit(code, FIVE).is(201));
            for resource in ["", "/results", "/participation", "/ballots", &format!("/ballots/{code}")] {
                let path = format!("{ROUND}{resource}?minSequence={at}");
                let reply = other.get(&path).by(Caller::Analyst).send().is(200);
                assert!(sequence(&reply) >= at, "{path}\n{reply}");
            }
            assert_eq!(other.get(&format!("{ROUND}/participation")).send().json()["answered"], json!(at - 1));
        }
    }
}

#[test]
fn what_has_not_arrived_in_five_seconds_is_told_so() {
    let service = Service::start(&Database::sqlite());
    open_book(&service);
    let began = Monotonic::now();
    let reply = service.get(&format!("{ROUND}/results?minSequence=2")).header("Accept-Language", "en").send();
    assert!(began.elapsed().as_secs() >= 4, "it waited");
    let problem = reply.clone().is(503).problem("unavailable");
    assert!(reply.field("Retry-After").parse::<u32>().is_ok());
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Sequence 2 ") && detail.contains("here is 1."), "{detail}");
    // What is there already is not waited for.
    service.get(&format!("{ROUND}/results?minSequence=1")).send().is(200);
}

#[test]
fn a_state_that_is_not_or_not_yet_is_refused() {
    let service = Service::start(&Database::sqlite());
    open_book(&service);
    service.set_time("2026-03-10T12:00:05+01:00");
    service.submit("0180", FIVE).is(201);
    let long = format!("asOf=2026-03-10T12:00:00.{}Z", "0".repeat(30));
    for resource in ["results", "participation", "ballots", "ballots/0180"] {
        for (query, parameter, code) in [
            ("asOf=0", "asOf", "before-opening"),
            ("asOf=2026-03-02T06:59:59Z", "asOf", "before-opening"),
            ("asOf=3", "asOf", "not-yet"),
            ("asOf=9007199254740991", "asOf", "not-yet"),
            ("asOf=2026-03-10T12:00:05.000001%2B01:00", "asOf", "not-yet"),
            ("asOf=9007199254740992", "asOf", "parameter"),
            ("asOf=99999999999999999999", "asOf", "parameter"),
            ("asOf=", "asOf", "parameter"),
            ("asOf=01", "asOf", "parameter"),
            ("asOf=-1", "asOf", "parameter"),
            ("asOf=2026-03-10", "asOf", "parameter"),
            ("asOf=2026-03-10T12:00:00", "asOf", "parameter"),
            ("asOf=2026-03-10T12:00:00+01:00", "asOf", "parameter"),
            ("asOf=2026-03-10%2012:00:00Z", "asOf", "parameter"),
            (&long, "asOf", "parameter"),
            ("asOf=2&minSequence=2", "minSequence", "parameter"),
            ("minSequence=0", "minSequence", "parameter"),
            ("minSequence=9007199254740992", "minSequence", "parameter"),
            ("minSequence=x", "minSequence", "parameter"),
        ] {
            let path = format!("{ROUND}/{resource}?{query}");
            let refused = service.get(&path).by(Caller::Analyst).send().is(400);
            refused.problem("bad-request");
            assert_eq!(refused.faults(), [(parameter.to_owned(), code.to_owned())], "{path}");
        }
    }
    let early =
        service.get(&format!("{ROUND}/results?asOf=0")).header("Accept-Language", "en").send().is(400);
    assert!(early.text().contains("opened at 2026-03-10T11:00:00.000000Z"), "{early}");
    service.get(&format!("{ROUND}?asOf=1")).send().is(400);
    service.get("/rounds/finns-inte/results?asOf=1").send().is(404);
}

#[test]
fn a_draft_has_no_earlier_state() {
    let service = Service::start(&Database::sqlite());
    service.create(&crate::support::definition(json!({ "opensAt": "2026-03-20T08:00:00+01:00" })));
    for query in ["asOf=0", "asOf=1", "asOf=2026-03-10T11:00:00Z"] {
        let path = format!("{ROUND}/participation?{query}");
        service.get(&path).send().is(404);
        service.get(&path).by(Caller::Manager).send().is(400);
    }
}

#[test]
fn two_neighbouring_results_of_a_closed_book_are_for_those_who_may_list_ballots() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "ballotBook": "analysts", "visibility": "after-close" }));
    live(&service, |_| ());
    for query in ["asOf=8", "asOf=3&format=csv", "asOf=2026-03-10T12:00:03%2B01:00"] {
        let path = format!("{ROUND}/results?{query}");
        for (caller, status, slug) in
            [(Caller::Nobody, 401, "unauthorized"), (Caller::Participant("0180"), 403, "forbidden")]
        {
            let refused = service.get(&path).by(caller).send().is(status);
            refused.problem(slug);
            assert_eq!(refused.faults(), [("asOf".to_owned(), "withheld".to_owned())], "{path}");
        }
        let told = service.get(&path).by(Caller::Analyst).send().is(200);
        assert_eq!(told.field("Cache-Control"), "private, max-age=31536000, immutable");
        assert!(told.field("Vary").contains("Authorization"));
    }
    // The newest is what everybody sees anyway; who has answered when, participation tells as it always did.
    let newest = service.get(&format!("{ROUND}/results?asOf=10")).send().is(200);
    assert_eq!(newest.field("Cache-Control"), FOREVER);
    service.get(&format!("{ROUND}/participation?asOf=3")).send().is(200);
    service.get(&format!("{ROUND}/participation?asOf=3&view=missing")).send().is(401);
    let names = service.get(&format!("{ROUND}/participation?asOf=3")).by(Caller::Analyst).send().is(200);
    assert_eq!(names.json()["_meta"]["totalRecords"], 288);
    assert_eq!(names.field("Cache-Control"), "private, max-age=31536000, immutable");
}

#[test]
fn every_reply_about_a_round_says_of_which_sequence_it_is() {
    let service = Service::start(&Database::sqlite());
    open_book(&service);
    service.submit("0180", FIVE).is(201);
    for below in [
        "",
        "/initiatives",
        "/participants",
        "/ballots?format=csvw",
        "/ballots?format=ndjson",
        "/ballots/0180",
        "/ballots/0180/revisions",
        "/log-entries",
        "/log-entries?format=ndjson",
        "/log-proofs?sequence=1",
    ] {
        let reply = service.get(&format!("{ROUND}{below}")).by(Caller::Analyst).send().is(200);
        assert_eq!(sequence(&reply), 2, "{below}");
        if let Some(etag) = reply.header("ETag") {
            let known =
                service.get(&format!("{ROUND}{below}")).by(Caller::Analyst).header("If-None-Match", etag);
            assert_eq!(sequence(&known.send().is(304)), 2, "{below}");
        }
    }
}
