//! The orderly stop: who must know of it, and what tells the process.

use actix_web::http::header;
use tokio::sync::watch;

use super::problem::{Problem, UNAVAILABLE};

/// Whether the service is about to end: it takes no new work then, and ends its streams.
#[derive(Clone, Debug, Default)]
pub struct Stopping(watch::Sender<bool>);

impl Stopping {
    /// Tells everybody.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// For those who wait for it.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }

    /// What a new piece of work is answered: another process, or this one's successor, may take it.
    pub(super) fn refusal() -> Problem {
        let problem = Problem::new(
            &UNAVAILABLE,
            "Tjänsten är på väg att stanna. Inget har sparats. Försök igen om en stund.",
            "The service is about to stop. Nothing was stored. Try again in a moment.",
        );
        problem.header(header::RETRY_AFTER, "2")
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// To finish what has begun.
    InOrder,
    /// Not to wait for anything.
    AtOnce,
}

/// The signals of the system that are listened for.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes them over from the system, which would end the process.
    pub(super) fn take() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::InOrder,
            _ = self.interrupt.recv() => Order::InOrder,
            _ = self.quit.recv() => Order::AtOnce,
        }
    }
}

/// The one signal that there is elsewhere.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn take() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Order {
        // Without it nobody could stop the service in order, and it goes on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Order::InOrder
    }
}
