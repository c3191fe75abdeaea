//! What the ballot log records: one entry an event, chained by hash.

use std::fmt;
use std::str::FromStr;

use super::{Engagement, InitiativeId, Instant, ParticipantCode, RoundId, Sequence};

/// A SHA-256 digest; `Display` is lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// Lower-case hex. Every ballot writes several hashes, and formatting byte by byte is slow.
fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    f.write_str(std::str::from_utf8(&text[..2 * bytes.len()]).expect("digits"))
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

/// Random bytes in an event of a participant; `Display` is lower-case hex. Without them a ballot that is not to be
/// told could be found by trying all rankings against the hash of its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl FromStr for Nonce {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = u128::from_str_radix(text, 16).map_err(|_| ())?;
        let nonce = Self(number.to_be_bytes());
        if nonce.to_string() == text { Ok(nonce) } else { Err(()) }
    }
}

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
        /// Against guessing.
        nonce: Nonce,
    },
    /// A ballot was withdrawn: a revision without a ranking.
    Withdrawal {
        /// Whose.
        participant: ParticipantCode,
        /// The how-manieth of this participant, from 1.
        revision: u32,
        /// Against guessing.
        nonce: Nonce,
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

    /// The participant's revision, for events of a participant.
    pub const fn revision(&self) -> Option<u32> {
        match self {
            Self::Ballot { revision, .. } | Self::Withdrawal { revision, .. } => Some(*revision),
            Self::Opening { .. }
            | Self::Extension { .. }
            | Self::Closing
            | Self::Certification
            | Self::Correction => None,
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

/// The root of a complete subtree of 256^level entries in the Merkle tree over a round's log (RFC 9162).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// The level, from 1.
    pub level: u32,
    /// Which one on its level, from 0.
    pub position: u64,
    /// Its root.
    pub hash: Hash,
}

/// That an entry is in the log of a round, and that the log with this entry as its last has this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The round.
    pub round: RoundId,
    /// The entry's number, and the size of the tree.
    pub sequence: Sequence,
    /// The entry's hash.
    pub entry: Hash,
    /// The root of the Merkle tree over the log up to this entry (RFC 9162).
    pub root: Hash,
    /// When it was accepted.
    pub at: Instant,
}
