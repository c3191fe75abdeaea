//! What is between the service and its callers, and who vouches for them: limits, proxies, certificate, other issuers.

use super::Finding;
use crate::cli::trust;
use crate::config::Settings;
use crate::http::Tls;

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let certificate = settings.edge.tls.as_ref().map(|files| {
        const CHECK: &str = "certificate";
        match Tls::load(files) {
            Ok(_) => Finding::ok(CHECK, format!("{} and its key can be used", files.certificate.display())),
            Err(error) => {
                let advice =
                    "Name the chain and its private key, both in PEM, and keep the key to its owner.";
                Finding::fail(CHECK, error.to_string(), advice)
            }
        }
    });
    let findings = [Some(bind(settings)), Some(limits(settings)), proxies(settings), certificate];
    findings.into_iter().flatten().chain(issuers(settings)).collect()
}

fn bind(settings: &Settings) -> Finding {
    const CHECK: &str = "bind";
    let how = if settings.edge.tls.is_some() { "TLS" } else { "plain HTTP" };
    if settings.bind.ip().is_loopback() || settings.edge.tls.is_some() {
        return Finding::ok(CHECK, format!("{how} on {}", settings.bind));
    }
    Finding::warn(
        CHECK,
        format!("{how} on {}, which others can reach", settings.bind),
        "Set tlsCertificate and tlsKey, or listen on 127.0.0.1 behind a proxy with TLS, or let a firewall admit the proxy \
         only.",
    )
}

fn limits(settings: &Settings) -> Finding {
    const CHECK: &str = "limits";
    if settings.edge.limits.enabled {
        return Finding::ok(CHECK, "they hold for each client and each address");
    }
    let advice = "One caller can keep all others waiting: leave out --limits off.";
    Finding::warn(CHECK, "they are off", advice)
}

/// Behind a proxy that is not believed all callers are one.
fn proxies(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "trusted-proxies";
    let edge = &settings.edge;
    let believed = edge.trusted_proxies.len();
    if believed > 0 {
        return Some(Finding::ok(CHECK, format!("{believed} may say whom a request is from")));
    }
    let behind = edge.tls.is_none() && settings.public_url(settings.bind).starts_with("https://");
    let advice = "Set trustedProxies to the address of the proxy with TLS: until then all its callers share one limit, and the \
                  audit trail has its address for theirs.";
    behind.then(|| Finding::warn(CHECK, "TLS is somewhere else, and no proxy is believed", advice))
}

/// Whether the settings of other issuers make sense, and their keys can be had.
fn issuers(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "issuers";
    match trust::read(&settings.issuers, &settings.public_url(settings.bind)) {
        Err(faults) => {
            let advice = "The service does not start like this; see docs/OPERATIONS.md, Other issuers.";
            faults.into_iter().map(|fault| Finding::fail(CHECK, fault, advice)).collect()
        }
        Ok(trusted) => {
            let look = |issuer: &trust::Trusted| {
                let name = issuer.name();
                match issuer.keys_now() {
                    Err(error) => {
                        let advice = "Its tokens are refused until its keys can be fetched: is the address right, and is there a \
                                      way out?";
                        Finding::fail(CHECK, format!("{name}: {error}"), advice)
                    }
                    Ok(keys) if keys.is_empty() => {
                        let advice = "All its tokens are refused. The log of a start says why each key is passed over.";
                        Finding::fail(CHECK, format!("{name}: none of its keys can be used"), advice)
                    }
                    Ok(keys) => Finding::ok(CHECK, format!("{name}: {} keys", keys.len())),
                }
            };
            trusted.iter().map(look).collect()
        }
    }
}
