//! Proofs about a round's log, as anyone can check them: that an entry is in it, and that it was only ever added to.

use super::log_tree::StoredNodes;
use super::merkle;
use crate::domain::{Hash, Receipt, RoundId, Sequence};
use crate::store::{self, Store};

/// What is to be proved of the tree over the first entries of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That it has the entry of this sequence.
    Includes(Sequence),
    /// That it begins with the tree of the first entries, so many.
    Extends(u64),
}

/// A proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What it proves.
    pub claim: Claim,
    /// The hash of the entry; of an earlier tree, its root.
    pub of: Hash,
    /// The nodes that lead from there to the root.
    pub path: Vec<Hash>,
    /// The tree: its last entry and its root.
    pub head: Receipt,
}

/// Proves something of the tree of the first `size` entries of a round's log.
///
/// # Errors
/// If storage fails.
///
/// # Panics
/// If the claim is about nothing, or about more than there is in the tree.
pub fn prove(store: &Store, round: &RoundId, claim: Claim, size: u64) -> Result<Proof, store::Error> {
    store.snapshot(|conn| {
        let last = store::log::of_sequences(conn, round, &[size])?.pop();
        let last = last.ok_or_else(|| store::Error::Corrupt {
            table: "log_entries",
            what: "sequence",
            value: format!("nothing at {size} of {round}"),
        })?;
        let of_entry = match claim {
            Claim::Includes(sequence) if sequence != size => store::log::hash_at(conn, round, sequence)?,
            Claim::Includes(_) | Claim::Extends(_) => None,
        };
        let mut nodes = StoredNodes::new(conn, round);
        let (of, path) = match claim {
            Claim::Includes(sequence) => {
                (of_entry.unwrap_or(last.hash), merkle::inclusion(&mut nodes, sequence - 1, size)?)
            }
            Claim::Extends(from) => {
                (merkle::root(&mut nodes, from)?, merkle::consistency(&mut nodes, from, size)?)
            }
        };
        let root = merkle::root(&mut nodes, size)?;
        let head = Receipt { round: round.clone(), sequence: size, entry: last.hash, root, at: last.at };
        Ok(Proof { claim, of, path, head })
    })
}
