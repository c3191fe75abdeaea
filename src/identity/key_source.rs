//! Where an issuer publishes its keys, and how they are fetched from there: only from the address that is configured,
//! over TLS, without redirects or a proxy, at most so much and so long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, parse_pem};

use super::outgoing;

/// The most bytes that are read.
const MOST: u64 = 256 * 1024;
/// The longest time for a connection, and for all of it.
const CONNECTING: Duration = Duration::from_secs(5);
const IN_ALL: Duration = Duration::from_secs(10);

/// An address with keys.
pub struct KeySource {
    uri: Uri,
    agent: Agent,
}

/// Why keys cannot be fetched from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// Not an address that may be asked.
    #[error("is not https://HOST/PATH without a user or fragment; http:// is for 127.0.0.1 and [::1] only")]
    Address,
    /// No certificates.
    #[error("holds no certificate in PEM")]
    Certificates,
    /// The system trusts nobody, and nobody else is named.
    #[error("is needed: the system has no certificates of its own")]
    NoSystem,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({})", self.uri)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl KeySource {
    /// An address, and the certificates (PEM) of those who vouch for its server; without them those of the system.
    ///
    /// # Errors
    /// [`BadSource`].
    pub fn new(address: &str, vouching: Option<&[u8]>) -> Result<Self, BadSource> {
        let uri: Uri = address.parse().map_err(|_| BadSource::Address)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadSource::Address);
        };
        let here = matches!(authority.host(), "127.0.0.1" | "[::1]");
        let allowed = scheme == "https" || scheme == "http" && here;
        if !allowed || authority.as_str().contains('@') || address.contains('#') {
            return Err(BadSource::Address);
        }
        let roots = match vouching {
            None if scheme == "http" => Arc::default(),
            None => outgoing::roots_of_the_system().ok_or(BadSource::NoSystem)?,
            Some(pem) => Arc::new(certificates(pem)?),
        };
        let agent = Agent::config_builder()
            .tls_config(outgoing::tls(roots))
            .https_only(scheme == "https")
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .timeout_connect(Some(CONNECTING))
            .timeout_global(Some(IN_ALL))
            .user_agent("handslag")
            .accept("application/jwk-set+json, application/json");
        Ok(Self { uri, agent: agent.build().new_agent() })
    }

    /// What is published there; waits for it.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub fn fetch(&self) -> Result<Vec<u8>, String> {
        let mut answer = self.agent.get(self.uri.clone()).call().map_err(|error| error.to_string())?;
        if answer.status() != 200 {
            return Err(format!("the answer is {}", answer.status().as_u16()));
        }
        answer.body_mut().with_config().limit(MOST).read_to_vec().map_err(|error| error.to_string())
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, BadSource> {
    let items: Vec<PemItem<'static>> =
        parse_pem(pem).collect::<Result<_, _>>().map_err(|_| BadSource::Certificates)?;
    let certificates: Vec<Certificate<'static>> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { Err(BadSource::Certificates) } else { Ok(certificates) }
}
