//! The words of the service as types: rounds, participants, ballots, events.
//!
//! Text becomes one of these types once, at the edge; after that nobody checks it again. States are
//! enums and steps are pure functions with typed refusals. This layer knows no clock, no JSON, no
//! database and no HTTP: whoever calls passes the time in.

pub mod audit;
mod ballot;
mod client;
mod event;
mod fraction;
mod ids;
mod initiative;
mod instant;
mod participant;
mod round;
mod scope;

pub use ballot::{
    Ballot, BallotFault, Engagement, LONGEST_COMMENT, LONGEST_REFERENCE, Precondition, Ranking, Submission,
    Where,
};
pub use client::{AuthMethod, Client, ClientKind, Credential, TokenKey};
pub use event::{Event, Hash, LogEntry, Nonce, PrivateText, Receipt, Sealed, Subtree};
pub use fraction::Points;
pub use ids::{ClientId, IdFault, InitiativeId, ParticipantCode, ParticipantKind, RoundId};
pub use initiative::{Initiative, InitiativeStatus, Slate};
pub use instant::Instant;
pub use participant::{Membership, Participant, Roll};
pub use round::{
    BallotBook, Bounds, Definition, DefinitionFault, LadderStep, MAX_INITIATIVES, MAX_PARTICIPANTS, Refusal,
    Round, Sequence, State, Titles, Visibility,
};
pub use scope::{Scope, Scopes};
