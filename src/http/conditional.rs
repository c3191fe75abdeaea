//! Conditional requests (RFC 9110, section 13).

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};

use crate::domain::Precondition;

/// The entity tags of a field.
enum Tags {
    Any,
    These(Vec<String>),
}

/// Whether `If-None-Match` names this representation (weak comparison): then 304 says it all.
pub(super) fn is_known(request: &HttpRequest, etag: &str) -> bool {
    match read(request, header::IF_NONE_MATCH) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::These(tags))) => tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag),
        Ok(None) | Err(_) => false,
    }
}

/// What `If-Match` and `If-None-Match` require of the ballot that is there. A field that cannot be read is a
/// condition that nothing meets: the caller meant to be careful.
pub(super) fn of_ballot(request: &HttpRequest) -> Precondition {
    let impossible = || Precondition::OneOf(Vec::new());
    let revisions = |tags: Vec<String>| {
        let revision = |tag: &String| {
            let text = tag.strip_prefix('"')?.strip_suffix('"')?;
            // `01` is another tag than `1`: tags are compared to the letter.
            text.parse::<u32>().ok().filter(|revision| revision.to_string() == text)
        };
        tags.iter().filter_map(revision).collect()
    };
    // `If-None-Match` compares weakly, `If-Match` strongly: there a weak tag matches nothing.
    let weakly = |tags: Vec<String>| tags.iter().map(|tag| tag.trim_start_matches("W/").to_owned()).collect();
    let (Ok(matching), Ok(other)) = (read(request, header::IF_MATCH), read(request, header::IF_NONE_MATCH))
    else {
        return impossible();
    };
    match (matching, other) {
        (None, None) => Precondition::None,
        (None, Some(Tags::Any)) => Precondition::Absent,
        (None, Some(Tags::These(tags))) => Precondition::NoneOf(revisions(weakly(tags))),
        (Some(Tags::Any), None) => Precondition::Present,
        (Some(Tags::These(tags)), None) => Precondition::OneOf(revisions(tags)),
        // Both at once have no use that either alone has not; being careful, neither is guessed at.
        (Some(_), Some(_)) => impossible(),
    }
}

/// What `If-Match` requires of another resource: nothing, or to be one of these strong tags. A field that
/// cannot be read matches none.
pub(super) fn if_match(request: &HttpRequest) -> Option<Vec<String>> {
    match read(request, header::IF_MATCH) {
        Ok(None | Some(Tags::Any)) => None,
        Ok(Some(Tags::These(tags))) => Some(tags),
        Err(Unreadable) => Some(Vec::new()),
    }
}

/// The field is neither `*` nor a list of quoted tags.
struct Unreadable;

fn read(request: &HttpRequest, name: HeaderName) -> Result<Option<Tags>, Unreadable> {
    let mut tags = Vec::new();
    let mut any = false;
    let mut present = false;
    for value in request.headers().get_all(name) {
        present = true;
        let mut rest = value.to_str().map_err(|_| Unreadable)?.trim();
        if rest == "*" {
            any = true;
            continue;
        }
        while !rest.is_empty() {
            let weak = if rest.starts_with("W/") { 2 } else { 0 };
            let opaque = rest[weak..].strip_prefix('"').and_then(|tag| tag.find('"')).ok_or(Unreadable)?;
            let end = weak + opaque + 2;
            tags.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
            rest = match rest.strip_prefix(',') {
                Some(more) if !more.trim().is_empty() => more.trim_start(),
                None if rest.is_empty() => rest,
                Some(_) | None => return Err(Unreadable),
            };
        }
    }
    match (present, any, tags.is_empty()) {
        (false, ..) => Ok(None),
        (true, true, true) => Ok(Some(Tags::Any)),
        (true, false, false) => Ok(Some(Tags::These(tags))),
        (true, ..) => Err(Unreadable),
    }
}
