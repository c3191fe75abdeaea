//! The log itself: pages of its entries, or all of it as a stream of lines.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::error::BlockingError;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Serialize;

use super::ballots::blocking;
use super::guard::{Caller, ListBallots};
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, negotiate};
use crate::board::{Board, Format};
use crate::domain::{LogEntry, Receipt, RoundId, Sequence};
use crate::export::log_entries::EntryView;
use crate::export::{Link, Meta, log};
use crate::identity::receipt;
use crate::service::{Fault, log_definition};
use crate::store::{self, Store};

/// How many entries a stream reads at a time.
const BATCH: i64 = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryPage {
    log_entries: Vec<EntryView>,
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
    let query = Query::read(request.query_string(), &["page", "limit", "format"]);
    let offered = [("json", Format::Json), ("ndjson", Format::NdJson)];
    let named = query.word("format", &offered);
    let page = query.page();
    let is_part = query.names_page();
    query.check()?;
    let format = negotiate::format(&request, named, &offered)?;
    if is_part && format == Format::NdJson {
        let (sv, en) = ("Liggaren som NDJSON är alltid hel.", "The log as NDJSON is always whole.");
        return Err(Problem::bad_query(vec![Fault::member("format", "parameter", sv, en)]));
    }
    let board = site.board(&caller, &path)?;
    let round = &board.ledger.round;
    if format == Format::NdJson {
        return Ok(reply::at_sequence(stream(&site, &board, request.method()), round.sequence));
    }
    let (id, newest, first) = (round.id.clone(), round.sequence, page.offset());
    // Pages end where the board does: what came later is on the pages of a later one.
    let count = if page.page == 0 { 0 } else { page.limit.min(newest.saturating_sub(first)) };
    let found = blocking(&site, move |store| read(store, &id, first, count)).await?;
    let total = usize::try_from(newest).unwrap_or(usize::MAX);
    let document = EntryPage {
        log_entries: found.iter().map(EntryView::from).collect(),
        sequence: newest,
        meta: page.meta(total, found.len()),
        links: page.links(&site.links.of_round(&round.id, "log-entries"), total),
    };
    Ok(reply::at_sequence(reply::json_page(Cache::NoStore, &document.links, &document), newest))
}

/// So many entries after a sequence.
fn read(store: &Store, round: &RoundId, after: Sequence, count: u64) -> Result<Vec<LogEntry>, store::Error> {
    match i64::try_from(count) {
        Ok(count) if count > 0 => store.read(|conn| store::log::after(conn, round, after, count)),
        _ => Ok(Vec::new()),
    }
}

/// The whole log up to the board's sequence, of which no more than a batch is ever in memory.
fn stream(site: &web::Data<Site>, board: &Arc<Board>, method: &Method) -> HttpResponse {
    let round = &board.ledger.round;
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::CONTENT_TYPE, Format::NdJson.media_type()))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .insert_header((header::VARY, "Accept, Authorization"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            reply::disposition(&format!("{}-log-{}.ndjson", round.id, round.sequence)),
        ));
    if method == Method::HEAD {
        return reply.finish();
    }
    reply.body(Lines { site: site.clone(), board: Arc::clone(board), sent: None, reading: None })
}

type Reading = Pin<Box<dyn Future<Output = Result<Result<Vec<LogEntry>, store::Error>, BlockingError>>>>;

/// The lines of a log as a body. If reading fails the body ends without its last line, and without the end of a body.
struct Lines {
    site: web::Data<Site>,
    board: Arc<Board>,
    /// The last entry that was sent; none before the first line, and beyond the log after the last.
    sent: Option<Sequence>,
    reading: Option<Reading>,
}

impl Lines {
    fn first(&self) -> Vec<u8> {
        let definition = log_definition::of(&self.board.ledger);
        let hash = log_definition::hash(&definition);
        written(|out| log::definition(out, &definition, hash))
    }

    fn last(&self) -> Vec<u8> {
        let Board { ledger, .. } = &*self.board;
        let round = &ledger.round;
        let Some(at) = round.last_at else { return Vec::new() };
        let (sequence, entry, root) = (round.sequence, round.head, ledger.tree.root());
        let receipt = Receipt { round: round.id.clone(), sequence, entry, root, at };
        let signature = receipt::sign(&receipt, &self.site.log_key);
        written(|out| log::receipt(out, &receipt, signature))
    }
}

impl MessageBody for Lines {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let newest = self.board.ledger.round.sequence;
        let Some(sent) = self.sent else {
            self.sent = Some(0);
            return Poll::Ready(Some(Ok(self.first().into())));
        };
        if sent >= newest {
            self.sent = Some(Sequence::MAX);
            let last = if sent == newest { self.last() } else { Vec::new() };
            return Poll::Ready((!last.is_empty()).then(|| Ok(last.into())));
        }
        let Self { site, board, reading, .. } = &mut *self;
        let reading = reading.get_or_insert_with(|| {
            let (store, id) = (site.store.clone(), board.ledger.round.id.clone());
            let count = (newest - sent).min(BATCH.unsigned_abs());
            Box::pin(web::block(move || read(&store, &id, sent, count)))
        });
        let done = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        let entries = match done {
            Ok(Ok(entries)) if !entries.is_empty() => entries,
            Ok(Ok(_)) => return Poll::Ready(Some(Err("the log ends before its newest entry".into()))),
            Ok(Err(error)) => {
                tracing::error!(%error, "storage failed while the log was sent");
                return Poll::Ready(Some(Err(error.into())));
            }
            Err(error) => return Poll::Ready(Some(Err(error.into()))),
        };
        self.sent = entries.last().map(|entry| entry.sequence);
        Poll::Ready(Some(Ok(written(|out| log::entries(out, &entries)).into())))
    }
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text).expect("written to memory");
    text
}
