//! The examples of `docs/clients`, each run where its interpreter is: a token, a ballot, the ranking as a table.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::json;

use crate::cli_remote::Site;
use crate::program::{Program, ROUND, repository};
use crate::support::{in_ci, skipped, until};

/// What an example is run with, and whether it takes keys as well as secrets.
struct Example {
    interpreter: &'static [&'static str],
    file: &'static str,
    /// What must succeed for it to run with a secret, and with a key; none if it takes no keys.
    needs: &'static [&'static str],
    needs_for_keys: Option<&'static [&'static str]>,
}

/// Runs an example with a client of each kind: first it creates the ballot, then it replaces it.
#[track_caller]
fn check(example: &Example) {
    let Example { file, needs, needs_for_keys, .. } = example;
    if !is_there(needs) {
        return skipped(file, &format!("{} does not run here", needs.join(" ")));
    }
    let program = Program::new();
    program.write_round("round.toml");
    program.write("round.toml", format!("{ROUND}visibility = \"live\"\nballotBook = \"open\"\n"));
    program.run(&["round", "create", "round.toml"]).is(0);
    program.run(&["round", "open", "liten"]).is(0);
    let site = Site::of(program);
    let (client, secret) = site.client(&["--municipality", "0180", "--secret"]);
    std::fs::write(site.path("secret"), secret + "\n").unwrap();
    std::fs::set_permissions(site.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    // Points 3 and 2, by hand.
    runs(&site, example, [&client, "secret", "0180", "tva", "ett"], ["1,tva,3", "2,ett,2"]);
    runs(&site, example, [&client, "secret", "0180", "ett", "tre"], ["1,ett,3", "2,tre,2"]);
    let ballots =
        site.operate(&["export", "--round", "liten", "--what", "ballots", "--format", "ndjson"]).is(0);
    assert_eq!(
        (&ballots.json()["revision"], &ballots.json()["ranking"]),
        (&json!(2), &json!(["ett", "tre"]))
    );
    // The neighbour's ballot is refused, and the example says so.
    let refused = run(&site, example, [&client, "secret", "0980", "tva", "ett"]);
    assert!(!refused.status.success(), "{refused:?}");
    let Some(needs_for_keys) = needs_for_keys else { return };
    if !is_there(needs_for_keys) {
        return skipped(file, &format!("with a key: {} does not run here", needs_for_keys.join(" ")));
    }
    // With the ballot of before: ett 3 + 2, tva 3, tre 2.
    let (client, key) = site.client(&["--municipality", "0980"]);
    runs(&site, example, [&client, &key, "0980", "tva", "ett"], ["1,ett,5", "2,tva,3"]);
}

/// Runs it; the first rows of its ranking must be these.
#[track_caller]
fn runs(site: &Site, example: &Example, arguments: [&str; 5], rows: [&str; 2]) {
    // A client that was made this moment may not be known yet.
    let out = until("the service knows the client", || {
        let ran = run(site, example, arguments);
        let said =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let is_new = said.contains("invalid_client") || said.contains("401");
        assert!(ran.status.success() || is_new, "{}: {said}", example.file);
        ran.status.success().then_some(said)
    });
    // Of a table with more columns only those that all examples print.
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_end().split(['\t', ',']).collect();
        match cells[..] {
            [rank, id, score] | [_, rank, id, _, score, ..] => format!("{rank},{id},{score}"),
            _ => String::new(),
        }
    };
    let ranking: Vec<String> =
        out.lines().map(row).filter(|row| row.starts_with("1,") || row.starts_with("2,")).collect();
    assert_eq!(ranking, rows, "{}: {out}", example.file);
}

fn run(site: &Site, example: &Example, [client, file, code, first, second]: [&str; 5]) -> Output {
    Command::new(example.interpreter[0])
        .args(&example.interpreter[1..])
        .arg(repository(&format!("docs/clients/{}", example.file)))
        .args([site.url(), client, file, "liten", code, first, second])
        .current_dir(site.path("."))
        .output()
        .unwrap()
}

fn is_there(line: &[&str]) -> bool {
    Command::new(line[0]).args(&line[1..]).output().is_ok_and(|ran| ran.status.success())
}

const CURL: Example = Example {
    interpreter: &["bash"],
    file: "curl.sh",
    needs: &["curl", "--version"],
    needs_for_keys: Some(&["openssl", "version"]),
};

const PYTHON: Example = Example {
    interpreter: &["python3"],
    file: "python.py",
    needs: &["python3", "--version"],
    needs_for_keys: Some(&["python3", "-c", "import cryptography"]),
};

#[test]
fn the_example_for_curl_runs() {
    check(&CURL);
}

#[test]
fn the_example_for_python_runs() {
    check(&PYTHON);
}

#[test]
fn the_example_for_powershell_runs() {
    check(&Example {
        interpreter: &["pwsh", "-NoProfile", "-File"],
        file: "powershell.ps1",
        needs: &["pwsh", "--version"],
        needs_for_keys: None,
    });
}

#[test]
fn the_example_for_r_runs() {
    const NEEDS: &[&str] = &["Rscript", "-e", "library(httr2)"];
    check(&Example { interpreter: &["Rscript"], file: "r.R", needs: NEEDS, needs_for_keys: Some(NEEDS) });
}

#[test]
fn a_refused_token_is_told_with_its_reason() {
    for example in [CURL, PYTHON] {
        if !is_there(example.needs) {
            skipped(example.file, &format!("{} does not run here", example.needs.join(" ")));
            continue;
        }
        let site = Site::start();
        std::fs::write(site.path("secret"), "no secret of anybody's").unwrap();
        let refused = run(&site, &example, ["0180-aaaaaaaa", "secret", "0180", "tva", "ett"]);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && told.contains("\"error\":\"invalid_client\""), "{refused:?}");
    }
}

/// What two examples need is everywhere, and CI must not skip them.
#[test]
fn ci_skips_neither_curl_nor_python() {
    for Example { needs, needs_for_keys, file, .. } in [CURL, PYTHON] {
        let is_there = is_there(needs) && needs_for_keys.is_none_or(is_there);
        assert!(is_there || !in_ci(), "{file} cannot be run here");
    }
}
