//! Counting requests: buckets that fill by themselves, in a table that never grows.
//!
//! Each slot holds one number: when its bucket is full again (the generic cell rate algorithm, as in ATM Forum
//! AF-TM-0121, section 4.4.2). A caller's slot is a keyed hash of its name. Two callers may share one, which none can
//! bring about on purpose; they have one bucket between them then. So whoever comes under a million names takes no
//! memory, and there is nothing to clean up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant as Monotonic};

use crate::config::Rate;

/// How many slots there are, as a power of two: of a thousand callers at once, 15 share theirs.
const BITS: u32 = 16;
const SECOND: u64 = 1_000_000_000;

/// Buckets of one size, one for each caller.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) rate: Rate,
    began: Monotonic,
    /// For each, when it is full again, in nanoseconds since the beginning.
    full: Box<[AtomicU64]>,
}

/// How a caller's bucket is after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// How many requests may follow at once.
    pub(super) left: u64,
    /// How long it takes until it is full.
    pub(super) full: Duration,
}

/// There was nothing in the bucket; how long that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Empty {
    pub(super) wait: Duration,
    pub(super) level: Level,
}

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        let full = std::iter::repeat_with(AtomicU64::default).take(1 << BITS).collect();
        Self { rate, began: Monotonic::now(), full }
    }

    /// Takes one request out of the bucket of whoever has this hash.
    ///
    /// # Errors
    /// [`Empty`].
    pub(super) fn take(&self, hash: u64) -> Result<Level, Empty> {
        let slot = self.slot(hash);
        let now = u64::try_from(self.began.elapsed().as_nanos()).expect("five hundred years");
        let step = self.step();
        let whole = step * u64::from(self.rate.burst);
        let mut known = slot.load(Relaxed);
        loop {
            let missing = known.saturating_sub(now) + step;
            if missing > whole {
                let level = Level { left: 0, full: Duration::from_nanos(missing - step) };
                return Err(Empty { wait: Duration::from_nanos(missing - whole), level });
            }
            match slot.compare_exchange_weak(known, now + missing, Relaxed, Relaxed) {
                Ok(_) => {
                    return Ok(Level { left: (whole - missing) / step, full: Duration::from_nanos(missing) });
                }
                Err(newer) => known = newer,
            }
        }
    }

    /// Puts back what was taken for one request.
    pub(super) fn give_back(&self, hash: u64) {
        // A bucket that was full in the past is full.
        let earlier = |full: u64| Some(full.saturating_sub(self.step()));
        let _ = self.slot(hash).fetch_update(Relaxed, Relaxed, earlier);
    }

    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.full[usize::try_from(hash >> (u64::BITS - BITS)).expect("16 bits")]
    }

    fn step(&self) -> u64 {
        SECOND / u64::from(self.rate.per_second)
    }
}
