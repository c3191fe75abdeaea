//! The document that a round's log starts from: its whole definition with initiatives and roll, written and read back.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ledger::Ledger;
use crate::domain::{
    Bounds, Definition, Hash, Initiative, InitiativeId, MAX_INITIATIVES, MAX_PARTICIPANTS, Membership,
    Participant, Points, Roll, Round, RoundId, Slate, Titles,
};

/// The canonical definition of a round, as RFC 8785 writes it.
pub fn document(id: &RoundId, definition: &Definition, slate: &Slate, roll: &Roll) -> String {
    let d = definition;
    let initiatives: Vec<Value> = slate
        .initiatives()
        .iter()
        .map(|i| {
            json!({
                "id": i.id.as_str(), "number": i.number, "titleSv": i.title.sv, "titleEn": i.title.en,
                "area": i.area, "owner": i.owner, "status": i.status.id(), "source": i.source,
            })
        })
        .collect();
    let participants: Vec<Value> = roll
        .participants()
        .iter()
        .map(|p| {
            let groups: Vec<Value> =
                p.groups.iter().map(|g| json!({ "column": g.column, "value": g.value })).collect();
            json!({
                "code": p.code.as_str(), "name": p.name, "population": p.population,
                "weight": p.weight.to_string(), "groups": groups,
            })
        })
        .collect();
    let texts = |items: &[Points]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let document = json!({
        "id": id.as_str(), "titleSv": d.title.sv, "titleEn": d.title.en, "participantKind": d.kind.id(),
        "opensAt": d.opens_at.to_string(), "closesAt": d.closes_at.to_string(),
        "picksMin": d.picks.min, "picksMax": d.picks.max, "rule": d.rule, "points": texts(&d.points),
        "cut": d.cut, "visibility": d.visibility.id(), "ballotBook": d.ballot_book.id(),
        "requireCondition": d.require_condition,
        "ladder": d.ladder.iter().map(|step| step.id()).collect::<Vec<_>>(),
        "lot": d.lot.as_ref().map(|lot| lot.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "lotSource": d.lot_source, "synthetic": d.synthetic,
        "initiatives": initiatives, "participants": participants,
    });
    document.to_string()
}

/// The hash of a canonical definition: what the log of the round starts from.
pub fn hash(document: &str) -> Hash {
    Hash(Sha256::digest(document).into())
}

/// The canonical definition that the log of a round as it stands starts from.
pub fn of(ledger: &Ledger) -> String {
    let Ledger { round, slate, roll, .. } = ledger;
    document(&round.id, &round.first_definition(), slate, roll)
}

/// A round before its first log entry, from its definition; none if it is not what [`document`] writes.
pub(super) fn read(document: &Value) -> Option<(Round, Slate, Roll)> {
    let id: RoundId = parsed(document, "id")?;
    let definition = Definition {
        title: Titles { sv: text(document, "titleSv")?, en: text(document, "titleEn")? },
        kind: parsed(document, "participantKind")?,
        opens_at: parsed(document, "opensAt")?,
        closes_at: parsed(document, "closesAt")?,
        picks: Bounds { min: number(document, "picksMin")?, max: number(document, "picksMax")? },
        rule: text(document, "rule")?,
        points: list(document, "points", |point| point.as_str()?.parse().ok())?,
        cut: number(document, "cut")?,
        visibility: parsed(document, "visibility")?,
        ballot_book: parsed(document, "ballotBook")?,
        require_condition: document.get("requireCondition")?.as_bool()?,
        ladder: list(document, "ladder", |step| step.as_str()?.parse().ok())?,
        lot: match document.get("lot")? {
            Value::Null => None,
            _ => Some(list(document, "lot", |id| id.as_str()?.parse::<InitiativeId>().ok())?),
        },
        lot_source: optional(document, "lotSource")?,
        synthetic: document.get("synthetic")?.as_bool()?,
    };
    let initiatives = list(document, "initiatives", |item| {
        Some(Initiative {
            id: parsed(item, "id")?,
            number: number(item, "number")?,
            title: Titles { sv: text(item, "titleSv")?, en: text(item, "titleEn")? },
            area: optional(item, "area")?,
            owner: optional(item, "owner")?,
            status: parsed(item, "status")?,
            source: optional(item, "source")?,
        })
    })?;
    let participants = list(document, "participants", |item| {
        Some(Participant {
            code: parsed(item, "code")?,
            name: text(item, "name")?,
            population: match item.get("population")? {
                Value::Null => None,
                _ => Some(number(item, "population")?),
            },
            weight: parsed(item, "weight")?,
            groups: list(item, "groups", |group| {
                Some(Membership { column: text(group, "column")?, value: text(group, "value")? })
            })?,
        })
    })?;
    if initiatives.len() > MAX_INITIATIVES || participants.len() > MAX_PARTICIPANTS {
        return None;
    }
    let head = hash(&document.to_string());
    Some((Round::draft(id, definition, head), Slate::new(initiatives), Roll::new(participants)))
}

fn text(document: &Value, member: &str) -> Option<String> {
    document.get(member)?.as_str().map(ToOwned::to_owned)
}

/// A text or `null`; `None` if it is neither.
#[expect(clippy::option_option, reason = "what is read may be nothing, and reading may fail")]
fn optional(document: &Value, member: &str) -> Option<Option<String>> {
    match document.get(member)? {
        Value::Null => Some(None),
        value => Some(Some(value.as_str()?.to_owned())),
    }
}

fn parsed<T: std::str::FromStr>(document: &Value, member: &str) -> Option<T> {
    document.get(member)?.as_str()?.parse().ok()
}

fn number<T: TryFrom<u64>>(document: &Value, member: &str) -> Option<T> {
    T::try_from(document.get(member)?.as_u64()?).ok()
}

fn list<T>(document: &Value, member: &str, item: impl FnMut(&Value) -> Option<T>) -> Option<Vec<T>> {
    document.get(member)?.as_array()?.iter().map(item).collect()
}
