//! A blocking client. Every reply that passes through it is held against the API document.

use std::time::Duration;

use serde_json::Value;
use ureq::config::AutoHeaderValue;
use ureq::http;

use super::document::{self, Exchange};
use super::{Caller, Listener, Service, Unanswered};

/// A client that adds nothing to what a test says, and takes every status as an answer.
pub(super) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .accept(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .max_idle_age(Duration::from_secs(2))
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .new_agent()
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    service: &'a Service,
    agent: &'a ureq::Agent,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl<'a> Request<'a> {
    pub(super) fn new(service: &'a Service, agent: &'a ureq::Agent, method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { service, agent, method, path, headers: Vec::new(), body: None }
    }

    /// With this caller's token.
    #[must_use]
    pub(crate) fn by(self, caller: Caller<'_>) -> Self {
        match self.service.token(caller) {
            Some(token) => self.header("Authorization", &format!("Bearer {token}")),
            None => self,
        }
    }

    /// With a header field.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    /// With a body of any media type.
    #[must_use]
    pub(crate) fn body(mut self, media_type: &str, body: &str) -> Self {
        self.body = Some(body.as_bytes().to_vec());
        self.header("Content-Type", media_type)
    }

    /// Sends it, waits for the reply, and holds that against the API document.
    #[track_caller]
    pub(crate) fn send(&self) -> Reply {
        self.receive(self.exchange())
    }

    /// Sends it and waits for the reply, whether the API document describes that or not.
    #[track_caller]
    pub(crate) fn exchange(&self) -> Reply {
        self.try_exchange().unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends it and waits for the reply, which may never come.
    pub(crate) fn try_exchange(&self) -> Result<Reply, ureq::Error> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(format!(
            "http://{}{}",
            self.service.address(),
            self.path
        ));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut answer = match &self.body {
            Some(body) => self.agent.run(request.body(&body[..]).expect("the test names a request")),
            None => self.agent.run(request.body(()).expect("the test names a request")),
        }?;
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers): (_, Vec<_>) = (answer.status().as_u16(), headers.collect());
        if headers.iter().any(|(name, value)| name == "content-type" && value == "text/event-stream") {
            // It has no end: who wants to read it listens.
            return Ok(Reply { status, headers, body: Vec::new() });
        }
        let body = answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec()?;
        Ok(Reply { status, headers, body })
    }

    /// Sends all but the last bytes of the body on a connection of its own: the request has begun and is not finished.
    pub(crate) fn send_partly(&self, withheld: usize) -> Unanswered<'a> {
        let body = self.body.as_deref().expect("there is a body to send a part of");
        let part = &body[..body.len() - withheld];
        Unanswered::send(self.clone(), self.service.address(), &self.head(), Some(part))
    }

    /// Sends it on a connection of its own, and leaves the reply for later.
    pub(crate) fn send_off(&self) -> Unanswered<'a> {
        Unanswered::send(self.clone(), self.service.address(), &self.head(), self.body.as_deref())
    }

    /// Sends it on a connection of its own, and listens to the events that are the reply.
    #[track_caller]
    pub(crate) fn listen(&self) -> Listener {
        Listener::open(self, self.service.address(), &self.head())
    }

    fn head(&self) -> String {
        let line = format!("{} {} HTTP/1.1", self.method, self.path);
        let mut lines = vec![line, "Host: localhost".to_owned(), "Connection: close".to_owned()];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.body.as_ref().map(|body| format!("Content-Length: {}", body.len())));
        lines.join("\r\n") + "\r\n\r\n"
    }

    /// Holds a reply to this request against the API document.
    #[track_caller]
    pub(super) fn receive(&self, reply: Reply) -> Reply {
        let exchange =
            Exchange { method: &self.method, path: &self.path, sent: self.body.as_deref(), reply: &reply };
        if let Err(fault) = document::check(&exchange) {
            panic!(
                "{} {}: the API document does not describe this reply: {fault}\n{reply}",
                self.method, self.path
            );
        }
        reply
    }
}

/// A reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The header fields, with lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as it came.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The reply, if it has this status; else the test fails and tells what came instead.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The problem document, if it is of this type.
    #[track_caller]
    pub(crate) fn problem(&self, slug: &str) -> Value {
        let document = self.json();
        let expected = format!("https://handslag.example.se/problems/{slug}");
        assert_eq!(document["type"].as_str(), Some(&*expected), "{self}");
        document
    }

    /// Pointer or parameter, and code, of every fault that the problem lists.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let document = self.json();
        let faults = document["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place = |fault: &Value| format!("{}{}", text(&fault["pointer"]), text(&fault["parameter"]));
        faults.iter().map(|fault| (place(fault), text(&fault["code"]))).collect()
    }

    /// A header field, if it is there once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice\n{self}");
        value
    }

    /// A header field that must be there.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("{name} is missing\n{self}"))
    }

    /// The entity tag.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.field("ETag").to_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// The body as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|error| panic!("no UTF-8: {error}\n{self}"))
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "\n{}", body.chars().take(4_000).collect::<String>())
    }
}
