//! Which format a file has: what its beginning says for certain, else what its name says.

use super::{Format, blt, csv, ndjson, preflib};

/// The format, if anything tells it. Which of PrefLib's kinds it is, its header says.
pub(super) fn detect(name: &str, head: &[u8]) -> Option<Format> {
    let head = String::from_utf8_lossy(head);
    let lines = || head.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().take_while(|line| line.starts_with('#')).any(preflib::recognises) {
        return Some(Format::of_name(name).filter(|format| format.is_preflib()).unwrap_or(Format::Toi));
    }
    // What is no comment.
    let first = lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let told = if ndjson::recognises(first) {
        Some(Format::NdJson)
    } else if blt::recognises(first) {
        Some(Format::Blt)
    } else if csv::recognises(first) {
        Some(Format::Csv)
    } else if is_abif(first) {
        Some(Format::Abif)
    } else {
        None
    };
    told.or_else(|| Format::of_name(name))
}

/// Whether a line can only stand in such a file: `=A:[Name]`, `{version: "0.1"}`, `27:A>B`. A line as `3: 1,2` could
/// stand in one of PrefLib, too.
fn is_abif(line: &str) -> bool {
    let count = line.split_once(':').map(|(count, rest)| (count.trim(), rest));
    line == "ABIF"
        || line.starts_with("ABIF ")
        || (line.starts_with('=') && line.contains(':'))
        || (line.starts_with('{') && line.ends_with('}') && !line.starts_with("{\""))
        || count.is_some_and(|(count, rest)| {
            !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) && rest.contains('>')
        })
}
