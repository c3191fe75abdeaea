//! `handslag token` and the signing key, through the program.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::program::{Program, repository};

const KEY: &str = "data/keys/signing.pem";

/// Header and claims of a token.
#[track_caller]
fn read(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(parts[0]), json(parts[1]))
}

#[track_caller]
fn claims(program: &Program, arguments: &[&str]) -> Value {
    let ran = program.run(&[&["token"], arguments].concat()).is(0);
    read(ran.out.trim_end()).1
}

fn mode(program: &Program) -> u32 {
    std::fs::metadata(program.path(KEY)).unwrap().permissions().mode() & 0o777
}

fn set_mode(program: &Program, mode: u32) {
    std::fs::set_permissions(program.path(KEY), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_token_is_the_last_line_of_the_output_and_alone_there() {
    let program = Program::new();
    let ran = program.run(&["token", "--municipality", "0180"]).is(0);
    let (header, claims) = read(ran.out.strip_suffix('\n').unwrap());
    assert_eq!(ran.out.lines().count(), 1, "so that TOKEN=$(handslag token …) works");
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
    assert!(header["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
    assert_eq!(claims["participant"], "municipality:0180");
    assert_eq!(claims["scope"], "ballots.read ballots.write");
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("http://127.0.0.1:8080"), &json!("http://127.0.0.1:8080"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 15 * 60);
    assert!(ran.err.contains("15 minutes") && !ran.err.contains("eyJ"), "{}", ran.err);
}

#[test]
fn roles_have_the_scopes_of_their_work_and_nobody_s_ballot() {
    let program = Program::new();
    let analyst = claims(&program, &["--analyst"]);
    assert_eq!((&analyst["scope"], analyst.get("participant")), (&json!("ballots.list results.read"), None));
    let manager = claims(&program, &["--manager"]);
    assert_eq!(
        (&manager["scope"], manager.get("participant")),
        (&json!("ballots.list results.read rounds.admin"), None)
    );
    for participant in ["region:01", "municipality:0980", "network:norrsam"] {
        assert_eq!(claims(&program, &["--participant", participant])["participant"], participant);
    }
}

#[test]
fn the_public_address_is_issuer_and_audience() {
    let program = Program::new();
    let claims = claims(&program, &["--analyst", "--public-url", "https://handslag.example/"]);
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("https://handslag.example"), &json!("https://handslag.example"))
    );
}

#[test]
fn whose_it_is_must_be_said_once_and_rightly() {
    let program = Program::new();
    for usage in [
        &["token"][..],
        &["token", "--analyst", "--manager"],
        &["token", "--municipality", "0180", "--analyst"],
        &["token", "--all"],
        &["token", "--round", "liten"],
    ] {
        assert_eq!(program.run(usage).is(2).out, "", "{usage:?}");
    }
    for refused in [
        &["token", "--municipality", "180"][..],
        &["token", "--municipality", "01"],
        &["token", "--participant", "municipality:01"],
        &["token", "--participant", "0180"],
        &["token", "--round", "stor", "--all"],
        &["token", "--round", "Stor Omgång", "--all"],
    ] {
        assert_eq!(program.run(refused).is(1).out, "", "{refused:?}");
    }
}

#[test]
fn a_round_with_another_than_all_is_wrong_usage() {
    let program = Program::with_draft();
    for whose in [&["--municipality", "0180"][..], &["--participant", "municipality:0180"], &["--analyst"]] {
        let refused = program.run(&[&["token", "--round", "liten"], whose].concat());
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{whose:?}");
    }
}

#[test]
fn all_of_a_round_are_290_lines_of_code_and_token() {
    let program = Program::new();
    program.run(&["round", "create", &repository("fixtures/rounds/handslag-2024")]).is(0);
    let ran = program.run(&["token", "--round", "handslag-2024", "--all"]).is(0);
    let lines: Vec<(&str, &str)> = ran.out.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.len(), 290);
    assert_eq!((lines[0].0, lines[289].0), ("0114", "2584"));
    let mut ids = BTreeSet::new();
    for (code, token) in &lines {
        let (_, claims) = read(token);
        assert_eq!(claims["participant"], format!("municipality:{code}"));
        ids.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 290);
    assert!(lines.is_sorted());
}

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let program = Program::new();
    program.run(&["token", "--analyst"]).is(0);
    assert_eq!(mode(&program), 0o600);
    let made = std::fs::read_to_string(program.path(KEY)).unwrap();
    assert!(made.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let first = read(program.run(&["token", "--analyst"]).out.trim_end()).0;
    let second = read(program.run(&["token", "--analyst"]).out.trim_end()).0;
    assert_eq!(first["kid"], second["kid"]);
    assert_eq!(std::fs::read_to_string(program.path(KEY)).unwrap(), made);
    let beside: Vec<_> = std::fs::read_dir(program.path("data/keys")).unwrap().collect();
    assert_eq!(beside.len(), 1, "a draft of the key was left: {beside:?}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let program = Program::new();
    program.run(&["token", "--analyst"]).is(0);
    for wide in [0o604, 0o640, 0o644, 0o660, 0o601, 0o777] {
        set_mode(&program, wide);
        let refused = program.run(&["token", "--analyst"]).is(3);
        assert_eq!(refused.out, "", "{wide:o}");
        assert!(
            refused.err.contains("chmod 600") && refused.err.contains(&format!("{wide:o}")),
            "{}",
            refused.err
        );
        assert_eq!(mode(&program), wide, "it is for its owner to change");
    }
    set_mode(&program, 0o400);
    program.run(&["token", "--analyst"]).is(0);
}

#[test]
fn a_file_that_is_no_key_is_refused_and_kept() {
    let program = Program::new();
    program.write(KEY, "not a key");
    set_mode(&program, 0o600);
    let refused = program.run(&["token", "--analyst"]).is(3);
    assert!(refused.err.contains("Ed25519") && refused.out.is_empty(), "{}", refused.err);
    assert_eq!(std::fs::read_to_string(program.path(KEY)).unwrap(), "not a key");
}
