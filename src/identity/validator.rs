//! The validator: a token is believed only as far as the issuer's configuration allows.
//!
//! The algorithm comes from the configuration and never from the token, the key from the issuer's own set by
//! `kid` and never from the token. Everything that RFC 8725 and RFC 9068 ask for is required, and what this
//! validator does not understand (`crit`, `b64`, `cnf`, embedded or linked keys) is refused.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::claims::Reading;
use super::distinct;
use super::key_set::{Keys, VerificationKey};
use crate::domain::{Instant, ParticipantCode, Scopes};

/// The longest token that is looked at.
const LONGEST: usize = 8 * 1024;
/// How far two clocks may be apart, in seconds.
pub(super) const SKEW: i64 = 30;
/// The type of an access token (RFC 9068, section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";
/// How many verified tokens are remembered.
const REMEMBERED: usize = 20_000;

/// Who is calling, as a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who vouches for it.
    pub issuer: String,
    /// A pseudonym.
    pub subject: String,
    /// The client that the token was issued to, if it says so (RFC 9068, section 2.2).
    pub client: Option<String>,
    /// What may be done.
    pub scopes: Scopes,
    /// Whose ballot the bound scopes are for.
    pub participant: Option<ParticipantCode>,
    /// When the token ends, in seconds since 1970.
    expires: i64,
}

impl Identity {
    /// From when on the token is not believed any more: its end, and how far two clocks may be apart.
    pub fn ends(&self) -> Instant {
        let ends = DateTime::from_timestamp(self.expires + SKEW, 0);
        Instant::new(ends.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

/// An issuer that is trusted, and how far.
pub struct Issuer {
    /// `iss`
    pub name: String,
    /// What `aud` must hold.
    pub audience: String,
    /// What `typ` must be, in lower case.
    pub typ: String,
    /// Its keys by `kid`, each with the one algorithm it is for.
    pub keys: Box<dyn Keys>,
    /// The longest life of a token, in seconds.
    pub longest_life: i64,
    /// What its claims mean here.
    pub reading: Reading,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.name)
    }
}

/// Why a token is not believed. Told to the log; outside it is always just 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not three parts of base64url, or too long.
    #[error("not a signed token")]
    Form,
    /// A header or claims that are no JSON object with distinct members.
    #[error("header or claims are no JSON object with distinct members")]
    Json,
    /// A header member that this validator must not obey, or does not understand.
    #[error("a header member that is not accepted")]
    Header,
    /// The type is not that of an access token.
    #[error("not an access token")]
    Type,
    /// The issuer is not trusted.
    #[error("unknown issuer")]
    Issuer,
    /// The key is not of the issuer's set, or is for another algorithm.
    #[error("unknown key or algorithm")]
    Key,
    /// The signature is wrong.
    #[error("wrong signature")]
    Signature,
    /// A claim is missing or of the wrong form.
    #[error("the claim {0} is missing or of the wrong form")]
    Claim(&'static str),
    /// The token is for somebody else.
    #[error("another audience")]
    Audience,
    /// The token is not valid at this time, or for too long.
    #[error("not valid at this time, or for too long")]
    Time,
}

impl Refusal {
    /// Its name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
            Self::Header => "header",
            Self::Type => "type",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claim(_) => "claim",
            Self::Audience => "audience",
            Self::Time => "time",
        }
    }
}

/// Checks tokens against the trusted issuers, and remembers those that passed until they end.
#[derive(Debug)]
pub struct Validator {
    issuers: Vec<Issuer>,
    passed: RwLock<HashMap<[u8; 32], Arc<Passed>>>,
}

/// A token that passed, and the key that it was signed with: with that it goes.
#[derive(Debug)]
struct Passed {
    identity: Arc<Identity>,
    issuer: usize,
    kid: String,
    key: Arc<VerificationKey>,
}

impl Validator {
    /// Trusts these issuers.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers, passed: RwLock::default() }
    }

    /// Who a token says is calling.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub fn check(&self, token: &str, now: Instant) -> Result<Arc<Identity>, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::Form);
        }
        let (at, now) = (now, now.utc().timestamp());
        let fingerprint: [u8; 32] = Sha256::digest(token).into();
        let passed = self.passed.read().unwrap_or_else(PoisonError::into_inner).get(&fingerprint).cloned();
        if let Some(passed) = passed.filter(|passed| self.stands(passed, at)) {
            let identity = Arc::clone(&passed.identity);
            return if now < identity.expires + SKEW { Ok(identity) } else { Err(Refusal::Time) };
        }
        let verified = Arc::new(self.verify(token, at)?);
        let identity = Arc::clone(&verified.identity);
        let mut passed = self.passed.write().unwrap_or_else(PoisonError::into_inner);
        if passed.len() >= REMEMBERED {
            passed.retain(|_, passed| now < passed.identity.expires + SKEW);
            if passed.len() >= REMEMBERED {
                passed.clear();
            }
        }
        passed.insert(fingerprint, verified);
        Ok(identity)
    }

    /// Whether the key that a token was checked with is still its issuer's.
    fn stands(&self, passed: &Passed, now: Instant) -> bool {
        let now = self.issuers[passed.issuer].keys.find(&passed.kid, now);
        now.is_some_and(|now| Arc::ptr_eq(&now, &passed.key))
    }

    fn verify(&self, token: &str, now: Instant) -> Result<Passed, Refusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Form)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::Form)?;
        if claims.contains('.') {
            return Err(Refusal::Form);
        }
        let header = object(header)?;
        let claims = object(claims)?;
        if ["crit", "b64", "jku", "jwk", "x5u", "x5c"].iter().any(|member| header.contains_key(*member)) {
            return Err(Refusal::Header);
        }
        let text = |member| claims.get(member).and_then(name);
        let iss = text("iss").ok_or(Refusal::Claim("iss"))?;
        let number = self.issuers.iter().position(|issuer| issuer.name == iss).ok_or(Refusal::Issuer)?;
        let issuer = &self.issuers[number];
        // RFC 7515, section 4.1.9: the prefix `application/` may be left out, and case does not matter.
        let typ = header.get("typ").and_then(Value::as_str).ok_or(Refusal::Type)?.to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != issuer.typ {
            return Err(Refusal::Type);
        }
        let kid = header.get("kid").and_then(Value::as_str).ok_or(Refusal::Key)?;
        let found = issuer.keys.find(kid, now).ok_or(Refusal::Key)?;
        let VerificationKey { algorithm, key } = &*found;
        let named = header.get("alg").and_then(Value::as_str).and_then(|name| name.parse::<Algorithm>().ok());
        if named != Some(*algorithm) {
            return Err(Refusal::Key);
        }
        if !jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, *algorithm).unwrap_or(false) {
            return Err(Refusal::Signature);
        }
        let identity =
            issuer.accept(&claims, text("sub").ok_or(Refusal::Claim("sub"))?, now.utc().timestamp())?;
        Ok(Passed { identity: Arc::new(identity), issuer: number, kid: kid.to_owned(), key: found })
    }
}

impl Issuer {
    fn accept(&self, claims: &Map<String, Value>, subject: &str, now: i64) -> Result<Identity, Refusal> {
        if claims.contains_key("cnf") {
            return Err(Refusal::Claim("cnf"));
        }
        // Where the type is not that of an access token, these tell an ID token (OpenID Connect Core, section 2).
        let of_ids = ["nonce", "at_hash", "c_hash"];
        if self.typ != ACCESS_TOKEN && of_ids.iter().any(|claim| claims.contains_key(*claim)) {
            return Err(Refusal::Type);
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(audiences)) if audiences.iter().all(Value::is_string) => {
                audiences.iter().any(|audience| *audience == *self.audience)
            }
            _ => return Err(Refusal::Claim("aud")),
        };
        if !for_us {
            return Err(Refusal::Audience);
        }
        let time = |claim| claims.get(claim).map(|value| value.as_i64().filter(|t| (0..1 << 40).contains(t)));
        let required = |claim| time(claim).flatten().ok_or(Refusal::Claim(claim));
        let (expires, issued) = (required("exp")?, required("iat")?);
        let begins = match time("nbf") {
            None => issued,
            Some(Some(begins)) => begins,
            Some(None) => return Err(Refusal::Claim("nbf")),
        };
        let lives = (1..=self.longest_life).contains(&(expires - issued));
        if !lives || now >= expires + SKEW || issued > now + SKEW || begins > now + SKEW {
            return Err(Refusal::Time);
        }
        self.reading.check(claims)?;
        let (scopes, participant) = (self.reading.scopes(claims)?, self.reading.participant(claims)?);
        // `azp` is what OpenID Connect calls it.
        let client = match claims.get("client_id").or_else(|| claims.get("azp")) {
            None => None,
            Some(client) => Some(name(client).ok_or(Refusal::Claim("client_id"))?.to_owned()),
        };
        let (issuer, subject) = (self.name.clone(), subject.to_owned());
        Ok(Identity { issuer, subject, client, scopes, participant, expires })
    }
}

/// A claim that names somebody. It is written down by others, and not every database takes control characters.
fn name(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let fits = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// The JSON object of a part of a token.
pub(super) fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Form)?;
    distinct::object(&bytes).ok_or(Refusal::Json)
}
