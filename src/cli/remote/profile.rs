//! Profiles: a service, who one is there, and the key or secret that shows it. In the configuration folder, a file for
//! the profile and one for the key, which only their owner can read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::private_file;
use super::session::language;
use crate::cli::Failure;
use crate::config::Home;
use crate::domain::ClientId;
use crate::identity::SigningKey;

/// Which profile a command is to use.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Chosen {
    /// The profile that `login` has made
    #[arg(long, env = "HANDSLAG_PROFILE", value_name = "NAME", default_value = "default", value_parser = name)]
    pub(super) profile: String,
}

/// A profile as its file has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Profile {
    /// The address of the service, which is also the issuer of its tokens.
    pub(super) url: String,
    pub(super) token_endpoint: String,
    pub(super) client: ClientIdText,
    shows: Shows,
}

/// How the client shows who it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum Shows {
    Key,
    Secret,
}

/// The id of a client, as text that was read as one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct ClientIdText(ClientId);

/// What a client shows who it is with.
pub(super) enum Credential {
    Key(Box<SigningKey>),
    Secret(Zeroizing<String>),
}

/// The files of one profile.
#[derive(Debug)]
pub(super) struct Place {
    home: Home,
    name: String,
}

impl From<ClientId> for ClientIdText {
    fn from(id: ClientId) -> Self {
        Self(id)
    }
}

impl TryFrom<String> for ClientIdText {
    type Error = <ClientId as std::str::FromStr>::Err;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<ClientIdText> for String {
    fn from(id: ClientIdText) -> Self {
        id.0.to_string()
    }
}

impl std::fmt::Display for ClientIdText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Place {
    /// Where the chosen profile is, or would be.
    pub(super) fn of(chosen: &Chosen) -> Result<Self, Failure> {
        let home = Home::find();
        let home = home.ok_or_else(|| {
            Failure::refused(language().pick(
                "HOME eller XDG_CONFIG_HOME måste säga var profiler finns",
                "HOME or XDG_CONFIG_HOME must say where profiles are kept",
            ))
        })?;
        Ok(Self { home, name: chosen.profile.clone() })
    }

    /// The file of the profile itself.
    pub(super) fn file(&self) -> PathBuf {
        self.kept("toml")
    }

    /// The file of its access token.
    pub(super) fn token(&self) -> PathBuf {
        self.home.cache.join("tokens").join(format!("{}.json", self.name))
    }

    fn kept(&self, ending: &str) -> PathBuf {
        self.home.config.join("profiles").join(format!("{}.{ending}", self.name))
    }

    fn credential(&self, shows: Shows) -> PathBuf {
        match shows {
            Shows::Key => self.kept("pem"),
            Shows::Secret => self.kept("secret"),
        }
    }

    /// Reads the profile, and what it shows who it is with.
    pub(super) fn read(&self) -> Result<(Profile, Credential), Failure> {
        let file = self.file();
        if !file.exists() {
            let name = &self.name;
            return Err(Failure::refused(language().pick(
                format!("det finns ingen profil {name}: handslag login gör en"),
                format!("there is no profile {name}: handslag login makes one"),
            )));
        }
        let text = private_file::read(&file).map_err(|error| failed(&file, &error))?;
        let profile: Profile = toml::from_str(&text).map_err(|error| failed(&file, &error.message()))?;
        let kept = self.credential(profile.shows);
        let credential = match profile.shows {
            Shows::Key => Credential::key(&kept)?,
            Shows::Secret => Credential::secret(&kept)?,
        };
        Ok((profile, credential))
    }

    /// Keeps a profile with its key or secret, in the place of what there was.
    pub(super) fn keep(&self, service: Service, client: ClientIdText, kept: &Kept) -> Result<(), Failure> {
        let shows = kept.credential.shows();
        let Service { url, token_endpoint } = service;
        let profile = Profile { url, token_endpoint, client, shows };
        let text = toml::to_string(&profile).map_err(Failure::failed)?;
        self.remove()?;
        for (path, content) in
            [(self.credential(shows), kept.content.as_bytes()), (self.file(), text.as_bytes())]
        {
            private_file::write(&path, content).map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }

    /// Removes the profile, its key and its token; says whether there was one.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        let remove = |path: PathBuf| private_file::remove(&path).map_err(|error| failed(&path, &error));
        // First what gives access.
        remove(self.token())?;
        remove(self.credential(Shows::Key))?;
        remove(self.credential(Shows::Secret))?;
        remove(self.file())
    }
}

/// What a service says of itself.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) url: String,
    pub(super) token_endpoint: String,
}

/// A key or a secret, and the text that it was read from.
pub(super) struct Kept {
    pub(super) credential: Credential,
    pub(super) content: Zeroizing<String>,
}

impl Credential {
    /// A private key in a file.
    pub(super) fn key(path: &Path) -> Result<Self, Failure> {
        // First as any file of one's own: what is said of a key that signs tokens would lead astray.
        private_file::read(path).map_err(|error| failed(path, &error))?;
        SigningKey::read(path).map(|key| Self::Key(Box::new(key))).map_err(Failure::failed)
    }

    fn secret(path: &Path) -> Result<Self, Failure> {
        let text = private_file::read(path).map_err(|error| failed(path, &error))?;
        Ok(Self::Secret(Zeroizing::new(text.trim().to_owned())))
    }

    const fn shows(&self) -> Shows {
        match self {
            Self::Key(_) => Shows::Key,
            Self::Secret(_) => Shows::Secret,
        }
    }
}

/// That a file could not be read or written.
pub(super) fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("{}: {error}", path.display()))
}

/// The name of a profile, which is part of names of files.
fn name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = (1..=64).contains(&text.len()) && text.chars().all(fine);
    if is_name { Ok(text.to_owned()) } else { Err("1 to 64 letters, digits, - and _".to_owned()) }
}
