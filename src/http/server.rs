//! Listening, serving, stopping.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, middleware, web};

use super::{Site, envelope, routes};

/// How long requests that have begun may take to finish when the service stops, in seconds.
const DRAIN: u64 = 25;

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub error: std::io::Error,
}

/// A service that listens.
pub struct Running {
    /// The address, with the port that the system chose if it was to choose.
    pub address: SocketAddr,
    server: actix_web::dev::Server,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({})", self.address)
    }
}

impl Running {
    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// What the system says.
    pub async fn serve(self) -> std::io::Result<()> {
        self.server.await
    }

    /// A way to stop it from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }
}

/// Begins to listen; `signals` says whether SIGTERM and SIGINT stop it. Must be called in an actix system.
///
/// # Errors
/// [`ListenError`].
pub fn listen(
    listener: TcpListener,
    site: Site,
    workers: usize,
    signals: bool,
) -> Result<Running, ListenError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|error| ListenError { address: unknown, error })?;
    let site = web::Data::new(site);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .wrap(middleware::from_fn(envelope::envelope))
            .configure(routes::configure)
    })
    .workers(workers)
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(DRAIN);
    let server = if signals { server } else { server.disable_signals() };
    let server = server.listen(listener).map_err(|error| ListenError { address, error })?;
    Ok(Running { address, server: server.run() })
}
