//! Rendered representations of a result: made once a sequence, compressed once, shared by every reply.

use std::io::Write;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::export::{Dialect, Language, Links, csvw, results};
use crate::service::Fault;
use crate::service::Query;
use crate::service::ledger::Ledger;
use crate::service::results::{Disclosure, tally};

/// The form of a representation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`
    #[default]
    Json,
    /// `text/csv` by RFC 4180.
    Csv,
    /// `text/csv` as Excel in Swedish opens it.
    ExcelCsv,
    /// `application/x-ndjson`
    NdJson,
    /// What the columns of the CSV mean (CSV on the Web).
    Csvw,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv | Self::ExcelCsv => "text/csv; charset=utf-8; header=present",
            Self::NdJson => "application/x-ndjson",
            Self::Csvw => csvw::MEDIA_TYPE,
        }
    }
}

/// The content coding of a representation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is.
    #[default]
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Encoding {
    /// The name in `Content-Encoding`; none when the body is as it is.
    pub const fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// Codes a body.
    pub fn encode(self, body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Identity => body,
            Self::Gzip => {
                let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                coder.write_all(&body).and_then(|()| coder.finish()).expect("written to memory")
            }
            Self::Brotli => {
                let mut coded = Vec::new();
                brotli::CompressorWriter::new(&mut coded, 4096, 5, 22)
                    .write_all(&body)
                    .expect("written to memory");
                coded
            }
        }
    }
}

/// Which representation of a result is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Rule and parameters.
    pub query: Query,
    /// The form.
    pub format: Format,
    /// The language of titles in tables.
    pub language: Language,
    /// The content coding.
    pub encoding: Encoding,
    /// What the reader may learn of single ballots, where it makes a difference to the answer.
    pub disclosure: Disclosure,
}

impl Wanted {
    /// The place among the representations that every round is asked for all the time; none for others.
    pub(super) fn common(&self) -> Option<usize> {
        let format = match self.format {
            Format::Json => 0,
            Format::Csv => 1,
            Format::ExcelCsv | Format::NdJson | Format::Csvw => return None,
        };
        let plain = self.language == Language::Sv
            && self.query == Query::default()
            && self.disclosure == Disclosure::Figures;
        plain.then_some(format * 3 + self.encoding as usize)
    }
}

/// A rendered body.
#[derive(Debug)]
pub struct Body {
    /// The strong validator, with its quotes.
    pub etag: String,
    /// The `Link` field, for tables: what describes them.
    pub link: Option<String>,
    /// What a saved file is called.
    pub file_name: Option<String>,
    /// The body.
    pub bytes: Bytes,
}

/// Counts, renders and codes a representation.
pub(super) fn render(ledger: &Ledger, wanted: &Wanted, links: &Links) -> Result<Body, Vec<Fault>> {
    let answer = tally(&ledger.frame(wanted.disclosure), &wanted.query)?;
    let Wanted { query, language, .. } = wanted;
    let table = |dialect| results::csv(&ledger.slate, &answer, dialect, *language);
    let body = match wanted.format {
        Format::Json | Format::NdJson => results::json(&results::of_round(ledger, &answer, links, query)),
        Format::Csv => table(Dialect::Rfc4180),
        Format::ExcelCsv => table(Dialect::Excel),
        Format::Csvw => results::csvw(ledger, &answer, links, query, *language),
    };
    let described_by =
        results::address(ledger, links, &["format=csvw", &query.written(), language.pick("", "lang=en")]);
    let is_table = matches!(wanted.format, Format::Csv | Format::ExcelCsv);
    let round = &ledger.round;
    Ok(Body {
        etag: etag(ledger, wanted, links),
        link: is_table
            .then(|| format!("<{described_by}>; rel=\"describedby\"; type=\"{}\"", csvw::MEDIA_TYPE)),
        file_name: is_table.then(|| {
            let mark = if ledger.synthetic > 0 { "-synthetic" } else { "" };
            format!("{}-{}-{}{mark}.csv", round.id, answer.tally.rule.id(), round.sequence)
        }),
        bytes: wanted.encoding.encode(body).into(),
    })
}

/// Round, sequence, rule, representation and program version: equal exactly if the bytes are.
fn etag(ledger: &Ledger, wanted: &Wanted, links: &Links) -> String {
    let round = &ledger.round;
    let of = format!(
        "{}\n{}\n{}\n{}\n{wanted:?}\n{}",
        round.id,
        round.head,
        round.revision,
        env!("CARGO_PKG_VERSION"),
        links.of_state(&round.id, "results", &[])
    );
    let digest = Sha256::digest(of);
    let digest = u64::from_be_bytes(digest[..8].try_into().expect("eight of 32 bytes"));
    format!("\"{}-{digest:016x}\"", round.sequence)
}
