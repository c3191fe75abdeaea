//! `handslag client create --round`: a client for each participant on a roll, with a sheet to send.
//!
//! Each has a folder: first the key or the secret under the name of the client, then the client in the database, then
//! the sheet. Whatever is there already is taken as it is, so that a run that was broken off can be repeated.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::client_keys::{made, of_key, of_secret};
use super::client_sheet::{self, Sheet};
use super::progress::progress;
use super::{Failure, audit, open, output, tell};
use crate::config::Settings;
use crate::domain::{AuthMethod, ClientId, Participant, RoundId};
use crate::identity::secret::Secret;
use crate::identity::{ClientKey, SigningKey};
use crate::service::clients::{self, ClientText, NewCredential};
use crate::service::{self, Clock, ledger};
use crate::store::{self, Store};

/// Makes what is missing for everybody on the roll.
pub(super) fn create(
    settings: &Settings,
    round: &RoundId,
    folder: &Path,
    method: AuthMethod,
    name: Option<&str>,
) -> Result<(), Failure> {
    let store = open(settings)?;
    let ledger = ledger::read(&store, round)?;
    let issuer = settings.public_url(settings.bind);
    let participants = ledger.roll.participants();
    let bar = progress(participants.len() as u64, "{pos}/{len} clients {wide_bar} {eta}");
    let mut made = 0;
    for participant in participants {
        let place = Place { folder: folder.join(participant.code.as_str()), method };
        made += u32::from(place.complete(&store, participant, name, &issuer)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let there = participants.len() as u64 - u64::from(made);
    tell(&format!("{}: {made} clients made, {there} were there\n", folder.display()));
    Ok(())
}

/// The folder of a participant.
struct Place {
    folder: PathBuf,
    method: AuthMethod,
}

impl Place {
    /// Makes what is missing; says whether anything was.
    fn complete(
        &self,
        store: &Store,
        participant: &Participant,
        name: Option<&str>,
        issuer: &str,
    ) -> Result<bool, Failure> {
        let text = ClientText {
            kind: "participant".to_owned(),
            participant: Some(participant.code.qualified()),
            scopes: None,
            name: name.map_or_else(|| participant.code.qualified(), ToOwned::to_owned),
        };
        let profile = clients::read(&text).map_err(service::Error::Invalid)?;
        let sheet = self.folder.join(format!("handslag-{}.txt", participant.code));
        let begun = self.begun()?;
        let known = match &begun {
            Some(id) => store.read(|conn| store::clients::find(conn, id))?.is_some(),
            None => false,
        };
        if known && sheet.exists() {
            return Ok(false);
        }
        let id = begun.unwrap_or_else(|| clients::new_id(&profile));
        let file = self.folder.join(self.file_name(&id));
        let (credential, secret) = self.credential(&file)?;
        let kid = credential.id.clone();
        if !known {
            audit::recorded(store, "client create", audit::client(&id, Some(&participant.code)), || {
                let now = Clock::System.now();
                Ok(clients::create(&mut store.connect()?, id.clone(), &profile, credential, now)?)
            })?;
        }
        let text = client_sheet::write(&Sheet {
            participant,
            client: &id,
            issuer,
            file: &self.file_name(&id),
            kid: &kid,
            secret: secret.as_ref().map(Secret::text),
        });
        output::write(&sheet, true, |file| file.write_all(text.as_bytes()).map_err(Failure::failed))?;
        Ok(true)
    }

    fn file_name(&self, id: &ClientId) -> String {
        format!("{id}.{}", self.ending())
    }

    const fn ending(&self) -> &'static str {
        match self.method {
            AuthMethod::PrivateKeyJwt => "pem",
            AuthMethod::ClientSecretPost => "secret",
        }
    }

    /// The client that an earlier run has begun here.
    fn begun(&self) -> Result<Option<ClientId>, Failure> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let failed = |error| Failure::failed(format!("{}: {error}", self.folder.display()));
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let ours = path.extension().is_some_and(|ending| ending == self.ending());
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if let (true, Ok(id)) = (ours, stem.parse()) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The key or secret in the file, made first if it is not there.
    fn credential(&self, file: &Path) -> Result<(NewCredential, Option<Secret>), Failure> {
        match self.method {
            AuthMethod::PrivateKeyJwt if file.exists() => {
                let key = SigningKey::read(file).map_err(Failure::failed)?;
                Ok((of_key(&ClientKey::from(&key)), None))
            }
            AuthMethod::PrivateKeyJwt => Ok((made(file)?, None)),
            AuthMethod::ClientSecretPost => {
                let failed = |error| Failure::failed(format!("{}: {error}", file.display()));
                let secret = if file.exists() {
                    let text = Zeroizing::new(fs::read_to_string(file).map_err(failed)?);
                    Secret::known(text.trim_end())
                } else {
                    let secret = Secret::new();
                    fs::create_dir_all(&self.folder).map_err(failed)?;
                    let text = Zeroizing::new(format!("{}\n", secret.text()));
                    output::write(file, true, |out| out.write_all(text.as_bytes()).map_err(failed))?;
                    secret
                };
                Ok((of_secret(&secret), Some(secret)))
            }
        }
    }
}
