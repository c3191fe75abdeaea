//! A round as it stands after its newest log entry, and the one way to change it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Clock, Error, log};
use crate::domain::{
    Event, Instant, LogEntry, ParticipantCode, PrivateText, Ranking, Roll, Round, RoundId, Sequence, Slate,
};
use crate::store::ballots::Current;
use crate::store::texts::{Field, Placed};
use crate::store::{self, Conn, Store};
use crate::tally::{Counts, Profile};

/// Everything about a round at one sequence: what results, participation and decisions are read from.
///
/// It is never changed once it is shared; a change makes the next one.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The round.
    pub round: Round,
    /// Its initiatives.
    pub slate: Arc<Slate>,
    /// Its roll.
    pub roll: Arc<Roll>,
    /// The latest revision of each participant, in the roll's order.
    ballots: Vec<Option<Arc<Current>>>,
    /// The ballots that count, without owners.
    pub profile: Profile,
    /// The figures taken from them.
    pub counts: Counts,
    /// How many of the ballots that count were made up for a demonstration.
    pub synthetic: u64,
}

impl Ledger {
    /// A round that nobody has answered.
    pub fn new(round: Round, slate: Arc<Slate>, roll: Arc<Roll>) -> Self {
        Self {
            ballots: vec![None; roll.len()],
            profile: Profile::new(slate.len()),
            counts: Counts::new(slate.len()),
            synthetic: 0,
            round,
            slate,
            roll,
        }
    }

    /// Reads a round's initiatives, roll and ballots; the caller's transaction makes them one state.
    ///
    /// # Errors
    /// If storage fails.
    pub fn load(conn: &mut Conn, round: Round) -> Result<Self, store::Error> {
        let slate = store::initiatives::load(conn, &round.id)?;
        let roll = store::participants::load(conn, &round.id)?;
        let ballots = store::ballots::load(conn, &round.id)?;
        let mut ledger = Self::new(round, Arc::new(slate), Arc::new(roll));
        for (code, current) in ballots {
            let position = ledger.roll.position(&code).expect("a foreign key holds every ballot to the roll");
            ledger.replace(position, current);
        }
        Ok(ledger)
    }

    /// The latest revision of a participant, withdrawn or not.
    pub fn latest(&self, code: &ParticipantCode) -> Option<&Current> {
        self.ballots.get(self.roll.position(code)?)?.as_deref()
    }

    /// The ballot that counts for a participant.
    pub fn current(&self, code: &ParticipantCode) -> Option<&Current> {
        self.latest(code).filter(|current| current.ranking.is_some())
    }

    /// Every participant with the ballot that counts for it, in the roll's order.
    pub fn answers(&self) -> impl Iterator<Item = (&crate::domain::Participant, Option<&Current>)> {
        let counts = |current: &&Current| current.ranking.is_some();
        self.roll
            .participants()
            .iter()
            .zip(&self.ballots)
            .map(move |(participant, current)| (participant, current.as_deref().filter(counts)))
    }

    fn replace(&mut self, position: usize, current: Current) {
        let before = self.ballots[position].replace(Arc::new(current));
        if let Some(before) = before {
            self.count(&before, |ledger, ranking| {
                ledger.profile.remove(ranking.places());
                ledger.counts.remove(ranking.places());
            });
            self.synthetic -= u64::from(before.synthetic && before.ranking.is_some());
        }
        let now = self.ballots[position].clone().expect("put there above");
        self.count(&now, |ledger, ranking| {
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

/// A change being made: the round's row is held, the clock has been read.
#[derive(Clone, Debug)]
pub struct Change {
    /// The round as it will be.
    pub ledger: Ledger,
    /// The time of this change; never before the round's newest log entry.
    pub now: Instant,
    entries: Vec<LogEntry>,
    touched: BTreeSet<usize>,
    texts: Vec<Placed>,
    redefined: bool,
}

impl Change {
    /// Whether the round has come into this state in this change.
    pub(super) fn has_become(&self, state: crate::domain::State) -> bool {
        !self.entries.is_empty() && self.ledger.round.state == state
    }

    /// Appends an event to the log.
    pub fn record(&mut self, event: &Event) -> &LogEntry {
        let entry = log::entry(&self.ledger.round, event, self.now);
        self.ledger.round.apply(event, entry.sequence, entry.at, entry.hash);
        self.entries.push(entry);
        self.entries.last().expect("pushed above")
    }

    /// Puts a ballot in the place of the participant's earlier one.
    pub(super) fn replace(&mut self, code: &ParticipantCode, current: Current) {
        let position = self.ledger.roll.position(code).expect("decided on only when on the roll");
        self.touched.insert(position);
        self.ledger.replace(position, current);
    }

    /// Keeps a private text beside the log entry of this sequence.
    pub(super) fn keep(&mut self, sequence: Sequence, field: Field, text: PrivateText) {
        self.texts.push((sequence, field, text));
    }

    /// Changes what the draft is.
    pub(super) fn redefine(&mut self, round: Round, slate: Arc<Slate>, roll: Arc<Roll>) {
        self.ledger = Ledger::new(round, slate, roll);
        self.ledger.round.revision += 1;
        self.rehash();
        self.redefined = true;
    }

    fn rehash(&mut self) {
        let Ledger { round, slate, roll, .. } = &mut self.ledger;
        round.head = log::definition_hash(&round.id, &round.definition, slate, roll);
    }
}

/// Changes a round in one transaction: takes its row, reads the clock, records what is due by then, lets
/// `work` decide, and appends. `known` saves the reading if it is still the newest.
///
/// What is due is recorded even if `work` refuses: the refusal is returned inside the result.
///
/// # Errors
/// If there is no such round, or storage fails; then nothing was written.
pub fn change<T>(
    conn: &mut Conn,
    id: &RoundId,
    known: Option<&Arc<Ledger>>,
    clock: &Clock,
    work: impl FnOnce(&mut Change) -> T,
) -> Result<(Arc<Ledger>, T), Error> {
    Store::write(conn, |conn| {
        let round = store::rounds::claim(conn, id)?.ok_or(Error::NoSuchRound)?;
        let now = clock.for_write(conn)?;
        let now = round.last_at.map_or(now, |last| last.max(now));
        let fresh =
            known.filter(|known| known.round.head == round.head && known.round.revision == round.revision);
        let before = match fresh {
            Some(known) => Arc::clone(known),
            None => Arc::new(Ledger::load(conn, round)?),
        };
        let mut change = Change {
            ledger: (*before).clone(),
            now,
            entries: Vec::new(),
            touched: BTreeSet::new(),
            texts: Vec::new(),
            redefined: false,
        };
        while let Some(event) = change.ledger.round.due(now, &change.ledger.slate, &change.ledger.roll) {
            change.record(&event);
        }
        let outcome = work(&mut change);
        if change.entries.is_empty() && !change.redefined {
            return Ok((before, outcome));
        }
        let Change { ledger, entries, touched, texts, redefined, .. } = change;
        if redefined {
            store::participants::replace(conn, id, &ledger.roll)?;
            store::initiatives::replace(conn, id, &ledger.slate)?;
        }
        store::log::append(conn, id, &entries)?;
        store::texts::insert(conn, id, &texts)?;
        let ballots = touched.iter().map(|&position| {
            let current = ledger.ballots[position].as_deref().expect("touched means replaced");
            (&ledger.roll.participants()[position].code, current)
        });
        store::ballots::upsert(conn, id, ballots)?;
        store::rounds::advance(conn, &ledger.round)?;
        Ok((Arc::new(ledger), outcome))
    })
}

/// Reads a round as it stands.
///
/// # Errors
/// If there is no such round, or storage fails.
pub fn read(store: &Store, id: &RoundId) -> Result<Arc<Ledger>, Error> {
    let found = store.snapshot(|conn| match store::rounds::find(conn, id)? {
        Some(round) => Ok(Some(Arc::new(Ledger::load(conn, round)?))),
        None => Ok(None),
    })?;
    found.ok_or(Error::NoSuchRound)
}
