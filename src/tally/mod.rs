//! Counting: ballots without owners in, exact outcomes out.
//!
//! **What a truncated ballot means**, for every rule unless its first line says otherwise: the
//! candidates a ballot does not rank stand below every ranked one and are not compared with each
//! other. Five picks of thirteen therefore say: these five in this order, then the other eight
//! without an order.
//!
//! Everything here is a pure function of a [`Profile`]: no clock, no randomness, no owner of a
//! ballot, and no floating-point number in any decision. A tie is a value ([`Tie`]); only the
//! declared [`Ladder`] resolves one, and the outcome says which step did.
//!
//! This layer does not validate ballots (see `domain::ballot`), does not know titles or codes, and
//! does not round: `export` makes decimals for reading.
#![forbid(clippy::float_arithmetic)]

mod counts;
mod fraction;
mod histogram;
mod ladder;
mod outcome;
pub mod pairwise;
mod parameters;
pub mod portfolio;
pub mod positional;
mod profile;
mod property;
pub mod rounds;
mod rule;
mod words;

pub use counts::Counts;
pub use fraction::{Fraction, parse_fraction};
pub use histogram::{NO_PICK, profile_of_ballots};
pub use ladder::{Ladder, Step};
pub use outcome::{Detail, Outcome, Standing, Term, Tie};
pub use parameters::{Election, MAX_WEIGHT, PARAMETERS, Parameter, Parameters, Refusal};
pub use profile::Profile;
pub use property::{Family, Property, Titles};
pub use rule::{MAX_PICKS, Rule, rules};
