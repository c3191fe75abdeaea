//! Proofs that an entry is in a round's log, and that the log was only ever added to.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::Site;
use super::guard::{Anyone, Caller};
use super::problem::Problem;
use super::query::{LARGEST, Query};
use super::reply::{self, Cache};
use crate::export::log_proofs::ProofView;
use crate::identity::receipt;
use crate::service::proofs::{Claim, prove};

pub(super) async fn get(
    caller: Caller<Anyone>,
    site: web::Data<Site>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string(), &["sequence", "from", "treeSize"]);
    let board = site.board(&caller, &path);
    let newest = board.as_ref().map_or(LARGEST, |board| board.ledger.round.sequence);
    let size = size(&query, newest);
    // Of an empty log one fault is enough.
    let most = if newest == 0 { LARGEST } else { size.unwrap_or(newest) };
    let claim = claim(&query, most);
    let is_fixed = query.get("treeSize").is_some();
    query.check()?;
    let board = board?;
    let round = &board.ledger.round;
    let size = size.unwrap_or(newest);
    let id = round.id.clone();
    let store = site.store.clone();
    let proof = site.gates.others.run(move || prove(&store, &id, claim, size)).await??;
    let signature = receipt::sign(&proof.head, &site.log_key);
    // Only of a size that was named is it always the same proof.
    let cache = Cache::of(round);
    let cache = if is_fixed { cache.forever() } else { cache };
    let mut reply = reply::json(cache, &ProofView::new(&proof, signature, &site.links));
    reply.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Authorization"));
    Ok(reply::at_sequence(reply, proof.head.sequence))
}

/// The size of the tree that is asked for.
fn size(query: &Query, newest: u64) -> Option<u64> {
    if newest == 0 {
        query.fault(
            "treeSize",
            "not-yet",
            "Liggaren är tom: omgången har inte öppnat.",
            "The log is empty: the round has not opened.",
        );
        return None;
    }
    query.number("treeSize", 1, newest)
}

/// What is to be proved; when that cannot be read, a fault says so and the claim is never used.
fn claim(query: &Query, size: u64) -> Claim {
    let (sequence, from) = (query.number("sequence", 1, size), query.number("from", 1, size));
    match (query.get("sequence"), query.get("from")) {
        (Some(_), None) => Claim::Includes(sequence.unwrap_or(1)),
        (None, Some(_)) => Claim::Extends(from.unwrap_or(1)),
        (given, _) => {
            let name = if given.is_some() { "from" } else { "sequence" };
            query.fault(name, "parameter", "Antingen sequence eller from.", "Either sequence or from.");
            Claim::Includes(1)
        }
    }
}
