//! The audit trail's thread: it takes acts from a bounded queue and appends them together, on a connection of its own.
//! Whoever is answered has not waited for it.
//!
//! What does not fit into the queue is counted, and the count is an entry of its own. Acts that are alike and harm nobody,
//! such as refusals, are recorded once at once, and then once more with their number when the minute is over: a flood
//! must not fill the disk.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Monotonic};

use super::looked::Looked;
use crate::domain::audit::{Act, Actor, Channel, Outcome, Problem, Target};
use crate::service::Clock;
use crate::service::audit::{self, NotAppended};
use crate::store::audit::Mark;
use crate::store::{self, Conn, Store};

/// How many acts may wait in the queue, and as many again with the thread while the database is away.
const QUEUE: usize = 16_384;
/// For how long acts are gathered, so that one commit carries many.
const GATHERING: Duration = Duration::from_millis(200);
/// How long others have a turn between two commits, at most.
const TURN: Duration = Duration::from_millis(5);
/// When what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the end may take when the database is away.
const FINISHING: Duration = Duration::from_secs(2);
/// How often what is too old is looked for.
const PRUNING: Duration = Duration::from_hours(1);
/// How many kinds of acts are told apart in a minute, of callers that are known and of those that are not.
const KINDS: (usize, usize) = (2_000, 50);

/// How the trail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// For how long acts that are alike are counted together.
    pub alike: Duration,
    /// For how many days entries are kept; none for ever.
    pub days: Option<u32>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { alike: Duration::from_mins(1), days: None }
    }
}

/// Whether an act has an entry of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Always.
    Each,
    /// Only the first of those that are alike in a minute; of the others one has, with their number.
    Alike,
}

/// What comes out of the queue. Boxed: the places of a queue are all made at once.
type Queued = Receiver<Box<(Act, Weight)>>;

/// A way to the trail. The thread ends, its queue finished, when the last of these is gone.
#[derive(Clone, Debug)]
pub struct AuditTrail {
    queue: SyncSender<Box<(Act, Weight)>>,
    lost: Arc<AtomicU64>,
    written: Arc<Looked>,
}

/// The thread, to wait for at the end.
#[derive(Debug)]
pub struct AuditThread(JoinHandle<()>);

impl AuditThread {
    /// Waits until the queue is finished; every [`AuditTrail`] must be gone, or this waits for ever.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the keeper of the audit trail ended with a panic");
        }
    }
}

impl AuditTrail {
    /// Starts the thread. Its database may be away: it is tried until it is there.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(store: Store, clock: Clock, keeping: Keeping) -> Result<(Self, AuditThread), store::Error> {
        let (queue, acts) = sync_channel(QUEUE);
        let (lost, written) = (Arc::new(AtomicU64::new(0)), Arc::new(Looked::new()));
        let keeper = Keeper {
            store,
            clock,
            keeping,
            conn: None,
            waiting: Vec::new(),
            alike: Alike::new(),
            lost: Arc::clone(&lost),
            written: Arc::clone(&written),
            doubt: None,
            failed: None,
            pruned: None,
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || keeper.run(&acts));
        let thread = thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        Ok((Self { queue, lost, written }, AuditThread(thread)))
    }

    /// How long ago the trail held everything that was to be recorded.
    pub fn age(&self) -> Duration {
        self.written.age()
    }

    /// Records an act, soon. It never waits; what does not fit is counted.
    pub fn record(&self, act: Act, weight: Weight) {
        if self.queue.try_send(Box::new((act, weight))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the thread works with.
struct Keeper {
    store: Store,
    clock: Clock,
    keeping: Keeping,
    conn: Option<Conn>,
    /// What is to be appended next.
    waiting: Vec<Act>,
    alike: Alike,
    lost: Arc<AtomicU64>,
    /// When nothing waited.
    written: Arc<Looked>,
    /// Where the trail has come to if the last commit was made, and with how many of those that wait.
    doubt: Option<(Mark, usize)>,
    /// When storage last failed, while it does.
    failed: Option<Monotonic>,
    pruned: Option<Monotonic>,
}

impl Keeper {
    fn run(mut self, acts: &Queued) {
        loop {
            let ended = self.gather(acts);
            if self.alike.since.elapsed() >= self.keeping.alike || ended {
                self.waiting.extend(self.alike.end());
            }
            self.note_lost();
            if ended {
                return self.finish();
            }
            if self.failed.is_none_or(|failed| failed.elapsed() >= AGAIN) {
                self.guarded(|keeper| {
                    keeper.work();
                    keeper.prune();
                });
            }
            if self.waiting.is_empty() {
                self.written.now();
            }
        }
    }

    /// Does something. A panic is a fault in the program, and must not end the trail.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.conn = None;
            self.failed = Some(Monotonic::now());
            tracing::error!("a panic while the audit trail was kept");
        }
    }

    /// Takes what comes for a moment; true when nothing more will come. While the database is away and much waits,
    /// nothing is taken: the queue fills, and what is lost is counted.
    fn gather(&mut self, acts: &Queued) -> bool {
        if self.waiting.len() >= QUEUE {
            std::thread::sleep(GATHERING);
            return false;
        }
        let until = Monotonic::now() + GATHERING;
        while self.waiting.len() < QUEUE {
            match acts.recv_timeout(until.saturating_duration_since(Monotonic::now())) {
                Ok(queued) => match *queued {
                    (act, Weight::Each) => self.waiting.push(act),
                    (act, Weight::Alike) => self.waiting.extend(self.alike.take(act)),
                },
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
        false
    }

    fn note_lost(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(lost, "the audit trail could not take everything");
            self.add_loss(Act::lost(lost, self.clock.now()));
        }
    }

    /// Puts an act of what was lost with the one before it, if that waits too: it may go on for long.
    fn add_loss(&mut self, act: Act) {
        // Those in doubt may have been written as they are.
        let fixed = self.doubt.as_ref().map_or(0, |(_, count)| *count);
        let last = self.waiting.get_mut(fixed..).and_then(<[Act]>::last_mut);
        match last.filter(|last| kind(last) == kind(&act)) {
            Some(last) => *last = Act { count: last.count + act.count, ..act },
            None => self.waiting.push(act),
        }
    }

    /// Appends what waits, as far as storage goes along.
    fn work(&mut self) {
        while !self.waiting.is_empty() {
            let began = Monotonic::now();
            if let Err(error) = self.append() {
                self.conn = None;
                if self.failed.replace(Monotonic::now()).is_none() {
                    tracing::error!(%error, "the audit trail cannot be written for now");
                }
                return;
            }
            if self.failed.take().is_some() {
                tracing::info!("the audit trail is written again");
            }
            if !self.waiting.is_empty() {
                // Others want to write too.
                std::thread::sleep(began.elapsed().min(TURN));
            }
        }
    }

    fn append(&mut self) -> Result<(), store::Error> {
        let _turn = self.store.turn();
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.store.connect_for_audit()?,
        };
        if let Some((mark, count)) = self.doubt {
            if audit::has_come_to(&mut conn, mark)? {
                self.waiting.drain(..count);
            }
            self.doubt = None;
        }
        let count = store::audit::at_once(&conn, self.waiting.len());
        match audit::append(&mut conn, &self.waiting[..count]) {
            Ok(()) => drop(self.waiting.drain(..count)),
            Err(NotAppended::Undone(error)) => return Err(error),
            Err(NotAppended::InDoubt { mark, error }) => {
                self.doubt = Some((mark, count));
                return Err(error);
            }
        }
        self.conn = Some(conn);
        Ok(())
    }

    /// Nobody waits for an answer any more; but a database that is away must not hold the process.
    fn finish(mut self) {
        let began = Monotonic::now();
        loop {
            self.guarded(Self::work);
            if self.waiting.is_empty() {
                return;
            }
            if began.elapsed() >= FINISHING {
                tracing::error!(lost = self.waiting.len(), "the end of the audit trail could not be written");
                return;
            }
            std::thread::sleep(GATHERING);
        }
    }

    /// Removes what is too old.
    fn prune(&mut self) {
        let Some(days) = self.keeping.days else { return };
        if self.failed.is_some() || self.pruned.is_some_and(|pruned| pruned.elapsed() < PRUNING) {
            return;
        }
        self.pruned = Some(Monotonic::now());
        let before = self.clock.now().plus_seconds(-i64::from(days) * 24 * 60 * 60);
        // It may have to wait for longer than the thread's own connection does.
        let pruned = self
            .store
            .connect()
            .and_then(|mut conn| audit::prune(&mut conn, before, Channel::Service, &self.clock));
        match pruned {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, days, "entries of the audit trail were removed"),
            Err(error) => tracing::error!(%error, "the audit trail could not be pruned"),
        }
    }
}

/// What makes acts alike.
type Kind = (Actor, String, Target, Outcome, Option<u16>, Option<Problem>);

fn kind(act: &Act) -> Kind {
    let Act { actor, operation, target, outcome, status, problem, .. } = act.clone();
    (actor, operation, target, outcome, status, problem)
}

/// The acts of a minute that are alike: of each kind those after the first, as one.
struct Alike {
    since: Monotonic,
    seen: HashMap<Kind, Option<Act>>,
    /// How many kinds there are, of known callers and of others.
    kinds: (usize, usize),
}

impl Alike {
    fn new() -> Self {
        Self { since: Monotonic::now(), seen: HashMap::new(), kinds: (0, 0) }
    }

    /// Gives the act back if it is the first of its kind.
    fn take(&mut self, mut act: Act) -> Option<Act> {
        if self.count(&act) {
            return None;
        }
        let (kinds, most) =
            if act.actor.is_known() { (&mut self.kinds.0, KINDS.0) } else { (&mut self.kinds.1, KINDS.1) };
        if *kinds < most {
            *kinds += 1;
        } else {
            // Too many to be told apart: what they were about, and the addresses of strangers, must go.
            act.actor.address = None;
            act.target = Target::default();
            if self.count(&act) {
                return None;
            }
        }
        self.seen.insert(kind(&act), None);
        Some(act)
    }

    /// Counts an act with those of its kind, if there was one.
    fn count(&mut self, act: &Act) -> bool {
        let Some(others) = self.seen.get_mut(&kind(act)) else { return false };
        let count = others.as_ref().map_or(0, |others| others.count) + act.count;
        *others = Some(Act { count, ..act.clone() });
        true
    }

    /// What the minute had besides the first of each kind.
    fn end(&mut self) -> Vec<Act> {
        let mut acts: Vec<Act> = std::mem::replace(self, Self::new()).seen.into_values().flatten().collect();
        acts.sort_by_key(|act| act.at);
        acts
    }
}
