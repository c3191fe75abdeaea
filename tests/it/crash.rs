//! The program, killed again and again while it is being written to: every ballot that it acknowledged is there when
//! it starts again, as it was acknowledged, and nothing is there by halves.
//!
//! A kill leaves what the system has been handed. That it was handed to the disk as well is the matter of `durable`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::support::replay::Replay;
use crate::support::{Caller, FIVE, Service, in_ci, initiatives, municipality_codes, on_both_databases};

const CLIENTS: u64 = 4;

on_both_databases! {
    fn what_was_acknowledged_survives_every_kill(database: Database) {
        kill(&database, if in_ci() { 50 } else { 3 });
    }

    #[ignore = "as many as the variable KILLS says: a thousand take ten minutes"]
    fn what_was_acknowledged_survives_as_many_kills_as_asked_for(database: Database) {
        #[expect(clippy::disallowed_methods, reason = "a property of the test run, not a setting of the service")]
        let kills = std::env::var("KILLS").unwrap_or_else(|_| "1000".to_owned());
        kill(&database, kills.parse().expect("KILLS is a number"));
    }
}

/// A ballot as a client was told that it was accepted; the texts that it had are in it.
type Acknowledged = Value;

fn kill(database: &crate::support::Database, kills: u64) {
    let mut service = Service::start_program(database);
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(864_000).to_string(),
    }));
    let known = Mutex::default();
    let mut replay = Replay::default();
    let mut receipts: Vec<(u64, String)> = Vec::new();
    for cycle in 0..kills {
        let acknowledged = submit_until_killed(&service, cycle, &known);
        drop(service);
        service = Service::start_program(database);
        // Opened after the program, and closed before it is killed: its files are its own to mend.
        replay.go_on(&database.open());
        check(&service, cycle, &acknowledged, &replay);
        receipts.extend(acknowledged.iter().map(receipt));
    }
    let replay = Replay::of(&database.open());
    for (sequence, hash) in &receipts {
        let entry = &replay.entries[usize::try_from(*sequence).unwrap() - 1];
        assert_eq!(entry.hash.to_string(), *hash, "entry {sequence}");
    }
    assert!(receipts.len() as u64 >= kills, "the program was killed while it worked");
    let told = format!(
        "{kills} kills, {} ballots acknowledged, {} in the log: none lost, none by halves\n",
        receipts.len(),
        replay.entries.len() - 1
    );
    // Nobody else says how much a run has tried.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
}

fn receipt(acknowledged: &Acknowledged) -> (u64, String) {
    let receipt = &acknowledged["receipt"];
    (receipt["sequence"].as_u64().unwrap(), receipt["entryHash"].as_str().unwrap().to_owned())
}

/// Several submit what comes to their minds until the program is killed; what they were answered.
fn submit_until_killed(
    service: &Service,
    cycle: u64,
    known: &Mutex<BTreeMap<String, u64>>,
) -> Vec<Acknowledged> {
    let acknowledged: Mutex<Vec<Acknowledged>> = Mutex::default();
    let killed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (acknowledged, killed) = (&acknowledged, &killed);
            let mut random = ChaCha8Rng::seed_from_u64(cycle * (CLIENTS + 1) + client);
            scope.spawn(move || {
                loop {
                    match submit(service, &mut random, known, killed) {
                        Learnt::Accepted(ballot) => acknowledged.lock().unwrap().push(ballot),
                        Learnt::Refused => {}
                        Learnt::Nothing => break,
                    }
                }
            });
        }
        let mut random = ChaCha8Rng::seed_from_u64(cycle * (CLIENTS + 1) + CLIENTS);
        std::thread::sleep(Duration::from_millis(random.gen_range(5..=300)));
        killed.store(true, Ordering::SeqCst);
        service.kill();
    });
    acknowledged.into_inner().unwrap()
}

/// What a client learns of a ballot that it sent.
enum Learnt {
    Accepted(Acknowledged),
    Refused,
    Nothing,
}

/// Submits one ballot; nothing is learnt of it when the program is gone.
fn submit(
    service: &Service,
    random: &mut ChaCha8Rng,
    known: &Mutex<BTreeMap<String, u64>>,
    killed: &AtomicBool,
) -> Learnt {
    let codes = municipality_codes();
    let code = &codes[random.gen_range(0..codes.len())];
    let initiatives = initiatives();
    let mut ids: Vec<&Value> = initiatives.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    let ranking: Vec<&Value> = (0..5).map(|_| ids.swap_remove(random.gen_range(0..ids.len()))).collect();
    let comment = random.r#gen::<bool>().then(|| format!("Kommentar {}", random.r#gen::<u32>()));
    let request = service.put(&format!("/rounds/handslag-2026/ballots/{code}"));
    let request = match (random.gen_range(0..3), known.lock().unwrap().get(code)) {
        (0, Some(revision)) => request.header("If-Match", &format!("\"{revision}\"")),
        (1, _) => request.header("If-None-Match", "*"),
        _ => request,
    };
    let body = json!({ "ranking": ranking, "comment": comment });
    // Whoever gets no answer, or half of one, knows nothing; only what was answered counts.
    let Ok(reply) = request.by(Caller::Participant(code)).json(&body).try_exchange() else {
        assert!(killed.load(Ordering::SeqCst), "no answer before the kill");
        return Learnt::Nothing;
    };
    if reply.status == 412 {
        return Learnt::Refused;
    }
    assert!(matches!(reply.status, 200 | 201), "{reply}");
    let accepted = reply.json();
    assert_eq!([&accepted["ranking"], &accepted["comment"]], [&json!(ranking), &json!(comment)]);
    let revision = accepted["revision"].as_u64().unwrap();
    let mut known = known.lock().unwrap();
    let newest = known.entry(code.clone()).or_default();
    *newest = revision.max(*newest);
    Learnt::Accepted(accepted)
}

/// Everything that was acknowledged is what the program, started again, has and says.
fn check(service: &Service, cycle: u64, acknowledged: &[Acknowledged], replay: &Replay) {
    let mut of: BTreeMap<&str, Vec<&Acknowledged>> = BTreeMap::new();
    for ballot in acknowledged {
        of.entry(ballot["participantCode"].as_str().unwrap()).or_default().push(ballot);
    }
    for (code, ballots) in of {
        let path = format!("/rounds/handslag-2026/ballots/{code}");
        let newest = service.get(&path).by(Caller::Analyst).send().is(200).json();
        let revisions =
            service.get(&format!("{path}/revisions?limit=100")).by(Caller::Analyst).send().is(200);
        let revisions = revisions.json();
        for accepted in ballots {
            let told = format!("cycle {cycle}: {accepted}");
            assert!(newest["revision"].as_u64() >= accepted["revision"].as_u64(), "{told}\n{newest}");
            if newest["revision"] == accepted["revision"] {
                assert_eq!(newest, *accepted, "cycle {cycle}");
            }
            let revisions = revisions["revisions"].as_array().unwrap();
            let found = revisions.iter().find(|one| one["revision"] == accepted["revision"]);
            let found = found.unwrap_or_else(|| panic!("{told}\nis not among {revisions:?}"));
            for member in ["ranking", "engagements", "reference", "comment", "sequence", "acceptedAt"] {
                assert_eq!(found[member], accepted[member], "{member} of {told}");
            }
            let receipt = &accepted["receipt"];
            assert_eq!(
                [&found["entryHash"], &found["acceptedAt"], &found["sequence"]],
                [&receipt["entryHash"], &receipt["acceptedAt"], &receipt["sequence"]],
                "{told}"
            );
            let entry = &replay.entries[usize::try_from(accepted["sequence"].as_u64().unwrap()).unwrap() - 1];
            assert_eq!(receipt["entryHash"], entry.hash.to_string(), "{told}");
        }
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
