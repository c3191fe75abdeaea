//! Ballots: one participant's, its revisions, and the ballot book.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::body::{Body, Incoming};
use super::guard::{Caller, ListBallots, ReadBallot, SubmitBallot};
use super::moment::{MOMENT, Moment};
use super::problem::{INVALID_BALLOT, PRECONDITION_REQUIRED, Problem};
use super::query::{self, Query};
use super::reply::{self, Cache};
use super::{Site, conditional, negotiate};
use crate::board::{Board, Format, SubmitError};
use crate::domain::{Hash, ParticipantCode, Round, RoundId, State, Submission};
use crate::export::ballots::{BallotView, ReceiptView, RevisionView, Texts, csv, csvw, ndjson};
use crate::export::{Dialect, Link, Links, Meta, Page};
use crate::identity::{Scope, receipt};
use crate::service::ballots::{
    self, Accepted, BallotText, Refusal, Revision, revisions, revisions_at, with_root,
};
use crate::service::ledger::Ledger;
use crate::service::log;
use crate::store::Store;

/// A ballot, as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BallotBody {
    ranking: Vec<String>,
    #[serde(default)]
    engagements: Vec<EngagementBody>,
    reference: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EngagementBody {
    initiative_id: String,
    engagement: String,
}

impl Incoming for BallotBody {
    const LIMIT: usize = 4 * 1024;
}

impl From<BallotBody> for BallotText {
    fn from(body: BallotBody) -> Self {
        let engagements =
            body.engagements.into_iter().map(|item| (item.initiative_id, item.engagement)).collect();
        Self { ranking: body.ranking, engagements, reference: body.reference, comment: body.comment }
    }
}

type BallotPath = web::Path<(String, String)>;

/// The participant of a path; one whose code has no such form is on no roll.
fn participant(code: &str) -> Result<ParticipantCode, Problem> {
    code.parse().map_err(|_| Problem::not_found("deltagaren", "the participant"))
}

pub(super) async fn get(
    caller: Caller<ReadBallot>,
    site: web::Data<Site>,
    path: BallotPath,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &MOMENT);
    let moment = Moment::read(&query);
    query.check()?;
    let board = moment.of(&site, &caller, &path.0).await?.board;
    let newest = board.ledger.round.sequence;
    let code = participant(&path.1)?;
    let missing = || Problem::not_found("prioriteringen", "the ballot");
    let current = board.ledger.current(&code).ok_or_else(missing)?;
    let (etag, sequence) = (tag(current.revision), current.sequence);
    if conditional::is_known(&request, &etag) {
        let known =
            reply::json_with_etag(&request, Cache::NoStore, &etag, "Authorization", || Ok(Vec::new()));
        return known.map(|reply| reply::at_sequence(reply, newest));
    }
    let id = board.ledger.round.id.clone();
    let found = blocking(&site, move |store| with_root(store, &id, sequence)).await?;
    let (revision, root) = found.ok_or_else(missing)?;
    let view = with_receipt(&site, &board.ledger.round.id, &revision, root);
    let reply = reply::json_with_etag(&request, Cache::NoStore, &etag, "Authorization", || {
        Ok(serde_json::to_vec(&view).expect("a document of texts and numbers"))
    })?;
    Ok(reply::at_sequence(reply, newest))
}

pub(super) async fn put(
    caller: Caller<SubmitBallot>,
    site: web::Data<Site>,
    path: BallotPath,
    request: HttpRequest,
    body: Body<BallotBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let board = site.board(&caller, &path.0)?;
    let participant = participant(&path.1)?;
    let Board { ledger, .. } = &*board;
    // Whoever sees a draft sees what may still be redefined before it opens: its places mean nothing then.
    if ledger.round.state == State::Draft {
        return Err(refused(SubmitError::Refused(Refusal::not_open(&ledger.round))));
    }
    let ballot = ballots::read(body.0.into(), &ledger.round, &ledger.slate).map_err(|faults| {
        // To be told of the deadline is worth more than to be told of the faults.
        match ledger.round.state {
            State::Open => Problem::invalid(&INVALID_BALLOT, faults),
            State::Draft | State::Closed | State::Certified | State::Corrected => {
                refused(SubmitError::Refused(Refusal::not_open(&ledger.round)))
            }
        }
    })?;
    let location = site.links.ballot(&ledger.round.id, &participant);
    let revision = Revision::of(&ballot, participant.clone(), &ledger.slate);
    let precondition = conditional::of_ballot(&request);
    let round_revision = ledger.round.revision;
    let nonce = log::nonce();
    let submission = Submission { participant, precondition, ballot: Some(ballot), round_revision, nonce };
    let id = ledger.round.id.clone();
    let accepted = site.writer.submit(id.clone(), submission).await.map_err(refused)?;
    let (first, root, sequence) = (accepted.first, accepted.root, accepted.sequence);
    let etag = tag(accepted.revision);
    let view = with_receipt(&site, &id, &revision(accepted), root);
    let mut reply = if first { HttpResponse::Created() } else { HttpResponse::Ok() };
    reply
        .insert_header((header::LOCATION, location))
        .insert_header((header::ETAG, etag))
        .insert_header(reply::sequence_field(sequence))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()));
    Ok(reply::with_json(&mut reply, &view))
}

fn with_receipt(site: &Site, round: &RoundId, revision: &Revision, root: Hash) -> BallotView {
    let receipt = revision.receipt(round, root);
    let signature = receipt::sign(&receipt, &site.log_key);
    BallotView::new(round, revision, ReceiptView::new(&receipt, signature), &site.links)
}

pub(super) async fn delete(
    caller: Caller<SubmitBallot>,
    site: web::Data<Site>,
    path: BallotPath,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let board = site.board(&caller, &path.0)?;
    let Round { id, revision, .. } = &board.ledger.round;
    let participant = participant(&path.1)?;
    let precondition = conditional::of_ballot(&request);
    let (round_revision, nonce) = (*revision, log::nonce());
    let submission = Submission { participant, precondition, ballot: None, round_revision, nonce };
    let accepted: Accepted = site.writer.submit(id.clone(), submission).await.map_err(refused)?;
    Ok(HttpResponse::NoContent()
        .insert_header((header::ETAG, tag(accepted.revision)))
        .insert_header(reply::sequence_field(accepted.sequence))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .finish())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn refused(error: SubmitError) -> Problem {
    match error {
        SubmitError::Refused(Refusal::NotOnRoll) => {
            Problem::not_found("deltagaren i röstlängden", "the participant on the roll")
        }
        SubmitError::Refused(Refusal::NotOpen { state, opens_at, closes_at }) => {
            Problem::not_open(state, opens_at, closes_at)
        }
        SubmitError::Refused(Refusal::ConditionRequired) => Problem::new(
            &PRECONDITION_REQUIRED,
            "Omgången kräver If-Match eller If-None-Match: * vid varje inlämning.",
            "The round requires If-Match or If-None-Match: * with every submission.",
        ),
        SubmitError::Refused(Refusal::Changed) => Problem::changed(),
        SubmitError::Refused(Refusal::NothingToWithdraw) => {
            Problem::not_found("prioriteringen", "the ballot")
        }
        SubmitError::NoSuchRound => Problem::not_found("omgången", "the round"),
        // Sent again it is read against the round as it is now.
        SubmitError::Refused(Refusal::Redefined) | SubmitError::Busy | SubmitError::NotStored => {
            Problem::unavailable()
        }
        SubmitError::Full => Problem::no_room(),
        SubmitError::Unknown => Problem::unknown(),
    }
}

/// The validator of a ballot: its revision.
fn tag(revision: u32) -> String {
    format!("\"{revision}\"")
}

#[derive(Serialize)]
struct RevisionPage {
    revisions: Vec<RevisionView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list_revisions(
    caller: Caller<ReadBallot>,
    site: web::Data<Site>,
    path: BallotPath,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &query::PAGE);
    let page = query.page();
    query.check()?;
    let board = site.board(&caller, &path.0)?;
    let code = participant(&path.1)?;
    if board.ledger.roll.get(&code).is_none() {
        return Err(Problem::not_found("deltagaren i röstlängden", "the participant on the roll"));
    }
    let id = board.ledger.round.id.clone();
    let of = code.clone();
    let limit = if page.page == 0 { 0 } else { page.limit };
    let (total, found) =
        blocking(&site, move |store| revisions(store, &id, &of, page.offset(), limit)).await?;
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let address = format!("{}/revisions", site.links.ballot(&board.ledger.round.id, &code));
    let document = RevisionPage {
        meta: page.meta(total, found.len()),
        links: page.links(&address, total),
        revisions: found.iter().map(RevisionView::new).collect(),
    };
    let page = reply::json_page(Cache::NoStore, &document.links, &document);
    Ok(reply::at_sequence(page, board.ledger.round.sequence))
}

#[derive(Serialize)]
struct BallotPage {
    ballots: Vec<BallotView>,
    sequence: u64,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list(
    caller: Caller<ListBallots>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &["page", "limit", "format", "asOf", "minSequence"]);
    let offered = [
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("ndjson", Format::NdJson),
        ("excel-csv", Format::ExcelCsv),
        ("csvw", Format::Csvw),
    ];
    let named = query.word("format", &offered);
    let page = query.page();
    // A file holds the whole book unless a part of it is asked for.
    let part = query.names_page();
    let moment = Moment::read(&query);
    query.check()?;
    let format = negotiate::format(&request, named, &offered)?;
    let paged = part || format == Format::Json;
    let texts = if caller.has(Scope::BallotsList) { Texts::Shown } else { Texts::Hidden };
    let board = moment.of(&site, &caller, &path).await?.board;
    let (ledger, links) = (&board.ledger, board.links(&site.links));
    let sequence = ledger.round.sequence;
    if format == Format::Csvw {
        let metadata = reply::body(Cache::NoStore, Format::Csvw.media_type(), csvw(ledger, &links));
        return Ok(reply::at_sequence(metadata, sequence));
    }
    let counted: Vec<u64> =
        ledger.answers().filter_map(|(_, current)| current.map(|current| current.sequence)).collect();
    let slice = if paged { page.slice(&counted) } else { &counted };
    let id: RoundId = ledger.round.id.clone();
    let wanted = slice.to_vec();
    let mut found = blocking(&site, move |store| revisions_at(store, &id, &wanted)).await?;
    found.sort_by(|a, b| a.participant.cmp(&b.participant));
    let id = &ledger.round.id;
    let picks = ledger.round.definition.picks.max;
    let body = match format {
        Format::Csv => csv(picks, &found, texts, Dialect::Rfc4180),
        Format::ExcelCsv => csv(picks, &found, texts, Dialect::Excel),
        Format::NdJson => ndjson(id, &found, texts),
        Format::Json | Format::Csvw => {
            let book = book(&found, texts, ledger, page, counted.len(), &links);
            return Ok(reply::at_sequence(reply::json_page(Cache::NoStore, &book.links, &book), sequence));
        }
    };
    let ending = if format == Format::NdJson { "ndjson" } else { "csv" };
    let mark = if ledger.synthetic > 0 { "-synthetic" } else { "" };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, format.media_type()))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .insert_header((header::VARY, "Accept, Authorization"))
        .insert_header(reply::sequence_field(sequence))
        .insert_header((header::LINK, reply::described_by(&links.of_state(id, "ballots", &["format=csvw"]))))
        .insert_header((
            header::CONTENT_DISPOSITION,
            reply::disposition(&format!("{id}-ballots-{sequence}{mark}.{ending}")),
        ))
        .body(body))
}

fn book(
    found: &[Revision],
    texts: Texts,
    ledger: &Ledger,
    page: Page,
    total: usize,
    links: &Links,
) -> BallotPage {
    let round = &ledger.round;
    BallotPage {
        ballots: found.iter().map(|revision| BallotView::listed(&round.id, revision, texts, links)).collect(),
        sequence: round.sequence,
        meta: page.meta(total, found.len()),
        links: page.links(&links.of_state(&round.id, "ballots", &[]), total),
    }
}

/// Reads from storage off the workers' threads.
pub(super) async fn blocking<T: Send + 'static>(
    site: &web::Data<Site>,
    read: impl FnOnce(&Store) -> Result<T, crate::store::Error> + Send + 'static,
) -> Result<T, Problem> {
    let store = site.store.clone();
    let done = web::block(move || read(&store)).await;
    Ok(done.map_err(|_| Problem::unreadable())??)
}
