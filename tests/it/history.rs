//! A round as it was: the same from the log's indexes as by playing the log from the start.

use handslag::domain::{
    Ballot, Definition, Instant, ParticipantCode, Precondition, Ranking, RoundId, State, Submission,
};
use handslag::service::ledger::{self, Ledger};
use handslag::service::rounds::{self, Command};
use handslag::service::{Clock, ballots, history, log};
use handslag::store::ballots::Current;
use handslag::store::{self, Conn};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::support::{ROUND, Service, at, definition, municipalities, on_both_databases};

/// Everything that a ledger says.
type Said<'a> =
    (&'a handslag::domain::Round, u64, &'a handslag::service::merkle::Frontier, Vec<Option<&'a Current>>);

fn said(ledger: &Ledger) -> Said<'_> {
    let latest = ledger.roll.participants().iter().map(|participant| ledger.latest(&participant.code));
    (&ledger.round, ledger.synthetic, &ledger.tree, latest.collect())
}

#[track_caller]
fn same(ledger: &Ledger, expected: &Ledger) {
    assert_eq!(said(ledger), said(expected));
    assert_eq!(ledger.profile, expected.profile);
    assert_eq!(ledger.counts, expected.counts);
}

fn submission(participant: &ParticipantCode, ledger: &Ledger, random: &mut ChaCha8Rng) -> Submission {
    let mut places: Vec<u8> = (0..u8::try_from(ledger.slate.len()).unwrap()).collect();
    places.shuffle(random);
    places.truncate(ledger.round.definition.picks.max);
    let ranking = Ranking::of_places(&places).expect("shuffled");
    let synthetic = random.gen_ratio(1, 4);
    let ballot = Ballot { ranking, engagements: Vec::new(), reference: None, comment: None, synthetic };
    let withdraws = ledger.current(participant).is_some() && random.gen_ratio(2, 5);
    Submission {
        participant: participant.clone(),
        precondition: Precondition::None,
        ballot: (!withdraws).then_some(ballot),
        round_revision: ledger.round.revision,
        nonce: log::nonce(),
    }
}

/// Gives a draft a life: ballots, replacements, withdrawals, extensions, several at the same time, to its end.
fn live(conn: &mut Conn, id: &RoundId, draft: &Ledger, random: &mut ChaCha8Rng) {
    let Definition { opens_at, closes_at, .. } = draft.round.definition;
    let codes: Vec<ParticipantCode> = draft.roll.participants().iter().map(|p| p.code.clone()).collect();
    let (mut now, mut closes_at) = (opens_at, closes_at);
    for _ in 0..40 {
        now = now.plus_seconds(random.gen_range(0..3));
        let clock = Clock::at(now);
        if random.gen_ratio(1, 15) {
            closes_at = closes_at.plus_seconds(60);
            rounds::command(conn, id, None, &clock, Command::Extend(closes_at), |_| true).expect("extended");
        }
        let (_, refused) = ledger::change(conn, id, None, &clock, |change| {
            let mut refused = 0;
            for _ in 0..random.gen_range(0..4) {
                let code = codes.choose(random).expect("a roll");
                let submission = submission(code, &change.ledger, random);
                refused += u32::from(ballots::submit(change, &submission).is_err());
            }
            refused
        })
        .expect("written");
        assert_eq!(refused, 0);
    }
    let clock = Clock::at(now.plus_seconds(1));
    for state in ["closed", "certified", "corrected"] {
        let Value::Object(step) = json!({ "state": state }) else { unreachable!() };
        rounds::command(conn, id, None, &clock, Command::Patch(step), |_| true).expect("a step");
    }
}

on_both_databases! {
    fn a_round_as_it_was_is_what_its_log_makes_of_it(database: Database) {
        let random = &mut ChaCha8Rng::seed_from_u64(20_261_123);
        let store = database.open();
        let mut conn = store.connect().expect("the test's database");
        for round in 0..4 {
            let roll: Vec<Value> = municipalities().as_array().unwrap()[..7].to_vec();
            let name = format!("omgang-{round}");
            let service = Service::start(&database);
            service.create(&definition(json!({
                "id": name, "participants": roll, "picksMin": 1, "opensAt": "2026-03-20T08:00:00+01:00",
            })));
            drop(service);
            let id: RoundId = name.parse().unwrap();
            let draft = ledger::read(&store, &id).expect("the draft");
            assert_eq!(draft.round.state, State::Draft);
            live(&mut conn, &id, &draft, random);

            let entries = store::log::after(&mut conn, &id, 0, 10_000).expect("the log");
            let mut states = vec![Ledger::clone(&draft)];
            for entry in &entries {
                let mut next = states.last().expect("the draft at least").clone();
                next.apply(entry, &log::event(entry).expect("our own entry")).expect("of our own round");
                states.push(next);
            }
            let newest = ledger::read(&store, &id).expect("the round");
            assert_eq!(newest.round.state, State::Corrected);
            same(states.last().unwrap(), &newest);
            let anchor = log::definition_hash(&id, &newest.round.first_definition(), &newest.slate, &newest.roll);
            assert_eq!(anchor, draft.round.head, "what the chain starts from is still known");
            for sequence in 1..states.len() {
                // Seen from the end, and from any state between.
                for from in [states.len() - 1, random.gen_range(sequence..states.len())] {
                    let past = history::as_of(&mut conn, &states[from], sequence as u64).expect("it was");
                    same(&past, &states[sequence]);
                }
            }
        }
    }

    fn the_newest_entry_at_a_moment_is_found(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        for (i, moment) in ["12:00:00", "12:00:01", "12:00:01", "12:00:01", "12:00:05"].into_iter().enumerate() {
            service.set_time(&format!("2026-03-10T{moment}+01:00"));
            service.submit(&crate::support::municipality_codes()[i], crate::support::FIVE).is(201);
        }
        let id: RoundId = ROUND.parse().unwrap();
        let found = |moment: Instant| {
            service.store().read(|conn| history::sequence_at(conn, &id, moment, 6)).expect("it can be read")
        };
        for (moment, expected) in [
            ("2026-03-02T07:59:59.999999+01:00", None),
            ("2026-03-10T11:59:59.999999+01:00", None),
            ("2026-03-10T12:00:00+01:00", Some(2)),
            ("2026-03-10T12:00:00.999999+01:00", Some(2)),
            ("2026-03-10T12:00:01+01:00", Some(5)),
            ("2026-03-10T12:00:04+01:00", Some(5)),
            ("2026-03-10T12:00:05+01:00", Some(6)),
            ("2027-01-01T00:00:00Z", Some(6)),
        ] {
            assert_eq!(found(at(moment)), expected, "{moment}");
        }
    }
}
