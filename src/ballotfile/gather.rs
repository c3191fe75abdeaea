//! Ballots being counted by ranking while a file is read.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::fault::{Faults, text, twice};
use super::folded::Folded;
use super::names::{Named, Names};
use super::{Ballots, Candidate, Format, MOST_BALLOTS_IN_ALL, Options, ReadError};
use crate::domain::MAX_INITIATIVES;
use crate::tally::Profile;

/// As many ranks as fit into a short key, a byte each.
const SHORT: usize = 8;
/// So many short keys wait until they are counted: one after the other, the processor fetches their places in the
/// table side by side.
const WAITING: usize = 4_096;

/// What one thread has read of a file.
#[derive(Debug)]
pub(super) struct Gather {
    pub(super) names: Names,
    pub(super) faults: Faults,
    pub(super) keep_participants: bool,
    picks: usize,
    /// Number of the candidate + 1 at each rank, a byte each.
    short: HashMap<u64, u64, Folded>,
    waiting: Vec<(u64, u64)>,
    long: HashMap<Box<[u8]>, u64, Folded>,
    ballots: u128,
    codes: Vec<Met>,
    hash: RandomState,
    participants: Vec<(u64, String, Box<[u8]>)>,
    names_participants: bool,
    pub(super) seats: Option<u64>,
    pub(super) title: Option<String>,
}

/// A participant that was met: the hash of its code, in two halves so that nothing is padded, and its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    high: u32,
    low: u32,
    line: u32,
}

impl Gather {
    pub(super) fn new(names: Names, options: &Options<'_>, faults: Faults) -> Self {
        let folded = Folded::new();
        Self {
            names,
            faults,
            keep_participants: options.keep_participants,
            picks: options.picks.unwrap_or(MAX_INITIATIVES),
            short: HashMap::with_hasher(folded.clone()),
            waiting: Vec::with_capacity(WAITING),
            long: HashMap::with_hasher(folded),
            ballots: 0,
            codes: Vec::new(),
            hash: RandomState::new(),
            participants: Vec::new(),
            names_participants: false,
            seats: None,
            title: None,
        }
    }

    /// An empty one for another thread.
    pub(super) fn fork(&self) -> Self {
        Self {
            names: self.names.clone(),
            faults: self.faults.fork(),
            keep_participants: self.keep_participants,
            picks: self.picks,
            short: HashMap::with_hasher(self.short.hasher().clone()),
            waiting: Vec::with_capacity(WAITING),
            long: HashMap::with_hasher(self.long.hasher().clone()),
            ballots: 0,
            codes: Vec::new(),
            hash: self.hash.clone(),
            participants: Vec::new(),
            names_participants: self.names_participants,
            seats: None,
            title: None,
        }
    }

    /// Appends the candidate of this name to a ranking, or says what is wrong with it.
    #[inline]
    pub(super) fn pick(&mut self, name: &str, at: (u64, u64), ranking: &mut Vec<u8>) {
        match self.names.find(name) {
            Named::Candidate(number) => self.rank(number, at, ranking),
            other => self.no_candidate(other, name, at, ranking.len() + 1),
        }
    }

    /// Appends a candidate to a ranking, unless it stands there.
    #[inline]
    pub(super) fn rank(&mut self, number: u8, (line, column): (u64, u64), ranking: &mut Vec<u8>) {
        if let Some(first) = ranking.iter().position(|&pick| pick == number) {
            let (first, again) = (first + 1, ranking.len() + 1);
            self.faults.push(
                line,
                column,
                "ranked-twice",
                (
                    format!("Initiativet på plats {again} står redan på plats {first}."),
                    format!("The initiative at rank {again} already stands at rank {first}."),
                ),
            );
        } else {
            ranking.push(number);
        }
    }

    #[cold]
    fn no_candidate(&mut self, named: Named, name: &str, (line, column): (u64, u64), rank: usize) {
        match named {
            Named::Candidate(_) | Named::TooMany => {}
            Named::Unknown => self.unknown(line, column, rank),
            Named::NoId => {
                let shown: String = name.chars().take(40).collect();
                self.faults.push(line, column, "id", (
                    format!("{shown:?} är inget id: 1 till 200 tecken utan styrtecken och utan blanksteg i ändarna."),
                    format!("{shown:?} is no id: 1 to 200 characters, no control characters, no space at either end."),
                ));
            }
        }
    }

    /// Says that there is no such candidate.
    pub(super) fn unknown(&mut self, line: u64, column: u64, rank: usize) {
        self.faults.push(
            line,
            column,
            "unknown-initiative",
            (
                format!("Initiativet på plats {rank} finns inte."),
                format!("There is no initiative as that at rank {rank}."),
            ),
        );
    }

    /// Adds ballots with a ranking of distinct candidates, at this place.
    #[inline]
    pub(super) fn add(&mut self, ranking: &[u8], ballots: u64, (line, column): (u64, u64)) {
        if ranking.len() > self.picks {
            let (given, most) = (ranking.len(), self.picks);
            self.faults.push(
                line,
                column,
                "too-many-picks",
                (
                    format!("Prioriteringen har {given} val; högst {most} får plats."),
                    format!("The ballot has {given} picks; at most {most} are allowed."),
                ),
            );
            return;
        }
        self.ballots += u128::from(ballots);
        self.count(ranking, ballots);
    }

    #[inline]
    fn count(&mut self, ranking: &[u8], ballots: u64) {
        if ranking.len() <= SHORT {
            let key = ranking.iter().rev().fold(0, |key, &number| key << 8 | u64::from(number + 1));
            self.waiting.push((key, ballots));
            if self.waiting.len() == WAITING {
                self.count_waiting();
            }
        } else if let Some(count) = self.long.get_mut(ranking) {
            *count = count.saturating_add(ballots);
        } else {
            self.long.insert(ranking.into(), ballots);
        }
    }

    fn count_waiting(&mut self) {
        for (key, ballots) in self.waiting.drain(..) {
            // A sum that does not fit is above the bound, and told at the end.
            let count = self.short.entry(key).or_default();
            *count = count.saturating_add(ballots);
        }
    }

    /// Says that the file names participants, even if it holds none.
    pub(super) fn with_participants(&mut self) {
        self.names_participants = true;
    }

    /// Notes a participant, so that meeting it again is a fault.
    pub(super) fn meet(&mut self, code: &str, line: u64) {
        let hash = self.hash.hash_one(code);
        let half = |half: u64| u32::try_from(half & 0xFFFF_FFFF).expect("32 bits");
        self.codes.push(Met {
            high: half(hash >> 32),
            low: half(hash),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        });
    }

    /// Keeps whose ballot it is.
    pub(super) fn keep(&mut self, code: &str, ranking: &[u8], line: u64) {
        if self.keep_participants {
            self.participants.push((line, code.to_owned(), ranking.into()));
        }
    }

    /// Takes in what another thread has read.
    pub(super) fn absorb(&mut self, mut other: Self) {
        other.count_waiting();
        let mut numbers = [0; 256];
        for number in (0..).take(other.names.len()) {
            // What does not fit any more is told for the whole file.
            if let Named::Candidate(own) = self.names.find(other.names.id(number)) {
                numbers[usize::from(number)] = own;
            }
        }
        let overflow = other.names.overflow();
        self.faults.absorb(other.faults);
        self.ballots += other.ballots;
        self.codes.extend(other.codes);
        for (key, ballots) in other.short {
            let ranking: Vec<u8> = of_key(key).map(|number| numbers[usize::from(number)]).collect();
            self.count(&ranking, ballots);
        }
        for (ranking, ballots) in other.long {
            let ranking: Vec<u8> = ranking.iter().map(|&number| numbers[usize::from(number)]).collect();
            self.count(&ranking, ballots);
        }
        for (line, code, mut ranking) in other.participants {
            ranking.iter_mut().for_each(|number| *number = numbers[usize::from(*number)]);
            self.participants.push((line, code, ranking));
        }
        if overflow {
            self.names.note_overflow();
        }
    }

    /// The whole file, or everything that is wrong with it.
    pub(super) fn finish(mut self, format: Format) -> Result<Ballots, ReadError> {
        let names = std::mem::replace(&mut self.names, Names::new(None));
        if names.overflow() {
            self.too_many(1, 1);
        }
        let (candidates, places) = names.ordered();
        self.finish_as(format, candidates, &places)
    }

    /// The whole file, its ballots given in numbers of candidates that stand elsewhere in the list: `places` tells
    /// where.
    pub(super) fn finish_as(
        mut self,
        format: Format,
        candidates: Vec<Candidate>,
        places: &[u8],
    ) -> Result<Ballots, ReadError> {
        self.count_waiting();
        self.meet_once();
        if self.ballots > u128::from(MOST_BALLOTS_IN_ALL) {
            self.faults.push(
                1,
                1,
                "count",
                text("Prioriteringarna är för många.", "The ballots are too many."),
            );
        }
        if !self.faults.is_empty() {
            return Err(self.faults.into());
        }
        let place = |number: u8| places[usize::from(number)];
        let mut profile = Profile::new(candidates.len());
        let mut ranking = Vec::new();
        for (key, ballots) in self.short {
            ranking.clear();
            ranking.extend(of_key(key).map(place));
            profile.add(&ranking, ballots);
        }
        for (mut ranking, ballots) in self.long {
            ranking.iter_mut().for_each(|number| *number = place(*number));
            profile.add(&ranking, ballots);
        }
        let mut participants = self.participants;
        participants.sort_by_key(|(line, ..)| *line);
        let placed = |(_, code, mut ranking): (u64, String, Box<[u8]>)| {
            ranking.iter_mut().for_each(|number| *number = place(*number));
            (code, ranking)
        };
        let participants = participants.into_iter().map(placed).collect();
        Ok(Ballots {
            candidates,
            profile,
            participants: (self.keep_participants && self.names_participants).then_some(participants),
            seats: self.seats,
            title: self.title,
            format,
        })
    }

    /// Says that there are more candidates than there can be.
    pub(super) fn too_many(&mut self, line: u64, column: u64) {
        self.faults.push(
            line,
            column,
            "candidates",
            (
                format!("Fler än {MAX_INITIATIVES} kandidater."),
                format!("More than {MAX_INITIATIVES} candidates."),
            ),
        );
    }

    fn meet_once(&mut self) {
        let mut codes = std::mem::take(&mut self.codes);
        codes.sort_unstable();
        for pair in codes.chunk_by(|a, b| (a.high, a.low) == (b.high, b.low)) {
            for again in &pair[1..] {
                self.faults.push(again.line.into(), 1, "twice", twice(pair[0].line.into()));
            }
        }
    }
}

fn of_key(key: u64) -> impl Iterator<Item = u8> {
    key.to_le_bytes().into_iter().take_while(|&byte| byte != 0).map(|byte| byte - 1)
}
