//! A ballot as it goes out and comes in, and what differs between two.

use serde::{Deserialize, Serialize};

use super::session::Session;
use crate::cli::Failure;
use crate::cli::terminal::named;
use crate::domain::{Instant, RoundId};
use crate::export::Language;
use crate::export::rounds::local;

/// What a participant says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub(super) ranking: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) engagements: Vec<Engagement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

/// What a participant offers to do for an initiative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Engagement {
    initiative_id: String,
    engagement: String,
}

/// A ballot that is stored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ballot {
    ranking: Vec<String>,
    engagements: Vec<Engagement>,
    reference: Option<String>,
    comment: Option<String>,
    pub(super) revision: u32,
    pub(super) sequence: u64,
    accepted_at: String,
    pub(super) receipt: Receipt,
}

/// What vouches for it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Receipt {
    pub(super) signature: String,
}

/// Where a participant's ballot in a round is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) round: RoundId,
    pub(super) participant: String,
}

impl Content {
    /// Whether both say the same; in which order engagements stand means nothing.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let plain = |content: &Self| {
            let mut plain = content.clone();
            plain.engagements.sort();
            plain
        };
        plain(self) == plain(other)
    }

    /// The lines that show it, with titles, and what is new in it to whoever knows the ballot before.
    pub(super) fn lines<'a>(
        &self,
        before: Option<&Self>,
        titled: &dyn Fn(&str) -> Option<&'a str>,
        language: Language,
    ) -> Vec<String> {
        let named = |id: &str| named(id, titled(id).unwrap_or(id));
        let mut lines = Vec::new();
        for (i, id) in self.ranking.iter().enumerate() {
            let was = before.map(|before| before.ranking.iter().position(|known| known == id));
            let note = match was {
                None => String::new(),
                Some(None) => language.pick("  (ny)", "  (new)").to_owned(),
                Some(Some(was)) if was == i => String::new(),
                Some(Some(was)) => {
                    language.pick(format!("  (var {})", was + 1), format!("  (was {})", was + 1))
                }
            };
            lines.push(format!("  {}. {}{note}", i + 1, named(id)));
        }
        let gone = before.iter().flat_map(|before| &before.ranking).filter(|id| !self.ranking.contains(id));
        lines.extend(gone.map(|id| {
            let name = named(id);
            language.pick(format!("  –  {name}  (utgår)"), format!("  –  {name}  (left out)"))
        }));
        for Engagement { initiative_id, engagement } in &self.engagements {
            lines.push(format!("  {initiative_id}: {engagement}"));
        }
        let texts = [
            (language.pick("referens", "reference"), &self.reference, before.map(|before| &before.reference)),
            (language.pick("kommentar", "comment"), &self.comment, before.map(|before| &before.comment)),
        ];
        for (name, text, was) in texts {
            let line = match (text, was.and_then(Option::as_ref)) {
                (Some(text), _) => format!("  {name}: {text}"),
                (None, Some(was)) => language
                    .pick(format!("  –  {name}: {was}  (utgår)"), format!("  –  {name}: {was}  (left out)")),
                (None, None) => continue,
            };
            lines.push(line);
        }
        lines
    }
}

impl Ballot {
    /// What it says.
    pub(super) fn content(&self) -> Content {
        let Self { ranking, engagements, reference, comment, .. } = self.clone();
        Content { ranking, engagements, reference, comment }
    }

    /// When it was accepted, on a Swedish clock.
    pub(super) fn accepted(&self) -> String {
        on_the_clock(&self.accepted_at)
    }
}

impl Place {
    /// The ballot of this participant, or of the one that the profile is for.
    pub(super) fn of(
        session: &mut Session,
        round: RoundId,
        participant: Option<&str>,
    ) -> Result<Self, Failure> {
        let own = match participant {
            Some(code) => Some(code.to_owned()),
            None => session.participant()?,
        };
        let language = session.language;
        let nobody = || {
            Failure::refused(language.pick(
                "profilen gäller ingen deltagare; ange --participant",
                "the profile is for no participant; give --participant",
            ))
        };
        Ok(Self { round, participant: own.ok_or_else(nobody)? })
    }

    /// Its path below the API's address.
    pub(super) fn path(&self) -> String {
        format!("/rounds/{}/ballots/{}", self.round, self.participant)
    }

    /// The ballot that is stored, if there is one.
    pub(super) fn stored(&self, session: &mut Session) -> Result<Option<Ballot>, Failure> {
        let answer = session.get(&self.path())?;
        if answer.status == 404 {
            return Ok(None);
        }
        answer.is(200)?.json().map(Some)
    }
}

/// A moment of the API on a Swedish clock, `2026-03-31T23:59:59+02:00`, as people write it.
pub(super) fn clock(local: &str) -> String {
    local.get(..16).unwrap_or(local).replace('T', " ")
}

/// A moment of the API in UTC on a Swedish clock.
pub(super) fn on_the_clock(moment: &str) -> String {
    moment.parse::<Instant>().map_or_else(|_| moment.to_owned(), |moment| clock(&local(moment)))
}
