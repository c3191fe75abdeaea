//! The commands that are clients of a service, wherever it runs: what they know they know over HTTP. None opens the
//! database.

mod address;
mod ballot;
mod change;
mod exchange;
mod login;
mod patience;
mod private_file;
mod profile;
mod results;
mod round;
mod session;
mod status;
mod submit;
mod token;

pub(super) use login::{LoginArguments, LogoutArguments, login, logout};
pub(super) use results::{ResultsArguments, results};
pub(super) use status::{StatusArguments, status};
pub(super) use submit::{SubmitArguments, WithdrawArguments, submit, withdraw};
