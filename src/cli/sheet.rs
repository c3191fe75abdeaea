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
    pub(super) rows: Vec<Row>,
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
        let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut faults = Vec::new();
        let mut headings: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| Failure::refused(format!("{file}: {error}")))?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
            let Some(headings) = &headings else {
                headings = Some(cells);
                continue;
            };
            if cells.iter().all(String::is_empty) {
                continue;
            }
            if cells.len() != headings.len() {
                let (n, wanted) = (cells.len(), headings.len());
                faults.push(format!(
                    "{file}:{line}:{}: fields: Raden har {n} fält, rubriken {wanted}. / The row has {n} fields, the heading {wanted}.",
                    n.min(wanted) + 1
                ));
            }
            rows.push(Row { line, cells });
        }
        let headings = headings.unwrap_or_default();
        for (i, heading) in headings.iter().enumerate() {
            if headings[..i].contains(heading) {
                faults.push(format!(
                    "{file}:1:{}: heading: {heading:?} står två gånger. / stands twice.",
                    i + 1
                ));
            }
        }
        if faults.is_empty() {
            Ok(Self { file: file.to_owned(), headings, rows })
        } else {
            Err(Failure::Refused(faults))
        }
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
    /// A cell; empty ones and those of columns that are not there are none. The mark by which our files for
    /// Excel keep codes as text is taken off.
    pub(super) fn cell(&self, column: Option<usize>) -> Option<&str> {
        let cell = self.cells.get(column?)?;
        let cell = cell.strip_prefix('\'').unwrap_or(cell);
        (!cell.is_empty()).then_some(cell)
    }
}
