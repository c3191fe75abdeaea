//! The program, killed while it is being written to: what it acknowledged is there when it starts again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Caller, FIVE, Service, municipality_codes, on_both_databases, until};

on_both_databases! {
    fn what_was_acknowledged_survives_a_kill(database: Database) {
        let service = Service::start_program(&database);
        let now = service.now();
        service.open_round(json!({
            "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
        }));
        let acknowledged: Mutex<BTreeMap<String, Value>> = Mutex::default();
        let killed = AtomicBool::new(false);
        let codes = municipality_codes();
        std::thread::scope(|scope| {
            for codes in codes.chunks(73) {
                let (acknowledged, killed, service) = (&acknowledged, &killed, &service);
                scope.spawn(move || {
                    for code in codes {
                        let path = format!("/rounds/handslag-2026/ballots/{code}");
                        let request = service.put(&path).by(Caller::Participant(code));
                        // Whoever gets no answer knows nothing; only what was answered counts.
                        let Ok(reply) = request.json(&json!({ "ranking": FIVE })).try_exchange() else {
                            assert!(killed.load(Ordering::SeqCst), "no answer before the kill");
                            return;
                        };
                        acknowledged.lock().unwrap().insert(code.clone(), reply.is(201).json());
                    }
                });
            }
            until("some have answered", || (acknowledged.lock().unwrap().len() > 25).then_some(()));
            killed.store(true, Ordering::SeqCst);
            service.kill();
        });
        drop(service);
        let acknowledged = acknowledged.into_inner().unwrap();

        let service = Service::start_program(&database);
        for (code, accepted) in &acknowledged {
            let path = format!("/rounds/handslag-2026/ballots/{code}");
            assert_eq!(service.get(&path).by(Caller::Analyst).send().is(200).json(), *accepted);
        }
        let round = service.get("/rounds/handslag-2026").send().is(200).json();
        let participation = service.get("/rounds/handslag-2026/participation").send().is(200).json();
        let answered = participation["answered"].as_u64().unwrap();
        assert!(answered >= acknowledged.len() as u64);
        assert_eq!(round["sequence"].as_u64(), Some(answered + 1), "an entry for each, and the opening");
    }
}

#[test]
fn neither_tokens_nor_what_was_written_stand_in_the_log() {
    let database = crate::support::Database::sqlite();
    let service = Service::start_program(&database);
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    let token = service.token(Caller::Participant("0180")).unwrap();
    let own = "/rounds/handslag-2026/ballots/0180";
    let secrets = ["Anna Andersson", "KS-hemligt", &token, token.rsplit_once('.').unwrap().1, "FELSTAVAT"];
    let body = json!({ "ranking": FIVE, "comment": secrets[0], "reference": secrets[1] });
    service.put(own).by(Caller::Token(&token)).json(&body).send().is(201);
    let wrong = json!({ "ranking": [], "comment": secrets[0], "reference": secrets[1] });
    service.put(own).by(Caller::Token(&token)).json(&wrong).send().is(422);
    service
        .put(own)
        .by(Caller::Token(&token))
        .body("application/json", "{\"FELSTAVAT\": \"Anna Andersson\"}")
        .send()
        .is(400);
    service.get(&format!("{own}?access_token={token}")).send().is(401);
    service.get(&format!("{own}/FELSTAVAT?comment=KS-hemligt")).send().is(404);
    service.get(own).by(Caller::Token(&format!("{token}x"))).send().is(401);
    drop(service);
    let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
    assert!(log.contains("/rounds/{roundId}/ballots/{participantCode}"), "the exchanges are logged\n{log}");
    for secret in secrets {
        assert!(!log.contains(secret), "{secret}\n{log}");
    }
}
