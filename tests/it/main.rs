//! The tests of the service from the outside: one binary, so that the library is linked once.

mod support;

mod authorization;
mod ballot_book;
mod ballot_faults;
mod ballots;
mod conditions;
mod exchange;
mod kept;
mod participation;
mod races;
mod results;
mod round_life;
mod rounds;
mod tokens;
mod whole_round;
