//! The use cases, shared by HTTP and the command line: what is decided, and in what order it is written.
//!
//! Every write to a round goes through [`ledger::change`]: one transaction that takes the round's row,
//! reads the clock, records what is due, decides with pure functions, and appends to the log. No HTTP,
//! no async and no SQL text here.

pub mod audit;
mod audit_verify;
pub mod ballots;
pub mod clients;
mod clock;
pub mod definition;
pub mod disclosure;
pub mod endings;
mod fault;
pub mod groups;
pub mod history;
pub mod ledger;
pub mod log;
pub mod log_definition;
pub mod log_file;
pub mod log_tree;
pub mod merkle;
pub mod participation;
pub mod proofs;
mod query;
mod refused;
pub mod results;
pub mod rounds;
pub mod token_keys;
pub mod verify;
pub mod verify_database;

pub use clock::Clock;
pub use fault::{Fault, Place};
pub use query::Query;

/// Why a write was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// There is no such round.
    #[error("there is no such round")]
    NoSuchRound,
    /// There is no such client.
    #[error("there is no such client")]
    NoSuchClient,
    /// The id is taken.
    #[error("there is a round with this id already")]
    RoundExists,
    /// The round's state does not allow it.
    #[error(transparent)]
    Refused(#[from] crate::domain::Refusal),
    /// What was sent is not valid; every fault is listed.
    #[error("{} faults", .0.len())]
    Invalid(Vec<Fault>),
    /// The round has changed since the caller last read it.
    #[error("the round has changed since it was read")]
    Changed,
}
