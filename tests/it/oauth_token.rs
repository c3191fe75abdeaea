//! The token endpoint: who gets a token, and with which words everybody else is refused.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::registered::{CREDENTIALS, JWT_BEARER, Registered, ask, by_assertion, handslag};
use crate::support::{Caller, Database, FIVE, PUBLIC_URL, Reply, Service, on_both_databases, until};

/// The error of a refusal, with its status, and whether it has the form that RFC 6749 gives it.
#[track_caller]
fn refusal(reply: &Reply) -> (u16, String) {
    let document = reply.json();
    assert_eq!(reply.field("Content-Type"), "application/json", "{reply}");
    assert_eq!(reply.field("Cache-Control"), "no-store", "{reply}");
    assert_eq!(reply.field("Pragma"), "no-cache", "{reply}");
    let description = document["error_description"].as_str().expect("a sentence");
    // RFC 6749, section 5.2
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(!description.is_empty() && description.chars().all(allowed), "{description}");
    assert_eq!(reply.status == 401, reply.header("WWW-Authenticate").is_some(), "{reply}");
    (reply.status, document["error"].as_str().expect("a code").to_owned())
}

/// The parameters of a request.
type Parameters<'a> = &'a [(&'a str, &'a str)];

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(refusal(reply), (status, error.to_owned()), "{reply}");
}

fn claims(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(parts[0]), json(parts[1]))
}

on_both_databases! {
    fn a_client_gets_a_token_and_submits_with_it(database: Database) {
        let client = Registered::new(&database, &["--municipality", "0180"]);
        let service = Service::start(&database);
        service.open_round(json!({}));
        let reply = client.ask(&service).is(200);
        assert_eq!(reply.field("Cache-Control"), "no-store");
        assert_eq!(reply.field("Pragma"), "no-cache");
        let issued = reply.json();
        assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!(issued["scope"], "ballots.read ballots.write");
        let token = issued["access_token"].as_str().unwrap();
        let (header, claims) = claims(token);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(PUBLIC_URL), &json!(PUBLIC_URL)));
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(client.id), &json!(client.id)));
        assert_eq!(claims["participant"], "municipality:0180");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let by = Caller::Token(token);
        let own = "/rounds/handslag-2026/ballots/0180";
        service.put(own).by(by).json(&json!({ "ranking": FIVE })).send().is(201);
        service.get(own).by(by).send().is(200);
        service.put("/rounds/handslag-2026/ballots/1480").by(by).json(&json!({ "ranking": FIVE })).send().is(403);
    }

    fn an_assertion_is_taken_once_on_all_instances(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let (one, other) = (Service::start(&database), Service::start(&database));
        let assertion = client.assertion(&one);
        by_assertion(&one, &assertion, &[]).is(200);
        refused(&by_assertion(&one, &assertion, &[]), 401, "invalid_client");
        refused(&by_assertion(&other, &assertion, &[]), 401, "invalid_client");
        // Another client may have come to the same id.
        let second = Registered::new(&database, &["--analyst"]);
        let mut claims = second.claims(&one);
        claims["jti"] = json!("the same");
        let of_second = second.sign(&second.header().to_string(), &claims.to_string());
        let mut claims = client.claims(&one);
        claims["jti"] = json!("the same");
        let of_first = client.sign(&client.header().to_string(), &claims.to_string());
        by_assertion(&one, &of_first, &[]).is(200);
        until("the second client is known", || (by_assertion(&other, &of_second, &[]).status == 200).then_some(()));
    }

    fn an_instance_whose_clock_is_ahead_does_not_forget_for_the_others(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let (right, ahead) = (Service::start(&database), Service::start(&database));
        ahead.set_time("2026-03-10T12:05:00+01:00");
        let assertion = client.assertion(&right);
        by_assertion(&right, &assertion, &[]).is(200);
        // It forgets with the first that it takes.
        client.token(&ahead);
        refused(&by_assertion(&right, &assertion, &[]), 401, "invalid_client");
    }

    fn of_many_who_send_the_same_assertion_one_gets_a_token(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let services = [Service::start(&database), Service::start(&database)];
        let assertion = client.assertion(&services[0]);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let ask = |i: usize| {
                let (service, assertion) = (&services[i % 2], &assertion);
                scope.spawn(move || by_assertion(service, assertion, &[]).status)
            };
            let asking: Vec<_> = (0..12).map(ask).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
    }
}

#[test]
fn a_secret_is_taken_where_the_client_has_one() {
    let database = Database::sqlite();
    let (by_secret, by_key) =
        (Registered::new(&database, &["--analyst", "--secret"]), Registered::new(&database, &["--analyst"]));
    let service = Service::start(&database);
    assert_eq!(by_secret.secret.len(), 43, "32 bytes");
    assert_eq!(by_secret.ask(&service).is(200).json()["scope"], "ballots.list results.read");
    let ask_as =
        |id: &str, secret: &str| ask(&service, &[CREDENTIALS, ("client_id", id), ("client_secret", secret)]);
    refused(&ask_as(&by_key.id, &by_secret.secret), 401, "invalid_client");
    refused(&ask_as("0180-nobodyyy", &by_secret.secret), 401, "invalid_client");
    refused(&ask_as(&by_secret.id, &format!("{}x", by_secret.secret)), 401, "invalid_client");
    refused(&ask_as(&by_secret.id, &"x".repeat(10_000)), 401, "invalid_client");
    // The client of a key has no secret that anybody could guess, not even its public key.
    refused(&ask_as(&by_key.id, &by_key.kid), 401, "invalid_client");
    // And the client of a secret has no key.
    let assertion = by_key.sign(&by_key.header().to_string(), &by_secret.claims(&service).to_string());
    refused(&by_assertion(&service, &assertion, &[]), 401, "invalid_client");
    // The words for all who guess are the same.
    let words = |reply: Reply| reply.json()["error_description"].clone();
    assert_eq!(words(ask_as("0180-nobodyyy", "x")), words(ask_as(&by_secret.id, "x")));
    // The hash is argon2id, and is shown nowhere.
    let shown = handslag(&database, &["client", "show", &by_secret.id]);
    assert!(!shown.contains("argon2") && !shown.contains(&by_secret.secret), "{shown}");
}

#[test]
fn each_fault_of_a_request_has_its_code() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--municipality", "0180"]);
    let service = Service::start(&database);
    let assertion = || client.assertion(&service);
    let kind = ("client_assertion_type", JWT_BEARER);
    let a = assertion();
    let cases: &[(Parameters<'_>, u16, &str)] = &[
        (&[], 400, "invalid_request"),
        (&[("grant_type", "")], 400, "invalid_request"),
        (&[CREDENTIALS, CREDENTIALS], 400, "invalid_request"),
        (&[("grant_type", "authorization_code"), ("code", "x")], 400, "unsupported_grant_type"),
        (&[("grant_type", "password")], 400, "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")], 400, "unsupported_grant_type"),
        (&[CREDENTIALS], 401, "invalid_client"),
        (&[CREDENTIALS, ("client_id", &client.id)], 401, "invalid_client"),
        (&[CREDENTIALS, ("client_secret", "x")], 400, "invalid_request"),
        (&[CREDENTIALS, ("client_assertion", &a)], 400, "invalid_request"),
        (&[CREDENTIALS, kind], 400, "invalid_request"),
        (&[CREDENTIALS, kind, ("client_assertion", &a), ("client_secret", "x")], 400, "invalid_request"),
        (
            &[
                CREDENTIALS,
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
                ("client_assertion", &a),
            ],
            401,
            "invalid_client",
        ),
        (&[CREDENTIALS, kind, ("client_assertion", &a), ("client_id", "other")], 401, "invalid_client"),
        (&[CREDENTIALS, kind, ("client_assertion", &a), ("scope", "rounds.admin")], 400, "invalid_scope"),
    ];
    for (form, status, error) in cases {
        let reply = ask(&service, form);
        assert_eq!(refusal(&reply), (*status, (*error).to_owned()), "{form:?}");
    }
    for scope in ["ballots.read rounds.admin", "ballots.read  ballots.write", "openid", "BALLOTS.READ"] {
        refused(&by_assertion(&service, &assertion(), &[("scope", scope)]), 400, "invalid_scope");
    }
    // What is not known is passed over, and a scope may be a part.
    let reply = by_assertion(&service, &assertion(), &[("scope", "ballots.read"), ("audience", "x")]).is(200);
    assert_eq!(reply.json()["scope"], "ballots.read");
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token).1["scope"], "ballots.read");
}

#[test]
fn only_a_form_in_the_body_is_read() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst", "--secret"]);
    let service = Service::start(&database);
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret);
    let post = |path: &str| service.request_outside("POST", path);
    let media = "application/x-www-form-urlencoded";
    refused(&post("/oauth/token").body("application/json", "{}").send(), 400, "invalid_request");
    refused(&post("/oauth/token").body("text/plain", &form).send(), 400, "invalid_request");
    refused(&post("/oauth/token").send(), 400, "invalid_request");
    refused(&post(&format!("/oauth/token?{form}")).body(media, "").send(), 400, "invalid_request");
    refused(&post("/oauth/token").body(media, &"a".repeat(20_000)).send(), 400, "invalid_request");
    post("/oauth/token").body(&format!("{media}; charset=utf-8"), &form).send().is(200);
    let get = service.request_outside("GET", "/oauth/token").send().is(405);
    assert_eq!(get.field("Allow"), "POST, OPTIONS");
}

#[test]
fn a_secret_in_a_header_is_refused() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst", "--secret"]);
    let service = Service::start(&database);
    let basic = STANDARD.encode(format!("{}:{}", client.id, client.secret));
    let send = |form: &str, field: &str| {
        let request = service.request_outside("POST", "/oauth/token").header("Authorization", field);
        request.body("application/x-www-form-urlencoded", form).send()
    };
    let alone = send("grant_type=client_credentials", &format!("Basic {basic}"));
    refused(&alone, 401, "invalid_client");
    assert!(alone.field("WWW-Authenticate").starts_with("Basic "), "the scheme that was tried\n{alone}");
    // Not even beside what would be right.
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret);
    refused(&send(&form, &format!("basic {basic}")), 401, "invalid_client");
}

#[test]
fn an_assertion_is_believed_only_if_every_rule_holds() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let other = Registered::new(&database, &["--analyst"]);
    let service = Service::start(&database);
    let now = service.now().utc().timestamp();
    let changed = |mut document: Value, member: &str, value: Value| {
        match value {
            Value::Null => document.as_object_mut().unwrap().remove(member),
            value => document.as_object_mut().unwrap().insert(member.to_owned(), value),
        };
        document.to_string()
    };
    let header = client.header().to_string();
    let with_claim =
        |member: &str, value: Value| client.sign(&header, &changed(client.claims(&service), member, value));
    let with_header = |member: &str, value: Value| {
        client.sign(&changed(client.header(), member, value), &client.claims(&service).to_string())
    };
    let endpoint = format!("{PUBLIC_URL}/oauth/token");
    let twice = client.claims(&service).to_string().replacen('{', "{\"jti\":\"1\",", 1);
    let good = client.assertion(&service);
    let unsigned = good.rsplit_once('.').unwrap().0.to_owned();
    let bad = [
        ("typ of a token", with_header("typ", json!("at+jwt"))),
        ("typ of any JWT", with_header("typ", json!("JWT"))),
        ("no typ", with_header("typ", Value::Null)),
        ("alg none", with_header("alg", json!("none"))),
        ("alg of another key", with_header("alg", json!("ES256"))),
        ("alg of a shared key", with_header("alg", json!("HS256"))),
        ("no alg", with_header("alg", Value::Null)),
        ("kid of another client", with_header("kid", json!(other.kid))),
        ("kid that is no text", with_header("kid", json!(1))),
        ("crit", with_header("crit", json!(["exp"]))),
        ("jwk", with_header("jwk", json!({ "kty": "OKP" }))),
        ("jku", with_header("jku", json!("https://evil.example/jwks"))),
        (
            "signed by another client",
            other.sign(&client.header().to_string(), &client.claims(&service).to_string()),
        ),
        ("iss and sub differ", with_claim("sub", json!(other.id))),
        ("no iss", with_claim("iss", Value::Null)),
        ("no sub", with_claim("sub", Value::Null)),
        ("aud of another", with_claim("aud", json!("https://other.example"))),
        ("aud of the endpoint", with_claim("aud", json!(endpoint))),
        ("two aud", with_claim("aud", json!([PUBLIC_URL, "https://other.example"]))),
        ("no aud", with_claim("aud", Value::Null)),
        ("ended", with_claim("exp", json!(now - 31))),
        ("far ahead", with_claim("exp", json!(now + 331))),
        ("exp as text", with_claim("exp", json!((now + 60).to_string()))),
        ("no exp", with_claim("exp", Value::Null)),
        ("iat ahead", with_claim("iat", json!(now + 60))),
        ("nbf ahead", with_claim("nbf", json!(now + 60))),
        ("long life", with_claim("iat", json!(now - 250))),
        ("no jti", with_claim("jti", Value::Null)),
        ("empty jti", with_claim("jti", json!(""))),
        ("long jti", with_claim("jti", json!("x".repeat(256)))),
        ("a member twice", client.sign(&header, &twice)),
        ("no signature", format!("{unsigned}.")),
        ("two parts", unsigned),
        ("a signature more", format!("{good}x")),
        ("no JSON", client.sign("x", "y")),
        ("too long", with_claim("more", json!("x".repeat(9_000)))),
    ];
    for (what, assertion) in &bad {
        let reply = by_assertion(&service, assertion, &[]);
        assert_eq!(refusal(&reply), (401, "invalid_client".to_owned()), "{what}\n{reply}");
    }
    // What is bound to be right is taken, also in its other forms.
    let fine = [
        ("as it is", good),
        ("without kid", with_header("kid", Value::Null)),
        ("typ in full", with_header("typ", json!("application/Client-Authentication+JWT"))),
        ("without iat", with_claim("iat", Value::Null)),
        ("one aud in a list", with_claim("aud", json!([PUBLIC_URL]))),
        ("a clock behind", with_claim("iat", json!(now + 29))),
        ("just ended", with_claim("exp", json!(now + 1))),
    ];
    for (what, assertion) in &fine {
        let reply = by_assertion(&service, assertion, &[("client_id", &client.id)]);
        assert_eq!(reply.status, 200, "{what}\n{reply}");
    }
    // An access token is no assertion, and an assertion is no access token.
    let token = client.token(&service);
    refused(&by_assertion(&service, &token, &[]), 401, "invalid_client");
    service.get("/rounds").by(Caller::Token(&client.assertion(&service))).send().is(401);
}

#[test]
fn what_has_ended_is_forgotten() {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let service = Service::start(&database);
    let kept = || {
        let query = sql_query("SELECT count(*) AS n FROM used_assertions");
        query.get_result::<Count>(&mut service.store().connect().unwrap()).unwrap().n
    };
    for _ in 0..3 {
        client.token(&service);
    }
    assert_eq!(kept(), 3);
    service.set_time("2026-03-10T13:00:00+01:00");
    client.token(&service);
    assert_eq!(kept(), 1, "those of an hour ago are gone");
}

on_both_databases! {
    fn a_disabled_client_is_refused_within_a_second_everywhere(database: Database) {
        let client = Registered::new(&database, &["--analyst"]);
        let services = [Service::start(&database), Service::start(&database)];
        let token = client.token(&services[0]);
        let call = |service: &Service| {
            service.get("/rounds").by(Caller::Token(&token)).send().status
        };
        assert_eq!(services.each_ref().map(call), [200, 200]);
        handslag(&database, &["client", "disable", &client.id]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(services.each_ref().map(call), [401, 401], "the token that is out");
        for service in &services {
            refused(&client.ask(service), 400, "unauthorized_client");
        }
        handslag(&database, &["client", "enable", &client.id]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(services.each_ref().map(call), [200, 200]);
        client.token(&services[1]);
    }
}
