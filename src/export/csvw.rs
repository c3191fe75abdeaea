//! What the columns of a CSV file mean: CSV on the Web metadata (W3C Recommendation, 17 December 2015).

use serde_json::{Value, json};

/// The media type of the metadata.
pub const MEDIA_TYPE: &str = "application/csvm+json";

/// A column.
#[derive(Debug)]
pub struct Column {
    name: String,
    datatype: &'static str,
    required: bool,
    description: (&'static str, &'static str),
}

impl Column {
    /// A column whose cells are never empty.
    pub fn new(name: impl Into<String>, datatype: &'static str, sv: &'static str, en: &'static str) -> Self {
        Self { name: name.into(), datatype, required: true, description: (sv, en) }
    }

    /// The column with cells that may be empty.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}

/// The metadata of the table at this address. `notes` says what does not fit in a row: round, rule, sequence.
pub fn metadata(address: &str, title: &str, columns: &[Column], key: &[&str], notes: &Value) -> Vec<u8> {
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name, "titles": column.name, "datatype": column.datatype,
                "required": column.required,
                "dc:description": [
                    { "@value": column.description.0, "@language": "sv" },
                    { "@value": column.description.1, "@language": "en" },
                ],
            })
        })
        .collect();
    let document = json!({
        "@context": "http://www.w3.org/ns/csvw",
        "url": address,
        "dc:title": title,
        "dialect": { "delimiter": ",", "header": true, "encoding": "utf-8", "lineTerminators": ["\r\n"] },
        "tableSchema": { "columns": columns, "primaryKey": key },
        "notes": [notes],
    });
    serde_json::to_vec(&document).expect("a document of texts and numbers")
}
