//! Which state of a round a request is about: the newest, one that it must have come to, or one as it was.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;

use super::Site;
use super::guard::Caller;
use super::problem::Problem;
use super::query::{LARGEST, Query};
use super::reply::Cache;
use crate::board::Board;
use crate::domain::{Instant, Round, Sequence};
use crate::service::{Fault, history};

/// The names of the parameters.
pub(super) const MOMENT: [&str; 2] = ["asOf", MIN_SEQUENCE];
/// The one of them that what has no history takes.
pub(super) const MIN_SEQUENCE: &str = "minSequence";

/// For how long a sequence is waited for that this process has not seen yet.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest time in RFC 3339 that is read.
const LONGEST: usize = 40;

/// A time in an address; none if it is no RFC 3339 time.
pub(super) fn time(text: &str) -> Option<Instant> {
    // RFC 3339 lets a space stand for the T; in an address that is more likely a + that was not encoded.
    let is_whole = text.len() <= LONGEST && !text.contains(char::is_whitespace);
    text.parse().ok().filter(|_| is_whole)
}

/// Which state is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Moment {
    /// The newest.
    #[default]
    Newest,
    /// The newest, once it has come so far.
    Reached(Sequence),
    /// As it was at a sequence.
    Sequence(Sequence),
    /// As it was at a moment.
    Time(Instant),
}

/// A state of a round to answer from.
#[derive(Debug)]
pub(super) struct View {
    /// The state asked for.
    pub(super) board: Arc<Board>,
    /// The newest, which says who may see what.
    pub(super) newest: Arc<Board>,
    /// Whether the same address will always give this state.
    is_fixed: bool,
}

impl View {
    /// The newest state.
    pub(super) fn newest(board: Arc<Board>) -> Self {
        Self { board: Arc::clone(&board), newest: board, is_fixed: false }
    }

    /// Whether there is a newer state.
    pub(super) fn is_earlier(&self) -> bool {
        self.board.ledger.round.sequence < self.newest.ledger.round.sequence
    }

    /// How long a copy may be kept by those who may keep one.
    pub(super) fn cache(&self, cache: Cache) -> Cache {
        if self.is_fixed { cache.forever() } else { cache }
    }
}

impl Moment {
    /// Reads the parameters.
    pub(super) fn read(query: &Query) -> Self {
        let least = query.number(MIN_SEQUENCE, 1, LARGEST);
        let Some(text) = query.get("asOf") else { return least.map_or(Self::Newest, Self::Reached) };
        if query.get(MIN_SEQUENCE).is_some() {
            query.fault(MIN_SEQUENCE, "parameter", "Inte tillsammans med asOf.", "Not together with asOf.");
        }
        Self::as_of(text).unwrap_or_else(|| {
            query.fault(
                "asOf",
                "parameter",
                "Ett löpnummer från 1, eller en tid enligt RFC 3339 med förskjutning (skriv + som %2B).",
                "A sequence from 1, or an RFC 3339 time with an offset (write + as %2B).",
            );
            Self::Newest
        })
    }

    fn as_of(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let sequence = text.parse().ok().filter(|sequence| *sequence <= LARGEST)?;
            return (sequence == 0 || !text.starts_with('0')).then_some(Self::Sequence(sequence));
        }
        time(text).map(Self::Time)
    }

    /// The round of a path in the state asked for.
    ///
    /// # Errors
    /// 404; 400 for a state that is not, or not yet; 503 for one that is not seen in time.
    pub(super) async fn of<P>(
        self,
        site: &web::Data<Site>,
        caller: &Caller<P>,
        round: &str,
    ) -> Result<View, Problem> {
        let newest = site.board(caller, round)?;
        let of = &newest.ledger.round;
        let (sequence, is_fixed) = match self {
            Self::Newest => return Ok(View::newest(newest)),
            Self::Reached(least) => {
                return Ok(View::newest(reached(site, newest, least).await?));
            }
            Self::Sequence(0) => return Err(before_opening(of)),
            Self::Sequence(sequence) if sequence > of.sequence => return Err(not_yet(of)),
            Self::Sequence(sequence) => (sequence, true),
            Self::Time(moment) => match of.last_at {
                None => return Err(before_opening(of)),
                Some(last) if moment >= last => {
                    // The database that dates the entries may be ahead of this machine.
                    if moment > last.max(site.clock.now()) {
                        return Err(not_yet(of));
                    }
                    (of.sequence, false)
                }
                Some(_) => (at(site, of, moment).await?, true),
            },
        };
        let board = site.boards.as_of(&site.store, &newest, sequence, &site.gates.others).await??;
        Ok(View { board, newest, is_fixed })
    }
}

/// The sequence of the newest entry at a moment before the newest of all.
async fn at(site: &web::Data<Site>, round: &Round, moment: Instant) -> Result<Sequence, Problem> {
    let (store, id, newest) = (site.store.clone(), round.id.clone(), round.sequence);
    let find = move || store.read(|conn| history::sequence_at(conn, &id, moment, newest));
    site.gates.others.run(find).await??.ok_or_else(|| before_opening(round))
}

/// The newest board once it has come to a sequence.
async fn reached(site: &Site, newest: Arc<Board>, least: Sequence) -> Result<Arc<Board>, Problem> {
    if newest.ledger.round.sequence >= least {
        return Ok(newest);
    }
    let id = &newest.ledger.round.id;
    let reached = site.boards.reached(id, least, PATIENCE).await;
    reached.ok_or_else(|| {
        let sequence = site.boards.get(id.as_str()).map_or(0, |board| board.ledger.round.sequence);
        Problem::not_reached(least, sequence)
    })
}

fn before_opening(round: &Round) -> Problem {
    let (sv, en) = match round.opened_at {
        Some(at) => (
            format!("Före öppningen: omgången öppnade {at}, som löpnummer 1."),
            format!("Before the opening: the round opened at {at}, as sequence 1."),
        ),
        None => ("Omgången har inte öppnat.".to_owned(), "The round has not opened.".to_owned()),
    };
    Problem::bad_query(vec![Fault::member("asOf", "before-opening", &sv, &en)])
}

fn not_yet(round: &Round) -> Problem {
    let sequence = round.sequence;
    let (sv, en) = (
        format!("Dit har omgången inte kommit: det nyaste löpnumret är {sequence}."),
        format!("The round has not come so far: its newest sequence is {sequence}."),
    );
    Problem::bad_query(vec![Fault::member("asOf", "not-yet", &sv, &en)])
}
