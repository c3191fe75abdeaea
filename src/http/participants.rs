//! The roll of a round.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::Site;
use super::body::{self, Body, Incoming};
use super::guard::{Anyone, Caller, Manage};
use super::initiatives::{listed, replaced};
use super::problem::{INVALID_ROUND, Problem};
use super::query::Query;
use super::rounds;
use crate::domain::{Membership, Participant};
use crate::export::rounds::ParticipantView;
use crate::export::{Link, Links, Meta, Page};
use crate::service::definition::{self, ParticipantText};
use crate::service::ledger::Ledger;
use crate::service::rounds::Command;

#[derive(Serialize)]
struct ParticipantPage {
    participants: Vec<ParticipantView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

impl ParticipantPage {
    fn new(ledger: &Ledger, group: Option<(&str, &str)>, page: Page, links: &Links) -> Self {
        let of_group = |participant: &&Participant| {
            group.is_none_or(|(column, value)| participant.group(column) == Some(value))
        };
        let all: Vec<&Participant> = ledger.roll.participants().iter().filter(of_group).collect();
        let address = links.of_round(&ledger.round.id, "participants");
        let query = group.map(|(column, value)| {
            let query = serde_json::json!({ "column": column, "value": value });
            format!("?{}", serde_urlencoded::to_string(query).expect("two texts"))
        });
        let slice = page.slice(&all);
        Self {
            participants: slice.iter().map(|participant| ParticipantView::from(*participant)).collect(),
            meta: page.meta(all.len(), slice.len()),
            links: page.links(&format!("{address}{}", query.unwrap_or_default()), all.len()),
        }
    }
}

pub(super) async fn list(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &["page", "limit", "column", "value"]);
    let page = query.page();
    let group = match (query.get("column"), query.get("value")) {
        (None, None) => None,
        (Some(column), Some(value)) => {
            if !Membership::is_column(column) {
                query.fault(
                    "column",
                    "parameter",
                    "a–z, 0–9 och enstaka bindestreck.",
                    "a-z, 0-9 and single hyphens.",
                );
            }
            if !Membership::is_value(value) {
                query.fault("value", "parameter", "1 till 64 tecken.", "1 to 64 characters.");
            }
            Some((column.to_owned(), value.to_owned()))
        }
        (column, _) => {
            let missing = if column.is_none() { "column" } else { "value" };
            let (sv, en) = ("column och value hör ihop.", "column and value go together.");
            query.fault(missing, "parameter", sv, en);
            None
        }
    };
    query.check()?;
    let board = site.board(&caller, &path)?;
    let document = ParticipantPage::new(
        &board.ledger,
        group.as_ref().map(|(column, value)| (&**column, &**value)),
        page,
        &site.links,
    );
    listed(&request, &board.ledger.round, &document.links, &document)
}

/// A participant, as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParticipantBody {
    code: String,
    name: String,
    #[serde(default, deserialize_with = "body::whole_or_nothing")]
    population: Option<u32>,
    weight: Option<String>,
    #[serde(default)]
    groups: Vec<GroupBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupBody {
    column: String,
    value: String,
}

impl From<ParticipantBody> for ParticipantText {
    fn from(body: ParticipantBody) -> Self {
        Self {
            code: body.code,
            name: body.name,
            population: body.population.map(|n| n.to_string()),
            weight: body.weight,
            groups: body.groups.into_iter().map(|group| (group.column, group.value)).collect(),
        }
    }
}

/// The roll of a round, as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParticipantsBody {
    participants: Vec<ParticipantBody>,
}

impl Incoming for ParticipantsBody {
    const LIMIT: usize = 8 * 1024 * 1024;
}

pub(super) async fn put(
    caller: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<ParticipantsBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let texts = body.0.participants.into_iter().map(Into::into).collect();
    let roll = definition::participants(texts).map_err(|faults| Problem::invalid(&INVALID_ROUND, faults))?;
    let ledger = rounds::command(&caller, &site, &path, &request, Command::Participants(roll)).await?;
    Ok(replaced(&ledger.round, &ParticipantPage::new(&ledger, None, Page::default(), &site.links)))
}
