//! `handslag login`, `submit`, `withdraw`, `status` and `results`: the program as a client of another that serves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Program, Ran};

/// A service that knows the address it listens on, with the small round open, and a person who is its client.
pub(crate) struct Site {
    program: Program,
    child: Child,
    url: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Site {
    /// Starts it.
    pub(crate) fn start() -> Self {
        Self::of(Program::with_open_round())
    }

    /// Starts it on the data of a program.
    pub(crate) fn of(program: Program) -> Self {
        let (child, address) = serve(&program, &[]);
        Self { program, child, url: format!("http://{address}") }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder that commands run in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.program.path(name)
    }

    /// Runs a command of the service's own machine.
    pub(crate) fn operate(&self, arguments: &[&str]) -> Ran {
        self.program.run(&[arguments, &["--public-url", &self.url]].concat())
    }

    /// Registers a client; gives its id and the file of its key, or its secret.
    #[track_caller]
    pub(crate) fn client(&self, arguments: &[&str]) -> (String, String) {
        let out = self.operate(&[&["client", "create"], arguments].concat()).is(0).out;
        let value = |name: &str| Some(out.lines().find_map(|line| line.strip_prefix(name))?.to_owned());
        (value("client_id=").unwrap(), value("key_file=").or_else(|| value("client_secret=")).unwrap())
    }

    /// Runs a command as a person with a home, who reads English.
    fn run(&self, arguments: &[&str]) -> Ran {
        self.speaking("en_GB.UTF-8", arguments)
    }

    fn speaking(&self, locale: &str, arguments: &[&str]) -> Ran {
        let home = self.path("home").display().to_string();
        self.program.run_with(&[("HOME", &home), ("LANG", locale)], arguments)
    }

    /// A person who is logged in as the client of Stockholm; gives the client's id.
    #[track_caller]
    fn stockholm(&self) -> String {
        let (client, key) = self.client(&["--municipality", "0180"]);
        self.log_in(&client, &key).is(0);
        client
    }

    /// Logs in as a client; the service looks for new ones all the time, and may not have seen it yet.
    #[track_caller]
    fn log_in(&self, client: &str, key: &str) -> Ran {
        crate::support::until("the service knows the client", || {
            let ran = self.login(&self.url, client, key);
            (!ran.err.contains("invalid_client")).then_some(ran)
        })
    }

    fn login(&self, url: &str, client: &str, key: &str) -> Ran {
        self.run(&["login", "--url", url, "--client", client, "--key", key])
    }

    /// What the service has stored.
    #[track_caller]
    fn stored(&self) -> Vec<Value> {
        let ran = self.operate(&["export", "--round", "liten", "--what", "ballots", "--format", "ndjson"]);
        ran.is(0).out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Starts the program on a folder's data; says where it listens.
fn serve(program: &Program, arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .args(["--data-dir", "data", "serve", "--bind", "127.0.0.1:0", "--log-level", "error"])
        .args(arguments)
        .env_clear()
        .current_dir(program.path("."))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    (child, said.rsplit_once("://").unwrap().1.to_owned())
}

/// The value of a line `name=value`.
#[track_caller]
fn value<'a>(ran: &'a Ran, name: &str) -> &'a str {
    let found = ran.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {name} in {ran:?}"))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o777
}

fn submit<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    [&["submit", "--round", "liten", "--yes"], ids].concat()
}

#[test]
fn a_newcomer_logs_in_submits_and_reads_on() {
    let site = Site::start();
    let (client, key) = site.client(&["--municipality", "0180"]);
    let ran = site.log_in(&client, &key).is(0);
    assert!(ran.out.contains(&client) && ran.out.contains("for 0180"), "{ran:?}");

    let ran =
        site.run(&submit(&["tva", "ett", "--reference", "KS 2026/12", "--receipt", "kvitto.jws"])).is(0);
    assert_eq!((value(&ran, "revision"), value(&ran, "sequence")), ("1", "2"));
    assert!(ran.err.contains("1. tva  Two\n") && ran.err.contains("no ballot before"), "{ran:?}");
    let [ballot] = &site.stored()[..] else { panic!("one ballot") };
    assert_eq!((&ballot["participantCode"], &ballot["ranking"]), (&json!("0180"), &json!(["tva", "ett"])));
    assert_eq!(ballot["reference"], "KS 2026/12");

    // The receipt holds, from the file and as it was printed.
    assert_eq!(std::fs::read_to_string(site.path("kvitto.jws")).unwrap().trim(), value(&ran, "receipt"));
    site.operate(&["receipt", "verify", "kvitto.jws", "--round", "liten"]).is(0);

    let status = site.run(&["status"]).is(0).out;
    for part in
        ["liten · Small round", "open until 2150-03-31 22:59", "1 of 4 have answered", "0180: no. 1 of "]
    {
        assert!(status.contains(part), "{part:?} is not in\n{status}");
    }
    assert!(status.contains("1. tva  Two\n") && status.contains("reference: KS 2026/12\n"), "{status}");
    let status = site.speaking("sv_SE.UTF-8", &["status", "--round", "liten"]).is(0).out;
    assert!(
        status.contains("öppen till 2150-03-31 22:59") && status.contains("1 av 4 har svarat"),
        "{status}"
    );

    // It is another person's turn: the results are not public yet, and an analyst may see them.
    site.run(&["results", "--round", "liten"]).is(1);
    let (client, secret) = site.client(&["--analyst", "--secret"]);
    site.program.write("secret", secret);
    std::fs::set_permissions(site.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    let analyst = ["--profile", "analyst"];
    let login = ["login", "--url", &site.url, "--client", &client, "--secret-file", "secret"];
    crate::support::until("the service knows the analyst", || {
        (site.run(&[&login[..], &analyst].concat()).code == 0).then_some(())
    });
    let results =
        |more: &[&str]| site.run(&[&["results", "--round", "liten"], &analyst[..], more].concat()).is(0);
    // Points 3, 2, 1: by hand.
    let table = results(&["--format", "table"]).out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "linear · Linear points · 1 ballots, the top is 2");
    assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["1", "tva", "Two", "3", "1"]);
    assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["2", "ett", "One", "2", "1"]);
    let document = results(&["--format", "json", "--rule", "schulze"]).json();
    assert_eq!(document["rule"]["id"], "schulze");
    assert_eq!(document["standings"][0]["initiativeId"], "tva");
    let csv = results(&[]).out;
    assert!(csv.starts_with("rank,resolvedRank,initiativeId,") && csv.contains("1,1,tva,Two,3,"), "{csv}");
    // An analyst has no ballot, and must not get one.
    let ran = site.run(&[&submit(&["ett"])[..], &analyst].concat()).is(1);
    assert!(ran.err.contains("--participant"), "{ran:?}");
}

#[test]
fn a_change_is_shown_and_made_of_the_ballot_that_was_seen() {
    let site = Site::start();
    site.stockholm();
    site.run(&submit(&["ett", "tva", "--comment", "Gärna snart"])).is(0);
    let ran = site.run(&submit(&["tva", "tre"])).is(0);
    assert_eq!((value(&ran, "revision"), value(&ran, "sequence")), ("2", "3"));
    for part in ["replaces no. 1", "1. tva  Two  (was 2)", "2. tre  Three  (new)", "–  ett  One  (left out)"]
    {
        assert!(ran.err.contains(part), "{part:?} is not in\n{}", ran.err);
    }
    assert!(ran.err.contains("comment: Gärna snart  (left out)"), "{}", ran.err);
    // The same once more makes no revision.
    let again = site.run(&submit(&["tva", "tre"])).is(0);
    assert!(again.err.contains("nothing was sent"), "{again:?}");
    assert_eq!(again.out, ran.out);
    // From a file, with what only a file can say.
    let body =
        json!({ "ranking": ["tre"], "engagements": [{ "initiativeId": "tre", "engagement": "lead" }] });
    site.program.write("ballot.json", body.to_string());
    let ran =
        site.run(&["submit", "--yes", "--round", "liten", "--file", "ballot.json", "--reference", "R"]).is(0);
    assert_eq!(value(&ran, "revision"), "3");
    assert_eq!(site.stored()[0]["engagements"], body["engagements"]);
    assert_eq!(site.stored()[0]["reference"], "R");
    // And back.
    let ran = site.run(&["withdraw", "--round", "liten", "--yes"]).is(0);
    assert!(ran.err.contains("–  tre  Three  (left out)"), "{ran:?}");
    assert!(site.stored().is_empty());
    site.run(&["withdraw", "--round", "liten", "--yes"]).is(1);
    let ran = site.run(&submit(&["ett"])).is(0);
    assert_eq!(value(&ran, "revision"), "5");
}

#[test]
fn nothing_is_sent_unasked_where_there_is_no_terminal() {
    let site = Site::start();
    site.stockholm();
    site.run(&submit(&["ett", "tva"])).is(0);
    site.program.write("ballot.json", json!({ "ranking": ["tre"] }).to_string());
    for unasked in [
        &["submit", "--round", "liten", "tre"][..],
        &["submit", "--round", "liten", "--file", "ballot.json"],
        &["submit", "--round", "liten", "--file", "-"],
        &["withdraw", "--round", "liten"],
    ] {
        let ran = site.run(unasked).is(2);
        assert!(ran.err.contains("no terminal to ask at: give --yes"), "{unasked:?} {ran:?}");
        let swedish = site.speaking("sv_SE.UTF-8", unasked).is(2);
        assert!(swedish.err.contains("ange --yes"), "{swedish:?}");
    }
    let [ballot] = &site.stored()[..] else { panic!("one ballot") };
    assert_eq!((&ballot["revision"], &ballot["ranking"]), (&json!(1), &json!(["ett", "tva"])));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_at_once() {
    let program = Program::with_open_round();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    program.write("tls.crt", made.cert.pem());
    program.write("tls.key", made.signing_key.serialize_pem());
    std::fs::set_permissions(program.path("tls.key"), PermissionsExt::from_mode(0o600)).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    program.write("other.crt", other.cert.pem());
    let (child, address) = serve(&program, &["--tls-certificate", "tls.crt", "--tls-key", "tls.key"]);
    let site = Site { program, child, url: format!("https://{address}") };
    let (client, key) = site.client(&["--municipality", "0180"]);
    let home = site.path("home").display().to_string();
    let run = |roots: &str, locale: &str, arguments: &[&str]| {
        let variables = [("HOME", &*home), ("LANG", locale), ("SSL_CERT_FILE", roots)];
        site.program.run_with(&variables, arguments)
    };
    let login = ["login", "--url", &site.url, "--client", &client, "--key", &key];
    crate::support::until("the service knows the client", || {
        (run("tls.crt", "en_GB.UTF-8", &login).code == 0).then_some(())
    });
    for arguments in [&login[..], &["status"], &submit(&["ett"])] {
        let ran = run("other.crt", "en_GB.UTF-8", arguments).is(3);
        assert!(ran.err.contains("SSL_CERT_FILE") && ran.err.contains("not believed"), "{ran:?}");
        assert!(!ran.err.contains("trying again"), "{ran:?}");
    }
    let ran = run("other.crt", "sv_SE.UTF-8", &["status"]).is(3);
    assert!(ran.err.contains("certifikat godtas inte"), "{ran:?}");
    run("tls.crt", "en_GB.UTF-8", &["status"]).is(0);
}

#[test]
fn what_is_refused_is_told_with_every_fault_in_the_language_of_the_locale() {
    let site = Site::start();
    site.stockholm();
    let ran = site.run(&submit(&["ettt", "tva", "handbok"])).is(1);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(lines[0], "ettt: is not in the round; did you mean ett?");
    assert!(lines[1].starts_with("handbok: is not in the round, which has ett, tva, tre"), "{ran:?}");
    // Faults that the service finds: one rank too many, and one initiative twice.
    let ran = site.run(&submit(&["ett", "tva", "ett", "tre"])).is(1);
    assert!(ran.err.contains("handslag: 2 faults; nothing was changed"), "{ran:?}");
    assert!(ran.err.contains("#/ranking/2: ranked-twice: "), "{ran:?}");
    let swedish = site.speaking("sv_SE.UTF-8", &submit(&["ett", "tva", "ett", "tre"])).is(1);
    assert!(swedish.err.contains("#/ranking/2: ranked-twice: ") && swedish.err != ran.err, "{swedish:?}");
    // The neighbour's ballot.
    let neighbour = [&submit(&["ett"])[..], &["--participant", "0980"]].concat();
    let ran = site.run(&neighbour).is(1);
    assert!(ran.err.contains("The access token is for another participant's ballot."), "{ran:?}");
    assert!(site.run(&["status", "--participant", "0980"]).is(1).out.is_empty());
    // A round that is not there, and one that is closed.
    site.run(&["submit", "--round", "annan", "--yes", "ett"]).is(1);
    site.operate(&["round", "close", "liten"]).is(0);
    crate::support::until("the service has seen it", || {
        let status = site.run(&["status", "--round", "liten"]).is(0).out;
        status.contains("  closed 20").then_some(())
    });
    let ran = site.run(&submit(&["ett"])).is(1);
    assert!(ran.err.contains("The round"), "{ran:?}");
    assert!(site.stored().is_empty());
}

#[test]
fn a_profile_is_for_its_owner_only_and_ends_with_logout() {
    let site = Site::start();
    let ran = site.run(&["status"]).is(1);
    assert!(ran.err.contains("there is no profile default: handslag login makes one"), "{ran:?}");
    let ran = site.speaking("sv_SE.UTF-8", &["status"]).is(1);
    assert!(ran.err.contains("det finns ingen profil default: handslag login gör en"), "{ran:?}");
    let (client, key) = site.client(&["--municipality", "0180"]);
    // Nothing is kept of a login that fails: a wrong client, somebody else's key, another name of the service.
    let (_, other) = site.client(&["--municipality", "0980"]);
    assert!(site.login(&site.url, "0180-aaaaaaaa", &key).is(1).err.contains("invalid_client"));
    assert!(site.login(&site.url, &client, &other).is(1).err.contains("invalid_client"));
    let localhost = site.url.replace("127.0.0.1", "localhost");
    let ran = site.login(&localhost, &client, &key).is(1);
    assert!(ran.err.contains(&format!("calls itself {}", site.url)), "{ran:?}");
    site.login("http://handslag.example.se", &client, &key).is(2);
    std::fs::set_permissions(site.path(&key), PermissionsExt::from_mode(0o644)).unwrap();
    let ran = site.login(&site.url, &client, &key).is(3);
    assert!(ran.err.contains("chmod 600") && !ran.err.contains("signing key"), "{ran:?}");
    std::fs::set_permissions(site.path(&key), PermissionsExt::from_mode(0o600)).unwrap();
    site.run(&["status"]).is(1);

    site.log_in(&client, &key).is(0);
    let profiles = site.path("home/.config/handslag/profiles");
    let token = site.path("home/.cache/handslag/tokens/default.json");
    assert_eq!((mode(&profiles), mode(token.parent().unwrap())), (0o700, 0o700));
    for file in [profiles.join("default.toml"), profiles.join("default.pem"), token.clone()] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    // The key that was given is no longer needed, and a kept token is used as long as it lives.
    std::fs::remove_file(site.path(&key)).unwrap();
    let kept = std::fs::read_to_string(&token).unwrap();
    site.run(&["status"]).is(0);
    assert_eq!(std::fs::read_to_string(&token).unwrap(), kept);
    // One that has ended, or that the service does not believe, is fetched anew.
    let mut ended: Value = serde_json::from_str(&kept).unwrap();
    for (member, value) in [("ends", json!(1_000)), ("text", json!("no.token.this"))] {
        ended[member] = value;
        std::fs::write(&token, ended.to_string()).unwrap();
        site.run(&["status"]).is(0);
        let renewed: Value = serde_json::from_str(&std::fs::read_to_string(&token).unwrap()).unwrap();
        assert!(renewed["text"].as_str().unwrap().starts_with("ey"), "{member}: {renewed}");
        ended = renewed;
    }
    // Others could read the key: it is not used.
    std::fs::set_permissions(profiles.join("default.pem"), PermissionsExt::from_mode(0o640)).unwrap();
    assert!(site.run(&["status"]).is(3).err.contains("chmod 600"));

    site.run(&["logout"]).is(0);
    let left: Vec<_> = std::fs::read_dir(&profiles).unwrap().collect();
    assert!(left.is_empty() && !token.exists(), "{left:?}");
    site.run(&["logout"]).is(1);
    // A name is part of a path.
    site.run(&["logout", "--profile", "../x"]).is(2);
}

#[test]
fn a_key_is_rotated_and_a_client_disabled() {
    let site = Site::start();
    let client = site.stockholm();
    site.run(&submit(&["ett"])).is(0);
    // The new key is asked for when the token is fetched again.
    let out = site.operate(&["client", "rotate", &client, "--out", "ny.pem"]).is(0).out;
    assert!(out.contains("key_file=ny.pem"), "{out}");
    crate::support::until("the old key is refused", || {
        std::fs::remove_file(site.path("home/.cache/handslag/tokens/default.json")).unwrap();
        let ran = site.run(&["status"]);
        if ran.code == 0 { None } else { Some(ran.is(1)) }
    });
    site.log_in(&client, "ny.pem").is(0);
    site.run(&submit(&["tva"])).is(0);

    site.operate(&["client", "disable", &client]).is(0);
    let disabled = Instant::now();
    crate::support::until("the client is refused", || {
        let ran = site.run(&submit(&["tre", "ett"]));
        (ran.code == 1 && ran.err.contains("the client is disabled")).then_some(())
    });
    assert!(disabled.elapsed() < Duration::from_secs(10), "{:?}", disabled.elapsed());
    let began = Instant::now();
    let ran = site.login(&site.url, &client, "ny.pem").is(1);
    assert!(ran.err.contains("unauthorized_client: the client is disabled"), "{ran:?}");
    // A refusal is told at once, not tried again.
    assert!(!ran.err.contains("trying again") && began.elapsed() < Duration::from_secs(10));
    site.operate(&["client", "enable", &client]).is(0);
    crate::support::until("the client is taken in again", || (site.run(&["status"]).code == 0).then_some(()));
}

/// What a go-between does with an exchange.
#[derive(Clone, Copy)]
enum Does {
    Pass,
    /// Passes the request on and keeps the answer.
    LoseAnswer,
    /// Ends the connection before the request gets through.
    LoseRequest,
    /// Answers this in the place of the service.
    Says(&'static str),
}

/// Stands between a service and its clients under the service's own name, and does with the n-th `PUT` what it is told.
fn go_between(listener: TcpListener, service: String, puts: &'static [Does]) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut client = connection.unwrap();
            let request = read_message(&mut client);
            if request.is_empty() {
                continue;
            }
            let put = request.starts_with(b"PUT ").then(|| counted.fetch_add(1, Ordering::SeqCst));
            let does = put.and_then(|n| puts.get(n)).copied().unwrap_or(Does::Pass);
            let pass = || {
                let mut server = TcpStream::connect(&service).unwrap();
                server.write_all(&request).unwrap();
                read_message(&mut server)
            };
            // One exchange a connection keeps this simple.
            match does {
                Does::Pass => {
                    let _ = client.write_all(&pass());
                }
                Does::LoseAnswer => drop(pass()),
                Does::LoseRequest => {}
                Does::Says(head) => {
                    let head = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    let _ = client.write_all(head.as_bytes());
                }
            }
        }
    });
    seen
}

/// A message to its end, by the length that it states.
fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let head = bytes.windows(4).position(|part| part == b"\r\n\r\n");
        if let Some(end) = head {
            let text = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return bytes;
            }
        }
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => bytes.extend_from_slice(&buffer[..read]),
            Ok(_) | Err(_) => return bytes,
        }
    }
}

/// A service behind a go-between, and somebody who is logged in through it.
fn behind(puts: &'static [Does]) -> (Site, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("http://{}", listener.local_addr().unwrap());
    let program = Program::with_open_round();
    // The service calls itself by the name of the go-between.
    let (child, service) = serve(&program, &["--public-url", &name]);
    let seen = go_between(listener, service, puts);
    let site = Site { program, child, url: name };
    site.stockholm();
    (site, seen)
}

#[test]
fn a_ballot_whose_answer_was_lost_is_looked_up_and_not_sent_again() {
    let (site, puts) = behind(&[Does::LoseAnswer]);
    let ran = site.run(&submit(&["ett", "tva"])).is(0);
    assert!(ran.err.contains("no answer came, looking whether the change is stored"), "{ran:?}");
    assert_eq!((value(&ran, "revision"), value(&ran, "sequence")), ("1", "2"));
    assert_eq!(puts.load(Ordering::SeqCst), 1);
    site.program.write("kvitto", value(&ran, "receipt"));
    site.operate(&["receipt", "verify", "kvitto", "--round", "liten"]).is(0);
}

#[test]
fn a_ballot_that_did_not_arrive_is_sent_again() {
    const PUTS: &[Does] = &[
        Does::LoseRequest,
        Does::Says("503 Service Unavailable\r\nRetry-After: 1"),
        Does::Says("429 Too Many Requests\r\nRetry-After: 1"),
    ];
    let (site, puts) = behind(PUTS);
    let ran = site.run(&submit(&["ett", "tva"])).is(0);
    assert_eq!((value(&ran, "revision"), value(&ran, "sequence")), ("1", "2"));
    assert_eq!(puts.load(Ordering::SeqCst), 4);
    assert_eq!(ran.err.matches("the service is busy; trying again in 1 s").count(), 2, "{ran:?}");
}

#[test]
fn who_asks_to_come_back_much_later_is_not_waited_for() {
    let (site, puts) = behind(&[Does::Says("429 Too Many Requests\r\nRetry-After: 300")]);
    let ran = site.run(&submit(&["ett"])).is(3);
    assert!(ran.err.contains("try again in 300 s"), "{ran:?}");
    assert_eq!(puts.load(Ordering::SeqCst), 1);
    assert!(site.stored().is_empty());
}

#[test]
fn results_are_watched_until_the_round_closes() {
    let site = Site::start();
    let (client, key) = site.client(&["--analyst"]);
    site.log_in(&client, &key).is(0);
    // The command fetches a token of its own, which is void before it is done.
    std::fs::remove_file(site.path("home/.cache/handslag/tokens/default.json")).unwrap();
    let home = site.path("home").display().to_string();
    let mut watching = Command::new(env!("CARGO_BIN_EXE_handslag"))
        .args(["results", "--round", "liten", "--format", "csv", "--watch"])
        .env_clear()
        .envs([("HOME", &home)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map(Result::unwrap);
    // Four initiatives and a heading, before anybody has answered and after.
    let first: Vec<String> = lines.by_ref().take(5).collect();
    site.operate(&["keys", "rotate", "--at-once"]).is(0);
    site.program.write("ballots.csv", "participantCode,rank1,rank2,rank3\n1280,tre,,\n");
    site.operate(&["ballots", "import", "--round", "liten", "ballots.csv"]).is(0);
    let second: Vec<String> = lines.by_ref().take(5).collect();
    assert!(second[1].starts_with("1,1,tre,") && first[0] == second[0] && first != second, "{second:?}");
    site.operate(&["round", "close", "liten"]).is(0);
    assert_eq!(lines.filter(|line| line.starts_with("1,1,tre,")).count(), 1);
    assert!(watching.wait().unwrap().success());
}
