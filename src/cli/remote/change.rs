//! A change of a ballot, under the condition that the ballot is still the one that was seen. Where nobody knows
//! whether a change arrived, it is looked up before it is sent again: it is not done twice.

use super::ballot::{Ballot, Place};
use super::exchange::{Answer, Request, Sent};
use super::patience::Patience;
use super::session::Session;
use crate::cli::Failure;

/// A change to be made.
pub(super) struct Change<'a> {
    pub(super) place: &'a Place,
    /// `PUT` or `DELETE`
    pub(super) method: &'static str,
    pub(super) body: Option<Vec<u8>>,
    /// The revision that was seen; none if there was no ballot.
    pub(super) seen: Option<u32>,
    /// Whether what is stored is what this change makes of it.
    pub(super) is_done: &'a dyn Fn(Option<&Ballot>) -> bool,
}

/// How a change was made.
pub(super) enum Made {
    /// The service has said so.
    Told(Answer),
    /// It was found, after the answer had been lost.
    Found(Option<Ballot>),
}

impl Change<'_> {
    /// Makes it.
    pub(super) fn make(&self, session: &mut Session) -> Result<Made, Failure> {
        let mut patience = Patience::new(session.language);
        let request = self.request(session);
        let mut in_doubt = false;
        loop {
            match session.once(&request)? {
                // Refused before anything was done.
                Sent::Answer(answer) if answer.status == 429 => {
                    patience.busy(answer.come_back().unwrap_or_default())?;
                    continue;
                }
                // Of a busy service the change may be stored or not.
                Sent::Answer(answer) if answer.status == 503 => {
                    patience.busy(answer.come_back().unwrap_or_default())?;
                }
                // Perhaps it is our own change that is in the way.
                Sent::Answer(answer) if answer.status == 412 && in_doubt => {}
                Sent::Answer(answer) if (200..300).contains(&answer.status) => return Ok(Made::Told(answer)),
                Sent::Answer(answer) => return Err(answer.refusal()),
                Sent::Lost(why) => {
                    let looking = session.language.pick(
                        "svaret uteblev, ser efter om ändringen är sparad",
                        "no answer came, looking whether the change is stored",
                    );
                    patience.lost(&format!("{looking} ({why})"))?;
                }
            }
            in_doubt = true;
            let stored = self.place.stored(session)?;
            let revision = stored.as_ref().map(|ballot| ballot.revision);
            // A ballot of before that says the same is not this change.
            if revision != self.seen && (self.is_done)(stored.as_ref()) {
                return Ok(Made::Found(stored));
            }
            if revision != self.seen {
                return Err(Failure::refused(session.language.pick(
                    "någon annan har ändrat prioriteringen sedan den lästes; inget skickades igen",
                    "somebody else has changed the ballot since it was read; nothing was sent again",
                )));
            }
        }
    }

    fn request(&self, session: &Session) -> Request {
        let address = session.address(&self.place.path());
        let request = Request { method: self.method, address, fields: Vec::new(), body: None };
        let request = match self.seen {
            Some(revision) => request.field("If-Match", format!("\"{revision}\"")),
            None => request.field("If-None-Match", "*"),
        };
        match &self.body {
            Some(body) => request.body("application/json", body.clone()),
            None => request,
        }
    }
}
