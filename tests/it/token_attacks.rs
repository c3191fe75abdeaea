//! Attacks on tokens, as a table: each row a token that must not be believed, against our own issuer and against one
//! that is trusted by configuration.
//!
//! A row is refused where a ballot is read, where it is written and where anybody may ask, each time with 401 and the
//! challenge of RFC 6750, section 3.1.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use handslag::identity::Freshness;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::{Answer, Caller, Database, FIVE, Forge, IssuerServer, Pair, Service, changed, until};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";
const ISSUER: &str = "https://idp.example.se";
const CHALLENGE: &str = concat!(
    r#"Bearer realm="handslag", error="invalid_token", "#,
    r#"resource_metadata="https://handslag.example.se/.well-known/oauth-protected-resource""#
);

/// What is tried, and the token.
type Row = (String, String);

/// A service with a ballot of 0180, and the issuer whose tokens are forged.
struct World {
    service: Service,
    forge: Forge,
    /// Where the issuer publishes its keys, if it is not our own.
    server: Option<IssuerServer>,
}

impl World {
    fn own() -> Self {
        let service = Service::start(&Database::sqlite());
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        let forge = Forge::own(&service);
        Self { service, forge, server: None }
    }

    /// An issuer that signs with RSA, and whose tokens have no type of their own.
    fn external() -> Self {
        let pair = Pair::rsa("2026-a", 0, Algorithm::RS256);
        let server = IssuerServer::start(Answer::keys(&[&pair]));
        let settings = format!(
            "[[issuers]]\nissuer = \"{ISSUER}\"\naudience = \"api://handslag\"\njwksUri = \"{}\"\n\
             algorithms = [\"RS256\"]\ntyp = \"JWT\"\nparticipant = {{ code = \"0180\" }}\n",
            server.uri()
        );
        let service = Service::start_trusting(&Database::sqlite(), &settings, Freshness::default());
        service.open_round(json!({}));
        service.submit("0180", FIVE).is(201);
        let now = service.now().utc().timestamp();
        let claims = json!({
            "iss": ISSUER, "aud": "api://handslag", "sub": "6f1c", "scope": "ballots.read ballots.write",
            "iat": now, "exp": now + 300, "jti": "1",
        });
        let forge = Forge { pair, typ: "JWT".to_owned(), claims, now, longest_life: 5_400 };
        let believed = || service.get(OWN).by(Caller::Token(&forge.good())).send().status == 200;
        until("the issuer's keys are there", || believed().then_some(()));
        Self { service, forge, server: Some(server) }
    }

    #[track_caller]
    fn refuses(&self, rows: impl IntoIterator<Item = Row>) {
        // The table would show nothing if what it changes were not good.
        self.service.get(OWN).by(Caller::Token(&self.forge.good())).send().is(200);
        for (what, token) in rows {
            let by = Caller::Token(&token);
            for reply in [
                self.service.get(OWN).by(by).send(),
                self.service.put(OWN).by(by).json(&json!({ "ranking": FIVE })).send(),
                self.service.get("/rules").by(by).send(),
            ] {
                assert_eq!(reply.status, 401, "{what}\n{reply}");
                reply.problem("unauthorized");
                assert_eq!(reply.field("WWW-Authenticate"), CHALLENGE, "{what}");
            }
        }
        assert_eq!(self.service.get(OWN).by(Caller::Analyst).send().is(200).json()["revision"], 1);
        // No token has made the service ask anybody but the issuer, for anything but its keys.
        let asked = self.server.as_ref().map(IssuerServer::paths).unwrap_or_default();
        assert!(asked.iter().all(|path| path == "/keys"), "{asked:?}");
    }
}

/// Makes `name::own` and `name::external` of each set of rows.
macro_rules! attacks {
    ($(fn $name:ident($forge:ident: &Forge) -> Vec<Row> $body:block)+) => {$(
        fn $name($forge: &Forge) -> Vec<Row> $body

        mod $name {
            #[test]
            fn own() {
                let world = super::World::own();
                world.refuses(super::$name(&world.forge));
            }

            #[test]
            fn external() {
                let world = super::World::external();
                world.refuses(super::$name(&world.forge));
            }
        }
    )+};
}

fn named(what: impl Into<String>, token: String) -> Row {
    (what.into(), token)
}

/// A text with a member more at its beginning.
fn more(object: &Value, member: &str) -> String {
    object.to_string().replacen('{', &format!("{{{member},"), 1)
}

/// HMAC over a message, with any secret.
fn with_secret(forge: &Forge, algorithm: Algorithm, secret: &[u8]) -> String {
    let header = changed(forge.header(), "alg", json!(format!("{algorithm:?}"))).to_string();
    let claims = forge.claims.to_string();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

attacks! {
    fn no_algorithm(forge: &Forge) -> Vec<Row> {
        let spelled = ["none", "None", "NONE", "nOnE", "noNe", "", " none", "none\0", "n\u{00f6}ne"];
        let rows = spelled.into_iter().flat_map(|none| {
            let signed = forge.with_header("alg", json!(none));
            let unsigned = signed[..=signed.rfind('.').unwrap()].to_owned();
            let two_parts = unsigned.trim_end_matches('.').to_owned();
            [signed, unsigned, two_parts].map(|token| named(format!("alg {none:?}"), token))
        });
        let mut rows: Vec<Row> = rows.collect();
        for alg in [Value::Null, json!(["none"]), json!({}), json!(0), json!(false)] {
            rows.push(named(format!("alg {alg}"), forge.with_header("alg", alg)));
        }
        rows
    }

    fn another_algorithm(forge: &Forge) -> Vec<Row> {
        let names = [
            "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
            "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448", "eddsa", "rs256", "EdDSA ", "RS256 ", "A128KW", "dir",
        ];
        let right = format!("{:?}", forge.pair.algorithm);
        let others = names.into_iter().filter(|name| *name != right);
        others.map(|name| named(name, forge.with_header("alg", json!(name)))).collect()
    }

    fn the_public_key_as_a_secret(forge: &Forge) -> Vec<Row> {
        let mut rows = Vec::new();
        for (spelling, secret) in forge.pair.spellings() {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let what = format!("{algorithm:?} with the public key as {spelling}");
                rows.push(named(what, with_secret(forge, algorithm, &secret)));
                let text = STANDARD.encode(&secret);
                let what = format!("{algorithm:?} with the public key as {spelling} in base64");
                rows.push(named(what, with_secret(forge, algorithm, text.as_bytes())));
            }
        }
        rows.extend([&b""[..], b"secret"].map(|secret| {
            named("HS256 with a secret that is none", with_secret(forge, Algorithm::HS256, secret))
        }));
        rows
    }

    fn another_key(forge: &Forge) -> Vec<Row> {
        let impostor = Forge { pair: forge.pair.impostor(), ..forge.clone() };
        let mut rows = vec![named("another key under the same kid", impostor.good())];
        for kid in [
            Value::Null, json!(""), json!("other"), json!("0"), json!("null"), json!("../../../../../../dev/null"),
            json!("/dev/null"), json!("keys/signing.pem"), json!("file:///dev/null"), json!("C:\\windows\\win.ini"),
            json!("https://evil.example/key.pem"), json!("' OR '1'='1"), json!("x' UNION SELECT 'secret' --"),
            json!("'; DROP TABLE rounds; --"), json!("$(id)"), json!("|id"), json!("\0"), json!("a\r\nb"),
            json!("%2e%2e%2f"), json!("{{7*7}}"), json!(1), json!(true), json!([forge.pair.kid]),
            json!({ "kid": forge.pair.kid }), json!(format!("{}\0", forge.pair.kid)),
            json!(format!(" {}", forge.pair.kid)), json!("x".repeat(4_000)), json!("x".repeat(9_000)),
        ] {
            let what: String = format!("kid {kid}").chars().take(80).collect();
            rows.push(named(&what, forge.with_header("kid", kid.clone())));
            rows.push(named(&what, impostor.with_header("kid", kid)));
        }
        rows
    }

    fn a_key_that_the_token_brings(forge: &Forge) -> Vec<Row> {
        let impostor = Forge { pair: forge.pair.impostor(), ..forge.clone() };
        let mut other = impostor.pair.jwk();
        other["kid"] = json!("brought");
        let members = [
            ("jwk", impostor.pair.jwk()),
            ("jwk", forge.pair.jwk()),
            ("jwk", json!(null)),
            ("jku", json!("https://evil.example/jwks.json")),
            ("jku", json!("http://127.0.0.1:1/jwks.json")),
            ("jku", json!("file:///etc/passwd")),
            ("x5u", json!("https://evil.example/chain.pem")),
            ("x5c", json!(["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"])),
            ("x5c", json!([])),
        ];
        let put = |header: Value, member: &str, value: &Value| {
            let mut header = header;
            header[member] = value.clone();
            header
        };
        let mut rows = Vec::new();
        for (member, value) in &members {
            rows.push(named(*member, forge.sign(&put(forge.header(), member, value), &forge.claims)));
            rows.push(named(*member, impostor.sign(&put(forge.header(), member, value), &forge.claims)));
        }
        // With the id of the key that it brings, as libraries that look keys up would have it.
        let header = put(put(forge.header(), "kid", &json!("brought")), "jwk", &other);
        rows.push(named("jwk with its own kid", impostor.sign(&header, &forge.claims)));
        let header = changed(put(forge.header(), "jwk", &other), "kid", Value::Null);
        rows.push(named("jwk without a kid", impostor.sign(&header, &forge.claims)));
        rows
    }

    fn header_members_that_must_be_understood(forge: &Forge) -> Vec<Row> {
        let mut rows = Vec::new();
        for (member, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("crit", json!([])),
            ("crit", json!("exp")),
            ("b64", json!(false)),
            ("b64", json!(true)),
        ] {
            rows.push(named(format!("{member} {value}"), forge.with_header(member, value)));
        }
        let header = changed(changed(forge.header(), "b64", json!(false)), "crit", json!(["b64"]));
        rows.push(named("b64 as RFC 7797 has it", forge.sign(&header, &forge.claims)));
        rows
    }

    fn another_type(forge: &Forge) -> Vec<Row> {
        let types = [
            Value::Null, json!(""), json!("JOSE"), json!("id+jwt"), json!("client-authentication+jwt"),
            json!("handslag-receipt+jwt"), json!("logout+jwt"), json!("dpop+jwt"), json!("at+jwt "),
            json!("application/application/at+jwt"), json!("text/at+jwt"), json!("at+jwt;x=y"), json!(1),
            json!(["at+jwt"]), json!({}),
        ];
        let other = if forge.typ == "JWT" { "at+jwt" } else { "JWT" };
        let types = types.into_iter().chain([json!(other)]);
        types.map(|typ| named(format!("typ {typ}"), forge.with_header("typ", typ))).collect()
    }

    fn another_issuer(forge: &Forge) -> Vec<Row> {
        let own = forge.claims["iss"].as_str().unwrap().to_owned();
        let issuers = [
            Value::Null, json!(""), json!("https://evil.example"), json!([own]), json!({ "iss": own }), json!(1),
            json!(format!("{own}/")), json!(format!("{own}.evil.example")), json!(own.to_uppercase()),
            json!(format!(" {own}")), json!(own.replace("https://", "http://")), json!(format!("{own}\0")),
        ];
        issuers.into_iter().map(|iss| named(format!("iss {iss}"), forge.with_claim("iss", iss))).collect()
    }

    fn another_audience(forge: &Forge) -> Vec<Row> {
        let own = forge.claims["aud"].as_str().unwrap().to_owned();
        let audiences = [
            Value::Null, json!(""), json!("https://evil.example"), json!([]), json!(["a", "b"]), json!({}), json!(1),
            json!([[own]]), json!([1, own]), json!({ "aud": own }), json!(format!("{own}/")), json!("*"),
            json!(own.to_uppercase()), json!(format!("{own} https://evil.example")), json!(&own[..own.len() - 1]),
        ];
        audiences.into_iter().map(|aud| named(format!("aud {aud}"), forge.with_claim("aud", aud))).collect()
    }

    fn another_subject(forge: &Forge) -> Vec<Row> {
        let subjects = [Value::Null, json!(""), json!(7), json!([]), json!(["x"]), json!({}), json!("x".repeat(256))];
        subjects.into_iter().map(|sub| named(format!("sub {sub}"), forge.with_claim("sub", sub))).collect()
    }

    fn names_with_control_characters(forge: &Forge) -> Vec<Row> {
        let mut rows = Vec::new();
        for claim in ["sub", "client_id", "azp", "iss"] {
            // `azp` counts where there is no `client_id`.
            let claims = changed(forge.claims.clone(), "client_id", Value::Null);
            let name = claims[claim].as_str().unwrap_or("somebody").to_owned();
            for character in ['\0', '\u{1}', '\n', '\u{1b}', '\u{7f}', '\u{85}'] {
                let claims = changed(claims.clone(), claim, json!(format!("{name}{character}")));
                let what = format!("{claim} with {}", character.escape_unicode());
                rows.push(named(what, forge.sign(&forge.header(), &claims)));
            }
        }
        rows
    }

    fn times_that_are_none_or_not_now(forge: &Forge) -> Vec<Row> {
        let (now, longest) = (forge.now, forge.longest_life);
        let mut rows = Vec::new();
        for (claim, values) in [
            ("exp", vec![
                Value::Null, json!(now - 30), json!(now), json!(-1), json!(0), json!((now + 300).to_string()),
                json!("never"), json!(1e9 + 300.5), json!(1e30), json!(u64::MAX), json!(i64::MAX), json!([now + 300]),
                json!(true), json!({}), json!(now + 31_536_000), json!(now + longest + 1), json!((now + 300) * 1_000),
            ]),
            ("iat", vec![
                Value::Null, json!(now + 31), json!(now - 31_536_000), json!(now - longest - 1), json!(-1),
                json!(now.to_string()), json!(now + 300), json!([now]), json!(1e30), json!(i64::MIN),
            ]),
            ("nbf", vec![
                json!(now + 31), json!(now + 86_400), json!("now"), json!(now.to_string()), json!(-1), json!([]),
                json!(1e30), json!(u64::MAX),
            ]),
        ] {
            for value in values {
                rows.push(named(format!("{claim} {value}"), forge.with_claim(claim, value)));
            }
        }
        // Numbers that no JSON library would write.
        let claims = forge.claims.to_string();
        for text in ["1000000000000000000000000000000", "1e30", "1e400", "-0", "0x7fffffff", "NaN", "Infinity"] {
            let exp = claims.replace(&(now + 300).to_string(), text);
            rows.push(named(format!("exp {text}"), forge.pair.sign(&forge.header().to_string(), &exp)));
        }
        rows.push(named("exp null", {
            let exp = claims.replace(&(now + 300).to_string(), "null");
            forge.pair.sign(&forge.header().to_string(), &exp)
        }));
        rows
    }

    fn texts_that_were_not_signed(forge: &Forge) -> Vec<Row> {
        let good = forge.good();
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        let altered = URL_SAFE_NO_PAD.encode(changed(forge.claims.clone(), "sub", json!("someone")).to_string());
        let other = forge.with_claim("jti", json!("2"));
        let (_, other) = other.rsplit_once('.').unwrap();
        let bits = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let flipped = |i: usize| {
            let mut bits = bits.clone();
            bits[i] ^= 1;
            URL_SAFE_NO_PAD.encode(bits)
        };
        let json = json!({ "protected": header, "payload": claims, "signature": signature }).to_string();
        // A character whose last bits are not used: the same bytes in another spelling.
        let last = signature.chars().last().unwrap();
        let respelled = ('A'..='z').filter(|c| c.is_ascii_alphanumeric() && *c != last);
        let respelled = respelled.map(|c| format!("{header}.{claims}.{}{c}", &signature[..signature.len() - 1]));
        let mut rows: Vec<Row> = respelled.map(|token| named("another last character", token)).collect();
        rows.extend([
            ("altered claims", format!("{header}.{altered}.{signature}")),
            ("the signature of another token", format!("{header}.{claims}.{other}")),
            ("no signature", format!("{header}.{claims}.")),
            ("half a signature", format!("{header}.{claims}.{}", &signature[..signature.len() / 2])),
            ("a longer signature", format!("{header}.{claims}.{signature}AAAA")),
            ("zeros for a signature", format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(vec![0; bits.len()]))),
            ("the first bit of the signature", format!("{header}.{claims}.{}", flipped(0))),
            ("the last bit of the signature", format!("{header}.{claims}.{}", flipped(bits.len() - 1))),
            ("a padded signature", format!("{header}.{claims}.{signature}==")),
            ("a fourth part", format!("{good}.{signature}")),
            ("five parts", format!("{good}.{claims}.{signature}")),
            ("two parts", format!("{claims}.{signature}")),
            ("no header", format!(".{claims}.{signature}")),
            ("no claims", format!("{header}..{signature}")),
            ("padding", format!("{header}.{}.{signature}", URL_SAFE.encode(forge.claims.to_string()) + "=")),
            ("a blank within", good.replacen('.', ". ", 1)),
            ("a tab within", good.replacen('.', ".\t", 1)),
            ("a comma after", format!("{good},{good}")),
            ("the JSON form of RFC 7515", json),
            ("an empty JSON object", "{}".to_owned()),
            ("three empty parts", "..".to_owned()),
            ("one point", ".".to_owned()),
            ("no token at all", "x".to_owned()),
        ].map(|(what, token)| named(what, token)));
        rows
    }

    fn json_that_can_be_read_in_two_ways(forge: &Forge) -> Vec<Row> {
        let (header, claims) = (forge.header(), forge.claims.clone());
        let plain = (header.to_string(), claims.to_string());
        let mut rows = Vec::new();
        for member in ["\"alg\":\"none\"", "\"typ\":\"JWT\"", "\"kid\":\"x\"", "\"a\\u006cg\":\"none\""] {
            let header = more(&header, member);
            rows.push(named(format!("{member} first"), forge.pair.sign(&header, &plain.1)));
        }
        for member in [
            "\"iss\":\"https://evil.example\"", "\"aud\":\"x\"", "\"sub\":\"x\"", "\"exp\":9999999999", "\"iat\":1",
            "\"participant\":\"municipality:1480\",\"participant\":\"municipality:0180\"",
            "\"scope\":\"rounds.admin\",\"scope\":\"ballots.read\"", "\"\\u0073ub\":\"x\"",
        ] {
            rows.push(named(format!("{member} first"), forge.pair.sign(&plain.0, &more(&claims, member))));
        }
        // Within a claim as well: roles may be looked for there.
        let nested = "\"realm_access\":{\"roles\":[],\"roles\":[\"manager\"]}";
        rows.push(named("a member twice within", forge.pair.sign(&plain.0, &more(&claims, nested))));
        let deep = format!("\"x\":{}{}", "[".repeat(1_500), "]".repeat(1_500));
        rows.push(named("too deep", forge.pair.sign(&plain.0, &more(&claims, &deep))));
        for (what, header, claims) in [
            ("claims that are a list", plain.0.as_str(), "[]"),
            ("claims that are a text", plain.0.as_str(), "\"sub\""),
            ("claims that are nothing", plain.0.as_str(), ""),
            ("claims that are no JSON", plain.0.as_str(), "{"),
            ("claims and more", plain.0.as_str(), &format!("{} {{}}", plain.1)),
            ("claims after a byte order mark", plain.0.as_str(), &format!("\u{feff}{}", plain.1)),
            ("a comment", plain.0.as_str(), &plain.1.replacen('{', "{/* */", 1)),
            ("a header that is a text", "\"EdDSA\"", plain.1.as_str()),
            ("a header that is a list", "[]", plain.1.as_str()),
            ("a header that is null", "null", plain.1.as_str()),
        ] {
            rows.push(named(what, forge.pair.sign(header, claims)));
        }
        rows
    }

    fn tokens_for_another_purpose(forge: &Forge) -> Vec<Row> {
        let mut id_token = forge.claims.clone();
        for (claim, value) in [("nonce", "n-0S6_WzA2Mj"), ("at_hash", "77QmUPtjPfzWtF2AnpK9RA"), ("azp", "test")] {
            id_token[claim] = json!(value);
        }
        let mut header = forge.header();
        header["typ"] = json!("JWT");
        let mut rows = vec![named("an ID token", forge.sign(&header, &id_token))];
        for binding in [json!({}), json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!("x"), json!(null)] {
            let mut claims = forge.claims.clone();
            claims["cnf"] = binding.clone();
            rows.push(named(format!("cnf {binding}"), forge.sign(&forge.header(), &claims)));
        }
        rows.push(named("longer than is looked at", forge.with_claim("padding", json!("x".repeat(9_000)))));
        rows
    }
}

#[test]
fn a_kid_of_a_hundred_kilobytes_is_refused_before_it_is_looked_at() {
    let world = World::own();
    for size in [20_000, 100_000, 1_000_000] {
        let token = world.forge.with_header("kid", json!("x".repeat(size)));
        let reply = world.service.get(OWN).by(Caller::Token(&token)).try_exchange();
        // The server may close the connection while such a field is still being sent.
        assert!(reply.is_err() || reply.is_ok_and(|reply| matches!(reply.status, 400..=499)), "{size}");
    }
    world.service.get(OWN).by(Caller::Token(&world.forge.good())).send().is(200);
}

#[test]
fn no_issuer_signs_for_another() {
    let world = World::external();
    let (own, other) = (Forge::own(&world.service), &world.forge);
    let with = |pair: &Pair, header: &Forge, claims: &Forge| {
        pair.sign(&header.header().to_string(), &claims.claims.to_string())
    };
    let mut named = own.clone();
    named.pair.kid.clone_from(&other.pair.kid);
    let mut own_name = other.clone();
    own_name.pair.kid.clone_from(&own.pair.kid);
    world.refuses(
        [
            ("our claims, their key", with(&other.pair, other, &own)),
            (
                "our claims and type, their key",
                with(&other.pair, &Forge { typ: own.typ.clone(), ..other.clone() }, &own),
            ),
            ("our claims and kid, their key", with(&other.pair, &own_name, &own)),
            ("our claims and header, their key", with(&other.pair, &own, &own)),
            ("their claims, our key", with(&own.pair, &own, other)),
            (
                "their claims and type, our key",
                with(&own.pair, &Forge { typ: other.typ.clone(), ..own.clone() }, other),
            ),
            ("their claims and kid, our key", with(&own.pair, &named, other)),
            ("their claims and header, our key", with(&own.pair, other, other)),
        ]
        .map(|(what, token)| (what.to_owned(), token)),
    );
}
