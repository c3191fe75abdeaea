//! A log that was changed is found out: every byte of its file in turn, and every value of the database.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::domain::{Ballot, Precondition, Ranking, Receipt, Submission};
use handslag::identity::{KnownKeys, Purpose, SigningKey};
use handslag::service::ballots::submit_all;
use handslag::service::log_file::{self, NotVerified};
use handslag::service::verify_database;
use handslag::service::{Clock, ledger, log};
use handslag::store::{Conn, Store};
use serde_json::{Value, json};

use crate::program::{Program, Ran};
use crate::support::{Caller, Database, ROUND, Service, at, on_both_databases, roll};

const PATH: &str = "/rounds/handslag-2026";

/// A round with something of everything in its log: ballots with texts, a replacement, a withdrawal, an extension, a
/// closing and a certification.
fn small(service: &Service) {
    let initiative = |(number, id): (u32, &str)| json!({ "id": id, "number": number, "titleSv": "Å", "titleEn": "A", "status": "example", "area": "öst" });
    let initiatives = (1..).zip(["ett", "tva", "tre"]).map(initiative).collect::<Value>();
    let roll = roll([
        ("0114", Some(7), vec![("county", "01"), ("size", "s")]),
        ("0180", None, vec![]),
        ("2584", Some(9), vec![]),
    ]);
    service.open_round(json!({
        "initiatives": initiatives, "participants": roll, "picksMin": 1, "picksMax": 2, "cut": 1, "points": ["3/2", "1"],
        "lot": ["tva", "tre", "ett"], "lotSource": "Dragen", "visibility": "live", "ballotBook": "open",
    }));
    let put = |code: &str, body: &Value| {
        service.put(&format!("{PATH}/ballots/{code}")).by(Caller::Participant(code)).json(body).send()
    };
    let body = json!({
        "ranking": ["tre", "ett"], "reference": "KS 2026/12", "comment": "Gärna \"snart\"",
        "engagements": [{ "initiativeId": "tre", "engagement": "lead" }],
    });
    put("0180", &body).is(201);
    service.set_time("2026-03-10T12:00:00.000001+01:00");
    put("0114", &json!({ "ranking": ["ett"] })).is(201);
    put("0180", &json!({ "ranking": ["tva"], "comment": "Nej" })).is(200);
    service.delete(&format!("{PATH}/ballots/0114")).by(Caller::Participant("0114")).send().is(204);
    let later = json!({ "closesAt": "2026-04-07T23:59:59+02:00" });
    service.request("PATCH", PATH).by(Caller::Manager).json(&later).send().is(200);
    for state in ["closed", "certified"] {
        service.step(ROUND, state);
    }
}

/// The exported log of a small round, and the key.
fn exported() -> (Vec<u8>, KnownKeys) {
    let service = Service::start(&Database::sqlite());
    small(&service);
    let ran = run(service.database(), &["log", "export", "--round", ROUND]).is(0);
    let key = SigningKey::load_or_create(service.database().folder(), Purpose::Log).unwrap();
    (ran.out.into_bytes(), KnownKeys::from(&key))
}

/// Runs the program on a test's database.
fn run(database: &Database, arguments: &[&str]) -> Ran {
    let url = match database.address() {
        handslag::store::Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        handslag::store::Database::Postgres(url) => url,
    };
    let folder = database.folder().to_str().unwrap();
    Program::new().run_with(&[], &[&["--data-dir", folder, "--database", &url], arguments].concat())
}

fn verify(file: &[u8], keys: &KnownKeys) -> Result<u64, String> {
    let mut signature = |stated: &Receipt, signed: &str| match keys.receipt(signed) {
        Ok(receipt) if receipt == *stated => Ok(()),
        Ok(_) => Err("another was signed".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    match log_file::verify(file, &mut signature, &mut |_| ()) {
        Ok(verified) => Ok(verified.entries),
        Err(NotVerified::Wrong { line, wrong }) => Err(format!("{line}: {wrong}")),
        Err(NotVerified::Io(error)) => panic!("{error}"),
    }
}

#[test]
fn a_file_in_which_any_byte_was_changed_is_refused() {
    let (mut file, keys) = exported();
    assert_eq!(verify(&file, &keys), Ok(8));
    for place in 0..file.len() {
        for mask in [0x01, 0x20] {
            file[place] ^= mask;
            assert!(verify(&file, &keys).is_err(), "byte {place} xor {mask:#x}");
            file[place] ^= mask;
        }
    }
    assert_eq!(verify(&file, &keys), Ok(8));
}

#[test]
fn a_file_whose_lines_were_cut_off_taken_out_swapped_or_repeated_is_refused() {
    let (file, keys) = exported();
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 10, "a definition, eight entries and a receipt");
    for i in 0..lines.len() {
        let refused = |what: &str, lines: &[&[u8]]| {
            assert!(verify(&lines.concat(), &keys).is_err(), "{what} {i}");
        };
        refused("cut off from", &lines[..i]);
        refused("taken out", &[&lines[..i], &lines[i + 1..]].concat());
        refused("repeated", &[&lines[..=i], &lines[i..]].concat());
        for j in i + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(i, j);
            refused("swapped", &swapped);
        }
    }
    for bytes in 1..file.len() {
        assert!(verify(&file[..bytes], &keys).is_err(), "cut off after {bytes} bytes");
    }
    assert!(verify(&[&file[..], b"\n"].concat(), &keys).is_err());
}

/// A way to make something of everything that stands in a cell.
fn changes(value: Option<&str>, kind: &str, masks: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
    let Some(value) = value else {
        return vec![Some(if kind == "TEXT" {
            b"x".to_vec()
        } else if kind == "TIMESTAMP" {
            b"2026-03-10 11:00:00".to_vec()
        } else {
            b"1".to_vec()
        })];
    };
    let mut all = vec![None];
    match kind {
        "TEXT" | "TIMESTAMP" => {
            all.push(Some(Vec::new()));
            all.push(Some([value.as_bytes(), b" "].concat()));
            for place in (0..value.len()).step_by(step) {
                for mask in masks {
                    let mut bytes = value.as_bytes().to_vec();
                    bytes[place] ^= mask;
                    all.push(Some(bytes));
                }
            }
        }
        "BOOLEAN" => {
            let other = if matches!(value, "1" | "true") { "0" } else { "1" };
            all.push(Some(other.as_bytes().to_vec()));
        }
        _ => {
            let number: i64 = value.parse().unwrap();
            let bits = [1, 0x20, 0x100, 0x10_000, 0x100_0000, i64::from(i32::MIN)];
            all.extend(bits.iter().map(|bit| Some((number ^ bit).to_string().into_bytes())));
        }
    }
    all
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

fn cells(conn: &mut Conn, query: &str) -> Vec<Option<String>> {
    let found: Vec<Cell> = match conn {
        Conn::Sqlite(conn) => sql_query(query).load(conn).unwrap(),
        Conn::Postgres(conn) => sql_query(query).load(conn).unwrap(),
    };
    found.into_iter().map(|cell| cell.value).collect()
}

/// Columns of a table with their kinds.
fn columns(conn: &mut Conn, table: &str) -> Vec<(String, String)> {
    let query = match conn {
        Conn::Sqlite(_) => format!("SELECT name || ' ' || type AS value FROM pragma_table_info('{table}')"),
        Conn::Postgres(_) => format!(
            "SELECT column_name || ' ' || upper(split_part(data_type, ' ', 1)) AS value FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{table}'"
        ),
    };
    let split =
        |cell: Option<String>| cell.unwrap().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    cells(conn, &query).into_iter().filter_map(split).collect()
}

/// The tables whose every value follows from the log, with what tells their rows apart.
const TABLES: [(&str, &str); 5] = [
    ("log_entries", "'sequence = ' || sequence"),
    ("rounds", "'id = ''' || id || ''''"),
    ("ballots", "'participant_code = ''' || participant_code || ''''"),
    ("private_texts", "'sequence = ' || sequence || ' AND field = ''' || field || ''''"),
    ("log_subtrees", "'level = ' || level || ' AND position = ' || position"),
];

/// Changes every value of these tables in turn; gives how many changes were tried, and each that was not found.
fn tamper(store: &Store, tables: &[&str]) -> (usize, BTreeSet<String>) {
    let mut conn = store.connect().unwrap();
    // Whoever can do this has the database; that it refuses others is another test.
    let (masks, step): (&[u8], usize) = match &mut conn {
        Conn::Sqlite(conn) => {
            conn.batch_execute(
                "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; DROP TRIGGER log_entries_are_not_changed;
                 DROP TRIGGER log_entries_are_not_replaced; DROP TRIGGER log_entries_are_not_deleted",
            )
            .unwrap();
            (&[0x01, 0x20], 1)
        }
        Conn::Postgres(conn) => {
            conn.batch_execute("SET session_replication_role = replica").unwrap();
            (&[0x01], 5)
        }
    };
    assert!(is_whole(&mut conn));
    let (mut tried, mut missed) = (0, BTreeSet::new());
    for (table, key) in TABLES.iter().filter(|(table, _)| tables.contains(table)) {
        let rows: Vec<String> =
            cells(&mut conn, &format!("SELECT {key} AS value FROM {table}")).into_iter().flatten().collect();
        assert!(!rows.is_empty(), "{table}");
        for (column, kind) in columns(&mut conn, table) {
            for row in &rows {
                let query = format!("SELECT CAST({column} AS TEXT) AS value FROM {table} WHERE {row}");
                let value = cells(&mut conn, &query).remove(0);
                for change in changes(value.as_deref(), &kind, masks, step) {
                    let Some(literal) = literal(&conn, change.as_deref()) else { continue };
                    conn.batch_execute("BEGIN").unwrap();
                    let update = format!("UPDATE {table} SET {column} = {literal} WHERE {row}");
                    // What the database itself refuses need not be found.
                    if conn.batch_execute(&update).is_ok() && !same(&mut conn, &query, value.as_ref()) {
                        tried += 1;
                        if is_whole(&mut conn) {
                            missed.insert(format!("{table}.{column}"));
                        }
                    }
                    conn.batch_execute("ROLLBACK").unwrap();
                }
            }
        }
        for row in &rows {
            conn.batch_execute("BEGIN").unwrap();
            conn.batch_execute(&format!("DELETE FROM {table} WHERE {row}")).unwrap();
            if is_whole(&mut conn) {
                missed.insert(format!("a row of {table}"));
            }
            conn.batch_execute("ROLLBACK").unwrap();
        }
    }
    assert!(is_whole(&mut conn));
    (tried, missed)
}

/// Whether PostgreSQL took what was written for the value that was there.
fn same(conn: &mut Conn, query: &str, value: Option<&String>) -> bool {
    matches!(conn, Conn::Postgres(_)) && cells(conn, query).first().is_some_and(|cell| cell.as_ref() == value)
}

fn literal(conn: &Conn, bytes: Option<&[u8]>) -> Option<String> {
    let Some(bytes) = bytes else { return Some("NULL".to_owned()) };
    match conn {
        Conn::Sqlite(_) => {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("CAST(x'{}' AS TEXT)", hex.concat()))
        }
        Conn::Postgres(_) => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
            Some(format!("'{}'", text.replace('\'', "''")))
        }
    }
}

fn is_whole(conn: &mut Conn) -> bool {
    verify_database::rounds(conn, &mut |_| ()).unwrap().iter().all(Result::is_ok)
}

on_both_databases! {
    fn any_value_that_was_changed_in_the_database_is_found(database: Database) {
        let service = Service::start(&database);
        small(&service);
        let store = service.store().clone();
        drop(service);
        let (tried, missed) = tamper(&store, &["log_entries", "rounds", "ballots", "private_texts"]);
        assert!(tried > 800, "{tried}");
        // How often a draft was changed is in no log, and nothing depends on it any more. A text that is gone was erased.
        let known = ["a row of private_texts", "rounds.revision"];
        assert_eq!(missed.iter().map(String::as_str).collect::<Vec<_>>(), known);
    }

    fn a_changed_node_of_the_stored_tree_is_found(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "picksMin": 1 }));
        let store = service.store().clone();
        drop(service);
        submit(&store, 260);
        let (tried, missed) = tamper(&store, &["log_subtrees"]);
        assert!(tried > 20, "{tried}");
        // A node that is not there is computed from those below it.
        assert_eq!(missed.iter().map(String::as_str).collect::<Vec<_>>(), ["a row of log_subtrees"]);
    }

    fn what_is_wrong_in_the_database_is_named_with_its_round_and_entry(database: Database) {
        let service = Service::start(&database);
        small(&service);
        let database = service.stop();
        let whole = run(&database, &["log", "verify"]).is(0);
        let head = whole.out.strip_prefix("handslag-2026: 8 entries, head ").expect(&whole.out);
        assert!(head.contains(", root ") && whole.out.lines().count() == 1, "{}", whole.out);
        assert_eq!(run(&database, &["log", "verify", "--round", ROUND]).is(0).out, whole.out);
        run(&database, &["log", "verify", "--round", "annan"]).is(1);

        let mut conn = database.open().connect().unwrap();
        let unlock = match &conn {
            Conn::Sqlite(_) => "DROP TRIGGER log_entries_are_not_changed; PRAGMA foreign_keys = OFF",
            Conn::Postgres(_) => "ALTER TABLE log_entries DISABLE TRIGGER USER; SET session_replication_role = replica",
        };
        conn.batch_execute(unlock).unwrap();
        for (statement, undo, told) in [
            (
                "UPDATE log_entries SET event = replace(event, '[\"tva\"]', '[\"ett\"]') WHERE sequence = 4",
                "UPDATE log_entries SET event = replace(event, '[\"ett\"]', '[\"tva\"]') WHERE sequence = 4",
                "handslag-2026: entry 4: its hash is not that of the hash before it and its text\n",
            ),
            (
                "UPDATE log_entries SET sequence = 99 WHERE sequence = 5",
                "UPDATE log_entries SET sequence = 5 WHERE sequence = 99",
                "handslag-2026: entry 5: is missing; entry 6 follows on 4\n",
            ),
            (
                "UPDATE participants SET weight = '2' WHERE code = '0180'",
                "UPDATE participants SET weight = '1' WHERE code = '0180'",
                "handslag-2026: entry 1: it opens the round with another definition than the one that there is\n",
            ),
            (
                "UPDATE private_texts SET text = 'Ja' WHERE sequence = 4",
                "UPDATE private_texts SET text = 'Nej' WHERE sequence = 4",
                "handslag-2026: entry 4: its comment does not have the hash that its text tells\n",
            ),
            (
                "UPDATE ballots SET ranking = '1' WHERE participant_code = '0180'",
                "UPDATE ballots SET ranking = '2' WHERE participant_code = '0180'",
                "handslag-2026: the table of ballots does not have of 0180 what the log makes it\n",
            ),
            (
                "UPDATE rounds SET state = 'closed'",
                "UPDATE rounds SET state = 'certified'",
                "handslag-2026: the round's row has closed in state, where the log makes it certified\n",
            ),
        ] {
            conn.batch_execute(statement).unwrap();
            let refused = run(&database, &["log", "verify"]).is(1);
            assert_eq!((refused.out.as_str(), refused.err.as_str()), ("", told), "{statement}");
            conn.batch_execute(undo).unwrap();
        }
        run(&database, &["log", "verify"]).is(0);
        // A text that was erased is none that was changed.
        conn.batch_execute("DELETE FROM private_texts").unwrap();
        assert_eq!(run(&database, &["log", "verify"]).is(0).out, whole.out);
    }
}

/// Submits ballots of this many municipalities at once.
fn submit(store: &Store, ballots: usize) {
    let id = ROUND.parse().unwrap();
    let known = ledger::read(store, &id).unwrap();
    let submission = |participant: &handslag::domain::Participant| Submission {
        participant: participant.code.clone(),
        precondition: Precondition::None,
        ballot: Some(Ballot {
            ranking: Ranking::of_places(&[3, 1]).unwrap(),
            engagements: Vec::new(),
            reference: None,
            comment: None,
            synthetic: false,
        }),
        round_revision: known.round.revision,
        nonce: log::nonce(),
    };
    let submissions: Vec<Submission> =
        known.roll.participants().iter().take(ballots).map(submission).collect();
    let mut conn = store.connect().unwrap();
    let clock = Clock::at(at("2026-03-11T12:00:00+01:00"));
    submit_all(&mut conn, &id, &clock, &submissions, |_| ()).unwrap().unwrap();
}
