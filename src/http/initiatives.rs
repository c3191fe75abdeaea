//! The initiatives of a round.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::Site;
use super::body::{self, Body, Incoming};
use super::guard::{Anyone, Caller, Manage};
use super::problem::{INVALID_ROUND, Problem};
use super::query::{self, Query};
use super::reply::{self, Cache};
use super::rounds;
use crate::domain::Round;
use crate::export::rounds::InitiativeView;
use crate::export::{Link, Links, Meta, Page};
use crate::service::definition::{self, InitiativeText};
use crate::service::ledger::Ledger;
use crate::service::rounds::Command;

/// The validator of a round's lists: they change with the definition only.
pub(super) fn etag(round: &Round) -> String {
    format!("\"r{}\"", round.revision)
}

/// The reply with a page of one of a round's lists.
pub(super) fn listed(
    request: &HttpRequest,
    round: &Round,
    links: &[Link],
    document: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let reply = reply::page_with_etag(request, Cache::of(round), &etag(round), links, document)?;
    Ok(reply::at_sequence(reply, round.sequence))
}

/// The reply with the first page of a list that was replaced.
pub(super) fn replaced(round: &Round, document: &impl Serialize) -> HttpResponse {
    reply::changed(&etag(round), round.sequence, document)
}

#[derive(Serialize)]
struct InitiativePage {
    initiatives: Vec<InitiativeView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

impl InitiativePage {
    fn new(ledger: &Ledger, page: Page, links: &Links) -> Self {
        let all = ledger.slate.initiatives();
        let slice = page.slice(all);
        Self {
            initiatives: slice.iter().map(InitiativeView::from).collect(),
            meta: page.meta(all.len(), slice.len()),
            links: page.links(&links.of_round(&ledger.round.id, "initiatives"), all.len()),
        }
    }
}

pub(super) async fn list(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &query::PAGE);
    let page = query.page();
    query.check()?;
    let board = site.board(&caller, &path)?;
    let document = InitiativePage::new(&board.ledger, page, &site.links);
    listed(&request, &board.ledger.round, &document.links, &document)
}

/// An initiative, as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InitiativeBody {
    id: String,
    #[serde(deserialize_with = "body::whole")]
    number: u16,
    title_sv: String,
    title_en: String,
    area: Option<String>,
    owner: Option<String>,
    status: String,
    source: Option<String>,
}

impl From<InitiativeBody> for InitiativeText {
    fn from(body: InitiativeBody) -> Self {
        Self {
            id: body.id,
            number: body.number.to_string(),
            title_sv: body.title_sv,
            title_en: body.title_en,
            area: body.area,
            owner: body.owner,
            status: body.status,
            source: body.source,
        }
    }
}

/// The initiatives of a round, as they come in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InitiativesBody {
    initiatives: Vec<InitiativeBody>,
}

impl Incoming for InitiativesBody {
    const LIMIT: usize = 256 * 1024;
}

pub(super) async fn put(
    caller: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<InitiativesBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let texts = body.0.initiatives.into_iter().map(Into::into).collect();
    let slate = definition::initiatives(texts).map_err(|faults| Problem::invalid(&INVALID_ROUND, faults))?;
    let ledger = rounds::command(&caller, &site, &path, &request, Command::Initiatives(slate)).await?;
    Ok(replaced(&ledger.round, &InitiativePage::new(&ledger, Page::default(), &site.links)))
}
