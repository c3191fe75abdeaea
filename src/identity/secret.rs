//! Secrets of clients: made here, shown once, and kept as argon2id hashes.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Memory in KiB, passes and lanes, as OWASP's cheat sheet on password storage recommends them.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// The longest secret that is looked at.
const LONGEST: usize = 256;

/// What a secret is compared with where there is none, so that this takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| Secret::new().hash());

/// A secret, wiped when it is dropped.
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// 32 random bytes.
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rngs::OsRng.fill_bytes(&mut *bytes);
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// One that was made before.
    pub fn known(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The secret itself, to be shown once.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of it, in the PHC string format.
    pub fn hash(&self) -> String {
        let mut salt = [0; 16];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let salt = SaltString::encode_b64(&salt).expect("16 bytes are a salt");
        let hash =
            hasher().hash_password(self.0.as_bytes(), &salt).expect("the cost is one that argon2 allows");
        hash.to_string()
    }
}

/// Whether a secret is one of those that these are the hashes of. Takes as long where there are none; compares in
/// constant time.
pub fn is_one_of(secret: &str, hashes: &[&str]) -> bool {
    let hashes = if hashes.is_empty() { &[NOBODY.as_str()][..] } else { hashes };
    let fits = |hash: &&str| {
        PasswordHash::new(hash).is_ok_and(|hash| hasher().verify_password(secret.as_bytes(), &hash).is_ok())
    };
    secret.len() <= LONGEST && hashes.iter().filter(|hash| fits(hash)).count() > 0
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let cost = Params::new(memory, passes, lanes, None).expect("a cost that argon2 allows");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
}
