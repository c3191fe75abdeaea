//! The files for the monitoring speak of what the service tells, and of nothing else; `.ci/metrics` holds them against
//! Prometheus's own checker.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::program::repository;
use crate::support::metrics::{Metrics, start_measured};
use crate::support::{Caller, Database, FIVE, ROUND};

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

fn alerts() -> Vec<Value> {
    let rules: Value = serde_yaml_ng::from_str(&read("docs/operations/alerts.yml")).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Every query of the rules and of the dashboard.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("docs/operations/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let text = |value: &Value| value["expr"].as_str().unwrap().to_owned();
    let queries: Vec<String> = alerts().iter().map(text).chain(targets.map(text)).collect();
    assert!(queries.len() > 50, "only {} queries", queries.len());
    queries
}

/// The names that a query or an exposition begins words with: of metrics, since labels have no such prefix.
fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words
        .filter(|word| word.starts_with("handslag") || word.starts_with("process_"))
        .filter(|word| word.contains(['_', ':']))
}

/// What a query asks of labels: name and value of each that must be equal.
fn equal_labels(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split("=\"").zip(query.split("=\"").skip(1)).filter_map(|(before, after)| {
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        Some((name, after.split('"').next()?))
    })
}

/// The metrics of a service to which everything has happened once.
fn everything() -> Metrics {
    let database = Database::sqlite();
    let (service, monitor) = start_measured(&database);
    let now = service.now();
    service.open_round(json!({
        "visibility": "live", "ballotBook": "open",
        "opensAt": now.plus_seconds(-60).to_string(), "closesAt": now.plus_seconds(3_600).to_string(),
    }));
    service.submit("0180", FIVE).is(201);
    service.submit("0180", &["nothing-of-that-name"]).is(422);
    service.get(&format!("/rounds/{ROUND}/results")).send().is(200);
    service.get("/rounds").by(Caller::Token("not.a.token")).send().is(401);
    // A fault of ours is not to be had for the asking.
    let metrics = monitor.look();
    assert!(metrics.get("handslag_ready") == Some(1.0), "{}", metrics.text);
    metrics
}

#[test]
fn every_name_and_label_in_rules_and_dashboard_is_told_by_the_service() {
    let told = everything();
    let known: BTreeSet<&str> = told.series.keys().filter_map(|series| series.split('{').next()).collect();
    let alerts = alerts();
    let recorded: BTreeSet<&str> = alerts.iter().filter_map(|rule| rule["record"].as_str()).collect();
    for query in &queries() {
        let mut of_ours = 0;
        for name in names(query) {
            assert!(known.contains(name) || recorded.contains(name), "{name} is not told: {query}");
            of_ours += 1;
        }
        assert!(of_ours > 0 || query.starts_with("up{"), "nothing of ours: {query}");
        for (label, value) in equal_labels(query) {
            let is_prometheus = (label, value) == ("job", "handslag");
            let is_fault = (label, value) == ("status", "5xx");
            let told = told.text.contains(&format!("{label}=\"{value}\""));
            assert!(is_prometheus || is_fault || told, "{label}=\"{value}\" is not told: {query}");
        }
    }
}

#[test]
fn every_metric_of_the_service_is_in_the_handbook() {
    let handbook = read("docs/OPERATIONS.md");
    let told = everything();
    let types = told.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names: Vec<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        assert!(handbook.contains(&format!("`{name}`")), "{name} is not in the handbook");
    }
}

#[test]
fn every_alert_has_a_line_that_says_what_to_do() {
    let handbook = read("docs/OPERATIONS.md");
    let alerts = alerts();
    let alerts: Vec<&str> = alerts.iter().filter_map(|rule| rule["alert"].as_str()).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in &alerts {
        assert!(handbook.contains(&format!("\n| `{alert}` |")), "{alert} has no line");
    }
    let lines = handbook.lines().filter_map(|line| line.strip_prefix("| `Handslag")?.split('`').next());
    for line in lines {
        assert!(alerts.contains(&&*format!("Handslag{line}")), "there is no alert Handslag{line}");
    }
}
