//! `handslag backup` and `handslag restore`: a copy made while ballots come in is whole and has what was acknowledged,
//! and takes the place of the database only when nobody uses that.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::program::{Program, Ran};
use crate::support::{Caller, Database, FIVE, ROUND, Service, municipality_codes, until};

/// Runs the program on the database of a test.
fn run(database: &Database, arguments: &[&str]) -> Ran {
    let folder = database.folder().to_str().unwrap();
    Program::new().run_with(&[], &[&["--data-dir", folder], arguments].concat())
}

fn files(folder: &std::path::Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn a_backup_under_load_is_whole_and_has_every_ballot_that_was_acknowledged_before() {
    let database = Database::sqlite();
    let service = Service::start_program(&database);
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("it's #1 %41.db");
    let name = file.to_str().unwrap();
    let acknowledged: Mutex<BTreeSet<String>> = Mutex::default();
    let done = AtomicBool::new(false);
    let (before, ran) = std::thread::scope(|scope| {
        for codes in municipality_codes().chunks(145) {
            let (codes, acknowledged, done, service) = (codes.to_vec(), &acknowledged, &done, &service);
            scope.spawn(move || {
                // Again and again, so that ballots come in as long as it takes.
                for code in codes.iter().cycle().take_while(|_| !done.load(Ordering::SeqCst)) {
                    let path = format!("/rounds/{ROUND}/ballots/{code}");
                    let request = service.put(&path).by(Caller::Participant(code));
                    let status = request.json(&json!({ "ranking": FIVE })).send().status;
                    assert!([200, 201].contains(&status));
                    acknowledged.lock().unwrap().insert(code.clone());
                }
            });
        }
        until("some have answered", || (acknowledged.lock().unwrap().len() > 25).then_some(()));
        let before = acknowledged.lock().unwrap().clone();
        let ran = run(&database, &["backup", name]);
        let entries = || {
            let round = service.get(&format!("/rounds/{ROUND}")).send().is(200).json();
            round["sequence"].as_u64().unwrap()
        };
        let then = entries();
        until("more have answered after it", || (entries() > then).then_some(()));
        done.store(true, Ordering::SeqCst);
        (before, ran)
    });
    let ran = ran.is(0);
    assert!(ran.out.starts_with("handslag-2026: ") && ran.out.ends_with(": written\n"), "{}", ran.out);
    assert_eq!(files(folder.path()), ["it's #1 %41.db".to_owned()].into(), "and nothing beside it");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // A service of its own on the copy has every ballot that was acknowledged before the command began.
    let restored = Database::sqlite();
    run(&restored, &["restore", name]).is(0);
    run(&restored, &["log", "verify"]).is(0);
    let service = Service::start_program(&restored);
    for code in &before {
        let path = format!("/rounds/{ROUND}/ballots/{code}");
        service.get(&path).by(Caller::Analyst).send().is(200);
    }
    assert!(before.len() > 25);
}

/// A program with the small round, two of whose ballots are in `backup.db`, and a third of which is not.
fn backed_up() -> Program {
    let program = Program::with_open_round();
    program.write("two.csv", "participantCode,rank1,comment\n0180,ett,hemligt\n0980,tva,\n");
    program.run(&["ballots", "import", "--round", "liten", "two.csv"]).is(0);
    program.run(&["backup", "backup.db"]).is(0);
    program.write("third.csv", "participantCode,rank1\n1280,tre\n");
    program.run(&["ballots", "import", "--round", "liten", "third.csv"]).is(0);
    program
}

#[test]
fn a_backup_replaces_nothing_unless_it_is_said() {
    let program = backed_up();
    let first = std::fs::read(program.path("backup.db")).unwrap();
    let refused = program.run(&["backup", "backup.db"]).is(1);
    assert_eq!(refused.err, "backup.db: is there already; --force replaces it\n");
    assert_eq!(std::fs::read(program.path("backup.db")).unwrap(), first);
    let ran = program.run(&["backup", "--force", "backup.db"]).is(0);
    assert!(ran.out.contains("liten: 4 entries") && ran.out.ends_with("backup.db: written\n"), "{}", ran.out);
    program.run_with(&[], &["--data-dir", "nowhere", "backup", "other.db"]).is(3);
    assert!(!program.path("nowhere").exists() && !program.path("other.db").exists());
    program.run(&["backup", "data/handslag.db"]).is(1);
    program.run(&["log", "verify"]).is(0);
}

#[test]
fn what_was_erased_is_not_in_the_backup() {
    let program = backed_up();
    let holds = |file: &str| {
        let bytes = std::fs::read(program.path(file)).unwrap();
        bytes.windows(7).any(|window| window == b"hemligt")
    };
    assert!(holds("backup.db"));
    let store =
        handslag::store::Store::open(handslag::store::Database::Sqlite(program.path("data/handslag.db")));
    let mut conn = store.unwrap().connect().unwrap();
    conn.batch_execute(
        "PRAGMA secure_delete = OFF; DELETE FROM private_texts; PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .unwrap();
    assert!(holds("data/handslag.db"), "SQLite leaves it in a free page");
    program.run(&["backup", "after.db"]).is(0);
    assert!(!holds("after.db"));
}

#[test]
fn a_backup_of_something_wrong_is_kept_and_told() {
    let program = backed_up();
    let store =
        handslag::store::Store::open(handslag::store::Database::Sqlite(program.path("data/handslag.db")));
    store.unwrap().connect().unwrap().batch_execute("UPDATE ballots SET ranking = '4'").unwrap();
    let told = program.run(&["backup", "wrong.db"]).is(1);
    assert!(told.err.starts_with("liten: the table of ballots does not have of 0180"), "{}", told.err);
    assert!(
        told.out.ends_with("wrong.db: written, with what is wrong in it\n")
            && program.path("wrong.db").exists()
    );
    let refused = program.run(&["restore", "--force", "wrong.db"]).is(1);
    assert!(refused.err.starts_with("wrong.db: liten: the table of ballots"), "{}", refused.err);
}

#[test]
fn a_restore_puts_the_copy_in_place_and_keeps_what_was_there() {
    let program = backed_up();
    let refused = program.run(&["restore", "backup.db"]).is(1);
    assert_eq!(refused.err, "data/handslag.db: is there already; --force moves it aside\n");
    let ran = program.run(&["restore", "--force", "backup.db"]).is(0);
    assert!(ran.out.starts_with("liten: 3 entries"), "{}", ran.out);
    assert_eq!(program.run(&["log", "verify"]).is(0).out.matches("liten: 3 entries").count(), 1);
    let aside =
        files(&program.path("data")).into_iter().find(|name| name.contains(".before-restore-")).unwrap();
    assert!(ran.out.contains(&aside), "{}", ran.out);
    // What was there is one whole file, with the third ballot.
    let aside = format!("sqlite:data/{aside}");
    let before = program.run(&["--database", &aside, "log", "verify"]).is(0);
    assert!(before.out.starts_with("liten: 4 entries"), "{}", before.out);
    // And the round goes on.
    program.run(&["ballots", "import", "--round", "liten", "third.csv"]).is(0);
    assert_eq!(program.round()["sequence"], 4);
}

#[test]
fn what_was_ended_since_the_backup_stays_ended() {
    let program = backed_up();
    let create = || {
        let out = program.run(&["client", "create", "--analyst"]).is(0).out;
        out.lines().find_map(|line| line.strip_prefix("client_id=")).unwrap().to_owned()
    };
    let [disabled, rotated, untouched] = [(); 3].map(|()| create());
    let keys = || {
        let out = program.run(&["keys", "list"]).is(0).out;
        out.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<BTreeSet<String>>()
    };
    program.run(&["keys", "rotate"]).is(0);
    let voided = keys();
    program.run(&["backup", "with-clients.db"]).is(0);
    assert!(program.run(&["audit", "export"]).is(0).out.contains("\"backup\""));

    program.run(&["client", "disable", &disabled]).is(0);
    program.run(&["client", "rotate", &rotated]).is(0);
    program.run(&["keys", "rotate", "--at-once"]).is(0);
    let ran = program.run(&["restore", "--force", "with-clients.db"]).is(0);
    let told = "stays so: 1 clients disabled, keys or secrets of 1 clients, 2 keys of tokens\n";
    assert_eq!(voided.len(), 2);
    assert!(ran.out.contains(told), "{}", ran.out);
    let show = |id: &str| program.run(&["client", "show", id]).is(0).json();
    assert_eq!(show(&disabled)["disabled"], true);
    assert!(show(&rotated)["credentials"][0]["endsAt"].is_string(), "{}", show(&rotated));
    let untouched = show(&untouched);
    assert_eq!(untouched["disabled"], false);
    assert!(untouched["credentials"][0]["endsAt"].is_null());
    assert!(keys().is_disjoint(&voided), "{:?}", keys());
    assert!(program.run(&["audit", "export"]).is(0).out.contains("\"restore\""));
    program.run(&["audit", "verify"]).is(0);
}

#[test]
fn what_was_ended_in_a_database_that_cannot_be_read_is_revived_only_if_it_is_said() {
    let program = backed_up();
    program.write("data/handslag.db", "damaged beyond recognition, and longer than a page ".repeat(200));
    let refused = program.run(&["restore", "--force", "backup.db"]).is(1);
    assert!(refused.err.contains("would be active again; --revive"), "{}", refused.err);
    assert!(std::fs::read(program.path("data/handslag.db")).unwrap().starts_with(b"damaged"));
    program.run(&["restore", "--force", "--revive", "backup.db"]).is(0);
    program.run(&["log", "verify"]).is(0);
}

#[test]
fn a_restore_into_an_empty_place_makes_it() {
    let program = backed_up();
    program.run_with(&[], &["--data-dir", "new/place", "restore", "backup.db"]).is(0);
    let whole = program.run_with(&[], &["--data-dir", "new/place", "log", "verify"]).is(0);
    assert!(whole.out.starts_with("liten: 3 entries"), "{}", whole.out);
    let mode = std::fs::metadata(program.path("new/place/handslag.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_restore_is_refused_while_a_service_or_anybody_else_uses_the_database() {
    let database = Database::sqlite();
    let service = Service::start_program(&database);
    let file = database.folder().join("backup.db");
    let file = file.to_str().unwrap();
    run(&database, &["backup", file]).is(0);
    let refused = run(&database, &["restore", "--force", file]).is(1);
    assert!(refused.err.contains("is in use; stop the service first"), "{}", refused.err);
    let there = files(database.folder());
    assert!(!there.iter().any(|name| name.contains("restore")), "{there:?}");
    service.get("/rounds").send().is(200);
    drop(service);

    // A reader that knows nothing of our locks, such as the sqlite3 program.
    let path = database.folder().join("handslag.db");
    let mut other = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN; SELECT count(*) FROM rounds").unwrap();
    run(&database, &["restore", "--force", file]).is(1);
    drop(other);
    run(&database, &["restore", "--force", file]).is(0);
}

#[test]
fn what_is_no_good_backup_is_refused_and_changes_nothing() {
    let program = backed_up();
    let before = std::fs::read(program.path("data/handslag.db")).unwrap();
    let good = std::fs::read(program.path("backup.db")).unwrap();
    program.write("cut.db", &good[..good.len() / 2]);
    program.write("text.db", "no database");
    program.write("empty.db", "");
    program.write("open.db", &good);
    program.write("open.db-wal", "x");
    for file in ["cut.db", "text.db", "empty.db", "open.db"] {
        let refused = program.run(&["restore", "--force", file]).is(1);
        assert!(refused.err.starts_with(&format!("{file}: ")), "{file} {}", refused.err);
    }
    program.run(&["restore", "--force", "missing.db"]).is(3);
    assert_eq!(std::fs::read(program.path("data/handslag.db")).unwrap(), before);
    let left: Vec<String> = files(&program.path("data")).into_iter().collect();
    assert!(
        !left.iter().any(|name| name.contains("restore") || name.contains(".db.") && name.len() > 30),
        "{left:?}"
    );
}

/// Makes a database what it was before a migration.
const BEFORE: &str = "ALTER TABLE rounds DROP COLUMN first_closes_at;
     DELETE FROM __diesel_schema_migrations WHERE version = '20261123000001'";

#[test]
fn what_was_ended_in_a_database_of_before_stays_ended() {
    let program = backed_up();
    let out = program.run(&["client", "create", "--analyst"]).is(0).out;
    let id = out.lines().find_map(|line| line.strip_prefix("client_id=")).unwrap();
    program.run(&["backup", "with-client.db"]).is(0);
    program.run(&["client", "disable", id]).is(0);
    let path = program.path("data/handslag.db");
    diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(BEFORE).unwrap();
    // A backup of it does not bring it up to date.
    let told = program.run(&["backup", "older.db"]).is(0);
    assert!(
        told.err.contains("the audit trail cannot be written") && told.out.contains("NOT checked"),
        "{told:?}"
    );
    program.run(&["restore", "--force", "with-client.db"]).is(0);
    assert_eq!(program.run(&["client", "show", id]).is(0).json()["disabled"], true);
}

#[test]
fn a_backup_of_another_version_is_migrated_or_refused() {
    let program = backed_up();
    let path = program.path("backup.db");
    let sqlite = |statement: &str| {
        let mut conn = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute(statement).unwrap();
    };
    sqlite(BEFORE);
    program.run(&["restore", "--force", "backup.db"]).is(0);
    program.run(&["log", "verify"]).is(0);
    sqlite("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    let refused = program.run(&["restore", "--force", "backup.db"]).is(1);
    assert!(
        refused.err.contains("29990101000000") && refused.err.contains("newer version"),
        "{}",
        refused.err
    );
}

#[test]
fn postgresql_has_tools_of_its_own_for_both() {
    let Some(database) = Database::postgres("cli_backup") else { return };
    let handslag::store::Database::Postgres(url) = database.address() else { panic!("it is PostgreSQL") };
    for command in [&["backup", "x.db"][..], &["restore", "x.db"]] {
        let refused = Program::new().run_with(&[], &[&["--database", &url], command].concat()).is(1);
        assert!(refused.err.contains("pg_"), "{}", refused.err);
    }
}
