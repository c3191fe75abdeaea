//! Every token with every municipality: each reaches its own ballot and no other.

use serde_json::json;

use crate::support::{Caller, Database, FIVE, ROUND, Service, municipality_codes, on_both_databases};

/// Tries every pair of these, reading and writing.
#[track_caller]
fn check(database: &Database, codes: &[String]) {
    let service = Service::start(database);
    service.open_round(json!({}));
    let ballot = json!({ "ranking": FIVE });
    let tokens: Vec<String> =
        codes.iter().filter_map(|code| service.token(Caller::Participant(code))).collect();
    assert_eq!(tokens.len(), codes.len());
    for (caller, token) in codes.iter().zip(&tokens) {
        for code in codes {
            let path = format!("/rounds/{ROUND}/ballots/{code}");
            let by = Caller::Token(token);
            let put = service.put(&path).by(by).json(&ballot).exchange().status;
            let get = service.get(&path).by(by).exchange().status;
            let expected = if caller == code { [201, 200] } else { [403, 403] };
            assert_eq!([put, get], expected, "{caller} on {code}");
        }
    }
    let participation = service.get(&format!("/rounds/{ROUND}/participation")).send().is(200).json();
    assert_eq!(participation["answered"], codes.len(), "each of them once");
}

on_both_databases! {
    fn each_municipality_reaches_its_own_ballot_and_no_other(database: Database) {
        let codes: Vec<String> = municipality_codes().into_iter().step_by(25).collect();
        assert_eq!(codes.len(), 12);
        check(&database, &codes);
    }
}

#[test]
#[ignore = "all pairs: without optimisation it takes minutes"]
fn all_pairs_of_290_reach_the_diagonal_alone() {
    let codes = municipality_codes();
    assert_eq!(codes.len(), 290);
    check(&Database::sqlite(), &codes);
}
