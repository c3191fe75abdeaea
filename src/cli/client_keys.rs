//! Keys and secrets of clients, as commands make and read them.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::Failure;
use crate::domain::{AuthMethod, ClientId};
use crate::identity::secret::Secret;
use crate::identity::{ClientKey, SigningKey};
use crate::service::clients::{LONGEST_KEPT, NewCredential};

/// A key pair, of which the private half is in a new file that only its owner can read.
pub(super) fn made(path: &Path) -> Result<NewCredential, Failure> {
    if path.exists() {
        return Err(Failure::refused(format!("{}: is there already", path.display())));
    }
    let key = SigningKey::create(path).map_err(Failure::failed)?;
    Ok(of_key(&ClientKey::from(&key)))
}

/// The public key in a file that somebody has brought.
pub(super) fn given(file: &Path) -> Result<NewCredential, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    let key = ClientKey::read(&text).map_err(|fault| Failure::refused(format!("{name}: {fault}")))?;
    Ok(of_key(&key))
}

/// What is kept of a public key.
pub(super) fn of_key(key: &ClientKey) -> NewCredential {
    let (id, value) = (key.kid().to_owned(), key.jwk().to_string());
    NewCredential { method: AuthMethod::PrivateKeyJwt, id, value }
}

/// What is kept of a secret.
pub(super) fn of_secret(secret: &Secret) -> NewCredential {
    let id = Uuid::now_v7().to_string();
    NewCredential { method: AuthMethod::ClientSecretPost, id, value: secret.hash() }
}

/// A name in this folder that no file has, for a key of a client.
pub(super) fn free_name(client: &ClientId) -> PathBuf {
    let names = (1..).map(|n| match n {
        1 => PathBuf::from(format!("{client}.pem")),
        n => PathBuf::from(format!("{client}-{n}.pem")),
    });
    names.into_iter().find(|name| !name.exists()).expect("there are more names than files")
}

/// A duration of whole seconds, minutes, hours or days, in seconds.
pub(super) fn duration(text: &str) -> Result<u32, String> {
    let wrong = || format!("a whole number with s, m, h or d, at most {} days", LONGEST_KEPT / 86_400);
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).filter(|kept| *kept <= LONGEST_KEPT).ok_or_else(wrong)
}
