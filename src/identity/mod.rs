//! Who is calling: our own signing key, the tokens it signs, and the validator that believes no token by itself.

mod claims;
mod distinct;
mod fetched_keys;
mod jwk_set;
mod key_set;
mod key_source;
mod keys;
mod known_keys;
mod organisations;
pub mod receipt;
mod token;
mod validator;

pub use claims::{Binding, Path, Reading, Role};
pub use fetched_keys::{FetchedKeys, Freshness};
pub use jwk_set::{ALGORITHMS, JwkSet, NotASet};
pub use key_set::{Keys, StaticKeys, VerificationKey};
pub use key_source::{BadSource, KeySource};
pub use keys::{KeyError, Purpose, SigningKey};
pub use known_keys::{KnownKeys, NotKnown, NotTrusted};
pub use organisations::Organisations;
pub use token::{Grant, LIFETIME, TokenIssuer};
pub use validator::{Identity, Issuer, Refusal, Scope, Scopes, Validator};
