//! Whether an instance is to be sent requests, and which of its parts says no.

use diesel::connection::SimpleConnection;
use handslag::store::Direction;
use serde_json::json;

use crate::support::metrics::start_measured;
use crate::support::{Database, FIVE, Reply, Service, on_both_databases, until};

fn ask(service: &Service) -> Reply {
    service.request_outside("GET", "/readyz").send()
}

/// Waits until it is not ready, and gives the codes of what is not well.
#[track_caller]
fn unwell(service: &Service) -> Vec<String> {
    let reply = until("it is not ready", || Some(ask(service)).filter(|reply| reply.status != 200));
    reply.problem("unavailable");
    assert_eq!(reply.field("Retry-After"), "1");
    reply.faults().into_iter().map(|(_, code)| code).collect()
}

on_both_databases! {
    fn who_is_well_says_so(database: Database) {
        let service = Service::start(&database);
        let reply = ask(&service).is(200);
        assert_eq!((reply.text(), reply.header("Content-Type")), ("ready\n", Some("text/plain; charset=utf-8")));
        service.request_outside("HEAD", "/readyz").send().is(200);
    }

    fn a_schema_that_lacks_migrations_is_not_served(database: Database) {
        let service = Service::start(&database);
        ask(&service).is(200);
        service.store().migrate(Direction::Down).unwrap();
        assert_eq!(unwell(&service), ["migrations"]);
        // It lives, and is not to be restarted for this.
        service.request_outside("GET", "/livez").send().is(200);
        service.store().migrate(Direction::Up).unwrap();
        ask(&service).is(200);
    }

    fn a_database_that_cannot_be_read_is_named_and_then_what_follows_it(database: Database) {
        let service = Service::start(&database);
        ask(&service).is(200);
        let mut other = service.store().connect().unwrap();
        other.batch_execute("ALTER TABLE rounds RENAME TO away").unwrap();
        assert_eq!(unwell(&service), ["database"]);
        until("the follower is not well either", || {
            (unwell(&service) == ["database", "follower"]).then_some(())
        });
        other.batch_execute("ALTER TABLE away RENAME TO rounds").unwrap();
        until("all is well again", || (ask(&service).status == 200).then_some(()));
    }

    fn a_register_that_cannot_be_read_for_long_is_named(database: Database) {
        let service = Service::start(&database);
        ask(&service).is(200);
        let mut other = service.store().connect().unwrap();
        other.batch_execute("ALTER TABLE registry RENAME TO away").unwrap();
        assert_eq!(unwell(&service), ["register"]);
        other.batch_execute("ALTER TABLE away RENAME TO registry").unwrap();
        until("all is well again", || (ask(&service).status == 200).then_some(()));
    }

    fn a_schema_of_a_newer_program_is_served(database: Database) {
        let service = Service::start(&database);
        let mut newer = service.store().connect().unwrap();
        newer.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')").unwrap();
        ask(&service).is(200);
    }
}

#[test]
fn it_says_that_it_is_about_to_stop() {
    let service = Service::start(&Database::sqlite());
    service.begin_to_stop();
    assert_eq!(unwell(&service), ["stopping"]);
}

#[test]
fn a_writer_that_waits_for_long_is_named_and_so_are_the_words_for_people() {
    let database = Database::sqlite();
    let (service, monitor) = start_measured(&database);
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    let service = &service;
    let mut other = service.store().connect().unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let ballot = scope.spawn(|| service.submit("0180", FIVE).is(201));
        assert_eq!(unwell(service), ["writer"]);
        let detail = |language| {
            let request = service.request_outside("GET", "/readyz").header("Accept-Language", language);
            request.send().is(503).json()["errors"][0]["detail"].as_str().unwrap().to_owned()
        };
        assert!(detail("sv").starts_with("Skrivaren är borta"), "{}", detail("sv"));
        assert!(detail("en").starts_with("The writer is gone"), "{}", detail("en"));
        let told = monitor.look();
        assert_eq!(told.get("handslag_ready"), Some(0.0));
        assert_eq!(told.get("handslag_part_well{part=\"writer\"}"), Some(0.0));
        assert_eq!(told.get("handslag_part_well{part=\"database\"}"), Some(1.0));
        other.batch_execute("ROLLBACK").unwrap();
        ballot.join().unwrap();
    });
    ask(service).is(200);
}
