//! The only place that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use crate::domain::Instant;

/// A source of time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock; when writing to PostgreSQL the database's, which all instances share.
    System,
    /// A clock that stands where it was put, in microseconds since 1970: for tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at this moment.
    pub fn at(moment: Instant) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(moment.utc().timestamp_micros())))
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
            Self::System => Instant::new(Utc::now()),
            Self::Manual(micros) => Instant::new(
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).expect("put there by a test"),
            ),
        }
    }

    /// The time for a write, of which the database that several processes share may have its own.
    pub(super) fn for_write(&self, database: Option<Instant>) -> Instant {
        match self {
            Self::System => database.unwrap_or_else(|| self.now()),
            Self::Manual(_) => self.now(),
        }
    }
}
