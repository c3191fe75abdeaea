//! How much may wait, and for how long.

use std::time::Duration;

/// What bounds waiting. The defaults are those of the service; tests have shorter ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many may wait for the writer.
    pub queue: usize,
    /// How long an answer of the writer is waited for.
    pub answer: Duration,
    /// How long costly reading and counting waits for its turn.
    pub turn: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // At ten thousand ballots a second, a tenth of a second's worth.
            queue: 1_024,
            // Storage that hangs must not hang everybody.
            answer: Duration::from_secs(20),
            turn: Duration::from_secs(5),
        }
    }
}
