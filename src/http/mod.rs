//! The HTTP service: who may ask, what was asked, one call inwards, one reply.
//!
//! No rule of the vote and no transaction here. [`routes`] is the map; [`problem`] the only place that knows
//! statuses and problem types.

mod api_info;
mod ballots;
mod body;
mod clients;
mod conditional;
mod envelope;
mod events;
mod guard;
mod health;
mod initiatives;
mod issuing;
mod log_entries;
mod log_keys;
mod log_proofs;
mod moment;
mod negotiate;
mod oauth;
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
mod well_known;

pub use events::{Listeners, Pace};
pub use issuing::Issuing;
pub use server::{Ended, ListenError, Running, listen};
pub use site::Site;
pub use stopping::Stopping;
