//! `handslag`: Sweden's municipalities prioritise national digitalisation initiatives together.
//!
//! Ranked ballots come in over REST or from files, [`tally`] counts them exactly, and the weighted ranking
//! goes out as JSON and CSV. `docs/ARCHITECTURE.md` tells how a ballot and a poll travel through the layers.

pub mod ballotfile;
pub mod board;
pub mod cli;
pub mod config;
pub mod domain;
pub mod export;
pub mod http;
pub mod identity;
pub mod observe;
pub mod service;
pub mod store;
pub mod tally;
