//! Files that only their owner can read: profiles, keys, secrets and tokens.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;
use zeroize::Zeroizing;

/// Writes a file beside its place and then into it: whoever reads it meanwhile sees the old one or the new one, whole.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let draft = path.with_extension(format!("{}.new", Uuid::new_v4()));
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written =
        file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&draft, path));
    written.inspect_err(|_| {
        // What was begun is of no use; that it cannot be removed either is no second failure.
        let _ = fs::remove_file(&draft);
    })
}

/// Reads a file, unless others than its owner may.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions()) & 0o077;
        if mode != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "can be read by others than its owner: run chmod 600 on it",
            ));
        }
    }
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Removes a file; says whether there was one.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
