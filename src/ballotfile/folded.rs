//! A fast hash for short keys, seeded anew in every run so that no file can be made to collide.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers with one seed.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    seed: u64,
}

impl Folded {
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new().hash_one(0_u64) }
    }
}

impl BuildHasher for Folded {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold(self.seed)
    }
}

/// Folded multiplication, eight bytes at a time.
#[derive(Debug)]
pub(super) struct Fold(u64);

impl Fold {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = low(product) ^ low(product >> 64);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the half is meant")]
const fn low(number: u128) -> u64 {
    number as u64
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.fold(u64::from_le_bytes(last));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.fold(number.into());
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
