//! The keys that sign access tokens, as commands use them.

use std::collections::HashSet;
use std::sync::Arc;

use super::Failure;
use crate::config::Settings;
use crate::identity::{KeyFolder, Registered, SigningKey};
use crate::service::Clock;
use crate::store::{self, Store};

/// The key of the data folder that signs now. Which of several it is, the database knows.
pub(super) fn signing(
    settings: &Settings,
    open: impl FnOnce() -> Result<Store, Failure>,
) -> Result<Arc<SigningKey>, Failure> {
    let keys = KeyFolder::new(&settings.data_dir).keys().map_err(Failure::failed)?;
    if let [only] = &keys[..] {
        return Ok(Arc::clone(only));
    }
    let now = Clock::System.now();
    let registered = open()?.read(store::token_keys::all)?;
    let registered = Registered::new(Vec::new(), HashSet::new(), registered, keys, now);
    let none = || Failure::refused("none of the keys in keys/ signs now: see handslag keys list");
    registered.signing_key(now).cloned().ok_or_else(none)
}
