//! New keys for tokens while the service runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use handslag::service::Clock;
use serde_json::Value;

use crate::support::registered::{Registered, handslag};
use crate::support::{Caller, Database, Service, on_both_databases, until};

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn published(service: &Service) -> Vec<String> {
    let keys = service.request_outside("GET", "/.well-known/jwks.json").send().is(200).json();
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(kid).collect()
}

fn key_files(database: &Database) -> usize {
    let entries = std::fs::read_dir(database.folder().join("keys")).unwrap();
    entries
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("signing"))
        .count()
}

fn status(service: &Service, token: &str) -> u16 {
    service.get("/rounds").by(Caller::Token(token)).send().status
}

on_both_databases! {
    fn no_call_is_refused_while_a_key_gives_way_to_another(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        // Two instances, each with keys of its own where they share no folder.
        let elsewhere = database.of_another_instance();
        let services = [
            Service::start_at(&database, Clock::System),
            Service::start_at(&elsewhere, Clock::System),
        ];
        let old = kid(&client.token(&services[0]));
        assert_ne!(old, kid(&client.token(&services[1])), "each has its own");
        let stop = AtomicBool::new(false);
        let tokens = std::thread::scope(|scope| {
            let load = |which: usize| {
                let (client, services, stop) = (&client, &services, &stop);
                scope.spawn(move || {
                    let mut tokens = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let token = client.token(&services[which]);
                        tokens.push(token);
                        // Old ones too, on the instance that has issued them and on the other.
                        for token in [&tokens[0], &tokens[tokens.len() / 2], &tokens[tokens.len() - 1]] {
                            assert_eq!(services.each_ref().map(|service| status(service, token)), [200, 200]);
                        }
                    }
                    tokens
                })
            };
            let threads = [load(0), load(1)];
            std::thread::sleep(Duration::from_millis(500));
            let told = handslag(&database, &["keys", "rotate"]);
            let new = told.split_whitespace().next().unwrap().to_owned();
            let rotated = Instant::now();
            until("every instance has published it", || {
                services.iter().all(|service| published(service).contains(&new)).then_some(())
            });
            assert!(rotated.elapsed() < Duration::from_secs(4), "well before it signs");
            until("it signs", || (kid(&client.token(&services[0])) == new).then_some(()));
            assert!(rotated.elapsed() > Duration::from_secs(4), "after every instance knows it");
            std::thread::sleep(Duration::from_millis(500));
            stop.store(true, Ordering::Relaxed);
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(tokens.iter().all(|tokens| tokens.len() > 20), "there was a load");
        let of_first: Vec<String> = tokens[0].iter().map(|token| kid(token)).collect();
        assert!(of_first.contains(&old) && *of_first.last().unwrap() != old);
        assert!(services.iter().all(|service| published(service).contains(&old)), "until its last token has ended");
        // The command line signs with the new one too.
        let token = handslag(&database, &["token", "--analyst"]);
        assert_eq!(kid(token.trim()), *of_first.last().unwrap());
        assert_eq!(status(&services[1], token.trim()), 200);
    }

    fn a_key_that_may_be_known_to_others_ends_at_once(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let services =
            [Service::start_at(&database, Clock::System), Service::start_at(&database, Clock::System)];
        let token = client.token(&services[0]);
        assert_eq!(services.each_ref().map(|service| status(service, &token)), [200, 200]);
        handslag(&database, &["keys", "rotate", "--at-once"]);
        std::thread::sleep(Duration::from_secs(1));
        // Also where it has been believed before.
        assert_eq!(services.each_ref().map(|service| status(service, &token)), [401, 401]);
        assert!(services.iter().all(|service| !published(service).contains(&kid(&token))));
        let next = client.token(&services[1]);
        assert_eq!(services.each_ref().map(|service| status(service, &next)), [200, 200]);
        assert_eq!(key_files(&database), 1, "the old one is gone");
    }
}

#[test]
fn a_key_is_published_until_its_last_token_has_ended_and_then_removed() {
    let database = Database::sqlite();
    let now = Clock::System.now();
    let service = Service::start_at(&database, Clock::at(now));
    let old = published(&service);
    handslag(&database, &["keys", "rotate"]);
    until("both are published", || (published(&service).len() == 2).then_some(()));
    // The command line's tokens live for 15 minutes.
    service.set_time(&now.plus_seconds(15 * 60).to_string());
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(published(&service).len(), 2);
    service.set_time(&now.plus_seconds(20 * 60).to_string());
    until("the old one is not", || (published(&service).len() == 1).then_some(()));
    assert_ne!(published(&service), old);
    assert_eq!(key_files(&database), 2);
    let database = service.stop();
    let service = Service::start_at(&database, Clock::at(now.plus_seconds(20 * 60)));
    assert_eq!((key_files(&database), published(&service).len()), (1, 1));
}

#[test]
fn an_instance_whose_keys_were_copied_makes_one_of_its_own_when_they_give_way() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let copy = database.of_another_instance();
    let first = Service::start_at(&database, Clock::System);
    std::fs::create_dir(copy.folder().join("keys")).unwrap();
    std::fs::copy(database.folder().join("keys/signing.pem"), copy.folder().join("keys/signing.pem"))
        .unwrap();
    let second = Service::start_at(&copy, Clock::System);
    let old = kid(&client.token(&first));
    assert_eq!(kid(&client.token(&second)), old);
    handslag(&database, &["keys", "rotate"]);
    until("each has one of its own", || {
        let kids = [kid(&client.token(&first)), kid(&client.token(&second))];
        (!kids.contains(&old) && kids[0] != kids[1]).then_some(())
    });
    assert_eq!((published(&first).len(), published(&second).len()), (3, 3));
    assert_eq!((key_files(&database), key_files(&copy)), (2, 2));
}

#[test]
fn the_keys_of_an_instance_that_is_no_more_can_be_ended() {
    let database = Database::sqlite();
    let gone = Service::start_at(&database.of_another_instance(), Clock::System);
    let [old] = &published(&gone)[..] else { panic!("one key") };
    drop(gone);
    let service = Service::start_at(&database, Clock::System);
    let listed = handslag(&database, &["keys", "list"]);
    let places: Vec<&str> = listed.lines().map(|line| line.rsplit('\t').next().unwrap()).collect();
    assert_eq!(places, ["elsewhere", "here"], "{listed}");
    handslag(&database, &["keys", "retire", old]);
    until("it is not published", || (!published(&service).contains(old)).then_some(()));
    assert_eq!(handslag(&database, &["keys", "list"]).lines().count(), 1);
}

#[test]
fn a_key_that_cannot_be_registered_is_made_once() {
    let database = Database::sqlite();
    let service = Service::start_at(&database, Clock::System);
    let old = published(&service);
    let mut conn = service.store().connect().unwrap();
    conn.batch_execute(
        "CREATE TRIGGER refused BEFORE INSERT ON token_keys BEGIN SELECT RAISE(ABORT, 'refused'); END; \
         UPDATE token_keys SET retires_at = '2999-01-01 00:00:00'; UPDATE registry SET version = version + 1",
    )
    .unwrap();
    until("a new key is made", || (key_files(&database) > 1).then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(key_files(&database), 2);
    conn.batch_execute("DROP TRIGGER refused").unwrap();
    until("it is registered", || (published(&service).len() == 2).then_some(()));
    assert_eq!(key_files(&database), 2);
    assert!(published(&service).contains(&old[0]));
}

#[test]
fn a_key_file_that_others_may_read_is_told_once_until_that_changes() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let service = Service::start_program(&database);
    let file = database.folder().join("keys/signing.pem");
    let set_mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    let change = || {
        let mut conn = service.store().connect().unwrap();
        conn.batch_execute("UPDATE registry SET version = version + 1").unwrap();
    };
    let told = || {
        let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
        log.lines().filter(|line| line.contains("the keys of tokens")).count()
    };
    for times in 1..=2 {
        set_mode(0o644);
        change();
        until("it is told", || (told() == times).then_some(()));
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(told(), times);
        set_mode(0o600);
        std::thread::sleep(Duration::from_secs(1));
    }
}
