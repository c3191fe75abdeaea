//! Ballots from a file or standard input, in any format that is known, with progress on a terminal.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use super::progress::progress;
use super::round_files::read_initiatives;
use super::sheet::Sheet;
use crate::ballotfile::{self, Ballots, Candidate, Format, Options, ReadError};

/// A format by its id, for options.
pub(super) fn format(text: &str) -> Result<Format, String> {
    Format::find(text).ok_or_else(|| format!("one of {}", Format::list()))
}

/// Whether `-` was given.
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether who gave which ballot is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Participants {
    Kept,
    Dropped,
}

/// Reads ballots; of a file of initiatives, only those can be picked.
pub(super) fn read(
    path: &Path,
    from: Option<Format>,
    initiatives: Option<&Path>,
    picks: Option<usize>,
    participants: Participants,
) -> Result<Ballots, Failure> {
    let given = initiatives.map(|path| -> Result<Vec<Candidate>, Failure> {
        let slate = read_initiatives(&Sheet::open(path)?).map_err(Failure::Refused)?;
        let candidate = |initiative: &crate::domain::Initiative| Candidate {
            id: initiative.id.to_string(),
            title: initiative.title.sv.clone(),
        };
        Ok(slate.initiatives().iter().map(candidate).collect())
    });
    let given = given.transpose()?;
    let name = path.display().to_string();
    let failed = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let (input, length): (Box<dyn Read + Send>, u64) = if is_standard(path) {
        (Box::new(io::stdin()), 0)
    } else {
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        (Box::new(file), length)
    };
    let bar = progress(length, "{bar:40} {bytes}/{total_bytes}");
    let options = Options {
        candidates: given.as_deref(),
        picks,
        keep_participants: participants == Participants::Kept,
        format: from,
        progress: &|bytes| bar.set_position(bytes),
    };
    let read = ballotfile::read(&name, input, &options);
    bar.finish_and_clear();
    read.map_err(|error| match error {
        ReadError::Io(error) => failed(error),
        ReadError::Faults { faults, total } => {
            let more = total.saturating_sub(faults.len() as u64);
            let mut lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            if more > 0 {
                lines.push(format!("{name}: {more} faults more"));
            }
            Failure::Refused(lines)
        }
    })
}
