//! Traces: a span for each exchange, for OpenTelemetry. Only with the cargo feature `opentelemetry`, and only where the
//! environment names who is to get them; else nothing is done.

#[cfg(feature = "opentelemetry")]
mod export;

use std::time::Duration;

/// One exchange that was answered just now.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// The trace.
    pub trace: u128,
    /// The span of the caller, if the trace is the caller's, and whether it is kept there.
    pub parent: Option<(u64, bool)>,
    /// Our span in it.
    pub id: u64,
    /// The method.
    pub method: &'a str,
    /// The pattern of the path; none where it is no path of ours. Never the path itself.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

/// Where spans go.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    #[cfg(feature = "opentelemetry")]
    export: Option<std::sync::Arc<export::Export>>,
}

impl Traces {
    /// Begins to export, if this is asked for.
    pub fn start() -> Self {
        Self {
            #[cfg(feature = "opentelemetry")]
            export: crate::config::wants_traces().then(export::Export::start).flatten().map(Into::into),
        }
    }

    /// Sends what is left, for which it waits some seconds at most; what comes later is lost.
    pub fn finish(&self) {
        #[cfg(feature = "opentelemetry")]
        if let Some(export) = &self.export {
            export.finish();
        }
    }

    /// Takes an exchange, if somebody is to get it. Does not wait for that.
    pub fn take<'a>(&self, span: impl FnOnce() -> Span<'a>) {
        #[cfg(feature = "opentelemetry")]
        if let Some(export) = &self.export {
            export.take(&span());
        }
        #[cfg(not(feature = "opentelemetry"))]
        drop(span);
    }
}
