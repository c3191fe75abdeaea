//! Tables as CSV: RFC 4180 for programs, and the form that Excel in Swedish opens right.

/// Which CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// RFC 4180: UTF-8, comma, CRLF, a header line of field names.
    Rfc4180,
    /// BOM, semicolon, CRLF, Swedish headings, decimal commas; nothing that Excel would run or take for a date.
    Excel,
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
            Dialect::Rfc4180 => name.to_owned(),
            Dialect::Excel => heading.to_owned(),
        }));
        table
    }

    /// Adds a row of texts.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let guard = |cell: String| match self.dialect {
            // Excel runs what begins like a formula (OWASP, CSV injection).
            Dialect::Excel if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{cell}"),
            Dialect::Excel | Dialect::Rfc4180 => cell,
        };
        self.writer
            .write_record(cells.into_iter().map(guard))
            .expect("rows of equal length, written to memory");
    }

    /// A fraction: exact for programs, a decimal for Excel, which takes `19/6` for a day in June.
    pub fn fraction(&self, fraction: &crate::tally::Fraction) -> String {
        match self.dialect {
            Dialect::Rfc4180 => fraction.to_string(),
            Dialect::Excel if fraction.is_integer() => fraction.to_string(),
            Dialect::Excel => self.decimal(super::decimal(fraction)),
        }
    }

    /// A decimal, with a comma for Excel.
    pub fn decimal(&self, decimal: f64) -> String {
        let text = serde_json::to_string(&decimal).expect("a finite number");
        match self.dialect {
            Dialect::Rfc4180 => text,
            Dialect::Excel => text.replace('.', ","),
        }
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.writer.into_inner().expect("written to memory")
    }
}
