//! A round's log, replayed: whole, chained, and the same as what else the database says.

use std::collections::BTreeMap;

use handslag::domain::{Hash, LogEntry, Ranking, RoundId, Slate};
use handslag::store::ballots::Current;
use handslag::store::{self, Store};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ROUND;

/// The default round as far as its log has been read.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    head: Option<Hash>,
    /// Every entry, in order.
    pub(crate) entries: Vec<LogEntry>,
    ballots: BTreeMap<String, Current>,
    /// The roots of the complete subtrees of 256 entries, 65,536 and so on, by level and position.
    subtrees: BTreeMap<(u32, u64), Hash>,
}

impl Replay {
    /// Reads the whole log.
    pub(crate) fn of(store: &Store) -> Self {
        let mut replay = Self::default();
        replay.go_on(store);
        replay
    }

    /// Reads what the log has got since, and holds everything against it: no gap, no revision left out or twice,
    /// every hash chained to the one before, the round, the ballots that count and the tree as the log makes them.
    pub(crate) fn go_on(&mut self, store: &Store) {
        let id: RoundId = ROUND.parse().expect("an id");
        let read = store.snapshot(|conn| {
            let round = store::rounds::find(conn, &id)?.expect("the test has made it");
            let after = store::log::after(conn, &id, self.entries.len() as u64, 1_000_000)?;
            let subtrees = store::subtrees::all(conn, &id)?;
            let slate = store::initiatives::load(conn, &id)?;
            Ok((round, after, store::ballots::load(conn, &id)?, subtrees, slate))
        });
        let (round, entries, ballots, subtrees, slate) = read.expect("the database can be read");
        for entry in entries {
            self.take(entry, &slate);
        }
        assert_eq!(round.sequence, self.entries.len() as u64, "the round is where its log is");
        assert!(self.head.is_none_or(|head| head == round.head), "the round has the log's hash");
        let stored: BTreeMap<String, Current> =
            ballots.into_iter().map(|(code, current)| (code.to_string(), current)).collect();
        assert_eq!(stored, self.ballots, "the ballots that count are those of the log");
        let stored: BTreeMap<(u32, u64), Hash> =
            subtrees.into_iter().map(|of| ((of.level, of.position), of.hash)).collect();
        assert_eq!(
            stored, self.subtrees,
            "the nodes that are kept of the tree are those of the log, and all"
        );
    }

    fn take(&mut self, entry: LogEntry, slate: &Slate) {
        assert_eq!(entry.sequence, self.entries.len() as u64 + 1, "no gap");
        let event: Value = serde_json::from_str(&entry.canonical).expect("an entry is JSON");
        let before = self.head.unwrap_or_else(|| {
            event["definition"].as_str().and_then(|hash| hash.parse().ok()).expect("the log opens with it")
        });
        let chained = Sha256::new().chain_update(before.0).chain_update(&entry.canonical).finalize();
        assert_eq!(entry.hash, Hash(chained.into()), "entry {}", entry.sequence);
        self.head = Some(entry.hash);
        if let (Some(code), Some(revision)) = (&entry.participant, entry.revision) {
            let before = self.ballots.get(code.as_str());
            assert_eq!(revision, before.map_or(0, |before| before.revision) + 1, "{code}");
            let since = before.and_then(|before| before.answered_at).unwrap_or(entry.at);
            let ranking = event.get("ranking").map(|ids| {
                let ids: Vec<String> = serde_json::from_value(ids.clone()).expect("a list of ids");
                Ranking::read(&ids, slate, (1, ids.len())).expect("picks of the round")
            });
            let current = Current {
                revision,
                sequence: entry.sequence,
                answered_at: ranking.is_some().then_some(since),
                ranking,
                synthetic: event["synthetic"] == true,
            };
            self.ballots.insert(code.to_string(), current);
        }
        self.entries.push(entry);
        self.grow();
    }

    /// Adds the subtrees that the newest entry completes.
    fn grow(&mut self) {
        let count = self.entries.len();
        let sizes = (1_u32..).map(|level| (level, 256_usize.pow(level)));
        for (level, size) in sizes.take_while(|(_, size)| count.is_multiple_of(*size)) {
            let position = (count / size - 1) as u64;
            self.subtrees.insert((level, position), Hash(tree(&self.entries[count - size..])));
        }
    }
}

/// MTH of RFC 9162, section 2.1.1, over as many entries as a power of two, word for word.
fn tree(entries: &[LogEntry]) -> [u8; 32] {
    let digest = if let [entry] = entries {
        Sha256::new().chain_update([0]).chain_update(entry.hash.0)
    } else {
        let (left, right) = entries.split_at(entries.len() / 2);
        Sha256::new().chain_update([1]).chain_update(tree(left)).chain_update(tree(right))
    };
    digest.finalize().into()
}
