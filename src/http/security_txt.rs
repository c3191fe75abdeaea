//! Whom to tell of a fault of security (RFC 9116). It is there only if whoever runs the service has named a contact: a
//! wrong one is worse than none.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{Days, NaiveTime};

use super::Site;
use super::problem::Problem;
use super::query::Query;
use super::reply::{self, Cache};
use crate::domain::Instant;
use crate::export::Links;

/// Where it is, outside the API.
pub(super) const PATH: &str = "/.well-known/security.txt";
/// For how many days it may be believed: less than a year, as section 2.5.5 advises.
const DAYS: Days = Days::new(180);

pub(super) async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let Some(reporting) = &site.reporting else {
        return Err(Problem::not_found("adressen", "the address"));
    };
    let fields = [
        ("Contact", Some(reporting.contact.clone())),
        ("Expires", Some(expires(site.clock.now()))),
        ("Preferred-Languages", Some("sv, en".to_owned())),
        ("Policy", reporting.policy.clone()),
        ("Canonical", canonical(&site.links)),
    ];
    let lines = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}\n", value?)));
    let text: String = lines.collect();
    Ok(reply::body(Cache::Public, "text/plain; charset=utf-8", text.into_bytes()))
}

/// The start of a day, so that the file is the same all day, from every instance.
fn expires(now: Instant) -> String {
    let day =
        now.utc().date_naive().checked_add_days(DAYS).expect("a clock far from the end of the calendar");
    day.and_time(NaiveTime::MIN).and_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Its own address; the standard takes addresses on the web only with TLS.
fn canonical(links: &Links) -> Option<String> {
    Some(links.outside(PATH)).filter(|address| address.starts_with("https://"))
}
