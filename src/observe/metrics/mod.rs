//! Metrics: what is counted and timed while the service runs, told in the text format of Prometheus.
//!
//! No label names a participant, a token or anything else that a caller wrote: labels are words of fixed lists, and the
//! ids of a bounded number of rounds. Where it must be quick, handles are kept instead of being searched by label.

mod exchanges;
mod moment;
mod process;
mod refusals;
mod writing;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

pub use exchanges::Exchanges;
pub use moment::{Connections, Moment, RoundMoment};
pub use refusals::Refusals;
pub use writing::{Failed, Taken, Writing};

/// What the service is, for the metrics that never change.
#[derive(Debug)]
pub struct Build<'a> {
    /// The patterns of the paths that there are.
    pub routes: &'a [String],
    /// The names of the problem types that there are.
    pub problems: &'a [&'a str],
    /// `sqlite` or `postgres`.
    pub database: &'a str,
    /// When the process started, in seconds since 1970.
    pub started: i64,
}

/// All that is counted and timed.
#[derive(Debug)]
pub struct Metrics {
    /// Requests and how long they took.
    pub exchanges: Exchanges,
    /// What was refused, and why.
    pub refusals: Refusals,
    /// What the writer does.
    pub writing: Writing,
    registry: Registry,
}

impl Metrics {
    /// Begins to count from zero.
    pub fn new(build: &Build<'_>) -> Self {
        let registry = Registry::new();
        let info =
            Opts::new("handslag_build_info", "What runs: its version, and on which database; always 1.");
        let info = registered(&registry, IntGaugeVec::new(info, &["version", "database"]));
        info.with_label_values(&[env!("CARGO_PKG_VERSION"), build.database]).set(1);
        let started = "process_start_time_seconds";
        gauge(&registry, started, "Start of the process, in seconds since 1970.").set(build.started);
        Self {
            exchanges: Exchanges::new(&registry, build.routes),
            refusals: Refusals::new(&registry, build.problems),
            writing: Writing::new(&registry),
            registry,
        }
    }

    /// Everything in the text format of Prometheus, with what stands at this moment.
    pub fn text(&self, moment: &Moment) -> String {
        let mut families = self.registry.gather();
        families.extend(moment.gather());
        let text = TextEncoder::new().encode_to_string(&families);
        text.expect("families of one kind of metric each, written into memory")
    }
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    registered(registry, IntGauge::new(name, help))
}

fn histogram(registry: &Registry, name: &str, help: &str, bounds: &[f64]) -> Histogram {
    registered(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("names, labels and bounds are written in this program");
    registry.register(Box::new(collector.clone())).expect("each name is written once");
    collector
}

/// A whole number as gauges have it.
fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
