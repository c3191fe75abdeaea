//! Tokens that are believed, where they may come from, and what they open. Attacks on them: `token_attacks`.

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, Forge, PUBLIC_URL, Reply, Service};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";

/// A service with a ballot of 0180, and tokens by its own key, as it would issue them or would not.
struct World {
    service: Service,
    forge: Forge,
}

impl World {
    fn new() -> Self {
        let service = Service::start(&Database::sqlite());
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        let forge = Forge::own(&service);
        Self { service, forge }
    }

    fn ask(&self, token: &str) -> Reply {
        self.service.get(OWN).by(Caller::Token(token)).send()
    }

    #[track_caller]
    fn believed(&self, what: &str, token: &str) {
        let reply = self.ask(token);
        assert_eq!(reply.status, 200, "{what} is to be believed\n{reply}");
    }

    #[track_caller]
    fn refused(&self, what: &str, token: &str) {
        let reply = self.ask(token);
        assert_eq!(reply.status, 401, "{what} is not to be believed\n{reply}");
        reply.problem("unauthorized");
    }
}

#[test]
fn a_token_of_the_form_that_the_service_issues_is_believed() {
    let world = World::new();
    let forge = &world.forge;
    world.believed("the good token", &forge.good());
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+JWT"] {
        world.believed(typ, &forge.with_header("typ", json!(typ)));
    }
    world.believed("several audiences", &forge.with_claim("aud", json!(["https://other.se", PUBLIC_URL])));
    world.believed("begun", &forge.with_claim("nbf", json!(forge.now)));
    world.believed("a clock ahead", &forge.with_claim("nbf", json!(forge.now + 30)));
    world.believed("foreign scopes too", &forge.with_claim("scope", json!("openid ballots.read x")));
    world.believed("the longest life", &forge.with_claim("exp", json!(forge.now + 900)));
}

#[test]
fn scopes_and_participants_of_another_form_are_refused() {
    let world = World::new();
    let forge = &world.forge;
    for (claim, values) in [
        ("scope", vec![json!(["ballots.read"]), json!(1), json!({ "ballots.read": true })]),
        (
            "participant",
            vec![json!("0180"), json!("region:0180"), json!(180), json!(["municipality:0180"]), json!("")],
        ),
        ("client_id", vec![json!(1), json!(""), json!("x".repeat(256))]),
    ] {
        for value in values {
            world.refused(&format!("{claim}: {value}"), &forge.with_claim(claim, value.clone()));
        }
    }
}

#[test]
fn a_token_comes_in_the_authorization_field_and_nowhere_else() {
    let world = World::new();
    let forge = &world.forge;
    let token = forge.good();
    let get = |path: &str| world.service.get(path);
    for name in ["access_token", "token", "bearer_token"] {
        get(&format!("{OWN}?{name}={token}")).send().is(401).problem("unauthorized");
    }
    get(OWN).header("Cookie", &format!("access_token={token}")).send().is(401);
    for scheme in ["Basic", "DPoP", "Token", "Bearer:", ""] {
        get(OWN).header("Authorization", &format!("{scheme} {token}")).send().is(401);
    }
    get(OWN).header("Authorization", &token).send().is(401);
    get(OWN).header("Authorization", "Bearer").send().is(401);
    get(OWN).header("Authorization", "Bearer ").send().is(401);
    let two = get(OWN).header("Authorization", &format!("Bearer {token}"));
    two.header("Authorization", &format!("Bearer {token}")).send().is(401);
    // The scheme's case does not matter (RFC 9110, section 11.1).
    get(OWN).header("Authorization", &format!("bearer {token}")).send().is(200);
}

#[test]
fn a_token_that_was_believed_ends_at_its_time() {
    let world = World::new();
    let forge = &world.forge;
    let token = forge.good();
    world.believed("young", &token);
    // Five minutes of life, and half a minute between the clocks.
    world.service.set_time("2026-03-10T12:05:29+01:00");
    world.believed("in its last second", &token);
    world.service.set_time("2026-03-10T12:05:30+01:00");
    world.refused("past its end", &token);
}

#[test]
fn a_scope_without_a_participant_opens_no_ballot() {
    let world = World::new();
    let forge = &world.forge;
    let token = forge.with_claim("participant", Value::Null);
    world.ask(&token).is(403).problem("forbidden");
    let token = forge.with_claim("scope", json!("ballots.write"));
    assert_eq!(world.ask(&token).is(403).problem("forbidden")["scope"], "ballots.read");
    let token = forge.with_claim("scope", Value::Null);
    world.ask(&token).is(403).problem("forbidden");
}
