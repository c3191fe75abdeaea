//! An answer means that the disk has it: how the connections are set up, and the order of the program's system calls.
//!
//! A killed program leaves its pages to the system; only a machine that loses power would show that they never reached
//! the disk. So this looks at what the program asks the system for.

use std::collections::HashMap;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::store::{Conn, Store};
use serde_json::json;

use crate::support::{Database, FIVE, Service, in_ci, skipped, until};

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

/// A setting as a connection of the kind that the writer has reports it.
fn setting(store: &Store, question: &str) -> String {
    let setting: Setting = match &mut store.connect().unwrap() {
        Conn::Sqlite(conn) => sql_query(question).get_result(conn).unwrap(),
        Conn::Postgres(conn) => sql_query(question).get_result(conn).unwrap(),
    };
    setting.value
}

#[test]
fn sqlite_is_told_to_flush_every_commit() {
    let database = Database::sqlite();
    let store = database.open();
    let pragma =
        |name: &str| setting(&store, &format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}"));
    assert_eq!(pragma("journal_mode"), "wal");
    // FULL: with NORMAL, the log is flushed now and then, and the newest commits may be gone after a power cut.
    assert_eq!(pragma("synchronous"), "2");
    assert_eq!(pragma("foreign_keys"), "1");
}

#[test]
fn postgres_is_told_to_flush_every_commit_whatever_its_default() {
    let Some(database) = Database::postgres("postgres_is_told_to_flush_every_commit") else { return };
    let store = database.open();
    let question = "SELECT current_setting('synchronous_commit') AS value";
    for (default, expected) in [
        ("off", "on"),
        ("local", "on"),
        ("on", "on"),
        // Weaker only in what a standby has been told; the machine itself has flushed.
        ("remote_write", "remote_write"),
        ("remote_apply", "remote_apply"),
    ] {
        let alter = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = {default}', \
             current_database()); END $$"
        );
        store.connect().unwrap().batch_execute(&alter).unwrap();
        assert_eq!(setting(&store, question), expected, "where the default is {default}");
    }
    assert_eq!(setting(&store, "SELECT current_setting('fsync') AS value"), "on");
}

/// What of a trace matters.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Something was written to the write-ahead log.
    Written,
    /// The write-ahead log is on disk.
    Flushed,
    /// The first bytes of an answer that says "accepted" go out.
    Answered,
}

/// Reads the lines of `strace -f -y`. A call that another thread's interrupts stands in two: its beginning names the
/// file, its end says that it is done.
fn steps(trace: &str) -> Vec<Step> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut steps = Vec::new();
    for line in trace.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let ended = rest.starts_with("<... ");
        let unfinished = rest.ends_with("<unfinished ...>");
        if unfinished {
            begun.insert(process, rest);
        }
        let call = if ended { begun.remove(process).unwrap_or_default() } else { rest };
        let of_log = call.split(',').next().is_some_and(|first| first.contains("-wal>"));
        let sends = ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|name| call.starts_with(name));
        if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
            // Flushed when it has come back, and well.
            if of_log && !unfinished && rest.trim_end().ends_with("= 0") {
                steps.push(Step::Flushed);
            }
        } else if call.starts_with("pwrite64(") && of_log && !unfinished {
            steps.push(Step::Written);
        } else if sends && !ended && call.contains("\"HTTP/1.1 20") {
            // Answered from when it begins to go out.
            steps.push(Step::Answered);
        }
    }
    steps
}

#[test]
fn a_trace_is_read_in_the_order_in_which_things_were_done() {
    use Step::{Answered, Flushed, Written};
    let trace = "\
7  pwrite64(9</d/handslag.db-wal>, \"x\", 4096, 32) = 4096
7  fdatasync(9</d/handslag.db-wal> <unfinished ...>
8  writev(12<socket:[77]>, [{iov_base=\"HTTP/1.1 201 Created\"..., iov_len=9}], 1) = 9
7  <... fdatasync resumed>) = 0
7  fdatasync(8</d/handslag.db>) = 0
7  pwrite64(9</d/handslag.db-wal>, \"HTTP/1.1 200\", 4096, 32) = 4096
7  fdatasync(9</d/handslag.db-wal>) = -1 EIO (Input/output error)
8  sendto(12<socket:[77]>, \"HTTP/1.1 412\"..., 9, 0, NULL, 0) = 9
";
    assert_eq!(steps(trace), [Written, Answered, Flushed, Written]);
}

#[test]
fn every_answer_comes_after_its_commit_is_on_disk() {
    let name = "every_answer_comes_after_its_commit_is_on_disk";
    let tried = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        assert!(!in_ci(), "strace is needed in CI, and must be allowed to trace");
        skipped(name, "there is no strace here, or it may not trace");
        return;
    }
    let database = Database::sqlite();
    let trace = database.folder().join("trace");
    let service = Service::start_program_under(
        &[
            // -D: the program stays our child, and strace watches from beside.
            "strace",
            "-D",
            "-f",
            "-y",
            "-s",
            "16",
            "-o",
            trace.to_str().unwrap(),
            "-e",
            "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64",
        ],
        &database,
    );
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    let before = steps(&std::fs::read_to_string(&trace).unwrap_or_default()).len();
    let codes = ["0114", "0115", "0117", "0120", "0123", "0125", "0126", "0127", "0128", "0136"];
    for code in codes {
        service.submit(code, FIVE).is(201);
        service.submit(code, FIVE).is(200);
    }
    drop(service);
    let trace = until("strace has written everything down", || {
        let trace = std::fs::read_to_string(&trace).ok()?;
        trace.lines().last()?.contains("+++ killed by SIGKILL").then_some(trace)
    });
    // Asking for the round's state is answered without a commit; submitting comes after the last of that.
    let steps = steps(&trace);
    let mut flushed = false;
    let mut written = false;
    let mut proven = 0;
    for step in steps.into_iter().skip(before) {
        match step {
            Step::Written => (written, flushed) = (true, false),
            Step::Flushed => flushed = true,
            Step::Answered if written => {
                assert!(flushed, "an answer went out before its commit was on disk\n{trace}");
                proven += 1;
                written = false;
            }
            Step::Answered => {}
        }
    }
    assert!(proven >= 2 * codes.len(), "{proven} answers after a commit of their own\n{trace}");
}
