//! Rounds to test with, made of the repository's fixtures.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::Service;

/// The id of the default round.
pub(crate) const ROUND: &str = "handslag-2026";

/// Five different initiatives of the default round.
pub(crate) const FIVE: &[&str] = &[
    "identitet-behorighet",
    "sdk-socialtjanst",
    "valfardsteknik",
    "kompetensgemenskaper",
    "informationssakerhet",
];

/// The 13 initiatives of the fixtures, as a request body writes them.
pub(crate) fn initiatives() -> Value {
    static READ: LazyLock<Value> = LazyLock::new(|| {
        let rows = rows(include_str!("../../../fixtures/initiatives.csv"));
        let initiative = |mut row: Map<String, Value>| {
            let number = row["number"].as_str().and_then(|text| text.parse::<u16>().ok());
            row.insert("number".into(), json!(number.expect("a fixture with numbers")));
            Value::Object(row)
        };
        rows.into_iter().map(initiative).collect()
    });
    READ.clone()
}

/// The 290 municipalities of the fixtures with their groups, as a request body writes them.
pub(crate) fn municipalities() -> Value {
    static READ: LazyLock<Value> =
        LazyLock::new(|| participants(include_str!("../../../fixtures/municipalities.csv")));
    READ.clone()
}

/// The codes of the 290 municipalities, in order.
pub(crate) fn municipality_codes() -> Vec<String> {
    let municipalities = municipalities();
    let list = municipalities.as_array().expect("a list");
    list.iter().map(|participant| participant["code"].as_str().expect("a code").to_owned()).collect()
}

/// A roll as a request body writes it; columns beyond the known ones are groups.
pub(crate) fn participants(csv: &str) -> Value {
    let participant = |row: Map<String, Value>| {
        let mut participant = json!({ "code": row["code"], "name": row["name"] });
        if let Some(population) = row["population"].as_str() {
            participant["population"] = json!(population.parse::<u32>().expect("a fixture with numbers"));
        }
        let of_roll = |column: &&String| !["code", "name", "population"].contains(&column.as_str());
        let groups =
            row.keys().filter(of_roll).map(|column| json!({ "column": column, "value": row[column] }));
        participant["groups"] = groups.collect();
        participant
    };
    rows(csv).into_iter().map(participant).collect()
}

fn rows(csv: &str) -> Vec<Map<String, Value>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headings = reader.headers().expect("a fixture has a heading").clone();
    let row = |row: csv::StringRecord| {
        let cells = headings.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(heading, cell)| (heading.to_owned(), cell.into())).collect()
    };
    reader.records().map(|record| row(record.expect("a fixture that can be read"))).collect()
}

/// A roll of these municipalities, with population and groups, as a request body writes it.
pub(crate) fn roll<'a>(
    rows: impl IntoIterator<Item = (&'a str, Option<u32>, Vec<(&'a str, &'a str)>)>,
) -> Value {
    let participant = |(code, population, groups): (&str, Option<u32>, Vec<(&str, &str)>)| {
        let groups = groups.into_iter().map(|(column, value)| json!({ "column": column, "value": value }));
        json!({ "code": code, "name": code, "population": population, "groups": groups.collect::<Value>() })
    };
    rows.into_iter().map(participant).collect()
}

/// The default round with these members changed: all municipalities, 13 initiatives, open in March 2026.
pub(crate) fn definition(changes: Value) -> Value {
    let mut definition = json!({
        "id": ROUND,
        "titleSv": "Kommungemensamt handslag 2026",
        "titleEn": "The municipalities' joint handshake 2026",
        "opensAt": "2026-03-02T08:00:00+01:00",
        "closesAt": "2026-03-31T23:59:59+02:00",
        "initiatives": initiatives(),
        "participants": municipalities(),
    });
    merge(&mut definition, changes);
    definition
}

/// Puts the members of one object into another.
pub(crate) fn merge(into: &mut Value, changes: Value) {
    let Value::Object(changes) = changes else { panic!("changes are an object, not {changes}") };
    into.as_object_mut().expect("an object").extend(changes);
}

/// The nine ballots of the conformance vector, three picks among six initiatives, as those who gave them.
pub(crate) const VECTOR: [(&str, &str); 9] = [
    ("0114", "dbf"),
    ("0115", "fdb"),
    ("0117", "bdc"),
    ("0120", "eab"),
    ("0123", "eab"),
    ("0125", "cab"),
    ("0126", "fac"),
    ("0127", "ecf"),
    ("0128", "adb"),
];

impl Service {
    /// The conformance vector as the default round, which anyone may see; `changes` as in [`definition`].
    #[track_caller]
    pub(crate) fn conformance(&self, changes: Value) {
        let initiative = |(number, id): (u32, char)| {
            json!({
                "id": id.to_string(), "number": number, "titleSv": format!("Titel {id}"),
                "titleEn": format!("Title {id}"), "status": "example",
            })
        };
        let mut round = json!({
            "initiatives": (1..).zip('a'..='f').map(initiative).collect::<Value>(), "picksMax": 3,
            "visibility": "live", "ballotBook": "open", "lot": ["f", "e", "d", "c", "b", "a"],
            "lotSource": "Dragen i förväg",
        });
        merge(&mut round, changes);
        self.open_round(round);
        for (code, ranking) in VECTOR {
            let ranking: Vec<String> = ranking.chars().map(String::from).collect();
            let ranking: Vec<&str> = ranking.iter().map(String::as_str).collect();
            self.submit(code, &ranking).is(201);
        }
    }
}
