//! Key pairs of issuers: what they sign, and their public halves in every spelling.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::LineEnding;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// A key pair, and the id it goes by.
#[derive(Clone)]
pub(crate) struct Pair {
    /// The id.
    pub(crate) kid: String,
    /// What it signs with.
    pub(crate) algorithm: Algorithm,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Ed(ed25519_dalek::SigningKey),
    Ec(p256::SecretKey),
    Rsa(&'static RsaPrivateKey),
}

/// RSA keys are slow to find: each is found once a run.
fn rsa_key(number: usize, bits: usize) -> &'static RsaPrivateKey {
    static KEYS: [OnceLock<RsaPrivateKey>; 4] = [const { OnceLock::new() }; 4];
    KEYS[number].get_or_init(|| {
        let mut random = ChaCha20Rng::seed_from_u64(number as u64);
        RsaPrivateKey::new(&mut random, bits).expect("there are primes of that size")
    })
}

impl Pair {
    /// Ed25519, in the PEM of the service's own key file.
    pub(crate) fn read(kid: &str, pem: &str) -> Self {
        let secret = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).expect("the service made its key");
        Self { kid: kid.to_owned(), algorithm: Algorithm::EdDSA, secret: Secret::Ed(secret) }
    }

    /// Ed25519.
    pub(crate) fn ed(kid: &str, seed: u8) -> Self {
        let secret = Secret::Ed(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]));
        Self { kid: kid.to_owned(), algorithm: Algorithm::EdDSA, secret }
    }

    /// P-256.
    pub(crate) fn ec(kid: &str, seed: u8) -> Self {
        let secret = p256::SecretKey::from_slice(&[seed; 32]).expect("a small enough number");
        Self { kid: kid.to_owned(), algorithm: Algorithm::ES256, secret: Secret::Ec(secret) }
    }

    /// RSA with 2048 bits; one of three keys.
    pub(crate) fn rsa(kid: &str, number: usize, algorithm: Algorithm) -> Self {
        Self { kid: kid.to_owned(), algorithm, secret: Secret::Rsa(rsa_key(number, 2048)) }
    }

    /// RSA with fewer bits than anybody should trust.
    pub(crate) fn weak(kid: &str) -> Self {
        let secret = Secret::Rsa(rsa_key(3, 1024));
        Self { kid: kid.to_owned(), algorithm: Algorithm::RS256, secret }
    }

    /// Another key of the same kind under the same id.
    pub(crate) fn impostor(&self) -> Self {
        match &self.secret {
            Secret::Ed(_) => Self::ed(&self.kid, 77),
            Secret::Ec(_) => Self::ec(&self.kid, 77),
            Secret::Rsa(_) => Self::rsa(&self.kid, 2, self.algorithm),
        }
    }

    /// The public half as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.secret {
            Secret::Ed(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.verifying_key().as_bytes()) })
            }
            Secret::Ec(key) => {
                let point = key.public_key().to_encoded_point(false);
                let (x, y) = (point.x().expect("no infinity"), point.y().expect("not packed"));
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
            Secret::Rsa(key) => {
                json!({ "kty": "RSA", "n": text(&key.n().to_bytes_be()), "e": text(&key.e().to_bytes_be()) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(format!("{:?}", self.algorithm));
        jwk
    }

    /// The public half in the spellings that somebody might take for a shared secret.
    pub(crate) fn spellings(&self) -> Vec<(&'static str, Vec<u8>)> {
        let jwk = self.jwk().to_string().into_bytes();
        let mut spellings = vec![("JWK", jwk)];
        match &self.secret {
            Secret::Ed(key) => {
                let public = key.verifying_key();
                spellings.push(("raw", public.to_bytes().to_vec()));
                spellings.push(("base64url", URL_SAFE_NO_PAD.encode(public.as_bytes()).into()));
                spellings.push(("DER", public.to_public_key_der().expect("a key").into_vec()));
                let pem = public.to_public_key_pem(LineEnding::LF).expect("a key");
                spellings.push(("PEM, trimmed", pem.trim().into()));
                spellings.push(("PEM", pem.into()));
            }
            Secret::Ec(key) => {
                let pem = key.public_key().to_public_key_pem(LineEnding::LF).expect("a key");
                spellings.push(("PEM", pem.into()));
            }
            Secret::Rsa(key) => {
                let public = key.to_public_key();
                spellings.push(("modulus", public.n().to_bytes_be()));
                spellings.push(("DER", public.to_public_key_der().expect("a key").into_vec()));
                spellings.push(("PKCS #1 DER", public.to_pkcs1_der().expect("a key").into_vec()));
                let pem = public.to_public_key_pem(LineEnding::LF).expect("a key");
                spellings.push(("PEM, trimmed", pem.trim().into()));
                spellings.push(("PEM", pem.into()));
                spellings.push(("PKCS #1 PEM", public.to_pkcs1_pem(LineEnding::LF).expect("a key").into()));
            }
        }
        spellings
    }

    /// Signs texts, which may be no JSON at all.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = match &self.secret {
            Secret::Ed(key) => EncodingKey::from_ed_der(key.to_pkcs8_der().expect("a key").as_bytes()),
            Secret::Ec(key) => EncodingKey::from_ec_der(key.to_pkcs8_der().expect("a key").as_bytes()),
            Secret::Rsa(key) => EncodingKey::from_rsa_der(key.to_pkcs1_der().expect("a key").as_bytes()),
        };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, self.algorithm);
        format!("{message}.{}", signature.expect("a key signs its own algorithm"))
    }
}
