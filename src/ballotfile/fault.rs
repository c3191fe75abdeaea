//! What is wrong with a file, and where.

use std::fmt;
use std::io;
use std::sync::Arc;

/// The most faults of a file that are kept; the rest is only counted.
pub const MOST_FAULTS: usize = 1_000;

/// A text in Swedish and English.
pub(super) type Text = (String, String);

/// A fault of a file with its place. `Display` is a line of a report, as `ballots.csv:3:1: count: … / …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// What the file is called.
    pub file: Arc<str>,
    /// The line, from 1, as an editor counts them.
    pub line: u64,
    /// In CSV the number of the field, else that of the character; from 1.
    pub column: u64,
    /// A short code for programs.
    pub code: &'static str,
    /// What is wrong, in Swedish.
    pub sv: String,
    /// What is wrong, in English.
    pub en: String,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, code, sv, en } = self;
        write!(f, "{file}:{line}:{column}: {code}: {sv} / {en}")
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed, or is no whole gzip file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file has faults.
    #[error("{total} faults")]
    Faults {
        /// The first of them, at most [`MOST_FAULTS`], ordered by place.
        faults: Vec<FileFault>,
        /// How many there are in all.
        total: u64,
    },
}

/// The faults found so far: the first of them by place, and the number of all.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    file: Arc<str>,
    kept: Vec<FileFault>,
    total: u64,
}

impl Faults {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.into(), kept: Vec::new(), total: 0 }
    }

    /// None yet, of the same file.
    pub(super) fn fork(&self) -> Self {
        Self { file: Arc::clone(&self.file), kept: Vec::new(), total: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn push(&mut self, line: u64, column: u64, code: &'static str, (sv, en): Text) {
        self.total += 1;
        self.kept.push(FileFault { file: Arc::clone(&self.file), line, column, code, sv, en });
        if self.kept.len() >= 2 * MOST_FAULTS {
            self.cut();
        }
    }

    pub(super) fn absorb(&mut self, mut other: Self) {
        self.total += other.total;
        self.kept.append(&mut other.kept);
        self.cut();
    }

    fn cut(&mut self) {
        self.kept.sort_by(|a, b| (a.line, a.column, a.code).cmp(&(b.line, b.column, b.code)));
        self.kept.truncate(MOST_FAULTS);
    }
}

impl From<Faults> for ReadError {
    fn from(mut faults: Faults) -> Self {
        faults.cut();
        Self::Faults { faults: faults.kept, total: faults.total }
    }
}

/// A text that is the same whatever the file holds.
pub(super) fn text(sv: &str, en: &str) -> Text {
    (sv.to_owned(), en.to_owned())
}

/// A count that is no whole number, or too high.
pub(super) fn no_count() -> Text {
    text("Ett heltal behövs.", "A whole number is needed.")
}

/// A line that is not UTF-8.
pub(super) fn no_utf8() -> Text {
    text("Spara filen som UTF-8.", "Save the file as UTF-8.")
}

/// A tie other than a last one of all the remaining.
pub(super) fn tie() -> Text {
    text(
        "Lika placering läses bara sist, och då av alla som återstår.",
        "A tie is read only at the end, and of all who remain.",
    )
}

/// A participant that has been met.
pub(super) fn twice(line: u64) -> Text {
    (
        format!("Deltagaren står redan på rad {line}."),
        format!("The participant stands on line {line} already."),
    )
}
