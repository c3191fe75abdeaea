//! The nodes of a round's log tree, read from storage in blocks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::merkle::{FANOUT, Nodes, root_below};
use crate::domain::{Hash, RoundId, Subtree};
use crate::store::{self, Conn, Store};

/// How many subtrees are filled in at once: to compute them 256 times as many hashes are read.
const FILLED_AT_ONCE: usize = 64;

/// The nodes of one round's tree.
pub struct StoredNodes<'a> {
    conn: &'a mut Conn,
    round: &'a RoundId,
    /// By level and by position divided by [`FANOUT`].
    blocks: HashMap<(u32, u64), Vec<Option<Hash>>>,
}

impl<'a> StoredNodes<'a> {
    /// The nodes of a round's tree; the caller's transaction makes them one state.
    pub fn new(conn: &'a mut Conn, round: &'a RoundId) -> Self {
        Self { conn, round, blocks: HashMap::new() }
    }

    fn block(&mut self, level: u32, block: u64) -> Result<&mut Vec<Option<Hash>>, store::Error> {
        Ok(match self.blocks.entry((level, block)) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => {
                let (from, until) = (block * FANOUT, (block + 1) * FANOUT);
                place.insert(match level {
                    0 => {
                        let hashes = store::log::hashes(self.conn, self.round, from, until)?;
                        hashes.into_iter().map(Some).collect()
                    }
                    _ => store::subtrees::load(self.conn, self.round, level, from, until)?,
                })
            }
        })
    }
}

impl Nodes for StoredNodes<'_> {
    type Error = store::Error;

    fn node(&mut self, level: u32, position: u64) -> Result<Hash, store::Error> {
        let place = usize::try_from(position % FANOUT).expect("below 256");
        match self.block(level, position / FANOUT)?.get(place).copied().flatten() {
            Some(hash) => Ok(hash),
            None if level == 0 => Err(store::Error::Corrupt {
                table: "log_entries",
                what: "sequence",
                value: format!("nothing at {} of {}", position + 1, self.round),
            }),
            // Entries that were there before nodes were kept: the node follows from those below it.
            None => {
                let root = root_below(self, level, position)?;
                self.block(level, position / FANOUT)?[place] = Some(root);
                Ok(root)
            }
        }
    }
}

/// Stores what is lacking of the trees of all logs, as it is where an older program has written them: a proof would read
/// the whole log each time. Says how many subtrees were lacking.
///
/// # Errors
/// If storage fails; what is lacking then is computed when it is needed.
pub fn fill_in(store: &Store) -> Result<usize, store::Error> {
    let mut filled = 0;
    for (round, mark) in store.read(store::rounds::marks)? {
        // What is lacking on a level follows from the level below, which is whole by then.
        let mut level = 1;
        let mut complete = mark.sequence / FANOUT;
        while complete > 0 {
            filled += fill_in_level(store, &round, level, complete)?;
            level += 1;
            complete /= FANOUT;
        }
    }
    Ok(filled)
}

/// Stores the first subtrees of a level, so many, where they are lacking; few at a time, since writers wait meanwhile.
fn fill_in_level(store: &Store, round: &RoundId, level: u32, complete: u64) -> Result<usize, store::Error> {
    let stored = store.read(|conn| store::subtrees::positions(conn, round, level))?;
    let mut stored = stored.into_iter().peekable();
    let lacking: Vec<u64> = (0..complete).filter(|position| stored.next_if_eq(position).is_none()).collect();
    if lacking.is_empty() {
        return Ok(0);
    }
    let mut conn = store.connect()?;
    for positions in lacking.chunks(FILLED_AT_ONCE) {
        let subtrees = Store::snapshot_on(&mut conn, |conn| {
            let mut nodes = StoredNodes::new(conn, round);
            let root =
                |&position: &u64| nodes.node(level, position).map(|hash| Subtree { level, position, hash });
            positions.iter().map(root).collect::<Result<Vec<_>, store::Error>>()
        })?;
        Store::write(&mut conn, |conn| store::subtrees::fill_in(conn, round, &subtrees))?;
    }
    Ok(lacking.len())
}
