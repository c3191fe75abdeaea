//! `handslag doctor`: each finding, provoked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use handslag::store;
use serde_json::Value;

use crate::program::{Program, Ran};
use crate::support::{Answer, Database, IssuerServer, Pair, Service, is_root, mounting};

/// Settings under which nothing is to be said.
const FINE: [&str; 2] = ["--public-url", "https://handslag.example.se"];

/// What the doctor says in JSON; `code` is how it ends.
#[track_caller]
fn findings(program: &Program, code: i32, arguments: &[&str]) -> Vec<Value> {
    let ran = program.run(&[&["doctor", "--format", "json"], &FINE[..], arguments].concat()).is(code);
    let report = ran.json();
    assert_eq!(report["verdict"] == "fail", code == 1, "{report}");
    report["findings"].as_array().unwrap().clone()
}

/// Verdict and words of the findings of a check that are not ok, or of the first that is.
#[track_caller]
fn of(findings: &[Value], check: &str) -> String {
    let mut of_check: Vec<&Value> = findings.iter().filter(|finding| finding["check"] == check).collect();
    of_check.sort_by_key(|finding| finding["verdict"] == "ok");
    let finding = of_check.first().unwrap_or_else(|| panic!("nothing of {check} in {findings:?}"));
    assert_eq!(
        finding["verdict"] == "ok",
        finding.get("advice").is_none(),
        "advice where it is needed: {finding}"
    );
    format!("{}: {}", finding["verdict"].as_str().unwrap(), finding["what"].as_str().unwrap())
}

fn set_mode(program: &Program, name: &str, mode: u32) {
    std::fs::set_permissions(program.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder that a service has been started in, or as good as.
fn used() -> Program {
    let program = Program::with_open_round();
    program.run(&["token", "--manager"]).is(0);
    program.run(&["log", "key"]).is(0);
    program
}

/// The program under a line of shell.
fn under(program: &Program, shell: &[&str], script: &str) -> Ran {
    let own = format!("{script} exec {} --data-dir data doctor", env!("CARGO_BIN_EXE_handslag"));
    let line = [shell, &[&own]].concat();
    let output = Command::new(line[0]).args(&line[1..]).current_dir(program.path("")).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_folder_that_is_in_use_is_fine_and_nothing_is_changed_in_it() {
    let program = used();
    let before = std::fs::read(program.path("data/handslag.db")).unwrap();
    let findings = findings(&program, 0, &[]);
    for check in ["data-folder", "keys", "database-file", "database", "schema", "public-url"] {
        assert!(of(&findings, check).starts_with("ok: "), "{}", of(&findings, check));
    }
    assert_eq!(std::fs::read(program.path("data/handslag.db")).unwrap(), before);
    let text = program.run(&["doctor", FINE[0], FINE[1]]).is(0);
    assert_eq!(text.out.lines().filter(|line| line.starts_with("FAIL")).count(), 0, "{}", text.out);
    assert!(text.out.contains("ok    database: SQLite, whole, journal wal"), "{}", text.out);
}

#[test]
fn an_empty_machine_is_warned_of_and_nothing_is_made_on_it() {
    let program = Program::new();
    let findings = findings(&program, 0, &[]);
    assert!(of(&findings, "data-folder").starts_with("warn: data is not there"));
    assert!(of(&findings, "keys").starts_with("warn: data/keys is not there"));
    assert!(of(&findings, "database").starts_with("warn: there is no file yet"));
    assert!(!program.path("data").exists());
}

#[test]
fn files_that_others_can_read_and_keys_that_are_none_fail() {
    let program = used();
    set_mode(&program, "data/keys/log.pem", 0o640);
    let found = findings(&program, 1, &[]);
    assert_eq!(of(&found, "keys"), "fail: data/keys/log.pem can be read by others than its owner (mode 640)");
    set_mode(&program, "data/keys/log.pem", 0o600);
    set_mode(&program, "data/handslag.db", 0o644);
    let found = findings(&program, 1, &[]);
    assert!(of(&found, "database-file").starts_with("fail: data/handslag.db can be read by others"));
    set_mode(&program, "data/handslag.db", 0o600);
    program.write("data/keys/signing.pem", "no key");
    let found = findings(&program, 1, &[]);
    assert_eq!(of(&found, "keys"), "fail: data/keys/signing.pem holds no Ed25519 key in PKCS #8 PEM");
}

#[test]
fn a_folder_that_cannot_be_written_to_fails() {
    let program = Program::new();
    program.write("data", "a file");
    assert_eq!(of(&findings(&program, 1, &[]), "data-folder"), "fail: data is no folder");
    if is_root() {
        return;
    }
    std::fs::remove_file(program.path("data")).unwrap();
    program.write("data/x", "");
    set_mode(&program, "data", 0o500);
    assert_eq!(of(&findings(&program, 1, &[]), "data-folder"), "fail: data cannot be written to");
}

#[test]
fn a_settings_file_with_a_password_for_everybody_is_warned_of() {
    let program = Program::new();
    program.write("handslag.toml", "database = \"postgres://handslag:hemligt@127.0.0.1:1/handslag\"\n");
    set_mode(&program, "handslag.toml", 0o644);
    let found = findings(&program, 1, &["--config", "handslag.toml"]);
    assert!(of(&found, "settings-file").starts_with("warn: handslag.toml holds a password"));
    set_mode(&program, "handslag.toml", 0o600);
    let found = findings(&program, 1, &["--config", "handslag.toml"]);
    assert!(of(&found, "settings-file").starts_with("ok: "));
    assert!(of(&found, "database").starts_with("fail: ") && !format!("{found:?}").contains("hemligt"));
}

#[test]
fn a_database_that_is_damaged_or_older_or_newer_is_told() {
    let program = used();
    let change = |statement: &str| {
        let file = store::Database::Sqlite(program.path("data/handslag.db"));
        store::Store::open(file).unwrap().connect().unwrap().batch_execute(statement).unwrap();
    };
    change("DELETE FROM __diesel_schema_migrations WHERE version LIKE '20261124000010%'");
    assert!(
        of(&findings(&program, 0, &[]), "schema")
            .starts_with("warn: 1 migrations are pending, up to 20261124000010")
    );
    let whole = std::fs::read(program.path("data/handslag.db")).unwrap();
    let cut = &whole[..whole.len() / 2];
    program.write("data/handslag.db", cut);
    assert!(of(&findings(&program, 1, &[]), "database").starts_with("fail: "));
    program.write("data/handslag.db", whole);
    let file = program.path("data/handslag.db");
    let mut conn = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").unwrap();
    drop(conn);
    let newer = of(&findings(&program, 1, &[]), "database");
    assert!(newer.contains("29991231000000"), "{newer}");
}

#[test]
fn another_journal_is_told() {
    let program = used();
    let file = program.path("data/handslag.db");
    let mut conn = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA journal_mode = DELETE").unwrap();
    drop(conn);
    assert!(
        of(&findings(&program, 0, &[]), "database")
            .starts_with("warn: SQLite, whole, but its journal is delete")
    );
}

#[test]
fn weak_settings_are_told() {
    let program = used();
    let with = |code: i32, arguments: &[&str]| {
        program.run(&[&["doctor", "--format", "json"], arguments].concat()).is(code).json()["findings"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert!(
        of(&with(0, &[]), "public-url").starts_with("warn: http://127.0.0.1:8080 is of this machine only")
    );
    let plain = ["--public-url", "http://handslag.example.se"];
    assert!(of(&with(0, &plain), "public-url").starts_with("warn: http://handslag.example.se is not https"));
    let open = with(1, &["--bind", "0.0.0.0:8080"]);
    assert!(
        of(&open, "public-url").starts_with("fail: ") && of(&open, "bind").starts_with("warn: plain HTTP on")
    );
    assert!(of(&with(0, &["--log-level", "debug"]), "log-level").starts_with("warn: "));
}

#[test]
fn too_few_open_files_and_too_little_space_are_told() {
    let program = used();
    let few = under(&program, &["sh", "-c"], "ulimit -n 256;").is(1);
    assert!(few.out.contains("FAIL  open-files: a process may have 256 files open"), "{}", few.out);
    let some = under(&program, &["sh", "-c"], "ulimit -n 2048;").is(0);
    assert!(some.out.contains("warn  open-files: a process may have 2048 files open"), "{}", some.out);
    let Some(shell) = mounting("too_few_open_files_and_too_little_space_are_told") else { return };
    let shell: Vec<&str> = shell.iter().map(String::as_str).collect();
    let small = under(&program, &shell, "mount -t tmpfs -o size=20m tmpfs data;").is(1);
    assert!(small.out.contains("FAIL  disk-space: ") && small.out.contains("507"), "{}", small.out);
}

#[test]
fn postgres_is_told_of_with_its_clock_and_what_commits_rest_on() {
    let test = "postgres_is_told_of_with_its_clock_and_what_commits_rest_on";
    let Some(database) = Database::postgres(test) else { return };
    let store::Database::Postgres(url) = database.address() else { unreachable!("asked for above") };
    let program = used();
    let look = |code: i32| findings(&program, code, &["--database", &url]);
    let empty = look(0);
    assert!(of(&empty, "database").starts_with("ok: PostgreSQL "), "{}", of(&empty, "database"));
    assert!(of(&empty, "schema").contains("migrations are pending"), "{}", of(&empty, "schema"));
    assert!(of(&empty, "durability").contains("no standby is waited for"));
    let store = database.open();
    let run = |statement: &str| store.connect().unwrap().batch_execute(statement).unwrap();
    let name = url.rsplit_once('/').unwrap().1;
    assert!(of(&look(0), "schema").starts_with("ok: "));
    assert!(of(&look(0), "clock").starts_with("ok: the database's clock is 0."));
    run(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    assert!(of(&look(0), "durability").starts_with("warn: synchronous_commit is off"));
    // Another function of the name goes before the system's, and so does what it says.
    for (apart, verdict, code) in [("10 seconds", "warn", 0), ("1 hour", "fail", 1)] {
        run(&format!(
            "CREATE OR REPLACE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '{apart}' $$;
             ALTER DATABASE {name} SET search_path = public, pg_catalog"
        ));
        let clock = of(&look(code), "clock");
        assert!(clock.starts_with(&format!("{verdict}: the database's clock")), "{clock}");
    }
    run("CREATE OR REPLACE FUNCTION pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$");
    assert_eq!(of(&look(1), "standby"), "fail: the server is a standby");
}

#[test]
fn a_database_that_is_away_fails() {
    let found = findings(&used(), 1, &["--database", "postgres://nobody@127.0.0.1:1/nothing"]);
    assert!(of(&found, "database").starts_with("fail: "), "{}", of(&found, "database"));
}

#[test]
fn a_service_that_runs_is_asked() {
    let program = used();
    let service = Service::start_program(&Database::sqlite());
    let address = format!("http://{}", service.address());
    let found = findings(&program, 0, &["--url", &address]);
    assert_eq!(of(&found, "service"), format!("ok: {address} is ready"));
    assert!(of(&found, "clock").starts_with("ok: the service's clock"), "{}", of(&found, "clock"));
    drop(service);
    assert!(of(&findings(&program, 1, &["--url", &address]), "service").starts_with("fail: "));
    let unasked = findings(&program, 0, &["--url", "https://handslag.example.se"]);
    assert!(of(&unasked, "service").starts_with("warn: "));
}

#[test]
fn a_service_that_is_not_ready_another_program_and_another_time_are_told() {
    let program = used();
    for (head, check, told) in [
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "service", "is not ready"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "service", "does not answer as this service does"),
        (
            "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
            "clock",
            "fail: the service's clock is",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answers = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1_000]).unwrap() > 0);
            stream.write_all(head.as_bytes()).unwrap();
        });
        let said = of(&findings(&program, 1, &["--url", &address]), check);
        assert!(said.contains(told), "{said}");
        answers.join().unwrap();
    }
}

#[test]
fn what_is_between_the_service_and_its_callers_is_looked_at() {
    let program = used();
    let found = findings(&program, 0, &[]);
    assert!(of(&found, "limits").starts_with("ok: "));
    assert_eq!(of(&found, "trusted-proxies"), "warn: TLS is somewhere else, and no proxy is believed");
    assert_eq!(of(&found, "bind"), "ok: plain HTTP on 127.0.0.1:8080");
    let behind = findings(&program, 0, &["--trusted-proxies", "10.0.0.7", "--limits", "off"]);
    assert_eq!(of(&behind, "trusted-proxies"), "ok: 1 may say whom a request is from");
    assert_eq!(of(&behind, "limits"), "warn: they are off");

    let signed = rcgen::generate_simple_self_signed(vec!["handslag.example.se".to_owned()]).unwrap();
    program.write("tls.crt", signed.cert.pem());
    program.write("tls.key", signed.signing_key.serialize_pem());
    let tls = ["--tls-certificate", "tls.crt", "--tls-key", "tls.key", "--bind", "0.0.0.0:8443"];
    set_mode(&program, "tls.key", 0o644);
    let wide = findings(&program, 1, &tls);
    assert!(of(&wide, "certificate").starts_with("fail: tls.key can be read by others than its owner"));
    set_mode(&program, "tls.key", 0o600);
    let fine = findings(&program, 0, &tls);
    assert_eq!(of(&fine, "certificate"), "ok: tls.crt and its key can be used");
    assert_eq!(of(&fine, "bind"), "ok: TLS on 0.0.0.0:8443");
    assert!(!fine.iter().any(|finding| finding["check"] == "trusted-proxies"), "nobody is in front");
}

#[test]
fn issuers_whose_keys_cannot_be_had_fail() {
    let program = used();
    let server = IssuerServer::start(Answer::keys(&[&Pair::ec("a", 1)]));
    let settings = |uri: &str| {
        format!(
            "[[issuers]]\nissuer = \"https://a.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\njwksUri = \"{uri}\"\n"
        )
    };
    let look = |uri: &str, code: i32| {
        program.write("handslag.toml", settings(uri));
        of(&findings(&program, code, &["--config", "handslag.toml"]), "issuers")
    };
    assert_eq!(look(&server.uri(), 0), "ok: https://a.example: 1 keys");
    server.answer(Answer::keys(&[]));
    assert_eq!(look(&server.uri(), 1), "fail: https://a.example: none of its keys can be used");
    server.answer(Answer::Text("no JSON".to_owned()));
    assert!(look(&server.uri(), 1).starts_with("fail: https://a.example: no JWK set"));
    let gone = server.uri();
    drop(server);
    assert!(look(&gone, 1).starts_with("fail: https://a.example: "));
    assert!(look("http://a.example/keys", 1).starts_with("fail: issuers[0] (https://a.example): jwksUri"));
}
