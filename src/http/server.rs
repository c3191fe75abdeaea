//! Listening, serving, stopping.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, middleware, web};
use tokio::time::sleep;

use super::stopping::{Order, Signals};
use super::{Site, Stopping, envelope, metrics, routes};
use crate::observe::traces::Traces;

/// How long requests that have begun may take to finish when the service stops, in seconds.
const DRAIN: u64 = 25;
/// For how long the service answers that it is about to stop before it stops to listen: whoever keeps a connection
/// is told in an answer to let it go, and does not lose a request on it.
const NOTICE: Duration = Duration::from_secs(1);

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
    metrics: Option<actix_web::dev::Server>,
    traces: Traces,
    stopping: Stopping,
    signals: Option<Signals>,
}

/// How the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everybody has been answered, or the time for that was up.
    InOrder,
    /// It was told not to wait.
    AtOnce,
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
    pub async fn serve(mut self) -> std::io::Result<Ended> {
        let traces = self.traces.clone();
        let metrics = self.metrics.take().map(|server| (server.handle(), actix_web::rt::spawn(server)));
        let ended = self.serve_api().await;
        if let Some((handle, server)) = metrics {
            // To the end somebody may want to see how it ends. What it holds of the site must be gone then.
            handle.stop(false).await;
            let _ = server.await;
        }
        if matches!(ended, Ok(Ended::InOrder)) {
            let _ = web::block(move || traces.finish()).await;
        }
        ended
    }

    async fn serve_api(self) -> std::io::Result<Ended> {
        let Self { server, stopping, signals, .. } = self;
        let Some(mut signals) = signals else { return server.await.map(|()| Ended::InOrder) };
        let handle = server.handle();
        let mut server = pin!(server);
        let order = tokio::select! {
            ended = &mut server => return ended.map(|()| Ended::InOrder),
            order = signals.next() => order,
        };
        if order == Order::AtOnce {
            return Ok(Ended::AtOnce);
        }
        tracing::info!("stopping: no new work, streams end");
        stopping.begin();
        let stop = async {
            sleep(NOTICE).await;
            handle.stop(true).await;
        };
        // A server that is let go of closes what is open.
        tokio::select! {
            (ended, ()) = async { tokio::join!(server, stop) } => ended.map(|()| Ended::InOrder),
            _ = signals.next() => Ok(Ended::AtOnce),
        }
    }

    /// A way to stop it from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// A way to tell everybody that it is about to end.
    pub fn stopping(&self) -> Stopping {
        self.stopping.clone()
    }
}

/// Begins to listen; `signals` says whether those of the system stop it: SIGTERM and SIGINT in order, SIGQUIT and any
/// further one at once. Metrics are told on a port of their own, by a thread of their own: also where all workers are
/// busy, and to nobody who can reach the API alone. Must be called in an actix system.
///
/// # Errors
/// [`ListenError`].
pub fn listen(
    listener: TcpListener,
    metrics: Option<TcpListener>,
    site: Site,
    workers: usize,
    signals: bool,
) -> Result<Running, ListenError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|error| ListenError { address: unknown, error })?;
    let signals = signals.then(Signals::take).transpose();
    let signals = signals.map_err(|error| ListenError { address, error })?;
    let (stopping, traces) = (site.stopping.clone(), site.traces.clone());
    let site = web::Data::new(site);
    let metrics = metrics.map(|listener| listen_for_metrics(listener, site.clone())).transpose()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .wrap(middleware::from_fn(envelope::envelope))
            .configure(routes::configure)
    })
    .workers(workers)
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(DRAIN)
    .disable_signals();
    let server = server.listen(listener).map_err(|error| ListenError { address, error })?;
    Ok(Running { address, server: server.run(), metrics, traces, stopping, signals })
}

fn listen_for_metrics(
    listener: TcpListener,
    site: web::Data<Site>,
) -> Result<actix_web::dev::Server, ListenError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|error| ListenError { address: unknown, error })?;
    let server = HttpServer::new(move || App::new().app_data(site.clone()).configure(metrics::configure))
        .workers(1)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals();
    let server = server.listen(listener).map_err(|error| ListenError { address, error })?;
    Ok(server.run())
}
