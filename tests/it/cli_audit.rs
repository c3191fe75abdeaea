//! `handslag audit`, and what the other commands leave in the trail, through the program.

use diesel::connection::SimpleConnection;
use handslag::store::{Database, Store};
use serde_json::{Value, json};

use crate::program::Program;

/// The trail as the program exports it, without the entries of exporting it.
fn exported(program: &Program) -> Vec<Value> {
    let out = program.run(&["audit", "export"]).is(0).out;
    let events = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone());
    events.filter(|event| event["operation"] != "audit export").collect()
}

fn store(program: &Program) -> Store {
    Store::open(Database::Sqlite(program.path("data/handslag.db"))).unwrap()
}

fn change(program: &Program, statement: &str) {
    store(program).connect().unwrap().batch_execute(statement).unwrap();
}

#[test]
fn commands_that_change_issue_or_export_are_recorded() {
    let program = Program::with_open_round();
    program.write("ballots.csv", "participantCode,rank1,rank2\n0180,ett,tva\n");
    program.write("faulty.csv", "participantCode,rank1,rank2\n0180,ett,ett\n");
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    program.run(&["ballots", "import", "--round", "liten", "faulty.csv"]).is(1);
    let token = program.run(&["token", "--municipality", "0180"]).is(0).out;
    program.run(&["export", "--round", "liten", "--what", "ballots"]).is(0);
    program.run(&["log", "export", "--round", "liten"]).is(0);
    program.run(&["round", "certify", "liten"]).is(1);
    program.run(&["round", "show", "liten"]).is(0);
    let events = exported(&program);
    let told: Vec<Value> = events
        .iter()
        .map(|event| {
            json!([event["operation"], event["roundId"], event["participantCode"], event["outcome"]])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["round create", "liten", null, "accepted"]),
            json!(["round open", "liten", null, "accepted"]),
            json!(["ballots import", "liten", null, "accepted"]),
            json!(["ballots import", "liten", null, "refused"]),
            json!(["token", null, "0180", "accepted"]),
            json!(["export ballots", "liten", null, "accepted"]),
            json!(["log export", "liten", null, "accepted"]),
            json!(["round certify", "liten", null, "refused"]),
        ]
    );
    assert!(events.iter().all(|event| event["channel"] == "cli" && event["issuer"].is_null()));
    assert!(!format!("{events:?}").contains(token.trim()));
}

#[test]
fn the_export_is_of_a_time_and_into_a_file() {
    let program = Program::with_open_round();
    let to_file = program.run(&["audit", "export", "--from", "2020-01-01", "--out", "trail.ndjson"]).is(0);
    assert_eq!(to_file.out, "trail.ndjson: 2 entries\n");
    let file = std::fs::read_to_string(program.path("trail.ndjson")).unwrap();
    assert_eq!(file.lines().count(), 2);
    program.run(&["audit", "export", "--out", "trail.ndjson"]).is(1);
    program.run(&["audit", "export", "--out", "trail.ndjson", "--force"]).is(0);
    assert_eq!(program.run(&["audit", "export", "--to", "2020-01-01T00:00:00Z"]).is(0).out, "");
    program.run(&["audit", "export", "--from", "yesterday"]).is(2);
}

#[test]
fn a_whole_trail_is_verified_and_says_where_it_has_come_to() {
    let program = Program::with_open_round();
    let whole = program.run(&["audit", "verify"]).is(0);
    assert!(whole.out.starts_with("audit trail: entries 1 to 2, head "), "{}", whole.out);
    let last = program.run(&["audit", "export"]).is(0).out;
    let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert!(whole.out.ends_with(&format!("{}\n", last["hash"].as_str().unwrap())));
}

#[test]
fn the_first_entry_that_is_wrong_is_named() {
    for (statement, told) in [
        (
            "UPDATE audit_entries SET event = replace(event, 'round open', 'round shut') WHERE sequence = 2",
            "2: its hash",
        ),
        ("UPDATE audit_entries SET hash = 'ab' || substr(hash, 3) WHERE sequence = 1", "1: its hash"),
        ("UPDATE audit_entries SET operation = 'x' WHERE sequence = 2", "2: its columns"),
        ("UPDATE audit_entries SET at = '2020-01-01 00:00:00' WHERE sequence = 3", "3: its columns"),
        ("UPDATE audit_entries SET covers = 1 WHERE sequence = 3", "3: its columns"),
        ("DELETE FROM audit_entries WHERE sequence = 2", "2: it is missing"),
        ("DELETE FROM audit_entries WHERE sequence = 3", "3: it is missing"),
        ("DELETE FROM audit_entries WHERE sequence = 1", "2: the entries before it are missing"),
        ("DELETE FROM audit_entries", "4: the entries before it are missing"),
        ("UPDATE audit_chain SET head = replace(head, substr(head, 1, 2), 'zz')", ""),
        ("UPDATE audit_chain SET sequence = 2", "3: it is not the one"),
    ] {
        let program = Program::with_open_round();
        program.run(&["round", "close", "liten"]).is(0);
        change(
            &program,
            "DROP TRIGGER audit_entries_are_not_changed; DROP TRIGGER audit_entries_are_not_deleted",
        );
        change(&program, statement);
        let code = if told.is_empty() { 3 } else { 1 };
        let wrong = program.run(&["audit", "verify"]).is(code);
        assert!(
            wrong.err.contains(&format!("audit entry {told}")) || told.is_empty(),
            "{statement}: {}",
            wrong.err
        );
    }
}

#[test]
fn what_is_pruned_leaves_a_checkpoint_and_the_rest_verifies() {
    let program = Program::with_open_round();
    assert_eq!(program.run(&["audit", "prune", "--before", "2020-01-01"]).is(0).out, "0 entries removed\n");
    program.run(&["audit", "prune", "--before", "2149-01-01"]).is(1);
    program.run(&["audit", "prune", "--before", "once"]).is(2);
    let before: Vec<String> =
        program.run(&["audit", "export"]).is(0).out.lines().map(str::to_owned).collect();
    let second: Value = serde_json::from_str(&before[1]).unwrap();
    let third = program.run(&["audit", "export"]).is(0).out.lines().nth(2).map(str::to_owned).unwrap();
    let third: Value = serde_json::from_str(&third).unwrap();
    let at = third["event"]["at"].as_str().unwrap();
    assert_eq!(program.run(&["audit", "prune", "--before", at]).is(0).out, "2 entries removed\n");
    let events = exported(&program);
    assert_eq!(events[0]["operation"], "audit prune");
    assert_eq!(
        events[0]["removed"],
        json!({ "count": 2, "throughSequence": 2, "throughHash": second["hash"] })
    );
    let whole = program.run(&["audit", "verify"]).is(0);
    assert!(whole.out.starts_with("audit trail: entries 3 to "), "{}", whole.out);

    // And once more, checkpoint and all: only the newest checkpoint is needed.
    std::thread::sleep(std::time::Duration::from_millis(5));
    let now = handslag::service::Clock::System.now().to_string();
    program.run(&["audit", "prune", "--before", &now]).is(0);
    assert_eq!(exported(&program).len(), 1);
    program.run(&["audit", "verify"]).is(0);

    // What no checkpoint covers does not go, whoever asks.
    let refused = store(&program).connect().unwrap().batch_execute("DELETE FROM audit_entries");
    assert!(refused.unwrap_err().to_string().contains("append-only"));
}

#[test]
fn a_checkpoint_that_does_not_fit_what_is_left_is_found() {
    let program = Program::with_open_round();
    program.run(&["round", "close", "liten"]).is(0);
    let now = handslag::service::Clock::System.now().to_string();
    program.run(&["audit", "prune", "--before", &now]).is(0);
    program.run(&["round", "certify", "liten"]).is(0);
    // One more than the checkpoint says.
    change(
        &program,
        "DROP TRIGGER audit_entries_are_not_deleted; DELETE FROM audit_entries WHERE sequence = 4",
    );
    let wrong = program.run(&["audit", "verify"]).is(1);
    assert!(wrong.err.contains("audit entry 5: the entries before it are missing"), "{}", wrong.err);
}

#[test]
fn the_retention_is_a_setting_that_is_shown() {
    let program = Program::new();
    let config = |variables: &[(&str, &str)], arguments: &[&str]| {
        program.run_with(variables, &[arguments, &["config"]].concat())
    };
    assert!(config(&[], &[]).is(0).out.contains("auditRetentionDays = 730  # default"));
    let given = config(&[("HANDSLAG_AUDIT_RETENTION_DAYS", "30")], &[]).is(0);
    assert!(given.out.contains("auditRetentionDays = 30  # flag or environment"), "{}", given.out);
    assert!(config(&[], &["--audit-retention-days", "0"]).is(0).out.contains("auditRetentionDays = 0"));
    config(&[], &["--audit-retention-days", "36501"]).is(2);
}
