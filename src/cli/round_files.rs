//! A round as files: `round.toml`, and its initiatives and participants as CSV beside it.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::sheet::{At, Row, Sheet};
use super::{Failure, line};
use crate::domain::{Definition, Roll, RoundId, Slate};
use crate::service::definition::{self, InitiativeText, ParticipantText};
use crate::service::{Fault, Place, rounds};

/// The name of the definition in a round's folder.
const DEFINITION: &str = "round.toml";

/// A round that was read from files.
pub(super) struct RoundFiles {
    pub(super) id: RoundId,
    pub(super) definition: Definition,
    pub(super) slate: Slate,
    pub(super) roll: Roll,
}

/// Reads a round from its folder, or from its definition, all faults at once.
pub(super) fn open(path: &Path) -> Result<RoundFiles, Failure> {
    let file = if path.is_dir() { path.join(DEFINITION) } else { path.to_owned() };
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
    read(&file.display().to_string(), &text, |name| {
        let path = folder.join(name);
        let bytes =
            std::fs::read(&path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        Ok((path.display().to_string(), bytes))
    })
}

/// Reads a round from texts; `load` finds the files that the definition names.
pub(super) fn read(
    file: &str,
    text: &str,
    load: impl Fn(&str) -> Result<(String, Vec<u8>), Failure>,
) -> Result<RoundFiles, Failure> {
    let mut document = Document::read(file, text)?;
    let initiatives = document.file("initiativesFile", "initiatives.csv");
    let participants = document.file("participantsFile", "participants.csv");
    let mut faults = Vec::new();
    let head = definition::read(&document.members)
        .map_err(|found| faults.extend(found.iter().map(|fault| line(&document.place(fault), fault))))
        .ok();
    let mut of_lists = Vec::new();
    let mut sheet = |name: &str| {
        let (name, bytes) = load(name)?;
        match Sheet::read(&name, &bytes) {
            Ok(sheet) => Ok(Some(sheet)),
            Err(Failure::Refused(found)) => {
                of_lists.extend(found);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    };
    let (initiatives, participants) = (sheet(&initiatives)?, sheet(&participants)?);
    let slate =
        initiatives.and_then(|sheet| read_initiatives(&sheet).map_err(|found| of_lists.extend(found)).ok());
    let roll =
        participants.and_then(|sheet| read_participants(&sheet).map_err(|found| of_lists.extend(found)).ok());
    // What can be read is held against each other, also when something else cannot.
    let (empty_slate, empty_roll) = (Slate::default(), Roll::default());
    if let Some((_, definition)) = &head {
        let (slate, roll) = (slate.as_ref().unwrap_or(&empty_slate), roll.as_ref().unwrap_or(&empty_roll));
        let found = rounds::faults(definition, slate, roll);
        faults.extend(found.iter().map(|fault| line(&document.place(fault), fault)));
    }
    faults.extend(of_lists);
    match (head, slate, roll) {
        (Some((id, definition)), Some(slate), Some(roll)) if faults.is_empty() => {
            Ok(RoundFiles { id, definition, slate, roll })
        }
        _ => Err(Failure::Refused(faults)),
    }
}

/// A TOML document as members, with the place of each.
struct Document {
    file: String,
    members: Map<String, Value>,
    places: HashMap<String, (u64, usize)>,
}

impl Document {
    fn read(file: &str, text: &str) -> Result<Self, Failure> {
        let table = DeTable::parse(text).map_err(|error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            Failure::refused(format!("{file}:{line}:{column}: toml: {}", error.message()))
        })?;
        let mut document = Self { file: file.to_owned(), members: Map::new(), places: HashMap::new() };
        for (key, value) in table.into_inner() {
            let name = key.get_ref().to_string();
            document.places.insert(name.clone(), position(text, value.span().start));
            document.members.insert(name, json(value.get_ref()));
        }
        Ok(document)
    }

    /// Takes the name of a file out of the members.
    fn file(&mut self, member: &str, default: &str) -> String {
        match self.members.get(member) {
            Some(Value::String(name)) => {
                let name = name.clone();
                self.members.remove(member);
                name
            }
            _ => default.to_owned(),
        }
    }

    /// Where the member of a fault stands; the first line for one that is missing.
    fn place(&self, fault: &Fault) -> String {
        let (member, at) = match &fault.place {
            Place::Member(member) => (member.clone(), self.places.get(member)),
            place => (place.to_string(), None),
        };
        let (line, column) = at.copied().unwrap_or((1, 1));
        format!("{}: {member}", At { file: self.file.clone(), line, column })
    }
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => number.to_string().parse::<i64>().map_or(Value::Null, Value::from),
        DeValue::Float(number) => Value::String(number.to_string()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, item)| (key.get_ref().to_string(), json(item.get_ref()))).collect()
        }
    }
}

fn position(text: &str, offset: usize) -> (u64, usize) {
    let before = &text[..offset.min(text.len())];
    let line = 1 + before.matches('\n').count() as u64;
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line, column)
}

/// Reads a file of initiatives.
pub(super) fn read_initiatives(sheet: &Sheet) -> Result<Slate, Vec<String>> {
    const KNOWN: [&str; 8] = ["id", "number", "titleSv", "titleEn", "area", "owner", "status", "source"];
    let mut faults = headings(sheet, &KNOWN, &["id", "number", "titleSv", "titleEn", "status"]);
    faults.extend(
        sheet.headings.iter().enumerate().filter(|(_, heading)| !KNOWN.contains(&heading.as_str())).map(
            |(i, heading)| {
                format!(
                    "{}:1:{}: heading: {heading:?} finns inte. / There is no {heading:?}.",
                    sheet.file,
                    i + 1
                )
            },
        ),
    );
    if !faults.is_empty() {
        faults.extend_from_slice(&sheet.faults);
        return Err(faults);
    }
    let column = |name| sheet.column(&[name]);
    let text = |row: &Row, name| row.cell(column(name)).unwrap_or_default().to_owned();
    let optional = |row: &Row, name| row.cell(column(name)).map(ToOwned::to_owned);
    let texts = sheet.rows.iter().map(|row| InitiativeText {
        id: text(row, "id"),
        number: text(row, "number"),
        title_sv: text(row, "titleSv"),
        title_en: text(row, "titleEn"),
        area: optional(row, "area"),
        owner: optional(row, "owner"),
        status: text(row, "status"),
        source: optional(row, "source"),
    });
    whole(sheet, definition::initiatives(texts.collect()))
}

/// Reads a file of participants; columns beyond the known ones are groups.
pub(super) fn read_participants(sheet: &Sheet) -> Result<Roll, Vec<String>> {
    const KNOWN: [&str; 4] = ["code", "name", "population", "weight"];
    let mut faults = headings(sheet, &KNOWN, &["code", "name"]);
    if !faults.is_empty() {
        faults.extend_from_slice(&sheet.faults);
        return Err(faults);
    }
    let column = |name| sheet.column(&[name]);
    let text = |row: &Row, name| row.cell(column(name)).unwrap_or_default().to_owned();
    let optional = |row: &Row, name| row.cell(column(name)).map(ToOwned::to_owned);
    let groups: Vec<(usize, &String)> =
        sheet.headings.iter().enumerate().filter(|(_, heading)| !KNOWN.contains(&heading.as_str())).collect();
    let texts = sheet.rows.iter().map(|row| ParticipantText {
        code: text(row, "code"),
        name: text(row, "name"),
        population: optional(row, "population"),
        weight: optional(row, "weight"),
        groups: groups
            .iter()
            .filter_map(|(i, heading)| Some(((*heading).clone(), row.cell(Some(*i))?.to_owned())))
            .collect(),
    });
    whole(sheet, definition::participants(texts.collect()))
}

fn headings(sheet: &Sheet, known: &[&str], required: &[&str]) -> Vec<String> {
    let missing = required.iter().filter(|name| sheet.column(&[name]).is_none());
    missing
        .map(|name| {
            let known = known.join(",");
            format!("{}:1:1: heading: {name:?} saknas. / {name:?} is missing. ({known})", sheet.file)
        })
        .collect()
}

/// What was read, unless the sheet or any of its rows has a fault.
fn whole<T>(sheet: &Sheet, read: Result<T, Vec<Fault>>) -> Result<T, Vec<String>> {
    let mut faults = sheet.faults.clone();
    match read {
        Ok(read) if faults.is_empty() => return Ok(read),
        Ok(_) => {}
        Err(found) => faults.extend(at_cells(sheet, &found)),
    }
    Err(faults)
}

fn at_cells(sheet: &Sheet, faults: &[Fault]) -> Vec<String> {
    let place = |fault: &Fault| match &fault.place {
        Place::Item { index, member, .. } => {
            let column = sheet.column(&[member]);
            format!("{}: {member}", sheet.at(&sheet.rows[*index], column))
        }
        place => format!("{}: {place}", sheet.file),
    };
    faults.iter().map(|fault| line(&place(fault), fault)).collect()
}
