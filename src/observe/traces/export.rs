//! Spans to a collector, by OTLP over HTTP. Receiver, batches and sampling are set by the `OTEL_…` variables that every
//! program with OpenTelemetry knows.

use std::cell::Cell;
use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracer, SdkTracerProvider};

use super::Span;

/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of its answer.
const ANSWER: u64 = 64 * 1024;

/// What sends spans, on a thread of its own; what it holds is sent when this is dropped.
#[derive(Debug)]
pub(super) struct Export {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Export {
    /// None if what the environment says cannot be used, which is told.
    pub(super) fn start() -> Option<Self> {
        let exporter = SpanExporter::builder().with_http().with_http_client(Client::new()).build();
        let exporter = exporter.inspect_err(|error| tracing::error!(%error, "traces cannot be sent")).ok()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_id_generator(Given)
            .with_resource(resource())
            .build();
        tracing::info!("traces are sent");
        Some(Self { tracer: provider.tracer("handslag"), provider })
    }

    pub(super) fn take(&self, span: &Span<'_>) {
        let parent = span.parent.map_or_else(Context::new, |(parent, is_kept)| {
            let flags = TraceFlags::default().with_sampled(is_kept);
            let (trace, state) = (TraceId::from(span.trace), TraceState::default());
            Context::new().with_remote_span_context(SpanContext::new(
                trace,
                parent.into(),
                flags,
                true,
                state,
            ))
        });
        IDS.set((span.trace, span.id));
        let ends = opentelemetry::time::now();
        let builder = SpanBuilder::from_name(name(span))
            .with_kind(SpanKind::Server)
            .with_start_time(ends.checked_sub(span.took).unwrap_or(ends))
            .with_attributes(attributes(span));
        let mut made = self.tracer.build_with_context(builder, &parent);
        if span.status >= 500 {
            made.set_status(Status::error(""));
        }
        made.end_with_timestamp(ends);
    }
}

impl Export {
    /// Sends what is left.
    pub(super) fn finish(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// By the conventions for HTTP: a name has few values.
fn name(span: &Span<'_>) -> String {
    let method = known(span.method).unwrap_or("HTTP");
    span.route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
}

fn attributes(span: &Span<'_>) -> Vec<KeyValue> {
    let method = known(span.method).unwrap_or("_OTHER");
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.response.status_code", i64::from(span.status)),
    ];
    attributes.extend(span.route.map(|route| KeyValue::new("http.route", route.to_owned())));
    if span.status >= 500 {
        attributes.push(KeyValue::new("error.type", span.status.to_string()));
    }
    attributes
}

/// A method is a word of the caller's unless it is one of these.
fn known(method: &str) -> Option<&'static str> {
    ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"].into_iter().find(|known| *known == method)
}

/// What the environment says of the service, and its name if that does not.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let is_named =
        said.get(&"service.name".into()).is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let builder =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { builder.build() } else { builder.with_service_name("handslag").build() }
}

thread_local! {
    /// The trace and span that the next span of this thread is.
    static IDS: Cell<(u128, u64)> = const { Cell::new((0, 0)) };
}

/// Gives the ids that the caller has been told in `traceparent`.
#[derive(Debug)]
struct Given;

impl IdGenerator for Given {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(IDS.get().0)
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(IDS.get().1)
    }
}

/// Sends batches from the thread that gathers them, which may wait.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let settings = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE));
        Self(settings.build().new_agent())
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.run(request.map(|body| body.to_vec()))?;
        let (head, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(ANSWER).read_to_vec()?;
        Ok(Response::from_parts(head, bytes.into()))
    }
}
