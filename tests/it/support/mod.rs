//! What the tests stand on: a service of their own in this process, on a database of their own, and a client
//! that holds every reply against the API document.

mod client;
mod database;
pub(crate) mod document;
mod forge;
mod issuer;
mod listener;
pub(crate) mod metrics;
mod pair;
mod postgres;
mod raw;
pub(crate) mod register;
pub(crate) mod registered;
pub(crate) mod replay;
mod rounds;
mod service;

pub(crate) use client::{Reply, Request};
pub(crate) use database::{Database, on_both_databases};
pub(crate) use forge::{Forge, changed};
pub(crate) use issuer::{Answer, IssuerServer, authority};
pub(crate) use listener::Listener;
pub(crate) use pair::Pair;
pub(crate) use raw::{Raw, Unanswered};
pub(crate) use rounds::{
    FIVE, ROUND, VECTOR, definition, initiatives, merge, municipalities, municipality_codes, participants,
    roll,
};
pub(crate) use service::{Caller, NOON, PUBLIC_URL, Service, at, until};

/// Says that a test has not done what it should, to whoever looks at the run.
pub(crate) fn skipped(test: &str, why: &str) {
    use std::io::Write;
    // `eprintln!` is kept back when a test passes, and this is to be seen.
    let _ = std::io::stderr().write_all(format!("SKIPPED {test}: {why}\n").as_bytes());
}

/// Whether file modes stop nobody here.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// What runs a line of shell, the next argument, where it may mount without anybody else seeing it; none where the
/// system does not let us, which is told.
pub(crate) fn mounting(test: &str) -> Option<Vec<String>> {
    let own = if is_root() { "-m" } else { "-rm" };
    let tried =
        std::process::Command::new("unshare").args([own, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        skipped(test, "nothing may be mounted here");
        return None;
    }
    Some(["unshare", own, "sh", "-c"].map(str::to_owned).to_vec())
}

/// Whether this run is to be thorough, and to skip nothing.
pub(crate) fn in_ci() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a property of the test run, not a setting of the service")]
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
