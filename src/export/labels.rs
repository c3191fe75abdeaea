//! Titles of the groups that the public sector's own classifications name.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::Titles;

/// Column and value; an empty value is the column itself.
static LABELS: LazyLock<HashMap<(String, String), Titles>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("../../fixtures/groups.csv").as_bytes());
    let label = |row: csv::StringRecord| {
        ((row[0].to_owned(), row[1].to_owned()), Titles { sv: row[2].to_owned(), en: row[3].to_owned() })
    };
    reader.records().map(|row| label(row.expect("a fixture with four columns"))).collect()
});

/// The title of a column of the roll.
pub fn column(column: &str) -> Option<&'static Titles> {
    value(column, "")
}

/// The title of a group.
pub fn value(column: &str, value: &str) -> Option<&'static Titles> {
    LABELS.get(&(column.to_owned(), value.to_owned()))
}
