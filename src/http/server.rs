//! Listening, serving, stopping.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, middleware, web};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, Stream, Watch};
use super::stopping::{Order, Signals};
use super::{Site, Stopping, Tls, envelope, metrics, routes};
use crate::observe::traces::Traces;

/// How long requests that have begun may take to finish when the service stops, in seconds.
const DRAIN: u64 = 25;
/// For how long the service answers that it is about to stop before it stops to listen: whoever keeps a connection
/// is told in an answer to let it go, and does not lose a request on it.
const NOTICE: Duration = Duration::from_secs(1);
/// How long the other end may take to close when we have closed.
const CLOSING: Duration = Duration::from_secs(1);

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
    server: Server,
    metrics: Option<Server>,
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
    let builder = Server::build().workers(workers).shutdown_timeout(DRAIN).disable_signals();
    let draining = builder.graceful_shutdown_signal();
    let tls = site.tls.as_ref().map(Tls::acceptor);
    // What `HttpServer` does, around connections of our own.
    let server = builder.listen("handslag", listener, move || {
        let app = App::new()
            .app_data(site.clone())
            .wrap(middleware::from_fn(envelope::envelope))
            .configure(routes::configure);
        let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
        let patience = site.edge.patience;
        let draining = draining.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .client_request_timeout(patience.head)
            .client_disconnect_timeout(CLOSING)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.progress());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let (watch, site, tls) = (Watch::start(patience), site.clone(), tls.clone());
        fn_service(move |stream| accept(stream, site.clone(), tls.clone(), Rc::clone(&watch))).and_then(http)
    });
    let server = server.map_err(|error| ListenError { address, error })?;
    Ok(Running { address, server: server.run(), metrics, traces, stopping, signals })
}

fn listen_for_metrics(listener: TcpListener, site: web::Data<Site>) -> Result<Server, ListenError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|error| ListenError { address: unknown, error })?;
    let server = HttpServer::new(move || App::new().app_data(site.clone()).configure(metrics::configure))
        .workers(1)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals();
    let server = server.listen(listener).map_err(|error| ListenError { address, error })?;
    Ok(server.run())
}

/// Takes a connection, unless its address has too many: then it is closed, which costs us least.
async fn accept(
    stream: TcpStream,
    site: web::Data<Site>,
    tls: Option<TlsAcceptor>,
    watch: Rc<Watch>,
) -> Result<Accepted, DispatchError> {
    let peer = stream.peer_addr()?;
    let place = site.limiter.enter(peer.ip())?;
    let stream = match tls {
        None => Stream::Plain(stream),
        Some(tls) => {
            let shaken = timeout(site.edge.patience.head, tls.accept(stream)).await;
            Stream::Secure(Box::new(shaken.map_err(|_| DispatchError::SlowRequestTimeout)??))
        }
    };
    Ok((Connection::new(stream, &watch, place), Protocol::Http1, Some(peer)))
}

/// What the HTTP below us wants of a connection.
type Accepted = (Connection, Protocol, Option<SocketAddr>);
