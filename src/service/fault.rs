//! A fault in something that was sent: where, what, and a sentence in both languages.

use std::borrow::Cow;
use std::fmt;

use crate::domain::{BallotFault, DefinitionFault, Titles, Where};

/// One fault. Inputs are read to the end, so that people need not submit five times to learn five things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// A short code for programs.
    pub code: &'static str,
    /// What is wrong.
    pub detail: Titles,
}

/// Where in a document a fault is; `Display` is a JSON pointer after a `#` (RFC 6901), in which letters stand as they
/// are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A member of the document itself.
    Member(String),
    /// A member of an item of a list: `#/initiatives/3/number`.
    Item {
        /// The list.
        list: &'static str,
        /// The item, from 0.
        index: usize,
        /// The member of the item.
        member: String,
    },
    /// An item of a list as a whole: `#/scopes/1`.
    Element {
        /// The list.
        list: &'static str,
        /// The item, from 0.
        index: usize,
    },
    /// A place in a ballot.
    Ballot(Where),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => write!(f, "#/{}", token(member)),
            Self::Item { list, index, member } => write!(f, "#/{list}/{index}/{}", token(member)),
            Self::Element { list, index } => write!(f, "#/{list}/{index}"),
            Self::Ballot(place) => place.fmt(f),
        }
    }
}

/// A name as a part of a pointer: what parts pointers is escaped (RFC 6901, section 3).
fn token(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

impl Fault {
    /// A fault of a member of the document.
    pub fn member(member: &str, code: &'static str, sv: &str, en: &str) -> Self {
        Self { place: Place::Member(member.to_owned()), code, detail: texts(sv, en) }
    }

    /// A fault of an item of a list.
    pub fn item(
        list: &'static str,
        index: usize,
        member: &str,
        code: &'static str,
        sv: &str,
        en: &str,
    ) -> Self {
        Self { place: Place::Item { list, index, member: member.to_owned() }, code, detail: texts(sv, en) }
    }
}

impl From<DefinitionFault> for Fault {
    fn from(fault: DefinitionFault) -> Self {
        Self { place: Place::Member(fault.member.to_owned()), code: fault.code, detail: fault.detail }
    }
}

impl From<(Where, BallotFault)> for Fault {
    fn from((place, fault): (Where, BallotFault)) -> Self {
        let (code, sv, en) = match fault {
            BallotFault::TooFewPicks { given, least } => (
                "too-few-picks",
                format!("Prioriteringen har {given} val; minst {least} behövs."),
                format!("The ballot has {given} picks; at least {least} are needed."),
            ),
            BallotFault::TooManyPicks { given, most } => (
                "too-many-picks",
                format!("Prioriteringen har {given} val; högst {most} får plats."),
                format!("The ballot has {given} picks; at most {most} are allowed."),
            ),
            BallotFault::UnknownInitiative { rank } => (
                "unknown-initiative",
                format!("Initiativet på plats {rank} finns inte i omgången."),
                format!("The initiative at rank {rank} is not in this round."),
            ),
            BallotFault::RankedTwice { first, again } => (
                "ranked-twice",
                format!("Initiativet på plats {again} står redan på plats {first}."),
                format!("The initiative at rank {again} already stands at rank {first}."),
            ),
            BallotFault::EngagementNotRanked => (
                "engagement-not-ranked",
                "Medverkan gäller ett initiativ som prioriteringen inte har med.".to_owned(),
                "The engagement is for an initiative that the ballot does not rank.".to_owned(),
            ),
            BallotFault::EngagementTwice => (
                "engagement-twice",
                "Initiativet har redan en medverkan.".to_owned(),
                "The initiative has an engagement already.".to_owned(),
            ),
            BallotFault::UnknownEngagement => (
                "unknown-engagement",
                "Medverkan är lead, share-experience, take-part eller follow.".to_owned(),
                "An engagement is lead, share-experience, take-part or follow.".to_owned(),
            ),
            BallotFault::TooLong { most } => {
                ("too-long", format!("Högst {most} tecken."), format!("At most {most} characters."))
            }
            BallotFault::ControlCharacter => (
                "control-character",
                "Texten har styrtecken.".to_owned(),
                "The text holds control characters.".to_owned(),
            ),
        };
        Self { place: Place::Ballot(place), code, detail: Titles { sv, en } }
    }
}

fn texts(sv: &str, en: &str) -> Titles {
    Titles { sv: sv.to_owned(), en: en.to_owned() }
}
