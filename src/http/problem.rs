//! Problems by RFC 9457: the one table of types, and how a refusal becomes a reply.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::board::{NotDone, Undone};
use crate::domain::{Instant, Sequence, State, Titles};
use crate::export::Language;
use crate::export::rounds::local;
use crate::identity::Scope;
use crate::service::{self, Fault, Place};

/// The base of every problem type, the same in every deployment. A type is a promise: never reused or renamed.
pub const BASE: &str = "https://handslag.example.se/problems/";

/// A problem type.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The last part of its URI.
    pub slug: &'static str,
    /// The status it comes with.
    pub status: u16,
    /// Its title in Swedish.
    pub sv: &'static str,
    /// Its title in English.
    pub en: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $slug:literal $status:literal $sv:literal $en:literal;)+) => {
        $(pub(super) static $name: Kind = Kind { slug: $slug, status: $status, sv: $sv, en: $en };)+
        /// Every problem type.
        pub static KINDS: &[&Kind] = &[$(&$name),+];
    };
}

kinds! {
    BAD_REQUEST = "bad-request" 400 "Anropet kan inte läsas" "The request cannot be read";
    UNAUTHORIZED = "unauthorized" 401 "Giltig åtkomstbiljett saknas" "A valid access token is missing";
    FORBIDDEN = "forbidden" 403 "Åtkomst nekad" "Access denied";
    NOT_FOUND = "not-found" 404 "Finns inte" "Not found";
    METHOD_NOT_ALLOWED = "method-not-allowed" 405 "Metoden finns inte här" "The method does not exist here";
    NOT_ACCEPTABLE = "not-acceptable" 406 "Formatet finns inte" "The format does not exist";
    REQUEST_TIMEOUT = "request-timeout" 408 "Anropet kom inte fram i tid" "The request did not arrive in time";
    ROUND_NOT_OPEN = "round-not-open" 409 "Omgången är inte öppen" "The round is not open";
    ROUND_STATE = "round-state" 409 "Omgångens läge tillåter det inte" "The state of the round does not allow it";
    ALREADY_EXISTS = "already-exists" 409 "Finns redan" "It exists already";
    PRECONDITION_FAILED = "precondition-failed" 412 "Ändrad sedan den lästes" "Changed since it was read";
    CONTENT_TOO_LARGE = "content-too-large" 413 "Innehållet är för stort" "The content is too large";
    URI_TOO_LONG = "uri-too-long" 414 "Adressen är för lång" "The address is too long";
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type" 415 "Innehållets format stöds inte" "The format of the content is not supported";
    INVALID_BALLOT = "invalid-ballot" 422 "Prioriteringen är inte giltig" "The ballot is not valid";
    INVALID_ROUND = "invalid-round" 422 "Omgången är inte giltig" "The round is not valid";
    INVALID_CLIENT = "invalid-client" 422 "Klienten är inte giltig" "The client is not valid";
    PRECONDITION_REQUIRED = "precondition-required" 428 "Villkor saknas" "A condition is missing";
    TOO_MANY_REQUESTS = "too-many-requests" 429 "För många anrop" "Too many requests";
    INTERNAL = "internal" 500 "Fel i tjänsten" "A fault in the service";
    UNAVAILABLE = "unavailable" 503 "Tjänsten kan inte svara just nu" "The service cannot answer just now";
    INSUFFICIENT_STORAGE = "insufficient-storage" 507 "Det finns ingen plats" "There is no room";
}

/// A refusal on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    pub(super) kind: &'static Kind,
    detail: Titles,
    errors: Vec<ErrorItem>,
    times: Option<(Instant, Instant)>,
    scope: Option<Scope>,
    headers: Vec<(header::HeaderName, String)>,
}

#[derive(Debug)]
struct ErrorItem {
    at: At,
    code: &'static str,
    detail: Titles,
}

#[derive(Debug)]
enum At {
    Pointer(String),
    Parameter(String),
    /// It is not the request that is at fault.
    Nowhere,
}

impl Problem {
    pub(super) fn new(kind: &'static Kind, sv: &str, en: &str) -> Self {
        let detail = Titles { sv: sv.to_owned(), en: en.to_owned() };
        Self { kind, detail, errors: Vec::new(), times: None, scope: None, headers: Vec::new() }
    }

    /// Nothing is there, or nothing that this caller may know of.
    pub(super) fn not_found(sv: &str, en: &str) -> Self {
        Self::new(
            &NOT_FOUND,
            &format!("Det som söks finns inte: {sv}."),
            &format!("What was asked for does not exist: {en}."),
        )
    }

    /// A body that cannot be read, or not as this shape.
    pub(super) fn bad_body(en: &str) -> Self {
        Self::new(
            &BAD_REQUEST,
            &format!("Innehållet kan inte läsas: {en}."),
            &format!("The content cannot be read: {en}."),
        )
    }

    /// Faults of query parameters.
    pub(super) fn bad_query(faults: Vec<Fault>) -> Self {
        let problem = Self::new(
            &BAD_REQUEST,
            "Det finns fel i adressens parametrar; se errors.",
            "The parameters of the address have faults; see errors.",
        );
        problem.with_query(faults)
    }

    /// The problem with these faults of query parameters.
    pub(super) fn with_query(self, faults: Vec<Fault>) -> Self {
        self.with(faults, |place| {
            At::Parameter(match place {
                Place::Member(name) => name,
                place => place.to_string(),
            })
        })
    }

    /// Faults of a body, each with its JSON pointer.
    pub(super) fn invalid(kind: &'static Kind, faults: Vec<Fault>) -> Self {
        let n = faults.len();
        let (sv, en) = match n {
            1 => ("1 fel; se errors.".to_owned(), "1 fault; see errors.".to_owned()),
            n => (format!("{n} fel; se errors."), format!("{n} faults; see errors.")),
        };
        Self::new(kind, &sv, &en).with(faults, |place| At::Pointer(place.to_string()))
    }

    fn with(mut self, faults: Vec<Fault>, at: impl Fn(Place) -> At) -> Self {
        let item = |fault: Fault| ErrorItem { at: at(fault.place), code: fault.code, detail: fault.detail };
        self.errors.extend(faults.into_iter().map(item));
        self
    }

    /// No token, or none that is believed (RFC 6750, section 3).
    pub(super) fn unauthorized(presented: bool) -> Self {
        let (challenge, sv, en) = if presented {
            (
                "Bearer realm=\"handslag\", error=\"invalid_token\"",
                "Åtkomstbiljetten är ogiltig eller har gått ut.",
                "The access token is not valid or has expired.",
            )
        } else {
            (
                "Bearer realm=\"handslag\"",
                "Skicka en åtkomstbiljett i Authorization: Bearer.",
                "Send an access token in Authorization: Bearer.",
            )
        };
        Self::new(&UNAUTHORIZED, sv, en).header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The token does not allow it.
    pub(super) fn lacks(scope: Scope) -> Self {
        let challenge =
            format!("Bearer realm=\"handslag\", error=\"insufficient_scope\", scope=\"{}\"", scope.id());
        let mut problem = Self::new(
            &FORBIDDEN,
            &format!("Åtkomstbiljetten saknar behörigheten {}.", scope.id()),
            &format!("The access token lacks the scope {}.", scope.id()),
        );
        problem.scope = Some(scope);
        problem.header(header::WWW_AUTHENTICATE, &challenge)
    }

    /// The token is for another participant's ballot.
    pub(super) fn not_yours() -> Self {
        Self::new(
            &FORBIDDEN,
            "Åtkomstbiljetten gäller en annan deltagares prioritering.",
            "The access token is for another participant's ballot.",
        )
    }

    /// The token is for no participant's ballot.
    pub(super) fn nobodys() -> Self {
        Self::new(
            &FORBIDDEN,
            "Åtkomstbiljetten är inte knuten till någon deltagare, och öppnar därför ingen prioritering.",
            "The access token is bound to no participant, and so opens no ballot.",
        )
    }

    /// The round does not accept ballots now.
    pub(super) fn not_open(state: State, opens_at: Instant, closes_at: Instant) -> Self {
        let (opens, closes) = (local(opens_at), local(closes_at));
        let (sv, en) = match state {
            State::Draft | State::Open => (
                format!("Omgången tar emot prioriteringar från {opens} till {closes}."),
                format!("The round accepts ballots from {opens} to {closes}."),
            ),
            State::Closed | State::Certified | State::Corrected => (
                format!("Omgången öppnade {opens} och stängde {closes}."),
                format!("The round opened {opens} and closed {closes}."),
            ),
        };
        let mut problem = Self::new(&ROUND_NOT_OPEN, &sv, &en);
        problem.times = Some((opens_at, closes_at));
        problem
    }

    /// Too much is waiting, or storage cannot be reached: nothing was done.
    pub(super) fn unavailable() -> Self {
        Self::new(
            &UNAVAILABLE,
            "Inget har sparats. Försök igen om en stund.",
            "Nothing was stored. Try again in a moment.",
        )
        .header(header::RETRY_AFTER, "1")
    }

    /// It is stored, but not in force here before it can be read.
    pub(super) fn not_seen() -> Self {
        Self::new(
            &UNAVAILABLE,
            "Ändringen är sparad, men gäller inte här än: registret går inte att läsa. Försök igen om en stund.",
            "The change is stored, but not in force here yet: the register cannot be read. Try again in a moment.",
        )
        .header(header::RETRY_AFTER, "1")
    }

    /// What is asked for cannot be read; there was nothing to be stored.
    pub(super) fn unreadable() -> Self {
        Self::new(
            &UNAVAILABLE,
            "Det går inte att läsa just nu. Försök igen om en stund.",
            "It cannot be read just now. Try again in a moment.",
        )
        .header(header::RETRY_AFTER, "1")
    }

    /// This instance is not to be sent requests; each reason has a code.
    pub(super) fn not_ready(reasons: Vec<(&'static str, Titles)>) -> Self {
        let mut problem = Self::new(
            &UNAVAILABLE,
            "Instansen är inte redo; se errors.",
            "The instance is not ready; see errors.",
        );
        let item = |(code, detail)| ErrorItem { at: At::Nowhere, code, detail };
        problem.errors = reasons.into_iter().map(item).collect();
        problem.header(header::RETRY_AFTER, "1")
    }

    /// The codes of the faults that it lists.
    pub(super) fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.errors.iter().map(|error| error.code)
    }

    /// So much is being counted that there was no turn for this in time.
    pub(super) fn crowded() -> Self {
        Self::new(
            &UNAVAILABLE,
            "Det är mycket som räknas just nu. Försök igen om en stund.",
            "Much is being counted just now. Try again in a moment.",
        )
        .header(header::RETRY_AFTER, "2")
    }

    /// The caller knows of a sequence that this process has not seen in the time that it waits.
    pub(super) fn not_reached(least: Sequence, newest: Sequence) -> Self {
        Self::new(
            &UNAVAILABLE,
            &format!("Löpnummer {least} har inte nått hit inom fem sekunder; det nyaste här är {newest}. Försök igen om en stund."),
            &format!("Sequence {least} has not arrived here within five seconds; the newest here is {newest}. Try again in a moment."),
        )
        .header(header::RETRY_AFTER, "1")
    }

    /// Storage failed while it was being written.
    pub(super) fn unknown() -> Self {
        Self::new(
            &UNAVAILABLE,
            "Det är okänt om ändringen sparades. Hämta resursen och se efter innan du skickar igen.",
            "It is unknown whether the change was stored. Get the resource and look before sending again.",
        )
        .header(header::RETRY_AFTER, "2")
    }

    /// The disk is full: nothing was done, and nothing will be until somebody has made room.
    pub(super) fn no_room() -> Self {
        Self::new(
            &INSUFFICIENT_STORAGE,
            "Inget har sparats: tjänstens lagring är full. Försök igen senare.",
            "Nothing was stored: the storage of the service is full. Try again later.",
        )
    }

    pub(super) fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The problem of a status that was answered without one.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let kind = KINDS.iter().find(|kind| kind.status == status.as_u16()).copied();
        let general = if status.is_server_error() { &INTERNAL } else { &BAD_REQUEST };
        let kind = kind.unwrap_or(general);
        Self::new(kind, kind.sv, kind.en)
    }

    /// The reply, in a language, for the request of this id.
    pub(super) fn reply(&self, language: Language, instance: uuid::Uuid) -> HttpResponse {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            instance: String,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            errors: Vec<Item<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            opens_at: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            closes_at: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            scope: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct Item<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            pointer: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            parameter: Option<&'a str>,
            code: &'a str,
            detail: &'a str,
        }
        let document = Document {
            r#type: format!("{BASE}{}", self.kind.slug),
            title: language.pick(self.kind.sv, self.kind.en),
            status: self.kind.status,
            detail: language.of(&self.detail),
            instance: instance.urn().to_string(),
            errors: self
                .errors
                .iter()
                .map(|ErrorItem { at, code, detail }| {
                    let (pointer, parameter) = match at {
                        At::Pointer(pointer) => (Some(&**pointer), None),
                        At::Parameter(name) => (None, Some(&**name)),
                        At::Nowhere => (None, None),
                    };
                    Item { pointer, parameter, code, detail: language.of(detail) }
                })
                .collect(),
            opens_at: self.times.map(|(opens_at, _)| opens_at.to_string()),
            closes_at: self.times.map(|(_, closes_at)| closes_at.to_string()),
            scope: self.scope.map(Scope::id),
        };
        let mut reply = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            reply.insert_header((name.clone(), value.as_str()));
        }
        reply
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CONTENT_LANGUAGE, language.pick("sv", "en")))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::VARY, "Accept-Language"))
            .body(serde_json::to_vec(&document).expect("a document of texts and numbers"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.slug)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).expect("the table holds statuses")
    }

    /// The envelope writes the body, because it knows the caller's language and the request's id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<NotDone> for Problem {
    fn from(reason: NotDone) -> Self {
        match reason {
            NotDone::Busy => Self::unavailable(),
            NotDone::Unknown => Self::unknown(),
        }
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::Store(error) => error.into(),
            Error::NoSuchRound => Self::not_found("omgången", "the round"),
            Error::NoSuchClient => Self::not_found("klienten", "the client"),
            Error::RoundExists => Self::new(
                &ALREADY_EXISTS,
                "Det finns redan en omgång med detta id.",
                "There is a round with this id already.",
            ),
            Error::Refused(refusal) => {
                let sv = refusal_in_swedish(&refusal);
                Self::new(&ROUND_STATE, &sv, &format!("Refused: {refusal}."))
            }
            Error::Invalid(faults) if faults.iter().any(|fault| fault.code == service::definition::FORM) => {
                Self::invalid(&BAD_REQUEST, faults)
            }
            Error::Invalid(faults) => Self::invalid(&INVALID_ROUND, faults),
            Error::Changed => Self::changed(),
        }
    }
}

impl Problem {
    /// What stands in the way of a write. Where storage failed, it may have failed after it had stored.
    pub(super) fn of_write(error: service::Error) -> Self {
        match error {
            service::Error::Store(crate::store::Error::Full(_)) => Self::no_room(),
            service::Error::Store(crate::store::Error::Unconfirmed(_)) => Self::unknown(),
            service::Error::Store(_) => Self::unavailable(),
            error => error.into(),
        }
    }

    /// A precondition that does not hold.
    pub(super) fn changed() -> Self {
        Self::new(
            &PRECONDITION_FAILED,
            "Någon annan har ändrat sedan du läste. Hämta på nytt och se efter.",
            "Somebody else has changed it since you read it. Get it again and look.",
        )
    }
}

fn refusal_in_swedish(refusal: &crate::domain::Refusal) -> String {
    use crate::domain::Refusal;
    match refusal {
        Refusal::NoSuchStep { from, to } => format!("En omgång i läget {from} kan inte gå till {to}."),
        Refusal::Fixed { member } => format!("{member} ligger fast sedan omgången öppnade."),
        Refusal::NotLater => {
            "Stängningen kan bara flyttas till en senare tid, som inte har passerat.".to_owned()
        }
        Refusal::Incomplete { missing: "initiatives" } => {
            "Omgången kan inte öppnas: det saknas initiativ.".to_owned()
        }
        Refusal::Incomplete { .. } => "Omgången kan inte öppnas: det saknas deltagare.".to_owned(),
        Refusal::ClosingPassed => "Omgången kan inte öppna: tiden för stängning har passerat.".to_owned(),
    }
}

impl From<crate::store::Error> for Problem {
    /// Of a reading. The database's own words go to the log, once, and never outside.
    fn from(error: crate::store::Error) -> Self {
        Self::from(&error)
    }
}

impl From<std::sync::Arc<crate::store::Error>> for Problem {
    fn from(error: std::sync::Arc<crate::store::Error>) -> Self {
        Self::from(&*error)
    }
}

impl From<&crate::store::Error> for Problem {
    fn from(error: &crate::store::Error) -> Self {
        tracing::error!(%error, "storage failed");
        match error {
            crate::store::Error::Connection(_) => Self::unreadable(),
            _ => Self::of_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl From<Undone> for Problem {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Crowded => Self::crowded(),
            Undone::Failed => Self::of_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}
