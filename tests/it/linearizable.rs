//! What eight clients are told of five ballots is what could have happened one after the other; and the checker that
//! says so refuses what could not.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::support::register::{Asked, On, Operation, Promise, Told, is_linearizable};
use crate::support::{
    Caller, Reply, Service, definition, in_ci, initiatives, municipality_codes, on_both_databases, until,
};

const CLIENTS: usize = 8;
const BALLOTS: usize = 5;
/// How many operations each client sends in a history.
const OPERATIONS: usize = 6;

on_both_databases! {
    fn what_clients_of_one_instance_are_told_has_an_order(database: Database) {
        let service = Service::start(&database);
        check_histories(&[&service], Promise::Newest);
    }

    fn what_clients_of_two_instances_are_told_has_an_order(database: Database) {
        let first = Service::start(&database);
        let second = Service::start(&database);
        check_histories(&[&first, &second], Promise::OwnWrites);
    }
}

fn check_histories(services: &[&Service], promise: Promise) {
    let codes = municipality_codes();
    let fresh: Vec<&[String]> = codes.chunks_exact(BALLOTS).collect();
    for seed in 0..if in_ci() { 200 } else { 4 } {
        let place = usize::try_from(seed).unwrap() % fresh.len();
        // Each history is about ballots that nobody had submitted.
        let round = format!("omgang-{}", seed / fresh.len() as u64);
        if place == 0 {
            services[0].create(&definition(json!({ "id": round })));
            for service in services {
                until("every instance has it open", || {
                    let reply = service.get(&format!("/rounds/{round}")).by(Caller::Manager).exchange();
                    (reply.status == 200 && reply.json()["state"] == "open").then_some(())
                });
            }
        }
        for (code, operations) in fresh[place].iter().zip(history(services, &round, fresh[place], seed)) {
            let told: Vec<String> = operations.iter().map(|operation| format!("{operation:?}")).collect();
            assert!(
                is_linearizable(&operations, promise),
                "seed {seed}: nothing explains what was told of {code}:\n{}",
                told.join("\n")
            );
        }
    }
}

/// Lets the clients ask at random, and gives the operations on each ballot.
fn history(services: &[&Service], round: &str, codes: &[String], seed: u64) -> Vec<Vec<Operation>> {
    let clock = AtomicU64::new(0);
    let clients = std::thread::scope(|scope| {
        let client = |number: usize| {
            let clock = &clock;
            scope.spawn(move || client(services, round, codes, clock, seed, number))
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().map(|client| client.join().expect("a client ends")).collect::<Vec<_>>()
    });
    let mut operations: Vec<Vec<Operation>> = vec![Vec::new(); codes.len()];
    for (ballot, operation) in clients.into_iter().flatten() {
        operations[ballot].push(operation);
    }
    // In the end every instance shows the same, and that is part of what must have an order.
    for (ballot, code) in codes.iter().enumerate() {
        let last = until("every instance shows the same", || {
            let ask = |instance: usize| operation(services, round, code, &clock, instance, Asked::Get);
            let last: Vec<Operation> = (0..services.len()).map(ask).collect();
            let told = |operation: &Operation| operation.told.as_ref().map(|(_, told)| told.clone());
            last.iter().all(|one| told(one) == told(&last[0])).then_some(last)
        });
        operations[ballot].extend(last);
    }
    operations
}

fn client(
    services: &[&Service],
    round: &str,
    codes: &[String],
    clock: &AtomicU64,
    seed: u64,
    number: usize,
) -> Vec<(usize, Operation)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed * CLIENTS as u64 + number as u64);
    let mut known = vec![0; codes.len()];
    let mut done = Vec::new();
    for _ in 0..OPERATIONS {
        let ballot = random.gen_range(0..codes.len());
        let instance = random.gen_range(0..services.len());
        let on = match random.gen_range(0..4) {
            0 => On::Anything,
            1 => On::Absence,
            _ => On::Revision(known[ballot]),
        };
        let asked = match random.gen_range(0..10) {
            0..=3 => Asked::Get,
            4 => Asked::Delete(on),
            _ => Asked::Put(ranking(&mut random), on),
        };
        let operation = if !matches!(asked, Asked::Get) && random.gen_ratio(1, 12) {
            // Gone before the answer comes: whether it was done, nobody has said.
            let sent = clock.fetch_add(1, Ordering::SeqCst);
            drop(request(services[instance], round, &codes[ballot], &asked).send_off());
            Operation { instance, asked, sent, told: None }
        } else {
            operation(services, round, &codes[ballot], clock, instance, asked)
        };
        if let Some((_, Told::Ballot(revision, _) | Told::Accepted(revision, _))) = operation.told {
            known[ballot] = revision;
        }
        done.push((ballot, operation));
    }
    done
}

/// Five of the thirteen in some order: so many orders that two writes are hardly ever the same.
fn ranking(random: &mut ChaCha8Rng) -> String {
    let initiatives = initiatives();
    let mut ids: Vec<&str> =
        initiatives.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let picks: Vec<&str> = (0..5).map(|_| ids.swap_remove(random.gen_range(0..ids.len()))).collect();
    picks.join(" ")
}

fn request<'a>(service: &'a Service, round: &str, code: &str, asked: &Asked) -> crate::support::Request<'a> {
    let path = format!("/rounds/{round}/ballots/{code}");
    let (request, on) = match asked {
        Asked::Get => (service.get(&path), On::Anything),
        Asked::Delete(on) => (service.delete(&path), *on),
        Asked::Put(ranking, on) => {
            let ranking: Vec<&str> = ranking.split(' ').collect();
            (service.put(&path).json(&json!({ "ranking": ranking })), *on)
        }
    };
    let request = request.by(Caller::Participant(code));
    match on {
        On::Anything => request,
        On::Revision(revision) => request.header("If-Match", &format!("\"{revision}\"")),
        On::Absence => request.header("If-None-Match", "*"),
    }
}

fn operation(
    services: &[&Service],
    round: &str,
    code: &str,
    clock: &AtomicU64,
    instance: usize,
    asked: Asked,
) -> Operation {
    let request = request(services[instance], round, code, &asked);
    let sent = clock.fetch_add(1, Ordering::SeqCst);
    // Whether the API document describes it is the matter of other tests, and takes longer than the answer.
    let reply = request.exchange();
    let answered = clock.fetch_add(1, Ordering::SeqCst);
    let told = told(&asked, &reply);
    Operation { instance, asked, sent, told: Some((answered, told)) }
}

fn told(asked: &Asked, reply: &Reply) -> Told {
    let revision = || reply.etag().trim_matches('"').parse().expect("the tag is the revision");
    let stated = || {
        let document = reply.json();
        let picks: Vec<String> = document["ranking"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(document["revision"], json!(revision()), "{reply}");
        picks.join(" ")
    };
    match (asked, reply.status) {
        (Asked::Get, 200) => Told::Ballot(revision(), stated()),
        (Asked::Put(ranking, _), 200 | 201) => {
            assert_eq!(stated(), *ranking);
            Told::Accepted(revision(), reply.status == 201)
        }
        (Asked::Delete(_), 204) => Told::Withdrawn(revision()),
        (Asked::Get | Asked::Delete(_), 404) => Told::Absent,
        (Asked::Put(..) | Asked::Delete(_), 412) => Told::Changed,
        _ => panic!("{asked:?} was answered with {reply}"),
    }
}

/// An operation of a planted history: from when to when, what, and the answer.
fn op(sent: u64, asked: Asked, answered: u64, told: Told) -> Operation {
    Operation { instance: 0, asked, sent, told: Some((answered, told)) }
}

fn put(ranking: &str, on: On) -> Asked {
    Asked::Put(ranking.to_owned(), on)
}

fn ballot(revision: usize, ranking: &str) -> Told {
    Told::Ballot(revision, ranking.to_owned())
}

fn at_the_other(operation: Operation) -> Operation {
    Operation { instance: 1, ..operation }
}

#[test]
fn the_checker_accepts_what_can_have_happened() {
    use On::{Absence, Anything, Revision};
    let unanswered = |sent, asked| Operation { instance: 0, asked, sent, told: None };
    let histories: &[(&str, Vec<Operation>)] = &[
        ("nothing", vec![]),
        (
            "one of two that meet wins",
            vec![
                op(0, put("a", Absence), 3, Told::Changed),
                op(1, put("b", Absence), 2, Told::Accepted(1, true)),
                op(4, Asked::Get, 5, ballot(1, "b")),
            ],
        ),
        (
            "two that meet without a condition, the first sent the last done",
            vec![
                op(0, put("a", Anything), 5, Told::Accepted(2, false)),
                op(1, put("b", Anything), 4, Told::Accepted(1, true)),
                op(2, Asked::Get, 3, Told::Absent),
            ],
        ),
        (
            "no answer, and it was done late",
            vec![
                unanswered(0, put("a", Anything)),
                op(1, Asked::Get, 2, Told::Absent),
                op(3, Asked::Get, 4, ballot(1, "a")),
            ],
        ),
        (
            "no answer, and it was never done",
            vec![
                unanswered(0, put("a", Anything)),
                op(1, put("b", Absence), 2, Told::Accepted(1, true)),
                op(3, Asked::Get, 4, ballot(1, "b")),
            ],
        ),
        (
            "withdrawn and submitted again",
            vec![
                op(0, put("a", Anything), 1, Told::Accepted(1, true)),
                op(2, Asked::Delete(Revision(1)), 3, Told::Withdrawn(2)),
                op(4, put("b", Revision(2)), 5, Told::Changed),
                op(6, Asked::Delete(Anything), 7, Told::Absent),
                op(8, put("b", Absence), 9, Told::Accepted(3, true)),
            ],
        ),
    ];
    for (name, history) in histories {
        assert!(is_linearizable(history, Promise::Newest), "{name}");
        assert!(is_linearizable(history, Promise::OwnWrites), "{name}");
    }
}

#[test]
fn the_checker_refuses_what_cannot_have_happened() {
    use On::{Absence, Anything, Revision};
    let first = || op(0, put("a", Absence), 1, Told::Accepted(1, true));
    let histories: &[(&str, Vec<Operation>)] = &[
        (
            "a lost update",
            vec![
                first(),
                op(2, put("b", Anything), 5, Told::Accepted(2, false)),
                op(3, put("c", Anything), 4, Told::Accepted(2, false)),
            ],
        ),
        (
            "a stale read",
            vec![
                first(),
                op(2, put("b", Revision(1)), 3, Told::Accepted(2, false)),
                op(4, Asked::Get, 5, ballot(1, "a")),
            ],
        ),
        ("an acknowledged ballot that is gone", vec![first(), op(2, Asked::Get, 3, Told::Absent)]),
        (
            "two winners on one tag",
            vec![
                first(),
                op(2, put("b", Revision(1)), 5, Told::Accepted(2, false)),
                op(3, put("c", Revision(1)), 4, Told::Accepted(3, false)),
            ],
        ),
        (
            "a ballot from the future",
            vec![op(0, Asked::Get, 1, ballot(1, "a")), op(2, put("a", Anything), 3, Told::Accepted(1, true))],
        ),
        ("a ballot that nobody sent", vec![first(), op(2, Asked::Get, 3, ballot(1, "b"))]),
        ("a refusal without a reason", vec![first(), op(2, put("b", Revision(1)), 3, Told::Changed)]),
        (
            "a revision that is left out",
            vec![first(), op(2, put("b", Anything), 3, Told::Accepted(3, false))],
        ),
        (
            "unanswered, shown, and gone again",
            vec![
                Operation { told: None, ..first() },
                op(2, Asked::Get, 3, ballot(1, "a")),
                op(4, Asked::Get, 5, Told::Absent),
            ],
        ),
    ];
    for (name, history) in histories {
        assert!(!is_linearizable(history, Promise::Newest), "{name}");
        assert!(!is_linearizable(history, Promise::OwnWrites), "{name}");
    }
}

#[test]
fn the_checker_lets_another_instance_follow_and_no_more() {
    let written = || {
        vec![
            op(0, put("a", On::Absence), 1, Told::Accepted(1, true)),
            op(2, put("b", On::Revision(1)), 3, Told::Accepted(2, false)),
        ]
    };
    let and = |more: Vec<Operation>| [written(), more].concat();
    let behind = and(vec![
        at_the_other(op(4, Asked::Get, 5, Told::Absent)),
        at_the_other(op(6, Asked::Get, 7, ballot(1, "a"))),
        at_the_other(op(8, Asked::Get, 9, ballot(2, "b"))),
    ]);
    assert!(is_linearizable(&behind, Promise::OwnWrites));
    assert!(!is_linearizable(&behind, Promise::Newest));
    // Written and built upon, but not yet answered: its own instance need not show it yet.
    let not_yet_answered = [
        op(0, put("a", On::Absence), 9, Told::Accepted(1, true)),
        at_the_other(op(1, put("b", On::Revision(1)), 2, Told::Accepted(2, false))),
        op(3, Asked::Get, 4, Told::Absent),
    ];
    assert!(is_linearizable(&not_yet_answered, Promise::OwnWrites));
    assert!(!is_linearizable(&not_yet_answered, Promise::Newest));
    let goes_back = and(vec![
        at_the_other(op(4, Asked::Get, 5, ballot(2, "b"))),
        at_the_other(op(6, Asked::Get, 7, ballot(1, "a"))),
    ]);
    assert!(!is_linearizable(&goes_back, Promise::OwnWrites));
    let forgets_its_own = and(vec![
        at_the_other(op(4, put("c", On::Revision(2)), 5, Told::Accepted(3, false))),
        at_the_other(op(6, Asked::Get, 7, ballot(2, "b"))),
    ]);
    assert!(!is_linearizable(&forgets_its_own, Promise::OwnWrites));
    // What is behind for readers is never behind for writers.
    let stale_write = and(vec![at_the_other(op(4, put("c", On::Revision(1)), 5, Told::Accepted(2, false)))]);
    assert!(!is_linearizable(&stale_write, Promise::OwnWrites));
}
