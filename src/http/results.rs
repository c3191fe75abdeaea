//! Results: the poll that everything else makes way for.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::guard::{Caller, SeeResults};
use super::problem::Problem;
use super::reply::{self, Cache};
use super::{Site, conditional, negotiate, query};
use crate::board::{Format, Wanted};
use crate::export::Language;
use crate::service::results::Query;

const NAMES: [&str; 6] = ["rule", "points", "picks", "ladder", "format", "lang"];

pub(super) async fn get(
    caller: Caller<SeeResults>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let wanted = read(&request)?;
    let board = site.board(&caller, &path)?;
    let body = board.result(&wanted, &site.links).map_err(Problem::bad_query)?;
    let public = board.ledger.round.results_are_public();
    let known = conditional::is_known(&request, &body.etag);
    let mut reply = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply
        .insert_header((header::ETAG, &*body.etag))
        .insert_header((header::CACHE_CONTROL, if public { Cache::Public } else { Cache::Private }.field()))
        .insert_header((
            header::VARY,
            if public { "Accept, Accept-Encoding" } else { "Accept, Accept-Encoding, Authorization" },
        ));
    if known {
        return Ok(reply.finish());
    }
    reply.insert_header((header::CONTENT_TYPE, wanted.format.media_type()));
    reply::coded(&mut reply, wanted.encoding);
    if let Some(link) = &body.link {
        reply.insert_header((header::LINK, &**link));
    }
    if let Some(file_name) = &body.file_name {
        reply.insert_header((header::CONTENT_DISPOSITION, reply::disposition(file_name)));
    }
    Ok(reply.body(body.bytes.clone()))
}

fn read(request: &HttpRequest) -> Result<Wanted, Problem> {
    let text = request.query_string();
    let query = query::Query::read(text, &NAMES);
    let offered = [
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("excel-csv", Format::ExcelCsv),
        ("csvw", Format::Csvw),
    ];
    let given = |name| query.get(name).map(ToOwned::to_owned);
    let named = query.word("format", &offered);
    let language = query.word("lang", &[("sv", Language::Sv), ("en", Language::En)]).unwrap_or_default();
    let asked = Query {
        rule: given("rule"),
        points: given("points"),
        picks: given("picks"),
        ladder: given("ladder"),
    };
    query.check()?;
    Ok(Wanted {
        format: negotiate::format(request, named, &offered)?,
        language,
        encoding: negotiate::encoding(request.headers(), request),
        query: asked,
    })
}
