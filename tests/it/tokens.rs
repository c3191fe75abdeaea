//! Tokens that must not be believed, each one change away from one that is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, PUBLIC_URL, Reply, Service};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";

/// Makes tokens with the service's own key, as the service would or would not.
struct Forge {
    service: Service,
    key: SigningKey,
    now: i64,
}

impl Forge {
    fn new() -> Self {
        let service = Service::start(&Database::sqlite());
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        let pem = service.database().folder().join("keys/signing.pem");
        let pem = std::fs::read_to_string(pem).expect("the service made its key");
        let key = SigningKey::from_pkcs8_pem(&pem).expect("an Ed25519 key");
        let now = service.now().utc().timestamp();
        Self { service, key, now }
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.service.key().kid() })
    }

    fn claims(&self) -> Value {
        json!({
            "iss": PUBLIC_URL, "aud": PUBLIC_URL, "sub": "municipality:0180", "client_id": "test",
            "scope": "ballots.read ballots.write", "participant": "municipality:0180",
            "iat": self.now, "exp": self.now + 300, "jti": "1",
        })
    }

    /// Signs texts, which may be no JSON at all.
    fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// The good token with a header member changed; `null` takes it out.
    fn with_header(&self, member: &str, value: Value) -> String {
        self.sign(&changed(self.header(), member, value), &self.claims())
    }

    /// The good token with a claim changed; `null` takes it out.
    fn with_claim(&self, claim: &str, value: Value) -> String {
        self.sign(&self.header(), &changed(self.claims(), claim, value))
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
        assert!(reply.field("WWW-Authenticate").contains("error=\"invalid_token\""), "{what}\n{reply}");
        // Where no token is needed, one that is not believed is refused all the same.
        let reply = self.service.get("/rules").by(Caller::Token(token)).send();
        assert_eq!(reply.status, 401, "{what}, where anyone may ask\n{reply}");
    }
}

fn changed(mut object: Value, member: &str, value: Value) -> Value {
    let members = object.as_object_mut().expect("headers and claims are objects");
    match value {
        Value::Null => drop(members.remove(member)),
        value => drop(members.insert(member.to_owned(), value)),
    }
    object
}

#[test]
fn a_token_of_the_form_that_the_service_issues_is_believed() {
    let forge = Forge::new();
    forge.believed("the good token", &forge.sign(&forge.header(), &forge.claims()));
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+JWT"] {
        forge.believed(typ, &forge.with_header("typ", json!(typ)));
    }
    forge.believed("several audiences", &forge.with_claim("aud", json!(["https://other.se", PUBLIC_URL])));
    forge.believed("begun", &forge.with_claim("nbf", json!(forge.now)));
    forge.believed("a clock ahead", &forge.with_claim("nbf", json!(forge.now + 30)));
    forge.believed("foreign scopes too", &forge.with_claim("scope", json!("openid ballots.read x")));
    forge.believed("the longest life", &forge.with_claim("exp", json!(forge.now + 900)));
}

#[test]
fn the_algorithm_and_the_key_are_never_the_tokens_to_choose() {
    let forge = Forge::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        forge.refused(none, &forge.with_header("alg", json!(none)));
        let unsigned = forge.with_header("alg", json!(none));
        let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
        forge.refused("unsigned", unsigned);
        forge.refused("without a third part", unsigned.trim_end_matches('.'));
    }
    for named in ["HS256", "RS256", "ES256", "eddsa", "Ed25519", "EdDSA "] {
        forge.refused(named, &forge.with_header("alg", json!(named)));
    }
    forge.refused("no alg", &forge.with_header("alg", Value::Null));
    forge.refused("alg as a list", &forge.with_header("alg", json!(["EdDSA"])));

    // The public key is no secret, so nobody may sign with it as one.
    let public = forge.key.verifying_key().to_bytes();
    let spellings = [public.to_vec(), URL_SAFE_NO_PAD.encode(public).into(), STANDARD.encode(public).into()];
    for secret in spellings {
        let header = changed(forge.header(), "alg", json!("HS256")).to_string();
        let claims = forge.claims().to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = EncodingKey::from_secret(&secret);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        forge.refused("HS256 with the public key", &format!("{message}.{signature}"));
    }

    let stranger = SigningKey::from_bytes(&[7; 32]);
    let own = Forge { key: stranger, ..Forge::new() };
    forge.refused("another key under the same kid", &own.sign(&forge.header(), &forge.claims()));
    for kid in [json!("other"), json!(""), Value::Null, json!(1), json!("../../dev/null")] {
        forge.refused("another kid", &forge.with_header("kid", kid));
    }
    let x = URL_SAFE_NO_PAD.encode(own.key.verifying_key().to_bytes());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": forge.service.key().kid() });
    for (member, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
    ] {
        let header = changed(forge.header(), member, value);
        forge.refused(member, &forge.sign(&header, &forge.claims()));
        forge.refused(member, &own.sign(&header, &forge.claims()));
    }
}

#[test]
fn a_token_of_another_kind_is_no_access_token() {
    let forge = Forge::new();
    for typ in [
        Value::Null,
        json!("JWT"),
        json!("jwt"),
        json!("id+jwt"),
        json!("client-authentication+jwt"),
        json!(1),
        json!("at+jwt "),
    ] {
        forge.refused("another typ", &forge.with_header("typ", typ));
    }
    forge.refused("a token to be bound", &forge.with_claim("cnf", json!({ "jkt": "x" })));
    forge.refused("an empty binding", &forge.with_claim("cnf", json!({})));
}

#[test]
fn issuer_audience_subject_and_times_are_required() {
    let forge = Forge::new();
    let now = forge.now;
    for (claim, values) in [
        (
            "iss",
            vec![
                Value::Null,
                json!("https://evil.example"),
                json!(""),
                json!([PUBLIC_URL]),
                json!(format!("{PUBLIC_URL}/")),
            ],
        ),
        (
            "aud",
            vec![
                Value::Null,
                json!("https://evil.example"),
                json!(""),
                json!([]),
                json!(["a", "b"]),
                json!({}),
                json!(1),
            ],
        ),
        ("sub", vec![Value::Null, json!(""), json!(7), json!("x".repeat(256))]),
        (
            "exp",
            vec![
                Value::Null,
                json!(now - 30),
                json!((now + 300).to_string()),
                json!(300.5 + 1e9),
                json!(-1),
                json!(now + 31_536_000),
                json!(now + 901),
                json!(u64::MAX),
                json!(now),
            ],
        ),
        (
            "iat",
            vec![Value::Null, json!(now + 31), json!(now - 86_400), json!(now.to_string()), json!(now + 300)],
        ),
        ("nbf", vec![json!(now + 31), json!("now"), json!(now + 86_400), json!(-1), json!([])]),
        ("scope", vec![json!(["ballots.read"]), json!(1), json!({ "ballots.read": true })]),
        (
            "participant",
            vec![json!("0180"), json!("region:0180"), json!(180), json!(["municipality:0180"]), json!("")],
        ),
    ] {
        for value in values {
            forge.refused(&format!("{claim}: {value}"), &forge.with_claim(claim, value.clone()));
        }
    }
}

#[test]
fn what_is_not_the_text_that_was_signed_is_refused() {
    let forge = Forge::new();
    let good = forge.sign(&forge.header(), &forge.claims());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let others = URL_SAFE_NO_PAD
        .encode(changed(forge.claims(), "participant", json!("municipality:1480")).to_string());
    let unlike = forge.with_claim("jti", json!("2"));
    let (_, other_signature) = unlike.rsplit_once('.').unwrap();
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let (plain_header, plain_claims) = (forge.header().to_string(), forge.claims().to_string());
    for (what, token) in [
        ("claims of another participant", format!("{header}.{others}.{signature}")),
        ("a signature of another token", format!("{header}.{claims}.{other_signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..40])),
        ("a fourth part", format!("{good}.{signature}")),
        ("two parts", format!("{claims}.{signature}")),
        ("padding", format!("{header}.{}.{signature}", URL_SAFE.encode(&plain_claims) + "=")),
        ("a blank within", good.replacen('.', ". ", 1)),
        ("alg twice", forge.sign_text(&twice(&plain_header, "\"alg\":\"none\""), &plain_claims)),
        (
            "participant twice",
            forge.sign_text(&plain_header, &twice(&plain_claims, "\"participant\":\"municipality:1480\"")),
        ),
        ("exp twice", forge.sign_text(&plain_header, &twice(&plain_claims, "\"exp\":9999999999"))),
        ("claims that are a list", forge.sign_text(&plain_header, "[]")),
        ("claims that are no JSON", forge.sign_text(&plain_header, "{")),
        ("a header that is a text", forge.sign_text("\"EdDSA\"", &plain_claims)),
        ("a long token", forge.with_claim("padding", json!("x".repeat(9_000)))),
        ("nothing", String::from(".")),
        ("three empty parts", String::from("..")),
        ("no token at all", String::from("x")),
    ] {
        forge.refused(what, &token);
    }
}

#[test]
fn a_token_comes_in_the_authorization_field_and_nowhere_else() {
    let forge = Forge::new();
    let token = forge.sign(&forge.header(), &forge.claims());
    let get = |path: &str| forge.service.get(path);
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
    let forge = Forge::new();
    let token = forge.sign(&forge.header(), &forge.claims());
    forge.believed("young", &token);
    // Five minutes of life, and half a minute between the clocks.
    forge.service.set_time("2026-03-10T12:05:29+01:00");
    forge.believed("in its last second", &token);
    forge.service.set_time("2026-03-10T12:05:30+01:00");
    forge.refused("past its end", &token);
}

#[test]
fn a_scope_without_a_participant_opens_no_ballot() {
    let forge = Forge::new();
    let token = forge.with_claim("participant", Value::Null);
    forge.ask(&token).is(403).problem("forbidden");
    let token = forge.with_claim("scope", json!("ballots.write"));
    assert_eq!(forge.ask(&token).is(403).problem("forbidden")["scope"], "ballots.read");
    let token = forge.with_claim("scope", Value::Null);
    forge.ask(&token).is(403).problem("forbidden");
}
