//! The life of a round through `handslag round`, and every step that it does not allow.
//!
//! A step that is refused leaves the round as it was; what has happened cannot be undone.

use serde_json::json;

use crate::program::{Program, ROUND, repository};

/// The steps, and the state that each leads to.
const STEPS: [(&str, &str); 4] =
    [("open", "open"), ("close", "closed"), ("certify", "certified"), ("correct", "corrected")];

#[test]
fn a_round_goes_from_draft_to_corrected_a_step_at_a_time() {
    let program = Program::with_draft();
    let draft = program.round();
    assert_eq!(
        (&draft["state"], &draft["openedAt"], &draft["sequence"]),
        (&json!("draft"), &json!(null), &json!(0))
    );
    for (done, (step, state)) in (1..).zip(STEPS) {
        let said = program.run(&["round", step, "liten"]).is(0).out;
        assert!(said.starts_with(&format!("liten {state}: 4 initiatives, 4 participants\n")), "{said}");
        let round = program.round();
        assert_eq!((&round["state"], &round["sequence"]), (&json!(state), &json!(done)));
    }
    let round = program.round();
    assert!(round["openedAt"].is_string() && round["closedAt"].is_string(), "{round}");
    // Only the definition counts revisions, and it was never changed.
    assert_eq!(round["revision"], 1);
}

#[test]
fn every_other_step_is_refused_and_changes_nothing() {
    let program = Program::with_draft();
    for reached in 0..=STEPS.len() {
        let before = program.round();
        for (_, (step, to)) in (0..).zip(STEPS).filter(|(i, _)| *i != reached) {
            let refused = program.run(&["round", step, "liten"]).is(1);
            let from = before["state"].as_str().unwrap();
            assert_eq!(refused.err, format!("a round that is {from} cannot become {to}\n"));
            assert_eq!(refused.out, "");
        }
        if !["draft", "open"].contains(&before["state"].as_str().unwrap()) {
            let extension = ["round", "extend", "liten", "--until", "2160-01-01T00:00:00Z"];
            assert_eq!(program.run(&extension).is(1).err, "closesAt is fixed from the opening on\n");
        }
        assert_eq!(program.round(), before);
        if let Some((step, _)) = STEPS.get(reached) {
            program.run(&["round", step, "liten"]).is(0);
        }
    }
}

#[test]
fn an_open_round_can_be_extended_and_never_shortened() {
    let program = Program::with_open_round();
    let extend = |until: &str| program.run(&["round", "extend", "liten", "--until", until]);
    let said = extend("2150-04-10T12:00:00+02:00").is(0).out;
    assert!(said.contains("closes 2150-04-10T10:00:00.000000Z"), "{said}");
    assert_eq!(program.round()["closesAt"], "2150-04-10T10:00:00.000000Z");
    assert_eq!(program.round()["sequence"], 2);
    for not_later in ["2150-04-10T12:00:00+02:00", "2150-04-10T09:59:59Z", "2026-01-01T00:00:00Z"] {
        let refused = extend(not_later).is(1);
        assert_eq!(refused.err, "the closing can only be moved to a later time, which is still to come\n");
    }
    for no_moment in ["2151-04-10", "2151-04-10T12:00:00", "tomorrow", "2999-01-01T00:00:00Z"] {
        assert!(extend(no_moment).is(2).err.contains("RFC 3339"), "{no_moment}");
    }
    assert_eq!(program.round()["sequence"], 2);
}

#[test]
fn extend_is_for_open_rounds() {
    let program = Program::with_draft();
    let before = program.round();
    program.run(&["round", "extend", "liten", "--until", "2150-03-05T00:00:00Z"]).is(1);
    assert_eq!(program.round(), before);
}

#[test]
fn a_round_whose_time_is_past_does_not_open() {
    let program = Program::new();
    program.run(&["round", "create", &repository("fixtures/rounds/handslag-2024")]).is(0);
    let refused = program.run(&["round", "open", "handslag-2024"]).is(1);
    assert_eq!(refused.err, "the round cannot open: its closing time is past\n");
    let round = program.run(&["round", "show", "handslag-2024"]).is(0).json();
    assert_eq!((&round["state"], &round["sequence"]), (&json!("draft"), &json!(0)));
}

#[test]
fn a_round_without_participants_or_initiatives_does_not_open() {
    for (empty, content, missing) in [
        ("participants.csv", "code,name\n", "participants"),
        ("initiatives.csv", "id,number,titleSv,titleEn,status\n", "initiatives"),
    ] {
        let program = Program::new();
        program.write_round("round.toml");
        program.write(empty, content);
        program.run(&["round", "create", "round.toml"]).is(0);
        let refused = program.run(&["round", "open", "liten"]).is(1);
        assert_eq!(refused.err, format!("the round cannot open: {missing} are missing\n"));
    }
}

#[test]
fn a_round_is_made_once() {
    let program = Program::with_draft();
    let before = program.round();
    program.write("round.toml", ROUND.replace("Liten omgång", "En annan"));
    let refused = program.run(&["round", "create", "round.toml"]).is(1);
    assert_eq!(refused.err, "there is a round with this id already\n");
    assert_eq!(program.round(), before);
}

#[test]
fn a_round_that_is_not_there_is_refused_by_every_command() {
    let program = Program::with_draft();
    program.write("ballots.csv", "participantCode,rank1\n0180,ett\n");
    for command in [
        &["round", "show", "stor"][..],
        &["round", "open", "stor"],
        &["round", "close", "stor"],
        &["round", "certify", "stor"],
        &["round", "correct", "stor"],
        &["round", "extend", "stor", "--until", "2150-01-01T00:00:00Z"],
        &["ballots", "import", "--round", "stor", "ballots.csv"],
        &["export", "--round", "stor"],
        &["export", "--round", "stor", "--what", "ballots"],
    ] {
        let refused = program.run(command).is(1);
        assert_eq!(
            (refused.err.as_str(), refused.out.as_str()),
            ("there is no such round\n", ""),
            "{command:?}"
        );
    }
}

#[test]
fn show_tells_the_definition_with_its_defaults_and_swedish_clocks() {
    let program = Program::with_draft();
    let round = program.round();
    for (member, expected) in [
        ("id", json!("liten")),
        ("titleSv", json!("Liten omgång")),
        ("participantKind", json!("municipality")),
        ("opensAt", json!("2150-03-02T07:00:00.000000Z")),
        ("picksMin", json!(1)),
        ("picksMax", json!(3)),
        ("points", json!(["3", "2", "1"])),
        ("rule", json!("linear")),
        ("ruleSet", json!("liten/1")),
        ("cut", json!(2)),
        ("visibility", json!("after-close")),
        ("ballotBook", json!("analysts")),
        ("requireCondition", json!(false)),
        ("ladder", json!(["listed", "first-places", "head-to-head", "lot"])),
        ("lot", json!(null)),
        ("synthetic", json!(false)),
        ("initiativeCount", json!(4)),
        ("participantCount", json!(4)),
    ] {
        assert_eq!(round[member], expected, "{member}");
    }
    // Winter time at the opening, summer time at the closing.
    program.run(&["round", "create", &repository("fixtures/rounds/handslag-2024")]).is(0);
    let round = program.run(&["round", "show", "handslag-2024"]).is(0).json();
    assert_eq!(round["opensAtLocal"], "2024-03-01T08:00:00+01:00");
    assert_eq!(round["closesAtLocal"], "2024-04-30T23:59:59+02:00");
    assert_eq!(round["closesAt"], "2024-04-30T21:59:59.000000Z");
}

#[test]
fn list_shows_rounds_by_opening_the_latest_first_and_in_pages() {
    let program = Program::with_draft();
    for (id, year) in [("tidig", "2140"), ("sen", "2160")] {
        program.write("round.toml", ROUND.replace("liten", id).replace("2150", year));
        program.run(&["round", "create", "round.toml"]).is(0);
    }
    program.run(&["round", "open", "sen"]).is(0);
    let list = |arguments: &[&str]| -> (Vec<String>, String) {
        let ran = program.run(&[&["round", "list"], arguments].concat()).is(0);
        (ran.out.lines().map(ToOwned::to_owned).collect(), ran.err)
    };
    let row = |id: &str, state: &str, year: &str| {
        format!("{id}\t{state}\t{year}-03-02T07:00:00.000000Z\t{year}-03-31T21:59:59.000000Z\tLiten omgång")
    };
    let all = [row("sen", "open", "2160"), row("liten", "draft", "2150"), row("tidig", "draft", "2140")];
    assert_eq!(list(&[]), (all.to_vec(), String::new()));
    let (page, hint) = list(&["--limit", "2"]);
    assert_eq!(page, all[..2]);
    assert!(hint.contains("3 rounds in all") && hint.contains("--page 2"), "{hint}");
    assert_eq!(list(&["--limit", "2", "--page", "2"]), (all[2..].to_vec(), String::new()));
    assert_eq!(list(&["--limit", "2", "--page", "3"]), (Vec::new(), String::new()));
}

#[test]
fn a_round_that_is_due_opens_and_closes_by_itself_at_the_next_write() {
    let program = Program::new();
    program.write_round("round.toml");
    program.write("round.toml", ROUND.replace("opensAt = 2150", "opensAt = 2020"));
    program.run(&["round", "create", "round.toml"]).is(0);
    program.write("ballots.csv", "participantCode,rank1\n0180,ett\n");
    program.run(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    let round = program.round();
    assert_eq!((&round["state"], &round["sequence"]), (&json!("open"), &json!(2)));
}
