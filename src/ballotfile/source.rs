//! The bytes of a file: counted for the progress, unpacked, without a byte order mark, in lines.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// How much is looked at before anything is read.
const HEAD: usize = 64 * 1024;

/// The text of a file as bytes.
pub(super) struct Source<'a> {
    head: Vec<u8>,
    taken: usize,
    rest: Box<dyn Read + 'a>,
}

impl<'a> Source<'a> {
    pub(super) fn open(input: Box<dyn Read + Send>, progress: &'a (dyn Fn(u64) + Sync)) -> io::Result<Self> {
        let mut input = Counted { input, read: 0, progress };
        let magic = first(&mut input, 2)?;
        let packed = magic == [0x1F, 0x8B];
        let input = io::Cursor::new(magic).chain(input);
        let mut rest: Box<dyn Read + 'a> =
            if packed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        let mut head = first(&mut rest, HEAD)?;
        if head.starts_with(b"\xEF\xBB\xBF") {
            head.drain(..3);
        }
        if head.contains(&b'\r') && !head.contains(&b'\n') {
            carriage_returns(&mut head);
            rest = Box::new(Returns(rest));
        }
        Ok(Self { head, taken: 0, rest })
    }

    /// The beginning, whatever of it was read already.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.head.len() {
            return self.rest.read(buffer);
        }
        let read = (&self.head[self.taken..]).read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

/// Tells how much has been read.
struct Counted<'a> {
    input: Box<dyn Read + Send>,
    read: u64,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read += read as u64;
        (self.progress)(self.read);
        Ok(read)
    }
}

/// Lines that end in a carriage return alone, as spreadsheets on a Mac once wrote them.
struct Returns<'a>(Box<dyn Read + 'a>);

impl Read for Returns<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        carriage_returns(&mut buffer[..read]);
        Ok(read)
    }
}

fn carriage_returns(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
}

fn first(input: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(bytes as u64).read_to_end(&mut head)?;
    Ok(head)
}
