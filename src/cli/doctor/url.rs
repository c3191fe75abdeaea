//! A service that runs: whether it is ready, and what time it has.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use ureq::Agent;
use ureq::http::Uri;

use super::Finding;
use super::database::clock_of_seconds;
use crate::domain::Instant;
use crate::identity::outgoing;

const CHECK: &str = "service";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is looked at of an answer.
struct Answer {
    status: u16,
    date: Option<Instant>,
}

pub(super) fn look(url: &str) -> Vec<Finding> {
    let Some((address, over_tls)) = readyz(url) else {
        let advice =
            "Name the address that the service listens on, such as http://127.0.0.1:8080, or its public one.";
        return vec![Finding::warn(
            CHECK,
            format!("{url} was not asked: it is no address by http or https"),
            advice,
        )];
    };
    match ask(&address, over_tls) {
        Err(error) => {
            vec![Finding::fail(CHECK, format!("{url}: {error}"), "Start it, or correct the address.")]
        }
        Ok(answer) => {
            let mut findings = vec![readiness(url, answer.status)];
            findings.extend(answer.date.map(|date| clock_of_seconds("the service's clock", date)));
            findings
        }
    }
}

fn readiness(url: &str, status: u16) -> Finding {
    match status {
        200 => Finding::ok(CHECK, format!("{url} is ready")),
        503 => {
            let advice = "Its writer or its database does not answer, or it is stopping: see its log.";
            Finding::fail(CHECK, format!("{url} is not ready"), advice)
        }
        _ => {
            let advice = "Another program listens there, or a proxy that does not let /readyz through.";
            Finding::fail(CHECK, format!("{url} does not answer as this service does"), advice)
        }
    }
}

/// Where a service says whether it is ready, and whether that is asked over TLS.
fn readyz(url: &str) -> Option<(String, bool)> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    matches!(scheme, "http" | "https").then(|| (format!("{scheme}://{authority}/readyz"), scheme == "https"))
}

fn ask(address: &str, over_tls: bool) -> Result<Answer, String> {
    let none = "the system trusts no certificates; SSL_CERT_FILE can name a file of them";
    let roots = if over_tls { outgoing::roots_of_the_system().ok_or(none)? } else { Arc::default() };
    let agent: Agent = Agent::config_builder()
        .tls_config(outgoing::tls(roots))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        // The service itself is meant, not what a proxy knows of it.
        .proxy(None)
        .build()
        .new_agent();
    let answer = agent.get(address).call().map_err(|error| error.to_string())?;
    let date = answer.headers().get("Date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date.trim()).ok());
    Ok(Answer { status: answer.status().as_u16(), date: date.map(|date| Instant::new(date.to_utc())) })
}
