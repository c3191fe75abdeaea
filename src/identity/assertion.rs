//! What a client says of itself and signs: assertions by RFC 7523, with the rules of its revision (draft-ietf-oauth-
//! rfc7523bis): a type of their own, and our issuer as the only audience.

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::validator::{SKEW, object};
use super::{Refusal, VerificationKey};
use crate::domain::Instant;

/// `typ` of an assertion.
const TYP: &str = "client-authentication+jwt";
/// The longest assertion that is looked at.
const LONGEST: usize = 8 * 1024;
/// The longest that an assertion may have to live, in seconds.
const LONGEST_LIFE: i64 = 5 * 60;

/// An assertion, taken apart and not yet believed.
#[derive(Debug)]
pub struct Assertion<'a> {
    message: &'a str,
    signature: &'a str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    client: String,
}

/// An assertion that is believed, once: by its client and this id it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed {
    /// `jti`
    pub id: String,
    /// Until when it must be known, in seconds since 1970.
    pub ends: i64,
}

impl<'a> Assertion<'a> {
    /// Takes an assertion apart.
    ///
    /// # Errors
    /// If it has another form, or names no client.
    pub fn read(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::Form);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refusal::Form)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::Form)?;
        let (header, claims) = (object(header)?, object(claims)?);
        if ["crit", "b64", "jku", "jwk", "x5u", "x5c"].iter().any(|member| header.contains_key(*member)) {
            return Err(Refusal::Header);
        }
        let typ = header.get("typ").and_then(Value::as_str).ok_or(Refusal::Type)?.to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != TYP {
            return Err(Refusal::Type);
        }
        let text = |name| claims.get(name).and_then(Value::as_str);
        let client = text("iss").ok_or(Refusal::Claim("iss"))?.to_owned();
        if text("sub") != Some(&client) {
            return Err(Refusal::Claim("sub"));
        }
        Ok(Self { message, signature, header, claims, client })
    }

    /// The client that it says it is of.
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Believes it, if one of the client's keys, each with its id, has signed it for this issuer and this time.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub fn check<'k>(
        &self,
        keys: impl Iterator<Item = (&'k str, &'k VerificationKey)>,
        issuer: &str,
        now: Instant,
    ) -> Result<Believed, Refusal> {
        let kid = match self.header.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or(Refusal::Key)?),
        };
        let named = self.header.get("alg").and_then(Value::as_str);
        let named: Algorithm = named.and_then(|name| name.parse().ok()).ok_or(Refusal::Key)?;
        let mut fitting = keys
            .filter(|(id, key)| kid.is_none_or(|kid| kid == *id) && key.algorithm == named)
            .map(|(_, key)| key)
            .peekable();
        if fitting.peek().is_none() {
            return Err(Refusal::Key);
        }
        let message = self.message.as_bytes();
        let signed = |key: &VerificationKey| {
            jsonwebtoken::crypto::verify(self.signature, message, &key.key, key.algorithm).unwrap_or(false)
        };
        if !fitting.any(signed) {
            return Err(Refusal::Signature);
        }
        self.accept(issuer, now.utc().timestamp())
    }

    fn accept(&self, issuer: &str, now: i64) -> Result<Believed, Refusal> {
        let audience = match self.claims.get("aud") {
            Some(Value::String(audience)) => Some(audience.as_str()),
            Some(Value::Array(audiences)) => match &audiences[..] {
                [audience] => audience.as_str(),
                _ => None,
            },
            Some(_) | None => return Err(Refusal::Claim("aud")),
        };
        if audience != Some(issuer) {
            return Err(Refusal::Audience);
        }
        let time = |name: &'static str| match self.claims.get(name) {
            None => Ok(None),
            Some(value) => {
                let time = value.as_i64().filter(|time| (0..1 << 40).contains(time));
                time.map(Some).ok_or(Refusal::Claim(name))
            }
        };
        let expires = time("exp")?.ok_or(Refusal::Claim("exp"))?;
        let (issued, begins) = (time("iat")?, time("nbf")?);
        let ahead = [issued, begins].into_iter().flatten().any(|time| time > now + SKEW);
        let too_long = expires > now + LONGEST_LIFE + SKEW
            || issued.is_some_and(|issued| !(1..=LONGEST_LIFE).contains(&(expires - issued)));
        if now >= expires + SKEW || ahead || too_long {
            return Err(Refusal::Time);
        }
        let id = self.claims.get("jti").and_then(Value::as_str);
        let id = id.filter(|id| (1..=255).contains(&id.len()) && !id.contains('\0'));
        Ok(Believed { id: id.ok_or(Refusal::Claim("jti"))?.to_owned(), ends: expires + SKEW })
    }
}
