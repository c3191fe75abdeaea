//! A round: its definition, its life, and the steps that the life allows.
//!
//! `draft → open → closed → certified → corrected`. Every step is a function of the round and a time,
//! and refuses with a reason. While `draft` everything may change; from `open` on only the closing
//! time may, to a later one.

use std::fmt;
use std::str::FromStr;

use super::{Event, Hash, InitiativeId, Instant, ParticipantKind, Points, Roll, RoundId, Slate};

/// The most initiatives a round can hold.
pub const MAX_INITIATIVES: usize = 64;
/// The most participants a round can hold.
pub const MAX_PARTICIPANTS: usize = 20_000;

/// A round's clock: the number of its newest log entry, 0 before the first.
pub type Sequence = u64;

/// A text in the two languages people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Titles {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in documents and databases.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.id())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.id() == text).ok_or(())
            }
        }
    };
}

words! {
    /// Where a round is in its life.
    State {
        /// Being prepared; seen by managers only.
        Draft = "draft",
        /// Ballots are accepted.
        Open = "open",
        /// No more ballots.
        Closed = "closed",
        /// The result is certified.
        Certified = "certified",
        /// A certified result was superseded by a corrected one.
        Corrected = "corrected",
    }
}

words! {
    /// Who may see results before the end; analysts and managers always may.
    Visibility {
        /// Anyone, as ballots come in.
        Live = "live",
        /// Anyone, from the closing.
        AfterClose = "after-close",
        /// Anyone, from the certification.
        AfterCertification = "after-certification",
    }
}

words! {
    /// Who may list the ballots.
    BallotBook {
        /// Anyone.
        Open = "open",
        /// Analysts and managers.
        Analysts = "analysts",
    }
}

words! {
    /// A step of the tie ladder; `tally::Step` says what each does.
    LadderStep {
        /// T1.
        Listed = "listed",
        /// T2.
        FirstPlaces = "first-places",
        /// T3.
        HeadToHead = "head-to-head",
        /// T4.
        Lot = "lot",
    }
}

/// How many picks a ballot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At least so many.
    pub min: usize,
    /// At most so many.
    pub max: usize,
}

/// What a round is, besides its initiatives and its roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What people call it.
    pub title: Titles,
    /// Who takes part.
    pub kind: ParticipantKind,
    /// When it opens.
    pub opens_at: Instant,
    /// When it closes.
    pub closes_at: Instant,
    /// How many picks a ballot has.
    pub picks: Bounds,
    /// The rule the round is decided by.
    pub rule: String,
    /// Points per rank of the rule set; used when the rule is `custom`.
    pub points: Vec<Points>,
    /// m: how many count as "the top".
    pub cut: usize,
    /// When anyone may see results.
    pub visibility: Visibility,
    /// Who may list the ballots.
    pub ballot_book: BallotBook,
    /// Whether a ballot must say what it replaces (428 otherwise).
    pub require_condition: bool,
    /// The tie ladder.
    pub ladder: Vec<LadderStep>,
    /// The lot: all initiatives, best first.
    pub lot: Option<Vec<InitiativeId>>,
    /// How the lot was drawn.
    pub lot_source: Option<String>,
    /// Whether it holds ballots made up for a demonstration.
    pub synthetic: bool,
}

/// What is wrong with a definition, by the member that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionFault {
    /// The member's name, as documents write it.
    pub member: &'static str,
    /// A short code for programs.
    pub code: &'static str,
    /// What is wrong, in Swedish and English.
    pub detail: Titles,
}

impl DefinitionFault {
    fn new(member: &'static str, code: &'static str, sv: &str, en: &str) -> Self {
        Self { member, code, detail: Titles { sv: sv.to_owned(), en: en.to_owned() } }
    }
}

impl Definition {
    /// Every fault of the definition with these initiatives and this roll.
    ///
    /// Initiatives and roll may still be missing in a draft; what is there must fit.
    pub fn faults(&self, slate: &Slate, roll: &Roll) -> Vec<DefinitionFault> {
        let fault = DefinitionFault::new;
        let mut faults = Vec::new();
        for (member, text) in [("titleSv", &self.title.sv), ("titleEn", &self.title.en)] {
            if text.trim().is_empty() || text.chars().count() > 200 {
                faults.push(fault(
                    member,
                    "title",
                    "En titel har 1 till 200 tecken.",
                    "A title has 1 to 200 characters.",
                ));
            }
        }
        if self.closes_at <= self.opens_at {
            faults.push(fault(
                "closesAt",
                "closes-before-it-opens",
                "Omgången måste stänga efter att den öppnat.",
                "The round must close after it opens.",
            ));
        }
        if self.picks.min < 1 || self.picks.min > self.picks.max {
            faults.push(fault(
                "picksMin",
                "picks",
                "Minsta antalet val är minst 1 och högst det största.",
                "The least number of picks is at least 1 and at most the largest.",
            ));
        }
        if self.picks.max > 20 || (!slate.is_empty() && self.picks.max > slate.len()) {
            faults.push(fault(
                "picksMax",
                "picks",
                "Högst 20 val, och inte fler än initiativen.",
                "At most 20 picks, and no more than there are initiatives.",
            ));
        }
        if self.points.len() != self.picks.max || self.points.windows(2).any(|pair| pair[0] < pair[1]) {
            faults.push(fault(
                "points",
                "points",
                "Lika många poängtal som val, inget högre än det före.",
                "As many points as picks, none above the one before it.",
            ));
        }
        if self.cut < 1 || (!slate.is_empty() && self.cut > slate.len()) || self.cut > MAX_INITIATIVES {
            faults.push(fault(
                "cut",
                "cut",
                "Snittet är minst 1 och högst antalet initiativ.",
                "The cut is at least 1 and at most the number of initiatives.",
            ));
        }
        if self.visibility == Visibility::Live && self.ballot_book == BallotBook::Analysts {
            faults.push(fault(
                "visibility",
                "live-with-closed-book",
                "Löpande resultat kräver öppen prioriteringsbok: två resultat efter varandra visar annars en enskild prioritering.",
                "Live results need an open ballot book: two neighbouring results would show a single ballot.",
            ));
        }
        faults.extend(self.ladder_faults(slate));
        if let Some(stranger) = roll.participants().iter().find(|p| p.code.kind() != self.kind) {
            faults.push(fault(
                "participantKind",
                "kind",
                &format!("Röstlängden har deltagaren {}, som är av annat slag.", stranger.code),
                &format!("The roll holds {}, which is of another kind.", stranger.code),
            ));
        }
        faults
    }

    fn ladder_faults(&self, slate: &Slate) -> Vec<DefinitionFault> {
        let fault = DefinitionFault::new;
        let mut faults = Vec::new();
        if (1..self.ladder.len()).any(|i| self.ladder[..i].contains(&self.ladder[i])) {
            faults.push(fault("ladder", "ladder", "Ett steg står två gånger.", "A step stands twice."));
        }
        if let Some(lot) = self.lot.as_ref().filter(|_| !slate.is_empty()) {
            let all = slate.initiatives().iter().all(|initiative| lot.contains(&initiative.id));
            if !all || lot.len() != slate.len() {
                faults.push(fault(
                    "lot",
                    "lot",
                    "Lottningen ordnar varje initiativ en gång.",
                    "The lot orders every initiative once.",
                ));
            }
        }
        if self.lot_source.as_ref().is_some_and(|text| text.chars().count() > 500) {
            faults.push(fault("lotSource", "too-long", "Högst 500 tecken.", "At most 500 characters."));
        }
        faults
    }
}

/// A round with its place in its life and its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// What it is.
    pub definition: Definition,
    /// When it closes by the definition that its log starts from: extensions move only the definition's own.
    pub first_closes_at: Instant,
    /// Where it is in its life.
    pub state: State,
    /// When it did open.
    pub opened_at: Option<Instant>,
    /// When it did close.
    pub closed_at: Option<Instant>,
    /// The number of its newest log entry.
    pub sequence: Sequence,
    /// The hash of its newest log entry; before the first, the hash of its definition.
    pub head: Hash,
    /// When its newest log entry was accepted.
    pub last_at: Option<Instant>,
    /// Counts the changes of the definition, from 1.
    pub revision: u32,
}

/// Why a step of a round's life, or a change to it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The step does not start from the present state.
    #[error("a round that is {from} cannot become {to}")]
    NoSuchStep {
        /// The present state.
        from: State,
        /// The state asked for.
        to: State,
    },
    /// What is fixed from the opening on was to be changed.
    #[error("{member} is fixed from the opening on")]
    Fixed {
        /// The member's name, as documents write it.
        member: &'static str,
    },
    /// An extension to a time that is not later, or is past.
    #[error("the closing can only be moved to a later time, which is still to come")]
    NotLater,
    /// The round lacks initiatives or participants.
    #[error("the round cannot open: {missing} are missing")]
    Incomplete {
        /// What is missing.
        missing: &'static str,
    },
    /// The closing time is past.
    #[error("the round cannot open: its closing time is past")]
    ClosingPassed,
}

impl Round {
    /// A round that nothing has happened in, given the hash of its definition.
    pub fn draft(id: RoundId, definition: Definition, head: Hash) -> Self {
        Self {
            id,
            first_closes_at: definition.closes_at,
            definition,
            state: State::Draft,
            opened_at: None,
            closed_at: None,
            sequence: 0,
            head,
            last_at: None,
            revision: 1,
        }
    }

    /// Its definition as the log starts from it.
    pub fn first_definition(&self) -> Definition {
        Definition { closes_at: self.first_closes_at, ..self.definition.clone() }
    }

    /// The version of its rule set: it is fixed when the round opens, so a round has exactly one.
    pub fn rule_set(&self) -> String {
        format!("{}/1", self.id)
    }

    /// Opens a draft.
    ///
    /// # Errors
    /// If it is no draft, lacks initiatives or participants, or should be closed already.
    pub fn open(&self, now: Instant, slate: &Slate, roll: &Roll) -> Result<Event, Refusal> {
        self.step(State::Draft, State::Open)?;
        if slate.len() < 2 || slate.len() < self.definition.picks.max {
            return Err(Refusal::Incomplete { missing: "initiatives" });
        }
        if roll.is_empty() {
            return Err(Refusal::Incomplete { missing: "participants" });
        }
        if self.definition.closes_at <= now {
            return Err(Refusal::ClosingPassed);
        }
        Ok(Event::Opening { definition: self.head })
    }

    /// Closes an open round.
    ///
    /// # Errors
    /// If it is not open.
    pub fn close(&self) -> Result<Event, Refusal> {
        self.step(State::Open, State::Closed)?;
        Ok(Event::Closing)
    }

    /// Moves the closing of an open round to a later time.
    ///
    /// # Errors
    /// If it is not open, or the time is not later than the present one and than now.
    pub fn extend(&self, closes_at: Instant, now: Instant) -> Result<Event, Refusal> {
        if self.state != State::Open {
            return Err(Refusal::Fixed { member: "closesAt" });
        }
        if closes_at <= self.definition.closes_at || closes_at <= now {
            return Err(Refusal::NotLater);
        }
        Ok(Event::Extension { closes_at })
    }

    /// Certifies the result of a closed round.
    ///
    /// # Errors
    /// If it is not closed.
    pub fn certify(&self) -> Result<Event, Refusal> {
        self.step(State::Closed, State::Certified)?;
        Ok(Event::Certification)
    }

    /// Supersedes a certified result by a corrected one.
    ///
    /// # Errors
    /// If it is not certified.
    pub fn correct(&self) -> Result<Event, Refusal> {
        self.step(State::Certified, State::Corrected)?;
        Ok(Event::Correction)
    }

    /// The opening or closing that is due by now and has not been recorded.
    pub fn due(&self, now: Instant, slate: &Slate, roll: &Roll) -> Option<Event> {
        match self.state {
            State::Draft if self.definition.opens_at <= now => self.open(now, slate, roll).ok(),
            State::Open if self.definition.closes_at <= now => self.close().ok(),
            State::Draft | State::Open | State::Closed | State::Certified | State::Corrected => None,
        }
    }

    /// The next moment at which something is due by itself.
    pub fn next_due(&self) -> Option<Instant> {
        match self.state {
            State::Draft => Some(self.definition.opens_at),
            State::Open => Some(self.definition.closes_at),
            State::Closed | State::Certified | State::Corrected => None,
        }
    }

    /// What the round becomes by an event in its log.
    pub fn apply(&mut self, event: &Event, sequence: Sequence, at: Instant, hash: Hash) {
        match event {
            Event::Opening { .. } => {
                self.state = State::Open;
                self.opened_at = Some(at);
            }
            Event::Extension { closes_at } => self.definition.closes_at = *closes_at,
            Event::Closing => {
                self.state = State::Closed;
                self.closed_at = Some(at);
            }
            Event::Certification => self.state = State::Certified,
            Event::Correction => self.state = State::Corrected,
            Event::Ballot { .. } | Event::Withdrawal { .. } => {}
        }
        self.sequence = sequence;
        self.last_at = Some(at);
        self.head = hash;
    }

    /// Whether anyone may see its results.
    pub fn results_are_public(&self) -> bool {
        match self.definition.visibility {
            Visibility::Live => self.state != State::Draft,
            Visibility::AfterClose => !matches!(self.state, State::Draft | State::Open),
            Visibility::AfterCertification => matches!(self.state, State::Certified | State::Corrected),
        }
    }

    fn step(&self, from: State, to: State) -> Result<(), Refusal> {
        if self.state == from { Ok(()) } else { Err(Refusal::NoSuchStep { from: self.state, to }) }
    }
}
