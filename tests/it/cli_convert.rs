//! `handslag convert`: ballots from one format of file into another, whole or not at all.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::{Program, Ran, repository};
use crate::support::{Caller, Database, FIVE, Service};

const WIDE: &str = "count,rank1,rank2,rank3\n5,ett,tva,tre\n3,tre,,\n1,tva,tre,\n";

fn program() -> Program {
    let program = Program::new();
    program.write("a.csv", WIDE);
    program
}

fn text(program: &Program, name: &str) -> String {
    std::fs::read_to_string(program.path(name)).unwrap()
}

/// Runs it with something on standard input.
fn piped(program: &Program, input: &[u8], arguments: &[&str]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .env_clear()
        .current_dir(program.path("."))
        .arg("convert")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_names_tell_the_formats_and_the_ballots_stay_the_same() {
    let program = program();
    let mut last = "a.csv";
    for (next, arguments) in [
        ("b.soi", &[][..]),
        ("c.toc.gz", &["--title", "Omgången"]),
        ("d.blt", &["--seats", "2"]),
        ("e.abif", &[]),
        ("f.toi", &[]),
    ] {
        let ran = program.run(&[&["convert", last, next], arguments].concat()).is(0);
        assert!(ran.out.starts_with("9 ballots of 3 candidates: "), "{}", ran.out);
        last = next;
    }
    assert_eq!(std::fs::read(program.path("c.toc.gz")).unwrap()[..2], [0x1F, 0x8B]);
    assert_eq!(
        text(&program, "d.blt"),
        "3 2\n5 1 3 2 0\n3 2 0\n1 3 2 0\n0\n\"ett\"\n\"tre\"\n\"tva\"\n\"Omgången\"\n"
    );
    // Names come back by the list of initiatives.
    program.write(
        "initiatives.csv",
        "id,number,titleSv,titleEn,status\nett,1,ett,One,example\ntva,2,tva,Two,example\ntre,3,tre,Three,example\n",
    );
    let back =
        program.run(&["convert", "f.toi", "-", "--to", "csv", "--initiatives", "initiatives.csv"]).is(0);
    assert_eq!(back.out, "count,rank1,rank2,rank3\n5,ett,tva,tre\n1,tva,tre,\n3,tre,,\n");
}

#[test]
fn standard_input_and_output_are_files_too() {
    let program = program();
    let ran = piped(&program, WIDE.as_bytes(), &["-", "-", "--to", "abif"]).is(0);
    assert_eq!(ran.out, "=ett:[ett]\n=tre:[tre]\n=tva:[tva]\n5:ett>tva>tre\n3:tre\n1:tva>tre\n");
    let ran = piped(&program, ran.out.as_bytes(), &["-", "-", "--from", "abif", "--to", "csv"]).is(0);
    assert_eq!(ran.out, "count,rank1,rank2,rank3\n5,ett,tva,tre\n3,tre,,\n1,tva,tre,\n");
    assert_eq!(
        piped(&program, b"count,rank1\nx,a\n", &["-", "-", "--to", "csv"]).is(1).faults(),
        ["-:2:1 count"]
    );
    assert!(piped(&program, b"", &["-", "-"]).is(1).err.starts_with("-: --to is needed: one of csv, "));
}

#[test]
fn participants_stay_where_the_format_names_them() {
    let program = Program::new();
    program.write("a.csv", "participantCode,rank1,rank2\n0180,a,b\n0980,b,\n");
    program.run(&["convert", "a.csv", "b.ndjson"]).is(0);
    assert_eq!(
        text(&program, "b.ndjson"),
        "{\"participantCode\":\"0180\",\"ranking\":[\"a\",\"b\"]}\n{\"participantCode\":\"0980\",\"ranking\":[\"b\"]}\n"
    );
    program.run(&["convert", "b.ndjson", "c.csv", "--to", "csv-long"]).is(0);
    assert_eq!(text(&program, "c.csv"), "participantCode,rank,initiativeId\n0180,1,a\n0180,2,b\n0980,1,b\n");
    program.run(&["convert", "c.csv", "d.csv"]).is(0);
    assert_eq!(text(&program, "d.csv"), text(&program, "a.csv"));
}

#[test]
fn an_exported_log_holds_the_last_ballot_of_each_participant() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    for (code, ranking) in [
        ("0180", FIVE),
        ("0980", FIVE),
        ("1480", FIVE),
        ("0180", &[FIVE[4], FIVE[3], FIVE[2], FIVE[1], FIVE[0]]),
    ] {
        service.submit(code, ranking);
    }
    let withdrawn = "/rounds/handslag-2026/ballots/0980";
    service.delete(withdrawn).by(Caller::Participant("0980")).send().is(204);
    let log =
        service.get("/rounds/handslag-2026/log-entries?format=ndjson").by(Caller::Analyst).send().is(200);
    let program = Program::new();
    program.write("log.txt", log.text());
    let ran = program.run(&["convert", "log.txt", "a.csv"]).is(0);
    assert_eq!(ran.out, "2 ballots of 5 candidates: ndjson to csv\n");
    let (first, last) = (FIVE.join(","), FIVE.iter().rev().copied().collect::<Vec<_>>().join(","));
    assert_eq!(
        text(&program, "a.csv"),
        format!("participantCode,rank1,rank2,rank3,rank4,rank5\n1480,{first}\n0180,{last}\n")
    );
    // A line that is changed is told with its place.
    let changed = log.text().replacen("\"kind\":\"ballot\"", "\"kind\":\"val\"", 1);
    let column = changed.lines().nth(2).and_then(|line| line.find("\"kind\"")).unwrap() + 1;
    program.write("log.txt", changed);
    let refused = program.run(&["convert", "log.txt", "b.csv"]).is(1);
    assert_eq!(refused.faults(), [format!("log.txt:3:{column} kind")]);
}

#[test]
fn nothing_is_replaced_unless_told_to() {
    let program = program();
    program.write("b.abif", "mine");
    let refused = program.run(&["convert", "a.csv", "b.abif"]).is(1);
    assert_eq!(refused.err, "b.abif: is there already; --force replaces it\n");
    assert_eq!(text(&program, "b.abif"), "mine");
    // A refusal on the way leaves what was there.
    program.write("b.soc", "mine");
    program.run(&["convert", "a.csv", "b.soc", "--force"]).is(1);
    assert_eq!(text(&program, "b.soc"), "mine");
    assert!(!program.path("b.soc.part").exists());
    program.run(&["convert", "a.csv", "b.abif", "--force"]).is(0);
    assert!(text(&program, "b.abif").starts_with("=ett:[ett]\n"));
    program.run(&["convert", "a.csv", "a.csv", "--force"]).is(0);
    assert!(text(&program, "a.csv").starts_with("count,"));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let program = program();
    for (output, told) in
        [("b.soc", "b.soc: soc: "), ("b.blt", "b.blt: blt: "), ("b.ndjson", "b.ndjson: ndjson: ")]
    {
        let refused = program.run(&["convert", "a.csv", output]).is(1);
        assert!(refused.err.starts_with(told), "{}", refused.err);
        assert!(!program.path(output).exists());
    }
    program.write("bad.csv", "count,rank1,rank2\nx,a,a\n1,,a\n");
    let refused = program.run(&["convert", "bad.csv", "b.soi"]).is(1);
    assert_eq!(refused.faults(), ["bad.csv:2:1 count", "bad.csv:2:3 ranked-twice", "bad.csv:3:2 gap"]);
    program.write("many.csv", format!("count,rank1\n{}", "x,a\n".repeat(1_234)));
    let refused = program.run(&["convert", "many.csv", "b.soi"]).is(1);
    assert!(refused.err.contains("\nmany.csv: 234 faults more\n"), "{}", refused.err);
    assert!(!program.path("b.soi").exists());
}

#[test]
fn the_exit_code_tells_usage_and_files_apart() {
    let program = program();
    assert!(program.run(&["convert", "a.csv", "b.txt"]).is(1).err.starts_with("b.txt: --to is needed: "));
    program.run(&["convert", "a.csv", "b.txt", "--to", "word"]).is(2);
    program.run(&["convert", "none.csv", "b.soi"]).is(3);
    program.run(&["convert", "a.csv", "none/b.soi"]).is(3);
    let help = program.run(&["convert", "--help"]).is(0).out;
    assert!(help.contains("Example: handslag convert "), "{help}");
}

#[test]
fn a_shipped_election_can_be_counted_from_what_it_was_converted_to() {
    let program = Program::new();
    let election = repository("fixtures/elections/syn_tie_swap_230/ballots.csv");
    program.run(&["convert", &election, "a.soi.gz"]).is(0);
    program.run(&["convert", "a.soi.gz", "b.csv"]).is(0);
    let count = |file: &str| {
        let out = program.run(&["tally", file, "--ladder", "none"]).is(0).out;
        // Candidates c01, c02, … are 1, 2, … there.
        out.lines().skip(1).map(|line| line.split(',').nth(4).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(count("b.csv"), count(&election));
}
