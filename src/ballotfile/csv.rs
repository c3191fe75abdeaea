//! CSV: the headings, and by them the wide or the long form.
//!
//! Comma or semicolon, with or without a byte order mark. Cells are trimmed. In files for Excel, which have semicolons,
//! an apostrophe in front marks a text.

use super::blocks::{Block, Blocks};
use super::gather::Gather;
use super::source::Source;
use super::{Ballots, ReadError, csv_long, csv_record, csv_wide};

/// Headings of the column with the participant.
const CODE: [&str; 2] = ["participantCode", "Kod"];

/// A table whose headings were read.
pub(super) struct Sheet {
    line: u64,
    pub(super) headings: Vec<String>,
    pub(super) delimiter: u8,
}

pub(super) fn read(source: Source<'_>, mut gather: Gather) -> Result<Ballots, ReadError> {
    let mut blocks = Blocks::new(source_delimiter(&source), source);
    let (mut sheet, mut first) =
        (Sheet { line: 1, headings: Vec::new(), delimiter: blocks.delimiter() }, None);
    while first.is_none() {
        let Some(mut block) = blocks.next(&mut gather)? else { break };
        if let Some((line, headings)) = block.take_first(sheet.delimiter, &mut gather.faults) {
            sheet.line = line;
            sheet.headings = headings.iter().map(|heading| sheet.clean(heading).to_owned()).collect();
            first = Some(block);
        }
    }
    if !gather.faults.is_empty() {
        // The headings are no text, and without them nothing can be read.
        return Err(gather.faults.into());
    }
    for (i, heading) in sheet.headings.iter().enumerate() {
        if sheet.headings[..i].contains(heading) {
            let what = (format!("{heading:?} står två gånger."), format!("{heading:?} stands twice."));
            gather.faults.push(sheet.line, i as u64 + 1, "heading", what);
        }
    }
    let first = first.unwrap_or_else(Block::empty);
    if is_long(&sheet.headings) {
        csv_long::read(&sheet, blocks, first, gather)
    } else {
        csv_wide::read(&sheet, blocks, first, gather)
    }
}

/// Whether the beginning of a file is that of a table of ballots.
pub(super) fn recognises(first_line: &str) -> bool {
    let delimiter = delimiter(first_line);
    let mut headings = Vec::new();
    csv_record::fields(first_line.trim_end_matches('\r'), delimiter, &mut headings);
    let headings: Vec<String> = headings.iter().map(|heading| heading.trim().to_owned()).collect();
    is_long(&headings) || column(&headings, &["rank1", "Plats 1"]).is_some()
}

fn is_long(headings: &[String]) -> bool {
    column(headings, &["initiativeId"]).is_some() && column(headings, &["rank"]).is_some()
}

fn column(headings: &[String], names: &[&str]) -> Option<usize> {
    headings.iter().position(|heading| names.iter().any(|name| heading.eq_ignore_ascii_case(name)))
}

/// Excel in Swedish separates by semicolons, because the comma is the decimal sign.
fn delimiter(first_line: &str) -> u8 {
    if first_line.contains(';') && !first_line.contains(',') { b';' } else { b',' }
}

fn source_delimiter(source: &Source<'_>) -> u8 {
    let head = String::from_utf8_lossy(source.head());
    delimiter(head.lines().find(|line| !line.is_empty()).unwrap_or_default())
}

impl Sheet {
    /// The place of a column, under any of these headings.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        column(&self.headings, names)
    }

    /// The column with the participant.
    pub(super) fn code(&self) -> Option<usize> {
        self.column(&CODE)
    }

    /// A fault of the headings, for a column that is missing at the beginning of the line.
    pub(super) fn heading_fault(&self, gather: &mut Gather, column: Option<usize>, what: (String, String)) {
        gather.faults.push(self.line, field(column), "heading", what);
    }

    /// Says which columns have no meaning here; whether there are any.
    pub(super) fn unknown_columns(&self, gather: &mut Gather, known: impl Fn(usize, &str) -> bool) -> bool {
        // A heading that stands twice has been told of.
        let again = |i: usize, heading: &String| self.headings[..i].contains(heading);
        let unknown = self.headings.iter().enumerate();
        let unknown = unknown.filter(|(i, heading)| !known(*i, heading) && !again(*i, heading));
        let mut any = false;
        for (i, heading) in unknown {
            any = true;
            let what = (format!("{heading:?} finns inte."), format!("There is no {heading:?}."));
            self.heading_fault(gather, Some(i), what);
        }
        any
    }

    /// Whether the row has as many fields as there are headings. A row of nothing is passed over.
    pub(super) fn fits(&self, gather: &mut Gather, line: u64, cells: &[&str]) -> bool {
        let (n, wanted) = (cells.len(), self.headings.len());
        if n == wanted {
            return true;
        }
        if cells.iter().any(|cell| !self.clean(cell).is_empty()) {
            let what = (
                format!("Raden har {n} fält, rubriken {wanted}."),
                format!("The row has {n} fields, the heading {wanted}."),
            );
            gather.faults.push(line, n.min(wanted) as u64 + 1, "fields", what);
        }
        false
    }

    /// A cell as it is meant.
    #[inline]
    pub(super) fn clean<'a>(&self, cell: &'a str) -> &'a str {
        let plain = |byte: Option<&u8>| byte.is_some_and(|byte| (b'!'..0x80).contains(byte));
        let bytes = cell.as_bytes();
        let cell = if plain(bytes.first()) && plain(bytes.last()) { cell } else { cell.trim() };
        match cell.strip_prefix('\'') {
            Some(marked) if self.delimiter == b';' => marked,
            Some(_) | None => cell,
        }
    }
}

/// The number of a field, from 1; 1 where there is no such column.
pub(super) fn field(column: Option<usize>) -> u64 {
    column.map_or(1, |column| column as u64 + 1)
}
