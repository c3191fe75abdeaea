//! `handslag client`, through the program.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::program::Program;
use crate::support::registered::{Registered, by_assertion, handslag};
use crate::support::{Caller, Database, FIVE, PUBLIC_URL, Service, until};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A value of the output of `create`.
#[track_caller]
fn value<'a>(out: &'a str, name: &str) -> &'a str {
    let found = out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{name} is not in\n{out}"))
}

#[test]
fn a_client_gets_a_key_that_only_its_owner_can_read() {
    let program = Program::new();
    let out =
        program.run(&["client", "create", "--municipality", "0180", "--name", "Ärendesystemet"]).is(0).out;
    let id = value(&out, "client_id");
    assert!(id.starts_with("0180-"), "{out}");
    assert_eq!(value(&out, "key_file"), format!("{id}.pem"));
    assert_eq!(value(&out, "token_endpoint"), "http://127.0.0.1:8080/oauth/token");
    assert_eq!(mode(&program.path(&format!("{id}.pem"))), 0o600);
    let shown = program.run(&["client", "show", id]).is(0).json();
    assert_eq!(
        (&shown["name"], &shown["participant"]),
        (&json!("Ärendesystemet"), &json!("municipality:0180"))
    );
    assert_eq!(shown["credentials"][0]["id"], value(&out, "kid"));
    let listed = program.run(&["client", "list"]).is(0).out;
    assert_eq!(
        listed,
        format!("{id}\tparticipant\tmunicipality:0180\tactive\tprivate_key_jwt\tÄrendesystemet\n")
    );
    let disabled = program.run(&["client", "disable", id]).is(0).out;
    assert!(disabled.contains("\tdisabled\t"), "{disabled}");
    assert!(program.run(&["client", "enable", id]).is(0).out.contains("\tactive\t"));
}

#[test]
fn scopes_and_kinds_are_as_they_are_asked_for() {
    let program = Program::new();
    let scopes = |arguments: &[&str]| {
        let out = program.run(&[&["client", "create"], arguments].concat()).is(0).out;
        program.run(&["client", "show", value(&out, "client_id")]).is(0).json()["scopes"].clone()
    };
    assert_eq!(scopes(&["--analyst"]), json!(["ballots.list", "results.read"]));
    assert_eq!(scopes(&["--manager"]), json!(["ballots.list", "results.read", "rounds.admin"]));
    assert_eq!(scopes(&["--participant", "region:01", "--scopes", "ballots.read"]), json!(["ballots.read"]));
    assert_eq!(
        scopes(&["--manager", "--scopes", "rounds.admin,results.read"]),
        json!(["results.read", "rounds.admin"])
    );
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let program = Program::new();
    for usage in [
        &["client", "create"][..],
        &["client", "create", "--analyst", "--manager"],
        &["client", "create", "--analyst", "--secret", "--key", "x.jwk"],
        &["client", "create", "--round", "liten"],
        &["client", "rotate", "0180-x", "--keep-old", "1w"],
        &["client", "rotate", "0180-x", "--keep-old", "31d"],
        &["client", "show", "Ärende"],
    ] {
        assert_eq!(program.run(usage).is(2).out, "", "{usage:?}");
    }
    for refused in [
        &["client", "create", "--municipality", "01"][..],
        &["client", "create", "--participant", "0180"],
        &["client", "create", "--analyst", "--scopes", "rounds.admin"],
        &["client", "create", "--analyst", "--name", ""],
        &["client", "show", "0180-aaaaaaaa"],
        &["client", "disable", "0180-aaaaaaaa"],
        &["client", "rotate", "0180-aaaaaaaa"],
        &["client", "create", "--round", "stor", "--out", "blad"],
    ] {
        assert_eq!(program.run(refused).is(1).out, "", "{refused:?}");
    }
    program.write("privat.pem", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n");
    let ran = program.run(&["client", "create", "--analyst", "--key", "privat.pem"]).is(1);
    assert!(ran.err.contains("private half"), "{}", ran.err);
    program.run(&["client", "create", "--analyst", "--key", "finns-inte.jwk"]).is(3);
    program.write("upptagen.pem", "mitt");
    program.run(&["client", "create", "--analyst", "--out", "upptagen.pem"]).is(1);
    assert_eq!(std::fs::read_to_string(program.path("upptagen.pem")).unwrap(), "mitt");
    let unreachable =
        ["--database", "postgres://nobody@127.0.0.1:1/x", "client", "create", "--analyst", "--out", "ny.pem"];
    program.run(&unreachable).is(3);
    assert!(!program.path("ny.pem").exists(), "a key that came to nothing");
    assert_eq!(program.run(&["client", "list"]).is(0).out, "");
}

#[test]
fn a_key_that_the_system_has_made_itself_is_taken_as_jwk_or_pem() {
    let database = Database::sqlite();
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl").args(arguments).current_dir(database.folder()).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    let made = openssl(&["genpkey", "-algorithm", "ed25519", "-out", "own.pem"])
        && openssl(&["pkey", "-in", "own.pem", "-pubout", "-out", "own-public.pem"])
        && openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem"])
        && openssl(&["pkey", "-in", "ec.pem", "-pubout", "-out", "ec-public.pem"])
        && openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "ec.pem", "-outform", "DER", "-out", "ec.der"]);
    if !made {
        crate::support::skipped("a_key_that_the_system_has_made_itself", "there is no openssl");
        return;
    }
    let create = |file: &str| handslag(&database, &["client", "create", "--analyst", "--key", file]);
    let out = create("own-public.pem");
    assert!(!out.contains("key_file"), "{out}");
    // The private half never came here, and signs nevertheless.
    let client = Registered::told(&database, &format!("{out}key_file=own.pem\n"));
    let ec = create("ec-public.pem");
    let ec = Registered::told(&database, &format!("{ec}\n"));
    let service = Service::start(&database);
    client.token(&service);

    let header = json!({ "alg": "ES256", "typ": "client-authentication+jwt", "kid": ec.kid });
    let der = std::fs::read(database.folder().join("ec.der")).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_der(&der);
    let header: jsonwebtoken::Header = serde_json::from_value(header).unwrap();
    let assertion = jsonwebtoken::encode(&header, &ec.claims(&service), &key).unwrap();
    by_assertion(&service, &assertion, &[]).is(200);

    std::fs::write(
        database.folder().join("own.jwk"),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
            .to_string(),
    )
    .unwrap();
    assert!(create("own.jwk").contains("kid=kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

#[test]
fn a_rotated_client_has_a_new_key_and_the_old_one_as_long_as_is_said() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let rotate = |arguments: &[&str]| {
        let out = handslag(&database, &[&["client", "rotate", &client.id], arguments].concat());
        Registered::told(&database, &out)
    };
    let second = rotate(&["--keep-old", "1h"]);
    assert_eq!(second.id, client.id);
    assert_ne!(second.kid, client.kid);
    let service = Service::start_at(&database, handslag::service::Clock::System);
    client.token(&service);
    second.token(&service);
    drop(service);
    let third = rotate(&["--out", "tredje.pem"]);
    let service = Service::start_at(&database, handslag::service::Clock::System);
    assert_eq!([&client, &second, &third].map(|client| client.ask(&service).status), [401, 401, 200]);
}

#[test]
fn each_on_the_roll_gets_a_client_and_a_sheet_also_after_a_run_that_was_broken_off() {
    let program = Program::with_draft();
    let create = ["client", "create", "--round", "liten", "--out", "blad"];
    assert_eq!(program.run(&create).is(0).out, "blad: 4 clients made, 0 were there\n");
    let listed = || program.run(&["client", "list"]).is(0).out;
    let first = listed();
    assert_eq!(first.lines().count(), 4);
    for code in ["0180", "0980", "1280", "2584"] {
        let id = first.split_whitespace().find(|word| word.starts_with(&format!("{code}-"))).unwrap();
        let sheet = program.path(&format!("blad/{code}/handslag-{code}.txt"));
        let text = std::fs::read_to_string(&sheet).unwrap();
        assert!(
            text.contains(id) && text.contains("åtkomstbiljett") && text.contains("access token"),
            "{text}"
        );
        assert_eq!((mode(&sheet), mode(&program.path(&format!("blad/{code}/{id}.pem")))), (0o600, 0o600));
    }
    // Again, and after each way in which a run can have been broken off.
    assert_eq!(program.run(&create).is(0).out, "blad: 0 clients made, 4 were there\n");
    std::fs::remove_file(program.path("blad/0180/handslag-0180.txt")).unwrap();
    std::fs::remove_dir_all(program.path("blad/0980")).unwrap();
    let id = first.split_whitespace().find(|word| word.starts_with("1280-")).unwrap();
    let key = std::fs::read(program.path(&format!("blad/1280/{id}.pem"))).unwrap();
    std::fs::remove_dir_all(program.path("blad/1280")).unwrap();
    program.write("blad/1280/1280-abcdefgh.pem", key);
    let unknown = program.path("blad/1280/1280-abcdefgh.pem");
    std::fs::set_permissions(&unknown, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(program.run(&create).is(0).out, "blad: 3 clients made, 1 were there\n");
    let second = listed();
    assert_eq!(second.lines().count(), 6, "0980 and 1280 have another each\n{second}");
    assert!(second.contains("1280-abcdefgh\t"), "the key that was there has a client now");
    assert_eq!(program.run(&create).is(0).out, "blad: 0 clients made, 4 were there\n");
}

#[test]
fn the_lines_of_a_sheet_fetch_a_token_that_submits() {
    let has =
        |program: &str| Command::new(program).arg("version").output().is_ok_and(|ran| ran.status.success());
    if !has("openssl") || Command::new("curl").arg("--version").output().is_err() {
        crate::support::skipped(
            "the_lines_of_a_sheet_fetch_a_token_that_submits",
            "openssl or curl is missing",
        );
        return;
    }
    let database = Database::sqlite();
    let service = Service::start_at(&database, handslag::service::Clock::System);
    service.open_round(json!({ "opensAt": "2020-01-01T00:00:00Z", "closesAt": "2150-01-01T00:00:00Z" }));
    for (folder, more) in [("blad", &[][..]), ("hemligheter", &["--secret"])] {
        let arguments = [&["client", "create", "--round", "handslag-2026", "--out", folder], more].concat();
        handslag(&database, &arguments);
        let folder = database.folder().join(folder).join("0180");
        let sheet = std::fs::read_to_string(folder.join("handslag-0180.txt")).unwrap();
        let lines = sheet.lines().filter_map(|line| line.strip_prefix("    "));
        // Those of the program itself are tried where it is a client.
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with("handslag ")).collect();
        // The service is known by an address that leads nowhere here; only the endpoint is another.
        let script = lines.join("\n").replace(
            "https://handslag.example.se/oauth/token",
            &format!("http://{}/oauth/token", service.address()),
        );
        crate::support::until("the client is known", || {
            let ran = Command::new("bash").args(["-c", &script]).current_dir(&folder).output().unwrap();
            let issued: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
            let token = issued["access_token"].as_str()?.to_owned();
            let put = service.put("/rounds/handslag-2026/ballots/0180").by(Caller::Token(&token));
            assert!(matches!(put.json(&json!({ "ranking": FIVE })).send().status, 200 | 201));
            Some(())
        });
    }
}

#[test]
fn a_key_that_is_registered_is_kept_although_the_trail_cannot_be_written() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let refuse =
        "CREATE TRIGGER no_trail BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END;";
    database.open().connect().unwrap().batch_execute(refuse).unwrap();
    let run = |arguments: &[&str]| {
        let url = format!("sqlite:{}", database.folder().join("handslag.db").display());
        let mut program = Command::new(env!("CARGO_BIN_EXE_handslag"));
        program.args(arguments).args(["--data-dir", ".", "--database", &url, "--public-url", PUBLIC_URL]);
        let ran = program.current_dir(database.folder()).output().unwrap();
        assert_eq!(ran.status.code(), Some(3));
        let error = String::from_utf8(ran.stderr).unwrap();
        assert!(error.contains("it was done, but the audit trail does not say so"), "{error}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let rotated = run(&["client", "rotate", &client.id, "--out", "new.pem"]);
    let service = Service::start(&database);
    // The old key has ended; whoever lost the new one would have lost the client.
    Registered::told(&database, &rotated).ask(&service).is(200);
    let made = run(&["client", "create", "--analyst", "--secret"]);
    let made = Registered::told(&database, &made);
    until("the client is known", || (made.ask(&service).status == 200).then_some(()));
    // What did not happen leaves nothing behind.
    let ran = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .args(["client", "rotate", "0180-nobodyyy", "--out", "none.pem", "--data-dir", "."])
        .current_dir(database.folder())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(!database.folder().join("none.pem").exists());
}
