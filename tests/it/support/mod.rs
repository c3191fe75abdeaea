//! What the tests stand on: a service of their own in this process, on a database of their own, and a client
//! that holds every reply against the API document.

mod client;
mod database;
pub(crate) mod document;
mod listener;
mod postgres;
mod raw;
mod rounds;
mod service;

pub(crate) use client::{Reply, Request};
pub(crate) use database::{Database, on_both_databases};
pub(crate) use listener::Listener;
pub(crate) use raw::Unanswered;
pub(crate) use rounds::{
    FIVE, ROUND, VECTOR, definition, initiatives, merge, municipalities, municipality_codes, participants,
    roll,
};
pub(crate) use service::{Caller, PUBLIC_URL, Service, at, until};

/// Whether this run is to be thorough, and to skip nothing.
pub(crate) fn in_ci() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a property of the test run, not a setting of the service")]
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
