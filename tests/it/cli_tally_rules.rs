//! `handslag tally` beyond points: every rule of the table, several at once, groups and weights, and the explanations.
//!
//! The explanations are snapshots to be read: a municipality should be able to follow each with the nine ballots.

use std::io::Write;

use handslag::tally::{PARAMETERS, rules};
use serde_json::Value;

use crate::cli_tally::CONFORMANCE;
use crate::program::{Program, Ran};

/// The same nine ballots by municipality.
const BALLOTS: &str = "\
participantCode,rank1,rank2,rank3
0001,d,b,f
0002,f,d,b
0003,b,d,c
0004,e,a,b
0005,e,a,b
0006,c,a,b
0007,f,a,c
0008,e,c,f
0009,a,d,b
";

/// Ten on the roll, one without a county and one that has not answered.
const ROLL: &str = "\
code,name,population,county,votes
0001,Ett,100,01,1
0002,Två,400,01,1/2
0003,Tre,900,01,2
0004,Fyra,1600,01,1
0005,Fem,2500,02,1
0006,Sex,3600,02,1
0007,Sju,4900,02,1
0008,Åtta,2,03,1
0009,Nio,8100,,1
0010,Tio,10000,03,1
";

fn tally(arguments: &[&str]) -> Ran {
    let program = Program::new();
    program.write("ballots.csv", CONFORMANCE);
    program.run(&[&["tally", "ballots.csv"], arguments].concat())
}

fn with_roll(arguments: &[&str]) -> Ran {
    let program = Program::new();
    program.write("ballots.csv", BALLOTS);
    program.write("roll.csv", ROLL);
    program.run(&[&["tally", "ballots.csv", "--roll", "roll.csv"], arguments].concat())
}

fn explained(arguments: &[&str]) -> String {
    let out = tally(&[arguments, &["--explain", "--lang", "en"]].concat()).is(0).out;
    // The duels are the same for every pairwise rule.
    let duels = |line: &&str| line.starts_with("  ") && line.contains('–');
    out.lines().filter(|line| !duels(line)).collect::<Vec<&str>>().join("\n")
}

#[test]
fn the_duels_and_copeland_are_explained() {
    let out = tally(&["--rule", "copeland", "--explain", "--lang", "en"]).is(0).out;
    insta::assert_snapshot!(out, @r"
    copeland: Copeland
    Every duel won gives 1 point, a draw ½; the largest sum first.
    9 ballots are counted.

    Every duel, counted from the one in the row:
      a: +b 5–3; +d 5–3; =f 4–4; =e 3–3; +c 4–3
      b: −a 3–5; +d 4–3; +f 6–3; +e 5–3; +c 6–3
      d: −a 3–5; −b 3–4; =f 3–3; +e 4–3; +c 4–3
      f: =a 4–4; −b 3–6; =d 3–3; =e 3–3; =c 3–3
      e: =a 3–3; −b 3–5; −d 3–4; =f 3–3; =c 3–3
      c: −a 3–4; −b 3–6; −d 3–4; =f 3–3; =e 3–3
    Beats all others (Condorcet winner): –. The Smith set: a, b, c, d, e, f.

    a: 3 won, 2 drawn, 0 lost = 4
    b: 4 won, 0 drawn, 1 lost = 4
    d: 2 won, 1 drawn, 2 lost = 5/2
    f: 0 won, 4 drawn, 1 lost = 2
    e: 0 won, 3 drawn, 2 lost = 3/2
    c: 0 won, 2 drawn, 3 lost = 1

    Tied: a, b; told apart by the step head-to-head.
    ");
}

#[test]
fn points_are_explained() {
    insta::assert_snapshot!(explained(&["--rule", "dowdall"]), @r"
    dowdall: Dowdall
    Rank j gives 1/j points; the unranked get 0.
    9 ballots are counted.

    b: 1·1 + 1·1/2 + 5·1/3 = 19/6
    a: 1·1 + 4·1/2 = 3
    e: 3·1 = 3
    f: 2·1 + 2·1/3 = 8/3
    d: 1·1 + 3·1/2 = 5/2
    c: 1·1 + 1·1/2 + 2·1/3 = 13/6
    (number at the rank · points of the rank, in the order of ranks)

    Tied: a, e; told apart by the step listed.
    ");
}

#[test]
fn chains_and_locked_defeats_are_explained() {
    insta::assert_snapshot!(explained(&["--rule", "minimax", "--strength", "margins"]), @r"
    minimax: Minimax
    Whoever's worst duel is the least bad comes first; the strength says what is measured.
    9 ballots are counted.

    Every duel, counted from the one in the row:
    Beats all others (Condorcet winner): –. The Smith set: a, b, c, d, e, f.

    a: 0 in its worst duel
    b: 2 in its worst duel
    d: 2 in its worst duel
    e: 2 in its worst duel
    f: 3 in its worst duel
    c: 3 in its worst duel

    Tied: b, d, e; told apart by the step head-to-head; it decides who is in the top.
    Tied: f, c; told apart by the step first-places.
    ");
    insta::assert_snapshot!(explained(&["--rule", "ranked-pairs", "--strength", "margins"]), @r"
    ranked-pairs: Ranked pairs
    Duels are locked from the strongest down, but for those that would close a circle with locked ones; the unbeaten are taken away in turn.
    9 ballots are counted.

    Every duel, counted from the one in the row:
    Beats all others (Condorcet winner): –. The Smith set: a, b, c, d, e, f.

    The defeats from the strongest:
      b > f (3): locked
      b > c (3): locked
      a > b (2): locked
      a > d (2): locked
      b > e (2): locked
      a > c (1): locked
      b > d (1): locked
      d > e (1): locked
      d > c (1): locked

    Tied: f, d; told apart by the step first-places; it decides who is in the top.
    Tied: c, e; told apart by the step listed.
    ");
    insta::assert_snapshot!(explained(&["--rule", "kemeny"]), @r"
    kemeny: Kemeny
    The order of all initiatives that agrees with the most pairwise comparisons on the ballots.
    9 ballots are counted.

    Every duel, counted from the one in the row:
    Beats all others (Condorcet winner): –. The Smith set: a, b, c, d, e, f.

    The best order agrees with 62 pairwise comparisons; 8 orders do.
      a > b > d > f > e > c
      a > b > d > f > c > e
      a > b > d > e > f > c
      a > b > d > e > c > f
      a > b > d > c > f > e
      a > b > d > c > e > f
      a > b > f > d > e > c
      a > b > f > d > c > e

    Tied: d, f, e, c; told apart by the step head-to-head; it decides who is in the top.
    ");
}

#[test]
fn rounds_are_explained() {
    insta::assert_snapshot!(explained(&["--rule", "bucklin"]), @r"
    bucklin: Bucklin
    First places are counted, then first and second, and so on until somebody has more than half; all are ordered by the count there.
    9 ballots are counted.

    Ranks 1 to 1:
      a 1; d 1; e 3; b 1; f 2; c 1
    Ranks 1 to 2:
      a 5; d 4; e 3; b 2; f 2; c 2
    At rank 2 somebody has more than half (9/2); the count there decides.

    Tied: b, f, c; told apart by the step first-places.
    ");
    insta::assert_snapshot!(explained(&["--rule", "irv"]), @r"
    irv: Instant runoff (IRV)
    Every ballot counts for its first initiative still in; the one with the fewest leaves, until one is left.
    9 ballots are counted.

    Round 1:
      a 1; b 1; c 1; d 1; e 3; f 2
      c leaves (equally few: a, b, c, d; decided by first-places)
    Round 2:
      a 2; b 1; d 1; e 3; f 2
      d leaves (equally few: b, d; decided by listed)
    Round 3:
      a 2; b 2; e 3; f 2
      b leaves (equally few: a, b, f; decided by earlier-count)
    Round 4:
      a 2; e 3; f 3
      with no pick left: 1
      a leaves
    Round 5:
      e 3; f 3
      with no pick left: 3
      f leaves (equally few: e, f; decided by earlier-count)
    Round 6:
      e 3
      with no pick left: 6
      here somebody has more than half of those that count

    Tied: b, a, d, c; told apart by the step first-places; it decides who is in the top.
    Tied: b, d; told apart by the step listed; it decides who is in the top.
    Tied: f, a, b; told apart by the step earlier-count; it decides who is in the top.
    Tied: e, f; told apart by the step earlier-count.
    ");
}

#[test]
fn stages_are_explained_in_swedish() {
    let arguments = ["--rule", "stv", "--seats", "2", "--lot", "a,b,c,d,e,f", "--explain"];
    insta::assert_snapshot!(tally(&arguments).is(0).out, @r"
    stv: Enkel överförbar röst (STV)
    Ett antal platser, var och en för en kvot av röster; det som är över kvoten och det som de uteslutna lämnar flyttas till nästa val.
    9 prioriteringar räknas.

    2 platser, kvot 4.
    Steg 1: förstaplatser
      a 1; b 1; c 1; d 1; e 3; f 2
    Steg 2: d utesluts (lika: a, b, c, d; avgjort av lot)
      a 1; b 2; c 1; d 0; e 3; f 2
    Steg 3: c utesluts (lika: a, c; avgjort av lot)
      a 2; b 2; c 0; d 0; e 3; f 2
    Steg 4: a utesluts (lika: f, b, a; avgjort av earlier-count)
      a 0; b 4; c 0; d 0; e 3; f 2
      invalda: b
    Steg 5: f utesluts
      a 0; b 4; c 0; d 0; e 3; f 0
      hos ingen: 2
    Steg 6: så många är kvar som det finns platser
      a 0; b 4; c 0; d 0; e 3; f 0
      hos ingen: 2
      invalda: e

    Lika: a, b, c, d; skilda åt av steget lot; det avgör vilka som är i toppen.
    Lika: a, c; skilda åt av steget lot.
    Lika: f, b, a; skilda åt av steget earlier-count; det avgör vilka som är i toppen.
    ");
}

#[test]
fn portfolios_are_explained() {
    insta::assert_snapshot!(explained(&["--rule", "equal-shares", "--seats", "3"]), @r"
    equal-shares: Equal shares
    Every ballot gets the same money; initiatives are bought by those who list them, in equal parts. Empty seats are filled by Phragmén.
    9 ballots are counted.

    1. b (1/7)
    2. a (5/21)
    3. f filled in by Phragmén (1/21)
    Optimal portfolios: 1
      {b, a, f}
    Published: {b, a, f}
    Covers 9, 7 of them with two picks or more.
      only by b: 1
      only by a: 0
      only by f: 1
    The most that 1, 2, 3 … initiatives can cover: 7, 9, 9, 9, 9, 9
    Fair to every group (EJR+): yes.
    ");
    insta::assert_snapshot!(explained(&["--rule", "leximax-phragmen", "--seats", "2"]), @r"
    leximax-phragmen: Leximax Phragmén
    The portfolio whose loads can be spread so that the largest are as small as possible.
    9 ballots are counted.

    The rule's value: 1/4
      load 1/4 for 4
      load 1/5 for 5
    Optimal portfolios: 2
      {b, f}
      {b, c}
    Published: {b, f}
    Covers 9, 2 of them with two picks or more.
      only by b: 5
      only by f: 2
    The most that 1, 2, 3 … initiatives can cover: 7, 9, 9, 9, 9, 9
    Fair to every group (EJR+): yes.

    Tied: f, c; told apart by the step first-places; it decides who is in the top.
    ");
}

#[test]
fn the_help_names_every_rule_and_parameter_of_the_table() {
    let help = Program::new().run(&["tally", "--help"]).is(0).out;
    for rule in rules(1) {
        assert!(help.contains(&rule.id()), "{}", rule.id());
    }
    for parameter in &PARAMETERS {
        let option = match parameter.name {
            "eitherOr" => "--either-or".to_owned(),
            name => format!("--{name}"),
        };
        assert!(help.contains(&format!("{option} <")), "{option}");
    }
}

#[test]
fn all_rules_are_counted_at_once_and_those_that_cannot_be_are_named() {
    let ran = tally(&["--rule", "all", "--format", "json"]).is(0);
    let documents = ran.json();
    let counted: Vec<&str> = documents
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document["rule"]["id"].as_str().unwrap())
        .collect();
    let all: Vec<String> = rules(3).map(|rule| rule.id()).collect();
    for id in &all {
        let left_out = ran.err.lines().any(|line| line.starts_with(&format!("{id}: ")));
        assert!(left_out != counted.contains(&&**id), "{id}: {}", ran.err);
    }
    // Four have one first place each, and no lot was drawn.
    assert!(ran.err.contains("stv: --ladder: undecided") && ran.err.contains("a, b, c, d"), "{}", ran.err);
    assert_eq!(counted.len() + 2, all.len(), "custom lacks points, stv a lot");
}

#[test]
fn several_rules_make_one_table() {
    let out =
        tally(&["--rule", "approval-1", "--rule", "coverage", "--seats", "2", "--format", "csv"]).is(0).out;
    insta::assert_snapshot!(out.replace('\r', ""), @r"
    rule,rank,resolvedRank,initiativeId,title,score,scoreDecimal,listed,listedShare,rank1,rank2,rank3,selected
    approval-1,1,1,e,e,3,3.0,3,1/3,3,0,0,
    approval-1,2,2,f,f,2,2.0,4,4/9,2,0,2,
    approval-1,3,3,b,b,1,1.0,7,7/9,1,1,5,
    approval-1,3,4,a,a,1,1.0,5,5/9,1,4,0,
    approval-1,3,5,d,d,1,1.0,4,4/9,1,3,0,
    approval-1,3,6,c,c,1,1.0,4,4/9,1,1,2,
    coverage,1,1,b,b,,,7,7/9,1,1,5,true
    coverage,1,1,f,f,,,4,4/9,2,0,2,true
    coverage,3,3,a,a,,,5,5/9,1,4,0,false
    coverage,3,3,d,d,,,4,4/9,1,3,0,false
    coverage,3,3,c,c,,,4,4/9,1,1,2,false
    coverage,3,3,e,e,,,3,1/3,3,0,0,false
    ");
    let lines = tally(&["--rule", "linear", "--rule", "schulze", "--format", "excel-csv"]).is(0).out;
    assert!(lines.starts_with("\u{feff}Räkneregel;Placering;"), "{lines}");
}

#[test]
fn the_table_for_people_marks_ties() {
    insta::assert_snapshot!(tally(&["--format", "table", "--top", "3"]).is(0).out, @r"
    linear · Linjär poäng · 9 prioriteringar, toppen är 3
    #  Initiativ  Poäng  Valt av
    1  a             11        5
    2  b             10        7
    3  d              9        4 =
    4  e              9        3 =
    5  f              8        4
    6  c              7        4
    = d = e: skilda åt av listed; avgör vilka som är i toppen
    ");
}

#[test]
fn ballots_come_packed_or_from_standard_input() {
    let program = Program::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(CONFORMANCE.as_bytes()).unwrap();
    program.write("ballots", packed.finish().unwrap());
    let out = program.run(&["tally", "ballots"]).is(0).out;
    assert_eq!(out, tally(&[]).is(0).out);
    program.write("ballots.csv", CONFORMANCE);
    program.run(&["convert", "ballots.csv", "ballots.toc"]).is(0);
    let document =
        program.run(&["tally", "ballots.toc", "--rule", "schulze", "--format", "json"]).is(0).json();
    assert_eq!(document["standings"][0]["initiativeId"], "1");
    assert_eq!(document["pairwise"]["matrix"]["1"]["2"], "5");
}

#[test]
fn groups_of_a_roll_add_up() {
    let document = with_roll(&["--group-by", "county", "--format", "json"]).is(0).json();
    assert_eq!((&document["eligible"], &document["counted"]), (&Value::from(10), &Value::from(9)));
    let groups = document["groups"].as_array().unwrap();
    let told: Vec<(&str, u64, u64)> = groups
        .iter()
        .map(|g| {
            let number = |name: &str| g[name].as_u64().unwrap();
            (g["group"].as_str().unwrap(), number("eligible"), number("counted"))
        })
        .collect();
    assert_eq!(told, [("county:", 1, 1), ("county:01", 4, 4), ("county:02", 3, 3), ("county:03", 2, 1)]);
    let score = |document: &Value, id: &str| -> u64 {
        let standings = document["standings"].as_array().unwrap();
        let standing = standings.iter().find(|standing| standing["initiativeId"] == id).unwrap();
        standing["score"].as_str().unwrap().parse().unwrap()
    };
    for id in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(groups.iter().map(|group| score(group, id)).sum::<u64>(), score(&document, id), "{id}");
    }
    let one = with_roll(&["--group", "county:02", "--format", "json"]).is(0).json();
    assert_eq!(one["standings"], groups[2]["standings"]);
    let table = with_roll(&["--group-by", "county", "--format", "csv"]).is(0).out;
    assert_eq!(table.lines().count(), 1 + 4 * 6);
    assert!(table.starts_with("group,eligible,counted,rank,"), "{table}");
}

#[test]
fn weights_are_exact_and_heads_stay_heads() {
    let document =
        with_roll(&["--weights", "votes", "--rule-set", "prov/1", "--format", "json"]).is(0).json();
    let d =
        document["standings"].as_array().unwrap().iter().find(|s| s["initiativeId"] == "d").unwrap().clone();
    // 1·3 + 1/2·2 + 2·2 + 1·2
    assert_eq!((&d["score"], &d["listed"], &d["listedWeight"]), (&"10".into(), &4.into(), &"9/2".into()));
    assert_eq!(document["rule"]["ruleSet"], "prov/1+weights=votes");
    assert_eq!((&document["counted"], &document["countedWeight"]), (&9.into(), &"19/2".into()));
    // The square root of 2 on the grid of a thousand-millionth.
    let root =
        with_roll(&["--weights", "sqrt-population", "--group", "county:03", "--format", "json"]).is(0).json();
    assert_eq!(root["countedWeight"], "707106781/500000000");
    let refused = with_roll(&["--weights", "sqrt-population", "--rule", "stv", "--lot", "a,b,c,d,e,f"]).is(1);
    assert_eq!(refused.faults(), ["--weights not-whole"]);
    let refused = with_roll(&["--weights", "county"]).is(1);
    assert!(
        refused.err.contains("1 of 10 participants have no such weight, the first 0009"),
        "{}",
        refused.err
    );
}

#[test]
fn who_is_not_on_the_roll_is_named() {
    let program = Program::new();
    program.write("ballots.csv", "participantCode,rank1\n0001,a\n0099,b\n");
    program.write("roll.csv", ROLL);
    let refused = program.run(&["tally", "ballots.csv", "--roll", "roll.csv"]).is(1);
    assert_eq!(refused.faults(), ["0099 not-on-roll"]);
    program.write("ballots.csv", CONFORMANCE);
    let refused = program.run(&["tally", "ballots.csv", "--roll", "roll.csv"]).is(1);
    assert!(refused.err.contains("do not say whose they are"), "{}", refused.err);
}

#[test]
fn a_portfolio_names_whom_it_leaves_out() {
    let arguments = ["--rule", "approval", "--seats", "1", "--format", "json"];
    let portfolio = with_roll(&arguments).is(0).json()["portfolio"].clone();
    assert_eq!(portfolio["selected"], serde_json::json!(["b"]));
    assert_eq!(portfolio["uncovered"], serde_json::json!(["0007", "0008"]));
    let constrained =
        with_roll(&[&arguments[..], &["--exclude", "b", "--budget", "1,a:2,b:0,c:1,d:1,e:1,f:1"]].concat())
            .is(0)
            .json();
    assert_eq!(constrained["portfolio"]["optima"]["listed"].as_array().unwrap().len(), 3, "c, d and f");
}

#[test]
fn a_rule_that_was_named_is_not_left_out_without_a_word() {
    let ran = tally(&["--rule", "linear", "--rule", "custom", "--format", "json"]).is(1);
    assert_eq!(ran.json().as_array().unwrap().len(), 1, "a list, though one rule alone could be counted");
    assert!(ran.err.contains("custom: --points"), "{}", ran.err);
    let ran = tally(&["--rule", "linear", "--rule", "nosuch", "--format", "csv"]).is(1);
    assert!(ran.err.contains("nosuch: --rule: unknown-rule") && ran.out.starts_with("rule,"), "{}", ran.err);
}

#[test]
fn the_step_that_is_named_chooses_the_portfolio_that_is_published() {
    // By listing alone it would be C and D: the step that is named must have led to A and B.
    let ballots = "rank1,rank2,rank3\nd,b,\nb,c,\na,c,\nc,a,d\na,d,\n";
    let program = Program::new();
    program.write("ballots.csv", ballots);
    let by = |ladder: &[&str]| {
        let lot = [
            "tally",
            "ballots.csv",
            "--rule",
            "monroe",
            "--cut",
            "2",
            "--lot",
            "a,b,c,d",
            "--format",
            "json",
        ];
        program.run(&[&lot[..], ladder].concat()).is(0).json()
    };
    let all = by(&[]);
    let step = all["ties"][0]["resolvedBy"].as_str().unwrap();
    let steps = ["listed", "first-places", "head-to-head", "lot"];
    let up_to = steps[..=steps.iter().position(|known| *known == step).unwrap()].join(",");
    assert_eq!(by(&["--ladder", &up_to])["portfolio"]["selected"], all["portfolio"]["selected"], "{step}");
}

#[test]
fn few_portfolios_are_not_too_many_and_ties_without_end_are_refused() {
    let program = Program::new();
    let ids: Vec<String> = (10..74).map(|i| format!("c{i}")).collect();
    let ballots = |n: usize| format!("rank1\n{}\n", ids[..n].join("\n"));
    program.write("twenty.csv", ballots(20));
    program.run(&["tally", "twenty.csv", "--rule", "monroe", "--cut", "19"]).is(0);
    program.write("many.csv", ballots(64));
    let refused = program.run(&["tally", "many.csv", "--rule", "coverage", "--cut", "5"]).is(1);
    assert_eq!(refused.faults(), ["--seats too-large"]);
    let cut_short =
        program.run(&["tally", "many.csv", "--rule", "equal-shares", "--cut", "30", "--format", "json"]);
    assert_eq!(cut_short.is(0).json()["portfolio"]["optima"]["complete"], false);
}
