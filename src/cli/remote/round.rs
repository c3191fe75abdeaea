//! A round and its initiatives, as far as the commands need them.

use serde::Deserialize;

use super::ballot::{clock, on_the_clock};
use super::session::Session;
use crate::cli::Failure;
use crate::domain::RoundId;
use crate::export::Language;

/// How far an id may be from one that was meant: of its characters one in three may be another.
const NEAR: usize = 3;

/// A round.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Round {
    pub(super) id: RoundIdText,
    title_sv: String,
    title_en: String,
    pub(super) state: String,
    opens_at_local: String,
    closes_at_local: String,
    closed_at: Option<String>,
}

/// The id of a round, as text that was read as one.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RoundIdText(pub(super) RoundId);

impl TryFrom<String> for RoundIdText {
    type Error = <RoundId as std::str::FromStr>::Err;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Round {
    /// Its title.
    pub(super) fn title(&self, language: Language) -> &str {
        language.pick(&self.title_sv, &self.title_en)
    }

    /// Whether ballots are taken, and from when until when, on a Swedish clock.
    pub(super) fn times(&self, language: Language) -> String {
        let (opens, closes) = (clock(&self.opens_at_local), clock(&self.closes_at_local));
        // A manager may have closed it before its time.
        let closed = self.closed_at.as_deref().map_or(closes.clone(), on_the_clock);
        match &*self.state {
            "draft" => language.pick(format!("öppnar {opens}"), format!("opens {opens}")),
            "open" => language
                .pick(format!("öppen till {closes} svensk tid"), format!("open until {closes} Swedish time")),
            "closed" => language.pick(format!("stängde {closed}"), format!("closed {closed}")),
            state => language.pick(format!("stängde {closed}, {state}"), format!("closed {closed}, {state}")),
        }
    }
}

/// An initiative.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Initiative {
    pub(super) id: String,
    title_sv: String,
    title_en: String,
}

/// The title of the initiative with an id.
pub(super) fn title<'a>(initiatives: &'a [Initiative], id: &str, language: Language) -> Option<&'a str> {
    let found = initiatives.iter().find(|initiative| initiative.id == id);
    found.map(|initiative| language.pick(&*initiative.title_sv, &initiative.title_en))
}

/// The initiatives of a round; a page holds more than a round may have.
pub(super) fn initiatives(session: &mut Session, round: &RoundId) -> Result<Vec<Initiative>, Failure> {
    #[derive(Deserialize)]
    struct Page {
        initiatives: Vec<Initiative>,
    }
    let page: Page = session.get(&format!("/rounds/{round}/initiatives?limit=100"))?.is(200)?.json()?;
    Ok(page.initiatives)
}

/// A line for each id that the round does not have, with those that may have been meant.
pub(super) fn unknown(ids: &[String], initiatives: &[Initiative], language: Language) -> Vec<String> {
    let is_known = |id: &String| initiatives.iter().any(|initiative| initiative.id == *id);
    let line = |id: &String| {
        let near = nearest(id, initiatives).join(", ");
        if near.is_empty() {
            let all: Vec<&str> = initiatives.iter().map(|initiative| &*initiative.id).collect();
            let all = all.join(", ");
            return language.pick(
                format!("{id}: finns inte i omgången; den har {all}"),
                format!("{id}: is not in the round, which has {all}"),
            );
        }
        language.pick(
            format!("{id}: finns inte i omgången; menade du {near}?"),
            format!("{id}: is not in the round; did you mean {near}?"),
        )
    };
    ids.iter().filter(|id| !is_known(id)).map(line).collect()
}

/// The ids that are nearest: equally near ones, and those that begin or go on as what was written.
fn nearest<'a>(id: &str, initiatives: &'a [Initiative]) -> Vec<&'a str> {
    let parts: Vec<&str> = if id.len() < 3 {
        Vec::new()
    } else {
        initiatives.iter().map(|initiative| &*initiative.id).filter(|known| known.contains(id)).collect()
    };
    if !parts.is_empty() {
        return parts;
    }
    let far = |known: &str| strsim::damerau_levenshtein(&id.to_lowercase(), known);
    let most = id.chars().count().div_ceil(NEAR);
    let least = initiatives.iter().map(|initiative| far(&initiative.id)).filter(|far| *far <= most).min();
    let ids = initiatives.iter().map(|initiative| &*initiative.id);
    ids.filter(|known| Some(far(known)) == least).collect()
}
