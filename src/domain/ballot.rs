//! Ballots: exactly k (or k_min to k_max) different initiatives in strict order, or every fault listed.

use std::fmt;
use std::str::FromStr;

use super::{Hash, InitiativeId, Nonce, ParticipantCode, PrivateText, Slate};

/// The longest reference (`diarienummer`), in characters.
pub const LONGEST_REFERENCE: usize = 100;
/// The longest comment, in characters.
pub const LONGEST_COMMENT: usize = 500;

/// How a participant wants to take part in an initiative it picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engagement {
    /// Lead the work.
    Lead,
    /// Share experience it already has.
    ShareExperience,
    /// Take part in the work.
    TakePart,
    /// Follow the work.
    Follow,
}

impl Engagement {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lead, Self::ShareExperience, Self::TakePart, Self::Follow];

    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::ShareExperience => "share-experience",
            Self::TakePart => "take-part",
            Self::Follow => "follow",
        }
    }
}

impl FromStr for Engagement {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|engagement| engagement.id() == text).ok_or(())
    }
}

/// A valid ranking: places on the round's [`Slate`], all different, the most urgent first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ranking(Box<[u8]>);

impl Ranking {
    /// Reads ids against a slate and finds every fault.
    ///
    /// # Errors
    /// All faults, each with its place: too few or too many picks, unknown initiatives, repetitions.
    pub fn read(
        ids: &[String],
        slate: &Slate,
        picks: (usize, usize),
    ) -> Result<Self, Vec<(Where, BallotFault)>> {
        let mut faults = Vec::new();
        if ids.len() < picks.0 {
            faults.push((Where::Ranking, BallotFault::TooFewPicks { given: ids.len(), least: picks.0 }));
        }
        if ids.len() > picks.1 {
            faults.push((Where::Ranking, BallotFault::TooManyPicks { given: ids.len(), most: picks.1 }));
        }
        let mut ranking: Vec<u8> = Vec::new();
        for (rank, text) in ids.iter().enumerate() {
            let found = text.parse::<InitiativeId>().ok().and_then(|id| slate.find(&id));
            if let Some(first) = ids[..rank].iter().position(|earlier| earlier == text) {
                faults.push((
                    Where::Rank(rank),
                    BallotFault::RankedTwice { first: first + 1, again: rank + 1 },
                ));
            } else if found.is_none() {
                faults.push((Where::Rank(rank), BallotFault::UnknownInitiative { rank: rank + 1 }));
            }
            ranking.extend(found);
        }
        if faults.is_empty() { Ok(Self(ranking.into())) } else { Err(faults) }
    }

    /// The ranking of places that are known to be on the slate; none if one stands twice.
    pub fn of_places(places: &[u8]) -> Option<Self> {
        let distinct = (1..places.len()).all(|i| !places[..i].contains(&places[i]));
        distinct.then(|| Self(places.into()))
    }

    /// The places on the slate, the most urgent first.
    pub fn places(&self) -> &[u8] {
        &self.0
    }

    /// The ids of the picks.
    pub fn ids<'a>(&'a self, slate: &'a Slate) -> impl Iterator<Item = &'a InitiativeId> {
        self.0.iter().map(|&place| &slate.get(place).id)
    }
}

/// The compact form of the databases' ranking column: places from 1, with spaces.
impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.0.iter().map(|place| (place + 1).to_string()).collect();
        f.write_str(&places.join(" "))
    }
}

impl FromStr for Ranking {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let place = |part: &str| part.parse::<u8>().ok()?.checked_sub(1);
        text.split_whitespace().map(place).collect::<Option<_>>().map(Self).ok_or(())
    }
}

/// Where in a submitted ballot a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// The ranking as a whole.
    Ranking,
    /// The pick at this index of the ranking.
    Rank(usize),
    /// The initiative of the engagement at this index.
    EngagementInitiative(usize),
    /// The engagement itself at this index.
    Engagement(usize),
    /// The reference.
    Reference,
    /// The comment.
    Comment,
}

impl fmt::Display for Where {
    /// A JSON pointer as a URI fragment (RFC 6901, section 6).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ranking => f.write_str("#/ranking"),
            Self::Rank(i) => write!(f, "#/ranking/{i}"),
            Self::EngagementInitiative(i) => write!(f, "#/engagements/{i}/initiativeId"),
            Self::Engagement(i) => write!(f, "#/engagements/{i}/engagement"),
            Self::Reference => f.write_str("#/reference"),
            Self::Comment => f.write_str("#/comment"),
        }
    }
}

/// What is wrong with a ballot. Ranks are told from 1, as people count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BallotFault {
    /// Fewer picks than the round asks for.
    TooFewPicks {
        /// How many were given.
        given: usize,
        /// How many are needed at least.
        least: usize,
    },
    /// More picks than the round allows.
    TooManyPicks {
        /// How many were given.
        given: usize,
        /// How many are allowed at most.
        most: usize,
    },
    /// No initiative of this round has that id.
    UnknownInitiative {
        /// At which rank.
        rank: usize,
    },
    /// The same initiative stands at two ranks.
    RankedTwice {
        /// The first rank.
        first: usize,
        /// The rank of the repetition.
        again: usize,
    },
    /// An engagement for an initiative that the ballot does not rank.
    EngagementNotRanked,
    /// Two engagements for one initiative.
    EngagementTwice,
    /// An engagement of no known kind.
    UnknownEngagement,
    /// A text beyond its bound.
    TooLong {
        /// The bound in characters.
        most: usize,
    },
    /// A text with control characters other than line breaks and tabs.
    ControlCharacter,
}

/// What a submission requires of the ballot it meets (RFC 9110, section 13.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing was required.
    None,
    /// `If-None-Match: *`: there is no ballot.
    Absent,
    /// `If-Match: *`: there is a ballot, whichever.
    Present,
    /// `If-Match: "3", "4"`: the ballot is one of these revisions.
    OneOf(Vec<u32>),
    /// `If-None-Match: "3"`: the ballot, if there is one, is none of these revisions.
    NoneOf(Vec<u32>),
}

impl Precondition {
    /// Whether the current revision (none, or withdrawn: `None`) meets it.
    pub fn holds(&self, current: Option<u32>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::OneOf(revisions) => current.is_some_and(|current| revisions.contains(&current)),
            Self::NoneOf(revisions) => current.is_none_or(|current| !revisions.contains(&current)),
        }
    }
}

/// A ballot on its way in: valid in itself, to be decided on against the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose ballot.
    pub participant: ParticipantCode,
    /// What is required of the ballot that is there now.
    pub precondition: Precondition,
    /// The ballot, or `None` to withdraw.
    pub ballot: Option<Ballot>,
    /// The revision of the round that the ballot was read against: its ranking names places on that one's slate.
    pub round_revision: u32,
    /// What keeps its log entry from being guessed.
    pub nonce: Nonce,
}

/// What a valid ballot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The ranking.
    pub ranking: Ranking,
    /// Engagements by place on the slate.
    pub engagements: Vec<(InitiativeId, Engagement)>,
    /// The participant's own reference, with its hash.
    pub reference: Option<(PrivateText, Hash)>,
    /// The participant's comment, with its hash.
    pub comment: Option<(PrivateText, Hash)>,
    /// Whether it was made up for a demonstration.
    pub synthetic: bool,
}
