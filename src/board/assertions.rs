//! Assertions of clients, each taken once on all instances: one thread with a connection writes those that wait
//! together, and answers when they are committed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::oneshot;

use super::NotDone;
use crate::domain::ClientId;
use crate::store::{self, Conn, Store};

/// How many may wait.
const QUEUE: usize = 1_024;
/// How many are written at a time.
const BATCH: usize = 256;
/// How often what has ended is forgotten, in seconds.
const PAUSE: i64 = 60;
/// How long ago it must have ended, in seconds: much longer than the clocks of two instances are apart, or one of them
/// would forget what the other still believes.
const KEPT: i64 = 15 * 60;

/// The way to the thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub struct Assertions(SyncSender<Job>);

#[derive(Debug)]
struct Job {
    client: ClientId,
    id: String,
    ends: i64,
    now: i64,
    answer: oneshot::Sender<Result<bool, NotDone>>,
}

impl Assertions {
    /// Starts the thread.
    ///
    /// # Errors
    /// If there can be none.
    pub fn start(store: Store) -> Result<Self, store::Error> {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("assertions".into());
        let desk = Desk { store, conn: None, forgotten: 0 };
        let thread = thread.spawn(move || desk.run(&receiver));
        thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        Ok(Self(sender))
    }

    /// Takes an assertion of a client, known by its id, which ends and comes at these seconds since 1970; says whether
    /// it is the first time.
    ///
    /// # Errors
    /// [`NotDone`]: then it may not be used.
    pub async fn take(&self, client: ClientId, id: String, ends: i64, now: i64) -> Result<bool, NotDone> {
        let (answer, answered) = oneshot::channel();
        match self.0.try_send(Job { client, id, ends, now, answer }) {
            Ok(()) => answered.await.unwrap_or(Err(NotDone::Busy)),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(NotDone::Busy),
        }
    }
}

struct Desk {
    store: Store,
    conn: Option<Conn>,
    /// When what has ended was last forgotten.
    forgotten: i64,
}

impl Desk {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(BATCH - 1));
            let written = match self.guarded(&batch) {
                // Nothing of it was committed: a connection that was lost meanwhile is nobody's fault.
                Err(error) if error.may_pass() && !matches!(error, store::Error::Unconfirmed(_)) => {
                    self.guarded(&batch)
                }
                written => written,
            };
            let taken = written.inspect_err(|error| tracing::error!(%error, "assertions cannot be kept"));
            let mut taken = taken.ok().map(Vec::into_iter);
            for job in batch {
                let first = taken.as_mut().and_then(Iterator::next).ok_or(NotDone::Busy);
                // Who does not wait any more need not be told.
                let _ = job.answer.send(first);
            }
        }
    }

    /// Writes a batch. A panic is a fault in the program, and must not keep everybody from tokens.
    fn guarded(&mut self, batch: &[Job]) -> Result<Vec<bool>, store::Error> {
        catch_unwind(AssertUnwindSafe(|| self.write(batch))).unwrap_or(Err(store::Error::Panic))
    }

    /// Writes a batch; says of each whether it is the first time.
    fn write(&mut self, batch: &[Job]) -> Result<Vec<bool>, store::Error> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.store.connect()?,
        };
        let now = batch.iter().map(|job| job.now).max().unwrap_or_default();
        let due = now >= self.forgotten + PAUSE;
        let taken = Store::write(&mut conn, |conn| {
            if due {
                store::assertions::forget(conn, now - KEPT)?;
            }
            let take = |job: &Job| store::assertions::take(conn, &job.client, &job.id, job.ends);
            batch.iter().map(take).collect::<Result<Vec<bool>, store::Error>>()
        })?;
        if due {
            self.forgotten = now;
        }
        self.conn = Some(conn);
        Ok(taken)
    }
}
