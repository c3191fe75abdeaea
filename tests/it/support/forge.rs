//! Tokens as an issuer would sign them, or would not: each one change away from a good one.

use serde_json::{Value, json};

use super::{PUBLIC_URL, Pair, Service};

/// An issuer's key, and the token that the service believes.
#[derive(Clone)]
pub(crate) struct Forge {
    /// What signs.
    pub(crate) pair: Pair,
    /// `typ` of its tokens.
    pub(crate) typ: String,
    /// The claims of the good token: 0180 reads and writes its ballot.
    pub(crate) claims: Value,
    /// When it was issued, in seconds since 1970.
    pub(crate) now: i64,
    /// How long the issuer's tokens may live, in seconds.
    pub(crate) longest_life: i64,
}

impl Forge {
    /// The service's own issuer: the key is the one that it made.
    pub(crate) fn own(service: &Service) -> Self {
        let pem = service.database().folder().join("keys/signing.pem");
        let pem = std::fs::read_to_string(pem).expect("the service made its key");
        let now = service.now().utc().timestamp();
        let claims = json!({
            "iss": PUBLIC_URL, "aud": PUBLIC_URL, "sub": "municipality:0180", "client_id": "test",
            "scope": "ballots.read ballots.write", "participant": "municipality:0180",
            "iat": now, "exp": now + 300, "jti": "1",
        });
        let pair = Pair::read(service.key().kid(), &pem);
        Self { pair, typ: "at+jwt".to_owned(), claims, now, longest_life: 900 }
    }

    /// The header of the good token.
    pub(crate) fn header(&self) -> Value {
        json!({ "typ": self.typ, "alg": format!("{:?}", self.pair.algorithm), "kid": self.pair.kid })
    }

    /// Signs a header and claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.pair.sign(&header.to_string(), &claims.to_string())
    }

    /// The good token.
    pub(crate) fn good(&self) -> String {
        self.sign(&self.header(), &self.claims)
    }

    /// The good token with a header member changed; `null` takes it out.
    pub(crate) fn with_header(&self, member: &str, value: Value) -> String {
        self.sign(&changed(self.header(), member, value), &self.claims)
    }

    /// The good token with a claim changed; `null` takes it out.
    pub(crate) fn with_claim(&self, claim: &str, value: Value) -> String {
        self.sign(&self.header(), &changed(self.claims.clone(), claim, value))
    }
}

/// An object with a member changed; `null` takes it out.
pub(crate) fn changed(mut object: Value, member: &str, value: Value) -> Value {
    let members = object.as_object_mut().expect("headers and claims are objects");
    match value {
        Value::Null => drop(members.remove(member)),
        value => drop(members.insert(member.to_owned(), value)),
    }
    object
}
