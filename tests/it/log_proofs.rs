//! The log as it can be read, and what can be proved of it with nothing but the replies.

use diesel::connection::SimpleConnection;
use handslag::domain::{Ballot, Hash, ParticipantCode, Precondition, Ranking, RoundId, Submission};
use handslag::identity::receipt;
use handslag::service::merkle::{extends, includes};
use handslag::service::{Clock, ballots, ledger, log};
use handslag::store::{self, Store};
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::replay::Replay;
use crate::support::{Caller, Database, FIVE, ROUND, Service, municipality_codes, on_both_databases};

const PATH: &str = "/rounds/handslag-2026";

/// Fills the log up to a size, past the service; and waits until that has seen it.
fn fill(service: &Service, size: u64) {
    let id: RoundId = ROUND.parse().unwrap();
    let mut conn = service.store().connect().expect("the test's database");
    let codes: Vec<ParticipantCode> = municipality_codes().iter().map(|code| code.parse().unwrap()).collect();
    let (filled, ()) = ledger::change(&mut conn, &id, None, &Clock::at(service.now()), |change| {
        let mut turn = 0_u8;
        for code in codes.iter().cycle() {
            if change.ledger.round.sequence == size {
                break;
            }
            turn = (turn + 1) % 9;
            let ranking = Ranking::of_places(&[turn, turn + 1, turn + 2, turn + 3, turn + 4]).unwrap();
            let ballot =
                Ballot { ranking, engagements: Vec::new(), reference: None, comment: None, synthetic: false };
            let submission = Submission {
                participant: code.clone(),
                precondition: Precondition::None,
                ballot: Some(ballot),
                round_revision: change.ledger.round.revision,
                nonce: log::nonce(),
            };
            ballots::submit(change, &submission).expect("accepted");
        }
    })
    .expect("written");
    assert_eq!(filled.round.sequence, size);
    service.get(&format!("{PATH}?minSequence={size}")).send().is(200);
}

fn hash(value: &Value) -> Hash {
    value.as_str().and_then(|text| text.parse().ok()).expect("a hash")
}

fn path(proof: &Value) -> Vec<Hash> {
    proof["path"].as_array().expect("a path").iter().map(hash).collect()
}

/// The key that signs, as anyone gets it.
fn key(service: &Service) -> DecodingKey {
    let set = service.get("/log-keys").send().is(200);
    assert_eq!(set.field("Cache-Control"), "public, max-age=0, must-revalidate");
    let set = set.json();
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    DecodingKey::from_ed_components(set["keys"][0]["x"].as_str().unwrap()).expect("an Ed25519 key")
}

/// The root that a proof's head vouches for.
#[track_caller]
fn head(proof: &Value, key: &DecodingKey) -> (u64, Hash) {
    let signed =
        receipt::verify(proof["head"]["signature"].as_str().unwrap(), key).expect("signed by the log's key");
    assert_eq!(json!([signed.sequence, signed.root.to_string()]), json!([proof["treeSize"], proof["root"]]));
    assert_eq!(signed.entry, hash(&proof["head"]["entryHash"]));
    (signed.sequence, signed.root)
}

/// Asks for proofs about the first entries, so many, for each of these sizes; and holds them against the log.
#[track_caller]
fn proves(service: &Service, key: &DecodingKey, sizes: &[u64]) {
    let id: RoundId = ROUND.parse().unwrap();
    let entries = service.store().read(|conn| store::log::after(conn, &id, 0, 10_000)).unwrap();
    for &size in sizes {
        for of in [1, 2, 100, 255, 256, 257, 512, 513, 699, 700].into_iter().filter(|of| *of <= size) {
            let query = format!("treeSize={size}");
            let reply = service.get(&format!("{PATH}/log-proofs?sequence={of}&{query}")).send().is(200);
            assert_eq!(reply.field("Cache-Control"), "public, max-age=31536000, immutable");
            let proof = reply.json();
            let (stated, root) = head(&proof, key);
            let entry = hash(&proof["entryHash"]);
            assert_eq!((stated, entry), (size, entries[usize::try_from(of).unwrap() - 1].hash));
            assert!(includes(entry, of - 1, size, &path(&proof), root), "{of} in {size}");

            let proof = service.get(&format!("{PATH}/log-proofs?from={of}&{query}")).send().is(200).json();
            let (_, root) = head(&proof, key);
            assert!(
                extends((of, hash(&proof["fromRoot"])), (size, root), &path(&proof)),
                "{of} before {size}"
            );
        }
    }
}

/// Takes stored nodes of the tree away, as a program from before there were any would have left it.
fn forget(store: &Store, which: &str) {
    let mut conn = store.connect().expect("the test's database");
    conn.batch_execute(&format!("DELETE FROM log_subtrees WHERE {which}")).expect("nothing guards them");
}

on_both_databases! {
    fn every_entry_and_every_earlier_log_can_be_proved(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let key = key(&service);
        fill(&service, 700);
        proves(&service, &key, &[1, 2, 3, 255, 256, 257, 511, 512, 513, 640, 700]);
        // Without a size it is of all there is, and is asked for again.
        let newest = service.get(&format!("{PATH}/log-proofs?sequence=17")).send().is(200);
        assert_eq!(newest.field("Cache-Control"), "public, max-age=0, must-revalidate");
        assert_eq!(newest.json()["treeSize"], 700);
    }

    fn what_is_lacking_of_the_tree_of_an_older_log_is_filled_in(database: Database) {
        let mut service = Service::start(&database);
        service.open_round(json!({}));
        let key = key(&service);
        fill(&service, 700);
        for lacking in ["position >= 0", "position = 0"] {
            forget(service.store(), lacking);
            proves(&service, &key, &[512, 700]);
            service = Service::start(&service.stop());
            Replay::of(service.store());
            proves(&service, &key, &[512, 700]);
        }
        // An older program that went on writing beside this one leaves gaps; what is added stands in its place.
        forget(service.store(), "position = 1");
        fill(&service, 800);
        proves(&service, &key, &[513, 700, 768, 800]);
        service = Service::start(&service.stop());
        Replay::of(service.store());
    }

    fn the_whole_log_comes_as_lines_that_chain_from_the_definition_to_a_signed_head(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let later = json!({ "closesAt": "2026-04-07T23:59:59+02:00" });
        service.request("PATCH", PATH).by(Caller::Manager).json(&later).send().is(200);
        fill(&service, 2_300);
        let reply = service.get(&format!("{PATH}/log-entries?format=ndjson")).by(Caller::Analyst).send().is(200);
        assert_eq!(reply.field("Content-Type"), "application/x-ndjson");
        let lines: Vec<&str> = reply.text().lines().collect();
        assert_eq!(lines.len(), 2_302);
        let mut before = Vec::new();
        for line in &lines[..2_301] {
            let member = if before.is_empty() { "{\"definition\":" } else { "{\"event\":" };
            let (content, stated) = line.strip_prefix(member).unwrap().rsplit_once(",\"hash\":\"").unwrap();
            let digest = Sha256::new().chain_update(&before).chain_update(content).finalize();
            let hash = Hash(digest.into());
            assert_eq!(format!("{hash}\"}}"), stated);
            before = hash.0.to_vec();
        }
        let last: Value = serde_json::from_str(lines[2_301]).unwrap();
        let signed = receipt::verify(last["receipt"]["signature"].as_str().unwrap(), &key(&service)).unwrap();
        assert_eq!((signed.sequence, signed.entry.0.to_vec()), (2_300, before));
    }

    fn the_log_is_read_page_by_page(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "ballotBook": "open" }));
        fill(&service, 45);
        let first = service.get(&format!("{PATH}/log-entries")).send().is(200);
        assert_eq!(first.field("Cache-Control"), "no-store");
        let mut listed: Vec<Value> = first.json()["logEntries"].as_array().unwrap().clone();
        for page in [2, 3, 4] {
            let document = service.get(&format!("{PATH}/log-entries?page={page}")).send().is(200).json();
            assert_eq!([&document["_meta"]["totalRecords"], &document["sequence"]], [&json!(45), &json!(45)]);
            listed.extend(document["logEntries"].as_array().unwrap().clone());
        }
        assert_eq!(listed.len(), 45);
        let id: RoundId = ROUND.parse().unwrap();
        let entries = service.store().read(|conn| store::log::after(conn, &id, 0, 100)).unwrap();
        for (entry, shown) in entries.iter().zip(&listed) {
            assert_eq!(shown["event"].to_string(), entry.canonical, "what is hashed");
            assert_eq!(*shown, json!({
                "sequence": entry.sequence, "acceptedAt": entry.at.to_string(), "kind": entry.kind,
                "hash": entry.hash.to_string(), "event": shown["event"],
            }));
        }
        service.get(&format!("{PATH}/log-entries?page=0")).send().is(200);
    }
}

#[test]
fn a_proof_of_what_is_not_there_is_refused_with_every_fault() {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    for (query, faults) in [
        ("", &[("sequence", "parameter")][..]),
        ("?sequence=1&from=1", &[("from", "parameter")]),
        ("?sequence=3", &[("sequence", "parameter")]),
        ("?sequence=2&treeSize=1", &[("sequence", "parameter")]),
        ("?from=0", &[("from", "parameter")]),
        ("?from=2&treeSize=3", &[("treeSize", "parameter")]),
        (
            "?treeSize=0&sequence=x&x=1",
            &[("x", "unknown-parameter"), ("treeSize", "parameter"), ("sequence", "parameter")],
        ),
    ] {
        let refused = service.get(&format!("{PATH}/log-proofs{query}")).send().is(400);
        let expected: Vec<(String, String)> =
            faults.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
        assert_eq!(refused.faults(), expected, "{query}");
    }
    service.get(&format!("{PATH}/log-entries?format=ndjson&page=1")).by(Caller::Analyst).send().is(400);
    service.get("/rounds/finns-inte/log-proofs?sequence=1").send().is(404);
}

#[test]
fn the_log_of_a_draft_is_for_managers_and_empty() {
    let service = Service::start(&Database::sqlite());
    service.create(&crate::support::definition(json!({ "opensAt": "2026-03-20T08:00:00+01:00" })));
    let manager = Caller::Manager;
    service.get(&format!("{PATH}/log-entries")).by(Caller::Analyst).send().is(404);
    let empty = service.get(&format!("{PATH}/log-entries")).by(manager).send().is(200).json();
    assert_eq!(empty["logEntries"], json!([]));
    let lines = service.get(&format!("{PATH}/log-entries?format=ndjson")).by(manager).send().is(200);
    assert_eq!(lines.text().lines().count(), 1, "its definition only");
    service.get(&format!("{PATH}/log-proofs?sequence=1")).send().is(404);
    let refused = service.get(&format!("{PATH}/log-proofs?sequence=1")).by(manager).send().is(400);
    assert_eq!(refused.faults(), [("treeSize".to_owned(), "not-yet".to_owned())]);
}
