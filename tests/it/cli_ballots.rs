//! `handslag ballots import`: both forms of CSV, all or nothing, every faulty row with its place, and our own
//! exports read back.

use serde_json::{Value, json};

use crate::program::{Program, ROUND};

const WIDE: &str = "\
participantCode,rank1,rank2,rank3
0180,ett,tva,tre
0980,tva,ett,
1280,tva,,
";

/// The same ballots.
const LONG: &str = "\
participantCode,rank,initiativeId,engagement
0980,2,ett,
0980,1,tva,lead
1280,1,tva,share-experience
0180,1,ett,
0180,3,tre,follow
0180,2,tva,take-part
";

fn import(program: &Program, content: impl AsRef<[u8]>) -> crate::program::Ran {
    program.write("ballots.csv", content);
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"])
}

/// The ballots that count, one JSON object each.
fn ballots(program: &Program) -> Vec<Value> {
    let lines =
        program.run(&["export", "--round", "liten", "--what", "ballots", "--format", "ndjson"]).is(0).out;
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Code and picks: `0180 ett tva tre`.
fn rankings(program: &Program) -> Vec<String> {
    let ranking = |ballot: &Value| {
        let picks = ballot["ranking"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        let code = ballot["participantCode"].as_str().unwrap();
        [code].into_iter().chain(picks).collect::<Vec<_>>().join(" ")
    };
    ballots(program).iter().map(ranking).collect()
}

/// Imports into a fresh open round, expects that nothing of it is taken, and gives place and code of the faults.
#[track_caller]
fn refused(content: impl AsRef<[u8]>) -> Vec<String> {
    let program = Program::with_open_round();
    import(&program, "participantCode,rank1\n2584,fyra\n").is(0);
    let before = program.round();
    let refused = import(&program, content).is(1);
    assert_eq!(refused.out, "");
    assert_eq!(program.round(), before);
    assert_eq!(rankings(&program), ["2584 fyra"]);
    refused.faults()
}

#[test]
fn wide_rows_are_ballots() {
    let program = Program::with_open_round();
    let said = import(&program, WIDE).is(0);
    // The opening is the first entry of the log.
    assert_eq!(said.out, "3 ballots accepted; liten is at sequence 4\n");
    assert_eq!(rankings(&program), ["0180 ett tva tre", "0980 tva ett", "1280 tva"]);
}

#[test]
fn long_rows_are_the_same_ballots_with_engagements() {
    let program = Program::with_open_round();
    import(&program, LONG).is(0);
    assert_eq!(rankings(&program), ["0180 ett tva tre", "0980 tva ett", "1280 tva"]);
    let engagements: Vec<Value> =
        ballots(&program).iter().map(|ballot| ballot["engagements"].clone()).collect();
    assert_eq!(
        engagements,
        [
            json!([
                { "initiativeId": "tva", "engagement": "take-part" },
                { "initiativeId": "tre", "engagement": "follow" }
            ]),
            json!([{ "initiativeId": "tva", "engagement": "lead" }]),
            json!([{ "initiativeId": "tva", "engagement": "share-experience" }]),
        ]
    );
}

#[test]
fn semicolons_a_bom_and_quotes_are_read() {
    let program = Program::with_open_round();
    let excel = "\u{feff}Kod;Plats 1;Plats 2;Plats 3;Diarienummer;Kommentar\r\n\
                 '0180;ett;tva;tre;KS 2026/1;\"Vi börjar gärna; \"\"snart\"\".\r\nOch sedan?\"\r\n\
                 '0980;tva;;;;\r\n";
    import(&program, excel).is(0);
    assert_eq!(rankings(&program), ["0180 ett tva tre", "0980 tva"]);
    let first = &ballots(&program)[0];
    assert_eq!(first["reference"], "KS 2026/1");
    assert_eq!(first["comment"], "Vi börjar gärna; \"snart\".\r\nOch sedan?");
}

#[test]
fn a_later_import_replaces_and_counts_revisions() {
    let program = Program::with_open_round();
    import(&program, WIDE).is(0);
    import(&program, "participantCode,rank1\n0980,fyra\n").is(0);
    assert_eq!(rankings(&program), ["0180 ett tva tre", "0980 fyra", "1280 tva"]);
    let revisions: Vec<u64> = ballots(&program).iter().map(|b| b["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [1, 2, 1]);
    let counted = program.run(&["export", "--round", "liten"]).is(0).json();
    assert_eq!((&counted["counted"], &counted["sequence"]), (&json!(3), &json!(5)));
}

#[test]
fn every_faulty_row_is_told_and_none_is_taken() {
    let long = "x".repeat(101);
    let told = refused(format!(
        "participantCode,rank1,rank2,rank3,rank4,reference\n\
         0180,ett,ett,,,\n\
         0980,noll,tva,fem,,\n\
         0980,ett,,,,\n\
         180,ett,,,,\n\
         0114,ett,,,,\n\
         1280,ett,tva,tre,fyra,{long}\n\
         2584,,,,,KS 1\n"
    ));
    assert_eq!(
        told,
        [
            "ballots.csv:2:3 ranked-twice",
            "ballots.csv:3:2 unknown-initiative",
            "ballots.csv:3:4 unknown-initiative",
            "ballots.csv:4:1 twice",
            "ballots.csv:5:1 participant",
            "ballots.csv:6:1 participant",
            "ballots.csv:7:1 too-many-picks",
            "ballots.csv:7:6 too-long",
            "ballots.csv:8:1 too-few-picks",
        ]
    );
}

#[test]
fn a_single_faulty_row_keeps_the_good_ones_out_too() {
    assert_eq!(refused(WIDE.replace("1280,tva", "1280,tvaa")), ["ballots.csv:4:2 unknown-initiative"]);
}

#[test]
fn gaps_and_counts_are_told_in_wide_rows() {
    let told = refused("participantCode,rank1,rank2,rank3\n0180,ett,,tre\n0980,,,tva\n");
    assert_eq!(told, ["ballots.csv:2:3 gap", "ballots.csv:3:2 gap", "ballots.csv:3:3 gap"]);
    let told = refused("participantCode,count,rank1\n0180,2,ett\n0980,0,ett\n1280,1,ett\n");
    assert_eq!(told, ["ballots.csv:2:1 count", "ballots.csv:3:1 count"]);
    let told = refused("participantCode,count,rank1\n0180,two,ett\n0980,-1,ett\n");
    assert_eq!(told, ["ballots.csv:2:2 count", "ballots.csv:3:2 count"]);
}

#[test]
fn gaps_and_repeated_ranks_are_told_in_long_rows() {
    let told = refused(
        "participantCode,rank,initiativeId\n0180,1,ett\n0180,3,tva\n0980,1,ett\n0980,1,tva\n,1,ett\n1280,first,ett\n1280,1,\n",
    );
    assert_eq!(
        told,
        [
            "ballots.csv:5:2 rank",
            "ballots.csv:6:1 field",
            "ballots.csv:7:2 field",
            "ballots.csv:8:3 field",
            "ballots.csv:3:2 gap",
            "ballots.csv:8:1 too-few-picks",
        ]
    );
    let told =
        refused("participantCode,rank,initiativeId,engagement\n0180,1,ett,perhaps\n0980,1,noll,lead\n");
    assert_eq!(told, ["ballots.csv:2:4 unknown-engagement", "ballots.csv:3:3 unknown-initiative"]);
}

#[test]
fn a_gap_is_told_beside_rows_that_do_not_fit_the_round() {
    let told = refused("participantCode,rank1,rank2\n0180,,ett\n0980,noll,\n9999,ett,\n");
    assert_eq!(
        told,
        ["ballots.csv:2:2 gap", "ballots.csv:3:2 unknown-initiative", "ballots.csv:4:1 participant"]
    );
}

#[test]
fn a_row_with_too_few_fields_is_told_beside_the_others() {
    let told = refused("participantCode,rank1,rank2\n0180,ett\n0980,noll,\n");
    assert_eq!(told, ["ballots.csv:2:3 fields", "ballots.csv:3:2 unknown-initiative"]);
}

#[test]
fn headings_that_are_no_ballots_are_refused() {
    assert_eq!(
        refused("code,first\n0180,ett\n"),
        ["ballots.csv:1:1 heading", "ballots.csv:1:1 heading", "ballots.csv:1:2 heading"]
    );
    assert_eq!(refused("participantCode,rank1,colour\n0180,ett,blue\n"), ["ballots.csv:1:3 heading"]);
    assert_eq!(refused("rank,initiativeId\n1,ett\n"), ["ballots.csv:1:1 heading", "ballots.csv:2:1 field"]);
    // A rank left out: what stands at rank3 is not read as rank 2.
    assert_eq!(refused("participantCode,rank1,rank3\n0180,ett,tva\n"), ["ballots.csv:1:3 heading"]);
}

#[test]
fn a_file_without_rows_takes_nothing_in() {
    let program = Program::with_open_round();
    let said = import(&program, "participantCode,rank1\n").is(0);
    assert_eq!(said.out, "0 ballots accepted; liten is at sequence 1\n");
    assert_eq!(refused(""), ["ballots.csv:1:1 heading"]);
}

#[test]
fn a_round_that_is_not_open_takes_no_ballots() {
    let program = Program::with_draft();
    for (state, step) in [("draft", "open"), ("closed", "certify"), ("certified", "correct")] {
        if state != "draft" && program.round()["state"] == "open" {
            program.run(&["round", "close", "liten"]).is(0);
        }
        let before = program.round();
        assert_eq!(before["state"], state);
        let refused = import(&program, WIDE).is(1);
        assert_eq!(
            refused.faults(),
            ["ballots.csv:2:1 refused", "ballots.csv:3:1 refused", "ballots.csv:4:1 refused"]
        );
        // A round that was opened by hand tells when it really did open.
        let opened = if state == "draft" { &before["opensAt"] } else { &before["openedAt"] };
        let told = format!("it is {state}, from {}", opened.as_str().unwrap());
        assert!(refused.err.contains(&told), "{}", refused.err);
        assert_eq!(program.round(), before);
        program.run(&["round", step, "liten"]).is(0);
    }
}

#[test]
fn a_round_that_wants_conditions_takes_no_import() {
    let program = Program::new();
    program.write_round("round.toml");
    program.write("round.toml", format!("{ROUND}requireCondition = true\n"));
    program.run(&["round", "create", "round.toml"]).is(0);
    program.run(&["round", "open", "liten"]).is(0);
    let refused = import(&program, WIDE).is(1);
    assert_eq!(refused.faults().len(), 3, "{}", refused.err);
    assert_eq!(rankings(&program), Vec::<String>::new());
}

/// Imports ballots, exports them in a form, imports that elsewhere, and compares.
#[track_caller]
fn round_trip(content: &str, format: &str) {
    let (one, other) = (Program::with_open_round(), Program::with_open_round());
    import(&one, content).is(0);
    let file = one.run(&["export", "--round", "liten", "--what", "ballots", "--format", format]).is(0).out;
    import(&other, &file).is(0);
    let told = |program: &Program| -> Vec<Value> {
        let told = |ballot: &Value| {
            json!([ballot["participantCode"], ballot["ranking"], ballot["reference"], ballot["comment"]])
        };
        ballots(program).iter().map(told).collect()
    };
    assert_eq!(told(&one).len(), content.lines().filter(|line| line.contains(",ett,")).count(), "{file}");
    assert_eq!(told(&one), told(&other), "{file}");
}

const COMMENTED: &str = "\
participantCode,rank1,rank2,rank3,reference,comment
0180,ett,tva,tre,KS 2026/12,\"Gärna, men \"\"snart\"\"; eller?\"
0980,tva,ett,,=1+1,-
1280,fyra,ett,tva,@kommun,+46 8 000
2584,tva,ett,,5/6,3-4
";

#[test]
fn our_own_csv_reads_back() {
    round_trip(COMMENTED, "csv");
}

#[test]
fn the_mark_of_made_up_ballots_survives_excel() {
    let file = "participantCode,rank1,rank2,rank3,synthetic\n0180,ett,tva,tre,SANT\n0980,ett,tva,tre,TRUE\n1280,ett,tva,tre,FALSKT\n";
    let program = Program::with_open_round();
    import(&program, file).is(0);
    let said = program.run(&["export", "--round", "liten"]).is(0);
    assert!(said.out.contains("\"syntheticBallots\":2"), "{}", said.out);
    assert_eq!(refused(file.replace("FALSKT", "maybe")), ["ballots.csv:4:5 synthetic"]);
}

#[test]
fn our_own_excel_csv_reads_back() {
    round_trip(COMMENTED, "excel-csv");
}

#[test]
fn a_comment_that_begins_with_an_apostrophe_reads_back() {
    // One apostrophe is the mark, the other begins the comment.
    round_trip("participantCode,rank1,rank2,rank3,comment\n0180,tva,ett,,''t var bra\n", "csv");
    round_trip("participantCode,rank1,rank2,rank3,comment\n0180,tva,ett,,''t var bra\n", "excel-csv");
}
