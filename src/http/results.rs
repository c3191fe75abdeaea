//! Results: the poll that everything else makes way for.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::guard::{Caller, SeeResults};
use super::moment::{MOMENT, Moment, View};
use super::problem::Problem;
use super::reply::{self, Cache};
use super::{Site, conditional, events, negotiate, query};
use crate::board::{Format, Wanted};
use crate::domain::BallotBook;
use crate::export::Language;
use crate::export::events::MEDIA_TYPE;
use crate::identity::Scope;
use crate::service::disclosure::{WITHHELD, as_of_withheld};
use crate::service::results::{Disclosure, concerns_ballots};
use crate::service::{Fault, Query};

pub(super) async fn get(
    caller: Caller<SeeResults>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some((mut wanted, moment)) = read(&request)? else {
        return Box::pin(events::open(&caller, &site, &path, &request)).await;
    };
    // What is rare is boxed: a handler's future is moved about with all that it might ever wait for.
    let view = match moment {
        Moment::Newest => View::newest(site.board(&caller, &path)?),
        _ => Box::pin(moment.of(&site, &caller, &path)).await?,
    };
    let (board, newest) = (&view.board, &view.newest.ledger.round);
    let definition = &newest.definition;
    let is_withheld = view.is_earlier() && definition.ballot_book == BallotBook::Analysts;
    if is_withheld && let Err(problem) = caller.require(Scope::BallotsList) {
        return Err(problem.with_query(vec![as_of_withheld()]));
    }
    let same_for_all =
        definition.ballot_book == BallotBook::Open || !concerns_ballots(&wanted.query, &definition.rule);
    if !same_for_all && caller.has(Scope::BallotsList) {
        wanted.disclosure = Disclosure::Ballots;
    }
    let public = newest.results_are_public() && same_for_all && !is_withheld;
    let cache = view.cache(if public { Cache::Public } else { Cache::Private });
    let body = if let Some(body) = board.kept(&wanted) {
        body
    } else {
        // What must be counted first may take long, and others are asking.
        let counted = Box::pin(board.counted(&wanted, &site.links, &site.gates)).await?;
        counted.map_err(|faults| refused(&caller, faults))?
    };
    let known = conditional::is_known(&request, &body.etag);
    let mut reply = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply
        .insert_header((header::ETAG, &*body.etag))
        .insert_header((header::CACHE_CONTROL, cache.field()))
        .insert_header(reply::sequence_field(board.ledger.round.sequence))
        .insert_header((
            header::VARY,
            HeaderValue::from_static(if public {
                "Accept, Accept-Encoding"
            } else {
                "Accept, Accept-Encoding, Authorization"
            }),
        ));
    if known {
        return Ok(reply.finish());
    }
    reply.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(wanted.format.media_type())));
    reply::coded(&mut reply, wanted.encoding);
    if let Some(link) = &body.link {
        reply.insert_header((header::LINK, &**link));
    }
    if let Some(file_name) = &body.file_name {
        reply.insert_header((header::CONTENT_DISPOSITION, reply::disposition(file_name)));
    }
    Ok(reply.body(body.bytes.clone()))
}

/// Faults of the query; but what others may see is withheld from this caller, not asked for wrongly.
fn refused(caller: &Caller<SeeResults>, faults: Vec<Fault>) -> Problem {
    if faults.iter().any(|fault| fault.code == WITHHELD)
        && let Err(problem) = caller.require(Scope::BallotsList)
    {
        return problem.with_query(faults);
    }
    Problem::bad_query(faults)
}

/// A document, or a stream of events as `Accept` may ask for.
#[derive(Clone, Copy)]
enum Form {
    Document(Format),
    Events,
}

impl negotiate::Media for Form {
    fn media_type(self) -> &'static str {
        match self {
            Self::Document(format) => format.media_type(),
            Self::Events => MEDIA_TYPE,
        }
    }
}

/// The document that is asked for, and of when; none when it is a stream.
fn read(request: &HttpRequest) -> Result<Option<(Wanted, Moment)>, Problem> {
    // Most polls ask for nothing in particular.
    let asked = match request.query_string() {
        "" => Asked::default(),
        text => Asked::read(text)?,
    };
    let [json, csv, excel_csv, csvw] = FORMATS.map(|(name, format)| (name, Form::Document(format)));
    let forms = [json, csv, excel_csv, csvw, ("", Form::Events)];
    let Form::Document(format) = negotiate::format(request, asked.format.map(Form::Document), &forms)? else {
        return Ok(None);
    };
    let wanted = Wanted {
        format,
        language: asked.language,
        encoding: negotiate::encoding(request.headers(), request),
        query: asked.query,
        disclosure: Disclosure::default(),
    };
    Ok(Some((wanted, asked.moment)))
}

/// The documents that there are, by their names in `format`.
const FORMATS: [(&str, Format); 4] =
    [("json", Format::Json), ("csv", Format::Csv), ("excel-csv", Format::ExcelCsv), ("csvw", Format::Csvw)];

/// What the parameters ask for.
#[derive(Default)]
struct Asked {
    query: Query,
    format: Option<Format>,
    language: Language,
    moment: Moment,
}

impl Asked {
    fn read(text: &str) -> Result<Self, Problem> {
        let names: Vec<&str> = Query::names().chain(["format", "lang"]).chain(MOMENT).collect();
        let parameters = query::Query::read(text, &names);
        let languages = [("sv", Language::Sv), ("en", Language::En)];
        let given = Query::names().filter_map(|name| Some((name, parameters.get(name)?)));
        let asked = Self {
            format: parameters.word("format", &FORMATS),
            language: parameters.word("lang", &languages).unwrap_or_default(),
            query: given.fold(Query::default(), |asked, (name, value)| asked.with(name, value)),
            moment: Moment::read(&parameters),
        };
        parameters.check()?;
        Ok(asked)
    }
}
