//! A CSV file in blocks of whole records, read by one thread and parsed by the others.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use super::csv_record;
use super::fault::{Faults, no_utf8, text};
use super::gather::Gather;
use super::lines::{LONGEST, too_long};
use super::source::Source;

/// How much of a file is read at a time, in bytes.
const BLOCK: usize = 1024 * 1024;

/// Some whole records of a file.
pub(super) struct Block {
    /// The line that the first of them begins on.
    pub(super) line: u64,
    bytes: Vec<u8>,
    quoted: bool,
}

/// The blocks of a file.
pub(super) struct Blocks<'a> {
    source: Source<'a>,
    delimiter: u8,
    rest: Vec<u8>,
    line: u64,
    ended: bool,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(delimiter: u8, source: Source<'a>) -> Self {
        Self { source, delimiter, rest: Vec::new(), line: 1, ended: false }
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The next block; none at the end, and none after a record that is too long, which is a fault.
    pub(super) fn next(&mut self, gather: &mut Gather) -> io::Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            if !self.ended {
                bytes.reserve(BLOCK + 32);
                self.ended = (&mut self.source).take(BLOCK as u64).read_to_end(&mut bytes)? < BLOCK;
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            let quoted = memchr::memchr(b'"', &bytes).is_some();
            let cut = match (self.ended, quoted) {
                (true, _) => Some(bytes.len()),
                (false, true) => csv_record::last_end(&bytes, self.delimiter),
                (false, false) => memchr::memrchr(b'\n', &bytes).map(|at| at + 1),
            };
            let Some(cut) = cut else {
                if bytes.len() > LONGEST {
                    too_long(gather, self.line);
                    self.ended = true;
                    return Ok(None);
                }
                continue;
            };
            self.rest = bytes.split_off(cut);
            let line = self.line;
            self.line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
            return Ok(Some(Block { line, bytes, quoted }));
        }
    }
}

impl Block {
    pub(super) fn empty() -> Self {
        Self { line: 1, bytes: Vec::new(), quoted: false }
    }

    /// Takes the first record that is not empty, with its line.
    pub(super) fn take_first(&mut self, delimiter: u8, faults: &mut Faults) -> Option<(u64, Vec<String>)> {
        let mut first = None;
        let mut from = 0;
        while first.is_none() && from < self.bytes.len() {
            let (end, closed) = csv_record::end(&self.bytes, from, delimiter);
            let record = &self.bytes[from..end];
            if !matches!(record, b"" | b"\r") {
                let record = checked(record, self.line, closed, faults).unwrap_or_default();
                let mut fields = Vec::new();
                csv_record::fields(record, delimiter, &mut fields);
                first = Some((self.line, fields.into_iter().map(Into::into).collect()));
            }
            let next = (end + 1).min(self.bytes.len());
            self.line += memchr::memchr_iter(b'\n', &self.bytes[from..next]).count() as u64;
            from = next;
        }
        self.bytes.drain(..from);
        first
    }

    /// Hands out every record with its line and its fields as they stand there.
    pub(super) fn records<'a>(
        &'a self,
        delimiter: u8,
        gather: &mut Gather,
        mut read: impl FnMut(&mut Gather, u64, &[&str]),
    ) {
        let mut line = self.line;
        if let (false, Ok(all)) = (self.quoted, std::str::from_utf8(&self.bytes)) {
            let mut fields: Vec<&'a str> = Vec::new();
            let mut from = 0;
            while from < all.len() {
                let end = split(all, from, delimiter, &mut fields);
                read(gather, line, &fields);
                line += 1;
                from = end + 1;
            }
            return;
        }
        let mut quoted = Vec::new();
        let mut from = 0;
        while from < self.bytes.len() {
            let (end, closed) = csv_record::end(&self.bytes, from, delimiter);
            if let Some(record) = checked(&self.bytes[from..end], line, closed, &mut gather.faults) {
                csv_record::fields(record, delimiter, &mut quoted);
                let parts: Vec<&str> = quoted.iter().map(AsRef::as_ref).collect();
                read(gather, line, &parts);
            }
            line +=
                memchr::memchr_iter(b'\n', &self.bytes[from..(end + 1).min(self.bytes.len())]).count() as u64;
            from = end + 1;
        }
    }
}

/// The fields of a line without quotes, and where the line ends.
#[inline]
fn split<'a>(all: &'a str, from: usize, delimiter: u8, fields: &mut Vec<&'a str>) -> usize {
    fields.clear();
    let bytes = all.as_bytes();
    let mut begin = from;
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'\n' {
        if bytes[at] == delimiter {
            fields.push(&all[begin..at]);
            begin = at + 1;
        }
        at += 1;
    }
    // What stands before the line break of CRLF is trimmed with the field.
    fields.push(&all[begin..at]);
    at
}

/// A record as text, if it is one.
fn checked<'a>(record: &'a [u8], line: u64, closed: bool, faults: &mut Faults) -> Option<&'a str> {
    if !closed {
        faults.push(
            line,
            1,
            "quote",
            text("Ett citattecken avslutas inte.", "A quotation mark is not closed."),
        );
        return None;
    }
    let record = record.strip_suffix(b"\r").unwrap_or(record);
    std::str::from_utf8(record)
        .map_err(|error| {
            let before = &record[..error.valid_up_to()];
            let begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let line = line + memchr::memchr_iter(b'\n', before).count() as u64;
            faults.push(line, (before.len() - begin) as u64 + 1, "utf-8", no_utf8());
        })
        .ok()
}

/// Reads the blocks after the first one, and the first one, on all cores. What comes out does not depend on which
/// thread read what.
pub(super) fn in_parallel(
    mut blocks: Blocks<'_>,
    first: Block,
    mut gather: Gather,
    read: impl Fn(&Block, &mut Gather) + Sync,
) -> io::Result<Gather> {
    let Some(second) = blocks.next(&mut gather)? else {
        read(&first, &mut gather);
        return Ok(gather);
    };
    let workers = thread::available_parallelism().map_or(2, |cores| cores.get().clamp(1, 8));
    let (send, receive) = mpsc::sync_channel::<Block>(workers);
    let receive = Arc::new(Mutex::new(receive));
    let read = &read;
    thread::scope(|scope| {
        let mut working = Vec::new();
        for _ in 0..workers {
            let (mut own, receive) = (gather.fork(), Arc::clone(&receive));
            working.push(scope.spawn(move || {
                loop {
                    let block = receive.lock().expect("nobody panics while waiting").recv();
                    let Ok(block) = block else { return own };
                    read(&block, &mut own);
                }
            }));
        }
        drop(receive);
        let mut given = [first, second].into_iter();
        let read = loop {
            let block = match given.next() {
                Some(block) => Ok(Some(block)),
                None => blocks.next(&mut gather),
            };
            match block {
                Ok(Some(block)) => {
                    if send.send(block).is_err() {
                        // The threads are gone: they panicked, which is told of below.
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(send);
        for worker in working {
            gather.absorb(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        read.map(|()| gather)
    })
}
