//! Results: the poll that everything else makes way for.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::guard::{Caller, SeeResults};
use super::problem::Problem;
use super::reply::{self, Cache};
use super::{Site, conditional, negotiate, query};
use crate::board::{Format, Wanted};
use crate::domain::{BallotBook, Definition};
use crate::export::Language;
use crate::identity::Scope;
use crate::service::Query;
use crate::service::results::Disclosure;

pub(super) async fn get(
    caller: Caller<SeeResults>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut wanted = read(&request)?;
    let board = site.board(&caller, &path)?;
    wanted.disclosure = disclosure(&caller, &board.ledger.round.definition);
    let body = board.result(&wanted, &site.links).map_err(Problem::bad_query)?;
    // Where the ballot book is closed, groups and portfolios tell more to who may list ballots.
    let same_for_all = board.ledger.round.definition.ballot_book == BallotBook::Open || !body.tells_more;
    let public = board.ledger.round.results_are_public() && same_for_all;
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

/// What the caller may learn of single ballots, where the round does not show them to anyone.
fn disclosure(caller: &Caller<SeeResults>, definition: &Definition) -> Disclosure {
    let may_list = caller.identity().is_some_and(|identity| identity.scopes.has(Scope::BallotsList));
    match definition.ballot_book {
        BallotBook::Analysts if may_list => Disclosure::Ballots,
        BallotBook::Analysts | BallotBook::Open => Disclosure::Figures,
    }
}

fn read(request: &HttpRequest) -> Result<Wanted, Problem> {
    let names: Vec<&str> = Query::names().chain(["format", "lang"]).collect();
    let query = query::Query::read(request.query_string(), &names);
    let offered = [
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("excel-csv", Format::ExcelCsv),
        ("csvw", Format::Csvw),
    ];
    let named = query.word("format", &offered);
    let language = query.word("lang", &[("sv", Language::Sv), ("en", Language::En)]).unwrap_or_default();
    let given = Query::names().filter_map(|name| Some((name, query.get(name)?)));
    let asked = given.fold(Query::default(), |asked, (name, value)| asked.with(name, value));
    query.check()?;
    Ok(Wanted {
        format: negotiate::format(request, named, &offered)?,
        language,
        encoding: negotiate::encoding(request.headers(), request),
        query: asked,
        disclosure: Disclosure::default(),
    })
}
