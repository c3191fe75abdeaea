//! The follower: keeps the boards up to what other processes commit to the same database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant as Monotonic};

use super::Boards;
use super::looked::Looked;
use crate::domain::RoundId;
use crate::service::ledger::{self, Ledger};
use crate::store::rounds::Mark;
use crate::store::{self, Store, Watch};

/// How often it looks for notices, where the database sends them.
const GLANCE: Duration = Duration::from_millis(20);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Follower {
    stop: Option<SyncSender<()>>,
    looked: Arc<Looked>,
}

impl Follower {
    /// Starts to follow. Every `tick` it looks at all rounds, also if it was told nothing: a notice may be lost.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(store: Store, boards: Arc<Boards>, tick: Duration) -> Result<Self, store::Error> {
        let (stop, stopped) = sync_channel(0);
        // They have just been read.
        let looked = Arc::new(Looked::new());
        let desk = Desk { store, boards, tick, looked: Arc::clone(&looked) };
        let thread = std::thread::Builder::new().name("follower".into()).spawn(move || desk.run(&stopped));
        thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        Ok(Self { stop: Some(stop), looked })
    }

    /// How long ago the boards were last compared with the database.
    pub fn age(&self) -> Duration {
        self.looked.age()
    }

    /// Whether that is not long ago.
    pub fn is_well(&self) -> bool {
        self.looked.is_recent()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Not waited for: it only reads, and its database may hang.
        self.stop = None;
    }
}

struct Desk {
    store: Store,
    boards: Arc<Boards>,
    tick: Duration,
    looked: Arc<Looked>,
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
            // Without notices it was the database itself that said that there is no news.
            if news || due || !watch.is_told() {
                self.looked.now();
            }
            if stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
        }
    }

    /// Takes over what is newer than the boards.
    fn look(&self, watch: &mut Watch) -> Result<(), store::Error> {
        for (id, mark) in store::rounds::marks(&mut watch.conn)? {
            let known = self.boards.get(id.as_str()).map(|board| Arc::clone(&board.ledger));
            let is_newer = |ledger: &Arc<Ledger>| {
                (ledger.round.sequence, ledger.round.revision) < (mark.sequence, mark.revision)
            };
            if known.as_ref().is_none_or(is_newer) {
                self.take_over(watch, &id, known.as_ref())?;
            } else if let Some(known) = known
                && Self::is_gone(watch, &known, &mark)?
            {
                tracing::error!(round = %id, "the database has gone back to an earlier state");
                if let Some(ledger) = ledger::follow(&mut watch.conn, &id, None)? {
                    self.boards.replace(ledger);
                }
            }
        }
        Ok(())
    }

    /// Whether the state of a board is not in the database any more: it was restored, or a standby without the newest
    /// commits was promoted.
    fn is_gone(watch: &mut Watch, known: &Ledger, mark: &Mark) -> Result<bool, store::Error> {
        let round = &known.round;
        // A board may well be newer than what was read of its row; then its entry is in the log.
        if round.sequence == 0 || mark.head == round.head {
            return Ok(false);
        }
        Ok(store::log::hash_at(&mut watch.conn, &round.id, round.sequence)? != Some(round.head))
    }

    /// Brings one round up to date. What cannot be read of it is told, and keeps nobody from the other rounds; only a
    /// connection that fails ends the look.
    fn take_over(
        &self,
        watch: &mut Watch,
        id: &RoundId,
        known: Option<&Arc<Ledger>>,
    ) -> Result<(), store::Error> {
        // A panic is a fault in the program, and must not end the following of all rounds.
        let followed = catch_unwind(AssertUnwindSafe(|| ledger::follow(&mut watch.conn, id, known)));
        match followed.unwrap_or(Err(store::Error::Panic)) {
            Ok(Some(ledger)) => self.boards.publish(ledger),
            Ok(None) => {}
            Err(error @ store::Error::Corrupt { .. }) => {
                tracing::warn!(round = %id, %error, "a round could not be read again");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
