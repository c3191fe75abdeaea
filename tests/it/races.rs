//! What happens at the same time: two answers to one reading, and answers at the last moment.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use handslag::domain::{LogEntry, RoundId};
use handslag::service::Clock;
use handslag::store::{self, Store};
use serde_json::{Value, json};

use crate::support::{
    Caller, FIVE, ROUND, Reply, Request, Service, Unanswered, in_ci, municipality_codes, on_both_databases,
    until,
};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const OTHER: &[&str] =
    &["informationssakerhet", "kompetensgemenskaper", "valfardsteknik", "sdk-socialtjanst", "juridiskt-stod"];

fn round() -> RoundId {
    ROUND.parse().expect("an id")
}

/// Does something while nothing can be written to the round: what is sent meanwhile is not yet answered.
fn while_locked<T>(service: &Service, work: impl FnOnce() -> T) -> T {
    let mut conn = service.store().connect().expect("the test's database");
    Store::write(&mut conn, |conn| {
        store::rounds::claim(conn, &round())?;
        Ok::<T, store::Error>(work())
    })
    .expect("a transaction that changes nothing")
}

/// Lets two different ballots with one condition meet, and gives the one that won.
fn meet(services: [&Service; 2], condition: (&str, &str), locked: bool) -> Reply {
    let request = |i: usize, ranking: &[&str]| {
        let request = services[i].put(OWN).by(Caller::Participant("0180")).header(condition.0, condition.1);
        request.json(&json!({ "ranking": ranking }))
    };
    let requests = [request(0, FIVE), request(1, OTHER)];
    let send = || requests.each_ref().map(Request::send_off);
    let sent = if locked { while_locked(services[0], send) } else { send() };
    let [first, second] = sent.map(Unanswered::reply);
    let won = |reply: &Reply| matches!(reply.status, 200 | 201);
    let (winner, loser, ranking) = if won(&first) { (first, second, FIVE) } else { (second, first, OTHER) };
    assert!(won(&winner), "nobody won\n{winner}\n{loser}");
    loser.is(412).problem("precondition-failed");
    assert_eq!(winner.json()["ranking"], json!(ranking));
    let read = services[0].get(OWN).by(Caller::Analyst);
    let read = until("the winner's ballot is read", || {
        let read = read.send();
        (read.status == 200 && read.etag() == winner.etag()).then_some(read)
    });
    assert_eq!(read.json(), winner.json());
    winner
}

/// Races two ballots again and again, each time on the tag of the winner before.
fn race(services: [&Service; 2], times: u32) {
    let mut tag = meet(services, ("If-None-Match", "*"), true).is(201).etag();
    assert_eq!(tag, "\"1\"");
    for time in 2..=times {
        // With the round locked both are surely sent before either is answered; without, they meet as they come.
        tag = meet(services, ("If-Match", &tag), time % 2 == 0).is(200).etag();
        assert_eq!(tag, format!("\"{time}\""), "no revision but the winner's");
    }
}

on_both_databases! {
    fn of_two_ballots_on_one_tag_exactly_one_wins(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        race([&service, &service], if in_ci() { 1_000 } else { 50 });
    }

    fn two_instances_on_one_database_agree_on_the_winner(database: Database) {
        let first = Service::start(&database);
        first.open_round(json!({}));
        let second = Service::start(&database);
        race([&first, &second], if in_ci() { 200 } else { 20 });
        assert_gapless(&log(&first));
    }

    fn a_ballot_is_not_taken_for_another_definition_than_it_was_read_against(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let mut conn = service.store().connect().expect("the test's database");
        let request = service.put(OWN).by(Caller::Participant("0180")).json(&json!({ "ranking": FIVE }));
        let sent = Store::write(&mut conn, |conn| {
            store::rounds::claim(conn, &round())?;
            let sent = request.send_off();
            until("the writer waits with it for the round", || {
                (service.request_outside("GET", "/readyz").exchange().status == 503).then_some(())
            });
            // As by a backup of the draft that was put back, changed, and opened again.
            conn.batch_execute("UPDATE rounds SET revision = revision + 1")?;
            Ok::<_, store::Error>(sent)
        });
        let refused = sent.expect("the test's change").reply().is(503);
        refused.problem("unavailable");
        assert_eq!((refused.field("Retry-After"), log(&service).len()), ("1", 1));
        // Sent again it is read against what there is.
        request.send().is(201);
    }

    fn nothing_is_accepted_after_the_closing_time(database: Database) {
        let service = Service::start_at(&database, Clock::System);
        let closes_at = service.now().plus_seconds(2);
        let opens_at = service.now().plus_seconds(-60);
        service.open_round(json!({ "opensAt": opens_at.to_string(), "closesAt": closes_at.to_string() }));
        let accepted = submit_until_closed(&service, || ());
        let entries = check_closing(&service, accepted);
        for entry in &entries {
            assert!(entry.kind == "closing" || entry.at < closes_at, "{} at {}", entry.sequence, entry.at);
        }
        let round = service.wait_for_state(ROUND, "closed");
        assert!(round["closedAt"].as_str() >= Some(&*closes_at.to_string()), "{round}");
    }

    fn nothing_is_accepted_after_a_manager_has_closed(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let accepted = submit_until_closed(&service, || {
            until("some have answered", || (log(&service).len() > 30).then_some(()));
            service.step(ROUND, "closed");
        });
        check_closing(&service, accepted);
    }
}

/// Four submit ballot after ballot until they are refused, while something else is done; how many were accepted.
fn submit_until_closed(service: &Service, meanwhile: impl FnOnce()) -> u64 {
    let accepted = AtomicU64::new(0);
    let codes = municipality_codes();
    std::thread::scope(|scope| {
        for codes in codes.chunks(73) {
            let accepted = &accepted;
            scope.spawn(move || {
                for code in codes.iter().cycle() {
                    let reply = service.submit(code, FIVE);
                    if reply.status == 409 {
                        reply.problem("round-not-open");
                        break;
                    }
                    assert!(matches!(reply.status, 200 | 201), "{reply}");
                    accepted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        meanwhile();
    });
    accepted.into_inner()
}

/// The log ends with the closing, and holds as many ballots as were answered with "accepted".
fn check_closing(service: &Service, accepted: u64) -> Vec<LogEntry> {
    let entries = log(service);
    assert_gapless(&entries);
    let kinds: Vec<&str> = entries.iter().map(|entry| &*entry.kind).collect();
    assert_eq!([kinds.first(), kinds.last()], [Some(&"opening"), Some(&"closing")]);
    let ballots = kinds[1..kinds.len() - 1].iter().filter(|kind| **kind == "ballot").count();
    assert_eq!(ballots, kinds.len() - 2);
    assert_eq!(ballots as u64, accepted);
    assert!(accepted > 0, "somebody was in time");
    entries
}

fn log(service: &Service) -> Vec<LogEntry> {
    let entries = service.store().read(|conn| store::log::after(conn, &round(), 0, 100_000));
    entries.expect("the log can be read")
}

fn assert_gapless(entries: &[LogEntry]) {
    for (i, pair) in entries.windows(2).enumerate() {
        assert_eq!(pair[0].sequence, i as u64 + 1);
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert!(pair[0].at <= pair[1].at, "time does not go back in the log");
    }
}

#[test]
fn a_batch_with_a_refusal_in_it_harms_nobody_else() {
    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    let codes = municipality_codes();
    let sent = while_locked(&service, || {
        let requests = codes.iter().step_by(10).map(|code| {
            let path = format!("/rounds/handslag-2026/ballots/{code}");
            let request = service.put(&path).by(Caller::Participant(code)).json(&json!({ "ranking": FIVE }));
            // Every other one on a condition that does not hold.
            let refused = code.ends_with(['0', '2', '4', '6', '8']);
            let request = if refused { request.header("If-Match", "\"9\"") } else { request };
            (refused, request.send_off())
        });
        requests.collect::<Vec<_>>()
    });
    let mut accepted: Vec<Value> = Vec::new();
    for (refused, unanswered) in sent {
        let reply = unanswered.reply().is(if refused { 412 } else { 201 });
        if !refused {
            accepted.push(reply.json()["sequence"].clone());
        }
    }
    accepted.sort_by_key(Value::as_u64);
    let expected: Vec<u64> = (3..3 + accepted.len() as u64).collect();
    assert_eq!(json!(accepted), json!(expected), "no number is lost on a refusal");
}
