//! JWK sets of other issuers (RFC 7517): which keys in them check signatures here, and why the others do not.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::jwk;
use super::key_set::{ALGORITHMS, Keys, VerificationKey};
use crate::domain::Instant;

/// How many keys a set may have.
const MOST: usize = 100;

/// The keys of a set that can be used.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: HashMap<String, Known>,
    /// What was passed over, each with why.
    pub passed_over: Vec<String>,
}

#[derive(Clone, Debug)]
struct Known {
    jwk: Value,
    key: Arc<VerificationKey>,
}

/// The text is no JWK set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no JWK set of at most {MOST} keys")]
pub struct NotASet;

impl JwkSet {
    /// Reads a set, for an issuer that signs with these algorithms. Each key is for one of them: the one that it names,
    /// or else the first that it can be for.
    ///
    /// # Errors
    /// [`NotASet`]. A key that cannot be used is passed over.
    pub fn read(text: &[u8], algorithms: &[Algorithm]) -> Result<Self, NotASet> {
        let document: Value = serde_json::from_slice(text).map_err(|_| NotASet)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(NotASet)?;
        if keys.len() > MOST {
            return Err(NotASet);
        }
        let mut set = Self::default();
        let mut named: HashMap<String, Vec<Known>> = HashMap::new();
        for (i, jwk) in keys.iter().enumerate() {
            match usable(jwk, algorithms) {
                Ok((kid, key)) => {
                    let known = Known { jwk: jwk.clone(), key: Arc::new(key) };
                    named.entry(kid).or_default().push(known);
                }
                Err(why) => set.passed_over.push(format!("key {}: {why}", i + 1)),
            }
        }
        for (kid, mut known) in named {
            match (known.pop(), known.is_empty()) {
                (Some(only), true) => drop(set.keys.insert(kid, only)),
                // Which of them signed cannot be told.
                _ => set.passed_over.push(format!("the id {kid:?} stands for several keys")),
            }
        }
        set.passed_over.sort();
        Ok(set)
    }

    /// Keeps a key that has not changed as it is, so that what was checked with it needs no new check.
    pub(super) fn keep_of(&mut self, before: &Self) {
        for (kid, known) in &mut self.keys {
            if let Some(old) = before.keys.get(kid).filter(|old| old.jwk == known.jwk) {
                known.key = Arc::clone(&old.key);
            }
        }
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none can.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Keys for JwkSet {
    fn find(&self, kid: &str, _: Instant) -> Option<Arc<VerificationKey>> {
        self.keys.get(kid).map(|known| Arc::clone(&known.key))
    }
}

fn usable(jwk: &Value, algorithms: &[Algorithm]) -> Result<(String, VerificationKey), String> {
    let jwk = jwk.as_object().ok_or("it is no object")?;
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let kid = member("kid").filter(|kid| (1..=255).contains(&kid.len())).ok_or("it has no id")?;
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err("it is not for signatures".to_owned());
    }
    let verifies = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|x| x == "verify"));
    if jwk.get("key_ops").is_some_and(|operations| !verifies(operations)) {
        return Err("it is not for checking signatures".to_owned());
    }
    if jwk.contains_key("d") {
        return Err("its private half is public".to_owned());
    }
    let (kind, key) = jwk::read(jwk).map_err(|error| error.to_string())?;
    let fits = |algorithm: &&Algorithm| kind.algorithms().contains(algorithm);
    let algorithm = match jwk.get("alg") {
        None => algorithms.iter().find(fits),
        Some(named) => {
            let named =
                ALGORITHMS.into_iter().find(|(name, _)| named == name).map(|(_, algorithm)| algorithm);
            algorithms.iter().filter(fits).find(|known| named == Some(**known))
        }
    };
    let algorithm = *algorithm.ok_or("it is for none of the issuer's algorithms")?;
    Ok((kid.to_owned(), VerificationKey { algorithm, key }))
}
