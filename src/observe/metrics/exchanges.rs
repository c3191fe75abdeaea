//! Requests: how many, by method, route and kind of status; and how long they took.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Registry};

use super::{counters, registered};

/// Upper bounds in seconds: a poll takes some ten microseconds, a ballot some milliseconds, a heavy count seconds.
const BOUNDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 20.0];
/// The methods that are told apart; the last stands for all others, of which a caller can make up any number.
const METHODS: [&str; 8] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What stands for the path of a request that has none of ours.
const NO_ROUTE: &str = "none";

/// Requests. Every combination of labels has a place in a table: to record one searches nothing and takes no lock.
#[derive(Debug)]
pub struct Exchanges {
    routes: Vec<String>,
    counts: IntCounterVec,
    times: HistogramVec,
    cells: Box<[OnceLock<(IntCounter, Histogram)>]>,
}

impl Exchanges {
    pub(super) fn new(registry: &Registry, routes: &[String]) -> Self {
        let mut routes = routes.to_vec();
        routes.push(NO_ROUTE.to_owned());
        let labels = ["method", "route", "status"];
        let counts =
            counters(registry, "handslag_http_requests_total", "Requests that were answered.", &labels);
        let name = "handslag_http_request_duration_seconds";
        let help = "Time until the answer was ready to be sent; of a stream, until it began.";
        let options = HistogramOpts::new(name, help).buckets(BOUNDS.to_vec());
        let times = registered(registry, HistogramVec::new(options, &labels[..2]));
        let size = routes.len() * METHODS.len() * STATUSES.len();
        let cells = std::iter::repeat_with(OnceLock::new).take(size).collect();
        Self { routes, counts, times, cells }
    }

    /// The pattern at a place among those there are.
    pub fn route(&self, route: usize) -> Option<&str> {
        self.routes.get(route).map(String::as_str)
    }

    /// Counts one that was answered; `route` is the place of its pattern among those there are, if it has one.
    pub fn record(&self, route: Option<usize>, method: &str, status: u16, took: Duration) {
        let last = self.routes.len() - 1;
        let route = route.map_or(last, |route| route.min(last));
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let status = usize::from(status / 100).clamp(1, STATUSES.len()) - 1;
        let cell = &self.cells[(route * METHODS.len() + method) * STATUSES.len() + status];
        let (count, time) = cell.get_or_init(|| {
            let labels = [METHODS[method], &self.routes[route], STATUSES[status]];
            (self.counts.with_label_values(&labels), self.times.with_label_values(&labels[..2]))
        });
        count.inc();
        time.observe(took.as_secs_f64());
    }
}
