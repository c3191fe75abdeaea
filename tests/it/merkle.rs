//! The Merkle tree over the log, against the definitions of RFC 9162, section 2.1, written down as they stand there.

use handslag::domain::Hash;
use handslag::service::merkle::{Frontier, Nodes, consistency, extends, includes, inclusion, root};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// The entries of a log.
fn log(size: usize) -> Vec<Hash> {
    (0..size).map(|i| Hash(Sha256::digest(i.to_be_bytes()).into())).collect()
}

/// MTH(D), section 2.1.1.
fn tree_hash(entries: &[Hash]) -> Hash {
    let hash = match entries {
        [] => Sha256::digest([]),
        [only] => Sha256::new().chain_update([0]).chain_update(only.0).finalize(),
        _ => {
            let (left, right) = entries.split_at(split(entries.len()));
            let halves = (tree_hash(left), tree_hash(right));
            Sha256::new().chain_update([1]).chain_update(halves.0.0).chain_update(halves.1.0).finalize()
        }
    };
    Hash(hash.into())
}

/// PATH(m, D), section 2.1.3.1.
fn path(m: usize, entries: &[Hash]) -> Vec<Hash> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let k = split(entries.len());
    let (left, right) = entries.split_at(k);
    if m < k {
        [path(m, left), vec![tree_hash(right)]].concat()
    } else {
        [path(m - k, right), vec![tree_hash(left)]].concat()
    }
}

/// SUBPROOF(m, D, b), section 2.1.4.1.
fn subproof(m: usize, entries: &[Hash], whole: bool) -> Vec<Hash> {
    if m == entries.len() {
        return if whole { Vec::new() } else { vec![tree_hash(entries)] };
    }
    let k = split(entries.len());
    let (left, right) = entries.split_at(k);
    if m <= k {
        [subproof(m, left, whole), vec![tree_hash(right)]].concat()
    } else {
        [subproof(m - k, right, false), vec![tree_hash(left)]].concat()
    }
}

/// The largest power of two smaller than n.
fn split(n: usize) -> usize {
    (0..32).map(|bits| 1 << bits).filter(|&k| k < n).max().expect("n is above 1")
}

fn changed(hash: Hash) -> Hash {
    let mut bytes = hash.0;
    bytes[31] ^= 1;
    Hash(bytes)
}

#[test]
fn a_tree_that_grows_has_the_roots_of_the_standard() {
    let entries = log(70);
    let mut tree = Frontier::default();
    assert_eq!(tree.root(), tree_hash(&[]));
    for size in 1..=entries.len() {
        tree.push(entries[size - 1]);
        assert_eq!((tree.size(), tree.root()), (size as u64, tree_hash(&entries[..size])), "{size}");
    }
}

#[test]
fn proofs_are_those_of_the_standard_and_prove_nothing_else() {
    let mut entries = log(34);
    let roots: Vec<Hash> = (0..=34).map(|size| tree_hash(&entries[..size])).collect();
    for size in 1..=34_usize {
        for m in 0..size {
            let proof = inclusion(&mut entries[..], m as u64, size as u64).unwrap();
            assert_eq!(proof, path(m, &entries[..size]), "{m} in {size}");
            let (entry, m, n, root) = (entries[m], m as u64, size as u64, roots[size]);
            assert!(includes(entry, m, n, &proof, root), "{m} in {n}");
            assert!(!includes(changed(entry), m, n, &proof, root), "another entry at {m} in {n}");
            assert!(!includes(entry, m, n, &proof, changed(root)), "another root, {m} in {n}");
            assert!(!includes(entry, n, n, &proof, root), "an index beyond {n}");
            let others = (0..n).filter(|&other| other != m);
            assert!(others.into_iter().all(|other| !includes(entry, other, n, &proof, root)), "{m} in {n}");
            for i in 0..proof.len() {
                let mut bad = proof.clone();
                bad[i] = changed(bad[i]);
                assert!(!includes(entry, m, n, &bad, root), "another hash at {i}, {m} in {n}");
            }
            assert!(!includes(entry, m, n, &[&proof[..], &[root]].concat(), root), "one more, {m} in {n}");
            assert!(proof.is_empty() || !includes(entry, m, n, &proof[1..], root), "one less, {m} in {n}");
        }
        for m in 1..=size {
            let proof = consistency(&mut entries[..], m as u64, size as u64).unwrap();
            assert_eq!(proof, subproof(m, &entries[..size], true), "{m} before {size}");
            let (old, new) = ((m as u64, roots[m]), (size as u64, roots[size]));
            assert!(extends(old, new, &proof), "{m} before {size}");
            assert!(!extends((old.0, changed(old.1)), new, &proof), "another beginning, {m} before {size}");
            assert!(!extends(old, (new.0, changed(new.1)), &proof), "another end, {m} before {size}");
            assert!(!extends(old, new, &[&proof[..], &[old.1]].concat()), "one more, {m} before {size}");
            for i in 0..proof.len() {
                let mut bad = proof.clone();
                bad[i] = changed(bad[i]);
                assert!(!extends(old, new, &bad), "another hash at {i}, {m} before {size}");
            }
        }
    }
}

/// A tree of which only what is stored can be read: the roots of complete subtrees of 256 and 65,536 entries, and the
/// entries after the last of them.
struct Stored {
    entries: Vec<Hash>,
    subtrees: std::collections::HashMap<(u32, u64), Hash>,
    read: usize,
}

impl Nodes for Stored {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u32, position: u64) -> Result<Hash, Self::Error> {
        self.read += 1;
        Ok(match level {
            0 => self.entries[usize::try_from(position).unwrap()],
            _ => self.subtrees[&(level, position)],
        })
    }
}

#[test]
fn what_is_stored_is_enough_for_every_root_and_proof() {
    let entries = log(66_321);
    let mut tree = Frontier::default();
    let completed: Vec<_> = entries.iter().flat_map(|&entry| tree.push(entry)).collect();
    assert_eq!(completed.len(), 66_321 / 256 + 1);
    let subtrees =
        completed.iter().map(|subtree| ((subtree.level, subtree.position), subtree.hash)).collect();
    let mut stored = Stored { entries: entries.clone(), subtrees, read: 0 };
    assert_eq!(Frontier::load(&mut stored, 66_321).unwrap(), tree);
    assert!(stored.read < 3 * 256, "a start reads {} hashes of {}", stored.read, entries.len());
    for (index, size) in [(0, 66_321), (65_535, 65_536), (65_536, 66_321), (300, 512), (66_320, 66_321)] {
        stored.read = 0;
        let proof = inclusion(&mut stored, index, size).unwrap();
        assert!(stored.read < 6 * 256, "a proof reads {} hashes", stored.read);
        let root = tree_hash(&entries[..usize::try_from(size).unwrap()]);
        assert!(includes(entries[usize::try_from(index).unwrap()], index, size, &proof, root));
    }
}

proptest! {
    #[test]
    fn any_two_sizes_of_a_log_are_consistent(sizes in (1_usize..700, 1_usize..700)) {
        let (first, second) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        let mut entries = log(second);
        let proof = consistency(&mut entries[..], first as u64, second as u64).unwrap();
        let roots = [first, second].map(|size| (size as u64, tree_hash(&entries[..size])));
        prop_assert!(extends(roots[0], roots[1], &proof));
        prop_assert_eq!(root(&mut entries[..], second as u64).unwrap(), roots[1].1);
    }
}
