//! Access tokens of our own issuer, by RFC 9068.

use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use uuid::Uuid;

use super::{Scopes, SigningKey};
use crate::domain::{Instant, ParticipantCode};

/// How long the tokens of the command line live, in seconds.
pub const LIFETIME: i64 = 15 * 60;

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
    client_id: &'static str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant: Option<String>,
    iat: i64,
    exp: i64,
    jti: String,
}

impl TokenIssuer<'_> {
    /// Signs a token that lives for [`LIFETIME`].
    pub fn issue(&self, grant: &Grant, now: Instant) -> String {
        let iat = now.utc().timestamp();
        let claims = Claims {
            iss: self.issuer,
            aud: self.issuer,
            sub: &grant.subject,
            client_id: "handslag-cli",
            scope: grant.scopes.to_string(),
            participant: grant.participant.as_ref().map(ParticipantCode::qualified),
            iat,
            exp: iat + LIFETIME,
            jti: Uuid::new_v4().to_string(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key.kid().to_owned());
        jsonwebtoken::encode(&header, &claims, self.key.encoding()).expect("our key signs EdDSA")
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
