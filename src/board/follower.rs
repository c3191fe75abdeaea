//! The follower: keeps the boards up to what other processes commit to the same database.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Monotonic};

use super::Boards;
use crate::service::ledger;
use crate::store::{self, Store, Watch};

/// How often it looks for notices, where the database sends them.
const GLANCE: Duration = Duration::from_millis(20);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Follower {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to follow. Every `tick` it looks at all rounds, also if it was told nothing: a notice may be lost.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(store: Store, boards: Arc<Boards>, tick: Duration) -> Result<Self, store::Error> {
        let (stop, stopped) = sync_channel(0);
        let desk = Desk { store, boards, tick };
        let thread = std::thread::Builder::new().name("follower".into()).spawn(move || desk.run(&stopped));
        let thread = thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the follower ended with a panic");
        }
    }
}

struct Desk {
    store: Store,
    boards: Arc<Boards>,
    tick: Duration,
}

impl Desk {
    /// Watches, and begins anew on a new connection when that fails.
    fn run(self, stop: &Receiver<()>) {
        let mut failing = false;
        loop {
            let error = match self.store.watch() {
                Ok(watch) => {
                    failing = false;
                    match self.follow(watch, stop) {
                        Ok(()) => return,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(%error, "what other processes write cannot be seen for now");
            }
            if stop.recv_timeout(self.tick) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn follow(&self, mut watch: Watch, stop: &Receiver<()>) -> Result<(), store::Error> {
        let pause = if watch.is_told() { self.tick.min(GLANCE) } else { self.tick };
        let mut looked: Option<Monotonic> = None;
        loop {
            let news = watch.has_news()?;
            // Without notices nothing has changed unless there is news; with them, one may have been lost.
            let due = looked.is_none_or(|looked| watch.is_told() && looked.elapsed() >= self.tick);
            if news || due {
                self.look(&mut watch)?;
                looked = Some(Monotonic::now());
            }
            if stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
        }
    }

    /// Takes over what is newer than the boards.
    fn look(&self, watch: &mut Watch) -> Result<(), store::Error> {
        for (id, sequence, revision) in store::rounds::marks(&mut watch.conn)? {
            let known = self.boards.get(&id).map(|board| Arc::clone(&board.ledger));
            let is_newer = |ledger: &Arc<ledger::Ledger>| {
                (ledger.round.sequence, ledger.round.revision) < (sequence, revision)
            };
            if known.as_ref().is_none_or(is_newer)
                && let Some(ledger) = ledger::follow(&mut watch.conn, &id, known.as_ref())?
            {
                self.boards.publish(ledger);
            }
        }
        Ok(())
    }
}
