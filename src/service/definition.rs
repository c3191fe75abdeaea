//! A round's definition as documents write it: JSON bodies, TOML files, rows of CSV files.
//!
//! Reading goes to the end and lists every fault. Both document forms come in as the same map of members,
//! so that a file and a request are refused for the same reasons with the same words.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Fault;
use crate::domain::{
    BallotBook, Bounds, Definition, IdFault, Initiative, InitiativeStatus, Instant, LadderStep,
    MAX_INITIATIVES, MAX_PARTICIPANTS, Membership, Participant, ParticipantCode, ParticipantKind, Points,
    Roll, RoundId, Slate, Titles, Visibility,
};
use crate::tally::Rule;

/// The code of faults of form: a member that is missing, unknown or of the wrong type.
pub const FORM: &str = "form";
/// The code of a value that is of the right type and yet none there is.
const VALUE: &str = "value";

/// The members of a definition document, in the order documents write them.
pub const MEMBERS: [&str; 17] = [
    "titleSv",
    "titleEn",
    "participantKind",
    "opensAt",
    "closesAt",
    "picksMin",
    "picksMax",
    "rule",
    "points",
    "cut",
    "visibility",
    "ballotBook",
    "requireCondition",
    "ladder",
    "lot",
    "lotSource",
    "id",
];

/// Reads a whole definition.
///
/// # Errors
/// Every fault of form or of a single member; [`Definition::faults`] finds those between members.
pub fn read(document: &Map<String, Value>) -> Result<(RoundId, Definition), Vec<Fault>> {
    let mut reader = Reader { document, faults: Vec::new(), patching: false };
    reader.refuse_unknown(&MEMBERS);
    let id = reader.required("id", id);
    let definition = reader.definition(None);
    match (id, definition, reader.faults.is_empty()) {
        (Some(id), Some(definition), true) => Ok((id, definition)),
        _ => Err(reader.faults),
    }
}

/// Applies a JSON merge patch (RFC 7396) to a definition.
///
/// # Errors
/// Every fault of form or of a single member.
pub fn patch(document: &Map<String, Value>, present: &Definition) -> Result<Definition, Vec<Fault>> {
    let mut reader = Reader { document, faults: Vec::new(), patching: true };
    reader.refuse_unknown(&MEMBERS[..MEMBERS.len() - 1]);
    let definition = reader.definition(Some(present));
    definition.filter(|_| reader.faults.is_empty()).ok_or(reader.faults)
}

struct Reader<'a> {
    document: &'a Map<String, Value>,
    faults: Vec<Fault>,
    /// In a merge patch `null` asks for the default.
    patching: bool,
}

/// What is wrong with a value: the code, and the words in Swedish and English.
type Wrong = (&'static str, &'static str, &'static str);

impl Reader<'_> {
    fn refuse_unknown(&mut self, known: &[&str]) {
        for member in self.document.keys().filter(|member| !known.contains(&member.as_str())) {
            self.faults.push(Fault::member(
                member,
                FORM,
                "Det finns ingen sådan uppgift.",
                "There is no such member.",
            ));
        }
    }

    fn required<T>(&mut self, member: &'static str, read: impl Fn(&Value) -> Result<T, Wrong>) -> Option<T> {
        let Some(value) = self.document.get(member) else {
            self.faults.push(Fault::member(member, FORM, "Uppgiften saknas.", "The member is missing."));
            return None;
        };
        self.value(member, value, read)
    }

    /// The member if it is there, else the present value, else the default; `null` in a patch asks for the default.
    fn optional<T: Clone>(
        &mut self,
        member: &'static str,
        present: Option<&T>,
        default: T,
        read: impl Fn(&Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        match self.document.get(member) {
            None => Some(present.cloned().unwrap_or(default)),
            Some(Value::Null) if self.patching => Some(default),
            Some(value) => self.value(member, value, read),
        }
    }

    fn value<T>(
        &mut self,
        member: &str,
        value: &Value,
        read: impl Fn(&Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err((code, sv, en)) => {
                self.faults.push(Fault::member(member, code, sv, en));
                None
            }
        }
    }

    fn definition(&mut self, present: Option<&Definition>) -> Option<Definition> {
        let or_present = |reader: &mut Self, member, present: Option<String>| match present {
            None => reader.required(member, text),
            Some(present) => match reader.document.get(member) {
                None => Some(present),
                Some(value) => reader.value(member, value, text),
            },
        };
        let sv = or_present(self, "titleSv", present.map(|p| p.title.sv.clone()));
        let en = or_present(self, "titleEn", present.map(|p| p.title.en.clone()));
        let opens_at = or_present(self, "opensAt", present.map(|p| p.opens_at.to_string()));
        let opens_at = opens_at.and_then(|text| self.value("opensAt", &text.into(), moment));
        let closes_at = or_present(self, "closesAt", present.map(|p| p.closes_at.to_string()));
        let closes_at = closes_at.and_then(|text| self.value("closesAt", &text.into(), moment));
        let kind =
            self.optional("participantKind", present.map(|p| &p.kind), ParticipantKind::Municipality, word);
        let max = self.optional("picksMax", present.map(|p| &p.picks.max), 5, whole);
        let min = self.optional("picksMin", present.map(|p| &p.picks.min), max.unwrap_or(5), whole);
        let linear: Vec<Points> = (1..=max.unwrap_or(5))
            .rev()
            .map(|points| Points::whole(u32::try_from(points).unwrap_or(0)))
            .collect();
        let kept = present.filter(|p| Some(p.picks.max) == max).map(|p| &p.points);
        let points = self.optional("points", kept, linear, |value| list(value, word));
        let rule = self.optional("rule", present.map(|p| &p.rule), "linear".to_owned(), rule);
        let cut = self.optional("cut", present.map(|p| &p.cut), 3, whole);
        let visibility =
            self.optional("visibility", present.map(|p| &p.visibility), Visibility::AfterClose, word);
        let ballot_book =
            self.optional("ballotBook", present.map(|p| &p.ballot_book), BallotBook::Analysts, word);
        let require_condition =
            self.optional("requireCondition", present.map(|p| &p.require_condition), false, truth);
        let ladder = self.optional("ladder", present.map(|p| &p.ladder), LadderStep::ALL.to_vec(), |value| {
            list(value, word)
        });
        let lot = self.optional("lot", present.map(|p| &p.lot), None, |value| {
            nothing_or(value, |value| list(value, word))
        });
        let lot_source =
            self.optional("lotSource", present.map(|p| &p.lot_source), None, |value| nothing_or(value, text));
        Some(Definition {
            title: Titles { sv: sv?, en: en? },
            kind: kind?,
            opens_at: opens_at?,
            closes_at: closes_at?,
            picks: Bounds { min: min?, max: max? },
            rule: rule?,
            points: points?,
            cut: cut?,
            visibility: visibility?,
            ballot_book: ballot_book?,
            require_condition: require_condition?,
            ladder: ladder?,
            lot: lot?,
            lot_source: lot_source?,
            // Not for a document to say: only the demonstration makes ballots up.
            synthetic: present.is_some_and(|present| present.synthetic),
        })
    }
}

fn nothing_or<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Wrong>) -> Result<Option<T>, Wrong> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

fn str(value: &Value) -> Result<&str, Wrong> {
    value.as_str().ok_or((FORM, "En text behövs.", "A text is needed."))
}

fn text(value: &Value) -> Result<String, Wrong> {
    match str(value)? {
        text if text.chars().any(char::is_control) => {
            Err((VALUE, "Texten har styrtecken.", "The text holds control characters."))
        }
        text => Ok(text.to_owned()),
    }
}

fn truth(value: &Value) -> Result<bool, Wrong> {
    value.as_bool().ok_or((FORM, "Sant eller falskt behövs.", "True or false is needed."))
}

fn whole(value: &Value) -> Result<usize, Wrong> {
    let number = whole_number(value).and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= 1_000);
    number.ok_or((FORM, "Ett heltal från 0 till 1000 behövs.", "A whole number from 0 to 1000 is needed."))
}

/// The whole number that a JSON number is: `5` and `5.0` are the same one (JSON Schema 2020-12, section 6.1.1).
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let text = value.is_f64().then(|| value.to_string())?;
        text.strip_suffix(".0")?.parse().ok()
    })
}

fn moment(value: &Value) -> Result<Instant, Wrong> {
    str(value)?.parse().map_err(|_| {
        (
            VALUE,
            "En tidpunkt enligt RFC 3339 med tidszon behövs, som 2026-05-29T23:59:59+02:00.",
            "An RFC 3339 moment with an offset is needed, such as 2026-05-29T23:59:59+02:00.",
        )
    })
}

fn word<T: std::str::FromStr>(value: &Value) -> Result<T, Wrong> {
    let wrong = (VALUE, "Värdet är inget av dem som finns.", "The value is none of those there are.");
    str(value)?.parse().map_err(|_| wrong)
}

fn id(value: &Value) -> Result<RoundId, Wrong> {
    let sv = "Ett id är 1 till 64 tecken: a–z, 0–9 och enstaka bindestreck.";
    str(value)?.parse().map_err(|_| (VALUE, sv, "An id is 1 to 64 of a-z and 0-9 with single hyphens."))
}

fn rule(value: &Value) -> Result<String, Wrong> {
    let id = str(value)?;
    let wrong = (VALUE, "Det finns ingen sådan räkneregel.", "There is no such rule.");
    Rule::find(id).map(|rule| rule.id()).ok_or(wrong)
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    let items = value.as_array().ok_or((FORM, "En lista behövs.", "A list is needed."))?;
    if items.len() > MAX_INITIATIVES {
        return Err((VALUE, "Listan är för lång.", "The list is too long."));
    }
    items.iter().map(item).collect()
}

/// Whether a text for people has a length within bounds and no control characters.
fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(char::is_control)
}

/// An initiative as documents write it.
#[derive(Clone, Debug, Default)]
pub struct InitiativeText {
    /// `id`
    pub id: String,
    /// `number`
    pub number: String,
    /// `titleSv`
    pub title_sv: String,
    /// `titleEn`
    pub title_en: String,
    /// `area`
    pub area: Option<String>,
    /// `owner`
    pub owner: Option<String>,
    /// `status`
    pub status: String,
    /// `source`
    pub source: Option<String>,
}

/// Reads the initiatives of a round.
///
/// # Errors
/// Every fault, with the item's index.
pub fn initiatives(texts: Vec<InitiativeText>) -> Result<Slate, Vec<Fault>> {
    let fault = |i, member, code, sv, en| Fault::item("initiatives", i, member, code, sv, en);
    let mut faults = Vec::new();
    let mut initiatives: Vec<Initiative> = Vec::new();
    let (mut ids, mut numbers) = (HashSet::new(), HashSet::new());
    if texts.len() > MAX_INITIATIVES {
        let (sv, en) = ("Högst 64 initiativ.", "At most 64 initiatives.");
        return Err(vec![Fault::member("initiatives", "too-many", sv, en)]);
    }
    for (i, text) in texts.into_iter().enumerate() {
        let id = text.id.parse();
        if let Err(IdFault::NotASlug | IdFault::NotAParticipant | IdFault::NotQualified) = id {
            let sv = "Ett id är 1 till 64 tecken: a–z, 0–9 och enstaka bindestreck.";
            faults.push(fault(i, "id", "id", sv, "An id is 1 to 64 of a-z and 0-9 with single hyphens."));
        }
        let number = text.number.parse::<u16>().ok().filter(|number| (1..=999).contains(number));
        if number.is_none() {
            faults.push(fault(
                i,
                "number",
                "number",
                "Ett nummer från 1 till 999.",
                "A number from 1 to 999.",
            ));
        }
        if !ids.insert(text.id) {
            faults.push(fault(i, "id", "twice", "Id:t står redan ovan.", "The id stands above already."));
        }
        if number.is_some() && !numbers.insert(number) {
            faults.push(fault(
                i,
                "number",
                "twice",
                "Numret står redan ovan.",
                "The number stands above already.",
            ));
        }
        for (member, text) in [("titleSv", &text.title_sv), ("titleEn", &text.title_en)] {
            if text.trim().is_empty() || !is_text(text, 200) {
                faults.push(fault(
                    i,
                    member,
                    "title",
                    "En titel har 1 till 200 tecken.",
                    "A title has 1 to 200 characters.",
                ));
            }
        }
        for (member, text, most) in
            [("area", &text.area, 100), ("owner", &text.owner, 100), ("source", &text.source, 500)]
        {
            if text.as_ref().is_some_and(|text| !is_text(text, most)) {
                let (sv, en) = (
                    format!("Högst {most} tecken, inga styrtecken."),
                    format!("At most {most} characters, none of them control characters."),
                );
                faults.push(Fault::item("initiatives", i, member, "text", &sv, &en));
            }
        }
        let status = text.status.parse::<InitiativeStatus>();
        if status.is_err() {
            faults.push(fault(i, "status", "status", "documented eller example.", "documented or example."));
        }
        if let (Ok(id), Some(number), Ok(status)) = (id, number, status) {
            let title = Titles { sv: text.title_sv, en: text.title_en };
            let present = |text: Option<String>| text.filter(|text| !text.is_empty());
            let (area, owner, source) = (present(text.area), present(text.owner), present(text.source));
            initiatives.push(Initiative { id, number, title, area, owner, status, source });
        }
    }
    if faults.is_empty() { Ok(Slate::new(initiatives)) } else { Err(faults) }
}

/// The most columns of groups that a roll can have.
const MAX_COLUMNS: usize = 32;

/// A participant as documents write it.
#[derive(Clone, Debug, Default)]
pub struct ParticipantText {
    /// `code`
    pub code: String,
    /// `name`
    pub name: String,
    /// `population`
    pub population: Option<String>,
    /// `weight`
    pub weight: Option<String>,
    /// Column and value of every group.
    pub groups: Vec<(String, String)>,
}

/// Reads the roll of a round.
///
/// # Errors
/// Every fault, with the item's index.
pub fn participants(texts: Vec<ParticipantText>) -> Result<Roll, Vec<Fault>> {
    let fault = |i, member: &str, code, sv, en| Fault::item("participants", i, member, code, sv, en);
    let mut faults = Vec::new();
    let mut participants = Vec::new();
    let mut codes = HashSet::new();
    if texts.len() > MAX_PARTICIPANTS {
        let (sv, en) = ("Högst 20 000 deltagare.", "At most 20,000 participants.");
        return Err(vec![Fault::member("participants", "too-many", sv, en)]);
    }
    let columns: HashSet<&String> =
        texts.iter().flat_map(|text| &text.groups).map(|(column, _)| column).collect();
    if columns.len() > MAX_COLUMNS {
        let (sv, en) = ("Högst 32 indelningar i röstlängden.", "At most 32 columns of groups in the roll.");
        return Err(vec![Fault::member("participants", "too-many", sv, en)]);
    }
    for (i, text) in texts.into_iter().enumerate() {
        let code = text.code.parse::<ParticipantCode>();
        if code.is_err() {
            let sv =
                "En kod är fyra siffror (kommun), två (region) eller a–z, 0–9 och bindestreck (nätverk).";
            let en = "A code is four digits (municipality), two (region) or a-z, 0-9 and hyphens (network).";
            faults.push(fault(i, "code", "code", sv, en));
        }
        if !codes.insert(text.code) {
            faults.push(fault(
                i,
                "code",
                "twice",
                "Koden står redan ovan.",
                "The code stands above already.",
            ));
        }
        if text.name.trim().is_empty() || !is_text(&text.name, 100) {
            faults.push(fault(
                i,
                "name",
                "name",
                "Ett namn har 1 till 100 tecken.",
                "A name has 1 to 100 characters.",
            ));
        }
        let population = text.population.map(|text| text.parse::<u32>().ok().filter(|&n| n <= 100_000_000));
        if population == Some(None) {
            faults.push(fault(
                i,
                "population",
                "population",
                "Ett heltal utan mellanslag.",
                "A whole number.",
            ));
        }
        let weight = text.weight.map_or(Ok(Points::whole(1)), |text| text.parse::<Points>());
        if weight.is_err() || weight == Ok(Points::whole(0)) {
            let (sv, en) = ("Ett heltal eller bråk större än 0.", "A whole number or a fraction above 0.");
            faults.push(fault(i, "weight", "weight", sv, en));
        }
        let mut columns = HashSet::new();
        for (column, value) in &text.groups {
            if !Membership::is_column(column) || !columns.insert(column) {
                let sv = "En kolumn är a–z, 0–9 och bindestreck, och står en gång.";
                faults.push(fault(
                    i,
                    "groups",
                    "column",
                    sv,
                    "A column is a-z, 0-9 and hyphens, and stands once.",
                ));
            }
            if !Membership::is_value(value) {
                faults.push(fault(
                    i,
                    "groups",
                    "value",
                    "Ett värde har 1 till 64 tecken.",
                    "A value has 1 to 64 characters.",
                ));
            }
        }
        if let (Ok(code), Ok(weight)) = (code, weight) {
            let groups =
                text.groups.into_iter().map(|(column, value)| Membership { column, value }).collect();
            participants.push(Participant {
                code,
                name: text.name,
                population: population.flatten(),
                weight,
                groups,
            });
        }
    }
    if faults.is_empty() { Ok(Roll::new(participants)) } else { Err(faults) }
}
