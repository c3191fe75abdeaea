//! Secrets stay where they are: not in logs, settings, exports, error messages or dumps of the memory.

use serde_json::json;

use crate::program::Program;
use crate::support::{Caller, Database, FIVE, Service, on_both_databases};

const PASSWORD: &str = "Lösen0rd";

/// What must stand nowhere: tokens, private keys in any of their parts, what officials wrote, passwords.
fn secrets(database: &Database, tokens: &[&str]) -> Vec<String> {
    let mut secrets = vec!["Anna Andersson".to_owned(), "KS-hemligt".to_owned(), PASSWORD.to_owned()];
    for token in tokens {
        secrets.extend([(*token).to_owned(), token.rsplit_once('.').unwrap().1.to_owned()]);
    }
    for key in std::fs::read_dir(database.folder().join("keys")).unwrap() {
        let pem = std::fs::read_to_string(key.unwrap().path()).unwrap();
        let body = pem.lines().find(|line| !line.starts_with('-')).unwrap();
        // All such keys begin alike; the rest is the secret.
        secrets.push(body[24..].to_owned());
    }
    secrets
}

on_both_databases! {
    fn no_secret_is_in_the_log_the_settings_or_the_trail(database: Database) {
        let service = Service::start_program(&database);
        let now = service.now();
        service.open_round(json!({
            "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
        }));
        let token = service.token(Caller::Participant("0180")).unwrap();
        let manager = service.token(Caller::Manager).unwrap();
        let own = "/rounds/handslag-2026/ballots/0180";
        let body = json!({ "ranking": FIVE, "comment": "Anna Andersson", "reference": "KS-hemligt" });
        service.put(own).by(Caller::Token(&token)).json(&body).send().is(201);
        service.put(own).by(Caller::Token(&format!("{token}x"))).json(&body).send().is(401);
        service.get(&format!("{own}?access_token={token}")).send().is(401);
        service.put(own).by(Caller::Token(&token)).body("application/json", "{\"Anna Andersson\":1}").send().is(400);
        let trail = || service.get("/audit-entries?format=ndjson").by(Caller::Token(&manager)).send().is(200);
        let trail = crate::support::until("the trail has the exchanges", || {
            let text = trail().text().to_owned();
            (text.lines().count() >= 5).then_some(text)
        });
        let page = service.get("/audit-entries").by(Caller::Manager).send().is(200);
        let secrets = secrets(&database, &[&token, &manager]);
        assert!(secrets.len() >= 9, "two keys, two tokens: {}", secrets.len());
        drop(service);
        let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
        assert!(log.contains("DEBUG") || log.contains("\"level\""), "{log}");
        for secret in secrets {
            for (place, text) in [("log", &*log), ("trail", &trail), ("page", page.text())] {
                assert!(!text.contains(&secret), "{secret} is in the {place}\n{text}");
            }
        }
    }
}

#[test]
fn a_password_is_in_no_message_however_the_address_is_written() {
    let program = Program::new();
    for url in [
        "postgres://handslag:{}@127.0.0.1:1/handslag",
        "postgres://handslag:{}@nowhere.invalid/handslag",
        "postgres://handslag:x/{}@127.0.0.1:1/handslag",
        "postgres://handslag:x@{}@127.0.0.1:1/handslag",
        "postgres://handslag:{}/x@127.0.0.1:1/handslag",
        "postgres://handslag:{}?x#y@127.0.0.1:1/handslag",
        "postgres://handslag@127.0.0.1:1/handslag?password={}",
        "postgres://handslag@127.0.0.1:1/handslag?sslpassword={}",
        "mysql://handslag:{}@127.0.0.1/handslag",
    ] {
        let url = url.replace("{}", PASSWORD);
        for arguments in
            [&["round", "list"][..], &["serve", "--bind", "127.0.0.1:0", "--log-level", "debug"], &["config"]]
        {
            for variables in [&[("HANDSLAG_DATABASE", &*url)][..], &[]] {
                let flag = ["--database", &url];
                let flags = if variables.is_empty() { &flag[..] } else { &[] };
                let ran = program.run_with(variables, &[flags, arguments].concat());
                assert!(!(ran.out + &ran.err).contains(PASSWORD), "{url} {arguments:?}");
            }
        }
        program.write("handslag.toml", format!("database = \"{url}\"\n"));
        let ran = program.run(&["--config", "handslag.toml", "round", "list"]);
        assert!(!(ran.out + &ran.err).contains(PASSWORD), "{url} in a file");
    }
}

/// The process that listens, as the system describes it.
#[cfg(target_os = "linux")]
fn process(service: &Service, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{}/{file}", service.process())).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_leaves_no_core_dump() {
    use std::os::unix::fs::MetadataExt;
    let service = Service::start_program(&Database::sqlite());
    let limits = process(&service, "limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    // What is not dumpable belongs to the superuser, whoever runs it; a test run by the superuser cannot tell.
    let owner = std::fs::metadata(format!("/proc/{}/mem", service.process())).unwrap().uid();
    assert_eq!(owner, 0);
}

#[cfg(unix)]
#[test]
fn a_password_in_a_file_that_everybody_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    let url = format!("postgres://handslag:{PASSWORD}@127.0.0.1:1/handslag");
    let warned = |name: &str, mode: u32, text: &str| {
        program.write(name, text);
        std::fs::set_permissions(program.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = program.serve(&[], &["--config", name]).is(3);
        ran.err.contains("everybody on the machine may read the database password")
    };
    assert!(warned("open.toml", 0o644, &format!("database = \"{url}\"\n")));
    assert!(!warned("closed.toml", 0o640, &format!("database = \"{url}\"\n")));
    assert!(!warned("plain.toml", 0o644, "database = \"postgres://handslag@127.0.0.1:1/handslag\"\n"));
}
