//! One public key as a JWK (RFC 7517, 7518 and 8037): read in the same way whether it is a client's or another issuer's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// A kind of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    Ed25519,
}

impl Kind {
    /// What such a key can be for.
    pub(super) const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[Algorithm::RS256, Algorithm::PS256],
            Self::P256 => &[Algorithm::ES256],
            Self::Ed25519 => &[Algorithm::EdDSA],
        }
    }
}

/// Why something is no key that checks signatures here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAKey {
    #[error("it is of a kind that is not used here")]
    Kind,
    #[error("a member of it is missing or no base64url")]
    Form,
    #[error("its modulus is none of 2,048 to 4,096 bits")]
    Modulus,
    #[error("its exponent is none")]
    Exponent,
    #[error("it is no point on its curve")]
    Point,
}

/// Reads the members that make the key.
pub(super) fn read(jwk: &Map<String, Value>) -> Result<(Kind, DecodingKey), NotAKey> {
    match (text(jwk, "kty"), text(jwk, "crv")) {
        (Ok("RSA"), _) => Ok((Kind::Rsa, rsa(jwk)?)),
        (Ok("EC"), Ok("P-256")) => Ok((Kind::P256, p256(jwk)?)),
        (Ok("OKP"), Ok("Ed25519")) => Ok((Kind::Ed25519, ed25519(jwk)?)),
        _ => Err(NotAKey::Kind),
    }
}

/// A member that is a text.
pub(super) fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<&'a str, NotAKey> {
    jwk.get(name).and_then(Value::as_str).ok_or(NotAKey::Form)
}

/// A member that is bytes in base64url.
pub(super) fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, NotAKey> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| NotAKey::Form)
}

/// 2,048 to 4,096 bits; an odd exponent from 3 to 32 bits.
fn rsa(jwk: &Map<String, Value>) -> Result<DecodingKey, NotAKey> {
    let number = |name| -> Result<Vec<u8>, NotAKey> {
        Ok(bytes(jwk, name)?.into_iter().skip_while(|byte| *byte == 0).collect())
    };
    let (modulus, exponent) = (number("n")?, number("e")?);
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2_048..=4_096).contains(&bits) || !odd(&modulus) {
        return Err(NotAKey::Modulus);
    }
    if !(1..=4).contains(&exponent.len()) || exponent == [1] || !odd(&exponent) {
        return Err(NotAKey::Exponent);
    }
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn p256(jwk: &Map<String, Value>) -> Result<DecodingKey, NotAKey> {
    if bytes(jwk, "x")?.len() != 32 || bytes(jwk, "y")?.len() != 32 {
        return Err(NotAKey::Point);
    }
    let key = DecodingKey::from_ec_components(text(jwk, "x")?, text(jwk, "y")?);
    let key = key.map_err(|_| NotAKey::Point)?;
    // Nothing has this signature; but only a key that is one gets as far as to say so.
    jsonwebtoken::crypto::verify("", b"", &key, Algorithm::ES256).map_err(|_| NotAKey::Point)?;
    Ok(key)
}

fn ed25519(jwk: &Map<String, Value>) -> Result<DecodingKey, NotAKey> {
    let point: [u8; 32] = bytes(jwk, "x")?.try_into().map_err(|_| NotAKey::Point)?;
    // Under a weak key one signature fits many texts.
    let strong = VerifyingKey::from_bytes(&point).is_ok_and(|key| !key.is_weak());
    if strong { Ok(DecodingKey::from_ed_der(&point)) } else { Err(NotAKey::Point) }
}
