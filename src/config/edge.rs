//! What is between the service and its callers: the limits, and the proxies that are believed.

use std::net::IpAddr;
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
    /// How long the other end of a connection may keep us waiting.
    pub patience: Patience,
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

/// A list of texts, as the settings file would have it.
pub(super) fn list(values: impl IntoIterator<Item = String>) -> String {
    toml::Value::from(values.into_iter().collect::<Vec<_>>()).to_string()
}
