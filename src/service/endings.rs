//! What has been ended in the register of clients and keys. A backup that takes the place of a database must not undo
//! it: a client was disabled, or a key voided, for a reason.

use crate::domain::{Client, Instant, TokenKey};
use crate::store::{self, Conn, Error, Store};

/// The register of a database that is about to be replaced.
#[derive(Debug)]
pub struct Endings {
    clients: Vec<Client>,
    keys: Vec<TokenKey>,
}

/// How much of what was ended a backup did not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Clients that are disabled.
    pub disabled: usize,
    /// Clients whose keys or secrets end.
    pub rotated: usize,
    /// Keys of tokens that are not believed any more.
    pub keys: usize,
}

impl Endings {
    /// Reads them.
    ///
    /// # Errors
    /// If storage fails.
    pub fn read(conn: &mut Conn) -> Result<Self, Error> {
        Ok(Self { clients: store::clients::all(conn)?, keys: store::token_keys::all(conn)? })
    }

    /// Ends the same in the database that takes the place. Of two ends the earlier holds: what should go on after all
    /// is easily taken in again.
    ///
    /// # Errors
    /// If storage fails.
    pub fn carry_over(&self, conn: &mut Conn, now: Instant) -> Result<Kept, Error> {
        Store::write(conn, |conn| {
            store::registry::claim(conn)?;
            let mut kept = Kept::default();
            for mut client in store::clients::all(conn)? {
                let Some(known) = self.clients.iter().find(|known| known.id == client.id) else { continue };
                let disabled = client.disabled_at.is_none() && known.disabled_at.is_some();
                let rotated = end_credentials(&mut client, known, now);
                if disabled || rotated {
                    client.disabled_at = client.disabled_at.or(known.disabled_at);
                    client.revision = client.revision.max(known.revision) + 1;
                    store::clients::update(conn, &client)?;
                }
                kept.disabled += usize::from(disabled);
                kept.rotated += usize::from(rotated);
            }
            let registered = store::token_keys::all(conn)?;
            for known in &self.keys {
                let Some(retires) = known.retires_at else { continue };
                match registered.iter().find(|key| key.kid == known.kid) {
                    // Its private half may be in a folder somewhere, and must not be taken for a new key.
                    None => store::token_keys::insert(conn, known)?,
                    Some(key) if sooner(key.retires_at, known.retires_at).is_some() => {
                        store::token_keys::retire(conn, &key.kid, retires)?;
                    }
                    Some(_) => continue,
                }
                kept.keys += 1;
            }
            Ok(kept)
        })
    }
}

/// Ends what a client was shown by, where it has ended since; says whether anything did.
fn end_credentials(client: &mut Client, known: &Client, now: Instant) -> bool {
    let mut any = false;
    for credential in &mut client.credentials {
        let ends = match known.credentials.iter().find(|known| known.id == credential.id) {
            Some(known) => known.ends_at,
            // Those that have ended are not kept; a newer one has taken the place of this.
            None => {
                known.credentials.iter().any(|new| new.created_at >= credential.created_at).then_some(now)
            }
        };
        if let Some(at) = sooner(credential.ends_at, ends) {
            credential.ends_at = Some(at);
            any = true;
        }
    }
    any
}

/// An end that comes before the one that is known.
fn sooner(known: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    other.filter(|other| known.is_none_or(|known| *other < known))
}
