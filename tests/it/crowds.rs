//! What becomes of those for whom there is no room: they are told so, with when to come back, and the others are served.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::board::Bounds;
use handslag::domain::RoundId;
use handslag::store::{self, Conn, Store};
use serde_json::json;

use crate::support::{
    Caller, Database, FIVE, ROUND, Reply, Request, Service, Unanswered, municipality_codes,
    on_both_databases, until,
};

const BALLOTS: &str = "/rounds/handslag-2026/ballots";
const RESULTS: &str = "/rounds/handslag-2026/results";

fn submission<'a>(service: &'a Service, code: &str) -> Request<'a> {
    let request = service.put(&format!("{BALLOTS}/{code}")).by(Caller::Participant(code));
    request.json(&json!({ "ranking": FIVE }))
}

/// Does something while nothing can be written to the round.
fn while_locked<T>(service: &Service, work: impl FnOnce() -> T) -> T {
    let id: RoundId = ROUND.parse().expect("an id");
    let mut conn = service.store().connect().expect("the test's database");
    let done = Store::write(&mut conn, |conn| {
        store::rounds::claim(conn, &id)?;
        Ok::<T, store::Error>(work())
    });
    done.expect("a transaction that changes nothing")
}

fn readiness(service: &Service) -> u16 {
    service.request_outside("GET", "/readyz").send().status
}

/// What a refusal says in English.
fn detail(refused: &Reply) -> String {
    refused.problem("unavailable")["detail"].as_str().expect("a problem has a detail").to_owned()
}

on_both_databases! {
    fn a_full_queue_is_told_and_nothing_of_it_is_stored(database: Database) {
        let service = Service::start_within(&database, Bounds { queue: 2, ..Bounds::default() });
        service.open_round(json!({}));
        let codes: Vec<String> = municipality_codes().into_iter().take(20).collect();
        let sent: Vec<Unanswered<'_>> = while_locked(&service, || {
            let send = |code: &String| submission(&service, code).header("Accept-Language", "en").send_off();
            let sent = codes.iter().map(send).collect();
            until("the writer has been waiting for long", || (readiness(&service) == 503).then_some(()));
            sent
        });
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (code, sent) in codes.iter().zip(sent) {
            let reply = sent.reply();
            if reply.status == 201 {
                accepted.push(code);
            } else {
                assert_eq!(detail(&reply.clone().is(503)), "Nothing was stored. Try again in a moment.");
                assert_eq!(reply.field("Retry-After"), "1");
                refused.push(code);
            }
        }
        assert!(accepted.len() >= 3 && !refused.is_empty(), "{accepted:?} and {refused:?}");
        let log = service.get("/rounds/handslag-2026/log-entries").by(Caller::Analyst).send().is(200).json();
        assert_eq!(log["_meta"]["totalRecords"], 1 + accepted.len(), "the opening and what was accepted");
        for code in refused {
            service.get(&format!("{BALLOTS}/{code}")).by(Caller::Analyst).send().is(404);
            submission(&service, code).send().is(201);
        }
    }

    fn whoever_waits_too_long_for_the_writer_is_told_to_look(database: Database) {
        let bounds = Bounds { answer: Duration::from_millis(200), ..Bounds::default() };
        let service = Service::start_within(&database, bounds);
        service.open_round(json!({}));
        let request = submission(&service, "0180").header("Accept-Language", "en");
        let refused = while_locked(&service, || request.send().is(503));
        assert!(detail(&refused).starts_with("It is unknown whether the change was stored."), "{refused}");
        assert_eq!(refused.field("Retry-After"), "2");
        // The writer had it already, so it is stored all the same.
        let own = service.get(&format!("{BALLOTS}/0180")).by(Caller::Analyst);
        until("the ballot is there", || (own.send().status == 200).then_some(()));
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many connections to this database wait for a lock.
fn waiting(conn: &mut Conn) -> i64 {
    let Conn::Postgres(conn) = conn else { panic!("the test's own database is PostgreSQL") };
    let asked: Count = sql_query(
        "SELECT count(*) AS count FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
         WHERE NOT granted AND datname = current_database()",
    )
    .get_result(conn)
    .expect("anyone may ask that");
    asked.count
}

#[test]
fn however_many_ask_for_the_past_the_service_stays_ready_and_equal_questions_are_one() {
    let name = "however_many_ask_for_the_past_the_service_stays_ready_and_equal_questions_are_one";
    let Some(database) = Database::postgres(name) else { return };
    let bounds = Bounds { turn: Duration::from_millis(300), ..Bounds::default() };
    let service = Service::start_within(&database, bounds);
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    for code in &municipality_codes()[..4] {
        service.submit(code, FIVE).is(201);
    }
    let (mut lock, mut look) = (service.store().connect().unwrap(), service.store().connect().unwrap());
    lock.batch_execute("BEGIN; LOCK TABLE log_entries IN ACCESS EXCLUSIVE MODE").unwrap();
    let past = |sequence: u32| service.get(&format!("{RESULTS}?asOf={sequence}"));
    let mut sent: Vec<Unanswered<'_>> = (0..20).map(|_| past(2).send_off()).collect();
    sent.push(past(3).send_off());
    until("both questions are with the database", || (waiting(&mut look) == 2).then_some(()));
    for crowded in [
        past(4),
        service.get("/rounds/handslag-2026/log-proofs?sequence=1"),
        service.get(&format!("{RESULTS}?rule=schulze")),
    ] {
        let refused = crowded.header("Accept-Language", "en").send();
        assert_eq!(
            detail(&refused.clone().is(503)),
            "Much is being counted just now. Try again in a moment."
        );
        assert_eq!(refused.field("Retry-After"), "2");
    }
    // What everybody polls has a gate of its own.
    service.get(RESULTS).send().is(200);
    assert_eq!((readiness(&service), waiting(&mut look)), (200, 2));
    lock.batch_execute("COMMIT").unwrap();
    for sent in sent {
        sent.reply().is(200);
    }
    past(4).send().is(200);
}
