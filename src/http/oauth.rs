//! The token endpoint: client credentials by RFC 6749, section 4.4, with assertions by RFC 7523.
//!
//! Outside the API's base and its conventions: requests are forms, and refusals have the shape of RFC 6749, section 5.2.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tokio::time::timeout;

use super::Site;
use super::audit::{self, Note};
use super::issuing::NotBelieved;
use super::limiter::TooMany;
use crate::domain::audit::Actor;
use crate::domain::{Client, Scope, Scopes};
use crate::identity::{Assertion, CLIENT_LIFETIME, TokenIssuer};

/// Where it is.
pub(super) const PATH: &str = "/oauth/token";
/// The most bytes of a request: an assertion, and little beside it.
const LIMIT: usize = 16 * 1024;
/// `client_assertion_type` (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A refusal (RFC 6749, section 5.2).
#[derive(Debug)]
struct Refused {
    error: &'static str,
    status: StatusCode,
    description: &'static str,
    /// Fields of its own.
    fields: Vec<(header::HeaderName, String)>,
}

impl Refused {
    fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, status: StatusCode::BAD_REQUEST, description, fields: Vec::new() }
    }

    fn request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    /// 401 names a scheme (RFC 9110, section 11.6.1): the one that was tried, or that of the tokens themselves.
    fn client(description: &'static str, challenge: &'static str) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        let fields = vec![(header::WWW_AUTHENTICATE, challenge.to_owned())];
        Self { status, fields, ..Self::new("invalid_client", description) }
    }

    fn busy() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let fields = vec![(header::RETRY_AFTER, "1".to_owned())];
        Self { status, fields, ..Self::new("temporarily_unavailable", "try again in a moment") }
    }

    fn too_slow() -> Self {
        Self { status: StatusCode::REQUEST_TIMEOUT, ..Self::request("the content did not arrive in time") }
    }

    fn reply(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Document {
            error: &'static str,
            error_description: &'static str,
        }
        let mut reply = HttpResponse::build(self.status);
        for (name, value) in &self.fields {
            reply.insert_header((name.clone(), value.as_str()));
        }
        not_kept(&mut reply).json(Document { error: self.error, error_description: self.description })
    }
}

impl From<NotBelieved> for Refused {
    fn from(reason: NotBelieved) -> Self {
        match reason {
            NotBelieved::Wrong(description) => Self::client(description, BEARER),
            NotBelieved::Busy => Self::busy(),
        }
    }
}

impl From<TooMany> for Refused {
    /// The specification has no code for it, nor for any other refusal that passes.
    fn from(refused: TooMany) -> Self {
        let refusal =
            Self::new("temporarily_unavailable", "too many requests, wait as long as Retry-After says");
        Self { status: StatusCode::TOO_MANY_REQUESTS, fields: refused.fields().collect(), ..refusal }
    }
}

const BEARER: &str = "Bearer realm=\"handslag\"";

/// No cache keeps what is said here (RFC 6749, section 5.1).
fn not_kept(reply: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    reply.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"))
}

/// A token (RFC 6749, section 5.1).
#[derive(Serialize)]
struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

pub(super) async fn token(
    site: web::Data<Site>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    match issue(&site, &request, payload).await {
        Ok(issued) => not_kept(&mut HttpResponse::Ok()).json(issued),
        Err(refused) => {
            audit::note_refusal(&request, refused.error, refused.description);
            tracing::info!(error = refused.error, reason = refused.description, "no token");
            refused.reply()
        }
    }
}

async fn issue(site: &Site, request: &HttpRequest, payload: web::Payload) -> Result<Issued, Refused> {
    let form = Form::read(request, payload, site.edge.patience.body).await?;
    check_header(request)?;
    match form.get("grant_type") {
        None => return Err(Refused::request("grant_type is missing")),
        Some("client_credentials") => {}
        Some(_) => return Err(Refused::new("unsupported_grant_type", "grant_type is client_credentials")),
    }
    let client =
        authenticate(site, request, &form).await.inspect_err(|_| note_tried(site, request, &form))?;
    audit::note(request, Note { actor: Some(actor(site, &client)), ..audit::client(&client.id) });
    site.limiter.count_client(&site.issuing.issuer, client.id.as_str(), request)?;
    if client.disabled_at.is_some() {
        return Err(Refused::new("unauthorized_client", "the client is disabled"));
    }
    let scopes = scopes(&client, form.get("scope"))?;
    let now = site.clock.now();
    let registered = site.issuing.registrar.registry().current();
    let key = registered.signing_key(now).ok_or_else(Refused::busy)?;
    let issuer = TokenIssuer { issuer: &site.issuing.issuer, key };
    tracing::info!(client = %client.id, %scopes, "a token was issued");
    Ok(Issued {
        access_token: issuer.issue_to(&client, scopes, now),
        token_type: "Bearer",
        expires_in: CLIENT_LIFETIME,
        scope: scopes.to_string(),
    })
}

/// Notes which client somebody has tried to be, if there is one of that name. What names none is anybody's writing, and
/// does not get into the audit trail.
fn note_tried(site: &Site, request: &HttpRequest, form: &Form) {
    let signed = form.get("client_assertion").and_then(|text| Assertion::read(text).ok());
    let named = signed.as_ref().map(Assertion::client).or_else(|| form.get("client_id"));
    if let Some(tried) = named.and_then(|named| site.issuing.client(named)) {
        audit::note(request, audit::client(&tried.client.id));
    }
}

/// Who has shown who it is, for the audit trail.
fn actor(site: &Site, client: &Client) -> Actor {
    Actor {
        issuer: Some(site.issuing.issuer.clone()),
        client: Some(client.id.to_string()),
        organisation: client.participant.clone(),
        subject: Some(client.id.to_string()),
        address: None,
    }
}

/// Secrets in a header are not taken: proxies and logs know that header too well.
fn check_header(request: &HttpRequest) -> Result<(), Refused> {
    let Some(field) = request.headers().get(header::AUTHORIZATION) else { return Ok(()) };
    let basic = field.as_bytes().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"));
    // The scheme that was tried is the one to name (RFC 6749, section 5.2).
    let challenge = if basic { "Basic realm=\"handslag\"" } else { BEARER };
    Err(Refused::client("authenticate in the body: private_key_jwt or client_secret_post", challenge))
}

async fn authenticate(site: &Site, request: &HttpRequest, form: &Form) -> Result<Client, Refused> {
    let (issuing, now) = (&site.issuing, site.clock.now());
    let client_id = form.get("client_id");
    let kind = form.get("client_assertion_type");
    let believed = match (form.get("client_assertion"), kind, form.get("client_secret")) {
        (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            return Err(Refused::request("an assertion and a secret are one too many"));
        }
        (Some(assertion), Some(JWT_BEARER), None) => issuing.by_assertion(assertion, client_id, now).await?,
        (Some(_), Some(_), None) => {
            return Err(Refused::client("no such client_assertion_type", BEARER));
        }
        (Some(_), None, None) | (None, Some(_), None) => {
            return Err(Refused::request("client_assertion and client_assertion_type go together"));
        }
        (None, None, Some(secret)) => {
            let client_id = client_id.ok_or(Refused::request("client_id is missing"))?;
            site.limiter.count_attempt(client_id, request)?;
            if !site.limiter.count_secret(request) {
                return Err(Refused::busy());
            }
            let believed = issuing.by_secret(client_id, secret.to_owned(), now).await?;
            site.limiter.was_right(client_id, request);
            believed
        }
        (None, None, None) => return Err(Refused::client("there is no client authentication", BEARER)),
    };
    Ok(believed.client.clone())
}

/// What is asked for, if the client may have it; without asking it is all.
fn scopes(client: &Client, asked: Option<&str>) -> Result<Scopes, Refused> {
    let Some(asked) = asked else { return Ok(client.scopes) };
    let names: Vec<&str> = asked.split(' ').collect();
    let find = |name: &&str| Scope::ALL.into_iter().find(|scope| scope.id() == *name);
    let found: Option<Vec<Scope>> = names.iter().map(find).collect();
    let within = |scopes: &Vec<Scope>| scopes.iter().all(|scope| client.scopes.has(*scope));
    let found = found.filter(within);
    found.map(|scopes| Scopes::of(&scopes)).ok_or(Refused::new(
        "invalid_scope",
        "scope holds one that does not exist or that the client does not have",
    ))
}

/// The parameters of a request.
#[derive(Debug)]
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(request: &HttpRequest, payload: web::Payload, patience: Duration) -> Result<Self, Refused> {
        let mut types = request.headers().get_all(header::CONTENT_TYPE);
        let media = types.next().and_then(|field| field.to_str().ok()?.parse::<mime::Mime>().ok());
        if media.is_none_or(|media| media.essence_str() != "application/x-www-form-urlencoded") {
            return Err(Refused::request("the content is application/x-www-form-urlencoded"));
        }
        // What stands in an address is logged on its way.
        if !request.query_string().is_empty() {
            return Err(Refused::request("parameters stand in the body, not in the address"));
        }
        let bytes = timeout(patience, payload.to_bytes_limited(LIMIT)).await;
        let bytes = bytes.map_err(|_| Refused::too_slow())?;
        let bytes = bytes.map_err(|_| Refused::request("the content is too large"))?;
        let bytes = bytes.map_err(|_| Refused::request("the content ended early"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Refused::request("the content is not UTF-8"))?;
        let mut pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(text).map_err(|_| Refused::request("the content is no form"))?;
        let mut names = HashSet::new();
        if !pairs.iter().all(|(name, _)| names.insert(name)) {
            return Err(Refused::request("a parameter stands twice"));
        }
        // One without a value counts as left out, and one that is not known is passed over (RFC 6749, section 3.2).
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}
