//! Public keys of clients: read from what somebody sends, kept as a JWK, and each for one algorithm only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::jwk::{self, Kind, NotAKey};
use super::{ALGORITHMS, SigningKey, VerificationKey};

/// The bytes before the point in a P-256 key by RFC 5480: what it is, and that the point is not compressed.
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// A public key of a client.
#[derive(Clone, Debug)]
pub struct ClientKey {
    kid: String,
    jwk: Value,
    verification: VerificationKey,
}

/// Why something is no public key that a client may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAClientKey {
    /// Neither a JWK nor PEM of a kind that is known.
    #[error("no public key: a JWK of Ed25519, P-256 or RSA, or PEM of Ed25519 or P-256")]
    Form,
    /// The private half is in it: it must not leave the client's system.
    #[error("this holds the private half of the key; make a new key, and send only the public half")]
    Private,
    /// An RSA key that does not say for which algorithm, or another algorithm than the key's.
    #[error("alg is EdDSA for Ed25519, ES256 for P-256, and must be PS256 or RS256 for RSA")]
    Algorithm,
    /// An RSA key that is too short or too long.
    #[error("an RSA key has 2048 to 4096 bits and the exponent 65537")]
    Size,
    /// A `kid` of another form.
    #[error("kid is 1 to 128 letters, digits and . _ ~ : - signs")]
    Kid,
}

impl From<NotAKey> for NotAClientKey {
    fn from(error: NotAKey) -> Self {
        match error {
            NotAKey::Kind | NotAKey::Form | NotAKey::Point => Self::Form,
            NotAKey::Modulus | NotAKey::Exponent => Self::Size,
        }
    }
}

impl ClientKey {
    /// Reads a JWK (RFC 7517), or PEM (RFC 7468).
    ///
    /// # Errors
    /// [`NotAClientKey`].
    pub fn read(text: &str) -> Result<Self, NotAClientKey> {
        let text = text.trim();
        if text.starts_with('{') {
            let jwk: Map<String, Value> = serde_json::from_str(text).map_err(|_| NotAClientKey::Form)?;
            return Self::from_jwk(&jwk);
        }
        if text.contains("PRIVATE KEY") {
            return Err(NotAClientKey::Private);
        }
        let members = match VerifyingKey::from_public_key_pem(text) {
            Ok(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.as_bytes()) }),
            Err(_) => p256_of_pem(text).ok_or(NotAClientKey::Form)?,
        };
        Self::from_jwk(members.as_object().expect("just made"))
    }

    /// Reads a JWK of which other members than those of the key may be there.
    ///
    /// # Errors
    /// [`NotAClientKey`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, NotAClientKey> {
        if ["d", "p", "q", "dp", "dq", "qi", "k"].iter().any(|name| jwk.contains_key(*name)) {
            return Err(NotAClientKey::Private);
        }
        let (kind, key) = jwk::read(jwk)?;
        // In the order of the thumbprint (RFC 7638, section 3.2; RFC 8037, section 2).
        let (algorithm, names) = match kind {
            Kind::Ed25519 => (Algorithm::EdDSA, &["crv", "kty", "x"][..]),
            Kind::P256 => (Algorithm::ES256, &["crv", "kty", "x", "y"][..]),
            Kind::Rsa => {
                // One spelling only: the thumbprint is taken over it.
                if jwk::bytes(jwk, "n")?.first() == Some(&0) || jwk::text(jwk, "e")? != "AQAB" {
                    return Err(NotAClientKey::Size);
                }
                let algorithm = match jwk::text(jwk, "alg") {
                    Ok("PS256") => Algorithm::PS256,
                    Ok("RS256") => Algorithm::RS256,
                    Ok(_) | Err(_) => return Err(NotAClientKey::Algorithm),
                };
                (algorithm, &["e", "kty", "n"][..])
            }
        };
        let member = |name: &&'static str| Ok((*name, jwk::text(jwk, name)?));
        let members = names.iter().map(member).collect::<Result<Vec<_>, NotAKey>>()?;
        let alg = ALGORITHMS.iter().find(|(_, known)| *known == algorithm).expect("one of those").0;
        if jwk.get("alg").is_some_and(|named| named != alg) {
            return Err(NotAClientKey::Algorithm);
        }
        let kid = match jwk.get("kid") {
            None => thumbprint(&members),
            Some(kid) => kid.as_str().filter(|kid| is_kid(kid)).ok_or(NotAClientKey::Kid)?.to_owned(),
        };
        let mut kept: Map<String, Value> =
            members.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        kept.insert("alg".to_owned(), alg.into());
        kept.insert("kid".to_owned(), kid.as_str().into());
        Ok(Self { kid, jwk: kept.into(), verification: VerificationKey { algorithm, key } })
    }

    /// Its id among the keys of the client.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The JWK, without what is not needed.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// What checks its signatures.
    pub fn verification(&self) -> &VerificationKey {
        &self.verification
    }
}

impl From<&SigningKey> for ClientKey {
    fn from(key: &SigningKey) -> Self {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": key.public() });
        Self::from_jwk(jwk.as_object().expect("just made")).expect("a key that signs has a public half")
    }
}

fn is_kid(kid: &str) -> bool {
    (1..=128).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~:-".contains(&b))
}

fn thumbprint(members: &[(&str, &str)]) -> String {
    // Names and values of these keys hold nothing that JSON escapes.
    let members: Vec<String> = members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

/// The JWK of a P-256 key in PEM.
fn p256_of_pem(text: &str) -> Option<Value> {
    let inner = text.strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = inner.split_ascii_whitespace().collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).ok()?;
    let point = der.strip_prefix(&P256_PREFIX[..]).filter(|point| point.len() == 64)?;
    let (x, y) = point.split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    Some(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }))
}
