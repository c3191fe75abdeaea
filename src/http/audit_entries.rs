//! The audit trail for managers: pages of its entries, or all that a filter lets through as a stream.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::error::BlockingError;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Serialize;

use super::ballots::blocking;
use super::guard::{Caller, Manage};
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, moment, negotiate};
use crate::board::Format;
use crate::domain::audit::{AuditEntry, AuditFilter, Outcome};
use crate::domain::{Instant, ParticipantCode, RoundId};
use crate::export::audit::{AuditEntryView, csv_head, csv_rows, lines};
use crate::export::{Dialect, Link, Meta, Page};
use crate::store;

/// How many entries a stream reads at a time.
const BATCH: i64 = 1_000;
/// The longest text that is searched for, in characters.
const LONGEST: usize = 255;

/// What entries are searched by.
const FILTERS: [&str; 7] = ["from", "to", "operation", "outcome", "client", "participant", "round"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditEntryPage {
    audit_entries: Vec<AuditEntryView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list(
    _: Caller<Manage>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &[&FILTERS[..], &["page", "limit", "format"]].concat());
    let offered = [
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("ndjson", Format::NdJson),
        ("excel-csv", Format::ExcelCsv),
    ];
    let named = query.word("format", &offered);
    let filter = filter(&query);
    let page = query.page();
    let part = query.get("page").or(query.get("limit")).is_some();
    let given: Vec<(&str, String)> =
        FILTERS.iter().filter_map(|name| Some((*name, query.get(name)?.to_owned()))).collect();
    query.check()?;
    let format = negotiate::format(&request, named, &offered)?;
    if format != Format::Json && !part {
        return Ok(whole(&site, filter, format, request.method()));
    }
    let (total, found) = blocking(&site, move |store| {
        store.snapshot(|conn| Ok((store::audit::count(conn, &filter)?, of_page(conn, &filter, page)?)))
    })
    .await?;
    if format != Format::Json {
        let body = [start(format), rest(format, &found)].concat();
        return Ok(file(format).body(body));
    }
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let mut address = site.links.to("/audit-entries");
    if !given.is_empty() {
        let given = serde_urlencoded::to_string(&given).expect("names and texts");
        address = format!("{address}?{given}");
    }
    let document = AuditEntryPage {
        audit_entries: found.iter().map(AuditEntryView::from).collect(),
        meta: page.meta(total, found.len()),
        links: page.links(&address, total),
    };
    Ok(reply::json_page(Cache::NoStore, &document.links, &document))
}

fn filter(query: &Query) -> AuditFilter {
    let outcomes = Outcome::ALL.map(|outcome| (outcome.id(), outcome.id()));
    AuditFilter {
        from: time(query, "from"),
        to: time(query, "to"),
        operation: text(query, "operation"),
        outcome: query.word("outcome", &outcomes).map(ToOwned::to_owned),
        client: text(query, "client"),
        participant: code::<ParticipantCode>(query, "participant"),
        round: code::<RoundId>(query, "round"),
    }
}

fn time(query: &Query, name: &str) -> Option<Instant> {
    let time = query.get(name).map(moment::time);
    if time == Some(None) {
        let (sv, en) = (
            "En tid enligt RFC 3339 med förskjutning (skriv + som %2B).",
            "An RFC 3339 time with an offset (write + as %2B).",
        );
        query.fault(name, "parameter", sv, en);
    }
    time.flatten()
}

fn text(query: &Query, name: &str) -> Option<String> {
    let text = query.get(name)?;
    if !(1..=LONGEST).contains(&text.chars().count()) || text.contains('\0') {
        let (sv, en) = (format!("1 till {LONGEST} tecken."), format!("1 to {LONGEST} characters."));
        query.fault(name, "parameter", &sv, &en);
    }
    Some(text.to_owned())
}

/// A code or an id of its form; others stand in no entry.
fn code<T: std::str::FromStr>(query: &Query, name: &str) -> Option<String> {
    let text = query.get(name)?;
    if text.parse::<T>().is_err() {
        query.fault(
            name,
            "parameter",
            "Har inte formen av en sådan kod.",
            "Has not the form of such a code.",
        );
    }
    Some(text.to_owned())
}

fn of_page(
    conn: &mut store::Conn,
    filter: &AuditFilter,
    page: Page,
) -> Result<Vec<AuditEntry>, store::Error> {
    let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let limit = if page.page == 0 { 0 } else { page.limit };
    store::audit::find(conn, filter, 0, bound(page.offset()), bound(limit))
}

/// What a file begins with.
fn start(format: Format) -> Vec<u8> {
    match format {
        Format::Csv => csv_head(Dialect::Rfc4180),
        Format::ExcelCsv => csv_head(Dialect::Excel),
        Format::Json | Format::NdJson | Format::Csvw => Vec::new(),
    }
}

/// What it goes on with.
fn rest(format: Format, entries: &[AuditEntry]) -> Vec<u8> {
    match format {
        Format::Csv => csv_rows(Dialect::Rfc4180, entries),
        Format::ExcelCsv => csv_rows(Dialect::Excel, entries),
        Format::Json | Format::NdJson | Format::Csvw => {
            let mut text = Vec::new();
            lines(&mut text, entries).expect("written to memory");
            text
        }
    }
}

fn file(format: Format) -> actix_web::HttpResponseBuilder {
    let ending = if format == Format::NdJson { "ndjson" } else { "csv" };
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::CONTENT_TYPE, format.media_type()))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .insert_header((header::VARY, "Accept, Authorization"))
        .insert_header((header::CONTENT_DISPOSITION, reply::disposition(&format!("audit-entries.{ending}"))));
    reply
}

/// All that the filter lets through, of which no more than a batch is ever in memory.
fn whole(site: &web::Data<Site>, filter: AuditFilter, format: Format, method: &Method) -> HttpResponse {
    let mut reply = file(format);
    if method == Method::HEAD {
        return reply.finish();
    }
    reply.body(Entries { site: site.clone(), filter, format, after: None, reading: None })
}

type Reading = Pin<Box<dyn Future<Output = Result<Result<Vec<AuditEntry>, store::Error>, BlockingError>>>>;

/// Entries as a body. If reading fails the body ends without the end of a body.
struct Entries {
    site: web::Data<Site>,
    filter: AuditFilter,
    format: Format,
    /// The last entry that was sent; none before the file's beginning.
    after: Option<u64>,
    reading: Option<Reading>,
}

impl MessageBody for Entries {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Some(after) = self.after else {
            self.after = Some(0);
            let start = start(self.format);
            if !start.is_empty() {
                return Poll::Ready(Some(Ok(start.into())));
            }
            return self.poll_next(cx);
        };
        let Self { site, filter, reading, .. } = &mut *self;
        let reading = reading.get_or_insert_with(|| {
            let (store, filter) = (site.store.clone(), filter.clone());
            Box::pin(web::block(move || {
                store.read(|conn| store::audit::find(conn, &filter, after, 0, BATCH))
            }))
        });
        let done = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        match done {
            Ok(Ok(entries)) => {
                self.after = entries.last().map(|entry| entry.sequence);
                let rest = rest(self.format, &entries);
                Poll::Ready(self.after.map(|_| Ok(rest.into())))
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "storage failed while the audit trail was sent");
                Poll::Ready(Some(Err(error.into())))
            }
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        }
    }
}
