//! Who may do what: every operation of the API document for every kind of caller.

use std::collections::BTreeSet;

use handslag::http::routes::ROUTES;
use serde_json::{Value, json};

use crate::support::document::operations;
use crate::support::{
    Caller, Database, FIVE, Reply, Request, Service, at, definition, initiatives, municipalities,
    municipality_codes, on_both_databases,
};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is done.
    Done,
    /// 401: nobody that is believed.
    Who,
    /// 403: the token lacks this scope.
    Lacks(&'static str),
    /// 403: the token is for another participant.
    NotYours,
}
use Outcome::{Done, Lacks, NotYours, Who};

/// The kinds of callers, in the order of the table's columns. `own` is the participant of the path.
const CALLERS: [&str; 7] = ["nobody", "garbage", "expired", "own", "other", "analyst", "manager"];

/// The round is open, its results are seen after its closing, its ballot book by analysts.
///
/// A token that is not believed is refused even where nobody may ask: the caller should know.
const TABLE: [(&str, &str, [Outcome; 7]); 27] = {
    const ANYONE: [Outcome; 7] = [Done, Who, Who, Done, Done, Done, Done];
    const ADMIN: Outcome = Lacks("rounds.admin");
    const MANAGER: [Outcome; 7] = [Who, Who, Who, ADMIN, ADMIN, ADMIN, Done];
    const LIST: Outcome = Lacks("ballots.list");
    const READER: [Outcome; 7] = [Who, Who, Who, Done, NotYours, Done, Done];
    const WRITE: Outcome = Lacks("ballots.write");
    const OWNER: [Outcome; 7] = [Who, Who, Who, Done, NotYours, WRITE, WRITE];
    const SEE: Outcome = Lacks("results.read");
    [
        ("GET", "/api-info", ANYONE),
        ("GET", "/rounds", ANYONE),
        ("POST", "/rounds", MANAGER),
        ("GET", "/rounds/{roundId}", ANYONE),
        ("PATCH", "/rounds/{roundId}", MANAGER),
        ("GET", "/rounds/{roundId}/initiatives", ANYONE),
        ("PUT", "/rounds/{roundId}/initiatives", MANAGER),
        ("GET", "/rounds/{roundId}/participants", ANYONE),
        ("PUT", "/rounds/{roundId}/participants", MANAGER),
        ("GET", "/rounds/{roundId}/ballots", [Who, Who, Who, LIST, LIST, Done, Done]),
        ("GET", "/rounds/{roundId}/ballots/{participantCode}", READER),
        ("PUT", "/rounds/{roundId}/ballots/{participantCode}", OWNER),
        ("DELETE", "/rounds/{roundId}/ballots/{participantCode}", OWNER),
        ("GET", "/rounds/{roundId}/ballots/{participantCode}/revisions", READER),
        ("GET", "/rounds/{roundId}/results", [Who, Who, Who, SEE, SEE, Done, Done]),
        ("GET", "/rounds/{roundId}/results/events", [Who, Who, Who, SEE, SEE, Done, Done]),
        ("GET", "/rounds/{roundId}/participation", ANYONE),
        ("GET", "/rounds/{roundId}/log-entries", [Who, Who, Who, LIST, LIST, Done, Done]),
        ("GET", "/rounds/{roundId}/log-proofs", ANYONE),
        ("GET", "/log-keys", ANYONE),
        ("GET", "/clients", MANAGER),
        ("POST", "/clients", MANAGER),
        ("GET", "/clients/{clientId}", MANAGER),
        ("PATCH", "/clients/{clientId}", MANAGER),
        ("POST", "/clients/{clientId}/credentials", MANAGER),
        ("GET", "/rules", ANYONE),
        ("GET", "/rules/{ruleId}", ANYONE),
    ]
};

#[test]
fn the_table_the_routes_and_the_document_name_the_same_operations() {
    let of_table: BTreeSet<(String, String)> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    let of_routes: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    let of_document: BTreeSet<(String, String)> = operations().into_iter().collect();
    assert_eq!(of_table, of_document);
    assert_eq!(of_routes, of_document);
    assert_eq!(ROUTES.len(), of_routes.len(), "no operation stands twice");
}

/// The open round with a ballot of 0180, and the draft that managers may still change.
fn prepared() -> Service {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({}));
    service.create(&definition(json!({ "id": "utkast", "opensAt": "2026-03-20T08:00:00+01:00" })));
    service
}

/// The path of an operation, on something that allows it if the caller may.
fn concrete(service: &Service, method: &str, path: &str) -> String {
    let changes_definition = matches!(method, "PATCH" | "PUT") && !path.contains("ballots");
    let round = if changes_definition { "utkast" } else { "handslag-2026" };
    let path = path.replace("log-proofs", "log-proofs?sequence=1");
    let path = path.replace("{clientId}", &client(service));
    path.replace("{roundId}", round).replace("{participantCode}", "0180").replace("{ruleId}", "linear")
}

/// A client, which is made first if there is none.
fn client(service: &Service) -> String {
    let clients = service.get("/clients").by(Caller::Manager).send().is(200).json();
    let known = clients["clients"][0]["clientId"].as_str().map(ToOwned::to_owned);
    known.unwrap_or_else(|| {
        let body = body("POST", "/clients", "manager").expect("a client can be made");
        let made = service.request("POST", "/clients").by(Caller::Manager).json(&body).send().is(201);
        made.json()["clientId"].as_str().expect("a client has an id").to_owned()
    })
}

/// A body that the operation takes.
fn body(method: &str, path: &str, caller: &str) -> Option<Value> {
    match (method, path.rsplit('/').next()?) {
        ("POST", "rounds") => Some(definition(json!({ "id": format!("av-{caller}") }))),
        ("POST", "clients") => {
            Some(json!({ "kind": "analyst", "name": "Av en ansvarig", "authMethod": "client_secret_post" }))
        }
        ("POST", "credentials") => Some(json!({})),
        ("PATCH", "{clientId}") => Some(json!({ "name": format!("Av {caller}") })),
        ("PATCH", _) => Some(json!({ "titleSv": format!("Av {caller}") })),
        ("PUT", "initiatives") => Some(json!({ "initiatives": initiatives() })),
        ("PUT", "participants") => Some(json!({ "participants": municipalities() })),
        ("PUT", "{participantCode}") => Some(json!({ "ranking": FIVE })),
        _ => None,
    }
}

fn by<'a>(request: Request<'a>, service: &Service, caller: &str) -> Request<'a> {
    match caller {
        "nobody" => request,
        "garbage" => request.by(Caller::Token("bm9uc2Vuc2U")),
        "expired" => {
            let token = service.token_of(Caller::Manager, at("2026-03-10T09:00:00Z"));
            request.by(Caller::Token(&token.expect("a manager has a token")))
        }
        "own" => request.by(Caller::Participant("0180")),
        "other" => request.by(Caller::Participant("1480")),
        "analyst" => request.by(Caller::Analyst),
        "manager" => request.by(Caller::Manager),
        caller => panic!("no such caller: {caller}"),
    }
}

fn outcome(reply: &Reply) -> Outcome {
    match reply.status {
        200..=299 => Done,
        401 => Who,
        403 => {
            let scope = reply.json()["scope"].as_str().map(ToOwned::to_owned);
            let known = ["ballots.read", "ballots.write", "ballots.list", "results.read", "rounds.admin"];
            scope.map_or(NotYours, |scope| {
                Lacks(known.into_iter().find(|known| *known == scope).expect("a scope there is"))
            })
        }
        _ => panic!("neither done nor refused\n{reply}"),
    }
}

#[test]
fn every_operation_is_for_those_callers_that_the_table_says() {
    let service = prepared();
    for (method, path, outcomes) in TABLE {
        for (caller, expected) in CALLERS.into_iter().zip(outcomes) {
            // Each call finds a ballot to read, replace or withdraw.
            let submitted = service.submit("0180", FIVE);
            assert!(matches!(submitted.status, 200 | 201), "{submitted}");
            let request = by(service.request(method, &concrete(&service, method, path)), &service, caller);
            let sent = match body(method, path, caller) {
                Some(body) => request.clone().json(&body).send(),
                None => request.clone().send(),
            };
            assert_eq!(outcome(&sent), expected, "{method} {path} by {caller}\n{sent}");
            if expected != Done {
                check_refusal(&sent, caller, expected);
                // Who may not is told so whatever else is wrong: nothing is learnt from the order.
                let wrong = by(
                    service.request(method, &format!("{}?x=1", concrete(&service, method, path))),
                    &service,
                    caller,
                );
                let wrong =
                    if matches!(method, "GET" | "DELETE") { wrong } else { wrong.body("text/plain", "?") };
                assert_eq!(outcome(&wrong.send()), expected, "{method} {path} by {caller}, wrongly");
            }
            if method == "GET" {
                let head =
                    by(service.request("HEAD", &concrete(&service, method, path)), &service, caller).send();
                assert_eq!(head.status, sent.status, "HEAD {path} by {caller}");
            }
        }
    }
}

#[track_caller]
fn check_refusal(reply: &Reply, caller: &str, expected: Outcome) {
    let challenge = reply.header("WWW-Authenticate").unwrap_or_default();
    match expected {
        Who => {
            reply.problem("unauthorized");
            assert!(challenge.starts_with("Bearer "), "{reply}");
            // RFC 6750, section 3.1: without a token there is no error to name.
            let named = challenge.contains("error=\"invalid_token\"");
            assert_eq!(named, caller != "nobody", "{reply}");
        }
        Lacks(scope) => {
            reply.problem("forbidden");
            assert!(challenge.contains("error=\"insufficient_scope\""), "{reply}");
            assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{reply}");
        }
        NotYours => {
            reply.problem("forbidden");
        }
        Done => {}
    }
}

#[test]
fn a_participant_is_not_told_which_other_codes_there_are() {
    let service = prepared();
    let own = Caller::Participant("0180");
    service.submit("1480", FIVE).is(201);
    let refusals: Vec<Value> = ["1480", "1280", "9999", "01", "natverk", "018", "0180x", "%20", "0180%00"]
        .into_iter()
        .flat_map(|code| {
            let path = format!("/rounds/handslag-2026/ballots/{code}");
            let body = json!({ "ranking": FIVE });
            [
                service.get(&path).by(own).send(),
                service.get(&format!("{path}/revisions")).by(own).send(),
                service.put(&path).by(own).json(&body).send(),
                service.delete(&path).by(own).send(),
                service.get(&format!("/rounds/finns-inte/ballots/{code}")).by(own).send(),
            ]
        })
        .map(|reply| {
            let mut problem = reply.is(403).problem("forbidden");
            problem["instance"] = Value::Null;
            problem
        })
        .collect();
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "all alike");
}

#[test]
fn an_analyst_is_told_that_a_code_is_not_on_the_roll() {
    let service = prepared();
    for code in ["9999", "01", "natverk", "018", "0180x"] {
        for path in [
            format!("/rounds/handslag-2026/ballots/{code}"),
            format!("/rounds/handslag-2026/ballots/{code}/revisions"),
        ] {
            service.get(&path).by(Caller::Analyst).send().is(404).problem("not-found");
        }
    }
}

on_both_databases! {
    fn each_municipality_reaches_its_own_ballot_and_no_other(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let codes: Vec<String> = municipality_codes().into_iter().step_by(25).collect();
        assert_eq!(codes.len(), 12);
        for caller in &codes {
            for code in &codes {
                let path = format!("/rounds/handslag-2026/ballots/{code}");
                let put = service.put(&path).by(Caller::Participant(caller)).json(&json!({ "ranking": FIVE }));
                let get = service.get(&path).by(Caller::Participant(caller));
                let expected = if caller == code { [201, 200] } else { [403, 403] };
                assert_eq!([put.send().status, get.send().status], expected, "{caller} on {code}");
            }
        }
        let participation = service.get("/rounds/handslag-2026/participation").send().is(200).json();
        assert_eq!(participation["answered"], 12);
    }
}
