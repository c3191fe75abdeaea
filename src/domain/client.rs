//! Clients: the systems that may ask for tokens, and the keys that tokens are signed with.

use std::fmt;
use std::str::FromStr;

use super::{ClientId, Instant, ParticipantCode, Scope, Scopes};

/// The text names nothing of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such kind")]
pub struct NoSuchKind;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// Acts for one participant.
    Participant,
    /// Lists ballots, and sees results before they are public.
    Analyst,
    /// What an analyst may, and runs rounds.
    Manager,
}

impl ClientKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Participant, Self::Analyst, Self::Manager];

    /// The kind's name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Analyst => "analyst",
            Self::Manager => "manager",
        }
    }

    /// The scopes that a client of this kind may have.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Participant => Scopes::of(&[Scope::BallotsRead, Scope::BallotsWrite]),
            Self::Analyst => Scopes::of(&[Scope::BallotsList, Scope::ResultsRead]),
            Self::Manager => Scopes::of(&[Scope::BallotsList, Scope::ResultsRead, Scope::RoundsAdmin]),
        }
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for ClientKind {
    type Err = NoSuchKind;

    fn from_str(text: &str) -> Result<Self, NoSuchKind> {
        Self::ALL.into_iter().find(|kind| kind.id() == text).ok_or(NoSuchKind)
    }
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// By what only its private key can sign (RFC 7523).
    PrivateKeyJwt,
    /// By a secret in the body of the request (RFC 6749, section 2.3.1).
    ClientSecretPost,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::PrivateKeyJwt, Self::ClientSecretPost];

    /// The method's registered name (RFC 7591, section 2; OpenID Connect Core, section 9).
    pub const fn id(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for AuthMethod {
    type Err = NoSuchKind;

    fn from_str(text: &str) -> Result<Self, NoSuchKind> {
        Self::ALL.into_iter().find(|method| method.id() == text).ok_or(NoSuchKind)
    }
}

/// What a client shows who it is with: a public key, or the hash of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id among those of the client; of a key its `kid`.
    pub id: String,
    /// A public JWK, or the hash of a secret.
    pub value: String,
    /// Since when it is there.
    pub created_at: Instant,
    /// From when on it is not accepted any more.
    pub ends_at: Option<Instant>,
}

impl Credential {
    /// Whether it is accepted at this moment.
    pub fn is_accepted(&self, now: Instant) -> bool {
        self.ends_at.is_none_or(|ends| now < ends)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash of a secret is nobody's business either.
        write!(f, "Credential({})", self.id)
    }
}

/// A system that may ask for tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What it is for.
    pub kind: ClientKind,
    /// For whom it acts; of participants' clients only.
    pub participant: Option<ParticipantCode>,
    /// The most that its tokens allow.
    pub scopes: Scopes,
    /// What the system is called: never a person.
    pub name: String,
    /// How it shows who it is.
    pub method: AuthMethod,
    /// What it shows that with, the newest last.
    pub credentials: Vec<Credential>,
    /// Since when it is there.
    pub created_at: Instant,
    /// Since when it is not to be believed.
    pub disabled_at: Option<Instant>,
    /// Counts its changes.
    pub revision: u32,
}

/// The public half of a key that signs tokens, as all instances on a database know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// Its id.
    pub kid: String,
    /// The public half: `x` of its JWK.
    pub public: String,
    /// Since when it is there.
    pub created_at: Instant,
    /// From when on whoever has the private half signs with it.
    pub signs_from: Instant,
    /// From when on nothing that it has signed is believed.
    pub retires_at: Option<Instant>,
}

impl TokenKey {
    /// Whether what it has signed is believed at this moment.
    pub fn is_believed(&self, now: Instant) -> bool {
        self.retires_at.is_none_or(|retires| now < retires)
    }
}
