//! A service of the test's own: in this process with the clock that the test gives it, or as the program.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Monotonic};

use actix_web::dev::ServerHandle;
use handslag::board::{Bounds, Keeping};
use handslag::cli::serve::{Parts, Signals};
use handslag::cli::trust;
use handslag::config::{Edge, Given, Limits};
use handslag::domain::{Instant, ParticipantCode};
use handslag::http::{Pace, Stopping};
use handslag::identity::{Freshness, Grant, Issuer, Purpose, SigningKey, TokenIssuer};
use handslag::service::Clock;
use handslag::store::{self, Store};
use serde_json::{Value, json};

use super::client::{self, Reply, Request};
use super::{Database, ROUND, definition};

/// The address that the service believes it has; links and tokens name it.
pub(crate) const PUBLIC_URL: &str = "https://handslag.example.se";
/// The time on a manual clock to begin with: a Tuesday at noon in Sweden, while the default round is open.
pub(crate) const NOON: &str = "2026-03-10T12:00:00+01:00";
/// How often the writer looks for what is due.
const TICK: Duration = Duration::from_millis(20);
/// How long something that must happen by itself may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A moment, from RFC 3339.
#[track_caller]
pub(crate) fn at(text: &str) -> Instant {
    text.parse().expect("the test names an RFC 3339 moment")
}

/// Asks again and again until there is an answer; fails the test when there is none in time.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Monotonic::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited for {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller<'a> {
    /// Without a token.
    Nobody,
    /// The participant of this code.
    Participant(&'a str),
    /// Who may see all ballots and results.
    Analyst,
    /// Who runs rounds.
    Manager,
    /// With this token.
    Token(&'a str),
}
/// A service that runs. It stops when this is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    clock: Clock,
    key: Arc<SigningKey>,
    agent: Option<ureq::Agent>,
    runs: Option<Runs>,
    store: Store,
    database: Database,
}

/// What differs from one test's service to another's.
struct Setup {
    clock: Clock,
    pace: Pace,
    keeping: Keeping,
    edge: Edge,
    bounds: Bounds,
    issuers: Vec<Issuer>,
}

impl Default for Setup {
    /// At noon on a clock that stands still.
    fn default() -> Self {
        Self {
            clock: Clock::at(at(NOON)),
            pace: Pace::default(),
            keeping: Keeping::default(),
            // Tests of something else ask as often as they like.
            edge: Edge { limits: Limits::off(), ..Edge::default() },
            bounds: Bounds::default(),
            issuers: Vec::new(),
        }
    }
}

/// Where the service runs.
enum Runs {
    /// In a thread of this process.
    Here(ServerHandle, Stopping, JoinHandle<()>),
    /// As the program.
    There(Mutex<Leash>),
}

impl Service {
    /// Starts at noon on a clock that stands still.
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_at(database, Clock::at(at(NOON)))
    }

    /// Starts with this clock.
    pub(crate) fn start_at(database: &Database, clock: Clock) -> Self {
        Self::start_with(database, Setup { clock, ..Setup::default() })
    }

    /// Starts at noon on a clock that stands still, and sends events at this pace.
    pub(crate) fn start_at_pace(database: &Database, pace: Pace) -> Self {
        Self::start_with(database, Setup { pace, ..Setup::default() })
    }

    /// Starts at noon on a clock that stands still, and keeps the audit trail like this.
    pub(crate) fn start_keeping(database: &Database, keeping: Keeping) -> Self {
        Self::start_keeping_at(database, Clock::at(at(NOON)), keeping)
    }

    /// Starts with this clock, and keeps the audit trail like this.
    pub(crate) fn start_keeping_at(database: &Database, clock: Clock, keeping: Keeping) -> Self {
        Self::start_with(database, Setup { clock, keeping, ..Setup::default() })
    }

    /// Starts at noon on a clock that stands still, and lets others wait within these bounds.
    pub(crate) fn start_within(database: &Database, bounds: Bounds) -> Self {
        Self::start_with(database, Setup { bounds, ..Setup::default() })
    }

    /// Starts at noon on a clock that stands still, and trusts the issuers of a settings file.
    pub(crate) fn start_trusting(database: &Database, issuers: &str, freshness: Freshness) -> Self {
        let file = database.folder().join("issuers.toml");
        std::fs::write(&file, issuers).expect("a file in the test's own folder");
        let settings = Given { config: Some(file), ..Given::default() }.settle().expect("settings");
        let trusted = trust::read(&settings.issuers, PUBLIC_URL).expect("they make sense");
        let issuers = trust::start(trusted, freshness).expect("there can be threads");
        Self::start_with(database, Setup { issuers, ..Setup::default() })
    }

    /// Starts at noon on a clock that stands still, with this between it and its callers.
    pub(crate) fn start_behind(database: &Database, edge: Edge) -> Self {
        Self::start_with(database, Setup { edge, ..Setup::default() })
    }

    fn start_with(database: &Database, setup: Setup) -> Self {
        let Setup { clock, pace, keeping, edge, bounds, issuers } = setup;
        let store = database.open();
        let key = Arc::new(
            SigningKey::load_or_create(database.folder(), Purpose::Tokens).expect("a key can be made"),
        );
        let log_key = SigningKey::load_or_create(database.folder(), Purpose::Log).expect("a key can be made");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, receiver) = mpsc::channel();
        let parts = (store.clone(), database.folder().to_owned(), clock.clone());
        let thread = std::thread::spawn(move || {
            let (store, folder, clock) = parts;
            actix_web::rt::System::new().block_on(async {
                let parts = Parts {
                    store,
                    data_dir: &folder,
                    log_key,
                    public_url: PUBLIC_URL,
                    issuers,
                    clock,
                    tick: TICK,
                    workers: 2,
                    listener,
                    metrics: None,
                    signals: Signals::Ignore,
                    pace,
                    keeping,
                    edge,
                    bounds,
                    reporting: None,
                };
                let (running, writer) =
                    parts.assemble().expect("the service starts on a database of its own");
                sender.send((running.handle(), running.stopping())).expect("the test waits for it");
                running.serve().await.expect("the service serves until it is stopped");
                writer.join();
            });
        });
        let (handle, stopping) = receiver.recv().expect("the service starts");
        let (agent, runs) = (Some(client::agent()), Some(Runs::Here(handle, stopping, thread)));
        Self { address, clock, key, agent, runs, store, database: database.clone() }
    }

    /// Starts the program, which has the machine's clock and writes its log to `service.log` in the folder.
    pub(crate) fn start_program(database: &Database) -> Self {
        Self::start_program_under(&[], database)
    }

    /// Starts the program as the last arguments of another, which must become it.
    pub(crate) fn start_program_under(other: &[&str], database: &Database) -> Self {
        Self::start_program_with(other, PUBLIC_URL, database)
    }

    /// Starts the program, which believes that this is its address.
    pub(crate) fn start_program_at(public_url: &str, database: &Database) -> Self {
        Self::start_program_with(&[], public_url, database)
    }

    fn start_program_with(other: &[&str], public_url: &str, database: &Database) -> Self {
        let key = Arc::new(
            SigningKey::load_or_create(database.folder(), Purpose::Tokens).expect("a key can be made"),
        );
        let url = match database.address() {
            store::Database::Sqlite(path) => format!("sqlite:{}", path.display()),
            store::Database::Postgres(url) => url,
        };
        let log = OpenOptions::new().create(true).append(true).open(database.folder().join("service.log"));
        let line = [other, &[env!("CARGO_BIN_EXE_handslag")]].concat();
        let child = Command::new(line[0])
            .args(&line[1..])
            .args(["serve", "--bind", "127.0.0.1:0", "--log-level", "debug", "--public-url", public_url])
            .args(["--limits", "off"])
            .arg("--data-dir")
            .arg(database.folder())
            .args(["--database", &url])
            .stdout(Stdio::piped())
            .stderr(log.expect("a log can be written"))
            .spawn()
            .expect("the program runs");
        let mut child = Leash(child);
        let said = BufReader::new(child.0.stdout.take().expect("piped above")).lines().next();
        let said = said.expect("it says where it listens").expect("in UTF-8");
        let address = said.rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it says where it listens, not {said:?}"));
        // After the program: what a kill has left is for the program to find, not for us.
        let store = database.open();
        let (agent, runs) = (Some(client::agent()), Some(Runs::There(Mutex::new(child))));
        Self { address, clock: Clock::System, key, agent, runs, store, database: database.clone() }
    }

    /// Stops it, as a drop does, and gives its database back.
    pub(crate) fn stop(self) -> Database {
        self.database.clone()
    }

    /// Kills the program without a warning, while others may be asking it.
    pub(crate) fn kill(&self) {
        let Some(Runs::There(child)) = &self.runs else { panic!("this service is no program") };
        let killed = child.lock().unwrap_or_else(PoisonError::into_inner).0.kill();
        killed.expect("the program runs until now");
    }

    /// Tells everybody in this process that the service is about to stop, and does not stop it.
    pub(crate) fn begin_to_stop(&self) {
        let Some(Runs::Here(_, stopping, _)) = &self.runs else { panic!("this service is a program") };
        stopping.begin();
    }

    /// The program's process.
    pub(crate) fn process(&self) -> u32 {
        let Some(Runs::There(child)) = &self.runs else { panic!("this service is no program") };
        child.lock().unwrap_or_else(PoisonError::into_inner).0.id()
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &process]).status();
        assert!(sent.expect("there is a kill").success(), "the program runs until now");
    }

    /// Waits until the program ends by itself, and gives its exit code; none if a signal ended it.
    #[track_caller]
    pub(crate) fn ended(&self) -> Option<i32> {
        let Some(Runs::There(child)) = &self.runs else { panic!("this service is no program") };
        let status = until("the program ends", || {
            child.lock().unwrap_or_else(PoisonError::into_inner).0.try_wait().expect("it is a child")
        });
        status.code()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, beside it.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Its database and data folder.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The key that signs its tokens.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The time it is there.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Moves its clock, which must be a manual one, to a moment.
    #[track_caller]
    pub(crate) fn set_time(&self, moment: &str) {
        let Clock::Manual(micros) = &self.clock else { panic!("this service has the machine's clock") };
        micros.store(at(moment).utc().timestamp_micros(), Ordering::SeqCst);
    }

    /// A token for a caller, valid from now on; none for nobody.
    pub(crate) fn token(&self, caller: Caller<'_>) -> Option<String> {
        self.token_of(caller, self.now())
    }

    /// A token for a caller that was issued at this moment.
    pub(crate) fn token_of(&self, caller: Caller<'_>, issued: Instant) -> Option<String> {
        let grant = match caller {
            Caller::Nobody => return None,
            Caller::Token(token) => return Some(token.to_owned()),
            Caller::Participant(code) => {
                Grant::participant(code.parse::<ParticipantCode>().expect("the test names a code"))
            }
            Caller::Analyst => Grant::analyst(),
            Caller::Manager => Grant::manager(),
        };
        Some(TokenIssuer { issuer: PUBLIC_URL, key: &self.key }.issue(&grant, issued))
    }

    /// A request to a path below the API's base.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        let agent = self.agent.as_ref().expect("there until the service is dropped");
        Request::new(self, agent, method, &format!("/handslag/v1{path}"))
    }

    /// A request to a path outside the API.
    pub(crate) fn request_outside(&self, method: &str, path: &str) -> Request<'_> {
        let agent = self.agent.as_ref().expect("there until the service is dropped");
        Request::new(self, agent, method, path)
    }

    /// `GET`
    pub(crate) fn get(&self, path: &str) -> Request<'_> {
        self.request("GET", path)
    }

    /// `PUT`
    pub(crate) fn put(&self, path: &str) -> Request<'_> {
        self.request("PUT", path)
    }

    /// `DELETE`
    pub(crate) fn delete(&self, path: &str) -> Request<'_> {
        self.request("DELETE", path)
    }

    /// Makes a round as a manager, and gives its id.
    #[track_caller]
    pub(crate) fn create(&self, definition: &Value) -> String {
        let request = self.request("POST", "/rounds").by(Caller::Manager).json(definition);
        request.send().is(201).json()["id"].as_str().expect("a round has an id").to_owned()
    }

    /// Makes the default round with these members changed, and waits until its opening has been recorded.
    #[track_caller]
    pub(crate) fn open_round(&self, changes: Value) {
        let id = self.create(&definition(changes));
        self.wait_for_state(&id, "open");
    }

    /// Waits until a round is in a state.
    #[track_caller]
    pub(crate) fn wait_for_state(&self, round: &str, state: &str) -> Value {
        until(&format!("{round} is {state}"), || {
            let round = self.get(&format!("/rounds/{round}")).by(Caller::Manager).send().is(200).json();
            (round["state"] == state).then_some(round)
        })
    }

    /// Takes a step of a round's life as a manager.
    #[track_caller]
    pub(crate) fn step(&self, round: &str, state: &str) -> Value {
        let request = self.request("PATCH", &format!("/rounds/{round}")).by(Caller::Manager);
        request.json(&json!({ "state": state })).send().is(200).json()
    }

    /// Submits a participant's ranking to the default round, as that participant.
    #[track_caller]
    pub(crate) fn submit(&self, code: &str, ranking: &[&str]) -> Reply {
        let request = self.put(&format!("/rounds/{ROUND}/ballots/{code}")).by(Caller::Participant(code));
        request.json(&json!({ "ranking": ranking })).send()
    }
}

/// The program, which does not outlive this: not even where a test fails while it starts.
struct Leash(Child);

impl Drop for Leash {
    fn drop(&mut self) {
        // SIGKILL: nothing is put in order.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Connections that are kept alive would be waited for.
        self.agent = None;
        match self.runs.take().expect("stopped once") {
            Runs::Here(handle, _, thread) => {
                drop(handle.stop(false));
                let ended = thread.join();
                assert!(ended.is_ok() || std::thread::panicking(), "the service ended with a panic");
            }
            Runs::There(child) => drop(child),
        }
    }
}
