//! The writer: one thread with the one write connection and a bounded queue.
//!
//! Whatever waits is decided and committed together (group commit): one flush to disk answers many. A
//! refusal in a batch harms nobody else in it, and nobody is answered before the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Monotonic};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::busy::Busy;
use super::{Boards, Bounds};
use crate::domain::{Definition, Roll, Round, RoundId, Slate, Submission};
use crate::observe::metrics::{Failed, Metrics, Taken};
use crate::service::ballots::{self, Accepted, Refusal};
use crate::service::ledger::{self, Change, Ledger, NotChanged};
use crate::service::{Clock, Error, rounds};
use crate::store::{self, Conn, Store};

/// The most that is committed together.
const BATCH: usize = 512;
/// For how long a batch is tried again when storage fails: callers are waiting.
const RETRYING: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// How long one piece of work may take until the writer is said to be unwell: its database hangs, or is away.
const LONG: Duration = Duration::from_secs(4);

/// Why a submission was not accepted.
#[derive(Debug)]
pub enum SubmitError {
    /// It was decided on, and refused.
    Refused(Refusal),
    /// There is no such round.
    NoSuchRound,
    /// The queue is full: nothing was done.
    Busy,
    /// Storage failed: nothing was done.
    NotStored,
    /// The disk is full: nothing was done.
    Full,
    /// Storage failed while it was being written: whether it was accepted must be asked.
    Unknown,
}

impl From<&Error> for SubmitError {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoSuchRound => Self::NoSuchRound,
            Error::Store(store::Error::Unconfirmed(_)) => Self::Unknown,
            Error::Store(store::Error::Full(_)) => Self::Full,
            _ => Self::NotStored,
        }
    }
}

/// Why there is no answer to a manager's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The queue is full: nothing was done.
    Busy,
    /// The writer did not come back: whether it was done must be asked.
    Unknown,
}

type Answer<T> = oneshot::Sender<T>;
type Submissions = Vec<(Submission, Answer<Result<Accepted, SubmitError>>)>;
type Expected = Box<dyn FnOnce(&Round) -> bool + Send>;

enum Job {
    Submit {
        round: RoundId,
        submission: Submission,
        answer: Answer<Result<Accepted, SubmitError>>,
    },
    Command {
        round: RoundId,
        command: rounds::Command,
        expected: Expected,
        answer: Answer<Result<Arc<Ledger>, Error>>,
    },
    Create {
        id: RoundId,
        definition: Box<Definition>,
        slate: Slate,
        roll: Roll,
        answer: Answer<Result<Arc<Ledger>, Error>>,
    },
}

/// A way to the writer's queue. The thread ends, its queue finished, when the last of these is gone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: SyncSender<Job>,
    thread: Weak<()>,
    busy: Arc<Busy>,
    metrics: Arc<Metrics>,
    patience: Duration,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Submit { .. } => "Submit",
            Self::Command { .. } => "Command",
            Self::Create { .. } => "Create",
        })
    }
}

/// The thread, to wait for at the end.
#[derive(Debug)]
pub struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until the queue is finished; every [`Writer`] must be gone, or this waits for ever.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the writer ended with a panic");
        }
    }
}

impl Writer {
    /// Starts the writer. Every `tick` it also looks whether an opening or a closing is due.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn start(
        store: Store,
        boards: Arc<Boards>,
        clock: Clock,
        tick: Duration,
        bounds: Bounds,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, WriterThread), store::Error> {
        let conn = store.connect()?;
        metrics.writing.places(bounds.queue);
        let (queue, jobs) = sync_channel(bounds.queue);
        let busy = Arc::new(Busy::default());
        let desk = Desk {
            store,
            conn: Some(conn),
            boards,
            clock,
            failing: None,
            busy: Arc::clone(&busy),
            metrics: Arc::clone(&metrics),
        };
        let alive = Arc::new(());
        let weak = Arc::downgrade(&alive);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            desk.run(&jobs, tick);
            drop(alive);
        });
        let thread = thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        let patience = bounds.answer;
        Ok((Self { queue, thread: weak, busy, metrics, patience }, WriterThread(thread)))
    }

    /// Whether the thread is there to take what is queued, and has not been at one piece of work for long.
    pub fn is_well(&self) -> bool {
        self.thread.strong_count() > 0 && self.busy.time() < LONG
    }

    /// Puts work into the queue, if there is a place and a thread to take it.
    fn send(&self, job: Job) -> Result<(), NotDone> {
        // Before it is there: the thread may take it at once.
        self.metrics.writing.enters();
        self.queue.try_send(job).map_err(|_| {
            self.metrics.writing.is_sent_away();
            NotDone::Busy
        })
    }

    /// Submits a ballot, or withdraws one; answered after the commit.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(&self, round: RoundId, submission: Submission) -> Result<Accepted, SubmitError> {
        let (answer, answered) = oneshot::channel();
        match self.send(Job::Submit { round, submission, answer }) {
            Ok(()) => match timeout(self.patience, answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) | Err(_) => Err(SubmitError::Unknown),
            },
            Err(_) => Err(SubmitError::Busy),
        }
    }

    /// Does what a manager asks for; answered after the commit.
    ///
    /// # Errors
    /// As [`rounds::command`]; [`NotDone`] when the writer did not take it, or did not come back.
    pub async fn command(
        &self,
        round: RoundId,
        command: rounds::Command,
        expected: impl FnOnce(&Round) -> bool + Send + 'static,
    ) -> Result<Result<Arc<Ledger>, Error>, NotDone> {
        let (answer, answered) = oneshot::channel();
        let expected = Box::new(expected);
        self.send(Job::Command { round, command, expected, answer })?;
        timeout(self.patience, answered).await.ok().and_then(Result::ok).ok_or(NotDone::Unknown)
    }

    /// Makes a round; answered after the commit.
    ///
    /// # Errors
    /// As [`rounds::create`]; [`NotDone`] when the writer did not take it, or did not come back.
    pub async fn create(
        &self,
        id: RoundId,
        definition: Definition,
        slate: Slate,
        roll: Roll,
    ) -> Result<Result<Arc<Ledger>, Error>, NotDone> {
        let (answer, answered) = oneshot::channel();
        let definition = Box::new(definition);
        self.send(Job::Create { id, definition, slate, roll, answer })?;
        timeout(self.patience, answered).await.ok().and_then(Result::ok).ok_or(NotDone::Unknown)
    }
}

/// What the thread works with.
struct Desk {
    store: Store,
    conn: Option<Conn>,
    boards: Arc<Boards>,
    clock: Clock,
    /// What storage last said, while it fails.
    failing: Option<String>,
    busy: Arc<Busy>,
    metrics: Arc<Metrics>,
}

impl Desk {
    fn run(mut self, jobs: &Receiver<Job>, tick: Duration) {
        let mut looked = Monotonic::now();
        loop {
            let wait = self.until_due().min(tick.saturating_sub(looked.elapsed()));
            let job = jobs.recv_timeout(wait);
            self.busy.set(Some(Monotonic::now()));
            match job {
                Ok(job) => {
                    let batch: Vec<Job> =
                        std::iter::once(job).chain(jobs.try_iter().take(BATCH - 1)).collect();
                    self.metrics.writing.takes(batch.len());
                    self.work(batch);
                }
                Err(RecvTimeoutError::Timeout) => self.record_due(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if looked.elapsed() >= tick {
                looked = Monotonic::now();
                self.record_due();
            }
            self.busy.set(None);
        }
    }

    fn work(&mut self, batch: Vec<Job>) {
        let mut waiting: Vec<(RoundId, Submissions)> = Vec::new();
        for job in batch {
            match job {
                // Whoever has stopped waiting was told that nothing is known; not to do it now is the least surprise.
                Job::Submit { answer, .. } if answer.is_closed() => {}
                Job::Submit { round, submission, answer } => {
                    match waiting.iter_mut().find(|(of, _)| *of == round) {
                        Some((_, submissions)) => submissions.push((submission, answer)),
                        None => waiting.push((round, vec![(submission, answer)])),
                    }
                }
                Job::Command { round, command, expected, answer } => {
                    // What was sent before the command is decided before it.
                    self.submit_all(std::mem::take(&mut waiting));
                    let known = self.known(&round);
                    let clock = self.clock.clone();
                    let done = self.with(|conn| {
                        rounds::command(conn, &round, known.as_ref(), &clock, command, expected)
                    });
                    self.answer(done, answer);
                }
                Job::Create { id, definition, slate, roll, answer } => {
                    let done = self.with(|conn| rounds::create(conn, id, *definition, slate, roll));
                    self.answer(done, answer);
                }
            }
        }
        self.submit_all(waiting);
    }

    fn submit_all(&mut self, waiting: Vec<(RoundId, Submissions)>) {
        for (round, submissions) in waiting {
            let (submissions, answers): (Vec<_>, Vec<_>) = submissions.into_iter().unzip();
            let done = self.change(&round, |change| {
                submissions.iter().map(|submission| ballots::submit(change, submission)).collect::<Vec<_>>()
            });
            match done {
                Ok(outcomes) => {
                    for ((answer, outcome), submission) in answers.into_iter().zip(outcomes).zip(&submissions)
                    {
                        if let Ok(accepted) = &outcome {
                            self.metrics.writing.accepts(taken(accepted, submission));
                        }
                        // Whoever has gone away meanwhile finds the ballot accepted when asking again.
                        let _ = answer.send(outcome.map_err(SubmitError::Refused));
                    }
                }
                Err(reason) => {
                    for answer in answers {
                        let _ = answer.send(Err(SubmitError::from(&reason)));
                    }
                }
            }
        }
    }

    /// Changes a round and publishes what it has become. What may pass is tried again for a while, on a new connection;
    /// and after a commit that was not confirmed it is found out first whether it was made.
    fn change<T>(&mut self, round: &RoundId, mut work: impl FnMut(&mut Change) -> T) -> Result<T, Error> {
        let mut failing: Option<Monotonic> = None;
        let mut doubt = None;
        loop {
            let known = self.known(round);
            let clock = self.clock.clone();
            let began = Monotonic::now();
            let changed = self.with(|conn| ledger::change(conn, round, known.as_ref(), &clock, &mut work));
            let error = match changed {
                Ok((ledger, outcome)) => {
                    self.metrics.writing.commits(began.elapsed());
                    self.boards.publish(ledger);
                    return Ok(outcome);
                }
                Err(NotChanged::Undone(Error::Store(error))) if error.may_pass() => error,
                Err(NotChanged::Undone(error)) => return Err(doubt.map_or(error, Error::from)),
                Err(NotChanged::InDoubt { ledger, outcome, error }) => {
                    let since = *failing.get_or_insert_with(Monotonic::now);
                    match self.is_committed(&ledger, since) {
                        Some(true) => {
                            self.boards.publish(ledger);
                            return Ok(outcome);
                        }
                        // It is not there. But where a flush to disk failed a crash might still bring it back, until
                        // something else is written in its place.
                        Some(false) => doubt = Some(error),
                        None => return Err(error.into()),
                    }
                    store::Error::Connection("a commit was not made".to_owned())
                }
            };
            if failing.get_or_insert_with(Monotonic::now).elapsed() > RETRYING {
                return Err(doubt.unwrap_or(error).into());
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
    }

    /// What became of a commit that was not confirmed; none if it cannot be found out in time.
    fn is_committed(&mut self, ledger: &Ledger, failing: Monotonic) -> Option<bool> {
        loop {
            match self.with(|conn| ledger::is_committed(conn, ledger)) {
                Ok(committed) => return Some(committed),
                Err(_) if failing.elapsed() > RETRYING => return None,
                Err(_) => std::thread::sleep(BETWEEN_TRIES),
            }
        }
    }

    fn answer(&self, done: Result<Arc<Ledger>, Error>, answer: Answer<Result<Arc<Ledger>, Error>>) {
        if let Ok(ledger) = &done {
            self.boards.publish(Arc::clone(ledger));
        }
        let _ = answer.send(done);
    }

    fn known(&self, round: &RoundId) -> Option<Arc<Ledger>> {
        self.boards.get(round.as_str()).map(|board| Arc::clone(&board.ledger))
    }

    /// Works on the write connection; a failed one is given up, and the next piece of work gets a new one.
    fn with<T, E: Fault>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        let turn = self.store.turn();
        let conn = match self.conn.take() {
            Some(conn) => Ok(conn),
            None => self.store.connect(),
        };
        let done = conn.map_err(E::from).and_then(|mut conn| {
            // A panic is a fault in the program; one request must not take the writer from all others. The connection
            // goes with it, and with the connection its transaction.
            let done = catch_unwind(AssertUnwindSafe(|| work(&mut conn)))
                .unwrap_or_else(|_| Err(store::Error::Panic.into()));
            if done.as_ref().err().is_none_or(|error| error.of_storage().is_none()) {
                self.conn = Some(conn);
            }
            done
        });
        drop(turn);
        let error = done.as_ref().err().and_then(Fault::of_storage);
        if let Some(error) = error {
            self.metrics.writing.fails(failed(error));
        }
        let error = error.map(ToString::to_string);
        // A fault that lasts is told once, until it changes.
        if error.is_some() && error != self.failing {
            tracing::error!(error = error.as_deref(), "the writer could not write");
        } else if error.is_none() && self.failing.is_some() {
            tracing::info!("the writer writes again");
        }
        self.failing = error;
        done
    }

    fn until_due(&self) -> Duration {
        let now = self.clock.now();
        let boards = self.boards.all();
        let due = rounds::next_due(boards.iter().map(|board| &board.ledger.round), now);
        due.map_or(Duration::MAX, |due| (due.utc() - now.utc()).to_std().unwrap_or_default())
    }

    /// Records the openings and closings that are due, with nobody present.
    fn record_due(&mut self) {
        let now = self.clock.now();
        for board in self.boards.all() {
            let Ledger { round, slate, roll, .. } = &*board.ledger;
            if round.due(now, slate, roll).is_none() {
                continue;
            }
            let clock = self.clock.clone();
            if let Ok(ledger) =
                self.with(|conn| rounds::record_due(conn, &round.id, Some(&board.ledger), &clock))
            {
                // The database's clock may be behind ours: then it is tried again.
                if ledger.round.state != round.state {
                    tracing::info!(round = %round.id, state = %ledger.round.state, "a round changed its state at its time");
                }
                self.boards.publish(ledger);
            }
        }
    }
}

/// What an accepted submission is.
fn taken(accepted: &Accepted, submission: &Submission) -> Taken {
    match &submission.ballot {
        None => Taken::Withdrawal,
        Some(_) if accepted.first => Taken::First,
        Some(_) => Taken::Replacing,
    }
}

/// The kind of a failure of storage.
fn failed(error: &store::Error) -> Failed {
    match error {
        store::Error::Connection(_) => Failed::Connection,
        store::Error::Full(_) => Failed::Full,
        store::Error::Unconfirmed(_) => Failed::Unconfirmed,
        _ => Failed::Other,
    }
}

/// An error of which a part may be storage's.
trait Fault: From<store::Error> {
    fn of_storage(&self) -> Option<&store::Error>;
}

impl Fault for Error {
    fn of_storage(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl<T> Fault for NotChanged<T> {
    fn of_storage(&self) -> Option<&store::Error> {
        match self {
            Self::Undone(error) => error.of_storage(),
            Self::InDoubt { error, .. } => Some(error),
        }
    }
}
