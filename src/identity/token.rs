//! Access tokens of our own issuer, by RFC 9068.

use serde::Serialize;
use uuid::Uuid;

use super::{Scopes, SigningKey};
use crate::domain::{Client, Instant, ParticipantCode};

/// How long the tokens of the command line live, in seconds: the longest of our own issuer.
pub const LIFETIME: i64 = 15 * 60;
/// How long the tokens of clients live, in seconds.
pub const CLIENT_LIFETIME: i64 = 5 * 60;
/// The client that the command line is; it is not registered, since whoever has the key needs no register.
const COMMAND_LINE: &str = "handslag-cli";
/// `typ` of a token (RFC 9068, section 2.1).
pub(super) const TYP: &str = "at+jwt";

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// For whom: a pseudonym, never a person's name.
    pub subject: String,
    /// What may be done.
    pub scopes: Scopes,
    /// Whose ballot, for the scopes that are bound to a participant.
    pub participant: Option<ParticipantCode>,
}

/// Makes tokens in the name of one issuer.
#[derive(Debug)]
pub struct TokenIssuer<'a> {
    /// The issuer, and the audience: the service's public address.
    pub issuer: &'a str,
    /// The key that signs.
    pub key: &'a SigningKey,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant: Option<String>,
    iat: i64,
    exp: i64,
    jti: String,
}

impl TokenIssuer<'_> {
    /// Signs a token of the command line, which lives for [`LIFETIME`].
    pub fn issue(&self, grant: &Grant, now: Instant) -> String {
        self.sign(grant, COMMAND_LINE, LIFETIME, now)
    }

    /// Signs a token for a client, which lives for [`CLIENT_LIFETIME`]. Without a user it is its own subject (RFC 9068,
    /// section 2.2).
    pub fn issue_to(&self, client: &Client, scopes: Scopes, now: Instant) -> String {
        let id = client.id.as_str();
        let grant = Grant { subject: id.to_owned(), scopes, participant: client.participant.clone() };
        self.sign(&grant, id, CLIENT_LIFETIME, now)
    }

    fn sign(&self, grant: &Grant, client: &str, lifetime: i64, now: Instant) -> String {
        let iat = now.utc().timestamp();
        let claims = Claims {
            iss: self.issuer,
            aud: self.issuer,
            sub: &grant.subject,
            client_id: client,
            scope: grant.scopes.to_string(),
            participant: grant.participant.as_ref().map(ParticipantCode::qualified),
            iat,
            exp: iat + lifetime,
            jti: Uuid::new_v4().to_string(),
        };
        self.key.jws(TYP, &claims)
    }
}

impl Grant {
    /// What a participant may do: read and write its own ballot.
    pub fn participant(code: ParticipantCode) -> Self {
        use super::Scope::{BallotsRead, BallotsWrite};
        Self {
            subject: code.qualified(),
            scopes: Scopes::of(&[BallotsRead, BallotsWrite]),
            participant: Some(code),
        }
    }

    /// What an analyst may do: list ballots, see results before they are public.
    pub fn analyst() -> Self {
        use super::Scope::{BallotsList, ResultsRead};
        Self { subject: "analyst".into(), scopes: Scopes::of(&[BallotsList, ResultsRead]), participant: None }
    }

    /// What a manager may do: what an analyst may, and run rounds.
    pub fn manager() -> Self {
        use super::Scope::{BallotsList, ResultsRead, RoundsAdmin};
        let scopes = Scopes::of(&[BallotsList, ResultsRead, RoundsAdmin]);
        Self { subject: "manager".into(), scopes, participant: None }
    }
}
