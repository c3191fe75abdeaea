//! A disk that is full, or that fails: whoever is not told "accepted" has stored nothing, or is told to look; reads go
//! on; and with room again the service goes on by itself.

use std::path::PathBuf;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use handslag::domain::{Precondition, RoundId, Submission};
use handslag::service::ballots::{self, BallotText};
use handslag::service::ledger::{self, NotChanged};
use handslag::service::{self, Clock, log};
use handslag::store::{self, Conn, Store};
use serde_json::{Value, json};

use crate::support::replay::Replay;
use crate::support::{
    Caller, Database, FIVE, NOON, ROUND, Reply, Service, at, in_ci, mounting, municipality_codes, skipped,
    until,
};

const BALLOTS: &str = "/rounds/handslag-2026/ballots";

/// How many pages the file may have, for this connection.
fn limit_pages(conn: &mut Conn, more: i32) {
    #[derive(diesel::QueryableByName)]
    struct Pages {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        page_count: i32,
    }
    let Conn::Sqlite(sqlite) = &mut *conn else { panic!("a file") };
    let pages: Pages = sql_query("PRAGMA page_count").get_result(sqlite).unwrap();
    conn.batch_execute(&format!("PRAGMA max_page_count = {}", pages.page_count + more)).unwrap();
}

#[test]
fn a_write_that_does_not_fit_stores_nothing_and_says_so() {
    let database = Database::sqlite();
    let service = Service::start(&database);
    service.open_round(json!({}));
    let store = database.open();
    let mut conn = store.connect().unwrap();
    limit_pages(&mut conn, 6);
    let id: RoundId = ROUND.parse().unwrap();
    let known = ledger::read(&store, &id).unwrap();
    let clock = Clock::at(at(NOON));
    let write = |conn: &mut Conn, code: &str| {
        let text = BallotText {
            ranking: FIVE.iter().map(|&id| id.to_owned()).collect(),
            engagements: Vec::new(),
            reference: None,
            comment: Some("å".repeat(400)),
        };
        let ballot = ballots::read(text, &known.round, &known.slate).unwrap();
        let participant = code.parse().unwrap();
        let submission = Submission {
            participant,
            precondition: Precondition::None,
            ballot: Some(ballot),
            round_revision: known.round.revision,
            nonce: log::nonce(),
        };
        ledger::change(conn, &id, None, &clock, |change| ballots::submit(change, &submission))
    };
    let codes = municipality_codes();
    let mut accepted = 0;
    let error = loop {
        match write(&mut conn, &codes[accepted]) {
            Ok((_, outcome)) => outcome.unwrap(),
            Err(error) => break error,
        };
        accepted += 1;
        assert!(accepted < 200, "six pages hold no more");
    };
    assert!(accepted > 0, "{error:?}");
    let NotChanged::Undone(service::Error::Store(store::Error::Full(_))) = error else { panic!("{error:?}") };
    assert_eq!(Replay::of(&store).entries.len(), accepted + 1, "the opening and what was accepted");
    // Again and again: it stays so, for what fits on pages that are there too.
    assert!(write(&mut conn, &codes[accepted]).is_err());
    assert_eq!(Replay::of(&store).entries.len(), accepted + 1);
    service.get(&format!("{BALLOTS}/{}", codes[0])).by(Caller::Analyst).send().is(200);
    limit_pages(&mut conn, 1_000);
    write(&mut conn, &codes[accepted]).unwrap().1.unwrap();
    assert_eq!(Replay::of(&store).entries.len(), accepted + 2);
}

/// Opens a round on a program, which has the machine's clock.
fn open_round(service: &Service) {
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
}

/// Submits, and keeps what was accepted.
fn submit(service: &Service, code: &str, accepted: &mut Vec<Value>) -> Reply {
    let request = service.put(&format!("{BALLOTS}/{code}")).by(Caller::Participant(code));
    let reply = request.json(&json!({ "ranking": FIVE, "comment": "å".repeat(400) })).send();
    if matches!(reply.status, 200 | 201) {
        accepted.push(reply.json());
    }
    reply
}

/// Reads all that can be read, from storage too.
fn read_everything(service: &Service, accepted: &[Value]) {
    for below in ["", "/results", "/results?rule=dowdall", "/participation", "/ballots?format=csv"] {
        service.get(&format!("/rounds/{ROUND}{below}")).by(Caller::Analyst).send().is(200);
    }
    for ballot in [accepted.first(), accepted.last()].into_iter().flatten() {
        let path = format!("{BALLOTS}/{}", ballot["participantCode"].as_str().unwrap());
        service.get(&path).by(Caller::Analyst).send().is(200);
        let revisions = service.get(&format!("{path}/revisions")).by(Caller::Analyst).send().is(200).json();
        let found = revisions["revisions"].as_array().unwrap().iter();
        let found = found.map(|one| &one["entryHash"]).find(|hash| **hash == ballot["receipt"]["entryHash"]);
        assert!(found.is_some(), "{ballot}\n{revisions}");
    }
}

/// The log is whole, and has what was accepted; of what was not, at most what nobody denied.
fn check(store: &Store, accepted: &[Value], unknown: usize) {
    let entries = Replay::of(store).entries;
    for ballot in accepted {
        let sequence = usize::try_from(ballot["sequence"].as_u64().unwrap()).unwrap();
        assert_eq!(ballot["receipt"]["entryHash"], entries[sequence - 1].hash.to_string());
    }
    let others = entries.len() - 1 - accepted.len();
    assert!(others <= unknown, "{others} more in the log, and {unknown} answers that left it open");
}

/// Writes until it fails, while everything can be read; makes room, and writes on. What was refused, by status.
fn fail_and_recover(
    service: &Service,
    accepted: &mut Vec<Value>,
    times: usize,
    mend: impl FnOnce(),
) -> Vec<u16> {
    let codes = municipality_codes();
    let mut codes = codes.iter().cycle();
    let mut failed = Vec::new();
    for _ in 0..5_000 {
        let reply = submit(service, codes.next().unwrap(), accepted);
        match reply.status {
            200 | 201 => continue,
            503 => drop(reply.problem("unavailable")),
            507 => drop(reply.problem("insufficient-storage")),
            _ => panic!("{reply}"),
        }
        failed.push(reply.status);
        read_everything(service, accepted);
        if failed.len() == times {
            break;
        }
    }
    assert_eq!(failed.len(), times, "there was no end of room");
    mend();
    until("it writes again by itself", || {
        let reply = submit(service, codes.next().unwrap(), accepted);
        if reply.status == 503 {
            failed.push(503);
        }
        matches!(reply.status, 200 | 201).then_some(())
    });
    for _ in 0..20 {
        assert!(matches!(submit(service, codes.next().unwrap(), accepted).status, 200 | 201));
    }
    read_everything(service, accepted);
    failed
}

#[test]
fn a_full_disk_is_told_and_the_service_goes_on_when_there_is_room() {
    let Some(mut under) = mounting("a_full_disk_is_told_and_the_service_goes_on_when_there_is_room") else {
        return;
    };
    let database = Database::sqlite_below("small");
    let folder = database.folder().join("small");
    // The log is on the same disk, as it may be: that it cannot be written either must not matter.
    under.push("mount -t tmpfs -o size=6m tmpfs \"$0\" && exec \"$@\" 2>>\"$0/service.log\"".to_owned());
    under.push(folder.to_str().unwrap().to_owned());
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let service = Service::start_program_under(&under, &database);
    open_round(&service);
    let mut accepted = Vec::new();
    for code in municipality_codes().iter().take(10) {
        assert_eq!(submit(&service, code, &mut accepted).status, 201);
    }
    // Its disk, as it sees it.
    let seen =
        PathBuf::from(format!("/proc/{}/root", service.process())).join(folder.strip_prefix("/").unwrap());
    let filler = seen.join("filler");
    let full = std::fs::write(&filler, vec![0; 8 * 1024 * 1024]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let failed = fail_and_recover(&service, &mut accepted, 20, || std::fs::remove_file(&filler).unwrap());
    assert!(failed.contains(&507), "{failed:?}");
    // SQLite would follow the path to the file of this name on our own disk; nobody writes, so a copy is whole.
    let copy = database.folder().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["handslag.db", "handslag.db-wal"] {
        std::fs::copy(seen.join(name), copy.join(name)).unwrap();
    }
    let store = Store::open(store::Database::Sqlite(copy.join("handslag.db"))).unwrap();
    check(&store, &accepted, failed.iter().filter(|status| **status == 503).count());
}

/// A file system of its own for a folder; it is gone with the value.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_of_postgres_is_told_and_the_service_goes_on_when_there_is_room() {
    let name = "a_full_disk_of_postgres_is_told";
    // The server must see the mount, so everybody does: only where nobody else is.
    if !in_ci() || !crate::support::is_root() || mounting(name).is_none() {
        skipped(name, "only in CI, as root, where something may be mounted");
        return;
    }
    let Some(database) = Database::postgres(name) else { return };
    let store::Database::Postgres(url) = database.address() else { panic!("a server") };
    let (server, own) = url.rsplit_once('/').unwrap();
    let store = Store::open(store::Database::Postgres(url.clone())).unwrap();
    let folder = tempfile::Builder::new().prefix("handslag-tablespace-").tempdir().unwrap();
    let mounted = Mounted(folder.path().to_owned());
    let mount = ["-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs"];
    assert!(Command::new("mount").args(mount).arg(&mounted.0).status().unwrap().success());
    assert!(Command::new("chown").arg("postgres").arg(&mounted.0).status().unwrap().success());
    drop(store);
    let mut conn = PgConnection::establish(&format!("{server}/postgres")).unwrap();
    conn.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{}'", mounted.0.display())).unwrap();
    conn.batch_execute(&format!("ALTER DATABASE {own} SET TABLESPACE small")).unwrap();
    let service = Service::start(&database);
    service.open_round(json!({}));
    let mut accepted = Vec::new();
    assert_eq!(submit(&service, "0180", &mut accepted).status, 201);
    let filler = mounted.0.join("filler");
    std::fs::write(&filler, vec![0; 32 * 1024 * 1024]).unwrap_err();
    let failed = fail_and_recover(&service, &mut accepted, 20, || std::fs::remove_file(&filler).unwrap());
    assert!(failed.contains(&507), "{failed:?}");
    check(service.store(), &accepted, failed.iter().filter(|status| **status == 503).count());
    drop(service);
    drop(database);
    conn.batch_execute("DROP TABLESPACE small").unwrap();
}

#[test]
fn a_disk_that_fails_is_told_and_the_service_goes_on_when_it_is_mended() {
    // Above its limit for files a process is told that the write failed, not that the disk is full.
    let limited = |process: u32, bytes: &str| {
        let process = process.to_string();
        let limit = format!("--fsize={bytes}:");
        let ran = Command::new("prlimit").args(["--pid", &process, &limit]).status();
        ran.is_ok_and(|status| status.success())
    };
    if !limited(std::process::id(), "unlimited") {
        skipped("a_disk_that_fails_is_told", "there is no prlimit here");
        return;
    }
    let database = Database::sqlite();
    // Without this, the signal of that limit would end the program.
    let service = Service::start_program_under(&["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"], &database);
    open_round(&service);
    let mut accepted = Vec::new();
    for code in municipality_codes().iter().take(10) {
        assert_eq!(submit(&service, code, &mut accepted).status, 201);
    }
    let log = std::fs::metadata(database.folder().join("handslag.db-wal")).unwrap().len();
    // In the middle of a page: what is written there is cut off.
    assert!(limited(service.process(), &(log + 10_000).to_string()));
    let failed =
        fail_and_recover(&service, &mut accepted, 1, || assert!(limited(service.process(), "unlimited")));
    check(&database.open(), &accepted, failed.len());
}
