//! Tables as CSV: RFC 4180 for programs, and the form that Excel in Swedish opens right.

/// Which CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// RFC 4180: UTF-8, comma, CRLF, a header line of field names.
    Rfc4180,
    /// BOM, semicolon, CRLF, Swedish headings, decimal commas; nothing that Excel would run or take for a date.
    Excel,
}

/// A cell, by what Excel must not make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A number, a moment or a day that we wrote ourselves.
    Figure(String),
    /// A text that somebody wrote: Excel must neither run it nor take it for a date.
    Text(String),
    /// A code or a group's value: besides, `0180` must keep its zero.
    Code(String),
}

impl Cell {
    /// Nothing.
    pub const EMPTY: Self = Self::Figure(String::new());

    /// A number, or what else is written without a choice.
    #[expect(clippy::needless_pass_by_value, reason = "a number is passed by value")]
    pub fn number(number: impl ToString) -> Self {
        Self::Figure(number.to_string())
    }

    /// As it stands in the file. For Excel an apostrophe marks a text; what begins with one gets one more, so that
    /// reading the file back loses nothing.
    fn written(self, dialect: Dialect) -> String {
        // Excel runs what begins like a formula (OWASP, CSV injection), and takes `5/6` and `3-4` for dates.
        let harmful =
            |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) || like_a_date(text);
        match (dialect, self) {
            (Dialect::Excel, Self::Text(text)) if harmful(&text) => format!("'{text}"),
            (Dialect::Excel, Self::Code(text))
                if harmful(&text) || text.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                format!("'{text}")
            }
            (_, Self::Figure(text) | Self::Text(text) | Self::Code(text)) => text,
        }
    }
}

/// A table being written.
#[derive(Debug)]
pub struct Table {
    dialect: Dialect,
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    /// Begins a table; each heading is the field's name and what Excel's reader sees.
    pub fn new<'a>(dialect: Dialect, headings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::CRLF);
        let start = match dialect {
            Dialect::Rfc4180 => Vec::new(),
            Dialect::Excel => {
                builder.delimiter(b';');
                "\u{feff}".as_bytes().to_vec()
            }
        };
        let mut table = Self { dialect, writer: builder.from_writer(start) };
        table.row(headings.into_iter().map(|(name, heading)| match dialect {
            Dialect::Rfc4180 => Cell::Text(name.to_owned()),
            Dialect::Excel => Cell::Text(heading.to_owned()),
        }));
        table
    }

    /// Goes on with a table whose head has been written.
    pub fn without_head(dialect: Dialect) -> Self {
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::CRLF);
        if dialect == Dialect::Excel {
            builder.delimiter(b';');
        }
        Self { dialect, writer: builder.from_writer(Vec::new()) }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let dialect = self.dialect;
        let cells = cells.into_iter().map(|cell| cell.written(dialect));
        self.writer.write_record(cells).expect("rows of equal length, written to memory");
    }

    /// A fraction: exact for programs, a decimal for Excel, which takes `19/6` for a day in June.
    pub fn fraction(&self, fraction: &crate::tally::Fraction) -> Cell {
        match self.dialect {
            Dialect::Rfc4180 => Cell::Figure(fraction.to_string()),
            Dialect::Excel if fraction.is_integer() => Cell::Figure(fraction.to_string()),
            Dialect::Excel => self.decimal(fraction),
        }
    }

    /// A decimal, with a comma for Excel.
    pub fn decimal(&self, fraction: &crate::tally::Fraction) -> Cell {
        let text = super::decimal::fixed(fraction, 6);
        let text = text.trim_end_matches('0');
        let text = if text.ends_with('.') { format!("{text}0") } else { text.to_owned() };
        Cell::Figure(match self.dialect {
            Dialect::Rfc4180 => text,
            Dialect::Excel => text.replace('.', ","),
        })
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.writer.into_inner().expect("written to memory")
    }
}

/// Whether Excel would read the text as a date: digits with slashes or hyphens between, and nothing else.
fn like_a_date(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.contains(['/', '-']) && text.split(['/', '-']).all(digits)
}
