//! What the issuer and the resource say of themselves.

use serde_json::{Value, json};

use crate::support::registered::Registered;
use crate::support::{Caller, Database, PUBLIC_URL, Service};

#[track_caller]
fn document(service: &Service, path: &str) -> Value {
    let reply = service.request_outside("GET", path).send().is(200);
    assert_eq!(reply.field("Content-Type"), "application/json");
    assert_eq!(reply.field("Access-Control-Allow-Origin"), "*", "for tools on any page");
    let head = service.request_outside("HEAD", path).send().is(200);
    assert!(head.body.is_empty());
    service.request_outside("POST", path).send().is(405);
    service.request_outside("GET", &format!("{path}?x=1")).send().is(400);
    reply.json()
}

#[test]
fn the_server_says_where_tokens_are_and_how_clients_show_who_they_are() {
    let service = Service::start(&Database::sqlite());
    let server = document(&service, "/.well-known/oauth-authorization-server");
    assert_eq!(
        server,
        json!({
            "issuer": PUBLIC_URL,
            "token_endpoint": format!("{PUBLIC_URL}/oauth/token"),
            "jwks_uri": format!("{PUBLIC_URL}/.well-known/jwks.json"),
            "scopes_supported": ["ballots.read", "ballots.write", "ballots.list", "results.read", "rounds.admin"],
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
            "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256", "PS256", "RS256"],
            "service_documentation": format!("{PUBLIC_URL}/handslag/v1/openapi.yaml"),
        })
    );
}

#[test]
fn whoever_is_refused_finds_the_way_to_a_token() {
    let service = Service::start(&Database::sqlite());
    let reply = service.get("/rounds").by(Caller::Token("x")).send().is(401);
    let challenge = reply.field("WWW-Authenticate");
    let metadata = challenge.split("resource_metadata=\"").nth(1).and_then(|rest| rest.split('"').next());
    let path = metadata.unwrap().strip_prefix(PUBLIC_URL).unwrap();
    let resource = document(&service, path);
    assert_eq!(resource["resource"], PUBLIC_URL, "what aud of a token is");
    assert_eq!(resource["authorization_servers"], json!([PUBLIC_URL]));
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
}

#[test]
fn the_published_keys_check_the_tokens() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst"]);
    let service = Service::start(&database);
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(document(&service, "/.well-known/jwks.json")).unwrap();
    let token = client.token(&service);
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.set_audience(&[PUBLIC_URL]);
    // The service's clock stands still.
    rules.validate_exp = false;
    let read = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap();
    assert_eq!(read.claims["client_id"], *client.id);
    // Nothing private is in it.
    assert!(!serde_json::to_string(&keys).unwrap().contains("\"d\""));
}
