//! The register of clients and keys in memory: what becomes of it where the database holds what cannot be read, or fails.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use handslag::service::Clock;
use serde_json::json;

use crate::support::registered::{CREDENTIALS, Registered, ask, by_assertion, handslag};
use crate::support::{Caller, Database, Service, on_both_databases, until};

fn status(service: &Service, token: &str) -> u16 {
    service.get("/rounds").by(Caller::Token(token)).send().status
}

/// Changes the database by hand, which counts as a change of the register.
fn meddle(service: &Service, sql: &str) {
    let mut conn = service.store().connect().unwrap();
    conn.batch_execute(&format!("{sql}; UPDATE registry SET version = version + 1")).unwrap();
}

on_both_databases! {
    fn a_client_that_cannot_be_read_is_refused_and_hides_no_other(database: Database) {
        let [newer, disabled, other] = [(); 3].map(|()| Registered::new(&database, &["--analyst"]));
        let service = Service::start(&database);
        let tokens = [&newer, &disabled, &other].map(|client| client.token(&service));
        let statuses = || tokens.each_ref().map(|token| status(&service, token));
        assert_eq!(statuses(), [200, 200, 200]);
        // A kind that only a newer program knows.
        meddle(&service, &format!("UPDATE clients SET kind = 'auditor' WHERE id = '{}'", newer.id));
        until("its tokens are refused", || (statuses() == [401, 200, 200]).then_some(()));
        newer.ask(&service).is(401);
        handslag(&database, &["client", "disable", &disabled.id]);
        until("the other is seen as disabled", || (statuses() == [401, 401, 200]).then_some(()));
        disabled.ask(&service).is(400);
        service.request_outside("GET", "/readyz").send().is(200);
        // Nor does it stand in the way of a start.
        let again = Service::start(&database);
        assert_eq!(tokens.each_ref().map(|token| status(&again, token)), [401, 401, 200]);
        other.token(&again);
        meddle(&service, &format!("UPDATE clients SET kind = 'analyst' WHERE id = '{}'", newer.id));
        until("it is read again", || (statuses() == [200, 401, 200]).then_some(()));
    }

    fn a_key_that_cannot_be_read_is_not_believed_and_hides_no_other(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let elsewhere = Service::start_at(&database.of_another_instance(), Clock::System);
        let here = Service::start_at(&database, Clock::System);
        let [theirs, ours] = [&elsewhere, &here].map(|service| client.token(service));
        let statuses = || [&theirs, &ours].map(|token| status(&here, token));
        until("both are known", || (statuses() == [200, 200]).then_some(()));
        let kid = jsonwebtoken::decode_header(&theirs).unwrap().kid.unwrap();
        // An end that the program cannot read.
        let never = if database.is_sqlite() { "one day" } else { "infinity" };
        meddle(&here, &format!("UPDATE token_keys SET retires_at = '{never}' WHERE kid = '{kid}'"));
        until("theirs is not believed", || (statuses() == [401, 200]).then_some(()));
        let other = Registered::new(&database, &["--analyst"]);
        until("what is new is known", || (other.ask(&here).status == 200).then_some(()));
    }

    fn a_key_ends_when_it_is_time_also_without_the_database(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let service = Service::start(&database);
        let token = client.token(&service);
        let published = || {
            let keys = service.request_outside("GET", "/.well-known/jwks.json").send().is(200).json();
            keys["keys"].as_array().unwrap().len()
        };
        // Its end is two minutes ahead, and the service has seen that.
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let before = published();
        meddle(&service, &format!("UPDATE token_keys SET retires_at = '2026-03-10 11:02:00' WHERE kid = '{kid}'"));
        until("the key gives way to another", || (published() > before).then_some(()));
        let mut conn = service.store().connect().unwrap();
        conn.batch_execute("ALTER TABLE registry RENAME TO away").unwrap();
        assert_eq!(status(&service, &token), 200);
        service.set_time("2026-03-10T12:02:01+01:00");
        assert_eq!(status(&service, &token), 401);
        until("it is not published any more", || (published() == before).then_some(()));
        conn.batch_execute("ALTER TABLE away RENAME TO registry").unwrap();
    }

    fn a_change_that_is_not_in_force_yet_is_not_said_to_be_done(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let service = Service::start(&database);
        let token = client.token(&service);
        let disable = || {
            let request = service.request("PATCH", &format!("/clients/{}", client.id)).by(Caller::Manager);
            request.json(&json!({ "disabled": true })).send()
        };
        let mut conn = service.store().connect().unwrap();
        conn.batch_execute("ALTER TABLE token_keys RENAME TO away").unwrap();
        let reply = disable().is(503);
        let detail = reply.problem("unavailable")["detail"].clone();
        assert!(detail.as_str().unwrap().starts_with("Ändringen är sparad"), "{detail}");
        assert_eq!(reply.field("Retry-After"), "1");
        conn.batch_execute("ALTER TABLE away RENAME TO token_keys").unwrap();
        assert_eq!(disable().is(200).json()["disabled"], true);
        assert_eq!(status(&service, &token), 401);
    }
}

#[test]
fn what_cannot_be_read_is_logged_once() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let service = Service::start_program(&database);
    let lines = || {
        let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
        log.lines().filter(|line| line.contains("cannot be read") && line.contains(&client.id)).count()
    };
    meddle(&service, &format!("UPDATE clients SET kind = 'auditor' WHERE id = '{}'", client.id));
    until("it is logged", || (lines() == 1).then_some(()));
    for _ in 0..3 {
        meddle(&service, "");
        std::thread::sleep(Duration::from_millis(400));
    }
    assert_eq!(lines(), 1);
}

/// A service that looks for what others write as seldom as the program does.
fn unhurried(database: &Database) -> Service {
    Service::start_program(database)
}

on_both_databases! {
    fn a_client_that_was_made_this_moment_gets_a_token(database: Database) {
        let service = unhurried(&database);
        for arguments in [&["--analyst"][..], &["--analyst", "--secret"]] {
            for _ in 0..3 {
                Registered::new(&database, arguments).ask(&service).is(200);
            }
        }
        let client = Registered::new(&database, &["--analyst", "--secret"]);
        client.ask(&service).is(200);
        let rotated = Registered::told(&database, &handslag(&database, &["client", "rotate", &client.id]));
        ask(&service, &[CREDENTIALS, ("client_id", &client.id), ("client_secret", &rotated.secret)]).is(200);
    }

    fn many_who_are_not_known_are_refused_soon_and_together(database: Database) {
        let service = unhurried(&database);
        let client = Registered::new(&database, &["--analyst"]);
        client.ask(&service).is(200);
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let mut claims = client.claims(&service);
                    (claims["iss"], claims["sub"]) = (json!("nobody"), json!("nobody"));
                    let unknown = client.sign(&client.header().to_string(), &claims.to_string());
                    by_assertion(&service, &unknown, &[]).is(401);
                });
            }
            // Nobody else waits for them.
            for _ in 0..10 {
                service.get("/rounds").send().is(200);
            }
        });
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
