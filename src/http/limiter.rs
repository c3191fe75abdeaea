//! How much each caller has asked for, and the refusal when it is too much.
//!
//! Every request is counted for the address that it is from, before anything is read of it; one with a token, or for one,
//! also for the client that the token is of. The fields are those of draft-ietf-httpapi-ratelimit-headers-11. They come with a refusal
//! and with the answer to a write, not with a poll: polls are most of all traffic, and most have no token.

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant as Monotonic};

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use ipnet::IpNet;
use tokio::time::sleep;

use super::address;
use super::buckets::{Buckets, Empty, Level};
use super::crowd::{Crowd, Place};
use super::problem::{Problem, TOO_MANY_REQUESTS};
use crate::config::{Edge, Rate};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How many secrets of one client that are wrong an address may show.
const ATTEMPTS: Rate = Rate { per_second: 1, burst: 10 };
/// How many secrets that are wrong an address may show. It takes 20 ms of a core to see that one is.
const WRONG_SECRETS: Rate = Rate { per_second: 1, burst: 100 };
/// How many times as many connections as requests an address may open: so many that whoever opens one for each request
/// is told that there were too many requests.
const CONNECTIONS: u32 = 4;
/// How long a refusal is kept back.
const KEPT_BACK: Duration = Duration::from_millis(100);

/// Counts requests.
#[derive(Debug)]
pub struct Limiter {
    counts: Option<Counts>,
    trusted: Vec<IpNet>,
    connections: Crowd,
    streams: Crowd,
}

#[derive(Debug)]
struct Counts {
    clients: Buckets,
    addresses: Buckets,
    attempts: Buckets,
    connections: Buckets,
    secrets: Buckets,
    hash: RandomState,
    refused: Refused,
}

impl Limiter {
    /// Nobody has asked for anything yet.
    pub fn new(edge: &Edge) -> Self {
        let counts = edge.limits.enabled.then(|| Counts {
            clients: Buckets::new(edge.limits.client),
            addresses: Buckets::new(edge.limits.address),
            attempts: Buckets::new(ATTEMPTS),
            connections: Buckets::new(times(edge.limits.address, CONNECTIONS)),
            secrets: Buckets::new(WRONG_SECRETS),
            hash: RandomState::new(),
            refused: Refused::default(),
        });
        let most = if edge.limits.enabled { edge.limits.address_connections } else { u32::MAX };
        let (connections, streams) = (Crowd::new(most), Crowd::new(most));
        Self { counts, trusted: edge.trusted_proxies.clone(), connections, streams }
    }

    /// A place for one more connection from an address; a proxy that is trusted needs none.
    ///
    /// # Errors
    /// If it has too many, or opens them too often: each costs us something, also one on which nothing is asked.
    pub(super) fn enter(&self, peer: IpAddr) -> std::io::Result<Option<Place>> {
        if self.trusts(peer) {
            return Ok(None);
        }
        let peer = address::counted(peer);
        if let Some(counts) = &self.counts
            && counts.connections.take(counts.hash.hash_one(peer)).is_err()
        {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let place = self.connections.enter(peer);
        place.map(Some).ok_or_else(|| ErrorKind::QuotaExceeded.into())
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&peer.to_canonical()))
    }

    /// Keeps back the refusal of what was too much. Whoever asks again as soon as it is answered then asks ten times a
    /// second on each connection, and not thousands of times. Not so behind a proxy that is trusted: its connections
    /// are for the others too.
    pub(super) async fn keep_back(&self, peer: Option<SocketAddr>) {
        if peer.is_some_and(|peer| !self.trusts(peer.ip())) {
            sleep(KEPT_BACK).await;
        }
    }

    /// A place for one more stream to whoever a request is from, if there is one.
    pub(super) fn enter_stream(&self, request: &HttpRequest) -> Option<Place> {
        self.streams.enter(address::counted(self.caller(request.peer_addr(), request.headers())))
    }

    /// Whom a request is from.
    pub(super) fn caller(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
        address::of_caller(peer, headers, &self.trusted)
    }

    /// Counts a request for the address that it is from.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(super) fn count_address(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(counts) = &self.counts else { return Ok(()) };
        let caller = address::counted(self.caller(peer, headers));
        counts.addresses.take(counts.hash.hash_one(caller)).map(drop).map_err(|empty| {
            counts.refused.tell(|refused| {
                tracing::warn!(address = %caller, refused, "too many requests");
            });
            TooMany { said: Said::new("address", counts.addresses.rate, empty.level), empty }.into()
        })
    }

    /// Whether the address that a request is from may have a secret compared. It counts as a wrong one until it is
    /// known to be right.
    pub(super) fn count_secret(&self, request: &HttpRequest) -> bool {
        self.of_secrets(request).is_none_or(|(secrets, hash)| secrets.take(hash).is_ok())
    }

    /// The secret of a client was right.
    pub(super) fn was_right(&self, client: &str, request: &HttpRequest) {
        if let Some((secrets, hash)) = self.of_secrets(request) {
            secrets.give_back(hash);
        }
        if let Some(counts) = &self.counts {
            let address = address::counted(self.caller(request.peer_addr(), request.headers()));
            counts.attempts.give_back(counts.hash.hash_one((address, client)));
        }
    }

    fn of_secrets(&self, request: &HttpRequest) -> Option<(&Buckets, u64)> {
        let counts = self.counts.as_ref()?;
        let caller = address::counted(self.caller(request.peer_addr(), request.headers()));
        Some((&counts.secrets, counts.hash.hash_one(caller)))
    }

    /// Counts a request for the client that its token is of, or is to be of.
    ///
    /// # Errors
    /// If it has asked for too much.
    pub(super) fn count_client(
        &self,
        issuer: &str,
        subject: &str,
        request: &HttpRequest,
    ) -> Result<(), TooMany> {
        let Some(counts) = &self.counts else { return Ok(()) };
        let level = counts.clients.take(counts.hash.hash_one((issuer, subject))).map_err(|empty| {
            counts.refused.tell(|refused| {
                tracing::warn!(issuer, subject, refused, "too many requests");
            });
            TooMany { said: Said::new("client", counts.clients.rate, empty.level), empty }
        })?;
        if !request.method().is_safe() {
            request.extensions_mut().insert(Said::new("client", counts.clients.rate, level));
        }
        Ok(())
    }

    /// Counts that somebody tries a secret of a client, before it is compared: as a wrong one until it is known to be
    /// right.
    ///
    /// # Errors
    /// If this was tried too often from this address.
    pub(super) fn count_attempt(&self, client: &str, request: &HttpRequest) -> Result<(), TooMany> {
        let Some(counts) = &self.counts else { return Ok(()) };
        let address = address::counted(self.caller(request.peer_addr(), request.headers()));
        let taken = counts.attempts.take(counts.hash.hash_one((address, client)));
        taken.map(drop).map_err(|empty| {
            counts.refused.tell(|refused| {
                tracing::warn!(%address, refused, "too many secrets were tried");
            });
            TooMany { said: Said::new("secrets", counts.attempts.rate, empty.level), empty }
        })
    }
}

/// Adds to the answer to a write what its client may still ask for.
pub(super) fn tell<B>(response: &mut ServiceResponse<B>) {
    let said = response.request().extensions_mut().remove::<Said>();
    let Some(said) = said.filter(|_| !response.headers().contains_key(RATE_LIMIT)) else { return };
    for (name, value) in said.fields() {
        response.headers_mut().insert(name, HeaderValue::try_from(value).expect("words and numbers"));
    }
}

fn times(rate: Rate, factor: u32) -> Rate {
    let Rate { per_second, burst } = rate;
    Rate { per_second: per_second.saturating_mul(factor), burst: burst.saturating_mul(factor) }
}

/// What is said of a limit.
#[derive(Clone, Copy, Debug)]
struct Said {
    of: &'static str,
    rate: Rate,
    level: Level,
}

impl Said {
    fn new(of: &'static str, rate: Rate, level: Level) -> Self {
        Self { of, rate, level }
    }

    fn fields(&self) -> [(HeaderName, String); 2] {
        let Self { of, rate: Rate { per_second, burst }, level } = self;
        let window = burst.div_ceil(*per_second);
        [
            (RATE_LIMIT_POLICY, format!("\"{of}\";q={burst};w={window}")),
            (RATE_LIMIT, format!("\"{of}\";r={};t={}", level.left, whole_seconds(level.full))),
        ]
    }
}

/// Somebody has asked for too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany {
    said: Said,
    empty: Empty,
}

impl TooMany {
    fn seconds(&self) -> u64 {
        whole_seconds(self.empty.wait).max(1)
    }

    /// When to come again, and what the limit is.
    pub(super) fn fields(&self) -> impl Iterator<Item = (HeaderName, String)> + use<> {
        std::iter::once((header::RETRY_AFTER, self.seconds().to_string())).chain(self.said.fields())
    }
}

impl From<TooMany> for Problem {
    fn from(refused: TooMany) -> Self {
        let (of, seconds) = (refused.said.of, refused.seconds());
        let sv = if of == "client" { "Klienten" } else { "Adressen" };
        let Rate { per_second, burst } = refused.said.rate;
        let problem = Self::new(
            &TOO_MANY_REQUESTS,
            &format!(
                "{sv} får göra {per_second} anrop i sekunden och {burst} på en gång. Försök igen om {seconds} s."
            ),
            &format!(
                "The {of} may make {per_second} requests a second and {burst} at once. Try again in {seconds} s."
            ),
        );
        refused.fields().fold(problem, |problem, (name, value)| problem.header(name, &value))
    }
}

/// Rounded up: whoever waits so long is let in.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Those that were refused, of whom at most one a second is told by name.
#[derive(Debug)]
struct Refused {
    began: Monotonic,
    /// When something was told last, in seconds since the beginning.
    told: AtomicU64,
    untold: AtomicU64,
}

impl Default for Refused {
    fn default() -> Self {
        Self { began: Monotonic::now(), told: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }
}

impl Refused {
    /// Counts one, and hands the count to whoever tells of it, if it is time.
    fn tell(&self, tell: impl FnOnce(u64)) {
        self.untold.fetch_add(1, Relaxed);
        // The first second has a number of its own, so that the very first is told.
        let now = self.began.elapsed().as_secs() + 1;
        let told = self.told.load(Relaxed);
        if told < now && self.told.compare_exchange(told, now, Relaxed, Relaxed).is_ok() {
            tell(self.untold.swap(0, Relaxed));
        }
    }
}
