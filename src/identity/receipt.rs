//! Receipts: what the log's key vouches for, as JSON Web Signatures (RFC 7515) by Ed25519 (RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use super::SigningKey;
use crate::domain::Receipt;

/// `typ` of a receipt, so that it can be taken for nothing else.
const TYP: &str = "handslag-receipt+jwt";

/// The members that are signed; they are those of the receipt in documents.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Claims {
    round_id: String,
    sequence: u64,
    entry_hash: String,
    tree_size: u64,
    root: String,
    accepted_at: String,
}

/// The signature is not that of this key over a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no receipt that this key has signed")]
pub struct NotSigned;

/// Signs a receipt.
pub fn sign(receipt: &Receipt, key: &SigningKey) -> String {
    let claims = Claims {
        round_id: receipt.round.to_string(),
        sequence: receipt.sequence,
        entry_hash: receipt.entry.to_string(),
        tree_size: receipt.sequence,
        root: receipt.root.to_string(),
        accepted_at: receipt.at.to_string(),
    };
    key.jws(TYP, &claims)
}

/// Reads a receipt that this key has signed.
///
/// # Errors
/// [`NotSigned`].
pub fn verify(token: &str, key: &DecodingKey) -> Result<Receipt, NotSigned> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let read = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|_| NotSigned)?;
    if read.header.typ.as_deref() != Some(TYP) {
        return Err(NotSigned);
    }
    receipt(&read.claims).ok_or(NotSigned)
}

/// Reads what a receipt says without looking at its signature; none if it is no receipt.
pub fn unverified(token: &str) -> Option<Receipt> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    receipt(&serde_json::from_slice(&payload).ok()?)
}

fn receipt(claims: &Claims) -> Option<Receipt> {
    if claims.tree_size != claims.sequence {
        return None;
    }
    Some(Receipt {
        round: claims.round_id.parse().ok()?,
        sequence: claims.sequence,
        entry: claims.entry_hash.parse().ok()?,
        root: claims.root.parse().ok()?,
        at: claims.accepted_at.parse().ok()?,
    })
}
