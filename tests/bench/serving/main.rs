//! How fast the program serves: `cargo bench --bench serving`.
//!
//! It runs our program, and in turn with it a server of its own that answers a fixed body, and `ordinary`, a service
//! that does what is usual, where a folder with it is given. Load, counterpart and databases are its own; PostgreSQL is
//! left out, and said to be, on machines without it. Progress goes to standard error, tables in Markdown to standard
//! output. No figure passes or fails, but every reply must be the expected one, and no result may be older than what
//! was acknowledged before it was asked for. How to read the figures stands in `docs/PERFORMANCE.md`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use handslag::service::Clock;

mod figures;
mod fixed;
mod flood;
mod floods;
mod growth;
mod guard;
mod load;
mod ordinary;
#[path = "../../it/support/postgres.rs"]
mod postgres;
mod results;
mod servers;
mod site;
mod start;
mod submit;

use load::Load;
use ordinary::Peers;
use servers::Server;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Reading results, while nothing changes and while ballots are accepted
    Results,
    /// Submitting ballots
    Submit,
    /// What depends on the length of the log
    Growth,
    /// From start to first answer
    Start,
    /// What others' floods do to a client that behaves
    Flood,
}

#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; all if none is named
    parts: Vec<Part>,
    /// How often each thing is measured, in turn with its counterpart
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(5..))]
    rounds: u16,
    /// How long each time, in seconds
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// A folder with the programs `ordinary`, `ordinary-pg` and `mktoken`, and `keys` in it or beside it
    #[arg(long, value_name = "FOLDER")]
    peers: Option<PathBuf>,
    /// An earlier build of this program, to be the counterpart in `results` and `submit`
    #[arg(long, value_name = "PROGRAM", conflicts_with = "peers")]
    before: Option<PathBuf>,
    /// How many ballots the longest log has
    #[arg(long, default_value_t = 1_000_000)]
    longest: u32,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// How things are measured.
#[derive(Clone, Debug)]
struct Bench {
    rounds: usize,
    time: Duration,
    peers: Option<Peers>,
    before: Option<PathBuf>,
    longest: u32,
}

impl Bench {
    /// A load of these requests on a server, as fast as it answers, and nothing but `statuses` expected.
    fn load<'a>(&self, server: &'a Server, requests: &'a [Vec<u8>], statuses: &'a [u16]) -> Load<'a> {
        let sequences = load::Sequences::Ignored;
        Load { server, requests, statuses, connections: 32, rate: None, duration: self.time, sequences }
    }
}

/// The tests' module for PostgreSQL asks whether its absence is a failure; here it never is.
fn in_ci() -> bool {
    false
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(fixed::ARGUMENT) {
        return done(fixed::serve().map_err(|error| error.to_string()));
    }
    let arguments = Arguments::parse();
    guard::start();
    done(measure(&arguments))
}

fn done(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), String> {
    let time = Duration::try_from_secs_f64(arguments.seconds).map_err(|error| error.to_string())?;
    let peers = arguments.peers.clone().map(Peers::of).transpose()?;
    let Arguments { rounds, before, longest, .. } = arguments;
    let (rounds, before) = (usize::from(*rounds), before.clone());
    let bench = Bench { rounds, time, peers, before, longest: *longest };
    let wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    println!("{}\n", heading(&bench));
    if wanted(Part::Results) {
        results::measure(&bench)?;
    }
    if wanted(Part::Submit) {
        submit::measure(&bench)?;
    }
    if wanted(Part::Growth) {
        growth::measure(&bench)?;
    }
    if wanted(Part::Start) {
        start::measure(&bench)?;
    }
    if wanted(Part::Flood) {
        flood::measure(&bench)?;
    }
    Ok(())
}

/// What a figure is worth little without.
fn heading(bench: &Bench) -> String {
    let git = |arguments: &[&str]| {
        let said = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok();
        said.and_then(|said| String::from_utf8(said.stdout).ok()).unwrap_or_default().trim().to_owned()
    };
    let commit = match (git(&["rev-parse", "--short", "HEAD"]), git(&["status", "--porcelain"])) {
        (commit, _) if commit.is_empty() => "commit unknown".to_owned(),
        (commit, changes) if changes.is_empty() => format!("commit {commit}"),
        (commit, _) => format!("commit {commit} with changes"),
    };
    let date = Clock::System.now().utc().format("%Y-%m-%d");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let Bench { rounds, time, .. } = bench;
    format!(
        "Measured on {date} on {cores} cores, {commit}, `cargo bench --bench serving`, {rounds} rounds of {time:?} in turn. \
         Medians, with the least and the largest."
    )
}

/// Says that something has not been measured, in the words of the tests that share [`postgres`].
pub(crate) fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED {what}: {why}");
}
