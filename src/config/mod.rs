//! Every setting, in one struct: from flags, `HANDSLAG_…` variables and a TOML file, in that order.
//!
//! An unknown key or variable is an error: a setting that is misspelt must not silently be the default.

mod edge;
mod home;
mod issuers;
mod limits;
mod reporting;
mod secret_file;
#[cfg(feature = "opentelemetry")]
mod traces;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;

pub use self::edge::{Edge, Patience, TlsFiles};
#[cfg(unix)]
pub use self::home::user_before_sudo;
pub use self::home::{Home, reads_swedish};
pub use self::issuers::{Claim, IssuerSettings, ParticipantSettings, RoleSettings};
pub use self::limits::{GivenLimits, Limits, Rate, Switch};
pub use self::reporting::Reporting;
pub use self::secret_file::SecretFile;
use crate::store::Database;

#[cfg(feature = "opentelemetry")]
pub use traces::wants_traces;

/// The folder when none is given.
const DATA_DIR: &str = "./data";
/// The address when none is given.
const BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// For how many days entries of the audit trail are kept when nothing is said.
const AUDIT_RETENTION_DAYS: u32 = 730;

/// The settings as they are given; each may be absent.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[command(next_help_heading = "Settings")]
pub struct Given {
    /// Folder for the database file and the signing key [default: ./data]
    #[arg(long, global = true, env = "HANDSLAG_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "HANDSLAG_BIND", value_name = "ADDRESS:PORT")]
    pub bind: Option<SocketAddr>,

    /// Address to tell metrics on, at /metrics; whoever reaches it may read them [default: none]
    #[arg(long, global = true, env = "HANDSLAG_METRICS_BIND", value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<SocketAddr>,

    /// sqlite:PATH or postgres://USER@HOST/NAME [default: sqlite:DATA-DIR/handslag.db]
    #[arg(long, global = true, env = "HANDSLAG_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,

    /// postgres://USER@HOST/NAME to read through, such as a pooler in front of the same server [default: --database]
    #[arg(long, global = true, env = "HANDSLAG_READ_DATABASE", value_name = "URL", hide_env_values = true)]
    pub read_database: Option<String>,

    /// Address the service is known by: the issuer of tokens and the base of links [default: http://ADDRESS:PORT of --bind]
    #[arg(long, global = true, env = "HANDSLAG_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Threads that serve requests [default: as many as the machine has cores]
    #[arg(long, global = true, env = "HANDSLAG_WORKERS", value_name = "N")]
    pub workers: Option<usize>,

    /// Least severe log lines to write [default: info]
    #[arg(long, global = true, env = "HANDSLAG_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,

    /// Form of log lines [default: text on a terminal, json elsewhere]
    #[arg(long, global = true, env = "HANDSLAG_LOG_FORMAT", value_name = "FORM")]
    pub log_format: Option<LogFormat>,

    /// Days that entries of the audit trail are kept; 0 keeps them for ever [default: 730]
    #[arg(long, global = true, env = "HANDSLAG_AUDIT_RETENTION_DAYS", value_name = "DAYS")]
    pub audit_retention_days: Option<u32>,

    /// Certificate chain in PEM: with it requests come by TLS [default: none]
    #[arg(long, global = true, env = "HANDSLAG_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of the certificate in PEM, readable by its owner only [default: none]
    #[arg(long, global = true, env = "HANDSLAG_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Proxies whose X-Forwarded-For is believed: addresses and ranges, with commas between [default: none]
    #[arg(
        long,
        global = true,
        env = "HANDSLAG_TRUSTED_PROXIES",
        value_name = "RANGES",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<String>>,

    /// Origins whose pages may read answers, such as `https://statistik.example.se`, with commas between [default: none]
    #[arg(long, global = true, env = "HANDSLAG_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub cors_origins: Option<Vec<String>>,

    /// Whether the limits on requests and connections hold; the numbers are in the file's section limits [default: on]
    #[arg(long = "limits", global = true, env = "HANDSLAG_LIMITS", value_name = "ON|OFF")]
    #[serde(skip)]
    pub limits_switch: Option<Switch>,

    /// The limits themselves.
    #[arg(skip)]
    pub limits: GivenLimits,

    /// Whom to tell of a fault of security: mailto:ADDRESS, https://… or tel:… [default: none, and no security.txt]
    #[arg(long, global = true, env = "HANDSLAG_SECURITY_CONTACT", value_name = "ADDRESS")]
    pub security_contact: Option<String>,

    /// What is done with such reports, for security.txt: https://… [default: none]
    #[arg(long, global = true, env = "HANDSLAG_SECURITY_POLICY", value_name = "URL")]
    pub security_policy: Option<String>,

    /// The issuers that are trusted besides our own; from the file only
    #[arg(skip)]
    pub issuers: Vec<IssuerSettings>,

    /// TOML file with any of these settings, in camelCase: dataDir = "…"
    #[arg(long, global = true, env = "HANDSLAG_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// How severe a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Writes, refusals, state changes.
    Info,
    /// Every exchange.
    Debug,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder for the database file and the signing key.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub bind: SocketAddr,
    /// Address to tell metrics on, if they are told.
    pub metrics_bind: Option<SocketAddr>,
    /// Where the data is.
    pub database: Database,
    /// Where it is read; another way to the same data, or the same.
    pub read_database: Database,
    /// The address the service is known by; none means that of [`Settings::bind`].
    pub public_url: Option<String>,
    /// Threads that serve requests.
    pub workers: usize,
    /// Least severe log lines to write.
    pub log_level: LogLevel,
    /// Form of log lines; none means that it depends on where they go.
    pub log_format: Option<LogFormat>,
    /// For how many days entries of the audit trail are kept; none for ever.
    pub audit_retention_days: Option<u32>,
    /// The settings file, if there is a password in it.
    pub secret_file: Option<SecretFile>,
    /// What is between the service and its callers.
    pub edge: Edge,
    /// Whom to tell of a fault of security, if anybody.
    pub reporting: Option<Reporting>,
    /// The issuers that are trusted besides our own; from the file only.
    pub issuers: Vec<IssuerSettings>,
    /// Names of the settings that came from the file, and from flags or the environment.
    origins: Origins,
}

#[derive(Clone, Debug, Default)]
struct Origins {
    file: BTreeSet<&'static str>,
    given: BTreeSet<&'static str>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting makes no sense, or does not exist.
    #[error("{0}")]
    Setting(String),
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Given {
    /// The settings in force: these over the file's over the defaults.
    ///
    /// # Errors
    /// If the file cannot be read or holds an unknown key, a value makes no sense, or there is a
    /// `HANDSLAG_…` variable that is no setting.
    pub fn settle(self) -> Result<Settings, ConfigError> {
        refuse_unknown_variables()?;
        let file = match &self.config {
            None => Self::default(),
            Some(path) => {
                let name = || path.display().to_string();
                let text = std::fs::read_to_string(path)
                    .map_err(|error| ConfigError::File { path: name(), error })?;
                // The whole fault shows the line that it is in, and a line may hold a password.
                toml::from_str(&text).map_err(|error| {
                    let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
                    let line = before.split('\n').count();
                    let key =
                        text.lines().nth(line - 1).and_then(|line| Some(line.split_once('=')?.0.trim()));
                    let plain = |key: &&str| key.bytes().all(|b| b.is_ascii_alphanumeric());
                    let key = key.filter(plain).unwrap_or("?");
                    let name = name();
                    ConfigError::Setting(format!("{name}: line {line}: {key}: {}", error.message()))
                })?
            }
        };
        let holds_password = [&file.database, &file.read_database]
            .into_iter()
            .flatten()
            .any(|address| masked(address) != *address);
        let secret_file = self.config.clone().filter(|_| holds_password).map(SecretFile::new);
        let origins = Origins { file: file.names(), given: self.names() };
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from(DATA_DIR));
        let default = || format!("sqlite:{}", data_dir.join("handslag.db").display());
        let database = self.database.or(file.database).unwrap_or_else(default);
        let parsed = |name: &str, text: String| {
            text.parse::<Database>().map_err(|error| ConfigError::Setting(format!("{name}: {error}")))
        };
        let database = parsed("database", database)?;
        let read_database = match self.read_database.or(file.read_database) {
            None => database.clone(),
            Some(text) => parsed("read-database", text)?,
        };
        let both = matches!((&database, &read_database), (Database::Postgres(_), Database::Postgres(_)));
        if !both && database != read_database {
            return Err(ConfigError::Setting(
                "read-database: only with PostgreSQL, and another way to what --database names".to_owned(),
            ));
        }
        let public_url = self.public_url.or(file.public_url);
        if let Some(url) = public_url.as_deref().filter(|url| !is_public_url(url)) {
            return Err(ConfigError::Setting(format!(
                "public-url: {url:?} is not http(s)://HOST with no path, query or fragment"
            )));
        }
        let workers = self
            .workers
            .or(file.workers)
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
        if !(1..=512).contains(&workers) {
            return Err(ConfigError::Setting("workers: a number from 1 to 512".to_owned()));
        }
        let proxies = self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        let edge = Edge {
            limits: file.limits.settle(self.limits_switch)?,
            trusted_proxies: edge::networks("trusted-proxies", &proxies)?,
            cors_origins: edge::origins(
                "cors-origins",
                self.cors_origins.or(file.cors_origins).unwrap_or_default(),
            )?,
            tls: TlsFiles::of(self.tls_certificate.or(file.tls_certificate), self.tls_key.or(file.tls_key))?,
            ..Edge::default()
        };
        let contact = self.security_contact.or(file.security_contact);
        let reporting = Reporting::settle(contact, self.security_policy.or(file.security_policy))?;
        Ok(Settings {
            edge,
            reporting,
            bind: self.bind.or(file.bind).unwrap_or(BIND),
            metrics_bind: self.metrics_bind.or(file.metrics_bind),
            log_level: self.log_level.or(file.log_level).unwrap_or(LogLevel::Info),
            log_format: self.log_format.or(file.log_format),
            audit_retention_days: retention(self.audit_retention_days.or(file.audit_retention_days))?,
            data_dir,
            database,
            read_database,
            public_url,
            workers,
            secret_file,
            issuers: file.issuers,
            origins,
        })
    }

    fn names(&self) -> BTreeSet<&'static str> {
        let set = [
            ("dataDir", self.data_dir.is_some()),
            ("bind", self.bind.is_some()),
            ("metricsBind", self.metrics_bind.is_some()),
            ("database", self.database.is_some()),
            ("readDatabase", self.read_database.is_some()),
            ("publicUrl", self.public_url.is_some()),
            ("workers", self.workers.is_some()),
            ("logLevel", self.log_level.is_some()),
            ("logFormat", self.log_format.is_some()),
            ("auditRetentionDays", self.audit_retention_days.is_some()),
            ("tlsCertificate", self.tls_certificate.is_some()),
            ("tlsKey", self.tls_key.is_some()),
            ("trustedProxies", self.trusted_proxies.is_some()),
            ("corsOrigins", self.cors_origins.is_some()),
            ("limits.enabled", self.limits_switch.is_some()),
            ("securityContact", self.security_contact.is_some()),
            ("securityPolicy", self.security_policy.is_some()),
        ];
        let set = set.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        set.chain(self.limits.names()).collect()
    }
}

impl Settings {
    /// The address the service is known by, when it listens here.
    pub fn public_url(&self, listening: SocketAddr) -> String {
        let default = || format!("{}://{listening}", self.scheme());
        self.public_url.as_deref().map_or_else(default, |url| url.trim_end_matches('/').to_owned())
    }

    /// How callers come that reach the service without a proxy.
    pub fn scheme(&self) -> &'static str {
        if self.edge.tls.is_some() { "https" } else { "http" }
    }

    /// The flags with which another command makes tokens for this service.
    pub fn flags_for_tokens(&self, listening: SocketAddr) -> String {
        let folder = self.data_dir.display();
        let folder = (self.data_dir != Path::new(DATA_DIR)).then(|| format!(" --data-dir {folder}"));
        let address = match &self.public_url {
            Some(url) => Some(format!(" --public-url {url}")),
            None => (listening != BIND).then(|| format!(" --bind {listening}")),
        };
        folder.unwrap_or_default() + &address.unwrap_or_default()
    }

    /// The settings as the TOML file would have them, each with where it came from; secrets masked.
    pub fn describe(&self) -> String {
        let text = |value: &str| toml::Value::from(value).to_string();
        let database = |database: &Database| match database {
            Database::Sqlite(path) => text(&format!("sqlite:{}", path.display())),
            Database::Postgres(url) => text(&masked(url)),
        };
        let variant = |value: &dyn std::fmt::Debug| text(&format!("{value:?}").to_lowercase());
        let mut lines = vec![
            ("dataDir", text(&self.data_dir.display().to_string())),
            ("bind", text(&self.bind.to_string())),
            ("database", database(&self.database)),
            ("readDatabase", database(&self.read_database)),
            ("publicUrl", text(&self.public_url(self.bind))),
            ("workers", self.workers.to_string()),
            ("logLevel", variant(&self.log_level)),
            ("logFormat", self.log_format.map_or_else(|| text("text"), |format| variant(&format))),
            ("auditRetentionDays", self.audit_retention_days.unwrap_or(0).to_string()),
            ("trustedProxies", edge::list(self.edge.trusted_proxies.iter().map(IpNet::to_string))),
            ("corsOrigins", edge::list(self.edge.cors_origins.iter().cloned())),
        ];
        if let Some(address) = self.metrics_bind {
            lines.insert(2, ("metricsBind", text(&address.to_string())));
        }
        let line = |(name, value): (&'static str, String)| {
            let origin = match (self.origins.given.contains(name), self.origins.file.contains(name)) {
                (true, _) => "flag or environment",
                (false, true) => "file",
                (false, false) if name == "logFormat" => "default on a terminal; json elsewhere",
                (false, false) => "default",
            };
            format!("{name} = {value}  # {origin}\n")
        };
        let reporting = self.reporting.iter().flat_map(Reporting::values);
        let given = self.edge.tls.iter().flat_map(TlsFiles::values).chain(reporting);
        let lines = lines.into_iter().chain(given.map(|(name, value)| (name, text(&value))));
        let lines = lines.chain(self.edge.limits.lines()).map(line);
        lines.chain([issuers::describe(&self.issuers)]).collect()
    }
}

/// The address without its password, wherever the password stands in it. What lies between the user's colon and
/// the last `@` goes as a whole: a password may hold any character.
fn masked(url: &str) -> String {
    let user = url.find("//").map_or(0, |slashes| slashes + 2);
    let (address, rest) = match (url[user..].find(':'), url.rfind('@')) {
        (Some(colon), Some(at)) if user + colon < at => (format!("{}:***", &url[..user + colon]), &url[at..]),
        _ => (String::new(), url),
    };
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let parameter = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}=***"),
        _ => pair.to_owned(),
    };
    let parameters: Vec<String> = parameters.split('&').map(parameter).collect();
    let mark = if rest.contains('?') { "?" } else { "" };
    format!("{address}{path}{mark}{}", parameters.join("&"))
}

/// How long entries of the audit trail are kept.
fn retention(days: Option<u32>) -> Result<Option<u32>, ConfigError> {
    match days.unwrap_or(AUDIT_RETENTION_DAYS) {
        0 => Ok(None),
        days @ 1..=36_500 => Ok(Some(days)),
        36_501.. => Err(ConfigError::Setting("audit-retention-days: a number from 0 to 36500".to_owned())),
    }
}

fn is_public_url(url: &str) -> bool {
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .map(|host| host.trim_end_matches('/'));
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    host.is_some_and(|host| !host.is_empty() && host.chars().all(fine))
}

fn refuse_unknown_variables() -> Result<(), ConfigError> {
    const KNOWN: [&str; 19] = [
        "DATA_DIR",
        "BIND",
        "METRICS_BIND",
        "DATABASE",
        "READ_DATABASE",
        "PUBLIC_URL",
        "WORKERS",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "AUDIT_RETENTION_DAYS",
        "TLS_CERTIFICATE",
        "TLS_KEY",
        "TRUSTED_PROXIES",
        "CORS_ORIGINS",
        "LIMITS",
        "SECURITY_CONTACT",
        "SECURITY_POLICY",
        "CONFIG",
        // Of the commands that are clients of a service.
        "PROFILE",
    ];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names {
        if let Some(setting) = name.strip_prefix("HANDSLAG_").filter(|setting| !KNOWN.contains(setting)) {
            return Err(ConfigError::Setting(format!(
                "the variable HANDSLAG_{setting} is no setting; see handslag --help"
            )));
        }
    }
    Ok(())
}
