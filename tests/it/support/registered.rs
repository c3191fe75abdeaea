//! Clients that are registered through the program, and what they show who they are with.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use handslag::store;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Caller, Database, PUBLIC_URL, Reply, Service};

/// `client_assertion_type`
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Runs the program on a database that services use; gives its output.
#[track_caller]
pub(crate) fn handslag(database: &Database, arguments: &[&str]) -> String {
    let url = match database.address() {
        store::Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        store::Database::Postgres(url) => url,
    };
    let ran = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .args(arguments)
        .arg("--data-dir")
        .arg(database.folder())
        .args(["--database", &url, "--public-url", PUBLIC_URL])
        .current_dir(database.folder())
        .output()
        .expect("the program runs");
    let (out, err) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{arguments:?}\n{out}\n{err}");
    out
}

/// A client with a key pair or a secret.
pub(crate) struct Registered {
    /// Its id.
    pub(crate) id: String,
    /// The id of its key.
    pub(crate) kid: String,
    /// Its secret, if it has one.
    pub(crate) secret: String,
    key: Option<SigningKey>,
}

impl Registered {
    /// Registers one with these arguments of `client create`.
    #[track_caller]
    pub(crate) fn new(database: &Database, arguments: &[&str]) -> Self {
        Self::told(database, &handslag(database, &[&["client", "create"], arguments].concat()))
    }

    /// The client that the program has told of.
    #[track_caller]
    pub(crate) fn told(database: &Database, out: &str) -> Self {
        let value = |name: &str| {
            let line = out.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.unwrap_or_default().to_owned()
        };
        let file = Some(value("key_file")).filter(|file| !file.is_empty()).map(PathBuf::from);
        let key = file.map(|file| {
            let pem = std::fs::read_to_string(database.folder().join(file)).unwrap();
            SigningKey::from_pkcs8_pem(&pem).unwrap()
        });
        Self { id: value("client_id"), kid: value("kid"), secret: value("client_secret"), key }
    }

    /// The header of a good assertion.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "client-authentication+jwt", "kid": self.kid })
    }

    /// The claims of a good assertion.
    pub(crate) fn claims(&self, service: &Service) -> Value {
        let now = service.now().utc().timestamp();
        json!({
            "iss": self.id, "sub": self.id, "aud": PUBLIC_URL, "iat": now, "exp": now + 60,
            "jti": Uuid::new_v4().to_string(),
        })
    }

    /// Signs texts, which may be no JSON at all.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.as_ref().expect("a client with a key").sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// A good assertion.
    pub(crate) fn assertion(&self, service: &Service) -> String {
        self.sign(&self.header().to_string(), &self.claims(service).to_string())
    }

    /// Asks for a token in the right way.
    #[track_caller]
    pub(crate) fn ask(&self, service: &Service) -> Reply {
        if self.key.is_some() {
            by_assertion(service, &self.assertion(service), &[])
        } else {
            ask(service, &[CREDENTIALS, ("client_id", &self.id), ("client_secret", &self.secret)])
        }
    }

    /// A token.
    #[track_caller]
    pub(crate) fn token(&self, service: &Service) -> String {
        self.ask(service).is(200).json()["access_token"].as_str().expect("a token").to_owned()
    }
}

/// The grant that there is.
pub(crate) const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

/// Sends a form to the token endpoint.
#[track_caller]
pub(crate) fn ask(service: &Service, form: &[(&str, &str)]) -> Reply {
    let form = serde_urlencoded::to_string(form).unwrap();
    service.request_outside("POST", "/oauth/token").body("application/x-www-form-urlencoded", &form).send()
}

/// Asks with an assertion, and what more is given.
#[track_caller]
pub(crate) fn by_assertion(service: &Service, assertion: &str, more: &[(&str, &str)]) -> Reply {
    let own = [CREDENTIALS, ("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    ask(service, &[&own, more].concat())
}

/// A client, which is made first if there is none.
pub(crate) fn any_client(service: &Service) -> String {
    let clients = service.get("/clients").by(Caller::Manager).send().is(200).json();
    let known = clients["clients"][0]["clientId"].as_str().map(ToOwned::to_owned);
    known.unwrap_or_else(|| {
        let body = json!({ "kind": "analyst", "name": "Statistik", "authMethod": "client_secret_post" });
        let made = service.request("POST", "/clients").by(Caller::Manager).json(&body).send().is(201);
        made.json()["clientId"].as_str().expect("a client has an id").to_owned()
    })
}
