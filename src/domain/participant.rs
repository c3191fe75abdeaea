//! Who is asked.

use std::collections::HashMap;

use super::{ParticipantCode, Points};

/// A participant belongs to a group: `county` = `12`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The column of the roll; a group membership that can change carries its edition in the name.
    pub column: String,
    /// The group's value in that column.
    pub value: String,
}

impl Membership {
    /// Whether a text can name a column: columns stand in addresses, as `county:12`.
    pub fn is_column(text: &str) -> bool {
        super::ids::is_slug(text)
    }

    /// Whether a text can be a group's value.
    pub fn is_value(text: &str) -> bool {
        (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    }
}

/// A participant of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The code; its form tells the kind.
    pub code: ParticipantCode,
    /// The name people know it by.
    pub name: String,
    /// Inhabitants, where that means something.
    pub population: Option<u32>,
    /// Its weight in weighted tallies that use the roll's own weights.
    pub weight: Points,
    /// The groups it belongs to, in the roll's order of columns.
    pub groups: Vec<Membership>,
}

impl Participant {
    /// The group it belongs to in a column.
    pub fn group(&self, column: &str) -> Option<&str> {
        self.groups.iter().find(|group| group.column == column).map(|group| &*group.value)
    }
}

/// The roll: the participants of a round by code, fixed when the round opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    participants: Vec<Participant>,
    index: HashMap<ParticipantCode, usize>,
}

impl Roll {
    /// Orders the participants by code. Codes have been checked to be unique.
    pub fn new(mut participants: Vec<Participant>) -> Self {
        participants.sort_by(|a, b| a.code.cmp(&b.code));
        let index = participants.iter().enumerate().map(|(i, p)| (p.code.clone(), i)).collect();
        Self { participants, index }
    }

    /// How many there are: the eligible.
    pub fn len(&self) -> usize {
        self.participants.len()
    }

    /// Whether nobody is on it yet.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// All of them, by code.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// The participant of a code.
    pub fn get(&self, code: &ParticipantCode) -> Option<&Participant> {
        self.index.get(code).map(|&i| &self.participants[i])
    }

    /// The place of a code in [`Roll::participants`].
    pub fn position(&self, code: &ParticipantCode) -> Option<usize> {
        self.index.get(code).copied()
    }

    /// The columns of groups, in the order they first appear.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for group in self.participants.iter().flat_map(|participant| &participant.groups) {
            if !columns.contains(&&*group.column) {
                columns.push(&group.column);
            }
        }
        columns
    }
}
