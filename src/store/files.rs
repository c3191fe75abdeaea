//! Files that only their owner may read.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many tenths of a second another process may take to bring the schema up to date.
const PATIENCE: u32 = 100;

/// Makes a folder, with those above it, unless it is there.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes an empty file unless it is there; an empty file is an empty database. One that is there must take writes:
/// SQLite would open it for reading only, and the first ballot would tell.
pub(super) fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(path).map(drop)
        }
        made => made.map(drop),
    }
}

/// Waits for the lock that goes with a database file, but not for ever; it ends with the value.
pub(super) fn lock(database: &Path) -> io::Result<File> {
    let (file, path) = beside(database, ".lock")?;
    for _ in 0..PATIENCE {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(100)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{}: the lock file is locked", path.display())))
}

/// Says that a database file is in use, which any number of processes may; it ends with the value. To be called with
/// [`lock`], as [`seize`] is, so that it never waits.
pub(super) fn in_use(database: &Path) -> io::Result<File> {
    let (file, _) = beside(database, ".in-use")?;
    file.lock_shared()?;
    Ok(file)
}

/// Takes what [`in_use`] takes for one alone; none if somebody has it.
pub(super) fn seize(database: &Path) -> io::Result<Option<File>> {
    let (file, _) = beside(database, ".in-use")?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn beside(database: &Path, ending: &str) -> io::Result<(File, PathBuf)> {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    let path = PathBuf::from(name);
    make_file(&path)?;
    Ok((File::open(&path)?, path))
}
