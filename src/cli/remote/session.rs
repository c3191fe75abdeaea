//! A profile in use: requests with its token, which is fetched when it is needed and when it ends.

use ureq::Agent;

use super::exchange::{Answer, Request, Sent, agent};
use super::patience::Patience;
use super::profile::{Chosen, Credential, Place, Profile, Service};
use super::token::Token;
use crate::cli::Failure;
use crate::config::reads_swedish;
use crate::export::{Language, Links};

/// A profile in use.
pub(super) struct Session {
    place: Place,
    profile: Profile,
    credential: Credential,
    agent: Agent,
    /// What the person reads.
    pub(super) language: Language,
    token: Option<Token>,
    /// Whether the token was fetched for the request that is being sent.
    is_fresh: bool,
}

/// What the person reads: Swedish where the locale says so.
pub(super) fn language() -> Language {
    if reads_swedish() { Language::Sv } else { Language::En }
}

impl Session {
    /// Opens the chosen profile; nothing is sent.
    pub(super) fn open(chosen: &Chosen) -> Result<Self, Failure> {
        let place = Place::of(chosen)?;
        let (profile, credential) = place.read()?;
        let agent = agent(&profile.url)?;
        let token = Token::kept(&place, &profile);
        Ok(Self { place, profile, credential, agent, language: language(), token, is_fresh: false })
    }

    /// Below which address the API is.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{}{path}", self.profile.url, Links::PATH)
    }

    /// Whose ballot the token is for; none for analysts and managers.
    pub(super) fn participant(&mut self) -> Result<Option<String>, Failure> {
        Ok(self.token()?.participant())
    }

    /// Sends a request once, but for a token from before that is no longer believed.
    pub(super) fn once(&mut self, request: &Request) -> Result<Sent, Failure> {
        self.is_fresh = false;
        let sent = self.with_token(request)?;
        match sent {
            Sent::Answer(answer) if answer.status == 401 && !self.is_fresh => {
                self.token = None;
                self.with_token(request)
            }
            sent => Ok(sent),
        }
    }

    /// Gets what lies below the API's address, and tries again where that may help.
    pub(super) fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.look(&Request::get(self.address(path)))
    }

    /// Sends a request that changes nothing, and tries again where that may help.
    pub(super) fn look(&mut self, request: &Request) -> Result<Answer, Failure> {
        let mut patience = Patience::new(self.language);
        loop {
            match self.once(request)? {
                Sent::Answer(answer) => match answer.come_back() {
                    Some(seconds) => patience.busy(seconds)?,
                    None => return Ok(answer),
                },
                Sent::Lost(why) => patience.lost(&format!("{}: {why}", self.profile.url))?,
            }
        }
    }

    fn with_token(&mut self, request: &Request) -> Result<Sent, Failure> {
        let bearer = format!("Bearer {}", self.token()?.text);
        let more =
            [("Authorization", bearer), ("Accept-Language", self.language.pick("sv", "en").to_owned())];
        request.send(&self.agent, &more)
    }

    fn token(&mut self) -> Result<&Token, Failure> {
        let token = match self.token.take().filter(Token::lives) {
            Some(token) => token,
            None => self.fetch()?,
        };
        Ok(self.token.insert(token))
    }

    fn fetch(&mut self) -> Result<Token, Failure> {
        let Profile { url, token_endpoint, client, .. } = &self.profile;
        let service = Service { url: url.clone(), token_endpoint: token_endpoint.clone() };
        let token = Token::fetch(&self.agent, &service, client, &self.credential, self.language)?;
        token.keep(&self.place);
        self.is_fresh = true;
        Ok(token)
    }
}
