//! Results as a stream of events: no thread and no queue for a listener, only the number of what it was sent last.
//!
//! A listener that is slow, or comes back after a while, finds the newest board and misses those between.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant as Monotonic, sleep_until};

use super::guard::{Caller, SeeResults};
use super::problem::{Problem, UNAVAILABLE};
use super::query::Query;
use super::reply::{self, Cache};
use super::{Site, Stopping, crowd, negotiate};
use crate::board::Board;
use crate::domain::{BallotBook, Round, RoundId, Sequence, State};
use crate::export::events::{self, HEARTBEAT, MEDIA_TYPE, OPENING, UNCHANGED};
use crate::identity::{Identity, Scope};

/// How long a listener that has seen more than this process is waited for: what others write is here within a second.
const CATCHING_UP: Duration = Duration::from_secs(2);

/// How often is sent, and to how many.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest silence on a stream.
    pub heartbeat: Duration,
    /// The shortest time between two results for one listener.
    pub gap: Duration,
    /// How many may listen.
    pub listeners: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(15), gap: Duration::from_millis(250), listeners: 10_000 }
    }
}

/// Those who listen.
#[derive(Debug, Default)]
pub struct Listeners {
    pace: Pace,
    count: Arc<AtomicUsize>,
}

impl Listeners {
    /// Nobody yet.
    pub fn new(pace: Pace) -> Self {
        Self { pace, count: Arc::default() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// A place for one more, if there is one.
    fn enter(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.count));
        (self.count.fetch_add(1, Ordering::SeqCst) < self.pace.listeners).then_some(place)
    }
}

/// One listener's place; free again when this is dropped.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A stream, as the only form of something.
#[derive(Clone, Copy)]
struct Stream;

impl negotiate::Media for Stream {
    fn media_type(self) -> &'static str {
        MEDIA_TYPE
    }
}

pub(super) async fn get(
    caller: Caller<SeeResults>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    negotiate::format(&request, None, &[("", Stream)])?;
    open(&caller, &site, &path, &request).await
}

/// Answers with the stream. It is of the round's own rule and takes no parameters.
pub(super) async fn open(
    caller: &Caller<SeeResults>,
    site: &web::Data<Site>,
    path: &str,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::none(request.query_string())?;
    let mut board = site.board(caller, path)?;
    if tells_of_ballots(&board.ledger.round) {
        caller.require(Scope::BallotsList)?;
    }
    let id = board.ledger.round.id.clone();
    let seen = last_seen(request);
    if let Some(seen) = seen.filter(|seen| *seen > board.ledger.round.sequence) {
        board = site.boards.reached(&id, seen, CATCHING_UP).await.unwrap_or(board);
    }
    let round = &board.ledger.round;
    if has_ended(round) && seen == Some(round.sequence) {
        // That is how a listener is told not to come back.
        return Ok(HttpResponse::NoContent()
            .insert_header(reply::sequence_field(round.sequence))
            .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
            .finish());
    }
    if site.stopping.has_begun() {
        return Err(Stopping::refusal());
    }
    let sequence = reply::sequence_field(round.sequence);
    let changes = site.boards.changes(&id);
    let changes = changes.ok_or_else(|| Problem::not_found("omgången", "the round"))?;
    let body = if request.method() == Method::HEAD {
        Events { next: None }
    } else {
        let now = Monotonic::now();
        let listener = Box::new(Listener {
            round: id,
            changes,
            stopping: site.stopping.watch(),
            sent: seen.filter(|seen| *seen == round.sequence),
            stage: Stage::Beginning,
            heartbeat: now + site.listeners.pace.heartbeat,
            next: now,
            lists_ballots: caller.has(Scope::BallotsList),
            // What anyone may see needs no token any more.
            needed: caller.shared_identity().filter(|_| !round.results_are_public()).cloned(),
            registered: site.issuing.registrar.registry().changes(),
            site: site.clone(),
            _place: site.listeners.enter().ok_or_else(too_many)?,
            _of_address: site.limiter.enter_stream(request).ok_or_else(too_many)?,
        });
        Events { next: Some(Box::pin(listener.step())) }
    };
    Ok(HttpResponse::Ok()
        .insert_header(sequence)
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::CACHE_CONTROL, Cache::NoStore.field()))
        .insert_header((header::VARY, "Accept, Authorization"))
        // nginx would gather events until there are enough of them.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(body))
}

/// What a listener that comes back says it was sent last; what is no number was not sent by us.
fn last_seen(request: &HttpRequest) -> Option<Sequence> {
    request.headers().get("Last-Event-ID")?.to_str().ok()?.trim().parse().ok()
}

/// Whether single ballots follow from what is sent: two results after each other differ by one.
fn tells_of_ballots(round: &Round) -> bool {
    round.definition.ballot_book == BallotBook::Analysts && !round.results_are_public()
}

/// Whether no ballot can change the result any more.
fn has_ended(round: &Round) -> bool {
    match round.state {
        State::Draft | State::Open => false,
        State::Closed | State::Certified | State::Corrected => true,
    }
}

fn too_many() -> Problem {
    let problem = Problem::new(
        &UNAVAILABLE,
        "Det är så många som lyssnar, i allt eller från din adress, att det inte finns plats för fler. Försök igen om en stund, eller fråga om.",
        "So many are listening, in all or from your address, that there is no room for more. Try again in a while, or poll.",
    );
    problem.header(header::RETRY_AFTER, "30")
}

/// How far a listener has come.
#[derive(Debug)]
enum Stage {
    Beginning,
    Listening,
    /// Has the last result; what is left to be said.
    Last(Bytes),
    Ended,
}

/// Somebody who listens.
#[derive(Debug)]
struct Listener {
    site: web::Data<Site>,
    round: RoundId,
    changes: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    /// The sequence of the result that was sent last.
    sent: Option<Sequence>,
    stage: Stage,
    /// When silence has lasted too long.
    heartbeat: Monotonic,
    /// When the next result may be sent.
    next: Monotonic,
    /// Who opened the stream, where it needs a token.
    needed: Option<Arc<Identity>>,
    /// Tells when a client may have been disabled.
    registered: watch::Receiver<()>,
    lists_ballots: bool,
    _place: Place,
    _of_address: crowd::Place,
}

/// Something to send, and who it is for; none at the end.
type Step = Option<(Bytes, Box<Listener>)>;

impl Listener {
    /// Waits for the next thing to send.
    async fn step(mut self: Box<Self>) -> Step {
        let bytes = self.next().await?;
        self.heartbeat = Monotonic::now() + self.site.listeners.pace.heartbeat;
        Some((bytes, self))
    }

    async fn next(&mut self) -> Option<Bytes> {
        match std::mem::replace(&mut self.stage, Stage::Listening) {
            Stage::Beginning => {
                let text = if self.sent.is_some() { UNCHANGED } else { OPENING };
                return Some(Bytes::from_static(text.as_bytes()));
            }
            Stage::Last(bytes) => {
                self.stage = Stage::Ended;
                return Some(bytes);
            }
            Stage::Ended => return None,
            Stage::Listening => {}
        }
        loop {
            let now = Monotonic::now();
            let left = self.left();
            if *self.stopping.borrow() || left.is_some_and(|left| left.is_zero()) || self.is_disabled() {
                return None;
            }
            let board = self.site.boards.get(self.round.as_str())?;
            // A draft may close its book while somebody listens.
            if tells_of_ballots(&board.ledger.round) && !self.lists_ballots {
                return None;
            }
            let is_new = self.sent != Some(board.ledger.round.sequence);
            if is_new && now >= self.next {
                return self.result(&board).await;
            }
            if now >= self.heartbeat {
                return Some(Bytes::from_static(HEARTBEAT.as_bytes()));
            }
            // Boards that come before the next result may be sent need not wake anybody: the newest will be there.
            let mut until = if is_new { self.next.min(self.heartbeat) } else { self.heartbeat };
            if let Some(left) = left {
                until = until.min(now + left.max(Duration::from_millis(10)));
            }
            tokio::select! {
                told = self.stopping.changed() => told.ok()?,
                told = self.changes.changed(), if !is_new => told.ok()?,
                told = self.registered.changed(), if self.needed.is_some() => told.ok()?,
                () = sleep_until(until) => {}
            }
        }
    }

    async fn result(&mut self, board: &Arc<Board>) -> Option<Bytes> {
        let bytes = tokio::select! {
            made = board.event(&self.site.links) => made?,
            // A count that takes long is not waited for.
            _ = self.stopping.changed() => return None,
        };
        let round = &board.ledger.round;
        self.sent = Some(round.sequence);
        self.next = Monotonic::now() + self.site.listeners.pace.gap;
        if has_ended(round) {
            self.stage = Stage::Last(events::closed(round).into());
        }
        Some(bytes)
    }

    /// How much longer the token is good for; none where it need not be.
    fn left(&self) -> Option<Duration> {
        let left = self.needed.as_ref()?.ends().utc() - self.site.clock.now().utc();
        Some(left.to_std().unwrap_or_default())
    }

    /// Whether the client has been disabled whose token the stream needs.
    fn is_disabled(&self) -> bool {
        self.needed.as_ref().is_some_and(|identity| self.site.issuing.is_disabled(identity))
    }
}

/// The body: asks for one thing at a time, so that what a slow listener does not read is never made.
struct Events {
    next: Option<Pin<Box<dyn Future<Output = Step>>>>,
}

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let step = ready!(next.as_mut().poll(context));
        let (bytes, next) = step.map_or((None, None), |(bytes, listener)| {
            let next: Pin<Box<dyn Future<Output = Step>>> = Box::pin(listener.step());
            (Some(Ok(bytes)), Some(next))
        });
        self.next = next;
        Poll::Ready(bytes)
    }
}
