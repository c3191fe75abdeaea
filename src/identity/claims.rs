//! What the claims of an issuer's tokens mean here: whose ballot they open, and what may be done.
//!
//! What an issuer says is believed only as far as its configuration goes: whose ballot comes from a table or is fixed,
//! unless the issuer's own word on it is trusted, and no scope is given that it may not give.

use serde_json::{Map, Value};

use super::{Organisations, Refusal, Scope, Scopes, organisations};
use crate::domain::ParticipantCode;

/// The claims of a verified token.
type Claims = Map<String, Value>;

/// Where something stands in the claims: `["roles"]`, or `["realm_access", "roles"]` for a member within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// A claim, and the members within it that lead there.
    pub fn new(members: Vec<String>) -> Self {
        Self(members)
    }

    fn find<'a>(&self, claims: &'a Claims) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, member| value.get(member))
    }
}

/// Whose ballot the tokens of an issuer are for.
#[derive(Clone, Debug)]
pub enum Binding {
    /// Nobody's.
    Nobody,
    /// Always this participant's: the issuer is its own.
    Fixed(ParticipantCode),
    /// That of the participant whose organisation number a claim has.
    Organisation(Path, Organisations),
    /// That of the participant that a claim names as `kind:code`: the issuer's word is taken.
    Named(Path),
}

/// A value of a claim, and the scopes that it gives.
#[derive(Clone, Debug)]
pub struct Role {
    /// Where the roles stand: a text, or a list of them.
    pub claim: Path,
    /// The role.
    pub value: String,
    /// What who has it may do.
    pub scopes: Scopes,
}

/// How the claims of an issuer are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Whose ballot.
    pub binding: Binding,
    /// Where the scopes stand: a text with blanks between, or a list.
    pub scopes: Path,
    /// The scopes that may stand there; others are passed over.
    pub may_give: Scopes,
    /// The roles that give scopes.
    pub roles: Vec<Role>,
    /// Claims that must have a value.
    pub required: Vec<(Path, String)>,
}

impl Reading {
    /// How the claims of our own issuer are read.
    pub fn own() -> Self {
        Self {
            binding: Binding::Named(Path::new(vec!["participant".to_owned()])),
            scopes: Path::new(vec!["scope".to_owned()]),
            may_give: Scopes::of(&Scope::ALL),
            roles: Vec::new(),
            required: Vec::new(),
        }
    }

    /// Whether the claims that must be there are.
    pub(super) fn check(&self, claims: &Claims) -> Result<(), Refusal> {
        let stands = |(path, value): &(Path, String)| has(path.find(claims), value);
        if self.required.iter().all(stands) { Ok(()) } else { Err(Refusal::Claim("that is required")) }
    }

    pub(super) fn participant(&self, claims: &Claims) -> Result<Option<ParticipantCode>, Refusal> {
        let text = |path: &Path| match path.find(claims) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Refusal::Claim("of the participant")),
        };
        Ok(match &self.binding {
            Binding::Nobody => None,
            Binding::Fixed(code) => Some(code.clone()),
            Binding::Named(path) => {
                let code = text(path)?.map(ParticipantCode::from_qualified).transpose();
                code.map_err(|_| Refusal::Claim("of the participant"))?
            }
            Binding::Organisation(path, organisations) => match text(path)? {
                None => None,
                Some(text) => {
                    let number =
                        organisations::number(text).ok_or(Refusal::Claim("of the organisation number"))?;
                    organisations.find(&number).cloned()
                }
            },
        })
    }

    pub(super) fn scopes(&self, claims: &Claims) -> Result<Scopes, Refusal> {
        let wrong = Refusal::Claim("of the scopes");
        let said: Scopes = match self.scopes.find(claims) {
            None => Scopes::default(),
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            // The claim `scope` is a text by RFC 8693, section 4.2; lists have other names.
            Some(Value::Array(names)) if self.scopes.0 != ["scope"] => {
                let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                names.ok_or(wrong)?.join(" ").parse().unwrap_or_default()
            }
            Some(_) => return Err(wrong),
        };
        let had = self.roles.iter().filter(|role| has(role.claim.find(claims), &role.value));
        Ok(had.fold(said.and(self.may_give), |scopes, role| scopes.or(role.scopes)))
    }
}

/// Whether a claim is a text, or has it among its members.
fn has(claim: Option<&Value>, text: &str) -> bool {
    match claim {
        Some(Value::Array(values)) => values.iter().any(|value| value == text),
        Some(value) => value == text,
        None => false,
    }
}
