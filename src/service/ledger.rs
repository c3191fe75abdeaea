//! A round as it stands after its newest log entry, and the one way to change it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::log_tree::StoredNodes;
use super::merkle::Frontier;
use super::{Clock, Error, log};
use crate::domain::{
    Event, InitiativeId, Instant, LogEntry, ParticipantCode, PrivateText, Ranking, Roll, Round, RoundId,
    Sequence, Slate, Subtree,
};
use crate::store::ballots::Current;
use crate::store::texts::{Field, Placed};
use crate::store::{self, Conn, Store};
use crate::tally::{Counts, Profile};

/// How many participants share a page of the table of ballots: a change copies the pages that it touches.
const PAGE: usize = 256;

/// The latest revision of some participants.
type Page = Vec<Option<Arc<Current>>>;

/// Everything about a round at one sequence: what results, participation and decisions are read from.
///
/// It is never changed once it is shared; a change makes the next one, which shares with it what has not changed.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The round.
    pub round: Round,
    /// Its initiatives.
    pub slate: Arc<Slate>,
    /// Its roll.
    pub roll: Arc<Roll>,
    /// The latest revision of each participant, in the roll's order.
    ballots: Vec<Arc<Page>>,
    /// The ballots that count, without owners.
    pub profile: Profile,
    /// The figures taken from them.
    pub counts: Counts,
    /// How many of the ballots that count were made up for a demonstration.
    pub synthetic: u64,
    /// The edge of the Merkle tree over its log.
    pub tree: Frontier,
}

impl Ledger {
    /// A round that nobody has answered.
    pub fn new(round: Round, slate: Arc<Slate>, roll: Arc<Roll>) -> Self {
        let empty = Arc::new(vec![None; PAGE]);
        Self {
            ballots: vec![empty; roll.len().div_ceil(PAGE)],
            profile: Profile::new(slate.len()),
            counts: Counts::new(slate.len()),
            synthetic: 0,
            tree: Frontier::default(),
            round,
            slate,
            roll,
        }
    }

    /// Reads a round's initiatives, roll and ballots; the caller's transaction makes them one state.
    ///
    /// # Errors
    /// If storage fails, or holds a ballot that the round cannot have.
    pub fn load(conn: &mut Conn, round: Round) -> Result<Self, store::Error> {
        let slate = store::initiatives::load(conn, &round.id)?;
        let roll = store::participants::load(conn, &round.id)?;
        let ballots = store::ballots::load(conn, &round.id)?;
        let tree = Frontier::load(&mut StoredNodes::new(conn, &round.id), round.sequence)?;
        let mut ledger = Self { tree, ..Self::new(round, Arc::new(slate), Arc::new(roll)) };
        for (code, current) in ballots {
            let foreign = |what, value| store::Error::Corrupt { table: "ballots", what, value };
            let position = ledger.roll.position(&code);
            let position = position.ok_or_else(|| foreign("participant code", code.to_string()))?;
            if let Some(ranking) = current.ranking.as_ref().filter(|ranking| !ledger.has(ranking)) {
                return Err(foreign("ranking", ranking.to_string()));
            }
            ledger.replace(position, &Arc::new(current));
        }
        Ok(ledger)
    }

    /// The latest revision of a participant, withdrawn or not.
    pub fn latest(&self, code: &ParticipantCode) -> Option<&Current> {
        self.at(self.roll.position(code)?)
    }

    fn at(&self, position: usize) -> Option<&Current> {
        self.shared(position).map(|current| &**current)
    }

    /// The latest revision of whoever stands there on the roll, to be shared with another state of the round.
    pub(super) fn shared(&self, position: usize) -> Option<&Arc<Current>> {
        self.ballots[position / PAGE][position % PAGE].as_ref()
    }

    /// Whether a ranking is one of different initiatives that there are.
    fn has(&self, ranking: &Ranking) -> bool {
        let places = ranking.places();
        Ranking::of_places(places).is_some()
            && places.iter().all(|&place| usize::from(place) < self.slate.len())
    }

    /// The ranking of these initiatives, which an entry of the round's log names.
    pub(super) fn ranking(&self, initiatives: &[InitiativeId]) -> Result<Ranking, store::Error> {
        let places: Option<Vec<u8>> = initiatives.iter().map(|id| self.slate.find(id)).collect();
        let ranking = places.and_then(|places| Ranking::of_places(&places));
        ranking.ok_or_else(|| {
            let ids: Vec<&str> = initiatives.iter().map(InitiativeId::as_str).collect();
            foreign("ranking", ids.join(" "))
        })
    }

    /// The place on the roll of a participant whom an entry of the round's log names.
    pub(super) fn place(&self, participant: &ParticipantCode) -> Result<usize, store::Error> {
        let place = self.roll.position(participant);
        place.ok_or_else(|| foreign("participant", participant.to_string()))
    }

    /// The ballot that counts for a participant.
    pub fn current(&self, code: &ParticipantCode) -> Option<&Current> {
        self.latest(code).filter(|current| current.ranking.is_some())
    }

    /// Every participant with the ballot that counts for it, in the roll's order.
    pub fn answers(&self) -> impl Iterator<Item = (&crate::domain::Participant, Option<&Current>)> {
        let counts = |current: &&Current| current.ranking.is_some();
        let ballots = self.ballots.iter().flat_map(|page| page.iter());
        let participants = self.roll.participants().iter();
        participants
            .zip(ballots)
            .map(move |(participant, current)| (participant, current.as_deref().filter(counts)))
    }

    /// Takes the next entry of the round's log: what the round has become by it. Gives the subtrees of the log's tree
    /// that it completes, and the place on the roll of whose ballot it is.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if it is a ballot that the round cannot have; then nothing was changed.
    pub fn apply(
        &mut self,
        entry: &LogEntry,
        event: &Event,
    ) -> Result<(Vec<Subtree>, Option<usize>), store::Error> {
        let position = event.participant().map(|participant| self.place(participant)).transpose()?;
        let (revision, ranking, synthetic) = match event {
            Event::Ballot { revision, ranking, synthetic, .. } => {
                (*revision, Some(self.ranking(ranking)?), *synthetic)
            }
            Event::Withdrawal { revision, .. } => (*revision, None, false),
            Event::Opening { .. }
            | Event::Extension { .. }
            | Event::Closing
            | Event::Certification
            | Event::Correction => (0, None, false),
        };
        self.round.apply(event, entry.sequence, entry.at, entry.hash);
        let completed = self.tree.push(entry.hash);
        if let Some(position) = position {
            let since = self.at(position).and_then(|before| before.answered_at);
            let answered_at = ranking.as_ref().map(|_| since.unwrap_or(entry.at));
            let sequence = entry.sequence;
            let current = Current { revision, sequence, ranking, answered_at, synthetic };
            self.replace(position, &Arc::new(current));
        }
        Ok((completed, position))
    }

    /// Puts a revision in the place of the one before it.
    pub(super) fn replace(&mut self, position: usize, now: &Arc<Current>) {
        let page = Arc::make_mut(&mut self.ballots[position / PAGE]);
        let before = page[position % PAGE].replace(Arc::clone(now));
        if let Some(before) = before {
            self.count(&before, |ledger, ranking| {
                ledger.profile.remove(ranking.places());
                ledger.counts.remove(ranking.places());
            });
            self.synthetic -= u64::from(before.synthetic && before.ranking.is_some());
        }
        self.count(now, |ledger, ranking| {
            ledger.profile.add(ranking.places(), 1);
            ledger.counts.add(ranking.places());
        });
        self.synthetic += u64::from(now.synthetic && now.ranking.is_some());
    }

    fn count(&mut self, current: &Current, step: impl FnOnce(&mut Self, &Ranking)) {
        if let Some(ranking) = &current.ranking {
            step(self, ranking);
        }
    }
}

/// What is said of an entry of the log that does not belong to its round.
fn foreign(what: &'static str, value: String) -> store::Error {
    store::Error::Corrupt { table: "log_entries", what, value }
}

/// A change being made: the round's row is held, the clock has been read.
#[derive(Clone, Debug)]
pub struct Change {
    /// The round as it will be.
    pub ledger: Ledger,
    /// The time of this change; never before the round's newest log entry.
    pub now: Instant,
    entries: Vec<LogEntry>,
    subtrees: Vec<Subtree>,
    touched: BTreeSet<usize>,
    texts: Vec<Placed>,
    redefined: bool,
}

impl Change {
    /// Whether the round has come into this state in this change.
    pub(super) fn has_become(&self, state: crate::domain::State) -> bool {
        !self.entries.is_empty() && self.ledger.round.state == state
    }

    /// Appends an event to the log, and makes the round what it becomes by it.
    pub fn record(&mut self, event: &Event) -> &LogEntry {
        let entry = log::entry(&self.ledger.round, event, self.now);
        let applied = self.ledger.apply(&entry, event);
        let (completed, touched) = applied.expect("an event is made for the round as it stands");
        self.subtrees.extend(completed);
        self.touched.extend(touched);
        self.entries.push(entry);
        self.entries.last().expect("pushed above")
    }

    /// Keeps a private text beside the log entry of this sequence.
    pub(super) fn keep(&mut self, sequence: Sequence, field: Field, text: PrivateText) {
        self.texts.push((sequence, field, text));
    }

    /// Changes what the draft is.
    pub(super) fn redefine(&mut self, round: Round, slate: Arc<Slate>, roll: Arc<Roll>) {
        self.ledger = Ledger::new(round, slate, roll);
        self.ledger.round.revision += 1;
        self.ledger.round.first_closes_at = self.ledger.round.definition.closes_at;
        self.rehash();
        self.redefined = true;
    }

    fn rehash(&mut self) {
        let Ledger { round, slate, roll, .. } = &mut self.ledger;
        round.head = log::definition_hash(&round.id, &round.definition, slate, roll);
    }

    /// Writes it down; the commit is the caller's.
    fn write(&self, conn: &mut Conn) -> Result<(), store::Error> {
        let Self { ledger, entries, subtrees, touched, texts, redefined, .. } = self;
        let id = &ledger.round.id;
        if *redefined {
            store::participants::replace(conn, id, &ledger.roll)?;
            store::initiatives::replace(conn, id, &ledger.slate)?;
        }
        store::log::append(conn, id, entries)?;
        store::subtrees::insert(conn, id, subtrees)?;
        store::texts::insert(conn, id, texts)?;
        let ballots = touched.iter().map(|&position| {
            let current = ledger.at(position).expect("touched means replaced");
            (&ledger.roll.participants()[position].code, current)
        });
        store::ballots::upsert(conn, id, ballots)?;
        if *redefined || entries.iter().any(|entry| entry.participant.is_none()) {
            store::rounds::update(conn, &ledger.round)
        } else {
            store::rounds::advance(conn, &ledger.round)
        }
    }
}

/// Why a change is not known to have been made.
#[derive(Debug)]
pub enum NotChanged<T> {
    /// Nothing was written.
    Undone(Error),
    /// The commit was sent and not confirmed; [`is_committed`] finds out.
    InDoubt {
        /// The round as it is if the change was committed.
        ledger: Arc<Ledger>,
        /// What the work gave.
        outcome: T,
        /// What went wrong.
        error: store::Error,
    },
}

impl<T> From<store::Error> for NotChanged<T> {
    fn from(error: store::Error) -> Self {
        Self::Undone(error.into())
    }
}

impl<T> From<NotChanged<T>> for Error {
    /// For whoever does not ask again: it stays unknown.
    fn from(reason: NotChanged<T>) -> Self {
        match reason {
            NotChanged::Undone(error) => error,
            NotChanged::InDoubt { error, .. } => error.into(),
        }
    }
}

/// Changes a round in one transaction: takes its row, reads the clock, records what is due by then, lets
/// `work` decide, and appends. `known` saves the reading if it is still the newest.
///
/// What is due is recorded even if `work` refuses: the refusal is returned inside the result.
///
/// # Errors
/// If there is no such round, or storage fails; [`NotChanged`] says whether anything may have been written.
pub fn change<T>(
    conn: &mut Conn,
    id: &RoundId,
    known: Option<&Arc<Ledger>>,
    clock: &Clock,
    work: impl FnOnce(&mut Change) -> T,
) -> Result<(Arc<Ledger>, T), NotChanged<T>> {
    let mut done = None;
    let written = Store::write(conn, |conn| {
        let (mark, time) = store::rounds::claim(conn, id)?.ok_or(Error::NoSuchRound)?;
        let now = clock.for_write(time);
        let now = mark.last_at.map_or(now, |last| last.max(now));
        let fresh =
            known.filter(|known| known.round.head == mark.head && known.round.revision == mark.revision);
        let before = if let Some(known) = fresh {
            Arc::clone(known)
        } else {
            let round = store::rounds::find(conn, id)?.ok_or(Error::NoSuchRound)?;
            Arc::new(Ledger::load(conn, round)?)
        };
        let mut change = Change {
            ledger: (*before).clone(),
            now,
            entries: Vec::new(),
            subtrees: Vec::new(),
            touched: BTreeSet::new(),
            texts: Vec::new(),
            redefined: false,
        };
        while let Some(event) = change.ledger.round.due(now, &change.ledger.slate, &change.ledger.roll) {
            change.record(&event);
        }
        let outcome = work(&mut change);
        if change.entries.is_empty() && !change.redefined {
            done = Some((before, outcome));
            return Ok(());
        }
        change.write(conn)?;
        done = Some((Arc::new(change.ledger), outcome));
        Ok(())
    });
    match (written, done) {
        (Ok(()), Some(done)) => Ok(done),
        (Err(Error::Store(error @ store::Error::Unconfirmed(_))), Some((ledger, outcome))) => {
            Err(NotChanged::InDoubt { ledger, outcome, error })
        }
        (Err(error), _) => Err(NotChanged::Undone(error)),
        (Ok(()), None) => unreachable!("what is committed was done"),
    }
}

/// Whether a change whose commit was not confirmed has been made after all.
///
/// It takes the round's row, so it waits for the end of the transaction in doubt if the database is still at it.
///
/// # Errors
/// If storage fails; then it must be asked again.
pub fn is_committed(conn: &mut Conn, ledger: &Ledger) -> Result<bool, Error> {
    let Round { id, sequence, head, revision, .. } = &ledger.round;
    Store::write(conn, |conn| {
        let (mark, _) = store::rounds::claim(conn, id)?.ok_or(Error::NoSuchRound)?;
        if mark.head == *head && mark.revision == *revision {
            return Ok(true);
        }
        Ok(store::log::hash_at(conn, id, *sequence)? == Some(*head))
    })
}

/// Reads a round as it stands.
///
/// # Errors
/// If there is no such round, or storage fails.
pub fn read(store: &Store, id: &RoundId) -> Result<Arc<Ledger>, Error> {
    store.read(|conn| follow(conn, id, None))?.ok_or(Error::NoSuchRound)
}

/// The most entries that are taken over one by one; beyond that a round is read anew.
const MOST_ENTRIES: i64 = 2_000;

/// A round as it stands in the database, by the entries that have come since it was `known` if those are few; none if
/// there is no such round.
///
/// # Errors
/// If storage fails.
pub fn follow(
    conn: &mut Conn,
    id: &RoundId,
    known: Option<&Arc<Ledger>>,
) -> Result<Option<Arc<Ledger>>, store::Error> {
    // The log is only ever appended to: its entries need no snapshot. A draft has none, and may be redefined.
    if let Some(known) = known.filter(|known| known.round.sequence > 0) {
        let entries = store::log::after(conn, id, known.round.sequence, MOST_ENTRIES)?;
        let mut head = known.round.head;
        // A database that was brought back to an earlier state goes on with another history.
        let continues = entries.iter().all(|entry| {
            head = log::chain(head, &entry.canonical);
            head == entry.hash
        });
        let few = i64::try_from(entries.len()).is_ok_and(|entries| (1..MOST_ENTRIES).contains(&entries));
        if few && continues {
            let mut ledger = Ledger::clone(known);
            for entry in &entries {
                ledger.apply(entry, &log::event(entry)?)?;
            }
            return Ok(Some(Arc::new(ledger)));
        }
    }
    Store::snapshot_on(conn, |conn| match store::rounds::find(conn, id)? {
        Some(round) => Ok(Some(Arc::new(Ledger::load(conn, round)?))),
        None => Ok(None),
    })
}
