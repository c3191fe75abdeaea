//! Copies of an SQLite database: made while others use it, looked at, and put in the place of another.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::migrate::Age;
use super::{Conn, Database, Error, files, migrate};

/// What SQLite keeps beside a database while it is in use.
pub const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Writes a copy of one committed state into a file that is not there yet, readable by its owner only, and sees it on
/// disk. Others may go on writing; erased texts do not travel along, since the copy is written anew.
///
/// # Errors
/// If the database or the file fails.
pub fn copy(database: &Path, target: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Connection(format!("{}: {error}", target.display()));
    // Made first, so that it never has another mode; SQLite takes an empty file for none.
    files::make_file(target).map_err(failed)?;
    let mut conn = Database::Sqlite(database.to_owned()).connect_as_is()?;
    conn.batch_execute(&format!("VACUUM INTO '{}'", utf8(target)?.replace('\'', "''")))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(failed)
}

/// Copies a file that nobody writes to into one that is not there yet, readable by its owner only, and sees it on disk.
///
/// # Errors
/// If either file fails.
pub fn take(from: &Path, target: &Path) -> io::Result<()> {
    files::make_file(target)?;
    let mut written = File::options().write(true).open(target)?;
    io::copy(&mut File::open(from)?, &mut written)?;
    written.sync_all()
}

/// A folder beside a file, in which what is to take its place is made; it goes with the value.
#[derive(Debug)]
pub struct Workplace(PathBuf);

impl Workplace {
    /// Makes one, for the owner only; the folder that the file is in too, if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn beside(file: &Path) -> io::Result<Self> {
        let folder = beside(file, &format!(".{}", uuid::Uuid::new_v4()));
        files::make_folder(&folder)?;
        Ok(Self(folder))
    }

    /// The file in it.
    pub fn file(&self) -> PathBuf {
        self.0.join("copy.db")
    }

    /// Another in it, for a copy of what is in that place now.
    pub fn other(&self) -> PathBuf {
        self.0.join("before.db")
    }

    /// Puts the file in its place; without `replace` only if nothing is there.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or if the file system fails.
    pub fn put(&self, place: &Path, replace: bool) -> io::Result<()> {
        if replace {
            fs::rename(self.file(), place)?;
        } else {
            // A rename would replace what has come there meanwhile.
            fs::hard_link(self.file(), place)?;
        }
        let folder = place.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What is left in it is of no use; that it cannot be removed is no second failure.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Moves a database aside; it keeps its place until another takes it, so that there is never none.
///
/// # Errors
/// If the file system fails.
pub fn set_aside(path: &Path, aside: &Path) -> io::Result<()> {
    for ending in BESIDE {
        match fs::rename(beside(path, ending), beside(aside, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    match fs::hard_link(path, aside) {
        // Only what lay beside a database that is gone; SQLite would play it into the next of that name.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        linked => linked,
    }
}

/// Opens a file that nobody writes to, without changing it and without files beside it.
///
/// # Errors
/// If it cannot be opened.
pub fn open(path: &Path) -> Result<Conn, Error> {
    let path = std::path::absolute(path).map_err(|error| Error::Connection(error.to_string()))?;
    let mut address = "file:".to_owned();
    for byte in utf8(&path)?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => address.push(byte.into()),
            _ => address.extend(["%".to_owned(), format!("{byte:02X}")]),
        }
    }
    address.push_str("?mode=ro&immutable=1");
    let conn = SqliteConnection::establish(&address);
    conn.map(Conn::Sqlite).map_err(|error| Error::Connection(error.to_string()))
}

/// What is wrong with a database file itself, in SQLite's words; nothing if it is whole.
///
/// # Errors
/// If it cannot be read at all.
pub fn faults(conn: &mut Conn) -> Result<Vec<String>, Error> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let Conn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
    let lines: Vec<Line> = diesel::sql_query("PRAGMA integrity_check(10)").load(conn)?;
    Ok(lines.into_iter().map(|line| line.integrity_check).filter(|line| line != "ok").collect())
}

/// How old the schema of a copy is.
///
/// # Errors
/// If it is no database of this program.
pub fn age(conn: &mut Conn) -> Result<Age, Error> {
    migrate::age(conn)
}

/// Whether a database that others may use has the schema of this program; does not change it.
pub fn is_current(database: &Path) -> bool {
    let conn = Database::Sqlite(database.to_owned()).connect_as_is();
    conn.and_then(|mut conn| migrate::is_complete(&mut conn)).unwrap_or(false)
}

/// Brings the schema of a copy up to date, and leaves one file.
///
/// # Errors
/// If a migration fails.
pub fn migrate(path: &Path) -> Result<(), Error> {
    change(path, migrate::up)
}

/// Changes a copy that nobody uses yet, and leaves one file.
///
/// # Errors
/// If the change or the database fails.
pub fn change<T>(path: &Path, change: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
    let mut conn = Database::Sqlite(path.to_owned()).connect_as_is()?;
    let changed = change(&mut conn)?;
    conn.batch_execute("PRAGMA journal_mode = DELETE")?;
    Ok(changed)
}

/// What came of bringing everything of a database into its one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// It is all in the one file.
    Whole,
    /// Somebody is reading or writing.
    InUse,
    /// It is damaged; its files must stay together as they are.
    Damaged,
}

/// Brings everything of a database that nobody uses into its one file.
pub fn fold(path: &Path) -> Folded {
    let folded = Database::Sqlite(path.to_owned()).connect_as_is().and_then(|mut conn| {
        Ok(conn.batch_execute("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE")?)
    });
    match folded {
        Ok(()) if BESIDE.iter().all(|ending| !beside(path, ending).exists()) => Folded::Whole,
        Ok(()) => Folded::InUse,
        Err(error) if error.to_string().contains("locked") => Folded::InUse,
        Err(_) => Folded::Damaged,
    }
}

/// The name of a file with something after it.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A database that is kept from everybody else; it ends with the value.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held")] [File; 2]);

/// Keeps everybody else from a database; none if a service has it open.
///
/// # Errors
/// If the files of the locks cannot be made.
pub fn alone(database: &Path) -> io::Result<Option<Alone>> {
    let lock = files::lock(database)?;
    Ok(files::seize(database)?.map(|in_use| Alone([lock, in_use])))
}

fn utf8(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Connection("the path is not UTF-8".into()))
}
