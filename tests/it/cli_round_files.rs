//! Rounds in files: every fault at once, each with file, line and column, and nothing made of a faulty round.
//!
//! The columns of a CSV file are its fields, as a spreadsheet counts them; those of a TOML file are characters.

use crate::program::{INITIATIVES, PARTICIPANTS, Program, ROUND};

/// Creates a round from these three files, expects that it is refused, and gives place and code of the faults.
#[track_caller]
fn refused(definition: &str, initiatives: &str, participants: &str) -> Vec<String> {
    let program = Program::new();
    program.write("round.toml", definition);
    program.write("initiatives.csv", initiatives);
    program.write("participants.csv", participants);
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert_eq!(refused.out, "");
    assert!(!program.path("data").exists(), "a database was made for a round that is none");
    let faults = refused.faults();
    if faults.len() > 1 {
        let count = format!("handslag: {} faults; nothing was changed", faults.len());
        assert_eq!(refused.err.lines().last(), Some(&*count));
    }
    faults
}

#[test]
fn faults_of_all_three_files_are_told_at_once() {
    let definition = "id = \"Liten Omgång\"
titleSv = 7
opensAt = \"i morgon\"
closesAt = 2150-03-31T23:59:59+02:00
  cut = -1
ladder = [\"listed\", \"coin\"]
rule = \"condorcet\"
colour = \"blue\"
";
    let initiatives = "id,number,titleSv,titleEn,status
ett,1,Ett,One,documented
ett,one,Två,,documented
tre,1,Tre,Three,invented
";
    let participants = "code,name,population,weight
0180,Stockholm,995574,1
0180,Stockholm igen,,1/2
180,,many,0
";
    let mut expected = [
        "round.toml:1:6 id",
        "round.toml:1:1 titleEn",
        "round.toml:2:11 titleSv",
        "round.toml:3:11 opensAt",
        "round.toml:5:9 cut",
        "round.toml:6:10 ladder",
        "round.toml:7:8 rule",
        "round.toml:8:10 colour",
        "initiatives.csv:3:1 id",
        "initiatives.csv:3:2 number",
        "initiatives.csv:3:4 titleEn",
        "initiatives.csv:4:2 number",
        "initiatives.csv:4:5 status",
        "participants.csv:3:1 code",
        "participants.csv:4:1 code",
        "participants.csv:4:2 name",
        "participants.csv:4:3 population",
        "participants.csv:4:4 weight",
    ];
    expected.sort_unstable();
    let mut told = refused_members(definition, initiatives, participants);
    told.sort();
    assert_eq!(told, expected);
}

/// As [`refused`], with the member instead of the code.
#[track_caller]
fn refused_members(definition: &str, initiatives: &str, participants: &str) -> Vec<String> {
    let program = Program::new();
    program.write("round.toml", definition);
    program.write("initiatives.csv", initiatives);
    program.write("participants.csv", participants);
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert!(!program.path("data").exists(), "a database was made for a round that is none");
    let member = |line: &str| {
        let mut parts = line.split(": ");
        Some(format!("{} {}", parts.next()?, parts.next()?))
    };
    refused.err.lines().filter(|line| !line.starts_with("handslag: ")).filter_map(member).collect()
}

#[test]
fn every_fault_is_told_in_swedish_and_english() {
    let program = Program::new();
    program.write_round("round.toml");
    program.write("initiatives.csv", INITIATIVES.replace("tre,3", "tre,2"));
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert_eq!(
        refused.err,
        "initiatives.csv:4:2: number: twice: Numret står redan ovan. / The number stands above already.\n"
    );
}

#[test]
fn members_that_do_not_fit_each_other_are_told_at_their_place() {
    let definition = "id = \"liten\"
titleSv = \"Liten\"
titleEn = \"Small\"
participantKind = \"region\"
opensAt = 2150-03-31T08:00:00+01:00
closesAt = 2150-03-02T23:59:59+02:00
picksMin = 4
picksMax = 3
points = [\"3\", \"2\"]
cut = 5
visibility = \"live\"
lot = [\"ett\", \"tva\", \"tre\"]
";
    let mut expected = [
        "round.toml:4:19 kind",
        "round.toml:6:12 closes-before-it-opens",
        "round.toml:7:12 picks",
        "round.toml:9:10 points",
        "round.toml:10:7 cut",
        "round.toml:11:14 live-with-closed-book",
        "round.toml:12:7 lot",
    ];
    expected.sort_unstable();
    let mut told = refused(definition, INITIATIVES, PARTICIPANTS);
    told.sort();
    assert_eq!(told, expected);
}

#[test]
fn members_that_do_not_fit_are_told_beside_faults_of_the_lists() {
    let definition = ROUND.replace("closesAt = 2150", "closesAt = 2140");
    let told = refused(&definition, &INITIATIVES.replace("tre,3", "tre,x"), PARTICIPANTS);
    assert_eq!(told, ["round.toml:5:12 closes-before-it-opens", "initiatives.csv:4:2 number"]);
}

#[test]
fn a_rule_that_does_not_fit_is_told_at_its_place() {
    let definition = format!("{ROUND}rule = \"approval-4\"\n");
    assert_eq!(refused(&definition, INITIATIVES, PARTICIPANTS), ["round.toml:9:8 rule"]);
}

#[test]
fn a_row_with_too_few_fields_is_told_beside_other_faults() {
    let initiatives = INITIATIVES.replace("tva,2,Två,Two,documented", "tva,2,Två").replace("tre,3", "tre,x");
    let told = refused(ROUND, &initiatives, PARTICIPANTS);
    assert_eq!(told, ["initiatives.csv:3:4 fields", "initiatives.csv:4:2 number"]);
}

#[test]
fn a_row_with_too_few_or_too_many_fields_is_told() {
    let participants =
        PARTICIPANTS.replace("0980,Gotland,60852,09", "0980,Gotland").replace("22267,25", "22267,25,x");
    let told = refused(ROUND, INITIATIVES, &participants);
    assert_eq!(told, ["participants.csv:3:3 fields", "participants.csv:5:5 fields"]);
}

#[test]
fn headings_that_are_missing_unknown_or_twice_are_told() {
    let initiatives = INITIATIVES.replace("titleEn,status", "title,state");
    let told = refused(ROUND, &initiatives, PARTICIPANTS);
    assert_eq!(
        told,
        [
            "initiatives.csv:1:1 heading",
            "initiatives.csv:1:1 heading",
            "initiatives.csv:1:4 heading",
            "initiatives.csv:1:5 heading"
        ]
    );
    let told = refused(ROUND, INITIATIVES, &PARTICIPANTS.replace("population", "name"));
    assert_eq!(told, ["participants.csv:1:3 heading"]);
}

#[test]
fn broken_toml_is_told_with_line_and_column() {
    let told = refused(&ROUND.replace("picksMax = 3", "picksMax = "), INITIATIVES, PARTICIPANTS);
    assert_eq!(told, ["round.toml:7:12 toml"]);
    let told = refused(&format!("{ROUND}cut = 3\n"), INITIATIVES, PARTICIPANTS);
    assert_eq!(told, ["round.toml:9:1 toml"]);
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_place() {
    let program = Program::new();
    program.write_round("round.toml");
    // "Malmö" as Excel of old writes it.
    program.write("participants.csv", b"code,name\n0180,Stockholm\n1280,Malm\xf6\n");
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert_eq!(refused.faults(), ["participants.csv:3:10 utf-8"]);
}

#[test]
fn a_file_that_is_not_there_is_a_failure_and_is_named() {
    for missing in ["initiatives.csv", "participants.csv"] {
        let program = Program::new();
        program.write_round("round.toml");
        std::fs::remove_file(program.path(missing)).unwrap();
        let failed = program.run(&["round", "create", "round.toml"]).is(3);
        assert!(failed.err.contains(missing), "{}", failed.err);
        assert!(!program.path("data").exists());
    }
}

#[test]
fn a_folder_or_its_definition_names_the_round() {
    let program = Program::new();
    program.write_round("rounds/liten/round.toml");
    program.write("rounds/liten/initiatives.csv", INITIATIVES);
    program.write("rounds/liten/participants.csv", PARTICIPANTS);
    program.run(&["round", "create", "rounds/liten"]).is(0);
    program.write(
        "rounds/other.toml",
        format!(
            "{}initiativesFile = \"liten/initiatives.csv\"\nparticipantsFile = \"../participants.csv\"\n",
            ROUND.replace("liten", "annan")
        ),
    );
    program.run(&["round", "create", "rounds/other.toml"]).is(0);
    assert_eq!(program.run(&["round", "list"]).out.lines().count(), 2);
}

#[test]
fn a_faulty_round_leaves_the_rounds_that_are_there_alone() {
    let program = Program::with_open_round();
    let (list, round) = (program.run(&["round", "list"]).out, program.round());
    program.write("round.toml", ROUND.replace("liten", "annan"));
    program.write("initiatives.csv", INITIATIVES.replace("tva", "TVÅ"));
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert_eq!(refused.faults(), ["initiatives.csv:3:1 id"]);
    assert_eq!((program.run(&["round", "list"]).out, program.round()), (list, round));
}

#[test]
fn files_as_excel_in_swedish_saves_them_are_read() {
    let program = Program::new();
    let excel = |text: &str| format!("\u{feff}{}", text.replace(',', ";").replace('\n', "\r\n"));
    program.write("round.toml", ROUND);
    program.write("initiatives.csv", excel(INITIATIVES));
    program.write("participants.csv", excel(PARTICIPANTS));
    let made = program.run(&["round", "create", "round.toml"]).is(0);
    assert!(made.out.starts_with("liten draft: 4 initiatives, 4 participants\n"), "{}", made.out);
}

#[test]
fn lines_are_counted_right_in_files_that_excel_saved() {
    let initiatives = INITIATIVES.replace("fyra,4", "fyra,x").replace('\n', "\r\n");
    assert_eq!(refused(ROUND, &initiatives, PARTICIPANTS), ["initiatives.csv:5:2 number"]);
}

#[test]
fn lines_are_counted_right_after_blank_ones() {
    let initiatives = INITIATIVES.replace("fyra,4", "\n\nfyra,x");
    assert_eq!(refused(ROUND, &initiatives, PARTICIPANTS), ["initiatives.csv:7:2 number"]);
}
