//! A settings file with a password in it, and who may read it.

use std::io;
use std::path::{Path, PathBuf};

/// A settings file that holds a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile(PathBuf);

impl SecretFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its mode, if everybody on the machine may read it. Its group may: that is how the service itself is let in when
    /// the file is another's.
    ///
    /// # Errors
    /// If the file cannot be looked at.
    pub fn open_to_all(&self) -> io::Result<Option<u32>> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&self.0)?.permissions().mode() & 0o777;
            Ok((mode & 0o007 != 0).then_some(mode))
        }
        #[cfg(not(unix))]
        Ok(None)
    }
}
