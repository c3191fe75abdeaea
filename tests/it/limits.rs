//! How much one caller may ask for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use handslag::config::{Edge, Limits, Rate};
use serde_json::json;

use crate::program::Program;
use crate::support::registered::{CREDENTIALS, Registered, ask, by_assertion};
use crate::support::{Caller, Database, FIVE, ROUND, Raw, Reply, Service, until};

/// So few that a test uses them up, and so slow that none comes back meanwhile.
const FEW: Rate = Rate { per_second: 1, burst: 30 };
/// So many that none is missed.
const MANY: Rate = Rate { per_second: 1_000_000, burst: 1_000_000 };

fn limited(client: Rate, address: Rate) -> Service {
    let limits = Limits { client, address, ..Limits::default() };
    Service::start_behind(&Database::sqlite(), Edge { limits, ..Edge::default() })
}

/// Asks until it is refused, and gives how often it was answered, and the refusal.
fn until_refused(ask: impl Fn() -> Reply) -> (u32, Reply) {
    let mut answered = 0;
    loop {
        let reply = ask();
        if reply.status == 429 {
            return (answered, reply);
        }
        answered += 1;
        assert!(answered < 1_000, "never refused");
    }
}

/// How long a refusal says that is to be waited.
fn wait(refusal: &Reply) -> u64 {
    refusal.field("Retry-After").parse().unwrap()
}

#[test]
fn an_address_that_asks_too_often_is_refused_whatever_it_asks_for() {
    let service = limited(MANY, FEW);
    let (answered, refusal) = until_refused(|| service.get("/rules").send());
    // What came back while it asked is at most what the time allows.
    assert!((30..=35).contains(&answered), "{answered}");
    let problem = refusal.problem("too-many-requests");
    assert_eq!(problem["title"], "För många anrop");
    assert_eq!(refusal.field("Cache-Control"), "no-store");
    assert_eq!(wait(&refusal), 1);
    assert_eq!(refusal.field("RateLimit-Policy"), "\"address\";q=30;w=30");
    assert!(refusal.field("RateLimit").starts_with("\"address\";r=0;t="), "{refusal}");
    for path in ["/nothing", "/rounds", "/openapi.yaml"] {
        let refused = service.get(path).exchange();
        // One comes back each second.
        assert!(refused.status == 429 || service.get(path).exchange().status == 429, "{path}");
    }
    let english = service.get("/rules").header("Accept-Language", "en").send();
    assert!(english.status == 200 || english.problem("too-many-requests")["title"] == "Too many requests");
}

#[test]
fn whoever_waits_as_long_as_it_is_told_is_let_in() {
    let service = limited(MANY, Rate { per_second: 1, burst: 2 });
    let (_, refusal) = until_refused(|| service.get("/rules").send());
    std::thread::sleep(Duration::from_secs(wait(&refusal)));
    service.get("/rules").send().is(200);
}

#[test]
fn in_the_long_run_as_many_are_answered_as_there_may_be() {
    let service = limited(MANY, Rate { per_second: 50, burst: 10 });
    let (began, mut answered) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(2) {
        answered += u32::from(service.get("/rules").send().status == 200);
    }
    // The burst, and fifty a second; how many are asked depends on the machine, so only the most is certain.
    let most = 10.0 + 50.0 * began.elapsed().as_secs_f64() + 1.0;
    assert!(f64::from(answered) <= most && answered > 30, "{answered} of at most {most}");
}

#[test]
fn one_client_that_asks_too_often_leaves_the_others_alone() {
    let service = limited(FEW, MANY);
    service.open_round(json!({}));
    let ask = |code: &'static str| {
        service.get(&format!("/rounds/{ROUND}/ballots/{code}")).by(Caller::Participant(code)).send()
    };
    let (answered, refusal) = until_refused(|| ask("0180"));
    assert!((30..=35).contains(&answered), "{answered}");
    refusal.problem("too-many-requests");
    assert_eq!(refusal.field("RateLimit-Policy"), "\"client\";q=30;w=30");
    ask("0181").is(404);
    // A fresh token of the same client is the same client.
    let again = ask("0180");
    assert!(again.status == 429 || ask("0180").status == 429, "{again}");
    // Without a token nobody is that client.
    service.get(&format!("/rounds/{ROUND}")).send().is(200);
}

#[test]
fn a_refused_write_is_not_done() {
    let service = limited(FEW, MANY);
    service.open_round(json!({}));
    let written = until_refused(|| service.submit("0180", FIVE)).0;
    let revisions = service
        .get(&format!("/rounds/{ROUND}/ballots/0180/revisions?limit=100"))
        .by(Caller::Analyst)
        .send()
        .is(200)
        .json();
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), usize::try_from(written).unwrap());
}

#[test]
fn the_answer_to_a_write_says_what_is_left_and_a_poll_does_not() {
    let service = limited(Rate { per_second: 1, burst: 100 }, MANY);
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let written = service.submit("0180", FIVE).is(201);
    assert_eq!(written.field("RateLimit-Policy"), "\"client\";q=100;w=100");
    assert_eq!(written.field("RateLimit"), "\"client\";r=99;t=1");
    let poll = service.get(&format!("/rounds/{ROUND}/results")).by(Caller::Analyst).send().is(200);
    assert_eq!(poll.header("RateLimit"), None);
}

#[test]
fn a_token_that_is_not_believed_counts_for_its_address_alone() {
    let service = limited(FEW, Rate { per_second: 1, burst: 50 });
    let ask = || service.get("/rules").header("Authorization", "Bearer nonsense").send();
    let (answered, refusal) = until_refused(ask);
    assert!((50..=55).contains(&answered), "{answered}");
    assert!(refusal.field("RateLimit-Policy").starts_with("\"address\""), "{refusal}");
}

#[test]
fn a_refusal_is_kept_back_so_that_asking_on_costs_the_caller_most() {
    let service = limited(MANY, Rate { per_second: 1, burst: 2 });
    until_refused(|| service.get("/rules").send());
    let began = Instant::now();
    let refused = (0..10).filter(|_| service.get("/rules").send().status == 429).count();
    let least = Duration::from_millis(100) * u32::try_from(refused).unwrap();
    assert!(refused > 0 && began.elapsed() >= least, "{refused} refusals in {:?}", began.elapsed());
}

#[test]
fn an_address_that_shows_wrong_secrets_is_not_compared_with_any_more() {
    let database = Database::sqlite();
    let client = Registered::new(&database, &["--analyst", "--secret"]);
    let trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let service = Service::start_behind(&database, Edge { trusted_proxies, ..Edge::default() });
    let ask = |address: &str, id: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let request = service.request_outside("POST", "/oauth/token").header("X-Forwarded-For", address);
        request.body("application/x-www-form-urlencoded", &form).send().status
    };
    // Each is tried for another client: that of one is bounded by itself.
    let wrong = |number: u32| ask("203.0.113.7", &format!("nobody-{number}"), "wrong");
    for number in 0..90 {
        assert_eq!(wrong(number), 401);
    }
    // Those that are right do not count.
    for _ in 0..30 {
        assert_eq!(ask("203.0.113.7", &client.id, &client.secret), 200);
    }
    // One comes back each second.
    let refused = (100..1_100).find(|number| wrong(*number) == 503);
    assert!(refused.is_some(), "never refused");
    assert_eq!(ask("203.0.113.8", &client.id, &client.secret), 200, "another address is compared with");
}

#[test]
fn an_address_that_opens_connections_too_often_is_let_in_no_more() {
    let service = limited(MANY, Rate { per_second: 1, burst: 5 });
    let opened = (0..100).take_while(|_| connected(&service).is_some()).count();
    assert!((20..60).contains(&opened), "{opened}: four times as many as requests, and those that come back");
}

/// As many connections from each address as this, through these proxies.
fn crowded(address_connections: u32, proxies: &[&str]) -> Service {
    let limits = Limits { client: MANY, address: MANY, address_connections, ..Limits::default() };
    let trusted_proxies = proxies.iter().map(|range| range.parse().unwrap()).collect();
    Service::start_behind(&Database::sqlite(), Edge { limits, trusted_proxies, ..Edge::default() })
}

/// A connection that is kept, if it is answered.
fn connected(service: &Service) -> Option<Raw> {
    let mut connection = Raw::connect(service);
    connection.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.read(1, Duration::from_secs(20)).map(|_| connection)
}

#[test]
fn an_address_has_so_many_connections_and_no_more() {
    let service = crowded(3, &[]);
    let mut open: Vec<Raw> = (0..3).map(|_| connected(&service).expect("there is room for three")).collect();
    assert!(connected(&service).is_none(), "there is room for three only");
    // The others go on.
    open[0].send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(open[0].read(1, Duration::from_secs(20)).is_some());
    open.pop();
    until("the place is free again", || connected(&service));
}

#[test]
fn a_trusted_proxy_has_as_many_connections_as_it_likes() {
    let service = crowded(3, &["127.0.0.1/32"]);
    let open: Vec<_> = (0..20).filter_map(|_| connected(&service)).collect();
    assert_eq!(open.len(), 20);
}

#[test]
fn an_address_has_so_many_streams_and_no_more_whichever_proxy_it_comes_through() {
    let service = crowded(3, &["127.0.0.1/32"]);
    service.open_round(json!({ "visibility": "live", "ballotBook": "open" }));
    let path = format!("/rounds/{ROUND}/results/events");
    let ask = |address: &str| service.get(&path).header("X-Forwarded-For", address);
    let mut listeners: Vec<_> = (0..3).map(|_| ask("203.0.113.7").listen()).collect();
    let refused = ask("203.0.113.7").send().is(503);
    refused.problem("unavailable");
    refused.field("Retry-After");
    ask("203.0.113.8").listen().result();
    for listener in &mut listeners {
        listener.result();
    }
    listeners.pop();
    // That somebody has gone is seen when something is sent.
    until("the place is free again", || {
        service.submit("0180", FIVE);
        (ask("203.0.113.7").send().status == 200).then_some(())
    });
}

#[test]
fn the_section_of_the_settings_file_is_told_and_checked() {
    let program = Program::new();
    program.write(
        "handslag.toml",
        "trustedProxies = [\"10.0.0.0/8\", \"::1\"]\n[limits]\naddressRate = 7\nclientBurst = 9\n",
    );
    let told = program.run(&["--config", "handslag.toml", "config"]).is(0).out;
    for line in [
        "trustedProxies = [\"10.0.0.0/8\", \"::1/128\"]  # file",
        "limits.enabled = true  # default",
        "limits.addressRate = 7  # file",
        "limits.clientBurst = 9  # file",
        "limits.clientRate = 50  # default",
    ] {
        assert!(told.lines().any(|known| known == line), "{line} is not in\n{told}");
    }
    let told = program.run(&["--config", "handslag.toml", "--limits", "off", "config"]).is(0).out;
    assert!(told.contains("limits.enabled = false  # flag or environment"), "{told}");
    for (text, named) in [
        ("[limits]\naddressRate = 0\n", "limits.addressRate"),
        ("[limits]\nclientBurst = 1000001\n", "limits.clientBurst"),
        ("[limits]\nclientBurts = 1\n", "clientBurts"),
        ("trustedProxies = [\"10.1.2.3/8\"]\n", "10.0.0.0/8"),
        ("trustedProxies = [\"proxy.example.se\"]\n", "proxy.example.se"),
    ] {
        program.write("wrong.toml", text);
        let refused = program.run(&["--config", "wrong.toml", "config"]).is(2);
        assert!(refused.err.contains(named), "{text}: {}", refused.err);
    }
}

/// The refusal of a token for too many requests, in the shape that the specification gives.
#[track_caller]
fn no_token(refusal: &Reply, policy: &str) {
    assert_eq!(refusal.json()["error"], "temporarily_unavailable", "{refusal}");
    assert!(refusal.json()["error_description"].is_string(), "{refusal}");
    assert_eq!(refusal.field("Cache-Control"), "no-store");
    assert_eq!(refusal.field("RateLimit-Policy"), policy);
    refusal.field("RateLimit");
    assert!(wait(refusal) >= 1);
}

#[test]
fn tokens_count_for_the_client_that_they_are_of() {
    let database = Database::sqlite();
    let [client, other] = [(); 2].map(|()| Registered::new(&database, &["--analyst"]));
    let limits = Limits { client: FEW, address: MANY, ..Limits::default() };
    let service = Service::start_behind(&database, Edge { limits, ..Edge::default() });
    let token = client.token(&service);
    let (answered, refusal) = until_refused(|| client.ask(&service));
    assert!((29..=35).contains(&answered), "{answered}");
    no_token(&refusal, "\"client\";q=30;w=30");
    // It is the bucket of what is done with them too; and nobody else's.
    let ask = || service.get("/rounds").by(Caller::Token(&token)).send().status;
    assert!(ask() == 429 || ask() == 429);
    other.token(&service);
    // Whoever is not believed takes nothing out of it.
    let mut claims = other.claims(&service);
    (claims["iss"], claims["sub"]) = (json!(other.id), json!(other.id));
    for _ in 0..40 {
        let forged = client.sign(&client.header().to_string(), &claims.to_string());
        by_assertion(&service, &forged, &[]).is(401);
    }
    other.token(&service);
}

#[test]
fn secrets_are_tried_a_few_times_and_good_clients_do_not_wait_for_that() {
    let database = Database::sqlite();
    let [tried, good] = [(); 2].map(|()| Registered::new(&database, &["--analyst", "--secret"]));
    let limits = Limits { client: MANY, address: MANY, ..Limits::default() };
    let service = Service::start_behind(&database, Edge { limits, ..Edge::default() });
    let guess = || ask(&service, &[CREDENTIALS, ("client_id", &tried.id), ("client_secret", "a guess")]);
    let refused = AtomicU32::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let reply = guess();
                    match reply.status {
                        429 => refused.fetch_add(1, Ordering::Relaxed),
                        // The first ten make way for everything else, and may not be compared in time.
                        503 => 0,
                        _ => reply.is(401).status.into(),
                    };
                }
            });
        }
        until("guesses are refused", || (refused.load(Ordering::Relaxed) > 100).then_some(()));
        until("the first guesses are done", || (good.ask(&service).status == 200).then_some(()));
        for _ in 0..5 {
            good.ask(&service).is(200);
        }
        stop.store(true, Ordering::Relaxed);
    });
    no_token(&until_refused(guess).1, "\"secrets\";q=10;w=10");
}
