//! The reference data under `fixtures`: what can be counted in it without knowing where it came from.
//!
//! A changed code, a group that moved, a population typed wrong or an example without its mark fails here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use crate::program::{Program, repository};

type Row = HashMap<String, String>;

/// A file of `fixtures` by heading; codes stay text.
fn rows(file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(repository(&format!("fixtures/{file}"))).unwrap();
    let headings = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        headings.iter().zip(&record).map(|(heading, cell)| (heading.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn number(row: &Row, column: &str) -> u32 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// How many rows there are of each value of a column.
fn tally<'a>(rows: &'a [Row], column: &str) -> BTreeMap<&'a str, usize> {
    let mut tally = BTreeMap::new();
    for row in rows {
        *tally.entry(&*row[column]).or_default() += 1;
    }
    tally
}

#[test]
fn there_are_290_municipalities_with_codes_of_their_own() {
    let municipalities = rows("municipalities.csv");
    assert_eq!(municipalities.len(), 290);
    assert_eq!(tally(&municipalities, "code").len(), 290);
    assert_eq!(tally(&municipalities, "name").len(), 290);
    for row in &municipalities {
        let code = &row["code"];
        assert!(code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        assert_eq!(code[..2], row["county"], "{code}");
    }
    let codes: Vec<&String> = municipalities.iter().map(|row| &row["code"]).collect();
    assert!(codes.is_sorted(), "by code");
}

#[test]
fn there_are_21_counties_and_a_region_for_each() {
    let municipalities = rows("municipalities.csv");
    let counties = tally(&municipalities, "county");
    assert_eq!(counties.len(), 21);
    let regions = rows("regions.csv");
    assert_eq!(regions.len(), 21);
    assert_eq!(
        tally(&regions, "code").into_keys().collect::<Vec<_>>(),
        counties.into_keys().collect::<Vec<_>>()
    );
    for region in &regions {
        assert_eq!(region["code"], region["county"]);
        let of_county = municipalities.iter().filter(|row| row["county"] == region["county"]);
        let sum: u32 = of_county.map(|row| number(row, "population")).sum();
        assert_eq!(number(region, "population"), sum, "{}", region["name"]);
    }
}

#[test]
fn gotland_is_a_municipality_and_a_region() {
    let of_gotland = |file: &str| -> Vec<(String, String)> {
        let rows = rows(file).into_iter().filter(|row| row["name"].contains("Gotland"));
        rows.map(|row| (row["code"].clone(), row["population"].clone())).collect()
    };
    let [(municipality, inhabitants)] = &of_gotland("municipalities.csv")[..] else { panic!("one row") };
    let [(region, the_same)] = &of_gotland("regions.csv")[..] else { panic!("one row") };
    assert_eq!((&**municipality, &**region), ("0980", "09"));
    // The same people: a sum over both files would count them twice.
    assert_eq!(inhabitants, the_same);
    assert_eq!(tally(&rows("municipalities.csv"), "county")["09"], 1);
}

#[test]
fn the_nine_groups_have_their_published_sizes() {
    let municipalities = rows("municipalities.csv");
    let expected = [
        ("A1", 3),
        ("A2", 43),
        ("B3", 23),
        ("B4", 63),
        ("B5", 24),
        ("C6", 27),
        ("C7", 51),
        ("C8", 35),
        ("C9", 21),
    ];
    assert_eq!(tally(&municipalities, "skr-group-2023"), expected.into_iter().collect());
    for row in &municipalities {
        assert_eq!(row["main-group-2023"], row["skr-group-2023"][..1], "{}", row["code"]);
    }
    let largest: BTreeSet<&str> =
        municipalities.iter().filter(|row| row["skr-group-2023"] == "A1").map(|row| &*row["name"]).collect();
    assert_eq!(largest, ["Göteborg", "Malmö", "Stockholm"].into_iter().collect());
}

#[test]
fn size_bands_fit_the_population_and_have_their_published_sizes() {
    let municipalities = rows("municipalities.csv");
    let expected = [
        ("0-4999", 17),
        ("5000-9999", 59),
        ("10000-14999", 56),
        ("15000-19999", 35),
        ("20000-29999", 35),
        ("30000-49999", 37),
        ("50000-99999", 31),
        ("100000-199999", 16),
        ("200000-", 4),
    ];
    assert_eq!(tally(&municipalities, "size"), expected.into_iter().collect());
    for row in &municipalities {
        let (least, most) = row["size"].split_once('-').unwrap();
        let band = least.parse().unwrap()..=most.parse().unwrap_or(u32::MAX);
        assert!(band.contains(&number(row, "population")), "{row:?}");
    }
}

#[test]
fn populations_sum_to_the_country() {
    let sum = |file: &str| -> u32 { rows(file).iter().map(|row| number(row, "population")).sum() };
    assert_eq!(sum("municipalities.csv"), 10_605_520);
    assert_eq!(sum("population-2024.csv"), 10_587_710);
    assert_eq!(sum("regions.csv"), 10_605_520);
}

#[test]
fn both_years_are_of_the_same_municipalities() {
    let names = |file: &str| -> Vec<(String, String)> {
        rows(file).into_iter().map(|row| (row["code"].clone(), row["name"].clone())).collect()
    };
    assert_eq!(names("municipalities.csv"), names("population-2024.csv"));
}

#[test]
fn five_initiatives_are_documented_and_eight_say_that_they_are_examples() {
    let initiatives = rows("initiatives.csv");
    assert_eq!(tally(&initiatives, "status"), [("documented", 5), ("example", 8)].into_iter().collect());
    assert_eq!(tally(&initiatives, "id").len(), 13);
    let numbers: Vec<u32> = initiatives.iter().map(|row| number(row, "number")).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<u32>>());
    for row in &initiatives {
        let example = row["status"] == "example";
        assert_eq!(row["titleSv"].starts_with("[Exempel] "), example, "{}", row["id"]);
        assert_eq!(row["titleEn"].starts_with("[Example] "), example, "{}", row["id"]);
        assert!(!row["source"].is_empty(), "{}", row["id"]);
        assert_eq!(row["source"].contains("made up"), example, "{}", row["id"]);
    }
}

#[test]
fn every_group_that_is_used_has_a_title_and_every_title_is_used() {
    let municipalities = rows("municipalities.csv");
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for column in ["county", "skr-group-2023", "main-group-2023", "size"] {
        used.insert((column, ""));
        used.extend(tally(&municipalities, column).into_keys().map(|value| (column, value)));
    }
    let labels = rows("groups.csv");
    let titled: BTreeSet<(&str, &str)> = labels.iter().map(|row| (&*row["column"], &*row["value"])).collect();
    assert_eq!(titled, used);
    assert_eq!(labels.len(), titled.len(), "a group stands twice");
    assert!(labels.iter().all(|row| !row["titleSv"].is_empty() && !row["titleEn"].is_empty()));
}

#[test]
fn files_are_plain() {
    for file in ["municipalities", "population-2024", "regions", "initiatives", "groups"] {
        let bytes = std::fs::read(repository(&format!("fixtures/{file}.csv"))).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.starts_with('\u{feff}') && !text.contains('\r') && text.ends_with('\n'), "{file}");
    }
}

#[test]
fn the_rounds_read_without_a_fault() {
    for (folder, participants, said) in [
        ("handslag-2024", 290, "opens  2024-03-01T07:00:00.000000Z (2024-03-01T08:00:00+01:00)"),
        ("regioner-2026", 21, "opens  2026-02-02T07:00:00.000000Z (2026-02-02T08:00:00+01:00)"),
    ] {
        let program = Program::new();
        let made = program.run(&["round", "create", &repository(&format!("fixtures/rounds/{folder}"))]).is(0);
        assert_eq!(made.err, "", "{folder}");
        let lines: Vec<&str> = made.out.lines().collect();
        assert_eq!(lines[0], format!("{folder} draft: 13 initiatives, {participants} participants"));
        assert_eq!(lines[1], said);
        let shown = program.run(&["round", "show", folder]).is(0).json();
        assert_eq!(shown["participantCount"], participants);
        assert_eq!(shown["state"], "draft");
    }
}

#[test]
fn the_lot_of_the_round_is_the_one_that_its_source_says() {
    let definition = std::fs::read_to_string(repository("fixtures/rounds/handslag-2024/round.toml")).unwrap();
    let definition: toml::Table = definition.parse().unwrap();
    let lot: Vec<&str> =
        definition["lot"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let initiatives = rows("initiatives.csv");
    let mut drawn: Vec<&str> = initiatives.iter().map(|row| &*row["id"]).collect();
    drawn.sort_by_key(|id| <[u8; 32]>::from(Sha256::digest(format!("handslag-2024:{id}"))));
    assert_eq!(lot, drawn);
}

#[test]
fn every_election_says_where_it_is_from_and_is_what_it_says() {
    let folders = std::fs::read_dir(repository("fixtures/elections")).unwrap();
    let mut seen = 0;
    for folder in folders.map(|entry| entry.unwrap().path()) {
        let source = std::fs::read_to_string(folder.join("source.md")).unwrap();
        assert!(source.contains("- Licence: "), "{}", folder.display());
        let hash = Sha256::digest(std::fs::read(folder.join("ballots.csv")).unwrap());
        assert!(source.contains(&format!("`{hash:x}`")), "{}: the ballots are others", folder.display());
        assert!(folder.join("meta.json").is_file(), "{}", folder.display());
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} elections");
}
