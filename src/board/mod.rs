//! What reads are answered from: per round an immutable [`Board`] for one committed sequence, swapped whole.
//!
//! A results poll touches no database and takes no lock. The [`Writer`] publishes the next board after each
//! commit and before it answers, so whoever was answered reads the own ballot in the next poll.

mod assertions;
mod boards;
mod body;
mod follower;
mod past;
mod registrar;
mod writer;

pub use assertions::Assertions;
pub use boards::{Board, Boards};
pub use body::{Body, Encoding, Format, Wanted};
pub use follower::Follower;
pub use registrar::{NoRegister, Registrar};
pub use writer::{NotDone, SubmitError, Writer, WriterThread};
