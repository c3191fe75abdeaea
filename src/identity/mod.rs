//! Who is calling: our own signing key, the tokens it signs, and the validator that believes no token by itself.

mod distinct;
mod key_set;
mod keys;
mod known_keys;
pub mod receipt;
mod token;
mod validator;

pub use key_set::{Keys, StaticKeys, VerificationKey};
pub use keys::{KeyError, Purpose, SigningKey};
pub use known_keys::{KnownKeys, NotKnown, NotTrusted};
pub use token::{Grant, LIFETIME, TokenIssuer};
pub use validator::{Identity, Issuer, Refusal, Scope, Scopes, Validator};
