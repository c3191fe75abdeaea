//! When something was last looked at.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// How old what is known of the database may be until that is not well: a new connection is tried each second.
const LONG: Duration = Duration::from_secs(10);

/// When something was last compared with the database.
#[derive(Debug)]
pub(super) struct Looked(Mutex<Monotonic>);

impl Looked {
    /// Just now.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Monotonic::now()))
    }

    pub(super) fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Monotonic::now();
    }

    /// How long ago that was.
    pub(super) fn age(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether that is not long ago.
    pub(super) fn is_recent(&self) -> bool {
        self.age() < LONG
    }
}
