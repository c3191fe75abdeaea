//! Refusals: problems by type, ballots by reason, tokens by reason.

use prometheus::{IntCounterVec, Registry};

use super::counters;

/// What was refused. A type of problem that comes to be, such as for limits, is counted without more ado.
#[derive(Debug)]
pub struct Refusals {
    problems: IntCounterVec,
    ballots: IntCounterVec,
    faults: IntCounterVec,
    tokens: IntCounterVec,
}

impl Refusals {
    pub(super) fn new(registry: &Registry, known: &[&str]) -> Self {
        let made = |name, help, label| counters(registry, name, help, &[label]);
        let problems =
            made("handslag_http_problems_total", "Requests that were answered with a problem.", "type");
        let ballots = made(
            "handslag_ballots_refused_total",
            "Submissions and withdrawals that were not accepted, by type of problem.",
            "reason",
        );
        let faults =
            made("handslag_ballot_faults_total", "Faults of ballots that were refused as invalid.", "code");
        let tokens = made("handslag_tokens_refused_total", "Access tokens that were not believed.", "reason");
        for slug in known {
            // From the start at zero: what appears with its first increase has none that could be seen.
            problems.with_label_values(&[slug]);
            ballots.with_label_values(&[slug]);
        }
        Self { problems, ballots, faults, tokens }
    }

    /// Counts a request that was answered with this type of problem.
    pub fn problem(&self, slug: &'static str) {
        self.problems.with_label_values(&[slug]).inc();
    }

    /// Counts a submission or withdrawal that was not accepted, with the codes of its faults.
    pub fn ballot(&self, slug: &'static str, codes: impl Iterator<Item = &'static str>) {
        self.ballots.with_label_values(&[slug]).inc();
        for code in codes {
            self.faults.with_label_values(&[code]).inc();
        }
    }

    /// Counts a token that was not believed.
    pub fn token(&self, reason: &'static str) {
        self.tokens.with_label_values(&[reason]).inc();
    }
}
