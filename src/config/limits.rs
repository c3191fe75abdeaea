//! How much one caller may ask for: the section `limits` of the settings file.

use clap::ValueEnum;
use serde::Deserialize;

use super::ConfigError;

/// Whether there are limits, as a flag says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// There are.
    On,
    /// There are none.
    Off,
}

/// The section as it is given; each member may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GivenLimits {
    enabled: Option<bool>,
    client_rate: Option<u32>,
    client_burst: Option<u32>,
    address_rate: Option<u32>,
    address_burst: Option<u32>,
    address_connections: Option<u32>,
}

/// So many requests a second in the long run, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once, after a while without any.
    pub burst: u32,
}

/// How much one caller may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Whether they hold.
    pub enabled: bool,
    /// Requests of one client: whoever a token is of.
    pub client: Rate,
    /// Requests from one address, with and without tokens.
    pub address: Rate,
    /// How many connections one address may have open, and how many streams of events.
    pub address_connections: u32,
}

impl Default for Limits {
    /// Room for all municipalities and their dashboards behind one address; reckoned in `docs/OPERATIONS.md`.
    fn default() -> Self {
        Self {
            enabled: true,
            client: Rate { per_second: 50, burst: 500 },
            address: Rate { per_second: 500, burst: 5_000 },
            address_connections: 1_000,
        }
    }
}

/// The most that a rate, a burst or a number of connections can be.
const MOST: u32 = 1_000_000;

/// What the members are called where settings are told.
const NAMES: [&str; 6] = [
    "limits.enabled",
    "limits.clientRate",
    "limits.clientBurst",
    "limits.addressRate",
    "limits.addressBurst",
    "limits.addressConnections",
];

impl GivenLimits {
    /// The names of the members that are given.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let given = [
            self.enabled.is_some(),
            self.client_rate.is_some(),
            self.client_burst.is_some(),
            self.address_rate.is_some(),
            self.address_burst.is_some(),
            self.address_connections.is_some(),
        ];
        NAMES.into_iter().zip(given).filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// The limits in force; a flag goes before the section.
    pub(super) fn settle(self, switch: Option<Switch>) -> Result<Limits, ConfigError> {
        let usual = Limits::default();
        let switch = switch.map(|switch| switch == Switch::On);
        let number = |name: &str, given: Option<u32>, usual: u32| match given.unwrap_or(usual) {
            number @ 1..=MOST => Ok(number),
            _ => Err(ConfigError::Setting(format!("{name}: a number from 1 to {MOST}"))),
        };
        let [_, client_rate, client_burst, address_rate, address_burst, connections] = NAMES;
        Ok(Limits {
            enabled: switch.or(self.enabled).unwrap_or(usual.enabled),
            client: Rate {
                per_second: number(client_rate, self.client_rate, usual.client.per_second)?,
                burst: number(client_burst, self.client_burst, usual.client.burst)?,
            },
            address: Rate {
                per_second: number(address_rate, self.address_rate, usual.address.per_second)?,
                burst: number(address_burst, self.address_burst, usual.address.burst)?,
            },
            address_connections: number(connections, self.address_connections, usual.address_connections)?,
        })
    }
}

impl Limits {
    /// None at all.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// Name and value of each member, as the file would have them.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let values = [
            self.enabled.to_string(),
            self.client.per_second.to_string(),
            self.client.burst.to_string(),
            self.address.per_second.to_string(),
            self.address.burst.to_string(),
            self.address_connections.to_string(),
        ];
        NAMES.into_iter().zip(values).collect()
    }
}
