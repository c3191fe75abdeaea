//! The register of clients and token keys in memory: what tokens are issued and believed by. It is replaced whole, and
//! whoever reads it takes no lock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::watch;

use super::{ClientKey, Keys, SigningKey, VerificationKey};
use crate::domain::{AuthMethod, Client, ClientId, Instant, TokenKey};

/// The register as it was last read.
#[derive(Debug, Default)]
pub struct Registry {
    current: ArcSwap<Registered>,
    changes: watch::Sender<()>,
}

/// A client, with its keys ready to check signatures.
#[derive(Debug)]
pub struct RegisteredClient {
    /// What is known of it.
    pub client: Client,
    keys: HashMap<String, VerificationKey>,
}

impl RegisteredClient {
    fn new(client: Client) -> Self {
        let keys = match client.method {
            AuthMethod::PrivateKeyJwt => client
                .credentials
                .iter()
                .filter_map(|credential| {
                    let key = ClientKey::read(&credential.value)
                        .inspect_err(|error| tracing::error!(client = %client.id, %error, "a client's key"));
                    Some((credential.id.clone(), key.ok()?.verification().clone()))
                })
                .collect(),
            AuthMethod::ClientSecretPost => HashMap::new(),
        };
        Self { client, keys }
    }

    /// Its keys that are accepted now, by their ids.
    pub fn keys(&self, now: Instant) -> impl Iterator<Item = (&str, &VerificationKey)> {
        let accepted = self.client.credentials.iter().filter(move |credential| credential.is_accepted(now));
        accepted.filter_map(|credential| Some((&*credential.id, self.keys.get(&credential.id)?)))
    }

    /// The hashes of its secrets that are accepted now.
    pub fn hashes(&self, now: Instant) -> Vec<&str> {
        match self.client.method {
            AuthMethod::PrivateKeyJwt => Vec::new(),
            AuthMethod::ClientSecretPost => {
                let accepted =
                    self.client.credentials.iter().filter(|credential| credential.is_accepted(now));
                accepted.map(|credential| &*credential.value).collect()
            }
        }
    }
}

/// What is registered, at one version.
#[derive(Debug, Default)]
pub struct Registered {
    clients: HashMap<ClientId, Arc<RegisteredClient>>,
    /// The ids of clients that could not be read: nothing is known of them, and they are not believed.
    unreadable: HashSet<String>,
    /// In the order of the register, with what checks tokens.
    keys: Vec<(TokenKey, Arc<VerificationKey>)>,
    /// Those whose private half is here.
    signing: Vec<Arc<SigningKey>>,
    /// When it was read: what has ended since is sorted out when it is read again.
    at: Option<Instant>,
}

impl Registered {
    /// What is registered at a moment; `unreadable` are the ids of clients of whom nothing is known, and `signing` the
    /// private keys at hand.
    pub fn new(
        clients: Vec<Client>,
        unreadable: HashSet<String>,
        keys: Vec<TokenKey>,
        signing: Vec<Arc<SigningKey>>,
        at: Instant,
    ) -> Self {
        let key = |key: TokenKey| {
            let decoding = DecodingKey::from_ed_components(&key.public)
                .inspect_err(|error| tracing::error!(kid = key.kid, %error, "a registered key"));
            let verification = VerificationKey { algorithm: Algorithm::EdDSA, key: decoding.ok()? };
            Some((key, Arc::new(verification)))
        };
        let client = |client: Client| (client.id.clone(), Arc::new(RegisteredClient::new(client)));
        Self {
            clients: clients.into_iter().map(client).collect(),
            unreadable,
            keys: keys.into_iter().filter(|key| key.is_believed(at)).filter_map(key).collect(),
            signing,
            at: Some(at),
        }
    }

    /// The client of this id.
    pub fn client(&self, id: &str) -> Option<&Arc<RegisteredClient>> {
        self.clients.get(id)
    }

    /// Every client, by its id.
    pub fn clients(&self) -> Vec<&Client> {
        let mut clients: Vec<&Client> = self.clients.values().map(|registered| &registered.client).collect();
        clients.sort_by(|a, b| a.id.cmp(&b.id));
        clients
    }

    /// The keys that are believed, to be published.
    pub fn token_keys(&self) -> impl Iterator<Item = &TokenKey> {
        self.keys.iter().map(|(key, _)| key)
    }

    /// The same at a later moment: without the keys that have ended since.
    #[must_use]
    pub fn later(&self, now: Instant) -> Self {
        let keys = self.keys.iter().filter(|(key, _)| key.is_believed(now)).cloned();
        Self {
            clients: self.clients.clone(),
            unreadable: self.unreadable.clone(),
            keys: keys.collect(),
            signing: self.signing.clone(),
            at: Some(now),
        }
    }

    /// The newest key at hand whose time to sign has come.
    pub fn signing_key(&self, now: Instant) -> Option<&Arc<SigningKey>> {
        let ready = self.token_keys().filter(|key| key.signs_from <= now && key.is_believed(now));
        let at_hand = ready.filter_map(|key| {
            let private = self.signing.iter().find(|private| private.kid() == key.kid)?;
            Some((key.signs_from, private))
        });
        at_hand.max_by_key(|(signs_from, _)| *signs_from).map(|(_, private)| private)
    }

    /// The private keys at hand.
    pub fn signing(&self) -> &[Arc<SigningKey>] {
        &self.signing
    }

    /// Whether every private key at hand gives way to another, which is not at hand.
    pub fn needs_key(&self) -> bool {
        let stays = |key: &TokenKey| key.retires_at.is_none();
        let at_hand = |key: &&TokenKey| self.signing.iter().any(|private| private.kid() == key.kid);
        self.at.is_some() && !self.token_keys().filter(at_hand).any(stays)
    }

    /// Whether the keys that are believed are others now than when this was read.
    pub fn is_outdated(&self, now: Instant) -> bool {
        self.at.is_none_or(|at| self.token_keys().any(|key| key.is_believed(at) && !key.is_believed(now)))
    }
}

impl Registry {
    /// What is registered.
    pub fn current(&self) -> Arc<Registered> {
        self.current.load_full()
    }

    /// Tells that something else is registered from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Puts what has been read in the place of what was.
    pub fn replace(&self, registered: Registered) {
        self.current.store(Arc::new(registered));
        self.changes.send_replace(());
    }

    /// Whether a client of our own issuer must not be believed any more: it is disabled, or whether it is cannot be read.
    /// The command line is not registered.
    pub fn is_disabled(&self, client: &str) -> bool {
        let current = self.current.load();
        match current.client(client) {
            Some(registered) => registered.client.disabled_at.is_some(),
            None => current.unreadable.contains(client),
        }
    }
}

/// The keys of our own issuer, as they are registered now.
#[derive(Clone, Debug)]
pub struct RegisteredKeys(pub Arc<Registry>);

impl Keys for RegisteredKeys {
    fn find(&self, kid: &str, now: Instant) -> Option<Arc<VerificationKey>> {
        let registered = self.0.current.load();
        // By the clock too: the database may be away when a key ends.
        let found = registered.keys.iter().find(|(key, _)| key.kid == kid && key.is_believed(now));
        found.map(|(_, verification)| Arc::clone(verification))
    }
}
