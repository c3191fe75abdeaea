//! What is between the service and its callers: the limits, the proxies that are believed, TLS.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{ConfigError, Limits};

/// What is between the service and its callers.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// How much one caller may ask for.
    pub limits: Limits,
    /// The proxies that are believed when they say whom a request is from.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may read answers.
    pub cors_origins: Vec<String>,
    /// Whether callers come by TLS, here or at a proxy.
    pub is_secure: bool,
    /// The certificate with which connections are taken; none means without TLS.
    pub tls: Option<TlsFiles>,
    /// How long the other end of a connection may keep us waiting.
    pub patience: Patience,
}

/// Where the certificate is, and its key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain in PEM, our own certificate first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Name and value of both, for the settings that are told.
    pub(super) fn values(&self) -> [(&'static str, String); 2] {
        let text = |path: &PathBuf| path.display().to_string();
        [("tlsCertificate", text(&self.certificate)), ("tlsKey", text(&self.key))]
    }

    /// Both files, or none.
    pub(super) fn of(
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
    ) -> Result<Option<Self>, ConfigError> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => Err(ConfigError::Setting(
                "tls-certificate and tls-key: one is of no use without the other".to_owned(),
            )),
        }
    }
}

/// How long the other end of a connection may keep us waiting. No settings: nobody needs longer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the first byte of a request until its header fields have come.
    pub head: Duration,
    /// From then until its body has come.
    pub body: Duration,
    /// While nothing of an answer is taken.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), body: seconds(30), write: seconds(30) }
    }
}

/// Ranges of addresses, as `10.0.0.0/8`, or single addresses.
pub(super) fn networks(name: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let refused = |why: String| Err(ConfigError::Setting(format!("{name}: {why}")));
    let network = |text: &String| {
        let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match range {
            Ok(range) if range.trunc() == range => Ok(range),
            // 10.1.2.3/8 may be a slip of the pen for 10.1.2.3/32: better to ask.
            Ok(range) => {
                refused(format!("{text} begins inside a range; the whole of it is {}", range.trunc()))
            }
            Err(_) => refused(format!("{text:?} is no address and no range such as 10.0.0.0/8")),
        }
    };
    texts.iter().map(network).collect()
}

/// Origins as a browser writes them: scheme, host, and port where it is not the usual one.
pub(super) fn origins(name: &str, texts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let fine =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':' | '[' | ']');
    for text in &texts {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let usual = text.starts_with("https:") && host.ends_with(":443")
            || text.starts_with("http:") && host.ends_with(":80");
        if host.is_empty() || !host.chars().all(fine) || usual {
            return Err(ConfigError::Setting(format!(
                "{name}: {text:?} is no origin such as https://statistik.example.se, in small letters, without a path"
            )));
        }
    }
    Ok(texts)
}

/// A list of texts, as the settings file would have it.
pub(super) fn list(values: impl IntoIterator<Item = String>) -> String {
    toml::Value::from(values.into_iter().collect::<Vec<_>>()).to_string()
}
