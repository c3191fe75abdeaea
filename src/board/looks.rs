//! Waiting for the next look at something that is looked at again and again: any number may wait for the same one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that anybody waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// Counts looks.
#[derive(Debug)]
pub(super) struct Looks {
    begun: AtomicU64,
    /// The number of the last that was finished.
    finished: watch::Sender<u64>,
}

impl Looks {
    pub(super) fn new() -> Self {
        Self { begun: AtomicU64::new(0), finished: watch::Sender::new(0) }
    }

    /// Begins one, and gives its number.
    pub(super) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// One has seen what there is.
    pub(super) fn finish(&self, number: u64) {
        self.finished.send_replace(number);
    }

    /// Waits for one that begins from now on; says whether it came in time.
    pub(super) async fn next(&self) -> bool {
        let begun = self.begun.load(Ordering::SeqCst);
        let mut finished = self.finished.subscribe();
        let later = finished.wait_for(|number| *number > begun);
        matches!(timeout(PATIENCE, later).await, Ok(Ok(_)))
    }
}
