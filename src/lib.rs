//! `handslag`: Sweden's municipalities prioritise national digitalisation initiatives together.

pub mod domain;
pub mod export;
pub mod service;
pub mod store;
pub mod tally;
