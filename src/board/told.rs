//! Faults that last: each is told once, and again when it has been away.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The faults that there were last.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// Takes the faults that there are now, and gives those that are new.
    pub(super) fn news(&self, faults: impl IntoIterator<Item = String>) -> Vec<String> {
        let faults: BTreeSet<String> = faults.into_iter().collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = faults.difference(&known).cloned().collect();
        *known = faults;
        news
    }
}
