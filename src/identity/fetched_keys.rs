//! The keys of an issuer that are fetched from where it publishes them.
//!
//! One thread an issuer fetches them, so that no request ever waits for another service. They are fetched anew before
//! they grow old, and sooner when a token names a key that is not among them. While the issuer cannot be reached, the
//! keys of before are used for a time, and then none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant as Monotonic};

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;

use super::jwk_set::JwkSet;
use super::key_set::{Keys, VerificationKey};
use super::key_source::KeySource;
use crate::domain::Instant;

/// How often keys are fetched, and how long they are used.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// Keys are fetched anew after this time.
    pub fresh: Duration,
    /// Keys are used for this time at the most, when they cannot be fetched anew.
    pub usable: Duration,
    /// The least time between two fetches because of an unknown key.
    pub unknown: Duration,
    /// How long to wait after the first failure in a row; each time twice as long, up to `unknown`.
    pub retry: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            fresh: Duration::from_mins(10),
            usable: Duration::from_hours(24),
            unknown: Duration::from_mins(1),
            retry: Duration::from_secs(1),
        }
    }
}

/// The keys; the thread ends when this is dropped.
#[derive(Debug)]
pub struct FetchedKeys {
    held: Arc<ArcSwapOption<Held>>,
    asked: SyncSender<()>,
    usable: Duration,
}

#[derive(Debug)]
struct Held {
    set: JwkSet,
    since: Monotonic,
}

impl FetchedKeys {
    /// Starts to fetch the keys of an issuer that signs with these algorithms.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(
        source: KeySource,
        algorithms: Vec<Algorithm>,
        freshness: Freshness,
    ) -> std::io::Result<Self> {
        let held = Arc::new(ArcSwapOption::empty());
        // One who asks is as good as many.
        let (asked, ask) = sync_channel(1);
        let desk = Desk { source, algorithms, freshness, held: Arc::clone(&held) };
        std::thread::Builder::new().name("issuer keys".into()).spawn(move || desk.run(&ask))?;
        Ok(Self { held, asked, usable: freshness.usable })
    }
}

impl Keys for FetchedKeys {
    fn find(&self, kid: &str, now: Instant) -> Option<Arc<VerificationKey>> {
        let held = self.held.load();
        let usable = held.as_ref().filter(|held| held.since.elapsed() < self.usable);
        let found = usable.and_then(|held| held.set.find(kid, now));
        if found.is_none() {
            let _ = self.asked.try_send(());
        }
        found
    }
}

struct Desk {
    source: KeySource,
    algorithms: Vec<Algorithm>,
    freshness: Freshness,
    held: Arc<ArcSwapOption<Held>>,
}

impl Desk {
    fn run(&self, asked: &Receiver<()>) {
        let mut failures = 0;
        loop {
            let began = Monotonic::now();
            // A fault in what reads the answer must not be the last that is heard of the issuer.
            let fetched = catch_unwind(AssertUnwindSafe(|| self.fetch(began)));
            let pause = match fetched.unwrap_or_else(|_| Err("the answer could not be dealt with".to_owned()))
            {
                Ok(()) => {
                    failures = 0;
                    self.freshness.fresh
                }
                Err(error) => {
                    tracing::warn!(source = %self.source, error, "the keys of an issuer cannot be fetched");
                    let pause = self.freshness.retry * 2_u32.saturating_pow(failures);
                    failures = (failures + 1).min(16);
                    pause.min(self.freshness.unknown)
                }
            };
            // Whoever asked meanwhile may have been answered by what has come.
            while asked.try_recv().is_ok() {}
            if !wait(asked, began + pause, began + self.freshness.unknown) {
                return;
            }
        }
    }

    fn fetch(&self, began: Monotonic) -> Result<(), String> {
        let text = self.source.fetch()?;
        let mut set = JwkSet::read(&text, &self.algorithms).map_err(|error| error.to_string())?;
        let before = self.held.load();
        if let Some(before) = before.as_ref() {
            set.keep_of(&before.set);
        }
        let told = before.as_ref().map(|before| &before.set.passed_over);
        if told != Some(&set.passed_over) {
            for why in &set.passed_over {
                tracing::warn!(source = %self.source, why, "a key of an issuer is passed over");
            }
        }
        if set.is_empty() {
            tracing::warn!(source = %self.source, "an issuer has no key that can be used");
        }
        tracing::debug!(source = %self.source, keys = set.len(), "the keys of an issuer were fetched");
        self.held.store(Some(Arc::new(Held { set, since: began })));
        Ok(())
    }
}

/// Waits until the keys are due, or, if somebody asks for one that is not there, until the soonest. False when nobody
/// can ask any more.
fn wait(asked: &Receiver<()>, due: Monotonic, soonest: Monotonic) -> bool {
    let mut until = due;
    loop {
        match asked.recv_timeout(until.saturating_duration_since(Monotonic::now())) {
            Ok(()) => until = until.min(soonest),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        if Monotonic::now() >= until {
            return true;
        }
    }
}
