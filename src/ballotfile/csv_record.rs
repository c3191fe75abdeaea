//! Records of CSV: where they end and what their fields are, quotes as RFC 4180 has them.

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
pub(super) fn fields(record: &str, delimiter: u8) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut state = State::Begin;
    for character in record.chars() {
        let byte = u8::try_from(character).unwrap_or(b'?');
        if state != State::Quoted && byte == delimiter && character.is_ascii() {
            fields.push(String::new());
            state = State::Begin;
            continue;
        }
        let (next, belongs) = state.after(byte);
        state = next;
        if belongs && let Some(field) = fields.last_mut() {
            field.push(character);
        }
    }
    fields
}
