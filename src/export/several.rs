//! Several rules on the same ballots: their documents as one list, their tables as one table.

use super::results::{self, ResultDocument};
use super::{Dialect, Language};
use crate::domain::Slate;
use crate::service::results::Answer;

/// The documents as a list.
pub fn json(documents: &[ResultDocument]) -> Vec<u8> {
    serde_json::to_vec(documents).expect("documents of texts and numbers")
}

/// The tables of the rules one below the other, with the rule's id in front; what only some of them have is empty in
/// the others.
pub fn table(slate: &Slate, answers: &[Answer], dialect: Dialect, language: Language) -> Vec<u8> {
    let (delimiter, mark, rule) = match dialect {
        Dialect::Rfc4180 => (b',', "", "rule"),
        Dialect::Excel => (b';', "\u{feff}", "Räkneregel"),
    };
    let mut headings: Vec<String> = Vec::new();
    let mut rows: Vec<(String, Vec<(usize, String)>)> = Vec::new();
    for answer in answers {
        let bytes = results::csv(slate, answer, dialect, language);
        let bytes = bytes.strip_prefix(mark.as_bytes()).unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
        let own: Vec<String> =
            reader.headers().expect("a table just written").iter().map(ToOwned::to_owned).collect();
        let places: Vec<usize> = own
            .into_iter()
            .map(|heading| {
                headings.iter().position(|known| *known == heading).unwrap_or_else(|| {
                    headings.push(heading);
                    headings.len() - 1
                })
            })
            .collect();
        for record in reader.records() {
            let record = record.expect("a table just written");
            let cells = places.iter().copied().zip(record.iter().map(ToOwned::to_owned)).collect();
            rows.push((answer.tally.rule.id(), cells));
        }
    }
    let mut builder = csv::WriterBuilder::new();
    builder.delimiter(delimiter).terminator(csv::Terminator::CRLF);
    let mut writer = builder.from_writer(mark.as_bytes().to_vec());
    let first = std::iter::once(rule).chain(headings.iter().map(|heading| &**heading));
    writer.write_record(first).expect("written to memory");
    for (id, cells) in rows {
        let mut row = vec![String::new(); headings.len() + 1];
        row[0] = id;
        for (place, cell) in cells {
            row[place + 1] = cell;
        }
        writer.write_record(&row).expect("written to memory");
    }
    writer.into_inner().expect("written to memory")
}
