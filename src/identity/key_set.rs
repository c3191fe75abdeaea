//! Whose signatures are believed: keys by their id, wherever they come from.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};

use crate::domain::Instant;

/// The algorithms that signatures are believed of.
pub const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("EdDSA", Algorithm::EdDSA),
    ("ES256", Algorithm::ES256),
    ("PS256", Algorithm::PS256),
    ("RS256", Algorithm::RS256),
];

/// A key that checks signatures of one algorithm.
#[derive(Clone)]
pub struct VerificationKey {
    /// The one algorithm it is for; never the token's to choose.
    pub algorithm: Algorithm,
    /// The public half.
    pub key: DecodingKey,
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerificationKey({:?})", self.algorithm)
    }
}

/// The keys of an issuer. They may change while the service runs.
pub trait Keys: Send + Sync {
    /// The key with this id, if it is the issuer's at this moment. Never waits. The same `Arc` as long as the key is the same: what
    /// was checked with it is believed without another check.
    fn find(&self, kid: &str, now: Instant) -> Option<Arc<VerificationKey>>;
}

/// Keys that stay as they are.
#[derive(Clone, Debug, Default)]
pub struct StaticKeys(HashMap<String, Arc<VerificationKey>>);

impl FromIterator<(String, VerificationKey)> for StaticKeys {
    fn from_iter<I: IntoIterator<Item = (String, VerificationKey)>>(keys: I) -> Self {
        Self(keys.into_iter().map(|(kid, key)| (kid, Arc::new(key))).collect())
    }
}

impl Keys for StaticKeys {
    fn find(&self, kid: &str, _: Instant) -> Option<Arc<VerificationKey>> {
        self.0.get(kid).cloned()
    }
}
