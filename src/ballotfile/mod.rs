//! Ballot files of this and other programs: streams in, a [`Profile`] out, and back.
//!
//! What a file says is read exactly or refused. Nothing is guessed, repaired or left out of the count; every fault is
//! told with its line and column. Ballots are ranked strictly, so a tie is a fault, with one exception that loses
//! nothing: a tie that stands last and holds all the remaining candidates says what a truncated ballot says, that they
//! stand below the ranked ones and are not compared with each other.
//!
//! Titles, and the order of candidates that the format itself does not state, are no part of a ballot: a format that
//! has no place for them is written without.
//!
//! This layer knows no rule, no round and no terminal.

mod abif;
mod blocks;
mod blt;
mod csv;
mod csv_long;
mod csv_record;
mod csv_wide;
mod declared;
mod detect;
mod fault;
mod folded;
mod format;
mod gather;
mod lines;
mod names;
mod ndjson;
mod preflib;
mod source;
mod write;

use std::io::Read;

pub use fault::{FileFault, MOST_FAULTS, ReadError};
pub use format::Format;
pub use write::{WriteError, write};

use crate::tally::Profile;
use fault::Faults;
use gather::Gather;
use names::Names;
use source::Source;

/// The most ballots that one line can stand for.
pub const MOST_BALLOTS: u64 = 1_000_000_000_000;
/// The most ballots of a file, so that no figure of a count can overflow.
pub const MOST_BALLOTS_IN_ALL: u64 = 1_000_000_000_000_000_000;
/// The longest id of a candidate, in characters.
pub const LONGEST_ID: usize = 200;

/// A candidate of a file: the index in the list is its number in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What ballots call it: 1 to 200 characters, no control characters, no space at either end.
    pub id: String,
    /// What people call it; the id where the file has no names.
    pub title: String,
}

/// How to read.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The candidates that exist, in order; a ballot for any other is a fault. None: those that the file declares, or
    /// else those that its ballots name.
    ///
    /// A file that numbers its candidates (PrefLib, BLT) means the one whose id or else only title is the file's name
    /// for the number, or whose id is the number where the file has no names.
    pub candidates: Option<&'a [Candidate]>,
    /// The longest ballot allowed; a longer one is a fault.
    pub picks: Option<usize>,
    /// Whether to keep who gave which ballot, where the file says so.
    pub keep_participants: bool,
    /// The format, where content and name are not to decide it. Wide and long CSV are told apart by their headings.
    pub format: Option<Format>,
    /// Is told how many bytes of the input, as it is stored, were read so far.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { candidates: None, picks: None, keep_participants: false, format: None, progress: &|_| {} }
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballots {
    /// The candidates. Those of a file that declares none: by number if all ids are numbers, else by text.
    pub candidates: Vec<Candidate>,
    /// The ballots without their owners.
    pub profile: Profile,
    /// Whose ballots they are, in the order of the file: code and ranking. Only if that was asked for and the file
    /// names them.
    pub participants: Option<Vec<(String, Box<[u8]>)>>,
    /// How many are to be elected, where the file says so (BLT).
    pub seats: Option<u64>,
    /// What the election is called, where the file says so.
    pub title: Option<String>,
    /// The format that was read.
    pub format: Format,
}

/// Reads a file. `name` is what faults call it, and its extension decides the format where the content does not.
///
/// Gzip is known by its first bytes. Memory does not grow with the ballots, only with the distinct rankings; a file
/// with codes of participants takes some 20 bytes for each of them.
///
/// # Errors
/// [`ReadError::Faults`] with every fault, ordered by place; [`ReadError::Io`] if the input cannot be read.
pub fn read(name: &str, input: Box<dyn Read + Send>, options: &Options<'_>) -> Result<Ballots, ReadError> {
    let source = Source::open(input, options.progress)?;
    let mut faults = Faults::new(name);
    let Some(format) = options.format.or_else(|| detect::detect(name, source.head())) else {
        faults.push(
            1,
            1,
            "format",
            (
                format!("Filens format känns inte igen: {}.", Format::list()),
                format!("The format of the file is not recognised: {}.", Format::list()),
            ),
        );
        return Err(faults.into());
    };
    let names = Names::new(options.candidates);
    let mut gather = Gather::new(names, options, faults);
    if gather.names.overflow() {
        gather.too_many(1, 1);
        return Err(gather.faults.into());
    }
    match format {
        Format::Csv | Format::CsvLong => csv::read(source, gather),
        Format::Soc | Format::Soi | Format::Toc | Format::Toi => {
            preflib::read(source, gather, options.format.or_else(|| Format::of_name(name)))
        }
        Format::Abif => abif::read(source, gather),
        Format::Blt => blt::read(source, gather),
        Format::NdJson => ndjson::read(source, gather),
    }
}

/// Whether a text can be a candidate's id.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && (text.len() <= LONGEST_ID || text.chars().count() <= LONGEST_ID)
        && !text.chars().any(char::is_control)
        && text.trim() == text
}
