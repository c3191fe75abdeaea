//! `/metrics`, on a port of its own: what is counted, and what stands at the moment of being asked.

use std::cmp::Reverse;

use actix_web::{HttpResponse, web};

use super::{Site, health};
use crate::board::Board;
use crate::domain::{Instant, State};
use crate::observe::metrics::{Connections, Moment, RoundMoment};
use crate::store;

/// How many rounds are told of, so that years of them do not grow what is to be kept of each instance.
const ROUNDS: usize = 50;

/// The type of the classic text format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn get(site: web::Data<Site>) -> HttpResponse {
    let parts = health::parts(&site).await;
    let moment = Moment {
        is_ready: !site.stopping.has_begun() && parts.iter().all(|(_, is_well)| *is_well),
        parts: parts.map(|(part, is_well)| (part.id(), is_well)).into(),
        followed: site.follower.age(),
        registered: site.issuing.registrar.age(),
        audited: site.audit.age(),
        listeners: site.listeners.count(),
        connections: connections(site.store.connections()),
        rounds: rounds(&site),
    };
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(site.metrics.text(&moment))
}

/// Puts the one path into an app; there is nothing else on that port.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(web::resource("/metrics").route(web::get().to(get)).route(web::head().to(get)));
}

fn connections(connections: store::Connections) -> Connections {
    let store::Connections { used, idle, waiting, most } = connections;
    Connections { used, idle, waiting, most }
}

/// Open rounds, then those that changed last. Of a draft there is nothing to tell.
fn rounds(site: &Site) -> Vec<RoundMoment> {
    let mut boards = site.boards.all();
    boards.retain(|board| board.ledger.round.state != State::Draft);
    boards.sort_by_key(|board| {
        let round = &board.ledger.round;
        Reverse((round.state == State::Open, round.last_at.map(Instant::utc)))
    });
    boards.iter().take(ROUNDS).map(|board| moment(board)).collect()
}

fn moment(board: &Board) -> RoundMoment {
    let round = &board.ledger.round;
    RoundMoment {
        id: round.id.to_string(),
        sequence: round.sequence,
        changed: round.last_at.map(|at| at.utc().timestamp()),
        ballots: board.ledger.answers().filter(|(_, ballot)| ballot.is_some()).count(),
        closes: (round.state == State::Open).then(|| round.definition.closes_at.utc().timestamp()),
    }
}
