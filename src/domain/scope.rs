//! What a token may allow.

use std::fmt;
use std::str::FromStr;

/// Something a token may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read the ballot of the participant the token is bound to.
    BallotsRead,
    /// Write the ballot of the participant the token is bound to.
    BallotsWrite,
    /// Read all ballots, and see by name who is missing.
    BallotsList,
    /// See results before they are public.
    ResultsRead,
    /// Make and run rounds.
    RoundsAdmin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::BallotsRead, Self::BallotsWrite, Self::BallotsList, Self::ResultsRead, Self::RoundsAdmin];

    /// The name in tokens.
    pub const fn id(self) -> &'static str {
        match self {
            Self::BallotsRead => "ballots.read",
            Self::BallotsWrite => "ballots.write",
            Self::BallotsList => "ballots.list",
            Self::ResultsRead => "results.read",
            Self::RoundsAdmin => "rounds.admin",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set of these.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |set, &scope| set | 1 << scope as u8))
    }

    /// Whether the set holds it.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            Scope::ALL.into_iter().filter(|&scope| self.has(scope)).map(Scope::id).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = std::convert::Infallible;

    /// Scopes of other services in the same token are not ours to judge, and are passed over.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ours = text.split(' ').filter_map(|name| Scope::ALL.into_iter().find(|scope| scope.id() == name));
        Ok(Self::of(&ours.collect::<Vec<_>>()))
    }
}
