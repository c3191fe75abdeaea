//! Access tokens: fetched with the client's key or secret, and kept until shortly before they end.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::exchange::{Request, Sent};
use super::patience::Patience;
use super::private_file;
use super::profile::{ClientIdText, Credential, Place, Profile, Service};
use crate::cli::Failure;
use crate::export::Language;
use crate::service::Clock;

/// How long an assertion lives, in seconds.
const ASSERTION: i64 = 60;
/// How long before its end a token is no longer used, in seconds.
const MARGIN: i64 = 30;
/// `client_assertion_type` (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An access token, and of whom and where it is.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Token {
    url: String,
    client: ClientIdText,
    pub(super) text: String,
    /// In seconds since 1970, on this machine's clock.
    ends: i64,
}

/// What the token endpoint answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

impl Token {
    /// The one that was kept for a profile, unless it is about to end.
    pub(super) fn kept(place: &Place, profile: &Profile) -> Option<Self> {
        // What cannot be read can be fetched again.
        let text = private_file::read(&place.token()).ok()?;
        let token: Self = serde_json::from_str(&text).ok()?;
        let fits = token.url == profile.url && token.client == profile.client && token.lives();
        fits.then_some(token)
    }

    /// Keeps it for the next command. That it cannot be kept costs another fetch, and is no failure.
    pub(super) fn keep(&self, place: &Place) {
        let text = serde_json::to_vec(self).expect("texts and numbers");
        let _ = private_file::write(&place.token(), &text);
    }

    /// Whether it can still be used.
    pub(super) fn lives(&self) -> bool {
        now() + MARGIN < self.ends
    }

    /// Whose ballot it is for: the claim `participant`, without its kind. The token is not ours to check; the service
    /// does that, whatever we read in it.
    pub(super) fn participant(&self) -> Option<String> {
        let payload = URL_SAFE_NO_PAD.decode(self.text.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        claims.get("participant")?.as_str()?.split_once(':').map(|(_, code)| code.to_owned())
    }

    /// Fetches a new one.
    pub(super) fn fetch(
        agent: &ureq::Agent,
        service: &Service,
        client: &ClientIdText,
        credential: &Credential,
        language: Language,
    ) -> Result<Self, Failure> {
        let mut patience = Patience::new(language);
        let issued: Issued = loop {
            // Made anew each time: an assertion is taken once.
            let form = form(service, client, credential);
            let request = Request {
                method: "POST",
                address: service.token_endpoint.clone(),
                fields: Vec::new(),
                body: None,
            };
            let request = request.body("application/x-www-form-urlencoded", form.into_bytes());
            match request.send(agent, &[])? {
                Sent::Answer(answer) => match answer.come_back() {
                    Some(seconds) => patience.busy(seconds)?,
                    None => break answer.is(200)?.json()?,
                },
                Sent::Lost(why) => return Err(Failure::failed(format!("{}: {why}", service.token_endpoint))),
            }
        };
        let ends = now() + issued.expires_in;
        Ok(Self { url: service.url.clone(), client: client.clone(), text: issued.access_token, ends })
    }
}

fn form(service: &Service, client: &ClientIdText, credential: &Credential) -> String {
    let id = client.to_string();
    let assertion;
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", &*id)];
    match credential {
        Credential::Secret(secret) => form.push(("client_secret", secret)),
        Credential::Key(key) => {
            let issued = now();
            let claims = json!({
                "iss": id, "sub": id, "aud": service.url, "iat": issued, "exp": issued + ASSERTION,
                "jti": Uuid::new_v4().to_string(),
            });
            assertion = key.jws("client-authentication+jwt", &claims);
            form.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)]);
        }
    }
    serde_urlencoded::to_string(form).expect("pairs of texts")
}

fn now() -> i64 {
    DateTime::<Utc>::timestamp(&Clock::System.now().utc())
}
