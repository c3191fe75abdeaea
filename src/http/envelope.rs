//! What is around every exchange: the request's id and trace, problems in the caller's language, the log line.

use std::future::Future;
use std::num::NonZero;
use std::rc::Rc;
use std::time::{Duration, Instant as Monotonic};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, rt, web};
use rand::Rng;
use tokio::task::JoinError;
use uuid::Uuid;

use super::connection::Progress;
use super::problem::{Problem, TOO_MANY_REQUESTS};
use super::routes::{self, Counted};
use super::{Site, Stopping, audit, cors, limiter, negotiate, oauth, well_known};
use crate::export::Language;
use crate::observe::metrics::Metrics;
use crate::observe::traces::Span;

/// For how long a browser is to come by TLS only.
const A_YEAR: &str = "max-age=31536000";
/// The longest address that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Wraps every exchange.
pub(super) async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let mut started = Monotonic::now();
    let progress = request.conn_data::<Rc<Progress>>().map(Rc::clone).expect("connections are ours");
    progress.begin();
    let trace = Trace::of(request.headers().get(TRACEPARENT));
    let language = negotiate::language(request.headers());
    let site = request.app_data::<web::Data<Site>>().cloned().expect("the site is part of the app");
    let mut response = if let Some(problem) = refusal(&site, &request) {
        count(&site.metrics, request.request(), &problem);
        let slug = Some(problem.kind.slug);
        let peer = request.peer_addr();
        let reply = problem.reply(language, Uuid::now_v7());
        let response = request.into_response(reply.map_into_right_body());
        audit::record(&site, &response, slug, || trace.id());
        if slug == Some(TOO_MANY_REQUESTS.slug) {
            Box::pin(site.limiter.keep_back(peer)).await;
            // It took us nothing to wait.
            started = Monotonic::now();
        }
        response
    } else {
        let is_safe = request.method().is_safe();
        let done = recorded(next.call(request), site.clone(), trace);
        // A caller that hangs up in the middle of a write does not take the record of it along.
        let response =
            if is_safe { done.await? } else { rt::spawn(done).await.map_err(|error| broken(&error))?? };
        answered(response, language, &site.metrics)
    };
    tell_of_resource(response.headers_mut(), &site.issuing.issuer);
    limiter::tell(&mut response);
    if site.stopping.has_begun() {
        // The next request on this connection would find nobody.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    headers.insert(TRACEPARENT, trace.header());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if site.edge.is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(A_YEAR));
    }
    cors::mark(&mut response, &site.edge.cors_origins);
    let took = started.elapsed();
    record(&site, &response, &trace, took);
    log(&site, &response, &trace, took);
    progress.end();
    Ok(response)
}

/// What is asked for, done and recorded.
async fn recorded<B: MessageBody>(
    doing: impl Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
    site: web::Data<Site>,
    trace: Trace,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let response = doing.await?;
    audit::record(&site, &response, audit::problem(&response), || trace.id());
    Ok(response)
}

/// A panic in a handler.
fn broken(error: &JoinError) -> actix_web::Error {
    tracing::error!(%error, "a request ended with a panic");
    ErrorInternalServerError("a fault in the service")
}

/// Who is asked for a token is told where there is one (RFC 9728, section 5.1).
fn tell_of_resource(headers: &mut header::HeaderMap, issuer: &str) {
    let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|field| field.to_str().ok());
    let Some(challenge) = challenge.filter(|challenge| challenge.starts_with("Bearer ")) else { return };
    let field = format!("{challenge}, resource_metadata=\"{issuer}{}\"", well_known::RESOURCE);
    if let Ok(field) = HeaderValue::try_from(field) {
        headers.insert(header::WWW_AUTHENTICATE, field);
    }
}

/// Why a request is not looked at, whatever it asks for.
fn refusal(site: &Site, request: &ServiceRequest) -> Option<Problem> {
    if site.stopping.has_begun() && !request.method().is_safe() {
        return Some(Stopping::refusal());
    }
    if let Err(problem) = site.limiter.count_address(request.peer_addr(), request.headers()) {
        return Some(problem);
    }
    let length = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    (length > LONGEST).then(|| Problem::of_status(StatusCode::URI_TOO_LONG))
}

/// The reply, with the body of a problem where it is a refusal.
fn answered<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    language: Language,
    metrics: &Metrics,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response.map_into_left_body();
    }
    // The token endpoint's refusals have the shape of RFC 6749, which is JSON too.
    let of_oauth = response.request().path() == oauth::PATH;
    let is_problem = |t: &HeaderValue| t == "application/problem+json" || of_oauth && t == "application/json";
    if response.headers().get(header::CONTENT_TYPE).is_some_and(is_problem) {
        return response.map_into_left_body();
    }
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    let reply = if let Some(problem) = problem {
        count(metrics, response.request(), problem);
        problem.reply(language, Uuid::now_v7())
    } else {
        let problem = Problem::of_status(status);
        count(metrics, response.request(), &problem);
        let mut reply = problem.reply(language, Uuid::now_v7());
        if let Some(allow) = response.headers().get(header::ALLOW) {
            reply.headers_mut().insert(header::ALLOW, allow.clone());
        }
        reply
    };
    response.into_response(reply.map_into_right_body())
}

/// Counts a refusal, and that of a ballot by itself.
fn count(metrics: &Metrics, request: &HttpRequest, problem: &Problem) {
    let slug = problem.kind.slug;
    metrics.refusals.problem(slug);
    let writes = matches!(*request.method(), Method::PUT | Method::DELETE);
    if writes && request.app_data::<Counted>().is_some_and(|counted| counted.takes_ballots) {
        metrics.refusals.ballot(slug, problem.codes());
    }
}

/// Counts an exchange and the time it took, and hands it on as a span. The resource has said which it is, so that no
/// pattern is put together here.
fn record<B>(site: &Site, response: &ServiceResponse<B>, trace: &Trace, took: Duration) {
    let request = response.request();
    let (method, status) = (request.method().as_str(), response.status().as_u16());
    let pattern = request.app_data::<Counted>().map(|counted| counted.pattern);
    let exchanges = &site.metrics.exchanges;
    exchanges.record(pattern, method, status, took);
    site.traces.take(|| {
        let parent = trace.parent.map(|parent| (parent, trace.flags & 1 == 1));
        let route = pattern.and_then(|pattern| exchanges.route(pattern));
        Span { trace: trace.id, parent, id: trace.span, method, route, status, took }
    });
}

/// One line an exchange. Polls that went well are told at `debug` only: they are most of all traffic. So are those that
/// were too many, or a flood of requests would be one of lines.
fn log<B>(site: &Site, response: &ServiceResponse<B>, trace: &Trace, took: Duration) {
    let status = response.status().as_u16();
    let request = response.request();
    let method = request.method().as_str();
    let quiet = status < 400 && matches!(method, "GET" | "HEAD" | "OPTIONS") || status == 429;
    // The pattern, not the path: a path may hold anything a caller writes.
    let route = || routes::pattern(site, request).unwrap_or("unknown");
    let micros = || u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if quiet {
        tracing::debug!(method, route = route(), status, micros = micros(), trace = %trace.id(), "answered");
    } else {
        tracing::info!(method, route = route(), status, micros = micros(), trace = %trace.id(), "answered");
    }
}

/// A trace (W3C Trace Context): the caller's if it is well formed, else a new one; the span is ours.
#[derive(Clone, Copy)]
struct Trace {
    id: u128,
    /// The caller's span, if the trace is the caller's.
    parent: Option<u64>,
    span: u64,
    flags: u8,
}

impl Trace {
    fn of(field: Option<&HeaderValue>) -> Self {
        let mut random = rand::thread_rng();
        let span = random.r#gen::<NonZero<u64>>().get();
        let given = field.and_then(|field| field.to_str().ok()).and_then(parse);
        let own = || (random.r#gen::<NonZero<u128>>().get(), None, 0);
        let (id, parent, flags) = given.map_or_else(own, |(id, parent, flags)| (id, Some(parent), flags));
        Self { id, parent, span, flags }
    }

    fn id(&self) -> String {
        format!("{:032x}", self.id)
    }

    fn header(&self) -> HeaderValue {
        // Each reply has one, and `format!` takes three times as many instructions.
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let digit = |of: u8| b"0123456789abcdef"[usize::from(of)];
        let mut put = |from: usize, bytes: &[u8]| {
            for (pair, byte) in text[from..].chunks_exact_mut(2).zip(bytes) {
                pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
        };
        put(3, &self.id.to_be_bytes());
        put(36, &self.span.to_be_bytes());
        put(53, &[self.flags]);
        HeaderValue::from_bytes(&text).expect("hex and hyphens")
    }
}

/// Trace, span and flags.
fn parse(field: &str) -> Option<(u128, u64, u8)> {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let parts: Vec<&str> = field.split('-').collect();
    let [version, id, parent, flags, rest @ ..] = &*parts else { return None };
    let sizes = version.len() == 2 && id.len() == 32 && parent.len() == 16 && flags.len() == 2;
    let known = *version == "00" && rest.is_empty() || *version != "00" && *version != "ff";
    if !sizes || !known || ![version, id, parent, flags].into_iter().all(|part| hex(part)) {
        return None;
    }
    let id = u128::from_str_radix(id, 16).ok().filter(|&id| id != 0)?;
    let parent = u64::from_str_radix(parent, 16).ok()?;
    (parent != 0).then_some((id, parent, u8::from_str_radix(flags, 16).ok()? & 1))
}
