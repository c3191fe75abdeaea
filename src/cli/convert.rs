//! `handslag convert`: ballots from one format of file into another.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use super::ballot_input::{self, Participants, format, is_standard};
use super::{Failure, output, tell};
use crate::ballotfile::{self, Format, WriteError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Formats: csv (count,rank1,… or participantCode,rank1,…), csv-long \
                  (participantCode,rank,initiativeId), soc, soi, toc and toi (PrefLib), abif, blt, ndjson. A name that \
                  ends in .gz is packed.\n\n\
                  Every ballot comes out as it went in, or the file is refused. CSV and NDJSON have no place for \
                  titles, PrefLib and BLT none for ids: --initiatives brings them back.\n\n\
                  Example: handslag convert --seats 3 ballots.csv ballots.blt")]
pub(super) struct Arguments {
    /// The file with the ballots; - for standard input
    input: PathBuf,
    /// The file to write; - for standard output
    output: PathBuf,
    /// Format of the input [default: what its content and name tell]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    from: Option<Format>,
    /// Format of the output [default: what its name tells]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    to: Option<Format>,
    /// File of initiatives: only these can be picked, and these are their titles
    #[arg(long, value_name = "FILE")]
    initiatives: Option<PathBuf>,
    /// How many are to be elected, for BLT [default: as the input says]
    #[arg(long)]
    seats: Option<u64>,
    /// What the election is called [default: as the input says]
    #[arg(long)]
    title: Option<String>,
    /// Replace the output if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = arguments.output.display().to_string();
    let to = arguments.to.or_else(|| Format::of_name(&name));
    let to =
        to.ok_or_else(|| Failure::refused(format!("{name}: --to is needed: one of {}", Format::list())))?;
    if !is_standard(&arguments.output) && !arguments.force && arguments.output.exists() {
        return Err(output::there_already(&name));
    }
    let participants =
        if to.names_participants() || to == Format::Csv { Participants::Kept } else { Participants::Dropped };
    let initiatives = arguments.initiatives.as_deref();
    let mut ballots = ballot_input::read(&arguments.input, arguments.from, initiatives, None, participants)?;
    ballots.seats = arguments.seats.or(ballots.seats);
    ballots.title = arguments.title.clone().or(ballots.title);
    if is_standard(&arguments.output) {
        return match ballotfile::write(to, &ballots, &mut BufWriter::new(io::stdout().lock())) {
            // A reader that has gone away, such as `head`, is no failure.
            Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| failure(&name, error)),
        };
    }
    output::write(&arguments.output, arguments.force, |out| {
        ballotfile::write(to, &ballots, out).map_err(|error| failure(&name, error))
    })?;
    tell(&format!(
        "{} ballots of {} candidates: {} to {}\n",
        ballots.profile.ballots(),
        ballots.candidates.len(),
        ballots.format.id(),
        to.id()
    ));
    Ok(())
}

fn failure(name: &str, error: WriteError) -> Failure {
    match error {
        WriteError::Io(error) => Failure::failed(format!("{name}: {error}")),
        refused @ WriteError::Refused { .. } => Failure::refused(format!("{name}: {refused}")),
    }
}
