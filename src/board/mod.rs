//! What reads are answered from: per round an immutable [`Board`] for one committed sequence, swapped whole.
//!
//! A results poll touches no database and takes no lock. The [`Writer`] publishes the next board after each
//! commit and before it answers, so whoever was answered reads the own ballot in the next poll.

mod assertions;
mod audit;
mod boards;
mod body;
mod bounds;
mod busy;
mod follower;
mod gate;
mod looked;
mod looks;
mod past;
mod registrar;
mod told;
mod writer;

pub use assertions::Assertions;
pub use audit::{AuditThread, AuditTrail, Keeping, Weight};
pub use boards::{AsOf, Board, Boards, Counted};
pub use body::{Body, Encoding, Format, Wanted};
pub use bounds::Bounds;
pub use follower::Follower;
pub use gate::{Gate, Gates, Undone};
pub use registrar::{NoRegister, Registrar};
pub use writer::{NotDone, SubmitError, Writer, WriterThread};
