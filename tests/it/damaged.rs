//! Rows that do not belong to their round, as a restored or meddled-with database may have them: they are told, and end
//! nothing but the answer that needs them.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use handslag::store::{Conn, Store};
use serde_json::json;

use crate::program::Program;
use crate::support::{FIVE, Service, on_both_databases};

const RESULTS: &str = "/rounds/handslag-2026/results";

/// Does what the databases do not let anybody do.
#[track_caller]
fn force(store: &Store, statement: &str) {
    let mut conn = store.connect().expect("the test's database");
    let unguarded = match &conn {
        Conn::Sqlite(_) => "DROP TRIGGER IF EXISTS log_entries_are_not_changed; PRAGMA foreign_keys = OFF",
        Conn::Postgres(_) => {
            "ALTER TABLE log_entries DISABLE TRIGGER USER; SET session_replication_role = replica"
        }
    };
    conn.batch_execute(unguarded).expect("the test owns its database");
    conn.batch_execute(statement).expect("a statement that both know");
}

#[test]
fn a_ballot_that_the_round_cannot_have_is_told_at_the_start() {
    for (participant, ranking, told) in [
        ("9999", "1", "table ballots holds a participant code that is not valid: \"9999\""),
        ("0180", "5", "table ballots holds a ranking that is not valid: \"5\""),
        ("0180", "1 1", "table ballots holds a ranking that is not valid: \"1 1\""),
    ] {
        let program = Program::with_open_round();
        let file = program.path("data/handslag.db");
        let mut conn = SqliteConnection::establish(file.to_str().expect("in UTF-8")).expect("it is there");
        let insert =
            format!("INSERT INTO ballots VALUES ('liten', '{participant}', 1, 2, '{ranking}', NULL, 0)");
        conn.batch_execute(&format!("PRAGMA foreign_keys = OFF; {insert}"))
            .expect("a row of the table's form");
        drop(conn);
        for ran in [program.serve(&[], &[]), program.run(&["export", "--round", "liten"])] {
            assert!(ran.code == 3 && ran.err.contains(told), "{ran:?}");
            assert!(!ran.err.contains("panicked"), "{}", ran.err);
        }
    }
}

on_both_databases! {
    fn an_entry_that_is_not_of_its_round_fails_only_what_needs_it(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
        service.submit("0180", FIVE).is(201);
        service.submit("0180", FIVE).is(200);
        for (there, instead) in [(":0180\"", ":9999\""), (FIVE[0], "finns-inte")] {
            let turn = |from: &str, to: &str| {
                force(service.store(), &format!(
                    "UPDATE log_entries SET event = replace(event, '{from}', '{to}') WHERE sequence = 2"
                ));
            };
            turn(there, instead);
            service.get(&format!("{RESULTS}?asOf=2")).send().is(500).problem("internal");
            service.get(RESULTS).send().is(200);
            service.get(&format!("{RESULTS}?asOf=1")).send().is(200);
            turn(instead, there);
        }
        service.get(&format!("{RESULTS}?asOf=2")).send().is(200);
        service.submit("1480", FIVE).is(201);
    }
}
