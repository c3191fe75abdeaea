//! What holds for every exchange: methods, languages, traces, query parameters, paths that are not there.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::document::{DOCUMENT, operations};
use crate::support::registered::any_client;
use crate::support::{Caller, Database, FIVE, Service, at};

fn open() -> Service {
    let service = Service::start(&Database::sqlite());
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    service.submit("0180", FIVE).is(201);
    service
}

/// A path of the document, of what is there in [`open`].
fn concrete(service: &Service, path: &str) -> String {
    let path = if path.contains("{clientId}") {
        path.replace("{clientId}", &any_client(service))
    } else {
        path.to_owned()
    };
    path.replace("{roundId}", "handslag-2026")
        .replace("{participantCode}", "0180")
        .replace("{ruleId}", "linear")
}

/// The callers who between them may do everything, and so find what lies behind the permissions.
fn able(method: &str, path: &str) -> Caller<'static> {
    match (method, path) {
        ("PUT" | "DELETE", "/rounds/{roundId}/ballots/{participantCode}") => Caller::Participant("0180"),
        _ => Caller::Manager,
    }
}

fn words(list: &str) -> BTreeSet<String> {
    list.split(',').map(|word| word.trim().to_owned()).collect()
}

#[test]
fn options_and_405_name_exactly_the_methods_of_the_document() {
    let service = open();
    let paths: BTreeSet<String> = operations().into_iter().map(|(_, path)| path).collect();
    for path in paths {
        let of_path = operations().into_iter().filter(|(_, of)| *of == path).map(|(method, _)| method);
        let mut allowed: BTreeSet<String> = of_path.collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD".to_owned());
        }
        allowed.insert("OPTIONS".to_owned());
        let concrete = concrete(&service, &path);
        let options = service.request("OPTIONS", &concrete).send().is(204);
        assert_eq!(words(options.field("Allow")), allowed, "{path}");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            if !allowed.contains(method) {
                let refused = service.request(method, &concrete).send().is(405);
                refused.problem("method-not-allowed");
                assert_eq!(words(refused.field("Allow")), allowed, "{method} {path}");
            }
        }
    }
}

#[test]
fn head_answers_as_get_without_the_body() {
    let service = open();
    for (method, path) in operations() {
        if method != "GET" {
            continue;
        }
        let caller = able(&method, &path);
        let path = format!("{}?{}", concrete(&service, &path), needed(&path));
        let get = service.get(&path).by(caller).send().is(200);
        let head = service.request("HEAD", &path).by(caller).send().is(200);
        for name in ["ETag", "Content-Type", "Cache-Control", "Vary", "Content-Length"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn a_path_that_is_not_there_is_a_problem_too() {
    let service = open();
    for path in ["", "/", "/nothing", "/rounds/", "/rounds/handslag-2026/", "/rounds//ballots", "/Rounds"] {
        service.get(path).send().is(404).problem("not-found");
    }
    for path in ["/", "/handslag", "/handslag/v2/rounds", "/..%2f..%2fetc/passwd", "/%ff"] {
        service.request_outside("GET", path).send().is(404).problem("not-found");
    }
}

#[test]
fn what_lies_outside_the_document_is_open_to_anyone() {
    let service = open();
    for path in ["/livez", "/readyz"] {
        service.request_outside("GET", path).send().is(200);
        service.request_outside("POST", path).send().is(405);
    }
    let document = service.get("/openapi.yaml").send().is(200);
    assert_eq!(document.text(), include_str!("../../api-spec/openapi.yaml"));
    let known = service.get("/openapi.yaml").header("If-None-Match", &document.etag()).send();
    known.is(304);
    let info = service.get("/api-info").send().is(200).json();
    assert_eq!(info["apiVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn problems_speak_swedish_unless_english_is_asked_for() {
    let service = open();
    let title = |accepted: Option<&str>| {
        let request = service.get("/rounds/nothing");
        let request = match accepted {
            Some(accepted) => request.header("Accept-Language", accepted),
            None => request,
        };
        let reply = request.send().is(404);
        let title = reply.problem("not-found")["title"].as_str().unwrap().to_owned();
        (title, reply.field("Content-Language").to_owned())
    };
    let swedish = ("Finns inte".to_owned(), "sv".to_owned());
    let english = ("Not found".to_owned(), "en".to_owned());
    for accepted in
        ["sv", "sv-SE,sv;q=0.9,en;q=0.8", "de", "*", "en;q=0.5, sv", "en;q=0", "", ";;;", "en;q=x"]
    {
        assert_eq!(title(Some(accepted)), swedish, "{accepted}");
    }
    assert_eq!(title(None), swedish);
    for accepted in ["en", "EN-gb", "en-US,en;q=0.9", "sv;q=0.3,en;q=0.4", "de, en;q=0.1"] {
        assert_eq!(title(Some(accepted)), english, "{accepted}");
    }
    let both = [None, Some("en")].map(|accepted| {
        let request = service.put("/rounds/handslag-2026/ballots/0180").by(Caller::Participant("0180"));
        let request = accepted.into_iter().fold(request, |it, value| it.header("Accept-Language", value));
        request.json(&json!({ "ranking": [] })).send().is(422).json()
    });
    assert_ne!(both[0]["errors"][0]["detail"], both[1]["errors"][0]["detail"]);
    assert_eq!(both[0]["errors"][0]["code"], both[1]["errors"][0]["code"]);
}

#[test]
fn every_problem_has_an_instance_of_its_own() {
    let service = open();
    let instance = || service.get("/rounds/nothing").send().is(404).json()["instance"].clone();
    assert_ne!(instance(), instance());
}

#[test]
fn a_trace_is_carried_on_and_a_malformed_one_begins_anew() {
    let service = open();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let given = format!("00-{id}-00f067aa0ba902b7-01");
    let reply = service.get("/rules").header("traceparent", &given).send().is(200);
    let carried = reply.field("traceparent");
    assert!(carried.starts_with(&format!("00-{id}-")) && carried.ends_with("-01"), "{carried}");
    assert!(!carried.contains("00f067aa0ba902b7"), "the span is the service's own: {carried}");
    // A later version may have more parts; the first four are read all the same.
    let later = format!("cc-{id}-00f067aa0ba902b7-00-what-the-future-brings");
    let reply = service.get("/rules").header("traceparent", &later).send().is(200);
    assert!(reply.field("traceparent").contains(id));
    for malformed in [
        "",
        "nonsense",
        &given.to_uppercase(),
        &format!("ff-{id}-00f067aa0ba902b7-01"),
        &format!("00-{id}-00f067aa0ba902b7-01-more"),
        &format!("00-{id}-0000000000000000-01"),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        let reply = service.get("/rules").header("traceparent", malformed).send().is(200);
        let begun = reply.field("traceparent");
        assert!(!begun.to_lowercase().contains(id), "{malformed} became {begun}");
    }
    // On problems and on 304 too.
    let refused = service.get("/nothing").header("traceparent", &given).send().is(404);
    assert!(refused.field("traceparent").contains(id));
}

#[test]
fn unknown_and_repeated_query_parameters_are_refused() {
    let service = open();
    for (method, path) in operations() {
        let caller = able(&method, &path);
        let needed = needed(&path);
        let path = concrete(&service, &path);
        let request = |query: &str| {
            let request = service.request(&method, &format!("{path}?{needed}{query}")).by(caller);
            let body = match (&*method, &*path) {
                ("PUT", "/rounds/handslag-2026/ballots/0180") => json!({ "ranking": FIVE }),
                ("PUT", "/rounds/handslag-2026/initiatives") => json!({ "initiatives": [] }),
                ("PUT", "/rounds/handslag-2026/participants") => json!({ "participants": [] }),
                ("POST", "/clients") => {
                    json!({ "kind": "analyst", "name": "Statistik", "authMethod": "client_secret_post" })
                }
                ("POST" | "PATCH", _) => json!({}),
                _ => return request.send(),
            };
            request.json(&body).send()
        };
        let unknown = request("rul=dowdall");
        assert_eq!(unknown.status, 400, "{method} {path}\n{unknown}");
        unknown.problem("bad-request");
        assert_eq!(unknown.faults(), [("rul".to_owned(), "unknown-parameter".to_owned())], "{method} {path}");
        let both = request("rul=dowdall&Page=1&rul=x");
        assert_eq!(both.status, 400, "{method} {path}");
        assert_eq!(both.faults().len(), 3, "{method} {path}: every fault\n{both}");
    }
    for query in ["page=1&page=1", "page=1&page=2", "limit=5&limit=5"] {
        service.get(&format!("/rules?{query}")).send().is(400).problem("bad-request");
    }
    assert_eq!(service.get(&format!("/rules?{}=1", "x".repeat(100))).send().is(400).faults()[0].0.len(), 40);
}

#[test]
fn an_operation_takes_the_parameters_that_the_document_gives_it_and_no_others() {
    let service = open();
    let with_samples = |(method, path): (String, String)| {
        let samples = query_samples(&method, &path);
        (method, path, samples)
    };
    let given: Vec<_> = operations().into_iter().map(with_samples).collect();
    let all: BTreeSet<&(String, String)> = given.iter().flat_map(|(.., samples)| samples).collect();
    let mut wrong = Vec::new();
    for (method, path, documented) in given.iter().filter(|(method, ..)| method == "GET") {
        for (name, value) in &all {
            // These two say something only together with another; others are those of single rules.
            let rule = match &**name {
                "column" | "value" => continue,
                "points" => "rule=custom&",
                "strength" => "rule=minimax&",
                "draws" => "rule=copeland&",
                // As many seats as initiatives, so that one ballot and no lot are enough.
                "method" => "rule=stv&seats=13&",
                "treeSize" => "sequence=1&",
                "seats" | "must" | "exclude" | "eitherOr" | "requires" | "budget" => "rule=coverage&",
                _ => "",
            };
            // The document's examples are of a longer log; a time is not of it.
            let number = value.bytes().all(|b| b.is_ascii_digit());
            let in_log =
                number && matches!(&**name, "asOf" | "minSequence" | "sequence" | "from" | "treeSize");
            let query = format!("{rule}{name}={}", if in_log { "2" } else { value });
            let request =
                service.get(&format!("{}?{query}", concrete(&service, path))).by(able(method, path));
            let reply = request.exchange();
            let expected = if documented.contains(&(name.clone(), value.clone())) { 200 } else { 400 };
            if reply.status != expected {
                wrong.push(format!("GET {path}?{query}: {}, not {expected}", reply.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The parameters without which an operation says nothing.
fn needed(path: &str) -> &'static str {
    if path.ends_with("/log-proofs") { "sequence=1&" } else { "" }
}

/// The query parameters of an operation, each with values that the document names.
fn query_samples(method: &str, path: &str) -> BTreeSet<(String, String)> {
    let operation = &DOCUMENT["paths"][path][method.to_lowercase()];
    let mut samples = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = match parameter["$ref"].as_str() {
            Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).expect("it is there"),
            None => parameter,
        };
        if parameter["in"] != "query" {
            continue;
        }
        let name = parameter["name"].as_str().expect("a parameter has a name");
        let mut values: Vec<String> = match &parameter["schema"]["enum"] {
            serde_json::Value::Array(words) => {
                words.iter().map(|word| word.as_str().expect("a word").into()).collect()
            }
            _ => Vec::new(),
        };
        if values.is_empty() {
            values.push(match (&parameter["example"], name) {
                (serde_json::Value::String(text), _) => text.clone(),
                (other, _) => other.to_string(),
            });
        }
        samples.extend(values.into_iter().map(|value| (name.to_owned(), value)));
    }
    samples
}

#[test]
fn pages_have_bounds_and_an_empty_page_is_no_fault() {
    let service = open();
    for query in
        ["page=-1", "page=1000001", "page=", "page=1.5", "page=%2b1", "limit=0", "limit=101", "limit=x"]
    {
        let reply = service.get(&format!("/rules?{query}")).send().is(400);
        assert_eq!(reply.faults()[0].0, query.split('=').next().unwrap(), "{query}");
    }
    for query in ["page=0", "page=2&limit=100", "page=1000000&limit=100"] {
        let page = service.get(&format!("/rules?{query}")).send().is(200).json();
        assert_eq!(page["rules"], json!([]), "{query}");
        assert_eq!(page["_meta"]["count"], 0);
    }
    let path = "/rounds/handslag-2026/participants";
    let mut codes = Vec::new();
    let mut next = Some(format!("{path}?limit=100"));
    while let Some(path) = next {
        let page = service.get(&path).send().is(200).json();
        assert_eq!(page["_meta"]["totalRecords"], 290);
        let listed = page["participants"].as_array().unwrap();
        codes.extend(listed.iter().map(|participant| participant["code"].clone()));
        let links = page["_links"].as_array().unwrap();
        let href = links.iter().find(|link| link["rel"] == "next").and_then(|link| link["href"].as_str());
        let base = "https://handslag.example.se/handslag/v1";
        next = href.map(|href| href.strip_prefix(base).expect("links have the public address").to_owned());
    }
    assert_eq!(json!(codes), json!(crate::support::municipality_codes()));
}

#[test]
fn no_browser_is_to_guess_what_a_reply_is() {
    let service = open();
    for path in ["/rules", "/nothing", "/rounds/handslag-2026/results?format=csv", "/openapi.yaml"] {
        assert_eq!(service.get(path).send().field("X-Content-Type-Options"), "nosniff", "{path}");
    }
}

#[test]
fn links_never_follow_the_host_header() {
    let service = open();
    let reply = service.get("/rounds/handslag-2026").header("Host", "evil.example").send().is(200);
    assert!(!reply.text().contains("evil.example"));
    assert!(reply.text().contains("https://handslag.example.se/handslag/v1/rounds/handslag-2026"));
}

#[test]
fn the_clock_of_the_test_is_the_clock_of_the_service() {
    let service = open();
    assert_eq!(service.now(), at("2026-03-10T11:00:00Z"));
}
