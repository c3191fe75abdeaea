//! One request and its answer, and what an answer says when it is a refusal.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{HeaderMap, Request as Message, Uri};

use super::address::is_here;
use super::session::language;
use crate::cli::Failure;
use crate::identity::outgoing;

/// The longest time for a connection, and for all of an exchange.
const CONNECTING: Duration = Duration::from_secs(10);
const IN_ALL: Duration = Duration::from_mins(1);
/// The most bytes of an answer that are read.
const MOST: u64 = 64 * 1024 * 1024;
/// How long to wait where a service is busy and does not say.
const PAUSE: u64 = 2;

/// What to ask with, for a service at this address.
pub(super) fn agent(address: &str) -> Result<Agent, Failure> {
    let uri: Uri = address.parse().map_err(Failure::refused)?;
    let over_tls = uri.scheme_str() == Some("https");
    let roots = match (over_tls, outgoing::roots_of_the_system()) {
        (true, None) => {
            return Err(Failure::failed(language().pick(
                "systemet litar inte på några certifikat; SSL_CERT_FILE kan namnge en fil med sådana",
                "the system trusts no certificates; SSL_CERT_FILE can name a file of them",
            )));
        }
        (true, Some(roots)) => roots,
        (false, _) => Arc::default(),
    };
    let agent = Agent::config_builder()
        .tls_config(outgoing::tls(roots))
        .https_only(over_tls)
        // A redirect would carry the token to somewhere else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_connect(Some(CONNECTING))
        .timeout_global(Some(IN_ALL))
        .user_agent(concat!("handslag/", env!("CARGO_PKG_VERSION")));
    // What stays on this machine has no use for a proxy, which could read it.
    let agent = if is_here(&uri) { agent.proxy(None) } else { agent };
    Ok(agent.build().new_agent())
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) address: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What became of a request.
pub(super) enum Sent {
    /// It was answered.
    Answer(Answer),
    /// Nobody knows whether it arrived; with the reason.
    Lost(String),
}

impl Request {
    pub(super) fn get(address: String) -> Self {
        Self { method: "GET", address, fields: Vec::new(), body: None }
    }

    #[must_use]
    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    #[must_use]
    pub(super) fn body(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.field("Content-Type", media_type)
    }

    /// Sends it, with these fields besides its own. To ask somebody else than was meant is a failure at once.
    pub(super) fn send(&self, agent: &Agent, more: &[(&'static str, String)]) -> Result<Sent, Failure> {
        let fields = self.fields.iter().chain(more);
        let head = Message::builder().method(self.method).uri(&*self.address);
        let head = fields.fold(head, |head, (name, value)| head.header(*name, value));
        let answered = match &self.body {
            Some(body) => head.body(&body[..]).map_err(Into::into).and_then(|message| agent.run(message)),
            None => head.body(()).map_err(Into::into).and_then(|message| agent.run(message)),
        };
        let read = answered.and_then(|mut answer| {
            let body = answer.body_mut().with_config().limit(MOST).read_to_vec()?;
            Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
        });
        match read {
            Ok(answer) => Ok(Sent::Answer(answer)),
            Err(error) if is_of_certificate(&error) => Err(self.not_believed(&error)),
            Err(error) => Ok(Sent::Lost(error.to_string())),
        }
    }

    fn not_believed(&self, error: &ureq::Error) -> Failure {
        let address = &self.address;
        Failure::failed(language().pick(
            format!(
                "{address}: tjänstens certifikat godtas inte ({error}). SSL_CERT_FILE kan namnge en fil i PEM med \
                 certifikaten för dem som får gå i god för tjänsten"
            ),
            format!(
                "{address}: the certificate of the service is not believed ({error}). SSL_CERT_FILE can name a file in \
                 PEM with the certificates of those who may vouch for the service"
            ),
        ))
    }
}

/// Whether nobody who is believed vouches for the certificate that was shown.
fn is_of_certificate(error: &ureq::Error) -> bool {
    let of_tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|error| error.downcast_ref()),
        _ => None,
    };
    matches!(of_tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// A problem (RFC 9457), or an error of the token endpoint (RFC 6749, section 5.2).
#[derive(Deserialize)]
#[serde(untagged)]
enum Refusal {
    Problem {
        title: String,
        detail: String,
        #[serde(default)]
        errors: Vec<Fault>,
    },
    Error {
        error: String,
        #[serde(default)]
        error_description: String,
    },
}

#[derive(Deserialize)]
struct Fault {
    pointer: Option<String>,
    parameter: Option<String>,
    code: String,
    detail: String,
}

impl Answer {
    /// A field of the head.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, which must be of this form.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::failed(language().pick(
                format!("tjänsten svarade något annat än väntat: {error}"),
                format!("the service answered something else than expected: {error}"),
            ))
        })
    }

    /// Whether it says to come back, and in how many seconds.
    pub(super) fn come_back(&self) -> Option<u64> {
        let named = || self.field("Retry-After").and_then(|value| value.parse().ok());
        matches!(self.status, 429 | 503).then(|| named().unwrap_or(PAUSE))
    }

    /// The answer, if it has this status; else what it says is the failure.
    pub(super) fn is(self, status: u16) -> Result<Self, Failure> {
        if self.status == status { Ok(self) } else { Err(self.refusal()) }
    }

    /// What it says, a line for each fault, where it is not what was asked for.
    pub(super) fn refusal(&self) -> Failure {
        let lines = match serde_json::from_slice(&self.body) {
            Ok(Refusal::Problem { title, detail, errors }) if errors.is_empty() => {
                vec![format!("{title}: {detail}")]
            }
            Ok(Refusal::Problem { errors, .. }) => errors.iter().map(Fault::line).collect(),
            Ok(Refusal::Error { error, error_description }) => vec![format!("{error}: {error_description}")],
            Err(_) => {
                let status = self.status;
                return Failure::failed(language().pick(
                    format!("tjänsten svarade med status {status}"),
                    format!("the service answered with the status {status}"),
                ));
            }
        };
        if self.status < 500 { Failure::Refused(lines) } else { Failure::Failed(lines.join("; ")) }
    }
}

impl Fault {
    fn line(&self) -> String {
        let place = self.pointer.as_ref().or(self.parameter.as_ref());
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        format!("{place}{}: {}", self.code, self.detail)
    }
}
