//! One participant's ballot: submitting, reading, replacing, withdrawing.

use serde_json::json;

use crate::support::{Caller, FIVE, ROUND, Service, on_both_databases};

const OWN: &str = "/rounds/handslag-2026/ballots/0180";

on_both_databases! {
    fn a_first_ballot_is_created_and_a_second_replaces_it(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let own = Caller::Participant("0180");
        let body = json!({ "ranking": FIVE, "reference": "KS 2026/12", "comment": "Gärna!\nSnart." });

        let first = service.put(OWN).by(own).json(&body).send().is(201);
        assert_eq!(first.etag(), "\"1\"");
        assert_eq!(first.field("Location"), format!("https://handslag.example.se/handslag/v1{OWN}"));
        assert_eq!(first.json()["ranking"], json!(FIVE));
        assert_eq!(first.json()["roundId"], ROUND);

        let second = service.put(OWN).by(own).json(&body).send().is(200);
        assert_eq!(second.etag(), "\"2\"");
        let read = service.get(OWN).by(own).send().is(200);
        assert_eq!(read.json(), second.json());
        assert_eq!(read.etag(), second.etag());
        assert_eq!(read.field("Cache-Control"), "no-store");
    }
}
