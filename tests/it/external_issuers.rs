//! Tokens of other issuers, as the sector's send them: whose ballot they open and what else, and what they do not.

use handslag::identity::Freshness;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::{
    Answer, Caller, Database, FIVE, Forge, IssuerServer, Pair, Reply, Service, changed, until,
};

const ORGANISATION: &str = "https://id.oidc.se/claim/orgNumber";
const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const AUDIENCE: &str = "api://handslag";

/// A service with ballots of 0180 and 1480, an issuer that it trusts, and the claims of that one's good token.
struct World {
    service: Service,
    forge: Forge,
    _server: IssuerServer,
}

/// An organisation number that nobody has been given: nine digits, and the one that checks them.
fn organisation(number: u32) -> String {
    let nine = format!("9900{number:05}");
    let doubled = |(i, digit): (usize, u32)| if i % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit };
    let digits = nine.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits.enumerate().map(doubled).sum();
    format!("{nine}{}", (10 - sum % 10) % 10)
}

impl World {
    /// The settings are those of the issuer's table, without its name, audience and keys.
    fn new(issuer: &str, pair: Pair, typ: &str, settings: &str, claims: &Value) -> Self {
        let server = IssuerServer::start(Answer::keys(&[&pair]));
        let database = Database::sqlite();
        let table = database.folder().join("organisations.csv");
        let rows = format!(
            "name,organisationNumber,participantCode\nStockholm,{},0180\n\"Göteborg, stad\",{},1480\n",
            organisation(180),
            organisation(1480)
        );
        std::fs::write(&table, rows).unwrap();
        let settings = format!(
            "[[issuers]]\nissuer = \"{issuer}\"\naudience = \"{AUDIENCE}\"\njwksUri = \"{}\"\n\
             algorithms = [\"{:?}\"]\ntyp = \"{typ}\"\n{}",
            server.uri(),
            pair.algorithm,
            settings.replace("TABLE", &format!("\"{}\"", table.display()))
        );
        let service = Service::start_trusting(&database, &settings, Freshness::default());
        service.open_round(json!({}));
        for code in ["0180", "1480"] {
            service.submit(code, FIVE).is(201);
        }
        let now = service.now().utc().timestamp();
        let mut all = json!({
            "iss": issuer, "aud": AUDIENCE, "sub": "6f1c", "iat": now, "nbf": now, "exp": now + 3_600, "jti": "1",
        });
        let members = claims.as_object().cloned().unwrap();
        all.as_object_mut().unwrap().extend(members);
        let forge = Forge { pair, typ: typ.to_owned(), claims: all, now, longest_life: 5_400 };
        let world = Self { service, forge, _server: server };
        until("the issuer's keys are there", || {
            (world.get("0180", &world.forge.good()).status != 401).then_some(())
        });
        world
    }

    fn get(&self, code: &str, token: &str) -> Reply {
        self.service.get(&format!("/rounds/handslag-2026/ballots/{code}")).by(Caller::Token(token)).send()
    }

    fn put(&self, code: &str, token: &str) -> Reply {
        let request = self.service.put(&format!("/rounds/handslag-2026/ballots/{code}"));
        request.by(Caller::Token(token)).json(&json!({ "ranking": FIVE })).send()
    }

    /// What somebody with this token is told of both ballots when reading and when writing.
    fn reaches(&self, token: &str) -> [u16; 4] {
        let (read, write) = (|code| self.get(code, token).status, |code| self.put(code, token).status);
        [read("0180"), write("0180"), read("1480"), write("1480")]
    }
}

const ITS_OWN: [u16; 4] = [200, 200, 403, 403];
const NOTHING: [u16; 4] = [403; 4];
const NOBODY: [u16; 4] = [401; 4];

/// Ena's and Inera's way: an access token by RFC 9068 whose client is an organisation.
fn sector() -> World {
    World::new(
        "https://idp.sector.example.se",
        Pair::rsa("2026-a", 0, Algorithm::PS256),
        "at+jwt",
        "[issuers.participant]\norganisations = TABLE\n",
        &json!({ ORGANISATION: organisation(180), "client_id": "sthlm-1", "scope": "ballots.read ballots.write" }),
    )
}

#[test]
fn an_organisation_number_opens_the_ballot_of_its_municipality_alone() {
    let world = sector();
    let with = |number: &str| world.forge.with_claim(ORGANISATION, json!(number));
    let number = organisation(180);
    assert_eq!(world.reaches(&world.forge.good()), ITS_OWN);
    assert_eq!(world.reaches(&with(&format!("{}-{}", &number[..6], &number[6..]))), ITS_OWN);
    assert_eq!(world.reaches(&with(&format!("16{number}"))), ITS_OWN);
    assert_eq!(world.reaches(&with(&organisation(1480))), [403, 403, 200, 200]);
    // An organisation that takes no part, or none at all.
    assert_eq!(world.reaches(&with(&organisation(7))), NOTHING);
    assert_eq!(world.reaches(&world.forge.with_claim(ORGANISATION, Value::Null)), NOTHING);
    // Which of the two it is, that it is another's or nobody's, the caller is told.
    for (number, told) in [(7, "är inte knuten till någon deltagare"), (1480, "gäller en annan deltagares")]
    {
        let token = with(&organisation(number));
        let refused = world.service.get(OWN).by(Caller::Token(&token)).send().is(403).json();
        assert!(refused["detail"].as_str().unwrap().contains(told), "{refused}");
    }
}

#[test]
fn what_is_no_organisation_number_is_not_believed() {
    let world = sector();
    let number = organisation(180);
    let mut wrong = number.clone();
    wrong.pop();
    let last = number.chars().last().and_then(|last| last.to_digit(10)).unwrap();
    for value in [
        json!(""),
        json!("0180"),
        json!("municipality:0180"),
        json!(wrong),
        json!(format!("{wrong}{}", (last + 1) % 10)),
        json!(format!("{number}0")),
        json!(format!("17{number}")),
        json!(format!(" {number}")),
        json!(format!("{}-{}", &number[..4], &number[4..])),
        json!("２１２００００１４２"),
        json!(number.parse::<u64>().unwrap()),
        json!([number]),
        json!({ "value": number }),
        json!(true),
    ] {
        assert_eq!(world.reaches(&world.forge.with_claim(ORGANISATION, value.clone())), NOBODY, "{value}");
    }
}

#[test]
fn nobody_says_himself_whose_ballot_it_is() {
    let world = sector();
    for (claim, value) in [
        ("participant", json!("municipality:1480")),
        ("municipality", json!("1480")),
        ("orgNumber", json!(organisation(1480))),
        ("organisation", json!(organisation(1480))),
    ] {
        assert_eq!(world.reaches(&world.forge.with_claim(claim, value)), ITS_OWN, "{claim}");
    }
    let without = changed(world.forge.claims.clone(), ORGANISATION, Value::Null);
    let said = changed(without, "participant", json!("municipality:0180"));
    assert_eq!(world.reaches(&world.forge.sign(&world.forge.header(), &said)), NOTHING);
}

#[test]
fn an_issuer_gives_no_scope_that_it_may_not_give() {
    let world = sector();
    let token = world.forge.with_claim("scope", json!("ballots.read ballots.list results.read rounds.admin"));
    assert_eq!(world.reaches(&token), [200, 403, 403, 403]);
    let by = Caller::Token(&token);
    world.service.get("/rounds/handslag-2026/ballots").by(by).send().is(403);
    world.service.get("/rounds/handslag-2026/results").by(by).send().is(403);
    world.service.request("PATCH", "/rounds/handslag-2026").by(by).json(&json!({})).send().is(403);
}

#[test]
fn a_token_may_live_as_long_as_its_issuer_is_allowed_to_let_it() {
    let world = sector();
    let now = world.forge.now;
    assert_eq!(world.reaches(&world.forge.with_claim("exp", json!(now + 5_400))), ITS_OWN);
    assert_eq!(world.reaches(&world.forge.with_claim("exp", json!(now + 5_401))), NOBODY);
    let token = world.forge.good();
    world.service.set_time("2026-03-10T13:00:29+01:00");
    assert_eq!(world.get("0180", &token).status, 200);
    world.service.set_time("2026-03-10T13:00:30+01:00");
    assert_eq!(world.get("0180", &token).status, 401);
}

/// Entra ID's way, from a municipality's own tenant: `typ` is JWT, scopes in `scp`, roles beside them.
fn entra() -> World {
    let tenant = "https://login.example.com/7f2d/v2.0";
    World::new(
        tenant,
        Pair::rsa("nOo3", 1, Algorithm::RS256),
        "JWT",
        "scopeClaim = \"scp\"\nrequire = { tid = \"7f2d\" }\n[issuers.participant]\ncode = \"0180\"\n\
         [[issuers.roles]]\nclaim = \"roles\"\nvalue = \"Handslag.Skriva\"\nscopes = [\"ballots.read\", \"ballots.write\"]\n",
        &json!({ "tid": "7f2d", "ver": "2.0", "azp": "5b1e", "oid": "c0de", "scp": "ballots.read ballots.write" }),
    )
}

#[test]
fn a_municipalitys_own_issuer_opens_its_own_ballot_alone() {
    let world = entra();
    assert_eq!(world.reaches(&world.forge.good()), ITS_OWN);
    for (claim, value) in
        [("participant", json!("municipality:1480")), (ORGANISATION, json!(organisation(1480)))]
    {
        assert_eq!(world.reaches(&world.forge.with_claim(claim, value)), ITS_OWN);
    }
    // A service of the municipality has roles and no scopes.
    let plain = changed(world.forge.claims.clone(), "scp", Value::Null);
    let token = |claims: &Value| world.forge.sign(&world.forge.header(), claims);
    assert_eq!(world.reaches(&token(&plain)), NOTHING);
    let with = |roles: Value| token(&changed(plain.clone(), "roles", roles));
    assert_eq!(world.reaches(&with(json!(["Other", "Handslag.Skriva"]))), ITS_OWN);
    assert_eq!(world.reaches(&with(json!("Handslag.Skriva"))), ITS_OWN);
    for roles in
        [json!(["handslag.skriva"]), json!("Handslag.Skriva x"), json!([["Handslag.Skriva"]]), json!({})]
    {
        assert_eq!(world.reaches(&with(roles.clone())), NOTHING, "{roles}");
    }
    let listed = world.forge.with_claim("scp", json!(["ballots.read", "User.Read"]));
    assert_eq!(world.reaches(&listed), [200, 403, 403, 403]);
    assert_eq!(world.reaches(&world.forge.with_claim("scp", json!(["ballots.read", 1]))), NOBODY);
    // The claim `scope` is not where this issuer's scopes stand.
    let elsewhere = changed(plain.clone(), "scope", json!("ballots.read ballots.write"));
    assert_eq!(world.reaches(&token(&elsewhere)), NOTHING);
}

#[test]
fn a_token_that_tells_who_somebody_is_opens_nothing() {
    let world = entra();
    for claim in ["nonce", "at_hash", "c_hash"] {
        assert_eq!(
            world.reaches(&world.forge.with_claim(claim, json!("77QmUPtjPfzWtF2A"))),
            NOBODY,
            "{claim}"
        );
    }
}

#[test]
fn another_tenant_or_a_missing_claim_is_not_believed() {
    let world = entra();
    for (claim, value) in [
        ("iss", json!("https://login.example.com/0bad/v2.0")),
        ("iss", json!("https://login.example.com/common/v2.0")),
        ("tid", json!("0bad")),
        ("tid", Value::Null),
        ("tid", json!(["0bad"])),
        ("aud", json!("00000003-0000-0000-c000-000000000000")),
    ] {
        assert_eq!(world.reaches(&world.forge.with_claim(claim, value.clone())), NOBODY, "{claim} {value}");
    }
    assert_eq!(world.reaches(&world.forge.with_header("typ", json!("at+jwt"))), NOBODY);
}

/// Keycloak's way: the roles of a realm lie within a claim, and a claim tells what kind of token it is.
fn keycloak() -> World {
    World::new(
        "https://sso.example.se/realms/skr",
        Pair::ec("kc", 7),
        "JWT",
        "require = { typ = \"Bearer\" }\n\
         [[issuers.roles]]\nclaim = [\"realm_access\", \"roles\"]\nvalue = \"analytiker\"\n\
         scopes = [\"ballots.list\", \"results.read\"]\n\
         [[issuers.roles]]\nclaim = [\"resource_access\", \"handslag\", \"roles\"]\nvalue = \"ledare\"\n\
         scopes = [\"rounds.admin\"]\n",
        &json!({
            "typ": "Bearer", "azp": "analys", "scope": "email profile ballots.write",
            "realm_access": { "roles": ["offline_access", "analytiker"] },
            "resource_access": { "account": { "roles": ["ledare"] } },
        }),
    )
}

#[test]
fn roles_within_a_claim_give_what_they_are_said_to_give() {
    let world = keycloak();
    let patch = |token: &str| {
        let request = world.service.request("PATCH", "/rounds/handslag-2026").by(Caller::Token(token));
        request.json(&json!({ "titleSv": "Ny" })).send().status
    };
    let list = |token: &str| {
        world.service.get("/rounds/handslag-2026/ballots").by(Caller::Token(token)).send().status
    };
    let good = world.forge.good();
    assert_eq!((list(&good), patch(&good)), (200, 403));
    // Nobody's ballot can be written: the issuer is not told to stand for any.
    assert_eq!(world.reaches(&good), [200, 403, 200, 403]);
    for claim in
        [json!({}), json!(["analytiker"]), json!({ "roles": ["ledare"] }), json!({ "roles": {} }), json!("x")]
    {
        assert_eq!(list(&world.forge.with_claim("realm_access", claim.clone())), 403, "{claim}");
    }
    let manager = json!({ "handslag": { "roles": ["ledare"] } });
    assert_ne!(patch(&world.forge.with_claim("resource_access", manager)), 403);
    assert_eq!(list(&world.forge.with_claim("typ", json!("ID"))), 401);
    assert_eq!(list(&world.forge.with_claim("typ", Value::Null)), 401);
}

#[test]
fn an_issuer_may_be_trusted_to_name_the_participant() {
    let world = World::new(
        "https://as.example.se",
        Pair::ed("a", 9),
        "at+jwt",
        "[issuers.participant]\ntrustedClaim = [\"handslag\", \"participant\"]\n",
        &json!({ "handslag": { "participant": "municipality:0180" }, "scope": "ballots.read ballots.write" }),
    );
    assert_eq!(world.reaches(&world.forge.good()), ITS_OWN);
    let other = json!({ "participant": "municipality:1480" });
    assert_eq!(world.reaches(&world.forge.with_claim("handslag", other)), [403, 403, 200, 200]);
    for claim in [json!({ "participant": "0180" }), json!({ "participant": ["municipality:0180"] })] {
        assert_eq!(world.reaches(&world.forge.with_claim("handslag", claim)), NOBODY);
    }
    assert_eq!(world.reaches(&world.forge.with_claim("participant", json!("municipality:1480"))), ITS_OWN);
}

#[test]
fn our_own_tokens_are_believed_beside_them() {
    let world = sector();
    for (caller, status) in [
        (Caller::Participant("0180"), 200),
        (Caller::Participant("1480"), 403),
        (Caller::Analyst, 200),
        (Caller::Nobody, 401),
    ] {
        world.service.get("/rounds/handslag-2026/ballots/0180").by(caller).send().is(status);
    }
}
