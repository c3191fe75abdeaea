//! Rounds, their initiatives and their rolls as documents.

use chrono::SecondsFormat;
use chrono_tz::Europe::Stockholm;
use serde::Serialize;

use super::{Link, Links, labels};
use crate::domain::{Initiative, Instant, Participant, Round};
use crate::service::ledger::Ledger;

/// A round.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundView {
    id: String,
    title_sv: String,
    title_en: String,
    state: &'static str,
    participant_kind: &'static str,
    opens_at: String,
    closes_at: String,
    opens_at_local: String,
    closes_at_local: String,
    opened_at: Option<String>,
    closed_at: Option<String>,
    picks_min: usize,
    picks_max: usize,
    points: Vec<String>,
    rule: String,
    rule_set: String,
    cut: usize,
    visibility: &'static str,
    ballot_book: &'static str,
    require_condition: bool,
    ladder: Vec<&'static str>,
    lot: Option<Vec<String>>,
    lot_source: Option<String>,
    synthetic: bool,
    initiative_count: usize,
    participant_count: usize,
    sequence: u64,
    log_head: String,
    revision: u32,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

/// A moment as people in Sweden read it on the clock, with the offset of that day.
pub fn local(moment: Instant) -> String {
    moment.utc().with_timezone(&Stockholm).to_rfc3339_opts(SecondsFormat::Secs, false)
}

impl RoundView {
    /// The round as it stands.
    pub fn new(ledger: &Ledger, links: &Links) -> Self {
        let Round { id, definition: d, .. } = &ledger.round;
        let text = |moment: Instant| moment.to_string();
        Self {
            id: id.to_string(),
            title_sv: d.title.sv.clone(),
            title_en: d.title.en.clone(),
            state: ledger.round.state.id(),
            participant_kind: d.kind.id(),
            opens_at: d.opens_at.to_string(),
            closes_at: d.closes_at.to_string(),
            opens_at_local: local(d.opens_at),
            closes_at_local: local(d.closes_at),
            opened_at: ledger.round.opened_at.map(text),
            closed_at: ledger.round.closed_at.map(text),
            picks_min: d.picks.min,
            picks_max: d.picks.max,
            points: d.points.iter().map(ToString::to_string).collect(),
            rule: d.rule.clone(),
            rule_set: ledger.round.rule_set(),
            cut: d.cut,
            visibility: d.visibility.id(),
            ballot_book: d.ballot_book.id(),
            require_condition: d.require_condition,
            ladder: d.ladder.iter().map(|step| step.id()).collect(),
            lot: d.lot.as_ref().map(|lot| lot.iter().map(ToString::to_string).collect()),
            lot_source: d.lot_source.clone(),
            synthetic: d.synthetic,
            initiative_count: ledger.slate.len(),
            participant_count: ledger.roll.len(),
            sequence: ledger.round.sequence,
            log_head: ledger.round.head.to_string(),
            revision: ledger.round.revision,
            links: ["initiatives", "participants", "ballots", "results", "participation"]
                .into_iter()
                .map(|rel| Link::get(rel, links.of_round(id, rel)))
                .fold(vec![Link::get("self", links.round(id))], |mut all, link| {
                    all.push(link);
                    all
                }),
        }
    }
}

/// An initiative.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitiativeView {
    id: String,
    number: u16,
    title_sv: String,
    title_en: String,
    area: Option<String>,
    owner: Option<String>,
    status: &'static str,
    source: Option<String>,
}

impl From<&Initiative> for InitiativeView {
    fn from(initiative: &Initiative) -> Self {
        Self {
            id: initiative.id.to_string(),
            number: initiative.number,
            title_sv: initiative.title.sv.clone(),
            title_en: initiative.title.en.clone(),
            area: initiative.area.clone(),
            owner: initiative.owner.clone(),
            status: initiative.status.id(),
            source: initiative.source.clone(),
        }
    }
}

/// A participant of the roll.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantView {
    kind: &'static str,
    code: String,
    name: String,
    population: Option<u32>,
    weight: String,
    groups: Vec<GroupView>,
}

#[derive(Debug, Serialize)]
struct GroupView {
    column: String,
    value: String,
    title: Option<&'static str>,
}

impl From<&Participant> for ParticipantView {
    fn from(participant: &Participant) -> Self {
        let group = |group: &crate::domain::Membership| GroupView {
            column: group.column.clone(),
            value: group.value.clone(),
            title: labels::value(&group.column, &group.value).map(|title| &*title.sv),
        };
        Self {
            kind: participant.code.kind().id(),
            code: participant.code.to_string(),
            name: participant.name.clone(),
            population: participant.population,
            weight: participant.weight.to_string(),
            groups: participant.groups.iter().map(group).collect(),
        }
    }
}
