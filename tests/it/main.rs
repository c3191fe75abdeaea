//! The tests from the outside: one binary, so that the library is linked once.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod support;

mod architecture;
mod authorization;
mod ballot_book;
mod ballot_faults;
mod ballot_files;
mod ballots;
mod cli_ballots;
mod cli_convert;
mod cli_export;
mod cli_round;
mod cli_round_files;
mod cli_settings;
mod cli_tally;
mod cli_tally_rules;
mod cli_token;
mod conditions;
mod crash;
mod exchange;
mod fixtures;
mod kept;
mod migrations;
mod paper;
mod participation;
mod program;
mod races;
mod results;
mod results_families;
mod results_groups;
mod results_weights;
mod round_life;
mod rounds;
mod tally_elections;
mod tally_elections_families;
mod tally_ladder;
mod tally_properties;
mod tally_rules;
mod tokens;
mod whole_round;
