//! Spans for OpenTelemetry: that a collector gets them, and that they continue the trace of the caller.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::support::{Caller, Database, FIVE, ROUND, Service, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector that keeps what it is sent.
struct Collector {
    address: SocketAddr,
    batches: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), batches: Arc::default() };
        let batches = Arc::clone(&collector.batches);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let batches = Arc::clone(&batches);
                std::thread::spawn(move || {
                    while let Some(batch) = take(stream.as_ref().unwrap()) {
                        batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
                    }
                });
            }
        });
        collector
    }

    /// Starts the program so that it sends its traces here.
    fn service(&self, more: &[&str], database: &Database) -> Service {
        let endpoint = format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}", self.address);
        let settings = [
            &["env", &endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_BSP_SCHEDULE_DELAY=50"],
            more,
        ];
        Service::start_program_under(&settings.concat(), database)
    }

    /// What has come, each span with the attributes of its resource.
    fn spans(&self) -> Vec<(HashMap<String, Value>, Value)> {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let list = |value: &Value, member: &str| value[member].as_array().cloned().unwrap_or_default();
        let groups = batches.iter().flat_map(|batch| list(batch, "resourceSpans"));
        let spans = groups.flat_map(|group| {
            let resource = attributes(&group["resource"]);
            let scopes = list(&group, "scopeSpans").into_iter();
            let spans = scopes.flat_map(|scope| list(&scope, "spans")).collect::<Vec<_>>();
            spans.into_iter().map(move |span| (resource.clone(), span))
        });
        spans.collect()
    }

    /// Waits for the span of our trace with this name.
    #[track_caller]
    fn wait_for(&self, name: &str) -> (HashMap<String, Value>, Value) {
        until(&format!("the span {name} comes"), || {
            self.spans().into_iter().find(|(_, span)| span["name"] == name && span["traceId"] == TRACE)
        })
    }
}

/// Reads one request and answers it.
fn take(mut stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    assert!(first.is_empty() || first.starts_with("POST /v1/traces "), "{first}");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Attributes by their keys, each as the one member that its value has.
fn attributes(of: &Value) -> HashMap<String, Value> {
    let list = of["attributes"].as_array().into_iter().flatten();
    let value = |item: &Value| item["value"].as_object().and_then(|value| value.values().next()).cloned();
    list.filter_map(|item| Some((item["key"].as_str()?.to_owned(), value(item)?))).collect()
}

#[test]
fn a_collector_gets_a_span_that_continues_the_trace_of_the_caller() {
    let collector = Collector::start();
    let service = collector.service(&[], &Database::sqlite());
    let now = service.now();
    service.open_round(json!({
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    let given = format!("00-{TRACE}-{PARENT}-01");
    let path = format!("/rounds/{ROUND}/ballots/0180");
    let request = service.put(&path).by(Caller::Participant("0180")).header("traceparent", &given);
    let reply = request.json(&json!({ "ranking": FIVE })).send().is(201);
    let (resource, span) = collector.wait_for("PUT /handslag/v1/rounds/{roundId}/ballots/{participantCode}");
    assert_eq!(span["parentSpanId"], PARENT);
    let told = format!("00-{TRACE}-{}-01", span["spanId"].as_str().unwrap());
    assert_eq!(reply.field("traceparent"), told, "the caller is told of the same span");
    let said = attributes(&span);
    assert_eq!(said["http.request.method"], "PUT");
    assert_eq!(said["http.route"], "/handslag/v1/rounds/{roundId}/ballots/{participantCode}");
    // Whole numbers are texts in this form.
    assert!(said["http.response.status_code"] == "201" || said["http.response.status_code"] == 201, "{span}");
    assert_eq!(resource["service.name"], "handslag");
    assert!(!span.to_string().contains("0180"), "the path is not told: {span}");
    let nanos = |member: &str| span[member].as_str().unwrap().parse::<u128>().unwrap();
    assert!(nanos("endTimeUnixNano") > nanos("startTimeUnixNano"), "{span}");
}

#[test]
fn the_standard_variables_name_the_service_and_say_what_is_kept() {
    let collector = Collector::start();
    let settings = ["OTEL_SERVICE_NAME=prioritering", "OTEL_TRACES_SAMPLER=parentbased_always_off"];
    let service = collector.service(&settings, &Database::sqlite());
    // Nobody keeps this one; the next one the caller keeps.
    service.get("/rules").send().is(200);
    let kept = format!("00-{TRACE}-{PARENT}-01");
    service.get("/rounds").header("traceparent", &kept).send().is(200);
    service.get("/nothing").header("traceparent", &kept).send().is(404);
    let (resource, _) = collector.wait_for("GET /handslag/v1/rounds");
    assert_eq!(resource["service.name"], "prioritering");
    let (_, span) = collector.wait_for("GET");
    assert!(!attributes(&span).contains_key("http.route"), "it is no path of ours: {span}");
    assert!(collector.spans().iter().all(|(_, span)| span["traceId"] == TRACE));
}

#[test]
fn what_is_left_is_sent_at_the_end() {
    let collector = Collector::start();
    let service = collector.service(&["OTEL_BSP_SCHEDULE_DELAY=600000"], &Database::sqlite());
    service.get("/rounds").header("traceparent", &format!("00-{TRACE}-{PARENT}-01")).send().is(200);
    assert!(collector.spans().is_empty());
    service.signal("TERM");
    assert_eq!(service.ended(), Some(0));
    collector.wait_for("GET /handslag/v1/rounds");
}

#[test]
fn a_collector_that_is_away_keeps_nobody_waiting() {
    let away = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1";
    let service =
        Service::start_program_under(&["env", away, "OTEL_BSP_SCHEDULE_DELAY=20"], &Database::sqlite());
    for _ in 0..50 {
        service.get("/rounds").send().is(200);
    }
    service.signal("TERM");
    assert_eq!(service.ended(), Some(0));
}
