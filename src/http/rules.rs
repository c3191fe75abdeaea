//! The rules there are, from the one table.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::Site;
use super::guard::{Anyone, Caller};
use super::problem::Problem;
use super::query::{self, Query};
use super::reply::{self, Cache};
use crate::export::rules::RuleView;
use crate::export::{Link, Meta};
use crate::tally::Rule;

#[derive(Serialize)]
struct RulePage {
    rules: Vec<RuleView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list(
    _: Caller<Anyone>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &query::PAGE);
    let page = query.page();
    query.check()?;
    let rules = RuleView::listed();
    let slice = page.slice(&rules);
    let document = RulePage {
        rules: slice.iter().map(|rule| RuleView::new(rule, &site.links)).collect(),
        meta: page.meta(rules.len(), slice.len()),
        links: page.links(&site.links.to("/rules"), rules.len()),
    };
    Ok(reply::json_page(Cache::Public, &document.links, &document))
}

pub(super) async fn get(
    _: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let rule = Rule::find(&path).ok_or_else(|| Problem::not_found("räkneregeln", "the rule"))?;
    Ok(reply::json(Cache::Public, &RuleView::new(&rule, &site.links)))
}
