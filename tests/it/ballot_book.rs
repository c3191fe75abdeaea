//! The ballot book: all ballots of a round, for analysts, or for anyone where the round says so.

use serde_json::{Value, json};

use crate::support::{Caller, FIVE, Service, municipality_codes, on_both_databases};

const BOOK: &str = "/rounds/handslag-2026/ballots";

/// Submits a ballot with private texts, which begin like a formula.
fn submit(service: &Service, code: &str) {
    let body = json!({
        "ranking": FIVE, "reference": format!("KS {code}"), "comment": "=HYPERLINK(1), \"x\"\nrad två",
        "engagements": [{ "initiativeId": FIVE[0], "engagement": "take-part" }],
    });
    let path = format!("{BOOK}/{code}");
    service.put(&path).by(Caller::Participant(code)).json(&body).send().is(201);
}

on_both_databases! {
    fn an_analyst_lists_the_ballots_by_code(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        let codes: Vec<String> = municipality_codes().into_iter().step_by(12).collect();
        assert_eq!(codes.len(), 25);
        for code in codes.iter().rev() {
            submit(&service, code);
        }
        service.delete(&format!("{BOOK}/{}", codes[3])).by(Caller::Participant(&codes[3])).send().is(204);
        let counted: Vec<&String> = codes.iter().filter(|code| **code != codes[3]).collect();

        let first = service.get(BOOK).by(Caller::Analyst).send().is(200);
        assert_eq!(first.field("Cache-Control"), "no-store");
        let first = first.json();
        assert_eq!(first["_meta"]["totalRecords"], 24);
        assert_eq!(first["sequence"], 27);
        let second = service.get(&format!("{BOOK}?page=2")).by(Caller::Manager).send().is(200).json();
        let both = [&first, &second].into_iter().flat_map(|page| page["ballots"].as_array().unwrap());
        let listed: Vec<&Value> = both.map(|ballot| &ballot["participantCode"]).collect();
        assert_eq!(json!(listed), json!(counted));

        // What the list says of a ballot is what the ballot says of itself, without the receipt.
        let mut ballot =
            service.get(&format!("{BOOK}/{}", codes[0])).by(Caller::Analyst).send().is(200).json();
        ballot.as_object_mut().unwrap().remove("receipt");
        assert_eq!(first["ballots"][0], ballot);

        let ndjson = service.get(BOOK).by(Caller::Analyst).header("Accept", "application/x-ndjson").send();
        let ndjson = ndjson.is(200);
        let lines: Vec<Value> =
            ndjson.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        ballot.as_object_mut().unwrap().remove("_links");
        assert_eq!(lines.len(), 24);
        assert_eq!(lines[0], ballot);
        assert_eq!(
            ndjson.field("Content-Disposition"),
            "attachment; filename=\"handslag-2026-ballots-27.ndjson\"",
        );
        let page = service.get(&format!("{BOOK}?format=ndjson&page=2&limit=10")).by(Caller::Analyst).send();
        assert_eq!(page.is(200).text().lines().count(), 10);
    }

    fn the_book_comes_as_a_table(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        submit(&service, "1480");
        service.set_time("2026-03-10T12:00:00.25+01:00");
        submit(&service, "0180");
        let csv = service.get(&format!("{BOOK}?format=csv")).by(Caller::Analyst).send().is(200);
        insta::allow_duplicates! {
        insta::assert_snapshot!(csv.text().replace("\r\n", "⏎\n"), @r#"
        participantCode,rank1,rank2,rank3,rank4,rank5,reference,comment,revision,sequence,acceptedAt,synthetic⏎
        0180,identitet-behorighet,sdk-socialtjanst,valfardsteknik,kompetensgemenskaper,informationssakerhet,KS 0180,"=HYPERLINK(1), ""x""
        rad två",1,3,2026-03-10T11:00:00.250000Z,false⏎
        1480,identitet-behorighet,sdk-socialtjanst,valfardsteknik,kompetensgemenskaper,informationssakerhet,KS 1480,"=HYPERLINK(1), ""x""
        rad två",1,2,2026-03-10T11:00:00.000000Z,false⏎
        "#);
        }
    }

    fn an_open_book_is_open_to_anyone_but_for_private_texts(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({ "ballotBook": "open" }));
        submit(&service, "0180");
        for caller in [Caller::Nobody, Caller::Participant("0180"), Caller::Participant("1480")] {
            let book = service.get(BOOK).by(caller).send().is(200).json();
            let ballot = &book["ballots"][0];
            assert_eq!(ballot["ranking"], json!(FIVE));
            assert_eq!([&ballot["reference"], &ballot["comment"]], [&Value::Null, &Value::Null]);
            for format in ["csv", "ndjson"] {
                let text = service.get(&format!("{BOOK}?format={format}")).by(caller).send().is(200);
                assert!(!text.text().contains("KS 0180") && !text.text().contains("HYPERLINK"), "{text}");
            }
        }
        let book = service.get(BOOK).by(Caller::Analyst).send().is(200).json();
        assert_eq!(book["ballots"][0]["reference"], "KS 0180");
    }

    fn a_closed_book_is_for_analysts(database: Database) {
        let service = Service::start(&database);
        service.open_round(json!({}));
        submit(&service, "0180");
        for format in ["", "?format=csv", "?format=ndjson"] {
            let path = format!("{BOOK}{format}");
            service.get(&path).send().is(401);
            service.get(&path).by(Caller::Participant("0180")).send().is(403).problem("forbidden");
            service.get(&path).by(Caller::Analyst).send().is(200);
        }
        service.get(BOOK).by(Caller::Analyst).header("Accept", "image/png").send().is(406);
        service.get(&format!("{BOOK}?format=xml")).by(Caller::Analyst).send().is(400);
    }
}
