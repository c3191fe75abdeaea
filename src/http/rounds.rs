//! Rounds: the list, one, a new one, and the steps of its life.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audit::{self, Note};
use super::body::{Body, Incoming};
use super::guard::{Anyone, Caller, Manage};
use super::initiatives::InitiativeBody;
use super::moment::{MIN_SEQUENCE, Moment};
use super::participants::ParticipantBody;
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, conditional};
use crate::domain::audit::Target;
use crate::domain::{Roll, Round, RoundId, Slate, State};
use crate::export::rounds::RoundView;
use crate::export::{Link, Meta};
use crate::identity::Scope;
use crate::service::ledger::Ledger;
use crate::service::rounds::{Command, faults as faults_between};
use crate::service::{Error, Fault, definition};

/// The validator of a round: its definition's revision and its sequence.
pub(super) fn etag(round: &Round) -> String {
    format!("\"r{}-{}\"", round.revision, round.sequence)
}

#[derive(Serialize)]
struct RoundPage {
    rounds: Vec<RoundView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &["page", "limit", "state"]);
    let page = query.page();
    let states: Vec<(&str, State)> = State::ALL.iter().map(|state| (state.id(), *state)).collect();
    let state = query.word("state", &states);
    query.check()?;
    let manages = caller.has(Scope::RoundsAdmin);
    let mut boards = site.boards.all();
    boards.retain(|board| {
        let of = board.ledger.round.state;
        (manages || of != State::Draft) && state.is_none_or(|state| state == of)
    });
    boards.sort_by_key(|board| {
        std::cmp::Reverse((board.ledger.round.definition.opens_at, board.ledger.round.id.clone()))
    });
    let address = state
        .map_or_else(|| site.links.to("/rounds"), |state| site.links.to(&format!("/rounds?state={state}")));
    let slice = page.slice(&boards);
    let document = RoundPage {
        rounds: slice.iter().map(|board| RoundView::new(&board.ledger, &site.links)).collect(),
        meta: page.meta(boards.len(), slice.len()),
        links: page.links(&address, boards.len()),
    };
    let cache = if manages { Cache::Private } else { Cache::Public };
    let mut reply = reply::json_page(cache, &document.links, &document);
    reply.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Authorization"));
    Ok(reply)
}

pub(super) async fn get(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &[MIN_SEQUENCE]);
    let moment = Moment::read(&query);
    query.check()?;
    let board = moment.of(&site, &caller, &path).await?.board;
    let round = &board.ledger.round;
    let reply = reply::json_with_etag(&request, Cache::of(round), &etag(round), "Authorization", || {
        Ok(serde_json::to_vec(&RoundView::new(&board.ledger, &site.links))
            .expect("a document of texts and numbers"))
    })?;
    Ok(reply::at_sequence(reply, round.sequence))
}

/// A definition with its lists, as it comes in.
#[derive(Deserialize)]
pub(super) struct DefinitionBody {
    #[serde(default)]
    initiatives: Vec<InitiativeBody>,
    #[serde(default)]
    participants: Vec<ParticipantBody>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

impl Incoming for DefinitionBody {
    const LIMIT: usize = 8 * 1024 * 1024;
}

pub(super) async fn create(
    _: Caller<Manage>,
    site: web::Data<Site>,
    request: HttpRequest,
    body: Body<DefinitionBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let (id, definition, slate, roll) = read(body.0)?;
    let target = Target { round: Some(id.clone()), ..Target::default() };
    audit::note(&request, Note { target: Some(target), ..Note::default() });
    let ledger = site.writer.create(id, definition, slate, roll).await?.map_err(Problem::of_write)?;
    let mut reply = HttpResponse::Created();
    reply
        .insert_header((header::LOCATION, site.links.round(&ledger.round.id)))
        .insert_header((header::ETAG, etag(&ledger.round)))
        .insert_header(reply::sequence_field(ledger.round.sequence))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()));
    Ok(reply::with_json(&mut reply, &RoundView::new(&ledger, &site.links)))
}

/// Reads everything to the end, so that all faults are told at once.
fn read(body: DefinitionBody) -> Result<(RoundId, crate::domain::Definition, Slate, Roll), Error> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut collect = |found: Vec<Fault>| faults.extend(found);
    let head = definition::read(&body.members).map_err(&mut collect).ok();
    let initiatives = body.initiatives.into_iter().map(Into::into).collect();
    let slate = definition::initiatives(initiatives).map_err(&mut collect).ok();
    let participants = body.participants.into_iter().map(Into::into).collect();
    let roll = definition::participants(participants).map_err(&mut collect).ok();
    if let (Some((_, definition)), false) = (&head, slate.is_some() && roll.is_some()) {
        // What can be read is held against each other, also when something else cannot.
        let (empty_slate, empty_roll) = (Slate::default(), Roll::default());
        let (slate, roll) = (slate.as_ref().unwrap_or(&empty_slate), roll.as_ref().unwrap_or(&empty_roll));
        faults.extend(faults_between(definition, slate, roll));
    }
    match (head, slate, roll) {
        (Some((id, definition)), Some(slate), Some(roll)) => Ok((id, definition, slate, roll)),
        _ => Err(Error::Invalid(faults)),
    }
}

/// A merge patch, as it comes in.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct PatchBody(Map<String, Value>);

impl Incoming for PatchBody {
    const LIMIT: usize = 64 * 1024;
    const TYPES: &'static [&'static str] = &["application/merge-patch+json", "application/json"];
}

pub(super) async fn patch(
    caller: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<PatchBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let ledger = command(&caller, &site, &path, &request, Command::Patch(body.0.0)).await?;
    Ok(reply::changed(&etag(&ledger.round), ledger.round.sequence, &RoundView::new(&ledger, &site.links)))
}

/// Does what a manager asks for, on the condition that `If-Match` states.
pub(super) async fn command(
    caller: &Caller<Manage>,
    site: &Site,
    round: &str,
    request: &HttpRequest,
    command: Command,
) -> Result<std::sync::Arc<Ledger>, Problem> {
    let id = site.board(caller, round)?.ledger.round.id.clone();
    let tags = conditional::if_match(request);
    let expected = move |round: &Round| {
        tags.is_none_or(|tags| tags.contains(&etag(round)) || tags.contains(&super::initiatives::etag(round)))
    };
    site.writer.command(id, command, expected).await?.map_err(Problem::of_write)
}
