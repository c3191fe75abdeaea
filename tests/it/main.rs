//! The integration tests: one binary, so that every test links the library once.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod architecture;
mod cli_ballots;
mod cli_export;
mod cli_round;
mod cli_round_files;
mod cli_settings;
mod cli_tally;
mod cli_token;
mod fixtures;
mod migrations;
mod paper;
mod program;
mod tally_elections;
mod tally_ladder;
mod tally_properties;
mod tally_rules;
