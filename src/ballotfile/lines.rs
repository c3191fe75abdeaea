//! Files that are read line by line.

use std::io::{self, BufRead, BufReader, Read};

use super::fault::{no_utf8, text};
use super::gather::Gather;
use super::source::Source;

/// The longest line or record that is read, in bytes.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

/// Hands out every line with its number, without what ends it. Lines that are no text become faults.
pub(super) fn each(
    source: Source<'_>,
    gather: &mut Gather,
    mut read: impl FnMut(&mut Gather, u64, &str),
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(256 * 1024, source);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        input.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        if bytes.len() > LONGEST {
            too_long(gather, number);
            break;
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok(line) => read(gather, number, line),
            Err(error) => gather.faults.push(number, error.valid_up_to() as u64 + 1, "utf-8", no_utf8()),
        }
    }
    Ok(())
}

/// Says that a line cannot be read whole; what comes after it is not read.
pub(super) fn too_long(gather: &mut Gather, line: u64) {
    gather.faults.push(
        line,
        1,
        "long",
        text(
            "Raden är för lång; saknas ett citattecken?",
            "The line is too long; is a quotation mark missing?",
        ),
    );
}

/// The number of the character that a part of a line begins with, from 1.
pub(super) fn column(line: &str, part: &str) -> u64 {
    let offset = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize).min(line.len());
    line.char_indices().take_while(|(at, _)| *at < offset).count() as u64 + 1
}
