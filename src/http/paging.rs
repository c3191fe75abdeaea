//! Pages: every list has them.

use super::problem::Problem;
use super::query::Query;
use crate::export::Page;

/// The names of the parameters.
pub(super) const NAMES: [&str; 2] = ["page", "limit"];

/// The page that is asked for.
///
/// # Errors
/// 400.
pub(super) fn page(query: &Query) -> Result<Page, Problem> {
    let default = Page::default();
    Ok(Page {
        page: query.number("page", 0, 1_000_000)?.unwrap_or(default.page),
        limit: query.number("limit", 1, 100)?.unwrap_or(default.limit),
    })
}
