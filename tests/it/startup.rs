//! What stands in the way of starting is told in words that say what to do, with exit code 3, and what is there is
//! left as it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use crate::program::{Program, Ran};
use crate::support::{Database, in_ci, skipped};

const FILE: &str = "data/handslag.db";

/// Everything in the data folder but the lock file, which may come, and SQLite's `-shm`, which is no data.
fn contents(program: &Program) -> BTreeMap<String, (Option<Vec<u8>>, SystemTime)> {
    let Ok(folder) = std::fs::read_dir(program.path("data")) else { return BTreeMap::new() };
    let files = folder.map(|entry| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let bytes = metadata.is_file().then(|| std::fs::read(entry.path()).unwrap());
        (entry.file_name().into_string().unwrap(), (bytes, metadata.modified().unwrap()))
    });
    files.filter(|(name, _)| !["handslag.db.lock", "handslag.db-shm"].contains(&&**name)).collect()
}

/// Starts the service, which must refuse: with code 3 and these words, and without a touch on what is there.
#[track_caller]
fn refused(program: &Program, under: &[&str], words: &[&str]) -> Ran {
    let before = contents(program);
    let ran = program.serve(under, &[]).is(3);
    assert!(contents(program) == before, "the data folder is as it was\n{}", ran.err);
    told(&ran, words);
    ran
}

#[track_caller]
fn told(ran: &Ran, words: &[&str]) {
    for words in words {
        assert!(ran.err.contains(words), "it says {words:?}\n{}", ran.err);
    }
    assert_eq!(
        (ran.out.as_str(), ran.err.lines().count()),
        ("", 1),
        "one line, on standard error\n{}",
        ran.err
    );
}

fn sqlite(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

/// A database with a round in it, which nobody has open.
fn program() -> Program {
    let program = Program::with_open_round();
    assert!(!program.path("data/handslag.db-wal").exists());
    program
}

type Damage<'a> = Box<dyn Fn(&Program) + 'a>;

#[test]
fn a_file_that_is_no_whole_database_of_ours_is_left_alone() {
    let page = |program: &Program| {
        let bytes = std::fs::read(program.path(FILE)).unwrap();
        assert_eq!(&bytes[16..18], [0x10, 0], "pages of 4096 bytes");
        bytes
    };
    let noise = |n: usize| (0..n).map(|i| u8::try_from(i * 167 % 251).unwrap()).collect::<Vec<u8>>();
    let not_ours = ["handslag.db: ", "--database", "Nothing was changed"];
    let damaged = ["handslag.db: ", "malformed", "restore a backup", "Nothing was changed"];
    let table: Vec<(&str, Damage<'_>, &[&str])> = vec![
        ("random bytes", Box::new(|program| program.write(FILE, noise(20_000))), &not_ours),
        ("a few bytes", Box::new(|program| program.write(FILE, "hej")), &not_ours),
        ("a text", Box::new(|program| program.write(FILE, "en rad text\n".repeat(1_000))), &not_ours),
        (
            "no head",
            Box::new(|program| {
                let whole = page(program);
                program.write(FILE, [&noise(100), &whole[100..]].concat());
            }),
            &not_ours,
        ),
        (
            "another program's",
            Box::new(|program| {
                std::fs::remove_file(program.path(FILE)).unwrap();
                sqlite(&program.path(FILE)).batch_execute("CREATE TABLE rounds (id TEXT)").unwrap();
            }),
            &["handslag.db: ", "tables of another program", "--database"],
        ),
        (
            "cut off in the middle of a page",
            Box::new(|program| {
                let whole = page(program);
                program.write(FILE, &whole[..whole.len() / 2 + 1_000]);
            }),
            &damaged,
        ),
        (
            "cut off between two pages",
            Box::new(|program| program.write(FILE, &page(program)[..5 * 4_096])),
            &damaged,
        ),
    ];
    for (name, damage, words) in table {
        let program = program();
        damage(&program);
        let ran = refused(&program, &[], words);
        assert!(ran.err.starts_with("handslag: data/handslag.db: "), "{name}: {}", ran.err);
    }
}

#[test]
fn a_page_that_was_overwritten_is_found_whichever_it_is() {
    let program = program();
    let whole = std::fs::read(program.path(FILE)).unwrap();
    let pages = whole.len() / 4_096;
    let every = if in_ci() { 1 } else { 4 };
    for page in (1..pages).step_by(every) {
        let mut damaged = whole.clone();
        damaged[page * 4_096..(page + 1) * 4_096].fill(0xA5);
        program.write(FILE, damaged);
        refused(&program, &[], &["malformed", "restore a backup"]);
    }
    program.write(FILE, whole);
    program.run(&["round", "show", "liten"]).is(0);
}

#[test]
fn a_schema_of_a_newer_program_is_left_alone() {
    const NEWER: &str = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')";
    let words = ["29991231000000", "newer version", "Start that one, or restore a backup"];
    // As a server leaves it.
    let clean = program();
    sqlite(&clean.path(FILE)).batch_execute(NEWER).unwrap();
    refused(&clean, &[], &words);
    assert!(!clean.path("data/handslag.db-wal").exists() && !clean.path("data/handslag.db-shm").exists());
    // As a backup may be: without write-ahead logging, which is not turned on.
    let backup = program();
    sqlite(&backup.path(FILE)).batch_execute(&format!("PRAGMA journal_mode = DELETE; {NEWER}")).unwrap();
    refused(&backup, &[], &words);
    // As a kill leaves it: the newest commits are in `-wal`, and stay there.
    let killed = Program::new();
    let origin = program();
    let mut conn = sqlite(&origin.path(FILE));
    conn.batch_execute(&format!("PRAGMA wal_autocheckpoint = 0; {NEWER}")).unwrap();
    for end in ["", "-wal"] {
        let name = format!("{FILE}{end}");
        killed.write(&name, std::fs::read(origin.path(&name)).unwrap());
    }
    drop(conn);
    refused(&killed, &[], &words);
    assert!(std::fs::metadata(killed.path("data/handslag.db-wal")).unwrap().len() > 0);
}

#[test]
fn an_older_schema_is_brought_up_to_date() {
    // Nothing yet, and the first of the migrations.
    let first = include_str!("../../migrations/sqlite/20261122000000_rounds_and_log/up.sql");
    let older = format!(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
           run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261122000000');
         {first}"
    );
    for before in ["", &older] {
        let program = Program::new();
        program.write(FILE, "");
        sqlite(&program.path(FILE)).batch_execute(before).unwrap();
        program.write_round("round.toml");
        program.run(&["round", "create", "round.toml"]).is(0);
        assert_eq!(program.round()["id"], "liten");
    }
}

#[test]
fn a_folder_in_place_of_the_file_and_a_file_in_place_of_the_folder_are_told() {
    let program = Program::new();
    std::fs::create_dir_all(program.path(FILE)).unwrap();
    refused(&program, &[], &["handslag.db: ", "Is a directory", "--database"]);
    let program = Program::new();
    program.write("data", "a file");
    refused(&program, &[], &["handslag.db: ", "--data-dir"]);
    assert_eq!(std::fs::read_to_string(program.path("data")).unwrap(), "a file");
}

#[test]
fn a_file_or_a_folder_that_takes_no_writes_is_told() {
    let words = ["handslag.db: ", "must be able to write the file and its folder"];
    if !crate::support::is_root() {
        for path in [FILE, "data"] {
            let program = program();
            let path = program.path(path);
            let before = std::fs::metadata(&path).unwrap().permissions();
            let mut closed = before.clone();
            closed.set_readonly(true);
            std::fs::set_permissions(&path, closed).unwrap();
            let _ = std::fs::remove_file(program.path("data/handslag.db.lock"));
            refused(&program, &[], &words);
            std::fs::set_permissions(&path, before).unwrap();
        }
    }
    // Modes do not stop root; a file system that is mounted to be read does.
    let Some(mut under) = crate::support::mounting("a_file_or_a_folder_that_takes_no_writes_is_told") else {
        return;
    };
    let program = program();
    let folder = program.path("data");
    under.extend(["mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"".to_owned()]);
    under.push(folder.to_str().unwrap().to_owned());
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    refused(&program, &under, &words);
}

#[test]
fn a_file_that_somebody_else_holds_is_told_after_a_while() {
    if !in_ci() {
        // The program waits for ten seconds, so this waits too.
        skipped("a_file_that_somebody_else_holds_is_told_after_a_while", "only in CI");
        return;
    }
    let words = ["handslag.db: ", "locked", "Another process holds the file", "then start again"];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let program = program();
            let mut conn = sqlite(&program.path(FILE));
            conn.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version = 1")
                .unwrap();
            told(&program.serve(&[], &[]).is(3), &words);
        });
        scope.spawn(|| {
            let program = program();
            let lock = std::fs::File::open(program.path("data/handslag.db.lock")).unwrap();
            lock.lock().unwrap();
            refused(&program, &[], &words);
        });
    });
}

#[test]
fn a_postgres_that_does_not_let_us_in_is_told_without_the_password() {
    let Some(database) = Database::postgres("a_postgres_that_does_not_let_us_in") else { return };
    let handslag::store::Database::Postgres(url) = database.address() else { panic!("a server") };
    let (server, name) = url.rsplit_once('/').unwrap();
    let server = server.rsplit_once('@').unwrap().1;
    let store = database.open();
    store
        .connect()
        .unwrap()
        .batch_execute(
            "CREATE ROLE with_password LOGIN PASSWORD 'det rätta';
             INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')",
        )
        .unwrap();
    for (url, words) in [
        (
            "postgres://postgres:hemligt@127.0.0.1:1/handslag".to_owned(),
            ["Connection refused", "Does the server run", "--database"],
        ),
        (
            "postgres://postgres:hemligt@finns-inte.invalid/handslag".to_owned(),
            ["finns-inte.invalid", "are host and port", "--database"],
        ),
        (
            format!("postgres://postgres:hemligt@{server}/finns_inte"),
            ["database \"finns_inte\" does not exist", "Look at the name", "--database"],
        ),
        (
            format!("postgres://finns_inte:hemligt@{server}/{name}"),
            ["role \"finns_inte\" does not exist", "user and password", "--database"],
        ),
        (
            format!("postgres://with_password:hemligt@{server}/{name}"),
            ["password authentication failed for user \"with_password\"", "user and password", "--database"],
        ),
        (
            format!("postgres://postgres:hemligt@{server}/{name}"),
            ["29991231000000", "newer version", "Start that one"],
        ),
    ] {
        let program = Program::new();
        let ran = program.serve(&[], &["--database", &url]).is(3);
        told(&ran, &words);
        assert!(!ran.err.contains("hemligt"), "{}", ran.err);
        assert!(!program.path("data").exists(), "nothing was made");
    }
    store.connect().unwrap().batch_execute("DROP ROLE with_password").unwrap();
}

#[test]
#[cfg(not(feature = "postgres-tls"))]
fn a_program_without_tls_to_postgres_does_not_go_on_without_it() {
    let server = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    for mode in ["require", "verify-ca", "verify-full"] {
        let program = Program::new();
        let url = format!("postgres://h:hemligt@127.0.0.1:{port}/handslag?sslmode={mode}");
        let ran = program.serve(&[], &["--database", &url]).is(3);
        assert!(!ran.err.contains("hemligt"), "{}", ran.err);
        let called = server.accept().map(|(_, address)| address);
        assert_eq!(called.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{mode}: nobody was asked");
    }
}
