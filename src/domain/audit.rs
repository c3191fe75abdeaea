//! The audit trail's words: who did what when, and what became of it. Never a token, a body or a person's name.

use super::{Hash, Instant, ParticipantCode, RoundId};

/// Which way something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Over HTTP.
    Http,
    /// By a command on a machine of the operator's.
    Cli,
    /// By the service itself.
    Service,
}

impl Channel {
    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Cli => "cli",
            Self::Service => "service",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Accepted,
    /// It was not done, because of who asked or what was asked for.
    Refused,
    /// The service failed; whether it was done may have to be asked.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Failed];

    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The outcome that an HTTP status tells of.
    pub const fn of_status(status: u16) -> Self {
        match status {
            ..400 => Self::Accepted,
            400..500 => Self::Refused,
            500.. => Self::Failed,
        }
    }
}

/// Who asked, as a believed token says; of somebody without one only the address is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Who vouches for it.
    pub issuer: Option<String>,
    /// The client that the token was issued to.
    pub client: Option<String>,
    /// The participant that the token is bound to.
    pub organisation: Option<ParticipantCode>,
    /// The token's subject: a pseudonym.
    pub subject: Option<String>,
    /// The network address, kept only of callers that no token was believed of.
    pub address: Option<String>,
}

impl Actor {
    /// Whether a token, or a client's own word that was checked, says who it is.
    pub const fn is_known(&self) -> bool {
        self.issuer.is_some() || self.client.is_some()
    }
}

/// What it was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// A round.
    pub round: Option<RoundId>,
    /// A participant's ballot or token.
    pub participant: Option<ParticipantCode>,
    /// Another thing that has a public id, such as a client.
    pub id: Option<String>,
}

/// Something that somebody did, or tried to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When; of several that were alike, the last.
    pub at: Instant,
    /// Which way it came.
    pub channel: Channel,
    /// Who.
    pub actor: Actor,
    /// What: method and path as the API document has it, or the command.
    pub operation: String,
    /// About what.
    pub target: Target,
    /// What became of it.
    pub outcome: Outcome,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The problem type, or why a token was not believed.
    pub problem: Option<Problem>,
    /// The trace that it was part of.
    pub trace: Option<String>,
    /// How many that were alike it stands for.
    pub count: u64,
}

/// What stood in the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The last part of the problem type's URI.
    pub slug: &'static str,
    /// What the caller is not told: why its token was not believed.
    pub reason: Option<String>,
}

/// That the oldest entries were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// How many.
    pub count: u64,
    /// The number of the newest of them.
    pub through: u64,
    /// Its hash: what the entries that are left follow on.
    pub hash: Hash,
}

/// An act with its place in the trail, as it is stored and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1, without gaps.
    pub sequence: u64,
    /// What is searched by; it says what the canonical text says.
    pub columns: AuditColumns,
    /// The entry as canonical JSON (RFC 8785).
    pub canonical: String,
    /// SHA-256 over the hash before it and the canonical JSON.
    pub hash: Hash,
}

/// What entries are searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditColumns {
    /// When.
    pub at: Instant,
    /// What.
    pub operation: String,
    /// What became of it.
    pub outcome: String,
    /// By which client.
    pub client: Option<String>,
    /// About which client, or other thing with a public id.
    pub target: Option<String>,
    /// For which participant.
    pub organisation: Option<String>,
    /// About which round.
    pub round: Option<String>,
    /// About which participant.
    pub participant: Option<String>,
    /// Up to where entries may be removed, in a checkpoint.
    pub covers: Option<u64>,
}

/// Which entries are asked for; what is absent is not asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before.
    pub from: Option<Instant>,
    /// Before.
    pub to: Option<Instant>,
    /// This operation.
    pub operation: Option<String>,
    /// This outcome.
    pub outcome: Option<String>,
    /// By this client, or about it.
    pub client: Option<String>,
    /// By this participant, or about it.
    pub participant: Option<String>,
    /// About this round.
    pub round: Option<String>,
}
