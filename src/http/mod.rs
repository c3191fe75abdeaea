//! The HTTP service: who may ask, what was asked, one call inwards, one reply.
//!
//! No rule of the vote and no transaction here. [`routes`] is the map; [`problem`] the only place that knows
//! statuses and problem types.

mod address;
mod api_info;
mod audit;
mod audit_entries;
mod ballots;
mod body;
mod buckets;
mod clients;
mod conditional;
mod connection;
mod cors;
mod crowd;
mod envelope;
mod events;
mod guard;
mod health;
mod initiatives;
mod issuing;
mod limiter;
mod log_entries;
mod log_keys;
mod log_proofs;
mod metrics;
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
mod security_txt;
mod server;
mod site;
mod stopping;
mod tls;
mod well_known;

pub use events::{Listeners, Pace};
pub use issuing::Issuing;
pub use limiter::Limiter;
pub use server::{Ended, ListenError, Running, listen};
pub use site::Site;
pub use stopping::Stopping;
pub use tls::{Tls, TlsError};
