//! Clients as documents.

use serde::Serialize;

use super::{Link, Links};
use crate::domain::{Client, Credential, ParticipantCode, Scope};

/// A client, without anything secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    client_id: String,
    kind: &'static str,
    participant: Option<String>,
    scopes: Vec<&'static str>,
    name: String,
    auth_method: &'static str,
    credentials: Vec<CredentialView>,
    created_at: String,
    disabled: bool,
    disabled_at: Option<String>,
    /// A secret that was just made; it is never shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialView {
    id: String,
    created_at: String,
    ends_at: Option<String>,
}

impl From<&Credential> for CredentialView {
    fn from(credential: &Credential) -> Self {
        Self {
            id: credential.id.clone(),
            created_at: credential.created_at.to_string(),
            ends_at: credential.ends_at.map(|ends| ends.to_string()),
        }
    }
}

impl ClientView {
    /// The document.
    pub fn new(client: &Client, links: &Links) -> Self {
        let address = links.to(&format!("/clients/{}", client.id));
        Self {
            client_id: client.id.to_string(),
            kind: client.kind.id(),
            participant: client.participant.as_ref().map(ParticipantCode::qualified),
            scopes: Scope::ALL.into_iter().filter(|s| client.scopes.has(*s)).map(Scope::id).collect(),
            name: client.name.clone(),
            auth_method: client.method.id(),
            credentials: client.credentials.iter().map(CredentialView::from).collect(),
            created_at: client.created_at.to_string(),
            disabled: client.disabled_at.is_some(),
            disabled_at: client.disabled_at.map(|at| at.to_string()),
            client_secret: None,
            links: vec![Link::get("self", address), Link::get("clients", links.to("/clients"))],
        }
    }

    /// The document with a secret that was just made.
    #[must_use]
    pub fn with_secret(self, secret: Option<&str>) -> Self {
        Self { client_secret: secret.map(ToOwned::to_owned), ..self }
    }
}
