//! Settings of issuers: what is wrong is told before anything starts, all of it, and what is in force is shown.

use serde_json::json;

use crate::program::{Program, repository};
use crate::support::{Pair, authority};

/// What the program says of a settings file that it does not take.
#[track_caller]
fn faults(program: &Program, settings: &str) -> Vec<String> {
    program.write("handslag.toml", settings);
    let told = program.run(&["--config", "handslag.toml", "config"]).is(2);
    assert_eq!(told.out, "");
    // The service does not start with it either.
    let refused = program.run(&["--config", "handslag.toml", "serve", "--bind", "127.0.0.1:0"]).is(2);
    assert_eq!(refused.err, told.err);
    assert!(!program.path("data/handslag.db").exists(), "nothing was begun");
    told.err.lines().map(str::to_owned).collect()
}

#[test]
fn every_fault_of_every_issuer_is_told_at_once() {
    let program = Program::new();
    program.write("table.csv", "organisationNumber,participantCode\n123,0180\n9900001802,Stockholm\n");
    program.write("keys.json", json!({ "keys": [{ "kty": "oct", "kid": "a", "k": "AQ" }] }).to_string());
    program.write("ca.pem", "no certificate");
    let told = faults(
        &program,
        "publicUrl = \"https://own.example.se\"\n\
         [[issuers]]\nissuer = \"https://a.example\"\n\
         [[issuers]]\nissuer = \"https://a.example\"\naudience = \"x\"\nalgorithms = [\"HS256\", \"none\", \"RS256\"]\n\
         typ = \"\"\nlongestLife = 0\njwksUri = \"http://a.example/keys\"\njwksFile = \"keys.json\"\n\
         scopes = [\"ballots.write\", \"all\"]\n[issuers.participant]\ncode = \"0180\"\ntrustedClaim = \"p\"\n\
         [[issuers]]\nissuer = \"https://own.example.se\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\n\
         jwksUri = \"http://user:hemligt@b.example/keys\"\n[[issuers.roles]]\nclaim = []\nvalue = \"\"\nscopes = []\n\
         [[issuers]]\nissuer = \"https://c.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\n\
         jwksFile = \"keys.json\"\ncaFile = \"ca.pem\"\n[issuers.participant]\norganisations = \"table.csv\"\n\
         [[issuers]]\nissuer = \"https://d.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\n\
         jwksUri = \"https://d.example/keys\"\ncaFile = \"ca.pem\"\n[issuers.participant]\norganisations = \"none.csv\"\n",
    );
    let places: Vec<&str> = told
        .iter()
        .filter_map(|line| line.strip_prefix("handslag: issuers["))
        .filter_map(|line| line.split_once("): "))
        .map(|(_, fault)| fault.split(':').next().unwrap())
        .collect();
    let numbers: Vec<&str> = told.iter().map(|line| &line["handslag: issuers[".len()..][..1]).collect();
    assert_eq!(
        numbers.into_iter().zip(places).collect::<Vec<_>>(),
        [
            ("0", "audience"),
            ("0", "algorithms"),
            ("0", "jwksUri, jwksFile"),
            ("1", "typ"),
            ("1", "longestLife"),
            ("1", "algorithms"),
            ("1", "algorithms"),
            ("1", "jwksUri, jwksFile"),
            ("1", "participant"),
            ("1", "scopes"),
            ("1", "issuer"),
            ("2", "jwksUri"),
            ("2", "roles[0].value"),
            ("2", "roles[0].scopes"),
            ("2", "roles[0].claim"),
            ("2", "issuer"),
            ("3", "caFile"),
            ("3", "jwksFile"),
            ("3", "table.csv"),
            ("3", "table.csv"),
            ("4", "caFile"),
            ("4", "participant.organisations"),
        ],
        "{told:#?}"
    );
    assert!(told.iter().any(|line| line.contains("line 2") && line.contains("123")), "{told:#?}");
    assert!(told.iter().all(|line| !line.contains("hemligt")), "{told:#?}");
}

#[test]
fn keys_are_asked_for_over_tls_only() {
    let program = Program::new();
    let with = |uri: &str| {
        format!(
            "[[issuers]]\nissuer = \"https://a.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\njwksUri = \"{uri}\"\n"
        )
    };
    for uri in [
        "http://a.example/keys",
        "http://localhost.evil.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://127.0.0.1@evil.example/keys",
        "ftp://a.example/keys",
        "file:///etc/passwd",
        "https://user@a.example/keys",
        "https://a.example/keys#x",
        "/keys",
        "a.example",
        "",
    ] {
        let told = faults(&program, &with(uri));
        assert!(told.len() == 1 && told[0].contains("jwksUri"), "{uri}: {told:?}");
    }
    for uri in
        ["https://a.example/keys?p=x", "https://a.example:8443/", "http://127.0.0.1:1/k", "http://[::1]:1/k"]
    {
        program.write("handslag.toml", with(uri));
        program.run(&["--config", "handslag.toml", "config"]).is(0);
    }
}

#[test]
fn where_the_system_trusts_nobody_a_file_must_say_who_vouches() {
    let program = Program::new();
    program.write("empty.pem", "");
    program.write(
        "handslag.toml",
        "[[issuers]]\nissuer = \"https://a.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\n\
         jwksUri = \"https://a.example/keys\"\n",
    );
    let variables = [("SSL_CERT_FILE", "empty.pem"), ("SSL_CERT_DIR", "none")];
    let told = program.run_with(&variables, &["--config", "handslag.toml", "config"]).is(2);
    assert!(told.err.contains("caFile: is needed"), "{}", told.err);
}

#[test]
fn an_unknown_key_of_an_issuer_is_an_error() {
    let program = Program::new();
    for (settings, key) in [
        ("[[issuers]]\nisuer = \"https://a.example\"\n", "isuer"),
        ("[[issuers]]\nparticipant = { kod = \"0180\" }\n", "kod"),
        ("[[issuers]]\n[[issuers.roles]]\nclaim = \"a\"\nvalue = \"b\"\nscope = []\n", "scope"),
        ("[issuers]\nissuer = \"https://a.example\"\n", "line 1"),
    ] {
        let told = faults(&program, settings).join("\n");
        assert!(told.contains(key), "{told}");
    }
}

#[test]
fn config_shows_the_issuers_and_what_it_shows_says_the_same() {
    let program = Program::new();
    let key = Pair::ec("a", 1).jwk();
    program.write("keys.json", json!({ "keys": [key] }).to_string());
    program.write(
        "handslag.toml",
        "workers = 3\n\
         [[issuers]]\nissuer = \"https://a.example\"\naudience = \"x\"\nalgorithms = [\"ES256\"]\n\
         jwksFile = \"keys.json\"\nrequire = { typ = \"Bearer\" }\nparticipant = { code = \"0180\" }\n\
         [[issuers]]\nissuer = \"https://b.example\"\naudience = \"y\"\nalgorithms = [\"RS256\", \"EdDSA\"]\n\
         jwksUri = \"https://b.example/keys\"\nscopeClaim = \"scp\"\n\
         [[issuers.roles]]\nclaim = [\"realm_access\", \"roles\"]\nvalue = \"r\"\nscopes = [\"results.read\"]\n",
    );
    let told = program.run(&["--config", "handslag.toml", "config"]).is(0).out;
    for line in [
        "issuer = \"https://a.example\"",
        "longestLife = 5400",
        "typ = \"at+jwt\"",
        "scopes = [\"ballots.read\", \"ballots.write\"]",
        "claim = [\"realm_access\", \"roles\"]",
        "code = \"0180\"",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} is not in\n{told}");
    }
    program.write("again.toml", &told);
    let again = program.run_with(&[], &["config", "--config", "again.toml"]).is(0).out;
    let tables = |text: &str| text[text.find("[[issuers]]").unwrap()..].to_owned();
    assert_eq!(tables(&again), tables(&told));
}

#[test]
fn the_example_of_every_kind_of_issuer_is_taken_as_it_stands() {
    let program = Program::new();
    // The check digit fits, and nobody has been given this number.
    program
        .write("organisations.csv", "organisationNumber,name,participantCode\n990000-1802,Stockholm,0180\n");
    let example = std::fs::read_to_string(repository("docs/operations/issuers.toml")).unwrap();
    let root = authority().0;
    program.write("ca.pem", root);
    program.write("handslag.toml", example.replace("/etc/ssl/certs/ca-certificates.crt", "ca.pem"));
    let variables = [("SSL_CERT_FILE", "ca.pem")];
    program.run_with(&variables, &["--config", "handslag.toml", "config"]).is(0);
}
