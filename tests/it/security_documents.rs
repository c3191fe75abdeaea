//! The security documents say which test shows what: every test that they name is there, and what they say of the
//! verification standard is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::program::repository;

/// The documents that name tests.
const DOCUMENTS: [&str; 5] = [
    "docs/SECURITY.md",
    "docs/security/threat-model.md",
    "docs/security/owasp-api-top-10.md",
    "docs/security/asvs.md",
    "docs/security/keys.md",
];
/// The columns that name them.
const COLUMNS: [&str; 2] = ["tests", "shown by"];
/// What a requirement is answered with.
const ANSWERS: [&str; 4] = ["met", "in part", "not", "does not apply"];

/// How many requirements of the levels 1 and 2 each section of ASVS 5.0.0 has, of the chapters that are answered. In
/// every section they stand before those of level 3.
const SECTIONS: &str = "
    1.1:2 1.2:9 1.3:11 1.4:3 1.5:2
    2.1:3 2.2:3 2.3:4 2.4:1
    4.1:3 4.2:1 4.3:2 4.4:4
    6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4
    8.1:2 8.2:3 8.3:1 8.4:1
    9.1:3 9.2:4
    10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3
    11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1
    12.1:3 12.2:2 12.3:4
    13.1:1 13.2:5 13.3:2 13.4:5
    14.1:2 14.2:4 14.3:3
    15.1:3 15.2:3 15.3:7
    16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
";

/// The modules of the tests, and the tests of each.
type Tests = BTreeMap<String, BTreeSet<String>>;

/// A row of a table: its line, and its cells by the headings above them.
struct Row<'a> {
    line: usize,
    cells: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    fn cell(&self, heading: &str) -> Option<&'a str> {
        self.cells.iter().find(|(of, _)| *of == heading).map(|(_, cell)| *cell)
    }

    /// The tests that it names, each with its line.
    fn named(&self) -> Vec<(usize, &'a str)> {
        let cells = COLUMNS.iter().filter_map(|column| self.cell(column));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(|name| (self.line, name)).collect()
    }
}

/// The cells of a line, if it is one of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(line.split('|').map(str::trim).collect())
}

/// The rows of all tables of a text.
fn rows(text: &str) -> Vec<Row<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut headings: Option<Vec<&str>> = None;
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(of_line) = cells(line) else {
            headings = None;
            continue;
        };
        let rule = |line: &&str| line.starts_with("| ---");
        match &headings {
            _ if rule(line) => {}
            None if lines.get(number + 1).is_some_and(rule) => headings = Some(of_line),
            None => panic!("line {}: a row without headings", number + 1),
            Some(headings) => {
                assert_eq!(of_line.len(), headings.len(), "cells of line {}: {line}", number + 1);
                rows.push(Row { line: number + 1, cells: headings.iter().copied().zip(of_line).collect() });
            }
        }
    }
    rows
}

/// The tests that a text names, each with its line.
fn named(text: &str) -> Vec<(usize, &str)> {
    rows(text).iter().flat_map(Row::named).collect()
}

/// What a text names and what is not there.
fn missing(text: &str, tests: &Tests) -> Vec<String> {
    let is_there = |name: &str| match name.split_once("::") {
        None => tests.contains_key(name),
        Some((module, test)) => tests.get(module).is_some_and(|tests| tests.contains(test)),
    };
    let missing = named(text).into_iter().filter(|(_, name)| !is_there(name));
    missing.map(|(line, name)| format!("line {line}: there is no test {name}")).collect()
}

/// The tests of a module's source: functions marked as such, and those of a macro that makes several of each.
fn tests_of(source: &str) -> BTreeSet<String> {
    let (mut tests, mut marked, mut both) = (BTreeSet::new(), false, false);
    for line in source.lines() {
        let name = line.trim_start().strip_prefix("fn ").and_then(|rest| rest.split('(').next());
        match name {
            _ if ["on_both_databases! {", "attacks! {"].contains(&line) => both = true,
            _ if line == "}" => both = false,
            _ if line.trim() == "#[test]" => marked = true,
            Some(name) if marked || both && line.starts_with("    fn ") => {
                tests.insert(name.to_owned());
                marked = false;
            }
            Some(_) | None => {}
        }
    }
    tests
}

/// What is there.
fn written() -> Tests {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    let modules = main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let modules = modules.filter(|module| *module != "support").map(|module| {
        let source = std::fs::read_to_string(folder.join(format!("{module}.rs"))).unwrap();
        (module.to_owned(), tests_of(&source))
    });
    modules.filter(|(_, tests)| !tests.is_empty()).collect()
}

/// What the headings of a text are linked by.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || "- ".contains(*c))
            .collect::<String>()
            .replace(' ', "-")
    })
}

fn read(document: &str) -> String {
    std::fs::read_to_string(repository(document)).unwrap()
}

#[test]
fn every_test_that_is_named_is_there() {
    let tests = written();
    let mut faults = Vec::new();
    for document in DOCUMENTS {
        let text = read(document);
        assert!(named(&text).len() >= 5, "{document} names hardly any test");
        faults.extend(missing(&text, &tests).into_iter().map(|fault| format!("{document}: {fault}")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_document_of_the_folder_is_looked_at() {
    let folder = std::fs::read_dir(repository("docs/security")).unwrap();
    let names: BTreeSet<String> = folder
        .map(|entry| format!("docs/security/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    let known: BTreeSet<String> = DOCUMENTS[1..].iter().map(ToString::to_string).collect();
    assert_eq!(names, known);
}

#[test]
fn every_link_leads_somewhere() {
    for document in DOCUMENTS {
        let folder = Path::new(document).parent().unwrap();
        let text = read(document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { Path::new(document).to_owned() } else { folder.join(file) };
            let there = Path::new(&repository(file.to_str().unwrap())).exists();
            assert!(there, "{document}: there is no {target}");
            let headings = || anchors(&read(file.to_str().unwrap())).any(|anchor| anchor == heading);
            assert!(heading.is_empty() || headings(), "{document}: there is no heading {target}");
        }
    }
}

#[test]
fn a_name_that_is_wrong_is_found() {
    let tests = tests_of(
        "#[test]\nfn one() {}\n\nfn helper() {}\n\non_both_databases! {\n    fn two(a: B) {\n    }\n}\n",
    );
    assert_eq!(tests, ["one", "two"].map(ToOwned::to_owned).into());
    let tests = Tests::from([("module".to_owned(), tests)]);
    let text = "\
        | promise | shown by |\n\
        | --- | --- |\n\
        | `elsewhere` | `module`, `module::one` and `module::two` |\n\
        | a | `modul`, `module::three`, `module::helper` |\n\
        \n\
        Of `other` things.\n\
        \n\
        | other |\n\
        | --- |\n\
        | `things` |\n";
    assert_eq!(
        missing(text, &tests),
        [
            "line 4: there is no test modul",
            "line 4: there is no test module::three",
            "line 4: there is no test module::helper",
        ]
    );
}

#[test]
fn every_requirement_of_the_standard_is_answered_once_and_says_how() {
    let text = read("docs/security/asvs.md");
    let rows: Vec<Row<'_>> = rows(&text).into_iter().filter(|row| row.cell("number").is_some()).collect();
    let sections = SECTIONS.split_whitespace().map(|section| section.split_once(':').unwrap());
    let expected: BTreeSet<String> = sections
        .flat_map(|(of, count)| {
            (1..=count.parse::<u8>().unwrap()).map(move |number| format!("{of}.{number}"))
        })
        .collect();
    let answered: Vec<&str> = rows.iter().filter_map(|row| row.cell("number")).collect();
    let distinct: BTreeSet<String> = answered.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), answered.len(), "a number stands twice");
    assert_eq!(distinct, expected);
    for row in &rows {
        let cell = |heading| row.cell(heading).unwrap_or_default();
        let (answer, how) = (cell("answer"), cell("how, or why not"));
        assert!(ANSWERS.contains(&answer), "line {}: {answer:?} is no answer", row.line);
        assert!(!how.is_empty() || answer == "met" && !cell("tests").is_empty(), "line {}: how?", row.line);
        assert!(!cell("asks for").is_empty(), "line {}: for what?", row.line);
    }
}

#[test]
fn the_sum_of_the_answers_is_right() {
    let text = read("docs/security/asvs.md");
    let all = rows(&text);
    for answer in ANSWERS {
        let count =
            all.iter().filter(|row| row.cell("number").is_some() && row.cell("answer") == Some(answer));
        let told =
            all.iter().find(|row| row.cell("requirements").is_some() && row.cell("answer") == Some(answer));
        let told = told.unwrap_or_else(|| panic!("{answer} is not summed up"));
        assert_eq!(told.cell("requirements"), Some(count.count().to_string().as_str()), "{answer}");
    }
}
