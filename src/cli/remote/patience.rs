//! How often and how long a command tries again, and that it says so.

use std::time::Duration;

use crate::cli::Failure;
use crate::export::Language;

/// How often a thing is tried again.
const TIMES: u32 = 5;
/// The longest pause that is waited for, in seconds.
const LONGEST: u64 = 30;
/// How long to wait after a connection was lost, in seconds.
const AFTER_LOSS: u64 = 1;

/// What is left of it for one thing.
pub(super) struct Patience {
    language: Language,
    used: u32,
}

impl Patience {
    pub(super) fn new(language: Language) -> Self {
        Self { language, used: 0 }
    }

    /// The service has asked to come back in so many seconds.
    pub(super) fn busy(&mut self, seconds: u64) -> Result<(), Failure> {
        let why = self.language.pick("tjänsten är upptagen", "the service is busy");
        self.wait(why, seconds)
    }

    /// The connection was lost.
    pub(super) fn lost(&mut self, why: &str) -> Result<(), Failure> {
        self.wait(why, AFTER_LOSS)
    }

    fn wait(&mut self, why: &str, seconds: u64) -> Result<(), Failure> {
        if seconds > LONGEST {
            return Err(Failure::failed(self.language.pick(
                format!("{why}; försök igen om {seconds} s"),
                format!("{why}; try again in {seconds} s"),
            )));
        }
        if self.used == TIMES {
            return Err(Failure::failed(why));
        }
        self.used += 1;
        let used = self.used;
        eprintln!(
            "handslag: {}",
            self.language.pick(
                format!("{why}; försöker igen om {seconds} s ({used} av {TIMES})"),
                format!("{why}; trying again in {seconds} s ({used} of {TIMES})"),
            )
        );
        std::thread::sleep(Duration::from_secs(seconds));
        Ok(())
    }
}
