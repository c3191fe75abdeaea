//! What a service tells its monitoring.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::{Database, Service, until};

/// Starts the program with its metrics on a port that the system chooses.
pub(crate) fn start_measured(database: &Database) -> (Service, Monitor) {
    let service = Service::start_program_under(&["env", "HANDSLAG_METRICS_BIND=127.0.0.1:0"], database);
    let monitor = Monitor::of(database);
    (service, monitor)
}

/// Somebody who looks at the metrics of a program.
pub(crate) struct Monitor {
    address: SocketAddr,
}

impl Monitor {
    /// Finds in the log of the program that was started last where it tells them.
    fn of(database: &Database) -> Self {
        let log = std::fs::read_to_string(database.folder().join("service.log")).expect("it writes a log");
        let mut lines = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told = lines.find(|line| line["message"] == "metrics are told").expect("it says where");
        Self { address: told["address"].as_str().and_then(|text| text.parse().ok()).expect("an address") }
    }

    /// Sends a request to the port, and gives status, media type and body.
    pub(crate) fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let request = ureq::http::Request::builder().method(method);
        let request = request.uri(format!("http://{}{path}", self.address)).body(()).expect("a request");
        let mut reply = super::client::agent().run(request).expect("it answers");
        let media = reply.headers().get("content-type").and_then(|value| value.to_str().ok());
        let media = media.unwrap_or_default().to_owned();
        (reply.status().as_u16(), media, reply.body_mut().read_to_string().expect("in UTF-8"))
    }

    /// What stands there now.
    #[track_caller]
    pub(crate) fn look(&self) -> Metrics {
        let (status, _, text) = self.ask("GET", "/metrics");
        assert_eq!(status, 200, "{text}");
        Metrics::parse(text)
    }

    /// Waits until a series has a value.
    #[track_caller]
    pub(crate) fn wait_for(&self, series: &str, value: f64) {
        until(&format!("{series} is {value}"), || (self.look().get(series) == Some(value)).then_some(()));
    }
}

/// The metrics of one moment.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// As they came.
    pub(crate) text: String,
    /// Each series as it is written, with its value.
    pub(crate) series: BTreeMap<String, f64>,
}

impl Metrics {
    #[track_caller]
    fn parse(text: String) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let parsed = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
        });
        let series = parsed.collect();
        Self { text, series }
    }

    /// The value of a series, if it is there.
    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// The value of a series; one that has not begun is zero.
    pub(crate) fn count(&self, series: &str) -> f64 {
        self.get(series).unwrap_or_default()
    }

    /// How much a series has grown since then.
    pub(crate) fn since(&self, before: &Self, series: &str) -> f64 {
        self.count(series) - before.count(series)
    }
}
