//! `handslag serve`: puts the parts together, serves, and stops in order.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Failure, audit, demo, open, privacy, tell, token_keys, trust};
use crate::board::{
    Assertions, AuditThread, AuditTrail, Boards, Bounds, Follower, Gates, Keeping, Registrar, Writer,
    WriterThread,
};
use crate::config::{Edge, Limits, Reporting, Settings};
use crate::domain::audit::Target;
use crate::export::Links;
use crate::http::{
    Ended, Issuing, Limiter, Listeners, Pace, Running, Site, Stopping, Tls, listen, problem, routes,
};
use crate::identity::{
    Freshness, Issuer, KeyFolder, Purpose, Reading, RegisteredKeys, SigningKey, Validator,
};
use crate::observe;
use crate::observe::metrics::{Build, Metrics};
use crate::observe::traces::Traces;
use crate::service::{Clock, log_tree};
use crate::store::{self, Store};

/// How often the writer looks for what other processes have written.
const TICK: Duration = Duration::from_secs(1);
/// How much costly work is done at once, of each kind and however many workers there are: some of the connections for
/// reading are left to what is quick, such as whether the service is ready.
const MOST_COSTLY: usize = store::READERS as usize - 3;
/// How many connections may wait to be taken, if the system allows it: what is taken in some hundredths of a second.
const WAITING: i32 = 1024;
/// How much of an answer the system keeps until it is read, in bytes; Linux counts its own books in and takes twice this.
const SENT: usize = 128 * 1024;
/// How long the writer may take for its queue when everybody has been answered.
const FINISHING: Duration = Duration::from_secs(3);
/// The longest life of a token of our own issuer, in seconds.
const LONGEST_LIFE: i64 = 15 * 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: handslag serve --demo --bind 127.0.0.1:8080")]
pub(super) struct Arguments {
    /// Load the 290 municipalities, 13 initiatives and 230 synthetic ballots, and print tokens and curl lines
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    observe::start(settings);
    privacy::protect(settings);
    let trusted = trust::read(&settings.issuers, &settings.public_url(settings.bind));
    let trusted = trusted.map_err(Failure::Misconfigured)?;
    let store = open(settings)?;
    let clock = Clock::System;
    if arguments.demo {
        audit::recorded(&store, "serve --demo", Target::default(), || demo::prepare(&store, &clock))?;
    }
    let listener = bind(settings.bind)?;
    let metrics = settings.metrics_bind.map(bind).transpose()?;
    if let Some(address) = metrics.as_ref().and_then(|metrics| metrics.local_addr().ok()) {
        tracing::info!(%address, "metrics are told");
    }
    let address = listener.local_addr().map_err(Failure::failed)?;
    let log_key = SigningKey::load_or_create(&settings.data_dir, Purpose::Log).map_err(Failure::failed)?;
    let public_url = settings.public_url(address);
    let issuers = trust::start(trusted, Freshness::default()).map_err(Failure::failed)?;
    let mut edge = settings.edge.clone();
    if arguments.demo {
        // It is there to be tried, also by programs that try everything.
        edge.limits = Limits::off();
    }
    actix_web::rt::System::new().block_on(async {
        let parts = Parts {
            store,
            data_dir: &settings.data_dir,
            log_key,
            public_url: &public_url,
            issuers,
            clock: clock.clone(),
            tick: TICK,
            workers: settings.workers,
            listener,
            metrics,
            signals: Signals::Stop,
            pace: Pace::default(),
            keeping: Keeping { days: settings.audit_retention_days, ..Keeping::default() },
            edge,
            bounds: Bounds::default(),
            reporting: settings.reporting.clone(),
        };
        let (running, threads) = parts.assemble().map_err(Failure::failed)?;
        tracing::info!(%address, %public_url, "listening");
        let scheme = settings.scheme();
        if arguments.demo {
            let key = token_keys::signing(settings, || open(settings))?;
            let reach = if address.ip().is_unspecified() { local(address) } else { address };
            tell(&demo::greeting(
                &format!("{scheme}://{reach}"),
                &public_url,
                &settings.flags_for_tokens(address),
                &key,
                &clock,
            ));
        } else {
            tell(&format!("handslag listens on {scheme}://{address}\n"));
        }
        if running.serve().await.map_err(Failure::failed)? == Ended::InOrder {
            tracing::info!("no more requests; finishing the queue");
            finish(threads).await;
        }
        Ok(())
    })
}

/// The workers are gone, and with them their ways to the writer; what waits is written first. But a count that goes on,
/// or a database that hangs, must not hold the process: nobody waits for an answer any more.
async fn finish(threads: Threads) {
    let (sender, finished) = tokio::sync::oneshot::channel();
    // A thread that nothing waits for, unlike those of the runtime.
    std::thread::spawn(move || {
        threads.join();
        let _ = sender.send(());
    });
    if tokio::time::timeout(FINISHING, finished).await.is_err() {
        tracing::error!("what waited to be written was not finished in time");
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        #[cfg(unix)]
        withstand_crowds(&listener)?;
        Ok(listener)
    });
    listener.map_err(|error| Failure::failed(format!("cannot listen on {address}: {error}")))
}

/// Lets more connections wait to be taken than the 128 of the standard library: whoever finds no room there tries again
/// after a second. And bounds what the system keeps for those who ask and do not read, which may be megabytes each; its
/// memory for connections is the same for all.
#[cfg(unix)]
fn withstand_crowds(listener: &TcpListener) -> std::io::Result<()> {
    rustix::net::listen(listener, WAITING)?;
    // Connections have it from who listens.
    rustix::net::sockopt::set_socket_send_buffer_size(listener, SENT)?;
    Ok(())
}

/// Fills in what is lacking of the logs' trees. Where that cannot be done proofs are right all the same, and slow.
fn fill_in_trees(store: &Store) {
    match log_tree::fill_in(store) {
        Ok(0) => {}
        Ok(subtrees) => tracing::info!(subtrees, "filled in what was lacking of the logs' trees"),
        Err(error) => tracing::warn!(%error, "what is lacking of the logs' trees could not be filled in"),
    }
}

fn local(address: SocketAddr) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], address.port()))
}

/// Whether signals of the system stop the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// SIGTERM and SIGINT stop it in order, a second one at once.
    Stop,
    /// Somebody else does.
    Ignore,
}

/// The threads that write, to wait for at the end.
#[derive(Debug)]
pub struct Threads {
    writes: WriterThread,
    audits: AuditThread,
}

impl Threads {
    /// Waits until what is queued has been written; the server must be gone, or this waits for ever.
    pub fn join(self) {
        self.writes.join();
        self.audits.join();
    }
}

/// What a server is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Where the data is.
    pub store: Store,
    /// Where the keys are that sign access tokens.
    pub data_dir: &'a Path,
    /// Signs receipts.
    pub log_key: SigningKey,
    /// The address the service is known by.
    pub public_url: &'a str,
    /// The issuers that are trusted besides our own.
    pub issuers: Vec<Issuer>,
    /// What time it is.
    pub clock: Clock,
    /// How often it looks for what is due, and for what other processes have written.
    pub tick: Duration,
    /// Threads that serve requests.
    pub workers: usize,
    /// Where it listens.
    pub listener: TcpListener,
    /// Where it tells its metrics, if anywhere.
    pub metrics: Option<TcpListener>,
    /// Whether signals of the system stop it.
    pub signals: Signals,
    /// How fast it sends events.
    pub pace: Pace,
    /// How the audit trail is kept.
    pub keeping: Keeping,
    /// What is between it and its callers.
    pub edge: Edge,
    /// How much may wait in it, and for how long.
    pub bounds: Bounds,
    /// Whom to tell of a fault of security.
    pub reporting: Option<Reporting>,
}

impl Parts<'_> {
    /// Puts the parts together and begins to listen. Must be called in an actix system.
    ///
    /// # Errors
    /// If the database or the address cannot be used; in words.
    pub fn assemble(self) -> Result<(Running, Threads), String> {
        let Self {
            store,
            data_dir,
            log_key,
            public_url,
            issuers,
            clock,
            tick,
            workers,
            listener,
            metrics,
            signals,
            pace,
            keeping,
            bounds,
            reporting,
            edge,
        } = self;
        let counted = Arc::new(Metrics::new(&Build {
            routes: &routes::patterns(),
            problems: &problem::KINDS.iter().map(|kind| kind.slug).collect::<Vec<_>>(),
            database: store.kind(),
            started: clock.now().utc().timestamp(),
        }));
        fill_in_trees(&store);
        let boards = Arc::new(Boards::load(&store).map_err(|error| error.to_string())?);
        let (at, of) = (clock.clone(), Arc::clone(&counted));
        let started = Writer::start(store.clone(), Arc::clone(&boards), at, tick, bounds, of);
        let (writer, writes) = started.map_err(|error| error.to_string())?;
        let trail = AuditTrail::start(store.clone(), clock.clone(), keeping);
        let (audit, audits) = trail.map_err(|error| error.to_string())?;
        let follower =
            Follower::start(store.clone(), Arc::clone(&boards), tick).map_err(|error| error.to_string())?;
        let keys = KeyFolder::new(data_dir);
        let registrar = Registrar::start(store.clone(), keys, clock.clone(), tick);
        let registrar = registrar.map_err(|error| error.to_string())?;
        let assertions = Assertions::start(store.clone()).map_err(|error| error.to_string())?;
        let own = Issuer {
            name: public_url.to_owned(),
            audience: public_url.to_owned(),
            typ: "at+jwt".to_owned(),
            keys: Box::new(RegisteredKeys(Arc::clone(registrar.registry()))),
            longest_life: LONGEST_LIFE,
            reading: Reading::own(),
        };
        let tls = edge.tls.as_ref().map(Tls::load).transpose().map_err(|error| error.to_string())?;
        let site = Site {
            tls,
            boards,
            writer,
            follower,
            audit,
            store,
            gates: Gates::new(workers.min(MOST_COSTLY), bounds.turn),
            links: Links::new(public_url),
            validator: Validator::new(std::iter::once(own).chain(issuers).collect()),
            issuing: Issuing::new(public_url, registrar, assertions),
            log_key,
            clock,
            listeners: Listeners::new(pace),
            metrics: counted,
            traces: Traces::start(),
            stopping: Stopping::default(),
            limiter: Limiter::new(&edge),
            edge: Edge { is_secure: public_url.starts_with("https://"), ..edge },
            reporting,
        };
        let running = listen(listener, metrics, site, workers, signals == Signals::Stop)
            .map_err(|error| error.to_string())?;
        Ok((running, Threads { writes, audits }))
    }
}
