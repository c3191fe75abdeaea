//! The private keys that sign tokens, in the folder of one instance. Which of them is in use, all instances learn from
//! the register; here is only what makes, finds and removes the files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::keys::folder;
use super::{KeyError, Purpose, SigningKey};

/// What the names of further keys begin with, after the first, which has the name of old.
const FURTHER: &str = "signing-";
/// And what they end with.
const ENDING: &str = ".pem";

/// The private keys of tokens in a data folder.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    data_dir: PathBuf,
}

impl KeyFolder {
    /// The keys of this data folder.
    pub fn new(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned() }
    }

    /// Reads every key, and makes the first if there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn keys(&self) -> Result<Vec<Arc<SigningKey>>, KeyError> {
        let mut keys = self.read()?;
        if keys.is_empty() {
            keys.push(Arc::new(SigningKey::load_or_create(&self.data_dir, Purpose::Tokens)?));
        }
        Ok(keys)
    }

    /// Makes a further key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn add(&self) -> Result<Arc<SigningKey>, KeyError> {
        let name = format!("{FURTHER}{}{ENDING}", Uuid::now_v7());
        SigningKey::create(&folder(&self.data_dir).join(name)).map(Arc::new)
    }

    /// Removes the files of the keys that are not to be kept; gives their ids.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn keep(&self, keep: impl Fn(&str) -> bool) -> Result<Vec<String>, KeyError> {
        let mut removed = Vec::new();
        for path in self.paths()? {
            let kid = SigningKey::read(&path)?.kid().to_owned();
            if !keep(&kid) {
                fs::remove_file(&path).map_err(|error| KeyError::of(&path, error))?;
                removed.push(kid);
            }
        }
        Ok(removed)
    }

    /// Reads the keys that there are.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(&self) -> Result<Vec<Arc<SigningKey>>, KeyError> {
        let mut keys = Vec::new();
        for path in self.paths()? {
            match SigningKey::read(&path) {
                Ok(key) => keys.push(Arc::new(key)),
                // Somebody has removed it since the folder was read.
                Err(KeyError::File { error, .. }) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(keys)
    }

    /// The files, in order of their names, which is that of their making.
    fn paths(&self) -> Result<Vec<PathBuf>, KeyError> {
        let folder = folder(&self.data_dir);
        let failed = |error| KeyError::of(&folder, error);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&folder).map_err(failed)?;
        let mut paths =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let further = name.strip_suffix(ENDING).is_some_and(|name| name.starts_with(FURTHER));
            name == Purpose::Tokens.file() || further
        });
        paths.sort();
        Ok(paths)
    }
}
