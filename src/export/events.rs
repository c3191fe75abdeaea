//! Results as server-sent events (HTML Living Standard, section 9.2): what goes out as it is, for every listener alike.

use serde::Serialize;

use crate::domain::{Round, Sequence};
use crate::service::Fault;

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// What a stream begins with: how long to wait before coming back, in milliseconds.
pub const OPENING: &str = "retry: 3000\n\n";
/// What it begins with for whoever has the newest result already.
pub const UNCHANGED: &str = "retry: 3000\n: unchanged\n\n";
/// What is sent when there is nothing to send, so that nobody between takes the connection for dead.
pub const HEARTBEAT: &str = ": heartbeat\n\n";

/// A result. The document is JSON without line breaks, as [`super::results::json`] writes it, and goes out byte for byte.
pub fn result(sequence: Sequence, document: &[u8]) -> Vec<u8> {
    event(sequence, "result", document)
}

/// The round's own rule cannot count what there is now; the next event may be a result again.
pub fn refusal(sequence: Sequence, faults: &[Fault]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        sequence: Sequence,
        errors: Vec<Item<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Item<'a> {
        code: &'static str,
        detail_sv: &'a str,
        detail_en: &'a str,
    }
    let errors = faults.iter().map(|Fault { code, detail, .. }| Item {
        code,
        detail_sv: &detail.sv,
        detail_en: &detail.en,
    });
    let errors = errors.collect();
    event(sequence, "refusal", &json(&Refusal { sequence, errors }))
}

/// The last event of a round that takes no more ballots.
pub fn closed(round: &Round) -> Vec<u8> {
    #[derive(Serialize)]
    struct Closed {
        sequence: Sequence,
        state: String,
    }
    let closed = Closed { sequence: round.sequence, state: round.state.to_string() };
    event(round.sequence, "closed", &json(&closed))
}

fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("a document of texts and numbers")
}

fn event(sequence: Sequence, name: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("id: {sequence}\nevent: {name}\ndata: ");
    [head.as_bytes(), data, b"\n\n"].concat()
}
