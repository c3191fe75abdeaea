//! Whether the writer is at work, and since when: what a health check asks, since a database that hangs says nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// Since when the writer is at its present piece of work, if it is at one.
#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<Option<Monotonic>>);

impl Busy {
    pub(super) fn set(&self, since: Option<Monotonic>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// For how long it has been at it.
    pub(super) fn time(&self) -> Duration {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
