//! Our own issuer: who it is, whom it knows, and what it needs to tell clients apart.

use std::sync::Arc;
use std::time::Duration;

use crate::board::{Assertions, Gate, Registrar};
use crate::domain::{AuthMethod, Instant};
use crate::identity::{Assertion, Believed, Identity, Refusal, RegisteredClient, secret};

/// How long a secret may wait until others have been compared.
const PATIENCE: Duration = Duration::from_secs(2);

/// Our own issuer, shared by all workers.
#[derive(Debug)]
pub struct Issuing {
    /// `iss`: the address that the service is known by.
    pub issuer: String,
    /// The register of clients and keys.
    pub registrar: Registrar,
    /// What clients have shown before.
    pub assertions: Assertions,
    /// A few secrets are compared at a time, and make way: a flood of them is not to take the cores from others.
    secrets: Gate,
}

/// Why a client is not believed.
#[derive(Debug)]
pub(super) enum NotBelieved {
    /// What it has shown is not right; the sentence tells no more than the client knows.
    Wrong(&'static str),
    /// It cannot be found out now.
    Busy,
}

impl From<Refusal> for NotBelieved {
    /// What is wrong with the form of an assertion helps whoever has made it; that a client or a key is not known helps
    /// whoever is guessing.
    fn from(refusal: Refusal) -> Self {
        tracing::info!(reason = %refusal, "an assertion was refused");
        Self::Wrong(match refusal {
            Refusal::Form | Refusal::Json | Refusal::Header => "the assertion is no JWT that is accepted",
            Refusal::Type => "typ of the assertion is client-authentication+jwt",
            Refusal::Claim(_) => "iss and sub (the client id), aud, exp and jti are needed",
            Refusal::Audience => "aud of the assertion is the issuer and nothing else",
            Refusal::Time => "the assertion has ended, is not yet valid or lives for more than 5 minutes",
            _ => UNKNOWN,
        })
    }
}

/// What is told where more would help somebody who guesses.
const UNKNOWN: &str = "the client is not known, or not by this key or secret";

impl Issuing {
    /// The issuer of this name, with these parts.
    pub fn new(issuer: &str, registrar: Registrar, assertions: Assertions) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let secrets = Gate::that_makes_way((cores / 2).max(1), PATIENCE);
        Self { issuer: issuer.to_owned(), registrar, assertions, secrets }
    }

    /// Whether a caller is a client of ours that must not be believed any more.
    pub(super) fn is_disabled(&self, identity: &Identity) -> bool {
        let client = identity.client.as_deref().filter(|_| identity.issuer == self.issuer);
        client.is_some_and(|client| self.registrar.registry().is_disabled(client))
    }

    /// The client that has signed an assertion; each is taken once.
    pub(super) async fn by_assertion(
        &self,
        text: &str,
        named: Option<&str>,
        now: Instant,
    ) -> Result<Arc<RegisteredClient>, NotBelieved> {
        let assertion = Assertion::read(text)?;
        if named.is_some_and(|named| named != assertion.client()) {
            return Err(NotBelieved::Wrong("client_id is not that of the assertion"));
        }
        let known = self.client(assertion.client());
        let (client, believed) = match self.believe(&assertion, known.clone(), now) {
            Err(refusal @ (Refusal::Key | Refusal::Signature)) => {
                let newer = self.newer(assertion.client(), known.as_deref()).await.ok_or(refusal)?;
                self.believe(&assertion, Some(newer), now)?
            }
            believed => believed?,
        };
        let (id, seconds) = (client.client.id.clone(), now.utc().timestamp());
        match self.assertions.take(id, believed.id, believed.ends, seconds).await {
            Ok(true) => Ok(client),
            Ok(false) => Err(NotBelieved::Wrong("the assertion has been used")),
            Err(_) => Err(NotBelieved::Busy),
        }
    }

    /// The client of this id, as it is known now.
    pub(super) fn client(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.registrar.registry().current().client(id).cloned()
    }

    /// The client of this id when the register has been looked at once more, if it is another than was known: it, its key
    /// or its secret may have been made this moment. Whoever is refused waits so long, known or not.
    async fn newer(&self, id: &str, known: Option<&RegisteredClient>) -> Option<Arc<RegisteredClient>> {
        if !self.registrar.looked_again().await {
            return None;
        }
        self.client(id).filter(|newer| known.is_none_or(|known| known.client != newer.client))
    }

    fn believe(
        &self,
        assertion: &Assertion<'_>,
        client: Option<Arc<RegisteredClient>>,
        now: Instant,
    ) -> Result<(Arc<RegisteredClient>, Believed), Refusal> {
        let client = client.ok_or(Refusal::Key)?;
        let believed = assertion.check(client.keys(now), &self.issuer, now)?;
        Ok((client, believed))
    }

    /// The client that knows a secret. One that is not known takes as long to refuse.
    pub(super) async fn by_secret(
        &self,
        named: &str,
        secret: String,
        now: Instant,
    ) -> Result<Arc<RegisteredClient>, NotBelieved> {
        let known = self.client(named);
        if let Some(client) = self.compare(known.clone(), secret.clone(), now).await? {
            return Ok(client);
        }
        let newer = self.newer(named, known.as_deref()).await.ok_or(NotBelieved::Wrong(UNKNOWN))?;
        self.compare(Some(newer), secret, now).await?.ok_or(NotBelieved::Wrong(UNKNOWN))
    }

    /// The client, if this is a secret of it.
    async fn compare(
        &self,
        client: Option<Arc<RegisteredClient>>,
        secret: String,
        now: Instant,
    ) -> Result<Option<Arc<RegisteredClient>>, NotBelieved> {
        let of = client.clone();
        let compared = self.secrets.run(move || {
            let hashes = of.as_deref().map(|client| client.hashes(now)).unwrap_or_default();
            secret::is_one_of(&secret, &hashes)
        });
        let fits = compared.await.map_err(|_| NotBelieved::Busy)?;
        let allowed =
            |client: &Arc<RegisteredClient>| fits && client.client.method == AuthMethod::ClientSecretPost;
        Ok(client.filter(allowed))
    }
}
