//! Proofs about the log, and the keys that sign its heads, as documents.

use serde::Serialize;

use super::ballots::ReceiptView;
use super::{Link, Links};
use crate::service::proofs::{Claim, Proof};

/// A proof that an entry is in a log, or that a log is the beginning of another.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofView {
    round_id: String,
    tree_size: u64,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_root: Option<String>,
    path: Vec<String>,
    head: ReceiptView,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

impl ProofView {
    /// The proof, with the signature over the head of its tree.
    pub fn new(proof: &Proof, signature: String, links: &Links) -> Self {
        let Proof { claim, of, path, head } = proof;
        let (included, earlier) = match *claim {
            Claim::Includes(sequence) => (Some(sequence), None),
            Claim::Extends(from) => (None, Some(from)),
        };
        let about = match *claim {
            Claim::Includes(sequence) => format!("sequence={sequence}"),
            Claim::Extends(from) => format!("from={from}"),
        };
        let address =
            format!("{}?{about}&treeSize={}", links.of_round(&head.round, "log-proofs"), head.sequence);
        Self {
            round_id: head.round.to_string(),
            tree_size: head.sequence,
            root: head.root.to_string(),
            sequence: included,
            entry_hash: included.map(|_| of.to_string()),
            from: earlier,
            from_root: earlier.map(|_| of.to_string()),
            path: path.iter().map(ToString::to_string).collect(),
            head: ReceiptView::new(head, signature),
            links: vec![
                Link::get("self", address),
                Link::get("round", links.round(&head.round)),
                Link::get("log-keys", links.to("/log-keys")),
            ],
        }
    }
}

/// Public keys as a JWK set (RFC 7517, section 5).
#[derive(Debug, Serialize)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// An Ed25519 key (RFC 8037, section 2).
#[derive(Debug, Serialize)]
struct Key {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    r#use: &'static str,
    alg: &'static str,
}

impl KeySet {
    /// The set of keys of these ids and public halves, each as the `x` of its JWK.
    pub fn of<'a>(keys: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let key = |(kid, public): (&str, &str)| Key {
            kty: "OKP",
            crv: "Ed25519",
            x: public.to_owned(),
            kid: kid.to_owned(),
            r#use: "sig",
            alg: "EdDSA",
        };
        Self { keys: keys.into_iter().map(key).collect() }
    }
}
