//! The boards of all rounds, and what each keeps rendered.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::{OnceCell, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::body::{self, Body, Wanted};
use super::gate::{Gate, Gates, UnderWay, Undone};
use super::past::Past;
use crate::domain::{RoundId, Sequence};
use crate::export::{Links, events};
use crate::service::Fault;
use crate::service::history;
use crate::service::ledger::Ledger;
use crate::service::participation::{Participation, participation};
use crate::store::{self, Store};

/// JSON and CSV, each as it is, with gzip and with brotli.
const COMMON: usize = 6;
/// How many other representations a board keeps, and how many bytes of them; beyond that it forgets them and begins
/// anew.
const OTHERS: usize = 256;
const OTHER_BYTES: usize = 32 * 1024 * 1024;
/// The same of a round as it was: there may be many of them.
const PAST_BYTES: usize = 1024 * 1024;

/// A round at one sequence, with what has been rendered of it.
#[derive(Debug)]
pub struct Board {
    /// The round and its ballots.
    pub ledger: Arc<Ledger>,
    /// Whether it was asked for by its sequence: then it stays as it is, and so do its links.
    is_past: bool,
    common: [OnceLock<Arc<Body>>; COMMON],
    others: Mutex<Others>,
    participation: OnceLock<Participation>,
    event: OnceCell<Bytes>,
    under_way: UnderWay<Wanted, Counted>,
}

/// A representation, or every fault of the query.
pub type Counted = Result<Arc<Body>, Vec<Fault>>;
/// A round as it was, or what storage said.
pub type AsOf = Result<Arc<Board>, Arc<store::Error>>;

/// Representations that are asked for now and then.
#[derive(Debug, Default)]
struct Others {
    bodies: HashMap<Wanted, Arc<Body>>,
    bytes: usize,
}

impl Board {
    fn new(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            is_past: false,
            common: Default::default(),
            others: Mutex::default(),
            participation: OnceLock::new(),
            event: OnceCell::new(),
            under_way: UnderWay::default(),
        }
    }

    /// A round as it was.
    pub(super) fn past(ledger: Arc<Ledger>) -> Self {
        Self { is_past: true, ..Self::new(ledger) }
    }

    /// Links from it: of a round as it was they stay with that state.
    pub fn links<'a>(&self, links: &'a Links) -> Cow<'a, Links> {
        if self.is_past { Cow::Owned(links.as_of(self.ledger.round.sequence)) } else { Cow::Borrowed(links) }
    }

    /// The representation asked for, if it has been rendered.
    pub fn kept(&self, wanted: &Wanted) -> Option<Arc<Body>> {
        match wanted.common() {
            Some(place) => self.common[place].get().map(Arc::clone),
            None => self.others().bodies.get(wanted).map(Arc::clone),
        }
    }

    /// The representation asked for, rendered unless it is kept.
    ///
    /// # Errors
    /// Every fault of the query.
    pub fn result(&self, wanted: &Wanted, links: &Links) -> Counted {
        if let Some(body) = self.kept(wanted) {
            return Ok(body);
        }
        let body = Arc::new(body::render(&self.ledger, wanted, &self.links(links))?);
        if let Some(place) = wanted.common() {
            return Ok(Arc::clone(self.common[place].get_or_init(|| body)));
        }
        let mut others = self.others();
        let most_bytes = if self.is_past { PAST_BYTES } else { OTHER_BYTES };
        if others.bodies.len() >= OTHERS || others.bytes + body.bytes.len() > most_bytes {
            *others = Others::default();
        }
        others.bytes += body.bytes.len();
        let twice = others.bodies.insert(wanted.clone(), Arc::clone(&body));
        others.bytes -= twice.map_or(0, |body| body.bytes.len());
        Ok(body)
    }

    /// The representation asked for, rendered once for all who ask for it meanwhile.
    ///
    /// # Errors
    /// [`Undone`].
    pub async fn counted(
        self: &Arc<Self>,
        wanted: &Wanted,
        links: &Links,
        gates: &Gates,
    ) -> Result<Counted, Undone> {
        let is_poll = !self.is_past && wanted.common().is_some();
        let gate = if is_poll { &gates.polls } else { &gates.others };
        let (board, of, links) = (Arc::clone(self), wanted.clone(), links.clone());
        self.under_way.share(gate, wanted.clone(), move || board.result(&of, &links)).await
    }

    /// The result under the round's own rule as an event. The first listener has it made beside the workers; the others
    /// wait for that without a thread each, and share the bytes. None if the count was not finished.
    pub async fn event(self: &Arc<Self>, links: &Links) -> Option<Bytes> {
        let make = || {
            let (board, links) = (Arc::clone(self), links.clone());
            spawn_blocking(move || board.make_event(&links))
        };
        let made = self.event.get_or_try_init(make).await;
        made.inspect_err(|error| tracing::error!(%error, "a count was not finished")).ok().cloned()
    }

    fn make_event(&self, links: &Links) -> Bytes {
        let sequence = self.ledger.round.sequence;
        let made = match self.result(&Wanted::default(), links) {
            Ok(body) => events::result(sequence, &body.bytes),
            Err(faults) => events::refusal(sequence, &faults),
        };
        made.into()
    }

    fn others(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has answered.
    pub fn participation(&self) -> &Participation {
        self.participation.get_or_init(|| participation(&self.ledger))
    }
}

/// A round's place: its newest board, and who waits for the next.
#[derive(Debug)]
struct Slot {
    board: ArcSwap<Board>,
    changed: watch::Sender<()>,
}

/// The newest board of every round.
#[derive(Debug, Default)]
pub struct Boards {
    rounds: ArcSwap<BTreeMap<RoundId, Arc<Slot>>>,
    /// Held by whoever publishes; readers never wait for it.
    publishing: Mutex<()>,
    past: Past,
    under_way: UnderWay<(RoundId, Sequence), AsOf>,
}

impl Boards {
    /// Reads every round.
    ///
    /// # Errors
    /// If storage fails.
    pub fn load(store: &Store) -> Result<Self, store::Error> {
        let ledgers = store.snapshot(|conn| {
            let rounds = store::rounds::all(conn)?;
            rounds.into_iter().map(|round| Ledger::load(conn, round)).collect::<Result<Vec<_>, _>>()
        })?;
        let boards = Self::default();
        for ledger in ledgers {
            boards.publish(Arc::new(ledger));
        }
        Ok(boards)
    }

    /// The newest board of a round.
    pub fn get(&self, round: &str) -> Option<Arc<Board>> {
        self.rounds.load().get(round).map(|slot| slot.board.load_full())
    }

    /// The newest board of every round, by id.
    pub fn all(&self) -> Vec<Arc<Board>> {
        self.rounds.load().values().map(|slot| slot.board.load_full()).collect()
    }

    /// The board of a round as it was at a sequence, if it has been made.
    pub fn kept(&self, round: &RoundId, sequence: Sequence) -> Option<Arc<Board>> {
        self.past.find(round, sequence)
    }

    /// The board of a round as it was at a sequence, from 1 to that of its newest; made once for all who ask for it
    /// meanwhile.
    ///
    /// # Errors
    /// [`Undone`].
    pub async fn as_of(
        self: &Arc<Self>,
        store: &Store,
        newest: &Board,
        sequence: Sequence,
        gate: &Gate,
    ) -> Result<AsOf, Undone> {
        let of = (newest.ledger.round.id.clone(), sequence);
        if let Some(board) = self.kept(&of.0, sequence) {
            return Ok(Ok(board));
        }
        let (boards, store, newest) = (Arc::clone(self), store.clone(), Arc::clone(&newest.ledger));
        let make = move || boards.make(&store, &newest, sequence).map_err(Arc::new);
        self.under_way.share(gate, of, make).await
    }

    fn make(
        &self,
        store: &Store,
        newest: &Arc<Ledger>,
        sequence: Sequence,
    ) -> Result<Arc<Board>, store::Error> {
        let ledger = if sequence == newest.round.sequence {
            Arc::clone(newest)
        } else {
            Arc::new(store.snapshot(|conn| history::as_of(conn, newest, sequence))?)
        };
        Ok(self.past.keep(Board::past(ledger)))
    }

    /// Tells of every board of a round that is published from now on.
    pub fn changes(&self, round: &RoundId) -> Option<watch::Receiver<()>> {
        self.rounds.load().get(round).map(|slot| slot.changed.subscribe())
    }

    /// The board of a round once it has come to a sequence; none if that takes longer than `patience`.
    pub async fn reached(
        &self,
        round: &RoundId,
        sequence: Sequence,
        patience: Duration,
    ) -> Option<Arc<Board>> {
        let mut changes = self.changes(round)?;
        let wait = async {
            loop {
                let board = self.get(round.as_str())?;
                if board.ledger.round.sequence >= sequence {
                    return Some(board);
                }
                changes.changed().await.ok()?;
            }
        };
        timeout(patience, wait).await.ok().flatten()
    }

    /// Puts a round's next state in the place of the one before; an older one changes nothing. The writer and the
    /// follower publish.
    pub(super) fn publish(&self, ledger: Arc<Ledger>) {
        let age = |ledger: &Ledger| (ledger.round.sequence, ledger.round.revision);
        self.put(ledger, |present, next| age(present) < age(next));
    }

    /// Puts a round's state in the place of one that is not in the database any more.
    pub(super) fn replace(&self, ledger: Arc<Ledger>) {
        self.put(ledger, |present, next| present.round.head != next.round.head);
    }

    fn put(&self, ledger: Arc<Ledger>, is_next: impl FnOnce(&Ledger, &Ledger) -> bool) {
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ledger.round.id.clone();
        let rounds = self.rounds.load();
        if let Some(slot) = rounds.get(&id) {
            if is_next(&slot.board.load().ledger, &ledger) {
                slot.board.store(Arc::new(Board::new(ledger)));
                slot.changed.send_replace(());
            }
            return;
        }
        let board = ArcSwap::new(Arc::new(Board::new(ledger)));
        let mut rounds = BTreeMap::clone(&rounds);
        rounds.insert(id, Arc::new(Slot { board, changed: watch::Sender::new(()) }));
        self.rounds.store(Arc::new(rounds));
    }
}
