//! Ballots as documents and as tables.

use serde::Serialize;
use serde_json::json;

use super::csvw::{self, Column};
use super::{Cell, Dialect, Link, Links, Table};
use crate::domain::{ParticipantCode, Receipt, RoundId};
use crate::service::ballots::Revision;
use crate::service::ledger::Ledger;

/// What a ballot says, in every document that shows one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BallotView {
    round_id: String,
    participant_code: String,
    ranking: Vec<String>,
    engagements: Vec<EngagementView>,
    reference: Option<String>,
    comment: Option<String>,
    synthetic: bool,
    revision: u32,
    sequence: u64,
    accepted_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptView>,
    #[serde(rename = "_links", skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EngagementView {
    initiative_id: String,
    engagement: &'static str,
}

/// What proves that a ballot is in the log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    round_id: String,
    sequence: u64,
    entry_hash: String,
    tree_size: u64,
    root: String,
    accepted_at: String,
    signature: String,
}

impl ReceiptView {
    /// The receipt with the signature over it.
    pub fn new(receipt: &Receipt, signature: String) -> Self {
        Self {
            round_id: receipt.round.to_string(),
            sequence: receipt.sequence,
            entry_hash: receipt.entry.to_string(),
            tree_size: receipt.sequence,
            root: receipt.root.to_string(),
            accepted_at: receipt.at.to_string(),
            signature,
        }
    }
}

/// One revision of a ballot.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    revision: u32,
    sequence: u64,
    accepted_at: String,
    withdrawn: bool,
    ranking: Option<Vec<String>>,
    engagements: Vec<EngagementView>,
    reference: Option<String>,
    comment: Option<String>,
    synthetic: bool,
    entry_hash: String,
}

/// Whether the private texts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// To the participant itself and to analysts.
    Shown,
    /// In an open ballot book: references and comments may hold personal data.
    Hidden,
}

impl BallotView {
    /// The ballot with its receipt.
    pub fn new(round: &RoundId, revision: &Revision, receipt: ReceiptView, links: &Links) -> Self {
        Self { receipt: Some(receipt), ..Self::listed(round, revision, Texts::Shown, links) }
    }

    /// The ballot as an item of a list.
    pub fn listed(round: &RoundId, revision: &Revision, texts: Texts, links: &Links) -> Self {
        let links = Self::links(round, &revision.participant, links);
        Self { links, ..Self::plain(round, revision, texts) }
    }

    /// The ballot without links, as a line of a file.
    pub fn plain(round: &RoundId, revision: &Revision, texts: Texts) -> Self {
        let (ranking, engagements, synthetic) = content(revision);
        let text = |text: &Option<String>| text.clone().filter(|_| texts == Texts::Shown);
        Self {
            round_id: round.to_string(),
            participant_code: revision.participant.to_string(),
            ranking: ranking.unwrap_or_default(),
            engagements,
            reference: text(&revision.reference),
            comment: text(&revision.comment),
            synthetic,
            revision: revision.revision,
            sequence: revision.sequence,
            accepted_at: revision.at.to_string(),
            receipt: None,
            links: Vec::new(),
        }
    }

    fn links(round: &RoundId, participant: &ParticipantCode, links: &Links) -> Vec<Link> {
        let address = links.ballot(round, participant);
        vec![
            Link::get("self", address.clone()),
            Link { rel: "replace", href: address.clone(), method: "PUT" },
            Link { rel: "withdraw", href: address.clone(), method: "DELETE" },
            Link::get("revisions", format!("{address}/revisions")),
            Link::get("round", links.round(round)),
        ]
    }
}

impl RevisionView {
    /// A revision.
    pub fn new(revision: &Revision) -> Self {
        let (ranking, engagements, synthetic) = content(revision);
        Self {
            revision: revision.revision,
            sequence: revision.sequence,
            accepted_at: revision.at.to_string(),
            withdrawn: ranking.is_none(),
            ranking,
            engagements,
            reference: revision.reference.clone(),
            comment: revision.comment.clone(),
            synthetic,
            entry_hash: revision.hash.to_string(),
        }
    }
}

fn content(revision: &Revision) -> (Option<Vec<String>>, Vec<EngagementView>, bool) {
    let Some(content) = &revision.content else { return (None, Vec::new(), false) };
    let engagement = |(id, engagement): &(String, crate::domain::Engagement)| EngagementView {
        initiative_id: id.clone(),
        engagement: engagement.id(),
    };
    (Some(content.ranking.clone()), content.engagements.iter().map(engagement).collect(), content.synthetic)
}

/// The ballots as a table, one row each; the form that imports read.
pub fn csv(picks: usize, revisions: &[Revision], texts: Texts, dialect: Dialect) -> Vec<u8> {
    let ranks: Vec<(String, String)> =
        (1..=picks).map(|rank| (format!("rank{rank}"), format!("Plats {rank}"))).collect();
    let ranks = ranks.iter().map(|(name, heading)| (&**name, &**heading));
    let after = [
        ("reference", "Diarienummer"),
        ("comment", "Kommentar"),
        ("revision", "Version"),
        ("sequence", "Löpnummer"),
        ("acceptedAt", "Mottagen"),
        ("synthetic", "Syntetisk"),
    ];
    let mut table = Table::new(dialect, [("participantCode", "Kod")].into_iter().chain(ranks).chain(after));
    for revision in revisions {
        let (ranking, _, synthetic) = content(revision);
        let mut ranking = ranking.unwrap_or_default();
        ranking.resize(picks, String::new());
        let text = |text: &Option<String>| {
            Cell::Text(text.clone().filter(|_| texts == Texts::Shown).unwrap_or_default())
        };
        let code = Cell::Code(revision.participant.to_string());
        table.row([code].into_iter().chain(ranking.into_iter().map(Cell::Code)).chain([
            text(&revision.reference),
            text(&revision.comment),
            Cell::number(revision.revision),
            Cell::number(revision.sequence),
            Cell::number(revision.at),
            Cell::number(synthetic),
        ]));
    }
    table.finish()
}

/// What the columns of the table mean.
pub fn csvw(ledger: &Ledger, links: &Links) -> Vec<u8> {
    let round = &ledger.round;
    let mut columns =
        vec![Column::new("participantCode", "string", "Deltagarens kod", "Code of the participant")];
    columns.extend((1..=round.definition.picks.max).map(|rank| {
        Column::new(
            format!("rank{rank}"),
            "string",
            "Initiativets id på platsen",
            "Id of the initiative at this rank",
        )
        .optional()
    }));
    columns.extend([
        Column::new("reference", "string", "Deltagarens diarienummer", "The participant's own reference")
            .optional(),
        Column::new("comment", "string", "Deltagarens kommentar", "The participant's comment").optional(),
        Column::new("revision", "integer", "Version av prioriteringen", "Revision of the ballot"),
        Column::new("sequence", "integer", "Nummer i liggaren", "Number in the log"),
        Column::new("acceptedAt", "dateTimeStamp", "När den togs emot", "When it was accepted"),
        Column::new("synthetic", "boolean", "Påhittad för en demonstration", "Made up for a demonstration"),
    ]);
    let address = links.of_state(&round.id, "ballots", &["format=csv"]);
    let notes = json!({ "roundId": round.id.as_str(), "sequence": round.sequence, "eligible": ledger.roll.len(),
        "syntheticBallots": ledger.synthetic });
    csvw::metadata(&address, &round.definition.title.sv, &columns, &["participantCode"], &notes)
}

/// The ballots as JSON, one line each.
pub fn ndjson(round: &RoundId, revisions: &[Revision], texts: Texts) -> Vec<u8> {
    let mut lines = Vec::new();
    for revision in revisions {
        let ballot = BallotView::plain(round, revision, texts);
        serde_json::to_writer(&mut lines, &ballot).expect("a document of texts and numbers");
        lines.push(b'\n');
    }
    lines
}
