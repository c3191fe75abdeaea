//! A role that may do no more than `docs/OPERATIONS.md` grants it: all that the service does works, and nothing that is
//! append-only can be changed.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::program::repository;
use crate::support::registered::{Registered, handslag};
use crate::support::{Caller, Database, FIVE, ROUND, Service, until};

/// What the document grants.
fn grants() -> String {
    let text = repository("docs/OPERATIONS.md");
    let text = std::fs::read_to_string(text).unwrap();
    let block = text.split("```sql\n").find(|block| block.starts_with("GRANT")).expect("the grants");
    block.split("```").next().unwrap().to_owned()
}

/// A service whose role has those grants and no others, and its database.
fn served(test: &str) -> Option<(Database, Service)> {
    let database = Database::postgres(test)?;
    let role = format!("served_{}", uuid::Uuid::new_v4().simple());
    let grants = grants().replace(" TO handslag;", &format!(" TO {role};"));
    let mut owner = database.open().connect().unwrap();
    owner.batch_execute(&format!("CREATE ROLE {role} LOGIN; {grants}")).unwrap();
    let database = database.as_role(&role);
    let service = Service::start(&database);
    Some((database, service))
}

#[test]
fn the_role_of_the_document_can_do_what_the_service_does() {
    let Some((database, service)) = served("the_role_of_the_document") else { return };
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    let own = service.get(&format!("/rounds/{ROUND}/ballots/0180")).by(Caller::Participant("0180")).send();
    let withdrawn = service.request("DELETE", &format!("/rounds/{ROUND}/ballots/0180"));
    withdrawn.by(Caller::Participant("0180")).header("If-Match", &own.is(200).etag()).send().is(204);
    service.get("/readyz").send();
    let client = Registered::new(&database, &["--analyst"]);
    until("the client is known", || (client.ask(&service).status == 200).then_some(()));
    for arguments in [
        &["client", "rotate", &client.id][..],
        &["client", "disable", &client.id],
        &["keys", "rotate"],
        &["log", "verify"],
        &["audit", "prune", "--before", "2020-01-01"],
        &["audit", "verify"],
        &["doctor"],
    ] {
        handslag(&database, arguments);
    }
    let operations = until("all of it is in the trail", || {
        let page = service.get("/audit-entries?limit=100").by(Caller::Manager).send().is(200).json();
        let entries = page["auditEntries"].as_array().unwrap().clone();
        let operations: Vec<String> =
            entries.iter().map(|entry| entry["event"]["operation"].as_str().unwrap().to_owned()).collect();
        ["POST /rounds", "client disable", "keys rotate", "POST /oauth/token"]
            .iter()
            .all(|name| operations.iter().any(|found| found == name))
            .then_some(operations)
    });
    assert!(operations.len() >= 8, "{operations:?}");
}

#[test]
fn the_role_of_the_document_cannot_change_what_is_append_only() {
    let Some((database, service)) = served("the_role_of_the_document_cannot") else { return };
    service.open_round(json!({}));
    service.submit("0180", FIVE).is(201);
    let store = handslag::store::Store::open(database.address()).unwrap();
    for statement in [
        "UPDATE log_entries SET hash = hash",
        "DELETE FROM log_entries",
        "TRUNCATE log_entries",
        "UPDATE audit_entries SET hash = hash",
        "TRUNCATE audit_entries",
        "ALTER TABLE log_entries DISABLE TRIGGER ALL",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "DROP TABLE audit_entries",
    ] {
        let refused = store.connect().unwrap().batch_execute(statement);
        assert!(refused.is_err(), "{statement}");
    }
}
