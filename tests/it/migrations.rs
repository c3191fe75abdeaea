//! The schema on both databases: up, down and up again is where it began, the two trees and the hand-kept
//! `src/store/schema.rs` say the same, and the log refuses to be changed.
//!
//! A column that is added to one tree, a `NOT NULL` that is forgotten or a table that a `down.sql` leaves fails here.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::store::{Conn, Direction, Error, Store};
use serde_json::json;

use crate::program::repository;
use crate::support::{Database, Service, on_both_databases};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The lines of a query whose only column is `line`, sorted; each database has its own words for the same question.
fn lines(store: &Store, sqlite: &str, postgres: &str) -> Vec<String> {
    let found: Vec<Line> = match &mut store.connect().unwrap() {
        Conn::Sqlite(conn) => sql_query(sqlite).load(conn).unwrap(),
        Conn::Postgres(conn) => sql_query(postgres).load(conn).unwrap(),
    };
    let mut lines: Vec<String> = found.into_iter().map(|found| found.line).collect();
    lines.sort();
    lines
}

/// Everything there is but the list of migrations itself: tables, indexes, constraints, triggers, functions.
fn everything(store: &Store) -> Vec<String> {
    lines(
        store,
        "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM sqlite_master
         WHERE tbl_name <> '__diesel_schema_migrations'",
        "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
                || ' ' || ordinal_position || ' ' || coalesce(column_default, '') AS line
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
         UNION ALL SELECT indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations'
         UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '__diesel_schema_migrations'
         UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'diesel_%'",
    )
}

/// Columns in order: `rounds 2 title_sv Text`.
fn columns(store: &Store) -> Vec<String> {
    let found = lines(
        store,
        "SELECT t.name || ' ' || (c.cid + 1) || ' ' || c.name || ' ' || c.type
                || CASE c.\"notnull\" WHEN 1 THEN '' ELSE ' NULL' END AS line
         FROM sqlite_master t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations'",
        "SELECT table_name || ' ' || ordinal_position || ' ' || column_name || ' ' || upper(data_type)
                || CASE is_nullable WHEN 'NO' THEN '' ELSE ' NULL' END AS line
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'",
    );
    let known = |line: String| {
        let mut parts = line.splitn(4, ' ');
        let (table, place, column) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let kind = parts.next().unwrap();
        let (kind, nullable) = kind.strip_suffix(" NULL").map_or((kind, false), |kind| (kind, true));
        let kind = match kind {
            "TEXT" => "Text",
            "INTEGER" => "Integer",
            "BIGINT" => "BigInt",
            "BOOLEAN" => "Bool",
            "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => "Timestamp",
            other => panic!("{table}.{column} is {other}"),
        };
        let kind = if nullable { format!("Nullable<{kind}>") } else { kind.to_owned() };
        format!("{table} {place} {column} {kind}")
    };
    let mut columns: Vec<String> = found.into_iter().map(known).collect();
    columns.sort();
    columns
}

/// Primary keys as `ballots (round_id, participant_code)`.
fn keys(store: &Store) -> Vec<String> {
    lines(
        store,
        "SELECT t || ' (' || group_concat(c, ', ') || ')' AS line FROM
           (SELECT t.name AS t, c.name AS c FROM sqlite_master t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' AND c.pk > 0 ORDER BY t.name, c.pk)
         GROUP BY t",
        "SELECT table_name || ' (' || string_agg(column_name, ', ' ORDER BY ordinal_position) || ')' AS line
         FROM information_schema.key_column_usage JOIN information_schema.table_constraints
              USING (table_schema, table_name, constraint_name)
         WHERE table_schema = 'public' AND constraint_type = 'PRIMARY KEY'
               AND table_name <> '__diesel_schema_migrations'
         GROUP BY table_name",
    )
}

/// Columns and keys as `src/store/schema.rs` has them, in the same words.
fn by_hand() -> (Vec<String>, Vec<String>) {
    let (mut columns, mut keys) = (Vec::new(), Vec::new());
    for table in include_str!("../../src/store/schema.rs").split("diesel::table! {").skip(1) {
        let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
        let heading = lines.next().unwrap().trim_end_matches(" {");
        let name = heading.split(' ').next().unwrap();
        keys.push(heading.to_owned());
        for (i, line) in lines.take_while(|line| *line != "}").enumerate() {
            let (column, kind) = line.trim_end_matches(',').split_once(" -> ").unwrap();
            columns.push(format!("{name} {} {column} {kind}", i + 1));
        }
    }
    columns.sort();
    keys.sort();
    (columns, keys)
}

on_both_databases! {
    fn up_down_and_up_again_is_where_it_began(database: Database) {
        let store = database.open();
        let (first, applied) = (everything(&store), store.migrate(Direction::Up).unwrap().applied);
        assert!(first.len() > 8, "{first:?}");
        assert_eq!(applied, versions("sqlite"));

        assert!(store.migrate(Direction::Down).unwrap().applied.is_empty());
        assert_eq!(everything(&store), Vec::<String>::new(), "left over");

        assert_eq!(store.migrate(Direction::Up).unwrap().applied, applied);
        assert_eq!(everything(&store), first);
    }

    fn down_takes_a_database_that_holds_a_log(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        drop(service);
        let store = database.open();
        assert!(store.migrate(Direction::Down).unwrap().applied.is_empty());
        assert_eq!(everything(&store), Vec::<String>::new(), "left over");
    }

    fn the_schema_is_the_one_that_the_code_is_written_against(database: Database) {
        let store = database.open();
        let (by_hand, keys_by_hand) = by_hand();
        assert!(by_hand.len() > 50 && keys_by_hand.len() >= 7, "{by_hand:?}");
        assert_eq!(columns(&store), by_hand);
        assert_eq!(keys(&store), keys_by_hand);
    }

    fn the_log_refuses_to_be_changed(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let store = service.store();
        let log = "SELECT sequence || ' ' || kind || ' ' || event || ' ' || hash AS line FROM log_entries";
        let before = lines(store, log, log);
        assert_eq!(before.len(), 1, "the opening: {before:?}");
        for statement in [
            "UPDATE log_entries SET hash = 'x'",
            "UPDATE log_entries SET sequence = sequence + 1",
            "UPDATE log_entries SET event = event WHERE sequence = 1",
            "DELETE FROM log_entries",
            "DELETE FROM log_entries WHERE kind = 'opening'",
            "INSERT INTO log_entries SELECT * FROM log_entries WHERE true
             ON CONFLICT (round_id, sequence) DO UPDATE SET hash = 'x'",
        ] {
            refused(store, statement);
        }
        assert_eq!(lines(store, log, log), before);
    }

    fn a_database_of_a_newer_program_is_refused(database: Database) {
        let store = database.open();
        let mut conn = store.connect().unwrap();
        conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").unwrap();
        let Err(Error::Schema(reason)) = Store::open(database.address()) else { panic!("it was opened") };
        assert!(reason.contains("29991231000000") && reason.contains("newer"), "{reason}");
        // And nothing of it was touched.
        assert!(!everything(&store).is_empty());
    }
}

#[test]
fn both_trees_have_the_same_migrations() {
    assert_eq!(versions("sqlite"), versions("postgres"));
    assert!(!versions("sqlite").is_empty());
    for tree in ["sqlite", "postgres"] {
        for folder in folders(tree) {
            for file in ["up.sql", "down.sql"] {
                let path = repository(&format!("migrations/{tree}/{folder}/{file}"));
                assert!(std::path::Path::new(&path).is_file(), "{path}");
            }
        }
    }
    assert_eq!(folders("sqlite"), folders("postgres"));
}

/// The folders of a tree, in order.
fn folders(tree: &str) -> Vec<String> {
    let entries = std::fs::read_dir(repository(&format!("migrations/{tree}"))).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The versions of a tree: its folders up to the underscore.
fn versions(tree: &str) -> Vec<String> {
    folders(tree).iter().map(|name| name.split('_').next().unwrap_or_default().replace('-', "")).collect()
}

#[test]
fn sqlite_refuses_to_replace_a_log_entry() {
    // REPLACE deletes the row in the way without a word to DELETE triggers, unless recursive_triggers is on.
    let database = Database::sqlite();
    let service = Service::start(&database);
    service.open_round(json!({}));
    refused(
        service.store(),
        "REPLACE INTO log_entries SELECT round_id, sequence, at, kind, participant_code, revision, event, 'x'
         FROM log_entries",
    );
}

#[test]
fn postgres_refuses_to_empty_the_log() {
    let Some(database) = Database::postgres("postgres_refuses_to_empty_the_log") else { return };
    let store = database.open();
    refused(&store, "TRUNCATE log_entries CASCADE");
}

#[track_caller]
fn refused(store: &Store, statement: &str) {
    match store.connect().unwrap().batch_execute(statement) {
        Ok(()) => panic!("{statement} was done"),
        Err(error) => assert!(error.to_string().contains("append-only"), "{statement}: {error}"),
    }
}
