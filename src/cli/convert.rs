//! `handslag convert`: ballots from one format of file into another.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ballot_input::{self, Participants, format, is_standard};
use super::{Failure, tell};
use crate::ballotfile::{self, Ballots, Format, WriteError};

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
    let output = arguments.output.display().to_string();
    let to = arguments.to.or_else(|| Format::of_name(&output));
    let to =
        to.ok_or_else(|| Failure::refused(format!("{output}: --to is needed: one of {}", Format::list())))?;
    if !is_standard(&arguments.output) && !arguments.force && arguments.output.exists() {
        return Err(there_already(&output));
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
            written => written.map_err(|error| failure(&output, error)),
        };
    }
    write(&arguments.output, arguments.force, to, &ballots)?;
    tell(&format!(
        "{} ballots of {} candidates: {} to {}\n",
        ballots.profile.ballots(),
        ballots.candidates.len(),
        ballots.format.id(),
        to.id()
    ));
    Ok(())
}

/// Writes beside the output first where it replaces one, so that a failure leaves what was there.
fn write(path: &Path, replace: bool, to: Format, ballots: &Ballots) -> Result<(), Failure> {
    let name = path.display().to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let target = if replace { Path::new(&beside) } else { path };
    let file =
        File::options().write(true).create_new(!replace).create(replace).truncate(replace).open(target);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there_already(&name),
        _ => Failure::failed(format!("{name}: {error}")),
    })?;
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let written = if packed {
        let mut packed = GzEncoder::new(BufWriter::new(file), Compression::default());
        ballotfile::write(to, ballots, &mut packed).and_then(|()| Ok(packed.finish()?.flush()?))
    } else {
        ballotfile::write(to, ballots, &mut BufWriter::new(file))
    };
    let written = written.and_then(|()| if replace { Ok(std::fs::rename(target, path)?) } else { Ok(()) });
    written.map_err(|error| {
        // What was begun is of no use; that it cannot be removed either is no second failure.
        let _ = std::fs::remove_file(target);
        failure(&name, error)
    })
}

fn there_already(name: &str) -> Failure {
    Failure::refused(format!("{name}: is there already; --force replaces it"))
}

fn failure(name: &str, error: WriteError) -> Failure {
    match error {
        WriteError::Io(error) => Failure::failed(format!("{name}: {error}")),
        refused @ WriteError::Refused { .. } => Failure::refused(format!("{name}: {refused}")),
    }
}
