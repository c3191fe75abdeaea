//! CSV files as people have them: comma or semicolon, with or without a BOM, read to the end with every
//! fault's line and column.

use std::fmt;
use std::path::Path;

use super::Failure;

/// A place in a file: line and column as an editor counts them; in CSV the column is the field's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) column: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A table that was read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) file: String,
    pub(super) headings: Vec<String>,
    /// The rows that have as many fields as there are headings.
    pub(super) rows: Vec<Row>,
    /// What is wrong with the sheet itself, told together with what is wrong in its rows.
    pub(super) faults: Vec<String>,
}

/// A row with the line it stands on.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

impl Sheet {
    /// Reads a file.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Failure::failed(format!("{name}: {error}")))?;
        Self::read(&name, &bytes)
    }

    /// Reads the text of a file.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.split(|&byte| byte == b'\n').count();
            let column =
                1 + before.len() - before.iter().rposition(|&byte| byte == b'\n').map_or(0, |i| i + 1);
            let place = format!("{file}:{line}:{column}");
            Failure::refused(format!(
                "{place}: utf-8: Spara filen som CSV UTF-8. / Save the file as CSV UTF-8."
            ))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = text.lines().next().unwrap_or_default();
        // Excel in Swedish separates by semicolons, because the comma is the decimal sign.
        let excel = first.contains(';') && !first.contains(',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(if excel { b';' } else { b',' })
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut sheet =
            Self { file: file.to_owned(), headings: Vec::new(), rows: Vec::new(), faults: Vec::new() };
        let mut lines = Lines { text, offset: 0, line: 1 };
        for record in reader.records() {
            let record = record.map_err(|error| Failure::refused(format!("{file}: {error}")))?;
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            let cell = |cell: &str| match cell.trim().strip_prefix('\'') {
                // In files for Excel an apostrophe marks a text that Excel would take for something else.
                Some(marked) if excel => marked.to_owned(),
                Some(_) | None => cell.trim().to_owned(),
            };
            let cells: Vec<String> = record.iter().map(cell).collect();
            if sheet.headings.is_empty() {
                sheet.headings = cells;
            } else if cells.len() == sheet.headings.len() {
                sheet.rows.push(Row { line, cells });
            } else if cells.iter().any(|cell| !cell.is_empty()) {
                let (n, wanted) = (cells.len(), sheet.headings.len());
                sheet.faults.push(format!(
                    "{file}:{line}:{}: fields: Raden har {n} fält, rubriken {wanted}. / The row has {n} fields, the heading {wanted}.",
                    n.min(wanted) + 1
                ));
            }
        }
        sheet.rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        for (i, heading) in sheet.headings.iter().enumerate() {
            if sheet.headings[..i].contains(heading) {
                sheet.faults.push(format!(
                    "{file}:1:{}: heading: {heading:?} står två gånger. / stands twice.",
                    i + 1
                ));
            }
        }
        Ok(sheet)
    }

    /// The place of a column, under any of these headings.
    pub(super) fn column(&self, headings: &[&str]) -> Option<usize> {
        self.headings
            .iter()
            .position(|heading| headings.iter().any(|known| heading.eq_ignore_ascii_case(known)))
    }

    /// The place of a cell.
    pub(super) fn at(&self, row: &Row, column: Option<usize>) -> At {
        At { file: self.file.clone(), line: row.line, column: column.map_or(1, |column| column + 1) }
    }
}

impl Row {
    /// A cell; empty ones and those of columns that are not there are none.
    pub(super) fn cell(&self, column: Option<usize>) -> Option<&str> {
        self.cells.get(column?).map(String::as_str).filter(|cell| !cell.is_empty())
    }
}

/// Counts lines as an editor does, going forward through a text.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that is said to begin here: line breaks before it belong to what came before.
    fn of(&mut self, byte: u64) -> u64 {
        let begin = usize::try_from(byte).unwrap_or(self.text.len()).min(self.text.len());
        let rest = &self.text.as_bytes()[begin..];
        let begin = begin + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += self.text.as_bytes()[self.offset..begin].split(|&byte| byte == b'\n').count() as u64 - 1;
        self.offset = begin;
        self.line
    }
}
