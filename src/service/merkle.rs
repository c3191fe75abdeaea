//! The Merkle tree over a round's log, by RFC 9162, section 2.1: proofs that an entry is in the log, and that an
//! earlier log is the beginning of a later one.
//!
//! The leaf of an entry is its 32-byte hash; its index is its sequence less 1. Of the nodes inside, only the roots of
//! complete subtrees of 256, 65,536, … entries are stored ([`Subtree`]): so a proof reads at most a few blocks of 256
//! hashes however long the log is.

use sha2::{Digest, Sha256};

use crate::domain::{Hash, Subtree};

/// Stored nodes are the roots of complete subtrees of 2 to the power of a multiple of this many entries.
const STEP: u32 = 8;
/// How many nodes of one level one node of the next level stands for.
pub(super) const FANOUT: u64 = 1 << STEP;

/// The right edge of a tree: the roots of the complete subtrees that its entries make up, the largest first. It is all
/// that is needed to add entries and to compute the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree of the first `size` entries.
    ///
    /// # Errors
    /// What the nodes say.
    pub fn load<N: Nodes + ?Sized>(nodes: &mut N, size: u64) -> Result<Self, N::Error> {
        let mut peaks = Vec::new();
        let mut start = 0;
        for height in (0..u64::BITS).rev().filter(|height| size >> height & 1 == 1) {
            peaks.push(complete(nodes, height, start >> height)?);
            start += 1 << height;
        }
        Ok(Self { size, peaks })
    }

    /// How many entries the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry; gives the subtrees to be stored that it completes.
    pub fn push(&mut self, entry: Hash) -> Vec<Subtree> {
        let mut node = leaf(entry);
        let mut completed = Vec::new();
        // As a carry in binary addition: two subtrees of one height make one of the next.
        for height in 1..=self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each bit of the size");
            node = parent(left, node);
            if height % STEP == 0 {
                completed.push(Subtree { level: height / STEP, position: self.size >> height, hash: node });
            }
        }
        self.peaks.push(node);
        self.size += 1;
        completed
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => Hash(Sha256::digest([]).into()),
            Some(smallest) => peaks.fold(smallest, |right, left| parent(left, right)),
        }
    }
}

/// Where the nodes of a tree come from.
pub trait Nodes {
    /// Why one cannot be had.
    type Error;

    /// On level 0 the hash of the entry at this index, as the log has it; on level n the root of the complete subtree of
    /// 256^n entries at this position.
    ///
    /// # Errors
    /// If it cannot be read.
    fn node(&mut self, level: u32, position: u64) -> Result<Hash, Self::Error>;
}

/// A tree whose entries' hashes are all at hand.
impl Nodes for [Hash] {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u32, position: u64) -> Result<Hash, Self::Error> {
        match level {
            0 => Ok(self[usize::try_from(position).expect("an index of a list in memory")]),
            _ => root_below(self, level, position),
        }
    }
}

/// The root of a stored subtree, from the nodes one level below.
///
/// # Errors
/// What the nodes say.
pub fn root_below<N: Nodes + ?Sized>(nodes: &mut N, level: u32, position: u64) -> Result<Hash, N::Error> {
    let height = level * STEP;
    let left = complete(nodes, height - 1, position * 2)?;
    Ok(parent(left, complete(nodes, height - 1, position * 2 + 1)?))
}

/// The root of the complete subtree of 2^height entries at this position.
fn complete<N: Nodes + ?Sized>(nodes: &mut N, height: u32, position: u64) -> Result<Hash, N::Error> {
    if height == 0 {
        return nodes.node(0, position).map(leaf);
    }
    if height.is_multiple_of(STEP) {
        return nodes.node(height / STEP, position);
    }
    let left = complete(nodes, height - 1, position * 2)?;
    Ok(parent(left, complete(nodes, height - 1, position * 2 + 1)?))
}

/// MTH of RFC 9162, section 2.1.1, over the entries from `start` to `end`.
fn root_of<N: Nodes + ?Sized>(nodes: &mut N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let size = end - start;
    if size.is_power_of_two() {
        let height = size.trailing_zeros();
        return complete(nodes, height, start >> height);
    }
    let middle = start + split(size);
    let left = root_of(nodes, start, middle)?;
    Ok(parent(left, root_of(nodes, middle, end)?))
}

/// The root of the tree of the first `size` entries.
///
/// # Errors
/// What the nodes say.
pub fn root<N: Nodes + ?Sized>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    Ok(Frontier::load(nodes, size)?.root())
}

/// The proof that the entry at an index is in the tree of the first `size` entries: PATH of RFC 9162, section 2.1.3.1.
///
/// # Errors
/// What the nodes say.
///
/// # Panics
/// If the index is not below the size.
pub fn inclusion<N: Nodes + ?Sized>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(index < size, "an entry of the tree");
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(root_of(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(root_of(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of the first `first` entries is the beginning of that of the first `second`: PROOF of RFC
/// 9162, section 2.1.4.1.
///
/// # Errors
/// What the nodes say.
///
/// # Panics
/// If the first size is 0 or above the second.
pub fn consistency<N: Nodes + ?Sized>(nodes: &mut N, first: u64, second: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(0 < first && first <= second, "an earlier tree that is not empty");
    let (mut start, mut end) = (0, second);
    let mut path = Vec::new();
    // Until what is left of the range is all of the first tree, or a part of it that the caller knows.
    let mut whole = true;
    while end != first {
        let middle = start + split(end - start);
        if first <= middle {
            path.push(root_of(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(root_of(nodes, start, middle)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(root_of(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether a proof shows an entry to be in a tree: RFC 9162, section 2.1.3.2.
pub fn includes(entry: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut node = leaf(entry);
    for &sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            node = parent(sibling, node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = parent(node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && node == root
}

/// Whether a proof shows a tree to be the beginning of another: RFC 9162, section 2.1.4.2.
pub fn extends(first: (u64, Hash), second: (u64, Hash), path: &[Hash]) -> bool {
    let ((first, first_root), (second, second_root)) = (first, second);
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    if first == 0 || first > second {
        return false;
    }
    // A first tree that is complete is its own first node.
    let (seed, path) = match path.split_first() {
        _ if first.is_power_of_two() => (first_root, path),
        Some((&seed, rest)) => (seed, rest),
        None => return false,
    };
    let (mut place, mut last) = (first - 1, second - 1);
    let shared = place.trailing_ones();
    place >>= shared;
    last >>= shared;
    let (mut old, mut new) = (seed, seed);
    for &sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = parent(sibling, old);
            new = parent(sibling, new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = parent(new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == first_root && new == second_root
}

/// The largest power of two below a size above 1.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn leaf(entry: Hash) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(entry.0).finalize().into())
}

fn parent(left: Hash, right: Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}
