//! Records of CSV: where they end and what their fields are, quotes as RFC 4180 has them.

use std::borrow::Cow;

/// Where in a field the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: the end of it, or the first half of an escaped quote.
    Quote,
}

impl State {
    /// The state after a byte that ends no field; and whether the byte belongs to the field.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Begin, b'"') => (Self::Quoted, false),
            (Self::Quoted, b'"') => (Self::Quote, false),
            (Self::Quoted, _) | (Self::Quote, b'"') => (Self::Quoted, true),
            (Self::Begin | Self::Plain | Self::Quote, _) => (Self::Plain, true),
        }
    }
}

/// The offset of the line break that ends the record at `from`, or of the end, and whether its quotes are closed.
pub(super) fn end(bytes: &[u8], from: usize, delimiter: u8) -> (usize, bool) {
    let mut state = State::Begin;
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        match (state, byte) {
            (State::Quoted, _) => state = state.after(byte).0,
            (_, b'\n') => return (at, true),
            (_, byte) if byte == delimiter => state = State::Begin,
            _ => state = state.after(byte).0,
        }
    }
    (bytes.len(), state != State::Quoted)
}

/// The offset after the last whole record.
pub(super) fn last_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let (end, _) = end(bytes, from, delimiter);
        if end == bytes.len() {
            return (from > 0).then_some(from);
        }
        from = end + 1;
    }
}

/// The fields of a record, which stands without the line break that ends it.
pub(super) fn fields<'a>(record: &'a str, delimiter: u8, fields: &mut Vec<Cow<'a, str>>) {
    fields.clear();
    let bytes = record.as_bytes();
    let mut begin = 0;
    loop {
        let rest = &bytes[begin..];
        let quoted = rest.first() == Some(&b'"');
        let mark = if quoted { memchr::memchr(b'"', &rest[1..]) } else { memchr::memchr(delimiter, rest) };
        let after = mark.map_or(bytes.len(), |mark| begin + mark + 2 * usize::from(quoted));
        let plain = !quoted || (mark.is_some() && bytes.get(after).is_none_or(|&byte| byte == delimiter));
        let end = if plain {
            let quotes = usize::from(quoted);
            fields.push(Cow::Borrowed(&record[begin + quotes..after - quotes]));
            after
        } else {
            let (field, length) = escaped(&record[begin..], delimiter);
            fields.push(Cow::Owned(field));
            begin + length
        };
        if end == bytes.len() {
            return;
        }
        begin = end + 1;
    }
}

/// A field with quotes inside, and its length where it stands.
fn escaped(rest: &str, delimiter: u8) -> (String, usize) {
    let mut field = String::new();
    let mut state = State::Begin;
    for (at, character) in rest.char_indices() {
        let byte = u8::try_from(character).unwrap_or(b'?');
        if state != State::Quoted && byte == delimiter {
            return (field, at);
        }
        let (next, belongs) = state.after(byte);
        state = next;
        if belongs {
            field.push(character);
        }
    }
    (field, rest.len())
}
