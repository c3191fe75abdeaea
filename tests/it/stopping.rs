//! The orderly stop: what was acknowledged is there, nobody is left without an answer, and another may take over.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::{
    Caller, Database, FIVE, Listener, Request, Service, municipality_codes, on_both_databases, until,
};

const RESULTS: &str = "/rounds/handslag-2026/results";
const EVENTS: &str = "/rounds/handslag-2026/results/events";

/// The program with an open round whose results anyone may see.
fn program(database: &Database) -> Service {
    let service = Service::start_program(database);
    let now = service.now();
    service.open_round(json!({
        "visibility": "live", "ballotBook": "open",
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    service
}

fn ballot<'a>(service: &'a Service, code: &str) -> Request<'a> {
    let request = service.put(&format!("/rounds/handslag-2026/ballots/{code}"));
    request.by(Caller::Participant(code)).json(&json!({ "ranking": FIVE }))
}

#[test]
fn who_is_about_to_stop_takes_no_new_work_and_ends_its_streams() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let mut listener = service.get(EVENTS).listen();
    listener.result();
    let going = service.request_outside("GET", "/readyz").send().is(200);
    assert_eq!(going.header("Connection"), None);
    service.begin_to_stop();
    assert_eq!(listener.event(), None, "the stream ends");
    for request in [
        ballot(&service, "0180"),
        service.delete("/rounds/handslag-2026/ballots/0180").by(Caller::Participant("0180")),
        service.request("POST", "/rounds").by(Caller::Manager).json(&json!({})),
        service.get(EVENTS),
        service.request_outside("GET", "/readyz"),
    ] {
        let refused = request.send().is(503);
        refused.problem("unavailable");
        refused.field("Retry-After");
        assert_eq!(refused.field("Connection"), "close");
    }
    // Whoever only reads is answered to the end, and told to let the connection go.
    for path in [RESULTS, "/rounds", "/rounds/handslag-2026/participation"] {
        assert_eq!(service.get(path).send().is(200).field("Connection"), "close");
    }
    service.request_outside("GET", "/livez").send().is(200);
    assert_eq!(service.get(RESULTS).send().is(200).json()["counted"], 0);
}

on_both_databases! {
    fn sigterm_under_load_loses_no_acknowledged_ballot_and_leaves_nobody_without_an_answer(database: Database) {
        let service = program(&database);
        let mut listeners: Vec<Listener> = (0..50).map(|_| service.get(EVENTS).listen()).collect();
        let acknowledged: Mutex<BTreeMap<String, Value>> = Mutex::default();
        let codes = municipality_codes();
        std::thread::scope(|scope| {
            for own in codes.chunks(73) {
                let (acknowledged, service) = (&acknowledged, &service);
                scope.spawn(move || {
                    // Over and over, so that the load lasts until the signal.
                    for code in own.iter().cycle() {
                        let reply = ballot(service, code).send();
                        match reply.status {
                            200 | 201 => acknowledged.lock().unwrap().insert(code.clone(), reply.json()),
                            503 => {
                                assert_eq!(reply.field("Connection"), "close");
                                return;
                            }
                            _ => panic!("{reply}"),
                        };
                    }
                });
            }
            until("some have answered", || (acknowledged.lock().unwrap().len() > 25).then_some(()));
            service.signal("TERM");
        });
        for listener in &mut listeners {
            while listener.event().is_some() {}
        }
        assert_eq!(service.ended(), Some(0));
        assert!(std::net::TcpStream::connect(service.address()).is_err(), "nobody listens any more");
        drop(service);

        let service = Service::start_program(&database);
        for (code, accepted) in &acknowledged.into_inner().unwrap() {
            let path = format!("/rounds/handslag-2026/ballots/{code}");
            assert_eq!(service.get(&path).by(Caller::Analyst).send().is(200).json(), *accepted);
        }
    }

    fn another_takes_over_while_the_first_finishes_what_it_has_begun(database: Database) {
        let first = program(&database);
        let mut slow = ballot(&first, "0180").send_partly(5);
        let mut listener = first.get(EVENTS).listen();
        // Both are there when the signal comes.
        listener.result();
        first.signal("TERM");
        assert_eq!(listener.event(), None, "the stream ends");
        let second = Service::start_program(&database);
        second.request_outside("GET", "/readyz").send().is(200);
        ballot(&second, "0114").send().is(201);
        slow.finish(b"et\"]}");
        slow.reply().is(201);
        assert_eq!(first.ended(), Some(0));
        until("the second has both", || {
            (second.get(RESULTS).send().is(200).json()["counted"] == 2).then_some(())
        });
        ballot(&second, "0117").send().is(201);
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    for signals in [["TERM", "TERM"], ["INT", "INT"], ["TERM", "INT"], ["TERM", "QUIT"]] {
        let service = program(&Database::sqlite());
        ballot(&service, "0114").send().is(201);
        let mut listener = service.get(EVENTS).listen();
        listener.result();
        // This one would be waited for.
        let unfinished = ballot(&service, "0180").send_partly(5);
        service.signal(signals[0]);
        assert_eq!(listener.event(), None, "the first is being obeyed");
        service.signal(signals[1]);
        assert_eq!(service.ended(), Some(0), "{signals:?}");
        drop(unfinished);
        let database = service.stop();
        let again = Service::start_program(&database);
        assert_eq!(again.get(RESULTS).send().is(200).json()["counted"], 1);
    }
}
