//! What stands at the moment of being asked. It is made anew each time, so that what is gone is not told any more.

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntGaugeVec, Opts, Registry};

use super::{gauge, process, registered, whole};

/// A round, as its newest board says.
#[derive(Debug)]
pub struct RoundMoment {
    /// Its id.
    pub id: String,
    /// The number of its newest log entry.
    pub sequence: u64,
    /// When that was accepted, in seconds since 1970.
    pub changed: Option<i64>,
    /// How many have a ballot.
    pub ballots: usize,
    /// When it closes, in seconds since 1970, if it is open.
    pub closes: Option<i64>,
}

/// The connections of readers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connections {
    /// How many are in use.
    pub used: u32,
    /// How many are not.
    pub idle: u32,
    /// How many threads wait for one.
    pub waiting: usize,
    /// How many there may be.
    pub most: u32,
}

/// What stands at one moment.
#[derive(Debug)]
pub struct Moment {
    /// The parts of the instance, and whether each is well.
    pub parts: Vec<(&'static str, bool)>,
    /// Whether it takes requests.
    pub is_ready: bool,
    /// How long ago the boards were last compared with the database.
    pub followed: Duration,
    /// How long ago the register of clients and keys was.
    pub registered: Duration,
    /// How long ago the audit trail held everything that was to be recorded.
    pub audited: Duration,
    /// How many listen for results.
    pub listeners: usize,
    /// The connections of readers.
    pub connections: Connections,
    /// The rounds that are told of.
    pub rounds: Vec<RoundMoment>,
}

impl Moment {
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        let registry = Registry::new();
        gauge(&registry, "handslag_ready", "Whether /readyz says 200.").set(i64::from(self.is_ready));
        let parts = labelled(&registry, "handslag_part_well", "Whether a part is well.", "part");
        for (part, is_well) in &self.parts {
            parts.with_label_values(&[part]).set(i64::from(*is_well));
        }
        let help = "Time since the boards were last compared with the database: they may be as old as that.";
        let followed = registered(&registry, Gauge::new("handslag_board_age_seconds", help));
        followed.set(self.followed.as_secs_f64());
        let help = "Time since the register of clients and keys was last compared with the database.";
        let age = registered(&registry, Gauge::new("handslag_register_age_seconds", help));
        age.set(self.registered.as_secs_f64());
        let help = "Time since the audit trail last held everything that was to be recorded.";
        let age = registered(&registry, Gauge::new("handslag_audit_age_seconds", help));
        age.set(self.audited.as_secs_f64());
        gauge(&registry, "handslag_listeners", "Open streams of results.").set(whole(self.listeners));
        self.gather_connections(&registry);
        self.gather_rounds(&registry);
        process::gather(&registry);
        registry.gather()
    }

    fn gather_connections(&self, registry: &Registry) {
        let Connections { used, idle, waiting, most } = self.connections;
        let name = "handslag_database_connections";
        let connections = labelled(registry, name, "Connections of readers to the database.", "state");
        connections.with_label_values(&["used"]).set(used.into());
        connections.with_label_values(&["idle"]).set(idle.into());
        let name = "handslag_database_connections_max";
        gauge(registry, name, "How many connections readers may have.").set(most.into());
        let name = "handslag_database_connections_waiting";
        gauge(registry, name, "Readers that wait for a connection.").set(whole(waiting));
    }

    fn gather_rounds(&self, registry: &Registry) {
        let made = |name, help| labelled(registry, name, help, "round");
        let sequences = made("handslag_board_sequence", "The number of the round's newest log entry here.");
        let changes = made(
            "handslag_board_timestamp_seconds",
            "When the round's newest log entry here was accepted, in seconds since 1970.",
        );
        let ballots = made("handslag_round_ballots", "Participants of the round that have a ballot.");
        let closings = made(
            "handslag_round_closes_timestamp_seconds",
            "When the round closes, in seconds since 1970; open rounds only.",
        );
        for round in &self.rounds {
            let id = &[&*round.id];
            sequences.with_label_values(id).set(i64::try_from(round.sequence).unwrap_or(i64::MAX));
            ballots.with_label_values(id).set(whole(round.ballots));
            if let Some(changed) = round.changed {
                changes.with_label_values(id).set(changed);
            }
            if let Some(closes) = round.closes {
                closings.with_label_values(id).set(closes);
            }
        }
    }
}

fn labelled(registry: &Registry, name: &str, help: &str, label: &str) -> IntGaugeVec {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), &[label]))
}
