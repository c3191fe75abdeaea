//! Identifiers: stable, readable, never a database key.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// Why a text is no identifier of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// Not `a-z`, `0-9` and single hyphens, or not 1 to 64 of them.
    #[error("an id is 1 to 64 of a-z and 0-9 with single hyphens between")]
    NotASlug,
    /// Neither four digits, two digits nor a slug that starts with a letter.
    #[error(
        "a participant is a municipality code of four digits, a region code of two, or a slug that starts with a letter"
    )]
    NotAParticipant,
    /// Not `kind:code` with a code of that kind.
    #[error("a participant is named kind:code, such as municipality:0180")]
    NotQualified,
}

pub(super) fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdFault;

            fn from_str(text: &str) -> Result<Self, IdFault> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(IdFault::NotASlug) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// So that a map can be searched by what a caller wrote.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

slug! {
    /// A round: `handslag-2024`.
    RoundId
}
slug! {
    /// An initiative: `identitet-behorighet`.
    InitiativeId
}
slug! {
    /// A system that may ask for tokens: `0180-k3v9m2qa`.
    ClientId
}

impl InitiativeId {
    /// The id of a candidate in another program's file, which need be no slug: 1 to 200 characters, none of them a
    /// control character. Such an id never comes into a round.
    pub fn foreign(text: &str) -> Option<Self> {
        let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into()))
    }
}

/// Who takes part in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParticipantKind {
    /// A municipality, by SCB's code of four digits.
    Municipality,
    /// A region, by SCB's county code of two digits.
    Region,
    /// A network or another body, by a slug that starts with a letter.
    Network,
}

impl ParticipantKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Municipality, Self::Region, Self::Network];

    /// The kind's name in documents and tokens.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Municipality => "municipality",
            Self::Region => "region",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for ParticipantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for ParticipantKind {
    type Err = IdFault;

    fn from_str(text: &str) -> Result<Self, IdFault> {
        Self::ALL.into_iter().find(|kind| kind.id() == text).ok_or(IdFault::NotAParticipant)
    }
}

/// A participant's code. Its form tells its kind, so `0180` is a municipality and keeps its zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantCode(Box<str>);

impl ParticipantCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind, read from the form.
    pub fn kind(&self) -> ParticipantKind {
        match (self.0.as_bytes()[0].is_ascii_digit(), self.0.len()) {
            (true, 4) => ParticipantKind::Municipality,
            (true, _) => ParticipantKind::Region,
            (false, _) => ParticipantKind::Network,
        }
    }

    /// `kind:code`, as tokens name a participant.
    pub fn qualified(&self) -> String {
        format!("{}:{}", self.kind(), self.0)
    }

    /// Reads `kind:code`.
    ///
    /// # Errors
    /// [`IdFault::NotQualified`] if the form is another or the code is not of that kind.
    pub fn from_qualified(text: &str) -> Result<Self, IdFault> {
        let (kind, code) = text.split_once(':').ok_or(IdFault::NotQualified)?;
        let code: Self = code.parse().map_err(|_| IdFault::NotQualified)?;
        if code.kind().id() == kind { Ok(code) } else { Err(IdFault::NotQualified) }
    }
}

impl FromStr for ParticipantCode {
    type Err = IdFault;

    fn from_str(text: &str) -> Result<Self, IdFault> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let ok = match text.len() {
            2 | 4 if digits => true,
            _ => is_slug(text) && text.as_bytes()[0].is_ascii_lowercase(),
        };
        if ok { Ok(Self(text.into())) } else { Err(IdFault::NotAParticipant) }
    }
}

impl fmt::Display for ParticipantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
