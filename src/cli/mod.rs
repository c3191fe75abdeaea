//! The command line: the same use cases as over HTTP, on the same database, also while the server runs.
//!
//! Exit codes: 0 done; 1 refused, because of what was given or the state of the round; 2 wrong usage;
//! 3 a file, the database or the network failed.

mod audit;
mod backup;
mod ballot_input;
mod ballot_sheet;
mod ballots;
mod client;
mod client_keys;
mod client_roll;
mod client_sheet;
mod config;
mod convert;
mod demo;
mod doctor;
mod export;
mod keys;
mod log;
mod output;
mod privacy;
mod progress;
mod query;
mod receipt;
mod remote;
mod round;
mod round_files;
pub mod serve;
mod sheet;
mod tally;
mod terminal;
mod token;
mod token_keys;
pub mod trust;
mod verified;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{ConfigError, Given, Settings};
use crate::service::{self, Fault};
use crate::store::{self, Store};

/// Ranked ballots in, exact weighted rankings out.
#[derive(Debug, Parser)]
#[command(
    name = "handslag",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file, the database or the network failed.\n\n\
                  Example: handslag serve --demo"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(serve::Arguments),
    /// Print an access token that lives for 15 minutes
    Token(token::Arguments),
    /// Register the systems that may ask for tokens
    #[command(subcommand)]
    Client(client::Command),
    /// Change the keys that sign tokens
    #[command(subcommand)]
    Keys(keys::Command),
    /// Make, show and run rounds
    #[command(subcommand)]
    Round(round::Command),
    /// Read ballots from files
    #[command(subcommand)]
    Ballots(ballots::Command),
    /// Count the ballots of a file
    Tally(tally::Arguments),
    /// Write the ballots of a file in another format
    Convert(convert::Arguments),
    /// Write a round's result, ballots or participation to a file
    Export(export::Arguments),
    /// Write and check the log of a round
    #[command(subcommand)]
    Log(log::Command),
    /// Write, check and shorten the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check receipts
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Copy the database, also while the service runs (SQLite)
    Backup(backup::BackupArguments),
    /// Put a copy in the place of the database (SQLite)
    Restore(backup::RestoreArguments),
    /// Look whether this machine, its files and its database are fit for the service
    Doctor(doctor::Arguments),
    /// Keep who you are at a service, for the commands below
    Login(remote::LoginArguments),
    /// Forget it again
    Logout(remote::LogoutArguments),
    /// Send a ballot to a service, over HTTP
    Submit(remote::SubmitArguments),
    /// Withdraw a ballot from a service, over HTTP
    Withdraw(remote::WithdrawArguments),
    /// Tell of the rounds of a service, and of the ballot that it has
    Status(remote::StatusArguments),
    /// Print a round's ranking as a service counts it
    Results(remote::ResultsArguments),
    /// Print the settings in force, with secrets masked
    Config(config::Arguments),
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Failure {
    /// Because of what was given, or the state of the round: exit code 1.
    Refused(Vec<String>),
    /// Because settings make no sense: exit code 2.
    Misconfigured(Vec<String>),
    /// Because what was to be checked is wrong, and nothing was to be changed: exit code 1.
    Wrong(Vec<String>),
    /// Because a file, the database or the network failed: exit code 3.
    Failed(String),
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
    fn refused(reason: impl ToString) -> Self {
        Self::Refused(vec![reason.to_string()])
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
    fn failed(reason: impl ToString) -> Self {
        Self::Failed(reason.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::failed(error)
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        match error {
            service::Error::Store(error) => error.into(),
            service::Error::Invalid(faults) => {
                Self::Refused(faults.iter().map(|fault| line("", fault)).collect())
            }
            error => Self::refused(error),
        }
    }
}

/// A fault as a line of a report.
fn line(place: &str, fault: &Fault) -> String {
    let place = if place.is_empty() { fault.place.to_string() } else { place.to_owned() };
    format!("{place}: {}: {} / {}", fault.code, fault.detail.sv, fault.detail.en)
}

/// The commands that call a service over HTTP, or only read files: no setting of the server matters to them.
const AWAY_FROM_THE_SERVER: [&str; 8] =
    ["tally", "convert", "login", "logout", "submit", "withdraw", "status", "results"];

/// The command line, with the server's settings left out of the help where they do nothing.
fn command() -> clap::Command {
    let mut command = Cli::command();
    // Hands the global arguments to the subcommands, where they can be hidden.
    command.build();
    AWAY_FROM_THE_SERVER.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| {
            subcommand.mut_args(|argument| {
                let hidden = argument.is_global_set();
                argument.hide(hidden)
            })
        })
    })
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    let settings = match cli.given.settle() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("handslag: {error}");
            return ExitCode::from(match error {
                ConfigError::Setting(_) => 2,
                ConfigError::File { .. } => 3,
            });
        }
    };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(&settings, &arguments),
        Command::Token(arguments) => token::run(&settings, arguments),
        Command::Client(command) => client::run(&settings, command),
        Command::Keys(command) => keys::run(&settings, command),
        Command::Round(command) => round::run(&settings, command),
        Command::Ballots(command) => ballots::run(&settings, command),
        Command::Tally(arguments) => tally::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Export(arguments) => export::run(&settings, &arguments),
        Command::Log(command) => log::run(&settings, command),
        Command::Audit(command) => audit::run(&settings, command),
        Command::Receipt(command) => receipt::run(&settings, command),
        Command::Backup(arguments) => backup::backup(&settings, &arguments),
        Command::Restore(arguments) => backup::restore(&settings, &arguments),
        Command::Doctor(arguments) => doctor::run(&settings, &arguments),
        Command::Login(arguments) => remote::login(&arguments),
        Command::Logout(arguments) => remote::logout(&arguments),
        Command::Submit(arguments) => remote::submit(&arguments),
        Command::Withdraw(arguments) => remote::withdraw(&arguments),
        Command::Status(arguments) => remote::status(&arguments),
        Command::Results(arguments) => remote::results(&arguments),
        Command::Config(arguments) => config::run(&settings, &arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(lines)) => list(&lines, "; nothing was changed"),
        Err(Failure::Wrong(lines)) => list(&lines, ""),
        Err(Failure::Misconfigured(lines)) => {
            for line in &lines {
                eprintln!("handslag: {line}");
            }
            ExitCode::from(2)
        }
        Err(Failure::Failed(reason)) => {
            eprintln!("handslag: {reason}");
            ExitCode::from(3)
        }
    }
}

/// Lists faults, and says how many they are.
fn list(lines: &[String], consequence: &str) -> ExitCode {
    for line in lines {
        eprintln!("{line}");
    }
    if lines.len() > 1 {
        eprintln!("handslag: {} faults{consequence}", lines.len());
    }
    ExitCode::from(1)
}

fn open(settings: &Settings) -> Result<Store, Failure> {
    Ok(Store::open_with_readers(settings.database.clone(), settings.read_database.clone())?)
}

/// Says what was done. It is done: that nobody reads it is no failure.
fn tell(text: &str) {
    let _ = print(text.as_bytes());
}

/// Writes to standard output; a reader that has gone away, such as `head`, is no failure.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
