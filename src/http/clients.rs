//! The systems that may ask for tokens, for those who run rounds.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value};

use super::body::{self, Body, Incoming};
use super::guard::{Caller, Manage};
use super::problem::{INVALID_CLIENT, Problem};
use super::query::{self, Query};
use super::reply::{self, Cache};
use super::{Site, audit, conditional};
use crate::domain::{AuthMethod, Client, ClientId};
use crate::export::clients::ClientView;
use crate::export::{Link, Meta};
use crate::identity::secret::Secret;
use crate::identity::{ClientKey, NotAClientKey};
use crate::service::clients::{self, Change, ClientText, LONGEST_KEPT, NewCredential};
use crate::service::definition::FORM;
use crate::service::{Error, Fault};

/// The validator of a client: it counts changes.
fn etag(client: &Client) -> String {
    format!("\"c{}\"", client.revision)
}

#[derive(serde::Serialize)]
struct ClientPage {
    clients: Vec<ClientView>,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

pub(super) async fn list(
    _: Caller<Manage>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &query::PAGE);
    let page = query.page();
    query.check()?;
    let registered = site.issuing.registrar.registry().current();
    let all = registered.clients();
    let slice = page.slice(&all);
    let document = ClientPage {
        clients: slice.iter().map(|client| ClientView::new(client, &site.links)).collect(),
        meta: page.meta(all.len(), slice.len()),
        links: page.links(&site.links.to("/clients"), all.len()),
    };
    Ok(reply::json_page(Cache::NoStore, &document.links, &document))
}

pub(super) async fn get(
    _: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let registered = site.issuing.registrar.registry().current();
    let found = registered.client(&path).ok_or_else(no_such_client)?;
    let view = || Ok(serde_json::to_vec(&ClientView::new(&found.client, &site.links)).expect("texts"));
    reply::json_with_etag(&request, Cache::Private, &etag(&found.client), "Authorization", view)
}

fn no_such_client() -> Problem {
    Problem::not_found("klienten", "the client")
}

/// A client, as it comes in.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientBody {
    kind: Option<String>,
    participant: Option<String>,
    scopes: Option<Vec<String>>,
    name: Option<String>,
    auth_method: Option<String>,
    public_key: Option<Map<String, Value>>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl ClientBody {
    /// What is missing, and what should not be there.
    fn faults(&self) -> Vec<Fault> {
        let missing = [("kind", self.kind.is_none()), ("name", self.name.is_none())];
        let missing = missing.into_iter().filter(|(_, missing)| *missing);
        let missing = missing
            .map(|(name, _)| Fault::member(name, "missing", "Uppgiften saknas.", "The member is missing."));
        let unknown = self.unknown.keys().map(|name| {
            Fault::member(name, FORM, "Det finns ingen sådan uppgift.", "There is no such member.")
        });
        missing.chain(unknown).collect()
    }
}

impl Incoming for ClientBody {
    const LIMIT: usize = 16 * 1024;
}

pub(super) async fn create(
    _: Caller<Manage>,
    site: web::Data<Site>,
    request: HttpRequest,
    body: Body<ClientBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let mut faults = body.0.faults();
    let ClientBody { kind, participant, scopes, name, auth_method, public_key, .. } = body.0;
    let text =
        ClientText { kind: kind.unwrap_or_default(), participant, scopes, name: name.unwrap_or_default() };
    let method = auth_method.as_deref().unwrap_or(AuthMethod::PrivateKeyJwt.id());
    // What can be read is looked at, also when something else cannot.
    let (profile, credential) = match (clients::read(&text), Shown::read(method, public_key.as_ref())) {
        (Ok(profile), Ok(credential)) if faults.is_empty() => (profile, credential),
        (profile, credential) => {
            for found in [profile.err(), credential.err()].into_iter().flatten().flatten() {
                // What is missing is not also of the wrong form.
                if !faults.iter().any(|fault| fault.place == found.place) {
                    faults.push(found);
                }
            }
            return Err(Problem::invalid(&INVALID_CLIENT, faults));
        }
    };
    let (id, now) = (clients::new_id(&profile), site.clock.now());
    audit::note(&request, audit::client(&id));
    // A client that is not known yet is looked for when it asks for a token; and its secret is shown this once.
    let ((client, secret), _) = write(&site, move |conn| {
        let (credential, secret) = credential.keep();
        clients::create(conn, id, &profile, credential, now).map(|client| (client, secret))
    })
    .await?;
    Ok(created(&site, &client, secret.as_ref()))
}

/// 201 with a client, and its secret if one was made.
fn created(site: &Site, client: &Client, secret: Option<&Secret>) -> HttpResponse {
    let mut reply = HttpResponse::Created();
    reply
        .insert_header((header::LOCATION, site.links.to(&format!("/clients/{}", client.id))))
        .insert_header((header::ETAG, etag(client)))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()));
    let view = ClientView::new(client, &site.links).with_secret(secret.map(Secret::text));
    reply::with_json(&mut reply, &view)
}

/// What changes of a client, as it comes in.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientPatch {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    disabled: Option<bool>,
}

/// Null would take a member away (RFC 7396), and none of these can be missing.
fn present<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Incoming for ClientPatch {
    const LIMIT: usize = 4 * 1024;
    const TYPES: &'static [&'static str] = &["application/merge-patch+json", "application/json"];
}

pub(super) async fn patch(
    _: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<ClientPatch>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let id: ClientId = path.parse().map_err(|_| no_such_client())?;
    audit::note(&request, audit::client(&id));
    let ClientPatch { name, disabled } = body.0;
    if let Some(fault) = name.as_deref().and_then(clients::name_fault) {
        return Err(Problem::invalid(&INVALID_CLIENT, vec![fault]));
    }
    let (change, now) = (Change::Patch { name, disabled }, site.clock.now());
    let expected = expected(&request);
    let (client, seen) = write(&site, move |conn| clients::change(conn, &id, change, now, expected)).await?;
    if seen == Seen::Later {
        return Err(Problem::not_seen());
    }
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((header::ETAG, etag(&client)))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()));
    Ok(reply::with_json(&mut reply, &ClientView::new(&client, &site.links)))
}

/// What a client is to show who it is with from now on, as it comes in.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CredentialBody {
    public_key: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "body::whole_or_nothing")]
    keep_old_seconds: Option<u32>,
}

impl Incoming for CredentialBody {
    const LIMIT: usize = 16 * 1024;
}

pub(super) async fn renew(
    _: Caller<Manage>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<CredentialBody>,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let registered = site.issuing.registrar.registry().current();
    let known = registered.client(&path).ok_or_else(no_such_client)?;
    audit::note(&request, audit::client(&known.client.id));
    let CredentialBody { public_key, keep_old_seconds } = body.0;
    let kept = keep_old_seconds.unwrap_or_default();
    let mut faults = Vec::new();
    if kept > LONGEST_KEPT {
        let (sv, en) =
            (format!("Högst {LONGEST_KEPT} sekunder."), format!("At most {LONGEST_KEPT} seconds."));
        faults.push(Fault::member("keepOldSeconds", "too-long", &sv, &en));
    }
    let read = Shown::read(known.client.method.id(), public_key.as_ref());
    let credential = read.map_err(|found| faults.extend(found)).ok().filter(|_| faults.is_empty());
    let credential = credential.ok_or_else(|| Problem::invalid(&INVALID_CLIENT, faults))?;
    let (id, now, expected) = (known.client.id.clone(), site.clock.now(), expected(&request));
    // The secret is shown this once, also if the old one ends a little later here.
    let ((client, secret), _) = write(&site, move |conn| {
        let (credential, secret) = credential.keep();
        let change = Change::Rotate(credential, kept);
        clients::change(conn, &id, change, now, expected).map(|client| (client, secret))
    })
    .await?;
    Ok(created(&site, &client, secret.as_ref()))
}

/// Whether a client is what the condition says that it is.
fn expected(request: &HttpRequest) -> impl FnOnce(&Client) -> bool + Send + 'static {
    let tags = conditional::if_match(request);
    move |client| tags.is_none_or(|tags| tags.contains(&etag(client)))
}

/// What a client is to show who it is with: a key that was sent, or a secret that is made here.
enum Shown {
    Key(ClientKey),
    Secret,
}

impl Shown {
    fn read(method: &str, public_key: Option<&Map<String, Value>>) -> Result<Self, Vec<Fault>> {
        let fault = |member, code, sv: &str, en: &str| vec![Fault::member(member, code, sv, en)];
        match (method.parse(), public_key) {
            (Err(_), _) => {
                let (sv, en) =
                    ("private_key_jwt eller client_secret_post.", "private_key_jwt or client_secret_post.");
                Err(fault("authMethod", "auth-method", sv, en))
            }
            (Ok(AuthMethod::ClientSecretPost), None) => Ok(Self::Secret),
            (Ok(AuthMethod::ClientSecretPost), Some(_)) => {
                let (sv, en) =
                    ("En klient med hemlighet har ingen nyckel.", "A client with a secret has no key.");
                Err(fault("publicKey", "not-allowed", sv, en))
            }
            (Ok(AuthMethod::PrivateKeyJwt), None) => {
                let (sv, en) = ("Den öppna nyckeln saknas.", "The public key is missing.");
                Err(fault("publicKey", "missing", sv, en))
            }
            (Ok(AuthMethod::PrivateKeyJwt), Some(jwk)) => {
                ClientKey::from_jwk(jwk).map(Self::Key).map_err(|wrong| {
                    let (code, sv) = in_swedish(wrong);
                    let en = wrong.to_string();
                    fault("publicKey", code, sv, &format!("{}{}.", en[..1].to_uppercase(), &en[1..]))
                })
            }
        }
    }

    /// What is kept of it, and the secret that was made. To be called where it may take a while.
    fn keep(self) -> (NewCredential, Option<Secret>) {
        match self {
            Self::Key(key) => {
                let (id, value) = (key.kid().to_owned(), key.jwk().to_string());
                (NewCredential { method: AuthMethod::PrivateKeyJwt, id, value }, None)
            }
            Self::Secret => {
                let (secret, id) = (Secret::new(), uuid::Uuid::now_v7().to_string());
                let value = secret.hash();
                (NewCredential { method: AuthMethod::ClientSecretPost, id, value }, Some(secret))
            }
        }
    }
}

fn in_swedish(wrong: NotAClientKey) -> (&'static str, &'static str) {
    match wrong {
        NotAClientKey::Form => ("not-a-key", "Ingen öppen nyckel: en JWK för Ed25519, P-256 eller RSA."),
        NotAClientKey::Private => {
            ("private-key", "Här är den hemliga halvan med. Gör en ny nyckel och sänd bara den öppna halvan.")
        }
        NotAClientKey::Algorithm => (
            "algorithm",
            "alg är EdDSA för Ed25519, ES256 för P-256 och måste vara PS256 eller RS256 för RSA.",
        ),
        NotAClientKey::Size => ("key-size", "En RSA-nyckel har 2048 till 4096 bitar och exponenten 65537."),
        NotAClientKey::Kid => ("kid", "kid är 1 till 128 bokstäver, siffror och tecknen . _ ~ : -"),
    }
}

/// Whether this process knows of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Now,
    Later,
}

/// Writes beside the workers, and lets this process know of it before the caller does; says whether it does.
async fn write<T: Send + 'static>(
    site: &web::Data<Site>,
    writing: impl FnOnce(&mut crate::store::Conn) -> Result<T, Error> + Send + 'static,
) -> Result<(T, Seen), Problem> {
    let of = site.clone();
    let written = web::block(move || {
        let mut conn = of.store.connect()?;
        let done = writing(&mut conn)?;
        let seen = of.issuing.registrar.refresh(&mut conn);
        let seen = seen.inspect_err(|error| tracing::warn!(%error, "a change of clients is seen later"));
        Ok((done, if seen.is_ok() { Seen::Now } else { Seen::Later }))
    });
    match written.await.map_err(|_| Problem::unknown())? {
        Err(Error::Invalid(faults)) => Err(Problem::invalid(&INVALID_CLIENT, faults)),
        written => written.map_err(Problem::of_write),
    }
}
