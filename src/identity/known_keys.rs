//! Public keys that somebody kept, and what they say of a receipt.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey;
use jsonwebtoken::{DecodingKey, decode_header};
use serde_json::{Value, json};

use super::keys::thumbprint;
use super::{SigningKey, receipt};
use crate::domain::Receipt;

/// Public keys of a log by their id.
pub struct KnownKeys(HashMap<String, DecodingKey>);

impl std::fmt::Debug for KnownKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The text holds no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holds no public Ed25519 key: a JWK, a JWK set or PEM")]
pub struct NotKnown;

/// Why a receipt is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTrusted {
    /// It has no form of a receipt.
    #[error("the signature is no JSON Web Signature")]
    NoSignature,
    /// It was signed by another key.
    #[error("the receipt is signed by the key {kid}, which is none of those that were given")]
    OtherKey {
        /// The id of that key.
        kid: String,
    },
    /// The signature is wrong.
    #[error("the signature is not that of the log's key over this receipt")]
    Wrong,
}

impl KnownKeys {
    /// Reads a JWK, a JWK set (RFC 7517, RFC 8037) or a public key in PEM (RFC 8410).
    ///
    /// # Errors
    /// [`NotKnown`].
    pub fn read(text: &str) -> Result<Self, NotKnown> {
        let keys: Vec<String> = if let Ok(document) = serde_json::from_str::<Value>(text) {
            match document.get("keys").and_then(Value::as_array) {
                Some(keys) => keys.iter().filter_map(public).collect(),
                None => public(&document).into_iter().collect(),
            }
        } else {
            let key = VerifyingKey::from_public_key_pem(text.trim()).map_err(|_| NotKnown)?;
            vec![URL_SAFE_NO_PAD.encode(key.as_bytes())]
        };
        let keys = keys.iter().map(|x| Some((thumbprint(x), DecodingKey::from_ed_components(x).ok()?)));
        let keys: HashMap<String, DecodingKey> = keys.collect::<Option<_>>().ok_or(NotKnown)?;
        if keys.is_empty() { Err(NotKnown) } else { Ok(Self(keys)) }
    }

    /// Reads a receipt that one of these keys has signed.
    ///
    /// # Errors
    /// [`NotTrusted`].
    pub fn receipt(&self, signature: &str) -> Result<Receipt, NotTrusted> {
        let header = decode_header(signature).map_err(|_| NotTrusted::NoSignature)?;
        let kid = header.kid.unwrap_or_default();
        let Some(key) = self.0.get(&kid) else { return Err(NotTrusted::OtherKey { kid }) };
        receipt::verify(signature, key).map_err(|receipt::NotSigned| NotTrusted::Wrong)
    }
}

impl From<&SigningKey> for KnownKeys {
    fn from(key: &SigningKey) -> Self {
        Self(HashMap::from([(key.kid().to_owned(), key.decoding().clone())]))
    }
}

/// `x` of a JWK, if it is an Ed25519 key.
fn public(jwk: &Value) -> Option<String> {
    let member = |name: &str| jwk.get(name)?.as_str();
    let x = member("x").filter(|_| member("kty") == Some("OKP") && member("crv") == Some("Ed25519"))?;
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()?;
    Some(x.to_owned())
}

impl SigningKey {
    /// The public half as a JWK set of one.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": self.public(), "kid": self.kid(), "use": "sig", "alg": "EdDSA",
        }] })
    }
}
