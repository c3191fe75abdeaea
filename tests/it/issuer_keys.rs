//! The keys of issuers: fetched, rotated, lost, and not believed when they should not be.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handslag::identity::Freshness;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::{
    Answer, Caller, Database, FIVE, Forge, IssuerServer, Pair, Service, authority, changed, until,
};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const ISSUER: &str = "https://idp.example.se";
/// Fetched once, and again only if a key is unknown.
const CALM: Freshness = Freshness {
    fresh: Duration::from_hours(1),
    usable: Duration::from_hours(24),
    unknown: Duration::from_millis(20),
    retry: Duration::from_millis(5),
};
/// Fetched all the time.
const EAGER: Freshness = Freshness { fresh: Duration::from_millis(20), ..CALM };

/// A service with a ballot of 0180 that trusts an issuer.
struct World {
    service: Service,
    server: IssuerServer,
}

fn settings(keys: &str) -> String {
    format!(
        "[[issuers]]\nissuer = \"{ISSUER}\"\naudience = \"handslag\"\n{keys}\n\
         algorithms = [\"RS256\", \"PS256\", \"ES256\", \"EdDSA\"]\nparticipant = {{ code = \"0180\" }}\n"
    )
}

impl World {
    fn new(server: IssuerServer, freshness: Freshness) -> Self {
        let address = format!("jwksUri = \"{}\"", server.uri());
        Self::with(server, &settings(&address), freshness)
    }

    fn with(server: IssuerServer, settings: &str, freshness: Freshness) -> Self {
        let service = Service::start_trusting(&Database::sqlite(), settings, freshness);
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        Self { service, server }
    }

    /// The good token, by a pair.
    fn token(&self, pair: &Pair) -> String {
        forge(&self.service, pair).good()
    }

    fn status(&self, token: &str) -> u16 {
        self.service.get(OWN).by(Caller::Token(token)).send().status
    }

    /// Waits until the answer to a token is another.
    #[track_caller]
    fn becomes(&self, what: &str, token: &str, status: u16) {
        until(what, || (self.status(token) == status).then_some(()));
    }

    /// Waits until the keys have been asked for again, and the answer has been taken.
    #[track_caller]
    fn fetched_again(&self) {
        let before = self.server.times();
        until("the keys are asked for twice more", || (self.server.times() >= before + 2).then_some(()));
    }
}

fn forge(service: &Service, pair: &Pair) -> Forge {
    let now = service.now().utc().timestamp();
    let claims = json!({
        "iss": ISSUER, "aud": "handslag", "sub": "a-service", "scope": "ballots.read ballots.write",
        "iat": now, "exp": now + 300, "jti": "1",
    });
    Forge { pair: pair.clone(), typ: "at+jwt".to_owned(), claims, now, longest_life: 5_400 }
}

#[test]
fn each_algorithm_is_checked_with_the_issuers_own_key() {
    let pairs = [
        Pair::rsa("r", 0, Algorithm::RS256),
        Pair::rsa("p", 1, Algorithm::PS256),
        Pair::ec("e", 5),
        Pair::ed("d", 5),
    ];
    let server = IssuerServer::start(Answer::keys(&pairs.each_ref()));
    let world = World::new(server, CALM);
    for pair in &pairs {
        world.becomes(&format!("{:?} is believed", pair.algorithm), &world.token(pair), 200);
        assert_eq!(world.status(&world.token(&pair.impostor())), 401, "{:?}", pair.algorithm);
    }
    // A key is for its own algorithm, though it could be for the other.
    let mut other = pairs[0].clone();
    other.algorithm = Algorithm::PS256;
    assert_eq!(world.status(&world.token(&other)), 401);
    assert!(world.server.paths().iter().all(|path| path == "/keys"), "{:?}", world.server.paths());
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (Pair::ec("old", 1), Pair::ec("new", 2));
    let world = World::new(IssuerServer::start(Answer::keys(&[&old])), CALM);
    world.becomes("the old key is there", &world.token(&old), 200);
    world.server.answer(Answer::keys(&[&old, &new]));
    world.becomes("the new key is there", &world.token(&new), 200);
    assert_eq!(world.status(&world.token(&old)), 200);
}

#[test]
fn a_key_that_is_taken_back_ends_the_tokens_that_it_signed() {
    let (stolen, new) = (Pair::ec("stolen", 1), Pair::ec("new", 2));
    let world = World::new(IssuerServer::start(Answer::keys(&[&stolen])), EAGER);
    let remembered = world.token(&stolen);
    world.becomes("the key is there", &remembered, 200);
    world.server.answer(Answer::keys(&[&new]));
    world.becomes("the token is not believed any more", &remembered, 401);
    assert_eq!(world.status(&world.token(&new)), 200);
    // Nor does another key under the same id keep it.
    let signed = world.token(&new);
    world.server.answer(Answer::keys(&[&Pair::ec("new", 3)]));
    world.becomes("the token of the replaced key is not believed", &signed, 401);
    // A set without keys is an answer too.
    world.server.answer(Answer::Keys(Vec::new()));
    let last = world.token(&Pair::ec("new", 3));
    world.becomes("nobody is believed", &last, 401);
}

#[test]
fn unknown_keys_do_not_make_the_service_ask_without_end() {
    let pair = Pair::ec("known", 1);
    let server = IssuerServer::start(Answer::keys(&[&pair]));
    let world = World::new(server, Freshness { unknown: Duration::from_hours(1), ..CALM });
    world.becomes("the key is there", &world.token(&pair), 200);
    for i in 0..200 {
        assert_eq!(world.status(&world.token(&Pair::ec(&format!("unknown-{i}"), 2))), 401);
    }
    assert_eq!(world.server.times(), 1);
    assert_eq!(world.status(&world.token(&pair)), 200);
}

#[test]
fn what_is_no_answer_leaves_the_keys_as_they_are() {
    let (known, stranger) = (Pair::ec("known", 1), Pair::ec("stranger", 2));
    let strangers = vec![stranger.jwk()];
    let elsewhere = IssuerServer::start(Answer::keys(&[&stranger]));
    let world = World::new(IssuerServer::start(Answer::keys(&[&known])), EAGER);
    world.becomes("the key is there", &world.token(&known), 200);
    let padded = format!("{}{}", json!({ "keys": strangers }), " ".repeat(256 * 1024));
    for answer in [
        Answer::Status(500, strangers.clone()),
        Answer::Status(404, strangers.clone()),
        Answer::Status(203, strangers.clone()),
        Answer::Elsewhere(elsewhere.uri()),
        Answer::Endless,
        Answer::Text(padded),
        Answer::Text("<html>".to_owned()),
        Answer::Text(String::new()),
        Answer::Text("{}".to_owned()),
        Answer::Text("[]".to_owned()),
        Answer::Text("{\"keys\":{}}".to_owned()),
        Answer::Text(format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000))),
        Answer::Keys(vec![stranger.jwk(); 101]),
    ] {
        let what: String = format!("{answer:?}").chars().take(60).collect();
        world.server.answer(answer);
        world.fetched_again();
        assert_eq!(world.status(&world.token(&known)), 200, "{what}");
        assert_eq!(world.status(&world.token(&stranger)), 401, "{what}");
    }
    assert_eq!(elsewhere.times(), 0, "nobody was sent there");
    world.server.answer(Answer::keys(&[&stranger]));
    world.becomes("the issuer is itself again", &world.token(&stranger), 200);
}

#[test]
fn keys_that_cannot_be_fetched_anew_are_not_used_for_ever() {
    let pair = Pair::ec("known", 1);
    let server = IssuerServer::start(Answer::keys(&[&pair]));
    let world = World::new(server, Freshness { usable: Duration::from_millis(1_500), ..EAGER });
    let token = world.token(&pair);
    world.becomes("the key is there", &token, 200);
    world.server.answer(Answer::Status(503, Vec::new()));
    world.becomes("the token that passed is not believed any more", &token, 401);
    world.server.answer(Answer::keys(&[&pair]));
    world.becomes("it is believed again", &token, 200);
}

#[test]
fn an_issuer_that_is_silent_opens_nothing_and_holds_nobody_up() {
    let pair = Pair::ec("known", 1);
    let world = World::new(IssuerServer::start(Answer::Silence), CALM);
    until("it is asked", || (world.server.times() > 0).then_some(()));
    for _ in 0..20 {
        assert_eq!(world.status(&world.token(&pair)), 401);
        world.service.get(OWN).by(Caller::Participant("0180")).send().is(200);
    }
    assert_eq!(world.server.times(), 1, "all of it while the first question waits");
    world.server.answer(Answer::keys(&[&pair]));
    world.becomes("the key is there", &world.token(&pair), 200);
}

#[test]
fn keys_that_check_no_signatures_are_passed_over() {
    let good = Pair::ec("good", 1);
    let with = |pair: &Pair, member: &str, value: Value| changed(pair.jwk(), member, value);
    let ec = Pair::ec("bad", 2);
    let ed = Pair::ed("bad", 2);
    let rsa = Pair::rsa("bad", 0, Algorithm::RS256);
    let short = URL_SAFE_NO_PAD.encode([1; 31]);
    let bad = [
        ("for encryption", vec![with(&rsa, "use", json!("enc"))], &rsa),
        ("an odd use", vec![with(&rsa, "use", json!(1))], &rsa),
        ("for signing only", vec![with(&rsa, "key_ops", json!(["sign"]))], &rsa),
        ("another algorithm", vec![with(&rsa, "alg", json!("ES256"))], &rsa),
        ("one that is not allowed", vec![with(&rsa, "alg", json!("RS512"))], &rsa),
        ("for encryption by its algorithm", vec![with(&rsa, "alg", json!("RSA-OAEP"))], &rsa),
        ("no text for an algorithm", vec![with(&rsa, "alg", json!(["RS256"]))], &rsa),
        ("too small", vec![Pair::weak("bad").jwk()], &Pair::weak("bad")),
        ("an exponent of one", vec![with(&rsa, "e", json!("AQ"))], &rsa),
        ("an exponent of nought", vec![with(&rsa, "e", json!("AA"))], &rsa),
        ("an even modulus", vec![with(&rsa, "n", json!(URL_SAFE_NO_PAD.encode([254; 256])))], &rsa),
        ("a huge modulus", vec![with(&rsa, "n", json!(URL_SAFE_NO_PAD.encode([255; 2_048])))], &rsa),
        ("no modulus", vec![with(&rsa, "n", Value::Null)], &rsa),
        ("its private half", vec![with(&ec, "d", json!("AQ"))], &ec),
        ("no point", vec![with(&ec, "y", ec.jwk()["x"].clone())], &ec),
        ("half a point", vec![with(&ec, "y", json!(short))], &ec),
        ("another curve", vec![with(&ec, "crv", json!("P-384"))], &ec),
        ("another kind", vec![with(&ec, "kty", json!("OKP"))], &ec),
        ("a short point", vec![with(&ed, "x", json!(short))], &ed),
        ("a weak point", vec![with(&ed, "x", json!(URL_SAFE_NO_PAD.encode([0; 32])))], &ed),
        ("no id", vec![with(&ec, "kid", Value::Null)], &ec),
        ("an id that is no text", vec![with(&ec, "kid", json!(1))], &ec),
        ("an id twice", vec![ec.jwk(), ed.jwk()], &ec),
        ("an id twice, the other way", vec![ec.jwk(), ed.jwk()], &ed),
        ("a shared secret", vec![json!({ "kty": "oct", "kid": "bad", "k": "AQ", "alg": "HS256" })], &ec),
        ("no object", vec![json!("bad"), json!(null), json!([])], &ec),
    ];
    let world = World::new(IssuerServer::start(Answer::keys(&[&good])), EAGER);
    for (what, mut keys, signs) in bad {
        keys.push(good.jwk());
        world.server.answer(Answer::Keys(keys));
        world.fetched_again();
        assert_eq!(world.status(&world.token(signs)), 401, "{what}");
        assert_eq!(world.status(&world.token(&good)), 200, "{what}: the others are used");
    }
    // Without a use and an algorithm it is for what the issuer is configured to use first.
    let plain = changed(changed(rsa.jwk(), "alg", Value::Null), "use", Value::Null);
    world.server.answer(Answer::Keys(vec![plain]));
    world.becomes("a key that says little is used", &world.token(&rsa), 200);
    assert_eq!(world.status(&world.token(&Pair::rsa("bad", 0, Algorithm::PS256))), 401);
}

#[test]
fn keys_come_over_tls_from_a_server_that_somebody_vouches_for() {
    let pair = Pair::ec("known", 1);
    let (root, config) = authority();
    let (other_root, _) = authority();
    for (roots, believed) in [(Some(&root), true), (Some(&other_root), false), (None, false)] {
        let server = IssuerServer::start_tls(Answer::keys(&[&pair]), config.clone());
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, roots.unwrap_or(&root)).unwrap();
        let vouching = roots.map(|_| format!("caFile = {file:?}\n")).unwrap_or_default();
        let keys = format!("{vouching}jwksUri = \"{}\"", server.uri());
        let world = World::with(server, &settings(&keys), EAGER);
        if believed {
            world.becomes("the key is there", &world.token(&pair), 200);
        } else {
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(world.status(&world.token(&pair)), 401);
            assert_eq!(world.server.times(), 0, "nothing is asked of who is not vouched for");
        }
    }
}

#[test]
fn keys_may_come_from_a_file() {
    let pair = Pair::ed("known", 1);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [pair.jwk()] }).to_string()).unwrap();
    let unused = IssuerServer::start(Answer::Silence);
    let world = World::with(unused, &settings(&format!("jwksFile = {file:?}")), CALM);
    assert_eq!(world.status(&world.token(&pair)), 200);
    assert_eq!(world.status(&world.token(&pair.impostor())), 401);
    assert_eq!(world.status(&world.token(&Pair::ed("other", 1))), 401);
}

#[test]
fn the_program_trusts_whom_its_settings_name() {
    let pair = Pair::ec("known", 1);
    let (root, config) = authority();
    let server = IssuerServer::start_tls(Answer::keys(&[&pair]), config);
    let database = Database::sqlite();
    let [file, roots] = ["handslag.toml", "roots.pem"].map(|name| database.folder().join(name));
    std::fs::write(&file, settings(&format!("jwksUri = \"{}\"", server.uri()))).unwrap();
    std::fs::write(&roots, root).unwrap();
    // The system's certificates, as far as this process goes.
    let [file, roots] = [("HANDSLAG_CONFIG", file), ("SSL_CERT_FILE", roots)]
        .map(|(name, path)| format!("{name}={}", path.display()));
    let service = Service::start_program_under(&["env", &file, &roots], &database);
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    service.submit("0180", FIVE).is(201);
    let world = World { service, server };
    let token = world.token(&pair);
    world.becomes("the key is there", &token, 200);
    let stranger = world.token(&pair.impostor());
    assert_eq!(world.status(&stranger), 401);
    world.server.answer(Answer::Status(500, Vec::new()));
    drop(world);
    let log = std::fs::read_to_string(database.folder().join("service.log")).unwrap();
    assert!(log.contains("the keys of an issuer were fetched") && log.contains("wrong signature"), "{log}");
    assert!(!log.contains("eyJ"), "{log}");
}
