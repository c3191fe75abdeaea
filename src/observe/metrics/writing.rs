//! What the writer does: its queue, its batches, its transactions, what it accepted.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use super::{counters, gauge, histogram, whole};

/// Upper bounds in jobs.
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// Upper bounds in seconds: a flush to a good disk takes a millisecond or two, a lock or a hanging server seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// What a ballot that was accepted is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The participant had none.
    First,
    /// It replaces the one before.
    Replacing,
    /// It takes the one before back.
    Withdrawal,
}

/// Why storage failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The database is away.
    Connection,
    /// There is no room.
    Full,
    /// The commit was not confirmed.
    Unconfirmed,
    /// Something else.
    Other,
}

/// What the writer does.
#[derive(Debug)]
pub struct Writing {
    waiting: IntGauge,
    places: IntGauge,
    sizes: Histogram,
    seconds: Histogram,
    accepted: [IntCounter; 3],
    failures: [IntCounter; 4],
}

impl Writing {
    pub(super) fn new(registry: &Registry) -> Self {
        let accepted = counters(
            registry,
            "handslag_ballots_accepted_total",
            "Ballots that were committed: a participant's first, one that replaces another, a withdrawal.",
            &["kind"],
        );
        let failures = counters(
            registry,
            "handslag_writer_failures_total",
            "Transactions of the writer that storage made fail, each attempt counted.",
            &["reason"],
        );
        Self {
            waiting: gauge(registry, "handslag_writer_queue_length", "Work that waits for the writer."),
            places: gauge(registry, "handslag_writer_queue_places", "How much may wait for the writer."),
            sizes: histogram(
                registry,
                "handslag_writer_batch_size",
                "How much work the writer took at once.",
                &SIZES,
            ),
            seconds: histogram(
                registry,
                "handslag_writer_commit_duration_seconds",
                "Time of a transaction of the writer, from its beginning until its commit is on disk.",
                &SECONDS,
            ),
            accepted: ["first", "replacing", "withdrawal"].map(|kind| accepted.with_label_values(&[kind])),
            failures: ["connection", "full", "unconfirmed", "other"]
                .map(|reason| failures.with_label_values(&[reason])),
        }
    }

    /// Says how much may wait.
    pub fn places(&self, places: usize) {
        self.places.set(whole(places));
    }

    /// One more waits.
    pub fn enters(&self) {
        self.waiting.inc();
    }

    /// One more found no place.
    pub fn is_sent_away(&self) {
        self.waiting.dec();
    }

    /// The writer takes so many at once.
    pub fn takes(&self, batch: usize) {
        self.waiting.sub(whole(batch));
        self.sizes.observe(u32::try_from(batch).map_or(f64::MAX, f64::from));
    }

    /// A transaction was committed.
    pub fn commits(&self, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
    }

    /// A transaction failed.
    pub fn fails(&self, why: Failed) {
        self.failures[why as usize].inc();
    }

    /// A ballot was accepted.
    pub fn accepts(&self, what: Taken) {
        self.accepted[what as usize].inc();
    }
}
