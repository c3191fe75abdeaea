//! The systems that may ask for tokens: making, disabling and renewing them.

use rand::Rng;

use super::{Error, Fault, Place};
use crate::domain::{
    AuthMethod, Client, ClientId, ClientKind, Credential, Instant, ParticipantCode, Scope, Scopes,
};
use crate::store::{self, Conn, Store};

/// The longest name of a client, in characters.
pub const LONGEST_NAME: usize = 100;
/// The most credentials of a client that are accepted at a time.
pub const MOST_CREDENTIALS: usize = 5;
/// The longest that an old credential may be kept beside a new one, in seconds: 30 days.
pub const LONGEST_KEPT: u32 = 30 * 24 * 60 * 60;

/// What a client is to be, as texts.
#[derive(Clone, Debug, Default)]
pub struct ClientText {
    /// `participant`, `analyst` or `manager`.
    pub kind: String,
    /// `municipality:0180`; of participants' clients only.
    pub participant: Option<String>,
    /// The names of its scopes; none means all that its kind may have.
    pub scopes: Option<Vec<String>>,
    /// What the system is called.
    pub name: String,
}

/// What a client is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it is for.
    pub kind: ClientKind,
    /// For whom it acts.
    pub participant: Option<ParticipantCode>,
    /// The most that its tokens allow.
    pub scopes: Scopes,
    /// What the system is called.
    pub name: String,
}

/// What a client is to show who it is with: the id of a key or a secret, and what is kept of it.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// How it is shown.
    pub method: AuthMethod,
    /// Its id among those of the client.
    pub id: String,
    /// A public JWK, or the hash of a secret.
    pub value: String,
}

/// Reads what a client is to be.
///
/// # Errors
/// Every fault.
pub fn read(text: &ClientText) -> Result<Profile, Vec<Fault>> {
    let mut faults = Vec::new();
    let kind: Option<ClientKind> = text.kind.parse().ok();
    if kind.is_none() {
        let (sv, en) = ("participant, analyst eller manager.", "participant, analyst or manager.");
        faults.push(Fault::member("kind", "unknown-kind", sv, en));
    }
    let participant = text.participant.as_deref().map(ParticipantCode::from_qualified);
    match (&participant, kind) {
        (Some(Err(_)), _) => {
            let (sv, en) =
                ("Skriv art:kod, som municipality:0180.", "Write kind:code, as municipality:0180.");
            faults.push(Fault::member("participant", "participant", sv, en));
        }
        (None, Some(ClientKind::Participant)) => {
            let (sv, en) = ("Vems klient är det?", "Whose client is it?");
            faults.push(Fault::member("participant", "missing", sv, en));
        }
        (Some(Ok(_)), Some(ClientKind::Analyst | ClientKind::Manager)) => {
            let sv = "Bara en klient av arten participant hör till en deltagare.";
            let en = "Only a client of the kind participant belongs to a participant.";
            faults.push(Fault::member("participant", "not-allowed", sv, en));
        }
        (None | Some(Ok(_)), _) => {}
    }
    let scopes = text.scopes.as_deref().map(|names| scopes(names, kind, &mut faults));
    faults.extend(name_fault(&text.name));
    match (kind, participant.transpose()) {
        (Some(kind), Ok(participant)) if faults.is_empty() => {
            let scopes = scopes.unwrap_or_else(|| kind.scopes());
            Ok(Profile { kind, participant, scopes, name: text.name.clone() })
        }
        _ => Err(faults),
    }
}

fn scopes(names: &[String], kind: Option<ClientKind>, faults: &mut Vec<Fault>) -> Scopes {
    let mut found = Vec::new();
    let mut fault = |index: usize, code, sv: &str, en: &str| {
        let fault = Fault::member("scopes", code, sv, en);
        faults.push(Fault { place: Place::Element { list: "scopes", index }, ..fault });
    };
    for (index, name) in names.iter().enumerate() {
        match Scope::ALL.into_iter().find(|scope| scope.id() == name) {
            None => fault(index, "unknown-scope", "Behörigheten finns inte.", "There is no such scope."),
            Some(scope) if kind.is_some_and(|kind| !kind.scopes().has(scope)) => {
                let sv = "En klient av denna art kan inte ha behörigheten.";
                fault(index, "not-allowed", sv, "A client of this kind cannot have the scope.");
            }
            Some(scope) if found.contains(&scope) => {
                fault(index, "twice", "Behörigheten står redan.", "The scope stands already.");
            }
            Some(scope) => found.push(scope),
        }
    }
    if names.is_empty() {
        let (sv, en) = ("Minst en behörighet behövs.", "At least one scope is needed.");
        faults.push(Fault::member("scopes", "missing", sv, en));
    }
    Scopes::of(&found)
}

/// What is wrong with a client's name.
pub fn name_fault(name: &str) -> Option<Fault> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) && name.trim() == name {
        return None;
    }
    let sv = format!("1 till {LONGEST_NAME} tecken, utan styrtecken och utan blanktecken först eller sist.");
    let en = format!(
        "1 to {LONGEST_NAME} characters, without control characters and without spaces first or last."
    );
    Some(Fault::member("name", "name", &sv, &en))
}

/// Makes a client.
///
/// # Errors
/// If storage fails.
pub fn create(
    conn: &mut Conn,
    id: ClientId,
    profile: &Profile,
    credential: NewCredential,
    now: Instant,
) -> Result<Client, Error> {
    let Profile { kind, participant, scopes, name } = profile.clone();
    let client = Client {
        id,
        kind,
        participant,
        scopes,
        name,
        method: credential.method,
        credentials: vec![dated(credential, now)],
        created_at: now,
        disabled_at: None,
        revision: 1,
    };
    Store::write(conn, |conn| {
        store::registry::claim(conn)?;
        store::clients::insert(conn, &client)?;
        Ok(client)
    })
}

/// An id that tells whose client it is, and that nobody has yet.
pub fn new_id(profile: &Profile) -> ClientId {
    let whose = profile.participant.as_ref().map_or(profile.kind.id(), ParticipantCode::as_str);
    // Codes of networks may be as long as an id may be.
    let whose: String = whose.chars().take(48).collect();
    let mut random = rand::rngs::OsRng;
    let letters = b"abcdefghijkmnpqrstuvwxyz23456789";
    let rest: String = (0..8).map(|_| char::from(letters[random.gen_range(0..letters.len())])).collect();
    format!("{}-{rest}", whose.trim_end_matches('-')).parse().expect("a slug and eight letters and digits")
}

fn dated(credential: NewCredential, now: Instant) -> Credential {
    Credential { id: credential.id, value: credential.value, created_at: now, ends_at: None }
}

/// A change of a client.
#[derive(Clone, Debug)]
pub enum Change {
    /// Another name; disabled or enabled.
    Patch {
        /// The new name.
        name: Option<String>,
        /// Whether it is disabled.
        disabled: Option<bool>,
    },
    /// A new key or secret; the old ones end at once, or after so many seconds.
    Rotate(NewCredential, u32),
}

/// Changes a client, if it is still what the caller knows.
///
/// # Errors
/// [`Error::NoSuchClient`], [`Error::Changed`] or [`Error::Invalid`]; then nothing of it was done.
pub fn change(
    conn: &mut Conn,
    id: &ClientId,
    change: Change,
    now: Instant,
    expected: impl FnOnce(&Client) -> bool,
) -> Result<Client, Error> {
    Store::write(conn, |conn| {
        store::registry::claim(conn)?;
        let before = store::clients::find(conn, id)?.ok_or(Error::NoSuchClient)?;
        if !expected(&before) {
            return Err(Error::Changed);
        }
        let mut client = before.clone();
        match change {
            Change::Patch { name, disabled } => {
                client.name = name.unwrap_or(client.name);
                client.disabled_at = match disabled {
                    None => client.disabled_at,
                    Some(true) => client.disabled_at.or(Some(now)),
                    Some(false) => None,
                };
            }
            Change::Rotate(credential, kept) => rotate(&mut client, credential, kept, now)?,
        }
        if client != before {
            client.revision += 1;
            store::clients::update(conn, &client)?;
        }
        Ok(client)
    })
}

fn rotate(client: &mut Client, new: NewCredential, kept: u32, now: Instant) -> Result<(), Error> {
    let invalid =
        |member, code, sv: &str, en: &str| Error::Invalid(vec![Fault::member(member, code, sv, en)]);
    if new.method != client.method {
        let sv = format!("Klienten visar vem den är med {}.", client.method);
        let en = format!("The client shows who it is by {}.", client.method);
        return Err(invalid("publicKey", "auth-method", &sv, &en));
    }
    if client.credentials.iter().any(|old| old.id == new.id) {
        let (sv, en) = ("Klienten har redan denna nyckel.", "The client has this key already.");
        return Err(invalid("publicKey", "twice", sv, en));
    }
    let ends = now.plus_seconds(i64::from(kept));
    for old in &mut client.credentials {
        old.ends_at = Some(old.ends_at.map_or(ends, |earlier| earlier.min(ends)));
    }
    client.credentials.retain(|old| old.is_accepted(now));
    if client.credentials.len() >= MOST_CREDENTIALS {
        let sv = format!("Klienten har redan {MOST_CREDENTIALS} som gäller.");
        let en = format!("The client has {MOST_CREDENTIALS} already that are accepted.");
        return Err(invalid("keepOldSeconds", "too-many", &sv, &en));
    }
    client.credentials.push(dated(new, now));
    Ok(())
}
