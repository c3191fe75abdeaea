//! Settings that work and should be otherwise, and a limit of the system's that they need.

use super::Finding;
use crate::config::{LogLevel, Settings};

/// How many files a process should be able to have open: ten thousand listeners, and connections beside them.
#[cfg(unix)]
const FILES: u64 = 16_384;
/// How many it needs for ordinary work.
#[cfg(unix)]
const LEAST_FILES: u64 = 1_024;

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![public_url(settings)];
    if settings.log_level == LogLevel::Debug {
        let advice = "A line for each poll: set it to info when you have found what you look for.";
        findings.push(Finding::warn("log-level", "debug", advice));
    }
    #[cfg(unix)]
    findings.push(open_files());
    findings
}

fn public_url(settings: &Settings) -> Finding {
    const CHECK: &str = "public-url";
    const ADVICE: &str =
        "Set publicUrl to the https address that callers know: tokens name it, and travel to it.";
    let url = settings.public_url(settings.bind);
    let host = url.split_once("//").map_or("", |(_, host)| host);
    let here = ["localhost", "127.", "[::1]"].iter().any(|start| host.starts_with(start));
    if url.starts_with("https://") {
        Finding::ok(CHECK, url)
    } else if !settings.bind.ip().is_loopback() {
        Finding::fail(CHECK, format!("{url} is not https, and others can reach the service"), ADVICE)
    } else if here {
        Finding::warn(CHECK, format!("{url} is of this machine only"), ADVICE)
    } else {
        Finding::warn(CHECK, format!("{url} is not https"), ADVICE)
    }
}

#[cfg(unix)]
fn open_files() -> Finding {
    const CHECK: &str = "open-files";
    const ADVICE: &str =
        "Raise it (LimitNOFILE= of the systemd unit, or ulimit -n): each caller and listener needs one.";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let what = format!("a process may have {limit} files open");
    match limit {
        ..LEAST_FILES => Finding::fail(CHECK, what, ADVICE),
        LEAST_FILES..FILES => Finding::warn(CHECK, what, ADVICE),
        FILES.. => Finding::ok(CHECK, what),
    }
}
