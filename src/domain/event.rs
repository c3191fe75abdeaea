//! What the ballot log records: one entry an event, chained by hash.

use std::fmt;
use std::str::FromStr;

use super::{Engagement, InitiativeId, Instant, ParticipantCode, Sequence};

/// A SHA-256 digest; `Display` is lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 32];
        let lower_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != 64 || !lower_hex {
            return Err(());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

/// A text that can be erased: the log holds only its salted hash, so the chain survives the erasure.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateText {
    /// What somebody wrote.
    pub text: String,
    /// Random bytes in hex, so that the hash of a guessed text proves nothing.
    pub salt: String,
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateText(…)")
    }
}

/// The hash of a [`PrivateText`], as it stands in an event.
pub type Sealed = Hash;

/// Something that happened in a round. Each variant is one kind of log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The round opened; from here its definition, initiatives and roll are fixed.
    Opening {
        /// Hash of the canonical definition, the chain's anchor.
        definition: Hash,
    },
    /// A ballot was accepted and replaces any earlier one of the same participant.
    Ballot {
        /// Whose.
        participant: ParticipantCode,
        /// The how-manieth of this participant, from 1.
        revision: u32,
        /// The ranking, the most urgent first.
        ranking: Vec<InitiativeId>,
        /// How the participant wants to take part in its picks.
        engagements: Vec<(InitiativeId, Engagement)>,
        /// Hash of the participant's own reference.
        reference: Option<Sealed>,
        /// Hash of the participant's comment.
        comment: Option<Sealed>,
        /// Whether it was made up for a demonstration.
        synthetic: bool,
    },
    /// A ballot was withdrawn: a revision without a ranking.
    Withdrawal {
        /// Whose.
        participant: ParticipantCode,
        /// The how-manieth of this participant, from 1.
        revision: u32,
    },
    /// The closing was moved to a later time.
    Extension {
        /// The new closing time.
        closes_at: Instant,
    },
    /// The round closed.
    Closing,
    /// The result was certified.
    Certification,
    /// A certified result was superseded by a corrected one.
    Correction,
}

impl Event {
    /// The kind's name in the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opening { .. } => "opening",
            Self::Ballot { .. } => "ballot",
            Self::Withdrawal { .. } => "withdrawal",
            Self::Extension { .. } => "extension",
            Self::Closing => "closing",
            Self::Certification => "certification",
            Self::Correction => "correction",
        }
    }

    /// Whose event it is, for events of a participant.
    pub fn participant(&self) -> Option<&ParticipantCode> {
        match self {
            Self::Ballot { participant, .. } | Self::Withdrawal { participant, .. } => Some(participant),
            Self::Opening { .. }
            | Self::Extension { .. }
            | Self::Closing
            | Self::Certification
            | Self::Correction => None,
        }
    }
}

/// An event with its place in the log, as it is stored and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number in the round, from 1, without gaps.
    pub sequence: Sequence,
    /// When it was accepted; never before the entry before it.
    pub at: Instant,
    /// The kind of event.
    pub kind: String,
    /// Whose event, for events of a participant.
    pub participant: Option<ParticipantCode>,
    /// The participant's revision, for events of a participant.
    pub revision: Option<u32>,
    /// The event as canonical JSON (RFC 8785).
    pub canonical: String,
    /// SHA-256 over the hash before it and the canonical JSON.
    pub hash: Hash,
}
