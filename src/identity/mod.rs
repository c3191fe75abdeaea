//! Who is calling: our own signing key, the tokens it signs, and the validator that believes no token by itself.

mod assertion;
mod client_key;
mod key_folder;
mod key_set;
mod keys;
mod known_keys;
pub mod receipt;
mod registry;
pub mod secret;
mod token;
mod validator;

pub use assertion::{Assertion, Believed};
pub use client_key::{ALGORITHMS, ClientKey, NotAClientKey};
pub use key_folder::KeyFolder;
pub use key_set::{Keys, StaticKeys, VerificationKey};
pub use keys::{KeyError, Purpose, SigningKey};
pub use known_keys::{KnownKeys, NotKnown, NotTrusted};
pub use registry::{Registered, RegisteredClient, RegisteredKeys, Registry};
pub use token::{CLIENT_LIFETIME, Grant, LIFETIME, TokenIssuer};
pub use validator::{Identity, Issuer, Refusal, Validator};

pub use crate::domain::{Scope, Scopes};
