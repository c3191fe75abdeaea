//! What leaves the service: documents as JSON, tables as CSV. Pure functions of what they are given;
//! no database and no socket.
//!
//! Exact figures are text (`"19/6"`); the decimal beside one is for reading only, rounded half up to six
//! places from whole numbers.

pub mod audit;
pub mod ballots;
pub mod clients;
pub mod csvw;
mod decimal;
pub mod events;
pub mod explain;
mod family;
pub mod labels;
mod links;
pub mod log;
pub mod log_entries;
pub mod log_proofs;
pub mod participation;
mod result_table;
pub mod results;
pub mod rounds;
pub mod rules;
pub mod several;
mod table;

pub use decimal::decimal;
pub use links::{Link, Links, Meta, Page};
pub use table::{Cell, Dialect, Table};

/// The language of a text for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Swedish.
    #[default]
    Sv,
    /// English.
    En,
}

impl Language {
    /// The text in this language.
    pub fn pick<T>(self, sv: T, en: T) -> T {
        match self {
            Self::Sv => sv,
            Self::En => en,
        }
    }

    /// The text of both that is in this language.
    pub fn of(self, titles: &crate::domain::Titles) -> &str {
        self.pick(&titles.sv, &titles.en)
    }
}
