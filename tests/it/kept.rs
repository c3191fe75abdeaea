//! What was submitted is kept: over a restart, in a log without gaps whose hashes anyone can compute again.

use handslag::domain::{Hash, LogEntry, RoundId};
use handslag::identity::{Purpose, SigningKey, receipt};
use handslag::service::merkle;
use handslag::store;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Caller, FIVE, ROUND, Service, definition, on_both_databases};

const PATH: &str = "/rounds/handslag-2026";
const OTHER: &[&str] =
    &["informationssakerhet", "kompetensgemenskaper", "valfardsteknik", "sdk-socialtjanst", "juridiskt-stod"];

fn log(service: &Service) -> Vec<LogEntry> {
    let round: RoundId = ROUND.parse().unwrap();
    service.store().read(|conn| store::log::after(conn, &round, 0, 10_000)).expect("the log can be read")
}

/// Something of everything: ballots, a replacement, a withdrawal, texts, an extension.
fn fill(service: &Service) {
    let body = json!({
        "ranking": FIVE, "reference": "KS 2026/12", "comment": "Med \"citat\", å ä ö och\nradbrytning \u{7f}".replace('\u{7f}', ""),
        "engagements": [{ "initiativeId": FIVE[0], "engagement": "lead" }],
    });
    let path = format!("{PATH}/ballots/0180");
    service.put(&path).by(Caller::Participant("0180")).json(&body).send().is(201);
    service.set_time("2026-03-10T12:00:00.000001+01:00");
    service.submit("0114", FIVE).is(201);
    service.submit("0115", OTHER).is(201);
    service.submit("0114", OTHER).is(200);
    service.set_time("2026-03-12T08:00:00+01:00");
    service.delete(&format!("{PATH}/ballots/0115")).by(Caller::Participant("0115")).send().is(204);
    let later = json!({ "closesAt": "2026-04-07T23:59:59+02:00" });
    service.request("PATCH", PATH).by(Caller::Manager).json(&later).send().is(200);
    service.submit("1480", OTHER).is(201);
}

/// Everything that can be read, as an analyst reads it.
fn everything(service: &Service) -> Vec<String> {
    let below = [
        "",
        "/initiatives?limit=100",
        "/participants?limit=100&page=3",
        "/ballots",
        "/ballots?format=csv",
        "/ballots/0180",
        "/ballots/0114/revisions",
        "/ballots/0115/revisions",
        "/ballots/0180/revisions",
        "/results",
        "/results?rule=dowdall&format=csv",
        "/participation",
        "/participation?format=csv&view=missing",
    ];
    let read = |below: &str| {
        let reply = service.get(&format!("{PATH}{below}")).by(Caller::Analyst).send().is(200);
        let mut headers = reply.headers.clone();
        headers.retain(|(name, _)| !matches!(&**name, "traceparent" | "date"));
        headers.sort();
        format!("{below}\n{headers:?}\n{}", reply.text())
    };
    below.into_iter().map(read).collect()
}

on_both_databases! {
    fn everything_is_the_same_after_a_restart(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        fill(&service);
        let before = everything(&service);
        let database = service.stop();

        let clock = handslag::service::Clock::at(crate::support::at("2026-03-12T09:00:00+01:00"));
        let service = Service::start_at(&database, clock);
        for (before, after) in before.iter().zip(everything(&service)) {
            assert_eq!(*before, after);
        }
        // And it goes on where it was.
        let next = service.submit("0115", FIVE).is(201).json();
        assert_eq!([&next["revision"], &next["sequence"]], [&json!(3), &json!(9)]);
    }

    fn the_log_has_no_gaps_and_its_hashes_chain_from_the_definition(database: Database) {
        let service = Service::start(&database);
        let draft = definition(json!({ "opensAt": "2026-03-10T12:00:00.5+01:00" }));
        let made = service.request("POST", "/rounds").by(Caller::Manager).json(&draft).send().is(201).json();
        service.set_time("2026-03-10T12:00:01+01:00");
        service.wait_for_state(ROUND, "open");
        service.set_time("2026-03-10T12:00:02+01:00");
        fill(&service);
        for state in ["closed", "certified", "corrected"] {
            service.step(ROUND, state);
        }
        let entries = log(&service);
        let kinds: Vec<&str> = entries.iter().map(|entry| &*entry.kind).collect();
        assert_eq!(kinds, [
            "opening", "ballot", "ballot", "ballot", "ballot", "withdrawal", "extension", "ballot", "closing",
            "certification", "correction",
        ]);

        let mut head = made["logHead"].as_str().unwrap().to_owned();
        for (i, entry) in entries.iter().enumerate() {
            assert_eq!(entry.sequence, i as u64 + 1);
            head = hex(&Sha256::new().chain_update(unhex(&head)).chain_update(&entry.canonical).finalize());
            assert_eq!(entry.hash.to_string(), head, "entry {}", entry.sequence);
            // The canonical form is what anyone else's RFC 8785 writes of the same document.
            let document: Value = serde_json::from_str(&entry.canonical).unwrap();
            assert_eq!(document.to_string(), entry.canonical);
            for (member, expected) in [
                ("sequence", json!(entry.sequence)),
                ("kind", json!(entry.kind)),
                ("roundId", json!(ROUND)),
                ("at", json!(entry.at.to_string())),
            ] {
                assert_eq!(document[member], expected, "{member} of {}", entry.canonical);
            }
            assert!(!entry.canonical.contains("KS 2026/12"), "a private text stays out of the log");
        }
        assert_eq!(document_of(&entries[0])["definition"], made["logHead"]);
        let round = service.get(PATH).send().is(200).json();
        assert_eq!(round["logHead"], head);
        let result = service.get(&format!("{PATH}/results")).send().is(200).json();
        assert_eq!([&result["logHead"], &result["sequence"]], [&json!(head), &json!(11)]);
    }

    fn a_receipt_is_signed_and_names_the_entry_and_the_root_of_the_log(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let replies = [service.submit("0180", FIVE), service.submit("0114", OTHER), service.submit("0180", OTHER)];
        let entries = log(&service);
        let key = SigningKey::load_or_create(database.folder(), Purpose::Log).unwrap();
        let other = SigningKey::load_or_create(database.folder(), Purpose::Tokens).unwrap();
        for reply in &replies {
            let stated = &reply.json()["receipt"];
            let signature = stated["signature"].as_str().unwrap();
            let receipt = receipt::verify(signature, key.decoding()).expect("signed by the log's key");
            assert!(receipt::verify(signature, other.decoding()).is_err(), "not by the key of tokens");
            let sequence = usize::try_from(receipt.sequence).unwrap();
            let entry = &entries[sequence - 1];
            let mut hashes: Vec<Hash> = entries.iter().map(|entry| entry.hash).collect();
            assert_eq!(receipt.round.as_str(), ROUND);
            assert_eq!((receipt.entry, receipt.at), (entry.hash, entry.at));
            assert_eq!(receipt.root, merkle::root(&mut hashes[..], receipt.sequence).unwrap());
            assert_eq!(*stated, json!({
                "roundId": ROUND, "sequence": sequence, "entryHash": entry.hash.to_string(),
                "treeSize": sequence, "root": receipt.root.to_string(), "acceptedAt": entry.at.to_string(),
                "signature": signature,
            }));
        }
        // Whoever lost it is given the same again.
        let again = service.get(&format!("{PATH}/ballots/0180")).by(Caller::Participant("0180")).send().is(200);
        assert_eq!(again.json(), replies[2].json());
    }

    fn the_database_itself_refuses_to_change_the_log(database: Database) {
        use diesel::connection::SimpleConnection;

        let service = Service::start(&database);
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        let before = log(&service);
        let mut conn = service.store().connect().unwrap();
        for statement in [
            "DELETE FROM log_entries",
            "UPDATE log_entries SET event = '{}'",
            "UPDATE log_entries SET hash = 'x' WHERE sequence = 1",
        ] {
            assert!(conn.batch_execute(statement).is_err(), "{statement}");
        }
        assert_eq!(log(&service), before);
    }
}

fn document_of(entry: &LogEntry) -> Value {
    serde_json::from_str(&entry.canonical).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Hash(bytes.try_into().expect("SHA-256 has 32 bytes")).to_string()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn a_database_that_has_gone_back_is_followed_back() {
    use diesel::connection::SimpleConnection;

    let service = Service::start(&crate::support::Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    service.submit("0114", OTHER).is(201);
    // As after a restore under a running service: the newest entry is not there any more.
    let before = log(&service)[1].clone();
    let mut conn = service.store().connect().unwrap();
    conn.batch_execute(&format!(
        "BEGIN IMMEDIATE; DROP TRIGGER log_entries_are_not_deleted; DELETE FROM log_entries WHERE sequence = 3;
         DELETE FROM ballots WHERE participant_code = '0114';
         UPDATE rounds SET sequence = 2, head = '{}'; COMMIT",
        before.hash
    ))
    .unwrap();
    crate::support::until("the result is that of the database", || {
        let result = service.get(&format!("{PATH}/results")).by(Caller::Analyst).send().is(200).json();
        (result["logHead"] == before.hash.to_string()).then_some(())
    });
    let next = service.submit("0115", OTHER).is(201).json();
    assert_eq!([&next["sequence"], &next["revision"]], [&json!(3), &json!(1)]);
    let result = service.get(&format!("{PATH}/results")).by(Caller::Analyst).send().is(200).json();
    assert_eq!([&result["sequence"], &result["counted"]], [&json!(3), &json!(2)]);
}
