//! What can be picked.

use std::collections::HashMap;

use super::{InitiativeId, Titles};

/// Whether an initiative's title is known from a public source or made up to show the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitiativeStatus {
    /// The title stands in a public source.
    Documented,
    /// The title is an example.
    Example,
}

impl InitiativeStatus {
    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Example => "example",
        }
    }
}

impl std::str::FromStr for InitiativeStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Documented, Self::Example].into_iter().find(|status| status.id() == text).ok_or(())
    }
}

/// An initiative of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiative {
    /// Its id in paths and ballots.
    pub id: InitiativeId,
    /// Its number on the list people see.
    pub number: u16,
    /// Its title.
    pub title: Titles,
    /// The target area it belongs to.
    pub area: Option<String>,
    /// Who is responsible for it.
    pub owner: Option<String>,
    /// Whether the title is documented or an example.
    pub status: InitiativeStatus,
    /// Where the title stands.
    pub source: Option<String>,
}

/// A round's initiatives in order of number: the index here is the candidate's number in a tally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slate {
    initiatives: Vec<Initiative>,
    index: HashMap<InitiativeId, u8>,
}

impl Slate {
    /// Orders the initiatives by number. Ids and numbers have been checked to be unique, and there are
    /// no more than [`super::MAX_INITIATIVES`].
    pub fn new(mut initiatives: Vec<Initiative>) -> Self {
        initiatives.sort_by_key(|initiative| initiative.number);
        let index = (0..).zip(&initiatives).map(|(i, initiative)| (initiative.id.clone(), i)).collect();
        Self { initiatives, index }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.initiatives.len()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.initiatives.is_empty()
    }

    /// All of them, in order of number.
    pub fn initiatives(&self) -> &[Initiative] {
        &self.initiatives
    }

    /// The index of an id.
    pub fn find(&self, id: &InitiativeId) -> Option<u8> {
        self.index.get(id).copied()
    }

    /// The initiative at an index of this slate.
    pub fn get(&self, index: u8) -> &Initiative {
        &self.initiatives[usize::from(index)]
    }
}
