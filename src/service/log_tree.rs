//! The nodes of a round's log tree, read from storage in blocks.

use std::collections::HashMap;

use super::merkle::{FANOUT, Nodes, root_below};
use crate::domain::{Hash, RoundId};
use crate::store::{self, Conn};

/// The nodes of one round's tree.
pub struct StoredNodes<'a> {
    conn: &'a mut Conn,
    round: &'a RoundId,
    /// By level and by position divided by [`FANOUT`].
    blocks: HashMap<(u32, u64), Vec<Hash>>,
}

impl<'a> StoredNodes<'a> {
    /// The nodes of a round's tree; the caller's transaction makes them one state.
    pub fn new(conn: &'a mut Conn, round: &'a RoundId) -> Self {
        Self { conn, round, blocks: HashMap::new() }
    }

    fn block(&mut self, level: u32, block: u64) -> Result<&[Hash], store::Error> {
        if !self.blocks.contains_key(&(level, block)) {
            let (from, until) = (block * FANOUT, (block + 1) * FANOUT);
            let nodes = match level {
                0 => store::log::hashes(self.conn, self.round, from, until)?,
                _ => store::subtrees::load(self.conn, self.round, level, from, until)?,
            };
            self.blocks.insert((level, block), nodes);
        }
        Ok(&self.blocks[&(level, block)])
    }
}

impl Nodes for StoredNodes<'_> {
    type Error = store::Error;

    fn node(&mut self, level: u32, position: u64) -> Result<Hash, store::Error> {
        let place = usize::try_from(position % FANOUT).expect("below 256");
        match self.block(level, position / FANOUT)?.get(place) {
            Some(&hash) => Ok(hash),
            None if level == 0 => Err(store::Error::Corrupt {
                table: "log_entries",
                what: "sequence",
                value: format!("nothing at {} of {}", position + 1, self.round),
            }),
            // Entries that were there before nodes were kept: the node follows from those below it.
            None => root_below(self, level, position),
        }
    }
}
