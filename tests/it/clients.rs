//! Clients over HTTP: made, read, changed and renewed by those who run rounds.

use serde_json::{Value, json};

use crate::support::registered::{CREDENTIALS, Registered, ask};
use crate::support::{Caller, Database, PUBLIC_URL, Reply, Request, Service, on_both_databases};

/// An Ed25519 key (RFC 8037, appendix A.2), a P-256 key (RFC 7517, appendix A.1).
const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const P256: [&str; 2] =
    ["MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"];
/// The RSA modulus of RFC 7517, appendix A.1.
const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn post<'a>(service: &'a Service, path: &str) -> Request<'a> {
    service.request("POST", path).by(Caller::Manager)
}

fn patch<'a>(service: &'a Service, id: &str) -> Request<'a> {
    service.request("PATCH", &format!("/clients/{id}")).by(Caller::Manager)
}

/// A body with these members over a good one; `null` takes one out.
fn body(changes: &Value) -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519 });
    let mut body = json!({
        "kind": "participant", "participant": "municipality:0180", "name": "Ärendesystemet", "publicKey": key,
    });
    for (member, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(member);
        } else {
            body[member] = value.clone();
        }
    }
    body
}

#[track_caller]
fn id(reply: &Reply) -> String {
    reply.json()["clientId"].as_str().unwrap().to_owned()
}

on_both_databases! {
    fn a_manager_makes_reads_and_disables_a_client(database: Database) {
        let service = Service::start(&database);
        let made = post(&service, "/clients").json(&body(&json!({}))).send().is(201);
        let id = id(&made);
        assert!(id.starts_with("0180-"), "{id}");
        assert_eq!(made.field("Location"), format!("{PUBLIC_URL}/handslag/v1/clients/{id}"));
        assert_eq!(made.field("Cache-Control"), "no-store");
        let client = made.json();
        assert_eq!(client["scopes"], json!(["ballots.read", "ballots.write"]), "all of its kind");
        assert_eq!(client["authMethod"], "private_key_jwt");
        assert_eq!(client["credentials"][0]["id"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037, A.3");
        assert!(client.get("clientSecret").is_none() && !made.text().contains(ED25519));

        let path = format!("/clients/{id}");
        let read = service.get(&path).by(Caller::Manager).send().is(200);
        assert_eq!((read.json(), read.etag()), (client, made.etag()));
        service.get(&path).by(Caller::Manager).header("If-None-Match", &made.etag()).send().is(304);

        let disable = json!({ "disabled": true });
        patch(&service, &id).header("If-Match", "\"c7\"").json(&disable).send().is(412).problem("precondition-failed");
        let disabled = patch(&service, &id).header("If-Match", &made.etag()).json(&disable).send().is(200);
        assert_eq!(disabled.json()["disabledAt"], "2026-03-10T11:00:00.000000Z");
        assert_ne!(disabled.etag(), made.etag());
        let again = patch(&service, &id).json(&disable).send().is(200);
        assert_eq!(again.etag(), disabled.etag(), "nothing has changed");
        let enabled = patch(&service, &id).json(&json!({ "disabled": false, "name": "Ett till" })).send().is(200);
        assert_eq!((&enabled.json()["disabledAt"], &enabled.json()["name"]), (&Value::Null, &json!("Ett till")));
    }

    fn a_secret_is_shown_once_and_can_be_renewed_without_a_break(database: Database) {
        let service = Service::start(&database);
        let wanted = body(&json!({ "authMethod": "client_secret_post", "publicKey": null }));
        let made = post(&service, "/clients").json(&wanted).send().is(201);
        let id = id(&made);
        let secret = |reply: &Reply| reply.json()["clientSecret"].as_str().unwrap().to_owned();
        let status = |secret: &str| {
            ask(&service, &[CREDENTIALS, ("client_id", &id), ("client_secret", secret)]).status
        };
        let first = secret(&made);
        assert_eq!(status(&first), 200, "at once on the same instance");
        assert!(service.get(&format!("/clients/{id}")).by(Caller::Manager).send().json().get("clientSecret").is_none());

        let renew = |body: Value| {
            let path = format!("/clients/{id}/credentials");
            post(&service, &path).json(&body).send()
        };
        let second = secret(&renew(json!({ "keepOldSeconds": 3600 })).is(201));
        assert_eq!((status(&first), status(&second)), (200, 200));
        service.set_time("2026-03-10T13:00:01+01:00");
        assert_eq!((status(&first), status(&second)), (401, 200), "an hour later");
        let third = secret(&renew(json!({})).is(201));
        assert_eq!((status(&second), status(&third)), (401, 200), "at once");
        for _ in 1..5 {
            renew(json!({ "keepOldSeconds": 60 })).is(201);
        }
        assert_eq!(renew(json!({ "keepOldSeconds": 60 })).is(422).faults(), [("#/keepOldSeconds".into(), "too-many".into())]);
    }
}

#[test]
fn every_fault_of_a_client_is_told_at_once() {
    let service = Service::start(&Database::sqlite());
    let faults = |body: &Value| {
        let reply = post(&service, "/clients").json(body).send().is(422);
        reply.problem("invalid-client");
        let faults: Vec<String> = reply.faults().iter().map(|(at, code)| format!("{at} {code}")).collect();
        faults
    };
    let all = body(&json!({
        "kind": "clerk", "participant": "0180", "name": " x ", "scopes": ["x", "ballots.read", "ballots.read"],
        "authMethod": "client_secret_basic",
    }));
    assert_eq!(
        faults(&all),
        [
            "#/kind unknown-kind",
            "#/participant participant",
            "#/scopes/0 unknown-scope",
            "#/scopes/2 twice",
            "#/name name",
            "#/authMethod auth-method",
        ]
    );
    let one = |changes: Value| faults(&body(&changes));
    assert_eq!(faults(&json!({})), ["#/kind missing", "#/name missing", "#/publicKey missing"]);
    assert_eq!(
        one(json!({ "name": null, "secret": 1, "scopes": ["x"] })),
        ["#/name missing", "#/secret form", "#/scopes/0 unknown-scope"]
    );
    assert_eq!(one(json!({ "participant": null })), ["#/participant missing"]);
    assert_eq!(one(json!({ "kind": "manager" })), ["#/participant not-allowed"]);
    assert_eq!(one(json!({ "scopes": ["rounds.admin"] })), ["#/scopes/0 not-allowed"]);
    assert_eq!(one(json!({ "scopes": [] })), ["#/scopes missing"]);
    assert_eq!(one(json!({ "name": "" })), ["#/name name"]);
    assert_eq!(one(json!({ "name": "x".repeat(101) })), ["#/name name"]);
    assert_eq!(one(json!({ "publicKey": null })), ["#/publicKey missing"]);
    assert_eq!(one(json!({ "authMethod": "client_secret_post" })), ["#/publicKey not-allowed"]);
    for wrong in [json!({ "disabled": null }), json!({ "kind": "manager" }), json!({ "name": null })] {
        patch(&service, "0180-aaaaaaaa").json(&wrong).send().is(400);
    }
    patch(&service, "0180-aaaaaaaa").json(&json!({})).send().is(404).problem("not-found");
    service.get("/clients/0180-aaaaaaaa").by(Caller::Manager).send().is(404);
    post(&service, "/clients/0180-aaaaaaaa/credentials").json(&json!({})).send().is(404);
}

#[test]
fn a_public_key_is_of_a_kind_and_size_that_is_safe() {
    let service = Service::start(&Database::sqlite());
    let send = |key: Value| post(&service, "/clients").json(&body(&json!({ "publicKey": key }))).send();
    let [x, y] = P256;
    for good in [
        json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519, "kid": "2026-1", "use": "sig" }),
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
        json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB", "alg": "RS256" }),
        json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB", "alg": "PS256" }),
    ] {
        let made = send(good.clone()).is(201).json();
        assert_eq!(made["credentials"][0]["id"] == "2026-1", good.get("kid").is_some());
    }
    let bad = [
        (json!({}), "not-a-key"),
        (json!({ "kty": "oct", "k": "AAAA" }), "private-key"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519, "d": ED25519 }), "private-key"),
        (json!({ "kty": "OKP", "crv": "X25519", "x": ED25519 }), "not-a-key"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }), "not-a-key"),
        // The point of order 1: anything is signed by it.
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("AQ{}", "A".repeat(41)) }), "not-a-key"),
        (json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x }), "not-a-key"),
        (json!({ "kty": "EC", "crv": "P-384", "x": x, "y": y }), "not-a-key"),
        (json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "EdDSA" }), "algorithm"),
        (json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" }), "algorithm"),
        (json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB", "alg": "RS512" }), "algorithm"),
        (json!({ "kty": "RSA", "n": MODULUS, "e": "Aw", "alg": "RS256" }), "key-size"),
        (json!({ "kty": "RSA", "n": &MODULUS[..172], "e": "AQAB", "alg": "RS256" }), "key-size"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519, "kid": "å" }), "kid"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519, "kid": 1 }), "kid"),
    ];
    for (key, code) in bad {
        let faults = send(key.clone()).is(422).faults();
        assert_eq!(faults, [("#/publicKey".to_owned(), code.to_owned())], "{key}");
    }
}

#[test]
fn clients_are_listed_by_page() {
    let database = Database::sqlite();
    let mut ids: Vec<String> = (0..3).map(|_| Registered::new(&database, &["--analyst"]).id).collect();
    ids.sort();
    let service = Service::start(&database);
    let page = |query: &str| service.get(&format!("/clients{query}")).by(Caller::Manager).send().is(200);
    let of = |reply: &Reply| -> Vec<String> {
        let list = reply.json()["clients"].as_array().unwrap().clone();
        list.iter().map(|client| client["clientId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&page("")), ids);
    assert_eq!(of(&page("?page=2&limit=2")), ids[2..]);
    assert!(page("?limit=2").field("Link").contains("rel=\"next\""));
    assert_eq!(page("?page=9").json()["_meta"]["totalRecords"], 3);
    service.get("/clients?kind=analyst").by(Caller::Manager).send().is(400);
}

#[test]
fn a_renewed_key_takes_over_while_the_old_one_is_kept() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--municipality", "0180"]);
    let service = Service::start(&database);
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519 });
    let path = format!("/clients/{}/credentials", client.id);
    let renew = |body: Value| post(&service, &path).json(&body).send();
    client.token(&service);
    let renewed = renew(json!({ "publicKey": key, "keepOldSeconds": 60 })).is(201).json();
    assert_eq!(renewed["credentials"].as_array().unwrap().len(), 2);
    client.token(&service);
    assert_eq!(renew(json!({ "publicKey": key })).is(422).faults(), [("#/publicKey".into(), "twice".into())]);
    assert_eq!(renew(json!({})).is(422).faults(), [("#/publicKey".into(), "missing".into())]);
    let long = renew(json!({ "publicKey": key, "keepOldSeconds": 2_592_001 })).is(422);
    assert_eq!(long.faults(), [("#/keepOldSeconds".into(), "too-long".into())]);
    service.set_time("2026-03-10T12:01:00+01:00");
    assert_eq!(client.ask(&service).status, 401);
}
