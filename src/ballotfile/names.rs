//! The candidates that ballots name, numbered as they are met.

use std::collections::HashMap;

use super::Candidate;
use super::folded::Folded;
use crate::domain::MAX_INITIATIVES;

/// Ids of candidates with their numbers. Closed: only these exist. Open: what ballots name comes to exist.
#[derive(Clone, Debug)]
pub(super) struct Names {
    candidates: Vec<Candidate>,
    numbers: HashMap<Box<str>, u8, Folded>,
    short: Short,
    closed: bool,
    overflow: bool,
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Candidate(u8),
    /// None of those that exist.
    Unknown,
    /// No id at all.
    NoId,
    /// One more than there can be, which is told once for the whole file.
    TooMany,
}

impl Names {
    /// The given ones, which are all there are, or else none yet.
    pub(super) fn new(given: Option<&[Candidate]>) -> Self {
        let candidates = given.unwrap_or_default().to_vec();
        let mut numbers: HashMap<Box<str>, u8, Folded> = HashMap::with_hasher(Folded::new());
        for (number, candidate) in (0..).zip(candidates.iter().take(MAX_INITIATIVES)) {
            numbers.insert(candidate.id.as_str().into(), number);
        }
        let mut short = Short::default();
        for (id, &number) in &numbers {
            short.insert(id, number);
        }
        let overflow = candidates.len() > MAX_INITIATIVES;
        Self { candidates, numbers, short, closed: given.is_some(), overflow }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether more were named than there can be.
    pub(super) fn overflow(&self) -> bool {
        self.overflow
    }

    pub(super) fn note_overflow(&mut self) {
        self.overflow = true;
    }

    pub(super) fn id(&self, number: u8) -> &str {
        &self.candidates[usize::from(number)].id
    }

    /// The number of a candidate by its id.
    #[inline]
    pub(super) fn find(&mut self, id: &str) -> Named {
        match self.short.find(id) {
            Some(number) => Named::Candidate(number),
            None => self.find_long(id),
        }
    }

    fn find_long(&mut self, id: &str) -> Named {
        match self.numbers.get(id) {
            Some(&number) => Named::Candidate(number),
            None => self.meet(id),
        }
    }

    #[cold]
    fn meet(&mut self, id: &str) -> Named {
        if self.closed {
            return Named::Unknown;
        }
        if !super::is_id(id) {
            return Named::NoId;
        }
        match u8::try_from(self.candidates.len()) {
            Ok(number) if self.candidates.len() < MAX_INITIATIVES => {
                self.candidates.push(Candidate { id: id.to_owned(), title: id.to_owned() });
                self.numbers.insert(id.into(), number);
                self.short.insert(id, number);
                Named::Candidate(number)
            }
            _ => {
                self.overflow = true;
                Named::TooMany
            }
        }
    }

    /// The number of the candidate whose id this is, or else whose title alone this is.
    pub(super) fn called(&self, name: &str) -> Option<u8> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let mut called = (0..).zip(&self.candidates).filter(|(_, candidate)| candidate.title == name);
        match (called.next(), called.next()) {
            (Some((number, _)), None) => Some(number),
            _ => None,
        }
    }

    /// The candidates in order, and for each number met its place there.
    pub(super) fn ordered(self) -> (Vec<Candidate>, Vec<u8>) {
        let mut numbered: Vec<(u8, Candidate)> = (0..).zip(self.candidates).collect();
        if !self.closed {
            numbered.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
            let number = |candidate: &Candidate| candidate.id.parse::<u64>();
            if numbered.iter().all(|(_, candidate)| number(candidate).is_ok()) {
                numbered.sort_by_key(|(_, candidate)| number(candidate).unwrap_or_default());
            }
        }
        let mut places = vec![0; numbered.len()];
        for (place, (number, _)) in (0..).zip(&numbered) {
            places[usize::from(*number)] = place;
        }
        (numbered.into_iter().map(|(_, candidate)| candidate).collect(), places)
    }
}

/// Ids of at most seven bytes with their numbers, in one step: half the time of a large file goes into this.
#[derive(Clone, Debug)]
struct Short {
    /// The id and its length as a word, 0 where there is none; four times as many as there can be candidates.
    slots: Box<[(u64, u8); 256]>,
}

impl Default for Short {
    fn default() -> Self {
        Self { slots: Box::new([(0, 0); 256]) }
    }
}

impl Short {
    #[inline]
    fn word(id: &str) -> Option<u64> {
        let length = id.len() as u64;
        let letters = id.bytes().take(8).fold(0, |word, byte| word << 8 | u64::from(byte));
        (1..8).contains(&length).then_some(letters | length << 56)
    }

    /// The slot of a word, or the free one where it belongs.
    #[inline]
    fn slot(&self, word: u64) -> usize {
        let begin = (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize;
        let mut slot = begin & 0xFF;
        while self.slots[slot].0 != word && self.slots[slot].0 != 0 {
            slot = (slot + 1) & 0xFF;
        }
        slot
    }

    #[inline]
    fn find(&self, id: &str) -> Option<u8> {
        let (found, number) = self.slots[self.slot(Self::word(id)?)];
        (found != 0).then_some(number)
    }

    fn insert(&mut self, id: &str, number: u8) {
        if let Some(word) = Self::word(id) {
            let slot = self.slot(word);
            self.slots[slot] = (word, number);
        }
    }
}
