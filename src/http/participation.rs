//! Participation: who has answered.

use std::borrow::Cow;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::guard::{Anyone, Caller};
use super::moment::Moment;
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, negotiate};
use crate::board::Format;
use crate::export::participation::{View, csvw, document, groups_csv, missing_csv, over_time_csv};
use crate::export::{Dialect, Language};
use crate::identity::Scope;
use crate::service::participation::missing;

pub(super) async fn get(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(
        request.query_string(),
        &["page", "limit", "format", "view", "lang", "asOf", "minSequence"],
    );
    let page = query.page();
    let views = [View::Groups, View::Missing, View::OverTime].map(|view| (view.id(), view));
    let view = query.word("view", &views).unwrap_or(View::Groups);
    let language = query.word("lang", &[("sv", Language::Sv), ("en", Language::En)]).unwrap_or_default();
    let offered = [
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("excel-csv", Format::ExcelCsv),
        ("csvw", Format::Csvw),
    ];
    let named = query.word("format", &offered);
    let moment = Moment::read(&query);
    query.check()?;
    let format = negotiate::format(&request, named, &offered)?;
    if view == View::Missing {
        caller.require(Scope::BallotsList)?;
    }
    let state = moment.of(&site, &caller, &path).await?;
    let board = &state.board;
    let (ledger, links) = (&board.ledger, board.links(&site.links));
    let names = caller.has(Scope::BallotsList);
    let round = &ledger.round;
    let etag = format!(
        "\"{}.{}.{format:?}.{view:?}.{language:?}.{names}.{}.{}{}\"",
        round.sequence,
        round.revision,
        page.page,
        page.limit,
        // Its links are others.
        if matches!(links, Cow::Owned(_)) { ".then" } else { "" },
    );
    let dialect = match format {
        Format::Json | Format::NdJson | Format::Csvw => None,
        Format::Csv => Some(Dialect::Rfc4180),
        Format::ExcelCsv => Some(Dialect::Excel),
    };
    let cache = state.cache(if names { Cache::Private } else { Cache::Public });
    let mark = if ledger.synthetic > 0 { "-synthetic" } else { "" };
    let name = match view {
        View::Groups => "participation",
        View::Missing => "missing",
        View::OverTime => "participation-over-time",
    };
    let file_name = dialect.map(|_| format!("{}-{name}-{}{mark}.csv", round.id, round.sequence));
    let vary = "Accept, Authorization";
    let mut reply =
        reply::with_etag(&request, cache, &etag, vary, format.media_type(), file_name.as_deref(), || {
            let participation = board.participation();
            Ok(match (dialect, view) {
                (None, view) if format == Format::Csvw => csvw(ledger, view, &links, language),
                (None, _) => {
                    let all = if names { missing(ledger) } else { Vec::new() };
                    let document = document(ledger, participation, names.then_some((&*all, page)), &links);
                    serde_json::to_vec(&document).expect("a document of texts and numbers")
                }
                (Some(dialect), View::Groups) => groups_csv(participation, dialect, language),
                (Some(dialect), View::Missing) => missing_csv(ledger, &missing(ledger), dialect),
                (Some(dialect), View::OverTime) => over_time_csv(participation, dialect),
            })
        })?;
    if dialect.is_some() {
        let parameters = ["format=csvw", &format!("view={}", view.id())];
        let described_by = reply::described_by(&links.of_state(&round.id, "participation", &parameters));
        reply.headers_mut().insert(header::LINK, described_by.parse().expect("an address in a header field"));
    }
    Ok(reply::at_sequence(reply, round.sequence))
}
