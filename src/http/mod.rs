//! The HTTP service: who may ask, what was asked, one call inwards, one reply.
//!
//! No rule of the vote and no transaction here. [`routes`] is the map; [`problem`] the only place that knows
//! statuses and problem types.

mod api_info;
mod ballots;
mod body;
mod conditional;
mod envelope;
mod events;
mod guard;
mod health;
mod initiatives;
mod log_entries;
mod log_keys;
mod log_proofs;
mod metrics;
mod moment;
mod negotiate;
mod participants;
mod participation;
pub mod problem;
mod query;
mod reply;
mod results;
mod rounds;
pub mod routes;
mod rules;
mod server;
mod site;
mod stopping;

pub use events::{Listeners, Pace};
pub use server::{Ended, ListenError, Running, listen};
pub use site::Site;
pub use stopping::Stopping;
