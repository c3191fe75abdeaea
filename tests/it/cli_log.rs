//! `handslag log` and `handslag receipt`, through the program: what is written, what is said, and the exit codes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::{Value, json};

use crate::program::{Program, Ran};

const BALLOTS: &str = "\
participantCode,rank1,rank2,rank3,reference,comment
0180,ett,tva,tre,KS 2026/12,\"Gärna; \"\"snart\"\".\"
0980,tva,ett,,,
";

/// The small round with two ballots, its log exported to `log.ndjson` and the key to `key.json`.
fn exported() -> Program {
    let program = Program::with_open_round();
    program.write("ballots.csv", BALLOTS);
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    program.run(&["log", "export", "--round", "liten", "log.ndjson"]).is(0);
    program.write("key.json", program.run(&["log", "key"]).is(0).out);
    program
}

fn text(program: &Program, name: &str) -> String {
    std::fs::read_to_string(program.path(name)).unwrap()
}

/// Runs it where there is neither a database nor a key.
fn elsewhere(program: &Program, arguments: &[&str]) -> Ran {
    program.run_with(&[], &[&["--data-dir", "elsewhere"], arguments].concat())
}

#[test]
fn the_file_has_the_definition_a_line_an_entry_and_the_receipt_of_the_last() {
    let program = exported();
    let file = text(&program, "log.ndjson");
    assert_eq!(program.run(&["log", "export", "--round", "liten"]).is(0).out, file);
    assert_eq!(program.run(&["log", "export", "--round", "liten", "-"]).is(0).out, file);
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let members: Vec<Vec<&String>> =
        lines.iter().map(|line| line.as_object().unwrap().keys().collect()).collect();
    let entry = vec!["event", "hash"];
    assert_eq!(members, [vec!["definition", "hash"], entry.clone(), entry.clone(), entry, vec!["receipt"]]);
    assert_eq!(lines[1]["event"]["definition"], lines[0]["hash"]);
    assert_eq!(lines[0]["definition"]["participants"][1]["name"], "Gotland");
    let kinds: Vec<&Value> = lines[1..4].iter().map(|line| &line["event"]["kind"]).collect();
    assert_eq!(kinds, ["opening", "ballot", "ballot"]);
    let receipt = &lines[4]["receipt"];
    assert_eq!(receipt["entryHash"], lines[3]["hash"]);
    assert_eq!(receipt["entryHash"], program.round()["logHead"]);
    assert_eq!([&receipt["sequence"], &receipt["treeSize"]], [&json!(3), &json!(3)]);
    assert!(!file.contains("KS 2026/12") && !file.contains("snart"), "private texts are not in it");
}

#[test]
fn what_is_wrong_is_counted_where_there_was_nothing_to_change() {
    let program = exported();
    let file = program.path("data/handslag.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let damage = "UPDATE ballots SET ranking = '3' WHERE participant_code = '0180'; UPDATE rounds SET state = 'closed'";
    conn.batch_execute(damage).unwrap();
    drop(conn);
    for checking in [&["log", "verify"][..], &["backup", "copy.db"]] {
        let ran = program.run(checking).is(1);
        let told: Vec<&str> = ran.err.lines().collect();
        assert_eq!((told.len(), told[2]), (3, "handslag: 2 faults"), "{}", ran.err);
    }
    // Where something was to be changed it was not.
    let ran = program.run(&["restore", "--force", "copy.db"]).is(1);
    assert!(ran.err.ends_with("\nhandslag: 2 faults; nothing was changed\n"), "{}", ran.err);
}

#[test]
fn a_round_that_has_not_opened_has_its_definition_only_and_cannot_be_verified() {
    let program = Program::with_draft();
    let ran = program.run(&["log", "export", "--round", "liten"]).is(0);
    assert_eq!(ran.out.lines().count(), 1);
    program.write("log.ndjson", &ran.out);
    let refused = program.run(&["log", "verify", "log.ndjson"]).is(1);
    assert!(refused.err.contains("it has no entries"), "{}", refused.err);
    // In the database it is whole: there is no more to it.
    let whole = program.run(&["log", "verify"]).is(0);
    let head = program.round()["logHead"].as_str().unwrap().to_owned();
    assert!(whole.out.starts_with(&format!("liten: 0 entries, head {head}, root e3b0c442")), "{}", whole.out);
}

#[test]
fn a_file_is_not_replaced_unless_it_is_said() {
    let program = exported();
    program.write("log.ndjson", "mine");
    let export = ["log", "export", "--round", "liten", "log.ndjson"];
    program.run(&export).is(1);
    assert_eq!(text(&program, "log.ndjson"), "mine");
    assert_eq!(program.run(&[&export[..], &["--force"]].concat()).is(0).out, "liten: 3 entries\n");
    program.run(&["log", "verify", "log.ndjson"]).is(0);
    program.run(&["log", "export", "--round", "annan", "other.ndjson"]).is(1);
    assert!(!program.path("other.ndjson").exists());
}

#[test]
fn a_file_is_verified_with_the_key_that_was_kept_and_says_so_without_one() {
    let program = exported();
    let database = program.run(&["log", "verify"]).is(0);
    let line = database.out.strip_suffix('\n').unwrap();
    assert!(line.starts_with("liten: 3 entries, head ") && line.contains(", root "), "{line}");
    for ran in [
        program.run(&["log", "verify", "log.ndjson"]),
        program.run(&["log", "verify", "--key", "key.json", "log.ndjson"]),
        elsewhere(&program, &["log", "verify", "--key", "key.json", "log.ndjson"]),
    ] {
        let ran = ran.is(0);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), (&*database.out, ""));
    }
    let without = elsewhere(&program, &["log", "verify", "log.ndjson"]).is(0);
    assert_eq!(without.out, database.out);
    assert!(without.err.contains("The signature was NOT checked"), "{}", without.err);
    assert!(!program.path("elsewhere").exists(), "to look makes nothing");
    // Another's key: the one that `log key` makes elsewhere.
    program.write("other.json", elsewhere(&program, &["log", "key"]).is(0).out);
    let refused = program.run(&["log", "verify", "--key", "other.json", "log.ndjson"]).is(1);
    assert!(
        refused.err.starts_with("log.ndjson:5: liten: the receipt is signed by the key "),
        "{}",
        refused.err
    );
    program.run(&["log", "verify", "--key", "log.ndjson", "log.ndjson"]).is(1);
    program.run(&["log", "verify", "--key", "missing.json", "log.ndjson"]).is(3);
    program.run(&["log", "verify", "missing.ndjson"]).is(3);
    program.run(&["log", "verify", "--round", "liten", "log.ndjson"]).is(2);
}

#[test]
fn packed_files_are_written_and_read() {
    let program = exported();
    program.run(&["log", "export", "--round", "liten", "log.ndjson.gz"]).is(0);
    let packed = std::fs::read(program.path("log.ndjson.gz")).unwrap();
    assert!(packed.starts_with(&[0x1F, 0x8B]));
    let whole = program.run(&["log", "verify", "log.ndjson.gz"]).is(0);
    assert_eq!(whole.out, program.run(&["log", "verify", "log.ndjson"]).is(0).out);
}

#[test]
fn a_key_is_read_as_a_set_as_one_and_as_pem() {
    let program = exported();
    let set = program.run(&["log", "key"]).json();
    let key = &set["keys"][0];
    assert_eq!([&key["kty"], &key["crv"], &key["alg"]], [&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")]);
    assert!(key.get("d").is_none(), "the public half only");
    program.write("one.json", key.to_string());
    // An Ed25519 key in PEM is a fixed beginning and the 32 bytes of `x` (RFC 8410, section 4).
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend(URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
    program.write("key.pem", pem);
    for file in ["one.json", "key.pem"] {
        assert_eq!(
            elsewhere(&program, &["log", "verify", "--key", file, "log.ndjson"]).is(0).err,
            "",
            "{file}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_line_round_and_entry() {
    let program = exported();
    let file = text(&program, "log.ndjson");
    let lines: Vec<&str> = file.lines().collect();
    for (changed, told) in [
        (file.replacen("Gotland", "Gotlond", 1), "log.ndjson:1: the definition does not have the hash"),
        (file.replacen(r#""0980""#, r#""0981""#, 1), "log.ndjson:1: the definition does not have the hash"),
        (
            file.replacen(r#"["tva","ett"]"#, r#"["ett","tva"]"#, 1),
            "log.ndjson:4: liten: entry 3: its hash is not that of the hash before it and its text",
        ),
        (
            [lines[0], lines[1], lines[3], lines[4], ""].join("\n"),
            "log.ndjson:3: liten: entry 2: is missing; entry 3 follows on 1",
        ),
        (lines[..4].join("\n") + "\n", "log.ndjson:5: liten: it ends after entry 3 without the receipt"),
        (
            [lines[0], lines[1], lines[2], lines[4], ""].join("\n"),
            "log.ndjson:4: liten: the receipt is of entry 3, and the log has 2 before it",
        ),
        (file.trim_end().to_owned(), "log.ndjson:5: the line does not end with a line break"),
        (
            file.replace('\n', "\r\n"),
            "log.ndjson:1: it does not begin with a round's definition and its hash",
        ),
        (String::new(), "log.ndjson:1: there is nothing in it"),
    ] {
        program.write("log.ndjson", changed);
        let refused = program.run(&["log", "verify", "log.ndjson"]).is(1);
        assert!(refused.err.starts_with(told) && refused.out.is_empty(), "{told}\n{}", refused.err);
    }
}

#[test]
fn a_receipt_holds_in_the_database_and_in_the_file_and_only_there() {
    let program = exported();
    let file = text(&program, "log.ndjson");
    let last: Value = serde_json::from_str(file.lines().last().unwrap()).unwrap();
    let receipt = &last["receipt"];
    program.write(
        "reply.json",
        json!({ "roundId": "liten", "ranking": ["tva"], "receipt": receipt }).to_string(),
    );
    program.write("receipt.json", receipt.to_string());
    program.write("receipt.jws", format!("{}\n", receipt["signature"].as_str().unwrap()));
    let hash = receipt["entryHash"].as_str().unwrap();
    let told = format!("liten: entry 3 is in the log, with the hash {hash}\n");
    for form in ["reply.json", "receipt.json", "receipt.jws"] {
        for log in [["--round", "liten"], ["--log", "log.ndjson"]] {
            let held = program.run(&[&["receipt", "verify", form], &log[..]].concat()).is(0);
            assert_eq!((held.out.as_str(), held.err.as_str()), (&*told, ""), "{form} {log:?}");
        }
        let kept = ["receipt", "verify", form, "--log", "log.ndjson"];
        let with_key = elsewhere(&program, &[&kept[..], &["--key", "key.json"]].concat()).is(0);
        assert_eq!((with_key.out.as_str(), with_key.err.as_str()), (&*told, ""));
        let without = elsewhere(&program, &kept).is(0);
        assert!(without.err.contains("The signature was NOT checked"), "{}", without.err);
    }
    for (member, value) in [
        ("sequence", json!(2)),
        ("treeSize", json!(2)),
        ("roundId", json!("annan")),
        ("entryHash", json!(hash.replace(&hash[..1], "x"))),
        ("root", json!(hash)),
        ("acceptedAt", json!("2026-03-10T11:00:00.000000Z")),
    ] {
        let mut changed = receipt.clone();
        changed[member] = value;
        program.write("changed.json", changed.to_string());
        for data in ["data", "elsewhere"] {
            let verify = ["--data-dir", data, "receipt", "verify", "changed.json", "--log", "log.ndjson"];
            let refused = program.run_with(&[], &verify).is(1);
            assert!(refused.err.starts_with("changed.json: "), "{member} {}", refused.err);
        }
    }
    program.write("changed.json", "{}");
    program.run(&["receipt", "verify", "changed.json", "--log", "log.ndjson"]).is(1);
    program.run(&["receipt", "verify", "receipt.json"]).is(2);
    program.run(&["receipt", "verify", "missing.json", "--log", "log.ndjson"]).is(3);
}

#[test]
fn a_receipt_of_another_log_does_not_hold() {
    // Two rounds of the same name, with the same key: one of them is not the one that the participant was told of.
    let (program, other) = (exported(), exported());
    std::fs::copy(other.path("data/keys/log.pem"), program.path("data/keys/log.pem")).unwrap();
    let file = text(&other, "log.ndjson");
    program.write("receipt.json", file.lines().last().unwrap());
    let refused = program.run(&["receipt", "verify", "receipt.json", "--round", "liten"]).is(1);
    assert!(
        refused.err.contains("the receipt is of an entry 3 with another hash than the log has"),
        "{}",
        refused.err
    );

    // A log that has been put back to an earlier state no longer has what came after.
    other.write("more.csv", "participantCode,rank1\n1280,tre\n");
    other.run(&["ballots", "import", "--round", "liten", "more.csv"]).is(0);
    let later = other.run(&["log", "export", "--round", "liten"]).is(0).out;
    other.write("later.json", later.lines().last().unwrap());
    let refused = other.run(&["receipt", "verify", "later.json", "--log", "log.ndjson"]).is(1);
    assert_eq!(refused.err, "later.json: the receipt is of entry 4, and the log has 3 entries\n");
    other.run(&["receipt", "verify", "later.json", "--round", "liten"]).is(0);
}

#[test]
fn an_extended_round_is_verified_from_the_definition_that_it_opened_with() {
    let program = exported();
    let before = text(&program, "log.ndjson");
    program.run(&["round", "extend", "liten", "--until", "2150-04-30T12:00:00+02:00"]).is(0);
    assert_eq!(program.run(&["log", "verify"]).is(0).out.matches("liten: 4 entries").count(), 1);
    let after = program.run(&["log", "export", "--round", "liten"]).is(0).out;
    assert_eq!(after.lines().next(), before.lines().next(), "what it opened with stays");
    assert!(after.contains(r#""kind":"extension""#));
}
