//! The API document, and whether it describes an exchange: the test of the contract that runs with every other.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::Reply;

/// Where the API lies.
const BASE: &str = "/handslag/v1";

/// The document as it stands in the repository.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../api-spec/openapi.yaml");
    serde_yaml_ng::from_str(text).expect("the API document is YAML")
});

/// Methods that a path item of an OpenAPI document can hold.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Method and path of every operation.
pub(crate) fn operations() -> Vec<(String, String)> {
    let paths = DOCUMENT["paths"].as_object().expect("the document has paths");
    let operations = |(path, item): (&String, &Value)| {
        let methods = METHODS.into_iter().filter(|method| item.get(method).is_some());
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(operations).collect()
}

/// What went there and back.
pub(super) struct Exchange<'a> {
    pub(super) method: &'a str,
    /// With base and query.
    pub(super) path: &'a str,
    pub(super) sent: Option<&'a [u8]>,
    pub(super) reply: &'a Reply,
}

/// Whether the document describes the exchange.
///
/// The reply's status, media type, body and headers must be those of the operation; and what the service
/// accepted must be what the document lets a caller send. HEAD, OPTIONS, unknown methods and paths outside the
/// document have no rows in it, but their problems have the form of all problems.
pub(super) fn check(exchange: &Exchange<'_>) -> Result<(), String> {
    let Exchange { method, path, reply, .. } = exchange;
    if *method == "HEAD" {
        return if reply.body.is_empty() { Ok(()) } else { Err("HEAD was answered with a body".into()) };
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let item = path.strip_prefix(BASE).and_then(find);
    let operation = item.and_then(|item| item.get(method.to_ascii_lowercase()));
    let Some(operation) = operation else {
        // The token endpoint speaks by its own standard.
        if path == "/oauth/token" {
            return Ok(());
        }
        return if reply.status >= 400 { is_problem(reply) } else { Ok(()) };
    };
    let responses = &operation["responses"];
    // `default` is the form of further problems; it describes nothing that went well.
    let further = responses.get("default").filter(|_| reply.status >= 400);
    let response = responses.get(reply.status.to_string()).or(further);
    let response = resolve(response.ok_or_else(|| format!("{} is not documented", reply.status))?);
    check_headers(response, reply)?;
    check_body(response, reply)?;
    if reply.status < 300 {
        check_query(operation, query)?;
        check_sent(operation, exchange.sent)?;
    }
    Ok(())
}

/// The path item that a path fits; one without parameters goes before one with.
fn find(path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut ours, mut theirs) = (path.split('/'), template.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(part), Some(name)) if name.starts_with('{') && !part.is_empty() => {}
                (Some(part), Some(name)) if part == name => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object().expect("the document has paths");
    let mut found = paths.iter().filter(|(template, _)| fits(template));
    let (_, item) = found.by_ref().min_by_key(|(template, _)| template.matches('{').count())?;
    Some(item)
}

fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        None => value,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("references stay within the document");
            resolve(DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{reference} is not there")))
        }
    }
}

/// The members that a value has, as `schema.member`, of the schemas that the document gives it.
pub(crate) fn members_of(schema: &str, value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let schema = &DOCUMENT["components"]["schemas"][schema];
    walk(schema, Some(value), "", &mut found);
    found
}

/// Every member that a value of a schema can have, likewise.
pub(crate) fn members_in(schema: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(&DOCUMENT["components"]["schemas"][schema], None, "", &mut found);
    found
}

/// Without a value everything that could be there. `name` is that of the nearest schema with one.
fn walk(schema: &'static Value, value: Option<&Value>, name: &str, found: &mut BTreeSet<String>) {
    if value.is_some_and(Value::is_null) {
        return;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a pointer has parts");
        walk(resolve(schema), value, name, found);
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        walk(choice, value, name, found);
    }
    for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
        let inner = value.map(|value| value.get(member));
        if inner.is_none_or(|inner| inner.is_some_and(|inner| !inner.is_null())) {
            found.insert(format!("{name}.{member}"));
            walk(schema, inner.flatten(), name, found);
        }
    }
    if schema["items"].is_object() {
        match value {
            None => walk(&schema["items"], None, name, found),
            Some(value) => {
                for item in value.as_array().into_iter().flatten() {
                    walk(&schema["items"], Some(item), name, found);
                }
            }
        }
    }
}

fn check_headers(response: &'static Value, reply: &Reply) -> Result<(), String> {
    let Some(headers) = response["headers"].as_object() else { return Ok(()) };
    for (name, header) in headers {
        let header = resolve(header);
        let mut values =
            reply.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).peekable();
        if header["required"] == true && values.peek().is_none() {
            return Err(format!("the header {name} is missing"));
        }
        for (_, value) in values {
            check_text(&header["schema"], value).map_err(|fault| format!("the header {name}: {fault}"))?;
        }
    }
    Ok(())
}

fn check_body(response: &'static Value, reply: &Reply) -> Result<(), String> {
    let given = reply.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value);
    let Some(content) = response["content"].as_object() else {
        let empty = reply.body.is_empty();
        return if empty { Ok(()) } else { Err("a body where the document has none".to_owned()) };
    };
    let given = given.ok_or("the Content-Type is missing")?;
    let essence = given.split(';').next().unwrap_or_default().trim();
    let media = content.get(essence).ok_or_else(|| format!("{given} is not documented"))?;
    let is_json = essence == "application/json" || essence.ends_with("+json");
    // A compressed body is held against the plain one by the test that asked for it.
    if is_json && reply.headers.iter().all(|(name, _)| name != "content-encoding") {
        let body = serde_json::from_slice(&reply.body).map_err(|error| format!("no JSON: {error}"))?;
        check_value(&media["schema"], &body)?;
    }
    Ok(())
}

fn check_query(operation: &'static Value, query: &str) -> Result<(), String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| error.to_string())?;
    for (name, value) in pairs {
        let parameters = operation["parameters"].as_array().into_iter().flatten().map(resolve);
        let mut named =
            parameters.filter(|parameter| parameter["in"] == "query" && parameter["name"] == *name);
        let parameter = named.next();
        let parameter = parameter.ok_or_else(|| format!("it took the undocumented parameter {name}"))?;
        check_text(&parameter["schema"], &value)
            .map_err(|fault| format!("it took {name}={value}, which the document does not allow: {fault}"))?;
    }
    Ok(())
}

fn check_sent(operation: &'static Value, sent: Option<&[u8]>) -> Result<(), String> {
    let (Some(body), Some(sent)) = (operation.get("requestBody"), sent) else { return Ok(()) };
    let media = body["content"].as_object().and_then(|content| content.values().next());
    let schema = &media.expect("a request body has a content")["schema"];
    let sent = serde_json::from_slice(sent).map_err(|error| format!("it took what is no JSON: {error}"))?;
    check_value(schema, &sent).map_err(|fault| format!("it took what the document does not allow: {fault}"))
}

fn is_problem(reply: &Reply) -> Result<(), String> {
    static RESPONSE: LazyLock<Value> = LazyLock::new(|| json!({ "$ref": "#/components/responses/Problem" }));
    let response = resolve(&RESPONSE);
    check_headers(response, reply)?;
    check_body(response, reply)
}

/// Whether a text of a header or a query is valid: as a number where the schema wants one.
fn check_text(schema: &'static Value, text: &str) -> Result<(), String> {
    let value = match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    };
    check_value(schema, &value)
}

fn check_value(schema: &'static Value, value: &Value) -> Result<(), String> {
    let validator = validator(schema);
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{} at {:?}", fault, fault.instance_path().to_string()))
        .take(5)
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// The validator of a schema, compiled once for the whole run.
fn validator(schema: &'static Value) -> Arc<Validator> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let whole =
            json!({ "allOf": [schema], "components": { "schemas": DOCUMENT["components"]["schemas"] } });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        Arc::new(options.build(&whole).expect("the document's schemas are JSON Schema 2020-12"))
    };
    Arc::clone(compiled.entry(schema.to_string()).or_insert_with(compile))
}
