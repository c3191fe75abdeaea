//! The issuers that are trusted besides our own, as the file has them: `[[issuers]]`.
//!
//! What the texts mean is settled where the parts of a server are put together (`cli::trust`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An issuer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IssuerSettings {
    /// `iss` of its tokens.
    pub issuer: String,
    /// What `aud` must hold.
    pub audience: String,
    /// Where it publishes its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// A file with its keys instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<PathBuf>,
    /// Certificates of those who vouch for the server of [`Self::jwks_uri`], instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// What it signs with.
    pub algorithms: Vec<String>,
    /// What `typ` of its tokens must be.
    pub typ: String,
    /// The longest life of its tokens, in seconds.
    pub longest_life: i64,
    /// Where the scopes stand.
    pub scope_claim: Claim,
    /// The scopes that may stand there.
    pub scopes: Vec<String>,
    /// Claims that must have a value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub require: BTreeMap<String, String>,
    /// Whose ballot its tokens are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<ParticipantSettings>,
    /// Roles that give scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleSettings>,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            jwks_uri: None,
            jwks_file: None,
            ca_file: None,
            algorithms: Vec::new(),
            typ: "at+jwt".to_owned(),
            longest_life: 90 * 60,
            scope_claim: Claim::Top("scope".to_owned()),
            scopes: vec!["ballots.read".to_owned(), "ballots.write".to_owned()],
            require: BTreeMap::new(),
            participant: None,
            roles: Vec::new(),
        }
    }
}

/// A claim by its name, or by the names of the members that lead to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Claim {
    /// `"roles"`
    Top(String),
    /// `["realm_access", "roles"]`
    Within(Vec<String>),
}

/// Whose ballot an issuer's tokens are for: one of three ways.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ParticipantSettings {
    /// Always this participant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A file of organisation numbers and participants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisations: Option<PathBuf>,
    /// Where the organisation number stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Where the issuer says it itself, and is to be believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_claim: Option<Claim>,
}

/// A role that gives scopes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSettings {
    /// Where the roles stand.
    pub claim: Claim,
    /// The role.
    pub value: String,
    /// What it gives.
    pub scopes: Vec<String>,
}

/// The issuers as the file would have them.
pub(super) fn describe(issuers: &[IssuerSettings]) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        issuers: &'a [IssuerSettings],
    }

    if issuers.is_empty() {
        return String::new();
    }
    let tables = toml::to_string(&File { issuers }).expect("texts, numbers, lists and tables");
    format!("\n{tables}")
}
