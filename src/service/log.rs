//! The ballot log's form: canonical JSON, the hash chain over it, and sealed private texts.
//!
//! `hash = SHA-256(hash before ‖ canonical JSON)`, the hashes as their 32 bytes. The chain starts from the
//! hash of the round's canonical definition. Canonical is RFC 8785: members sorted, no spaces, shortest
//! numbers. `serde_json` writes exactly that of the definition (ASCII member names, whole numbers below
//! 2^53, strings, lists): its maps are sorted and its escapes are those of RFC 8785, section 3.2.2.2.

use rand::RngCore;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::log_definition;
use crate::domain::{
    Definition, Engagement, Event, Hash, InitiativeId, Instant, LogEntry, Nonce, ParticipantCode,
    PrivateText, Roll, Round, RoundId, Sequence, Slate,
};
use crate::store;

/// The hash that the log of a round with this definition starts from.
pub fn definition_hash(id: &RoundId, definition: &Definition, slate: &Slate, roll: &Roll) -> Hash {
    log_definition::hash(&log_definition::document(id, definition, slate, roll))
}

/// The next entry of a round's log.
pub fn entry(round: &Round, event: &Event, at: Instant) -> LogEntry {
    let sequence = round.sequence + 1;
    let canonical = canonical(&round.id, event, sequence, at);
    LogEntry {
        sequence,
        at,
        kind: event.kind().to_owned(),
        participant: event.participant().cloned(),
        revision: event.revision(),
        hash: chain(round.head, &canonical),
        canonical,
    }
}

/// The hash of an entry after the one before it.
pub fn chain(before: Hash, canonical: &str) -> Hash {
    Hash(Sha256::new().chain_update(before.0).chain_update(canonical).finalize().into())
}

/// A ballot's event, its members in the order of RFC 8785.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BallotDocument<'a> {
    at: String,
    comment_hash: Option<String>,
    engagements: Vec<EngagementDocument<'a>>,
    kind: &'static str,
    nonce: String,
    participant: String,
    ranking: Vec<&'a str>,
    reference_hash: Option<String>,
    revision: u32,
    round_id: &'a str,
    sequence: Sequence,
    synthetic: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EngagementDocument<'a> {
    engagement: &'static str,
    initiative_id: &'a str,
}

/// The canonical text of an event at its place in a round's log.
pub(super) fn canonical(round: &RoundId, event: &Event, sequence: Sequence, at: Instant) -> String {
    let mut document = match event {
        Event::Ballot {
            participant,
            revision,
            ranking,
            engagements,
            reference,
            comment,
            synthetic,
            nonce,
        } => {
            let document = BallotDocument {
                at: at.to_string(),
                comment_hash: comment.map(|hash| hash.to_string()),
                engagements: engagements
                    .iter()
                    .map(|(id, engagement)| EngagementDocument {
                        engagement: engagement.id(),
                        initiative_id: id.as_str(),
                    })
                    .collect(),
                kind: event.kind(),
                nonce: nonce.to_string(),
                participant: participant.qualified(),
                ranking: ranking.iter().map(InitiativeId::as_str).collect(),
                reference_hash: reference.map(|hash| hash.to_string()),
                revision: *revision,
                round_id: round.as_str(),
                sequence,
                synthetic: *synthetic,
            };
            return serde_json::to_string(&document).expect("texts and numbers");
        }
        Event::Withdrawal { participant, revision, nonce } => {
            json!({
                "participant": participant.qualified(), "revision": revision, "nonce": nonce.to_string(),
            })
        }
        Event::Opening { definition } => json!({ "definition": definition.to_string() }),
        Event::Extension { closes_at } => json!({ "closesAt": closes_at.to_string() }),
        Event::Closing | Event::Certification | Event::Correction => json!({}),
    };
    document["kind"] = event.kind().into();
    document["roundId"] = round.as_str().into();
    document["sequence"] = sequence.into();
    document["at"] = at.to_string().into();
    document.to_string()
}

/// What an entry of the log says, read back.
///
/// # Errors
/// If it is not what [`entry`] writes.
pub fn event(entry: &LogEntry) -> Result<Event, store::Error> {
    let document: Value = serde_json::from_str(&entry.canonical).unwrap_or_default();
    read(&document).ok_or_else(|| store::Error::Corrupt {
        table: "log_entries",
        what: "event",
        value: format!("sequence {}", entry.sequence),
    })
}

/// What a document of the log says; none if it is no event.
pub(super) fn read(document: &Value) -> Option<Event> {
    let member = |name: &str| document.get(name)?.as_str();
    let participant = || ParticipantCode::from_qualified(member("participant")?).ok();
    let revision = || u32::try_from(document.get("revision")?.as_u64()?).ok();
    let nonce = || member("nonce")?.parse().ok();
    // A hash is there or `null`; anything else is no event.
    let hash = |name: &str| match document.get(name)? {
        Value::Null => Some(None),
        Value::String(text) => text.parse().ok().map(Some),
        _ => None,
    };
    Some(match member("kind")? {
        "opening" => Event::Opening { definition: member("definition")?.parse().ok()? },
        "ballot" => {
            let ids = document.get("ranking")?.as_array()?.iter();
            let engagement = |item: &Value| {
                let id = item.get("initiativeId")?.as_str()?.parse().ok()?;
                Some((id, item.get("engagement")?.as_str()?.parse().ok()?))
            };
            Event::Ballot {
                participant: participant()?,
                revision: revision()?,
                ranking: ids.map(|id| id.as_str()?.parse().ok()).collect::<Option<_>>()?,
                engagements: document
                    .get("engagements")?
                    .as_array()?
                    .iter()
                    .map(engagement)
                    .collect::<Option<_>>()?,
                reference: hash("referenceHash")?,
                comment: hash("commentHash")?,
                synthetic: document.get("synthetic")?.as_bool()?,
                nonce: nonce()?,
            }
        }
        "withdrawal" => {
            Event::Withdrawal { participant: participant()?, revision: revision()?, nonce: nonce()? }
        }
        "extension" => Event::Extension { closes_at: member("closesAt")?.parse().ok()? },
        "closing" => Event::Closing,
        "certification" => Event::Certification,
        "correction" => Event::Correction,
        _ => return None,
    })
}

/// What an entry of the kind `ballot` says of the ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BallotContent {
    /// Ids of the picks, the most urgent first.
    pub ranking: Vec<String>,
    /// Initiative and engagement.
    pub engagements: Vec<(String, Engagement)>,
    /// Whether it was made up for a demonstration.
    pub synthetic: bool,
}

/// Reads an entry of the kind `ballot`; none for other kinds.
///
/// # Errors
/// As [`event`].
pub fn ballot_content(entry: &LogEntry) -> Result<Option<BallotContent>, store::Error> {
    let Event::Ballot { ranking, engagements, synthetic, .. } = event(entry)? else { return Ok(None) };
    Ok(Some(BallotContent {
        ranking: ranking.iter().map(ToString::to_string).collect(),
        engagements: engagements.into_iter().map(|(id, engagement)| (id.to_string(), engagement)).collect(),
        synthetic,
    }))
}

/// A fresh nonce for an event.
pub fn nonce() -> Nonce {
    let mut bytes = [0; 16];
    rand::thread_rng().fill_bytes(&mut bytes);
    Nonce(bytes)
}

/// Gives a private text a fresh salt and the hash that stands for it in the log.
pub fn seal(text: String) -> (PrivateText, Hash) {
    let mut salt = [0; 16];
    rand::rngs::OsRng.fill_bytes(&mut salt);
    let hash = salted(salt, &text);
    (PrivateText { text, salt: format!("{:032x}", u128::from_be_bytes(salt)) }, hash)
}

/// The hash that stands in the log for a private text; none if its salt is not what [`seal`] makes.
pub fn sealed(private: &PrivateText) -> Option<Hash> {
    // A nonce has the form of a salt: 16 bytes in lower-case hex.
    let salt: Nonce = private.salt.parse().ok()?;
    Some(salted(salt.0, &private.text))
}

fn salted(salt: [u8; 16], text: &str) -> Hash {
    Hash(Sha256::new().chain_update(salt).chain_update(text).finalize().into())
}
