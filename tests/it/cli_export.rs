//! `handslag export`: a round's result, ballots and participation as documents and tables.
//!
//! Three of four municipalities have answered: Stockholm ett, tva, tre; Gotland tva, ett; Malmö tva. With 3, 2 and 1
//! points tva has 2 + 3 + 3, ett 3 + 2, tre 1.

use serde_json::{Value, json};

use crate::program::{Program, Ran};

const BALLOTS: &str = "\
participantCode,rank1,rank2,rank3,reference,comment
0180,ett,tva,tre,KS 2026/12,\"Gärna; \"\"snart\"\".\"
0980,tva,ett,,,=1+1
1280,tva,,,,
";

fn answered() -> Program {
    let program = Program::with_open_round();
    program.write("ballots.csv", BALLOTS);
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    program
}

fn export(program: &Program, arguments: &[&str]) -> Ran {
    program.run(&[&["export", "--round", "liten"], arguments].concat())
}

/// A table with LF, the times of acceptance taken out: they are the only thing that differs between runs.
#[track_caller]
fn table(program: &Program, arguments: &[&str]) -> String {
    let out = export(program, arguments).is(0).out;
    assert_eq!(out.matches("\r\n").count(), out.matches('\n').count(), "lines end in CRLF");
    let now = out.split([',', ';']).find(|cell| cell.len() == 27 && cell.ends_with('Z'));
    now.map_or_else(|| out.clone(), |now| out.replace(now, "[accepted]")).replace('\r', "")
}

#[test]
fn the_result_is_a_document_of_the_round() {
    let program = answered();
    let ran = export(&program, &[]).is(0);
    let result = ran.json();
    for (member, expected) in [
        ("roundId", json!("liten")),
        ("status", json!("provisional")),
        ("sequence", json!(4)),
        ("eligible", json!(4)),
        ("counted", json!(3)),
        ("share", json!("3/4")),
        ("syntheticBallots", json!(0)),
        ("cut", json!(2)),
        ("ties", json!([])),
        (
            "rule",
            json!({ "id": "linear", "ruleSet": "liten/1", "parameters": { "points": ["3", "2", "1"] } }),
        ),
    ] {
        assert_eq!(result[member], expected, "{member}");
    }
    let row = |standing: &Value| {
        json!([
            standing["initiativeId"],
            standing["rank"],
            standing["score"],
            standing["listedShare"],
            standing["rankCounts"]
        ])
    };
    let rows: Vec<Value> = result["standings"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        rows,
        [
            json!(["tva", 1, "8", "1", [2, 1, 0]]),
            json!(["ett", 2, "5", "2/3", [1, 1, 0]]),
            json!(["tre", 3, "1", "1/3", [0, 0, 1]]),
            json!(["fyra", 4, "0", "0", [0, 0, 0]]),
        ]
    );
    assert_eq!(result["logHead"], program.round()["logHead"]);
    let own = "http://127.0.0.1:8080/handslag/v1/rounds/liten/results";
    assert_eq!(result["_links"][0], json!({ "rel": "self", "href": own, "method": "GET" }));
    // The same state gives the same bytes.
    assert_eq!(export(&program, &[]).is(0).out, ran.out);
}

#[test]
fn the_status_follows_the_round() {
    let program = answered();
    for (step, status) in [("close", "provisional"), ("certify", "certified"), ("correct", "corrected")] {
        program.run(&["round", step, "liten"]).is(0);
        assert_eq!(export(&program, &[]).is(0).json()["status"], status);
    }
}

#[test]
fn the_result_is_a_table_in_two_languages() {
    let program = answered();
    insta::assert_snapshot!(table(&program, &["--format", "csv"]), @r"
    rank,resolvedRank,initiativeId,title,score,scoreDecimal,listed,listedShare,rank1,rank2,rank3
    1,1,tva,Två,8,8.0,3,1,2,1,0
    2,2,ett,Ett,5,5.0,2,2/3,1,1,0
    3,3,tre,Tre,1,1.0,1,1/3,0,0,1
    4,4,fyra,Fyra,0,0.0,0,0,0,0,0
    ");
    let english = table(&program, &["--format", "csv", "--lang", "en"]);
    assert_eq!(english.lines().nth(1), Some("1,1,tva,Two,8,8.0,3,1,2,1,0"));
}

#[test]
fn another_rule_says_so_in_the_document_and_its_address() {
    let program = answered();
    let result = export(&program, &["--rule", "dowdall", "--picks", "2", "--ladder", "none"]).is(0).json();
    assert_eq!(
        result["rule"],
        json!({ "id": "dowdall", "ruleSet": "liten/1", "parameters": { "points": ["1", "1/2"], "picks": 2, "ladder": [] } })
    );
    let address = result["_links"][0]["href"].as_str().unwrap();
    assert!(address.ends_with("/results?rule=dowdall&picks=2&ladder=none"), "{address}");
    // tva 1/2 + 1 + 1, ett 1 + 1/2; the third rank is not read.
    let scores: Vec<&str> =
        result["standings"].as_array().unwrap().iter().map(|s| s["score"].as_str().unwrap()).collect();
    assert_eq!(scores, ["5/2", "3/2", "0", "0"]);
    let refused = export(&program, &["--rule", "approval-9"]).is(1);
    assert_eq!(refused.faults(), ["--rule parameter"]);
}

#[test]
fn ballots_are_a_table_that_imports_read() {
    let program = answered();
    insta::assert_snapshot!(table(&program, &["--what", "ballots", "--format", "csv"]), @r#"
    participantCode,rank1,rank2,rank3,reference,comment,revision,sequence,acceptedAt,synthetic
    0180,ett,tva,tre,KS 2026/12,"Gärna; ""snart"".",1,2,[accepted],false
    0980,tva,ett,,,=1+1,1,3,[accepted],false
    1280,tva,,,,,1,4,[accepted],false
    "#);
}

#[test]
fn ballots_for_excel_keep_zeros_and_run_nothing() {
    let program = answered();
    let out = table(&program, &["--what", "ballots", "--format", "excel-csv"]);
    insta::assert_snapshot!(out.strip_prefix('\u{feff}').unwrap(), @r#"
    Kod;Plats 1;Plats 2;Plats 3;Diarienummer;Kommentar;Version;Löpnummer;Mottagen;Syntetisk
    '0180;ett;tva;tre;KS 2026/12;"Gärna; ""snart"".";1;2;[accepted];false
    '0980;tva;ett;;;'=1+1;1;3;[accepted];false
    '1280;tva;;;;;1;4;[accepted];false
    "#);
}

#[test]
fn references_for_excel_do_not_become_dates() {
    let program = Program::with_open_round();
    program.write("ballots.csv", "participantCode,rank1,reference,comment\n0180,ett,5/6,3-4\n");
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    let out = table(&program, &["--what", "ballots", "--format", "excel-csv"]);
    assert!(out.contains(";'5/6;'3-4;"), "{out}");
}

#[test]
fn ballots_are_lines_of_json_with_their_texts() {
    let program = answered();
    let out = export(&program, &["--what", "ballots", "--format", "ndjson"]).is(0).out;
    let ballots: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ballots.len(), 3);
    assert_eq!(ballots[0]["ranking"], json!(["ett", "tva", "tre"]));
    assert_eq!(ballots[0]["reference"], "KS 2026/12");
    assert_eq!(ballots[1]["comment"], "=1+1");
    assert_eq!(ballots[2]["reference"], Value::Null);
    // Without a form asked for it is the same: a list of all would be a list without pages.
    assert_eq!(export(&program, &["--what", "ballots"]).is(0).out, out);
}

#[test]
fn participation_counts_every_group_and_names_the_missing() {
    let program = answered();
    let participation = export(&program, &["--what", "participation"]).is(0).json();
    assert_eq!((&participation["eligible"], &participation["answered"]), (&json!(4), &json!(3)));
    assert_eq!(participation["share"], "3/4");
    assert_eq!(participation["missing"], json!([{ "code": "2584", "name": "Kiruna" }]));
    let counties = &participation["groups"][0];
    assert_eq!((&counties["column"], &counties["titleSv"]), (&json!("county"), &json!("Län")));
    let row = |value: &Value| json!([value["key"], value["titleSv"], value["eligible"], value["answered"]]);
    let rows: Vec<Value> = counties["values"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        rows,
        [
            json!(["county:01", "Stockholms län", 1, 1]),
            json!(["county:09", "Gotlands län", 1, 1]),
            json!(["county:12", "Skåne län", 1, 1]),
            json!(["county:25", "Norrbottens län", 1, 0]),
        ]
    );
    let days = participation["overTime"].as_array().unwrap();
    assert_eq!((days.len(), &days[0]["answered"]), (1, &json!(3)));
}

#[test]
fn participation_is_a_table_of_groups() {
    let program = answered();
    insta::assert_snapshot!(table(&program, &["--what", "participation", "--format", "csv"]), @r"
    column,value,title,eligible,answered,share
    county,01,Stockholms län,1,1,1
    county,09,Gotlands län,1,1,1
    county,12,Skåne län,1,1,1
    county,25,Norrbottens län,1,0,0
    ");
    let excel = table(&program, &["--what", "participation", "--format", "excel-csv", "--lang", "en"]);
    insta::assert_snapshot!(excel.strip_prefix('\u{feff}').unwrap(), @r"
    Indelning;Värde;Grupp;Tillfrågade;Svarat;Andel
    Län;'01;Stockholm County;1;1;1
    Län;'09;Gotland County;1;1;1
    Län;'12;Skåne County;1;1;1
    Län;'25;Norrbotten County;1;0;0
    ");
}

#[test]
fn nobody_has_answered_and_everything_can_be_exported() {
    let program = Program::with_open_round();
    let result = export(&program, &[]).is(0).json();
    assert_eq!((&result["counted"], &result["share"]), (&json!(0), &json!("0")));
    // All four tie at nothing, across the cut of two.
    assert_eq!(result["ties"][0]["tieMatters"], true);
    assert_eq!(result["ties"][0]["initiativeIds"].as_array().unwrap().len(), 4);
    assert_eq!(export(&program, &["--what", "ballots", "--format", "ndjson"]).is(0).out, "");
    assert_eq!(table(&program, &["--what", "ballots", "--format", "csv"]).lines().count(), 1);
    let participation = export(&program, &["--what", "participation"]).is(0).json();
    assert_eq!(participation["missing"].as_array().unwrap().len(), 4);
}

#[test]
fn forms_that_something_does_not_have_are_refused() {
    let program = answered();
    for what in ["results", "participation"] {
        let refused = export(&program, &["--what", what, "--format", "ndjson"]).is(1);
        assert_eq!(refused.err, format!("--format: {what} are written as json, csv, excel-csv\n"));
        assert_eq!(refused.out, "");
    }
}

#[test]
fn an_export_and_a_tally_of_the_ballots_give_the_same_table() {
    let program = answered();
    let ballots = export(&program, &["--what", "ballots", "--format", "csv"]).is(0).out;
    program.write("exported.csv", ballots);
    for rule in ["linear", "modified-borda", "borda-average", "dowdall", "approval-2"] {
        let of_file = program.run(&[
            "tally",
            "exported.csv",
            "--initiatives",
            "initiatives.csv",
            "--cut",
            "2",
            "--rule",
            rule,
        ]);
        assert_eq!(
            of_file.is(0).out,
            export(&program, &["--format", "csv", "--rule", rule]).is(0).out,
            "{rule}"
        );
    }
}
