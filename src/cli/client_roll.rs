//! `handslag client create --round`: a client for each participant on a roll, with a sheet to send.
//!
//! Each has a folder: first the key or the secret under the name of the client, then the client in the database, then
//! the sheet. Whatever is there already is taken as it is, so that a run that was broken off can be repeated.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::client_keys::{made, of_key, of_secret};
use super::client_sheet::{self, Sheet};
use super::progress::progress;
use super::{Failure, audit, open, output, tell};
use crate::config::Settings;
use crate::domain::{AuthMethod, ClientId, Participant, Round, RoundId};
use crate::identity::secret::Secret;
use crate::identity::{ClientKey, SigningKey};
use crate::service::clients::{self, ClientText, NewCredential, Profile};
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
    let place = |participant: &Participant| Place { folder: folder.join(participant.code.as_str()), method };
    for participant in participants {
        place(participant).refuse_the_other_kind()?;
    }
    let bar = progress(participants.len() as u64, "{pos}/{len} clients {wide_bar} {eta}");
    let (mut made, mut own) = (0, HashSet::new());
    for participant in participants {
        let (client, is_new) =
            place(participant).complete(&store, &ledger.round, participant, name, &issuer)?;
        made += u32::from(is_new);
        own.insert(client);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let there = participants.len() as u64 - u64::from(made);
    tell(&format!("{}: {made} clients made, {there} were there\n", folder.display()));
    let others = store.read(store::clients::all)?.into_iter().filter(|client| {
        let on_roll = client.participant.as_ref().is_some_and(|code| ledger.roll.position(code).is_some());
        on_roll && client.disabled_at.is_none() && !own.contains(&client.id)
    });
    match others.count() {
        0 => {}
        n => tell(&format!("these participants have {n} other active clients: handslag client list\n")),
    }
    Ok(())
}

/// Says so if a client is for somebody who is on no roll: it may be a slip of the pen.
pub(super) fn warn_of_strangers(store: &Store, profile: &Profile) -> Result<(), Failure> {
    let Some(code) = &profile.participant else { return Ok(()) };
    let is_known = store.read(|conn| {
        for round in store::rounds::all(conn)? {
            if store::participants::load(conn, &round.id)?.position(code).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    if !is_known {
        eprintln!("handslag: {} is on the roll of no round yet", code.qualified());
    }
    Ok(())
}

/// The folder of a participant.
struct Place {
    folder: PathBuf,
    method: AuthMethod,
}

impl Place {
    /// Refuses a folder that was made with keys where secrets are wanted, or the other way: the sheets would be written
    /// over, and the clients of before would live on unseen.
    fn refuse_the_other_kind(&self) -> Result<(), Failure> {
        let (other, what) = match self.method {
            AuthMethod::PrivateKeyJwt => (AuthMethod::ClientSecretPost, "secrets"),
            AuthMethod::ClientSecretPost => (AuthMethod::PrivateKeyJwt, "keys"),
        };
        let other = Self { folder: self.folder.clone(), method: other };
        match other.begun()? {
            None => Ok(()),
            Some(id) => Err(Failure::refused(format!(
                "{}: was made with {what} (the client {id}): name another folder, or go on as it was made",
                self.folder.display()
            ))),
        }
    }

    /// Makes what is missing; says whose it is, and whether anything was.
    fn complete(
        &self,
        store: &Store,
        round: &Round,
        participant: &Participant,
        name: Option<&str>,
        issuer: &str,
    ) -> Result<(ClientId, bool), Failure> {
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
        let id = begun.unwrap_or_else(|| clients::new_id(&profile));
        if known && sheet.exists() {
            return Ok((id, false));
        }
        let file = self.folder.join(self.file_name(&id));
        let credential = self.credential(&file)?;
        let kid = credential.id.clone();
        if !known {
            audit::recorded(store, "client create", audit::client(&id, Some(&participant.code)), || {
                let now = Clock::System.now();
                Ok(clients::create(&mut store.connect()?, id.clone(), &profile, credential, now)?)
            })?;
        }
        let text = client_sheet::write(&Sheet {
            round,
            participant,
            client: &id,
            issuer,
            file: &self.file_name(&id),
            kid: &kid,
            method: self.method,
        });
        output::write(&sheet, true, |file| file.write_all(text.as_bytes()).map_err(Failure::failed))?;
        Ok((id, true))
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
    fn credential(&self, file: &Path) -> Result<NewCredential, Failure> {
        match self.method {
            AuthMethod::PrivateKeyJwt if file.exists() => {
                let key = SigningKey::read(file).map_err(Failure::failed)?;
                Ok(of_key(&ClientKey::from(&key)))
            }
            AuthMethod::PrivateKeyJwt => made(file),
            AuthMethod::ClientSecretPost => {
                let failed = |error| Failure::failed(format!("{}: {error}", file.display()));
                let secret = if file.exists() {
                    let text = Zeroizing::new(fs::read_to_string(file).map_err(failed)?);
                    Secret::known(text.trim_end())
                } else {
                    let secret = Secret::new();
                    fs::create_dir_all(&self.folder).map_err(failed)?;
                    // Without a newline at its end, which programs that send the file would send too.
                    output::write(file, true, |out| out.write_all(secret.text().as_bytes()).map_err(failed))?;
                    secret
                };
                Ok(of_secret(&secret))
            }
        }
    }
}
