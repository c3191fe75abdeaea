//! Who is calling: our own signing key, the tokens it signs, and the validator that believes no token by itself.

mod assertion;
mod claims;
mod client_key;
mod distinct;
mod fetched_keys;
mod jwk;
mod jwk_set;
mod key_folder;
mod key_set;
mod key_source;
mod keys;
mod known_keys;
mod organisations;
pub mod outgoing;
pub mod receipt;
mod registry;
pub mod secret;
mod token;
mod validator;

pub use assertion::{Assertion, Believed};
pub use claims::{Binding, Path, Reading, Role};
pub use client_key::{ClientKey, NotAClientKey};
pub use fetched_keys::{FetchedKeys, Freshness};
pub use jwk_set::{JwkSet, NotASet};
pub use key_folder::KeyFolder;
pub use key_set::{ALGORITHMS, Keys, StaticKeys, VerificationKey};
pub use key_source::{BadSource, KeySource};
pub use keys::{KeyError, Purpose, SigningKey};
pub use known_keys::{KnownKeys, NotKnown, NotTrusted};
pub use organisations::Organisations;
pub use registry::{Registered, RegisteredClient, RegisteredKeys, Registry};
pub use token::{CLIENT_LIFETIME, Grant, LIFETIME, TokenIssuer};
pub use validator::{Identity, Issuer, Refusal, Validator};

pub use crate::domain::{Scope, Scopes};
