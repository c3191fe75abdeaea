//! `handslag tally`: files of ballots in, the table and the document of results out, without a database.
//!
//! The snapshots are of the nine ballots of the conformance vector, whose figures are counted by hand in
//! `tally_rules.rs`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::program::{Program, Ran, repository};

/// DBF FDB BDC EAB EAB CAB FAC ECF ADB.
pub(crate) const CONFORMANCE: &str = "\
count,rank1,rank2,rank3
1,d,b,f
1,f,d,b
1,b,d,c
2,e,a,b
1,c,a,b
1,f,a,c
1,e,c,f
1,a,d,b
";

fn tally(content: &str, arguments: &[&str]) -> Ran {
    let program = Program::new();
    program.write("ballots.csv", content);
    program.run(&[&["tally", "ballots.csv"], arguments].concat())
}

/// `b 19/6, a 3, …` in resolved order.
#[track_caller]
fn scores(ran: Ran) -> String {
    let document = ran.is(0).json();
    let told = |standing: &Value| {
        format!("{} {}", standing["initiativeId"].as_str().unwrap(), standing["score"].as_str().unwrap())
    };
    document["standings"].as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_table_has_ranks_exact_scores_and_counts() {
    let out = tally(CONFORMANCE, &["--rule", "dowdall"]).is(0).out;
    assert!(out.ends_with("\r\n") && out.matches("\r\n").count() == out.matches('\n').count());
    insta::assert_snapshot!(out.replace('\r', ""), @r"
    rank,resolvedRank,initiativeId,title,score,scoreDecimal,listed,listedShare,rank1,rank2,rank3
    1,1,b,b,19/6,3.166667,7,7/9,1,1,5
    2,2,a,a,3,3.0,5,5/9,1,4,0
    2,3,e,e,3,3.0,3,1/3,3,0,0
    4,4,f,f,8/3,2.666667,4,4/9,2,0,2
    5,5,d,d,5/2,2.5,4,4/9,1,3,0
    6,6,c,c,13/6,2.166667,4,4/9,1,1,2
    ");
}

#[test]
fn the_table_for_excel_is_swedish_with_decimal_commas() {
    let out = tally(CONFORMANCE, &["--rule", "dowdall", "--format", "excel-csv"]).is(0).out;
    let table = out.strip_prefix('\u{feff}').expect("a byte order mark, by which Excel knows UTF-8");
    insta::assert_snapshot!(table.replace('\r', ""), @r"
    Placering;Avgjord placering;Initiativ-id;Titel;Poäng;Poäng (decimal);Antal som valt;Andel som valt;Plats 1;Plats 2;Plats 3
    1;1;b;b;3,166667;3,166667;7;0,777778;1;1;5
    2;2;a;a;3;3,0;5;0,555556;1;4;0
    2;3;e;e;3;3,0;3;0,333333;3;0;0
    4;4;f;f;2,666667;2,666667;4;0,444444;2;0;2
    5;5;d;d;2,5;2,5;4;0,444444;1;3;0
    6;6;c;c;2,166667;2,166667;4;0,444444;1;1;2
    ");
}

#[test]
fn the_document_names_the_rule_and_tells_the_tie() {
    let document = tally(
        "rank1,rank2\na,b\nb,a\nc,\n",
        &["--format", "json", "--cut", "1", "--rule-set", "prov/1", "--ladder", "listed,first-places"],
    );
    let document = serde_json::to_string_pretty(&document.is(0).json()).unwrap();
    insta::assert_snapshot!(document, @r#"
    {
      "_links": [],
      "asOf": null,
      "counted": 3,
      "cut": 1,
      "eligible": null,
      "logHead": null,
      "roundId": null,
      "rule": {
        "id": "linear",
        "parameters": {
          "ladder": [
            "listed",
            "first-places"
          ],
          "points": [
            "2",
            "1"
          ]
        },
        "ruleSet": "prov/1"
      },
      "sequence": null,
      "share": null,
      "standings": [
        {
          "initiativeId": "a",
          "listed": 2,
          "listedShare": "2/3",
          "rank": 1,
          "rankCounts": [
            1,
            1
          ],
          "resolvedRank": 1,
          "score": "3",
          "scoreDecimal": 3.0
        },
        {
          "initiativeId": "b",
          "listed": 2,
          "listedShare": "2/3",
          "rank": 1,
          "rankCounts": [
            1,
            1
          ],
          "resolvedRank": 1,
          "score": "3",
          "scoreDecimal": 3.0
        },
        {
          "initiativeId": "c",
          "listed": 1,
          "listedShare": "1/3",
          "rank": 3,
          "rankCounts": [
            1,
            0
          ],
          "resolvedRank": 3,
          "score": "2",
          "scoreDecimal": 2.0
        }
      ],
      "status": "provisional",
      "syntheticBallots": 0,
      "ties": [
        {
          "initiativeIds": [
            "a",
            "b"
          ],
          "resolvedBy": null,
          "tieMatters": true
        }
      ]
    }
    "#);
}

#[test]
fn every_parameter_has_its_effect() {
    let count = |arguments: &[&str]| {
        scores(tally(CONFORMANCE, &[arguments, &["--format", "json", "--ladder", "none"]].concat()))
    };
    assert_eq!(count(&[]), "a 11, b 10, d 9, e 9, f 8, c 7");
    assert_eq!(count(&["--picks", "2"]), "a 6, e 6, d 5, f 4, b 3, c 3");
    assert_eq!(count(&["--rule", "approval-1"]), "e 3, f 2, a 1, b 1, c 1, d 1");
    assert_eq!(count(&["--rule", "custom", "--points", "4,3,2"]), "b 17, a 16, d 13, e 12, f 12, c 11");
    assert_eq!(
        count(&["--rule", "custom", "--points", "1,1/2,1/3"]),
        "b 19/6, a 3, e 3, f 8/3, d 5/2, c 13/6"
    );
    assert_eq!(count(&["--rule", "borda-average"]), "b 26, a 25, d 22, e 21, f 21, c 20");
}

#[test]
fn the_ladder_and_the_lot_order_what_is_tied() {
    let resolved = |arguments: &[&str]| {
        let ran = tally(CONFORMANCE, &[&["--rule", "approval-1", "--format", "json"], arguments].concat());
        let document = ran.is(0).json();
        let ties: Vec<Value> =
            document["ties"].as_array().unwrap().iter().map(|tie| tie["resolvedBy"].clone()).collect();
        let ids =
            document["standings"].as_array().unwrap().iter().map(|s| s["initiativeId"].as_str().unwrap());
        (ids.collect::<String>(), ties)
    };
    // One first place each for a, b, c and d, listed 5, 7, 4 and 4 times; d has more second places than c.
    assert_eq!(
        resolved(&["--ladder", "listed,first-places"]),
        ("efbadc".to_owned(), vec![json!("first-places")])
    );
    assert_eq!(
        resolved(&["--ladder", "lot", "--lot", "c,d,f,e,b,a"]),
        ("efcdba".to_owned(), vec![json!("lot")])
    );
    assert_eq!(resolved(&["--ladder", "lot"]), ("efabcd".to_owned(), vec![json!(null)]));
}

#[test]
fn all_forms_of_the_same_ballots_count_the_same() {
    let wide = "participantCode,rank1,rank2\n0180,a,b\n0980,b,\n1280,b,a\n";
    let long = "participantCode,rank,initiativeId\n0180,1,a\n0180,2,b\n0980,1,b\n1280,2,a\n1280,1,b\n";
    let counted = "count,rank1,rank2\n1,a,b\n1,b,\n1,b,a\n0,c,\n";
    let excel = "\u{feff}Kod;Plats 1;Plats 2\r\n'0180;a;b\r\n'0980;b;\r\n'1280;b;a\r\n";
    for content in [wide, long, excel] {
        assert_eq!(scores(tally(content, &["--format", "json", "--cut", "1"])), "b 5, a 3", "{content}");
    }
    // A row that stands for no ballot names a candidate all the same.
    assert_eq!(scores(tally(counted, &["--format", "json", "--cut", "1"])), "b 5, a 3, c 0");
}

#[test]
fn initiatives_give_titles_and_those_that_nobody_picked() {
    let program = Program::new();
    program.write("ballots.csv", "rank1,rank2\nvalfardsteknik,bestallarkraft\n");
    let initiatives = repository("fixtures/initiatives.csv");
    let out = program.run(&["tally", "ballots.csv", "--initiatives", &initiatives]).is(0).out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 14);
    assert_eq!(
        lines[1],
        "1,1,valfardsteknik,Delning och skalning av införande av välfärdsteknik,2,2.0,1,1,1,0"
    );
    assert_eq!(lines[2], "2,2,bestallarkraft,[Exempel] Samlad beställarkraft,1,1.0,1,1,0,1");
    assert!(lines[3].starts_with("3,3,identitet-behorighet,"), "{}", lines[3]);
    program.write("ballots.csv", "rank1\nvalfardsteknik\nvalfardstekink\n");
    let refused = program.run(&["tally", "ballots.csv", "--initiatives", &initiatives]).is(1);
    assert_eq!(refused.faults(), ["ballots.csv:3:1 unknown-initiative"]);
}

#[test]
fn numbered_candidates_stand_by_number() {
    let out = tally("count,rank1\n1,10\n1,9\n1,2\n", &["--ladder", "none"]).is(0).out;
    let ids: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert_eq!(ids, ["2", "9", "10"]);
}

#[test]
fn a_published_election_counts_as_other_programs_counted_it() {
    let folder = repository("fixtures/elections/rctab_portland_15");
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{folder}/expected.json")).unwrap()).unwrap();
    let exact = |score: &Value| score.as_str().map_or_else(|| score.to_string(), ToOwned::to_owned);
    for (rule, method) in
        [("borda-average", "borda_averaged"), ("dowdall", "dowdall"), ("approval-5", "approval_top5")]
    {
        let ran = Program::new().run(&[
            "tally",
            &format!("{folder}/ballots.csv"),
            "--rule",
            rule,
            "--format",
            "json",
        ]);
        let document = ran.is(0).json();
        let scores: BTreeMap<String, String> = document["standings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|standing| (exact(&standing["initiativeId"]), exact(&standing["score"])))
            .collect();
        let wanted = expected["methods"][method]["scores"].as_object().unwrap();
        let wanted: BTreeMap<String, String> =
            wanted.iter().map(|(id, score)| (id.clone(), exact(score))).collect();
        assert_eq!(scores, wanted, "{rule}");
        assert_eq!(document["counted"], 98);
    }
}

#[test]
fn what_does_not_fit_is_refused_by_the_name_of_the_option() {
    for (arguments, told) in [
        (&["--rule", "condorcet"][..], "--rule unknown-rule"),
        (&["--rule", "approval-4"], "--rule parameter"),
        (&["--rule", "custom"], "--points parameter"),
        (&["--points", "3,2,1"], "--points parameter"),
        (&["--rule", "custom", "--points", "3,2"], "--points parameter"),
        (&["--rule", "custom", "--points", "1,2,3"], "--points parameter"),
        (&["--rule", "custom", "--points", "3,1.5,1"], "--points parameter"),
        (&["--rule", "custom", "--points", "3,1/0,1"], "--points parameter"),
        (&["--picks", "0"], "--picks parameter"),
        (&["--picks", "7"], "--picks parameter"),
        (&["--ladder", "coin"], "--ladder parameter"),
        (&["--ladder", "listed,listed"], "--ladder parameter"),
        (&["--lot", "a,b,c"], "--lot "),
        (&["--lot", "a,b,c,d,e,e"], "--lot "),
        (&["--cut", "0"], "--cut "),
        (&["--cut", "7"], "--cut "),
    ] {
        let refused = tally(CONFORMANCE, arguments).is(1);
        assert_eq!((refused.faults(), refused.out.as_str()), (vec![told.to_owned()], ""), "{arguments:?}");
    }
    let all = tally(CONFORMANCE, &["--rule", "none", "--picks", "9", "--ladder", "x", "--points", "y"]).is(1);
    assert_eq!(all.faults().len(), 4, "{}", all.err);
}

#[test]
fn faulty_ballots_are_told_with_their_places() {
    let refused = tally("count,rank1,rank2\n1,a,a\nx,a,b\n1000000000001,a,b\n", &[]).is(1);
    assert_eq!(
        refused.faults(),
        ["ballots.csv:2:3 ranked-twice", "ballots.csv:3:1 count", "ballots.csv:4:1 count"]
    );
    let refused = tally("count,rank1,rank2\n1,a,a\n1,b,a\n1,b,b\n", &[]).is(1);
    assert_eq!(refused.faults(), ["ballots.csv:2:3 ranked-twice", "ballots.csv:4:3 ranked-twice"]);
    // Candidates of a file are called as the file calls them.
    assert!(tally("count,rank1\n1,Ängelholm\n", &[]).is(0).out.contains("1,1,Ängelholm,"));
}

#[test]
fn counts_are_exact_however_many_ballots_a_row_stands_for() {
    let content = "count,rank1,rank2,rank3\n1000000000000,a,b,c\n999999999999,b,a,c\n1000000000000,c,b,a\n";
    let points = ["--rule", "custom", "--points", "3,7/3,1/3", "--format", "json", "--cut", "1"];
    // a: 3e12 + 7/3 (1e12 - 1) + 1e12/3, in thirds 9e12 + 7e12 - 7 + 1e12; the others likewise.
    assert_eq!(scores(tally(content, &points)), "b 22999999999991/3, a 16999999999993/3, c 10999999999999/3");
}

#[test]
fn nothing_is_stored() {
    let program = Program::new();
    program.write("ballots.csv", CONFORMANCE);
    program.run(&["tally", "ballots.csv"]).is(0);
    assert!(!program.path("data").exists());
}
