//! Rows of which one that cannot be read, such as one that a newer program has written, must not hide the others.

use diesel::QueryResult;
use diesel::result::Error::DeserializationError;

use super::{Conn, Error};

/// What could be read of a table, and what could not.
#[derive(Debug)]
pub struct Readable<T> {
    /// What could be read.
    pub rows: Vec<T>,
    /// The ids of what could not, and why.
    pub unreadable: Vec<(String, Error)>,
}

impl<T> Readable<T> {
    /// Everything, if all of it could be read.
    pub(super) fn all(mut self) -> Result<Vec<T>, Error> {
        match self.unreadable.pop() {
            None => Ok(self.rows),
            Some((_, error)) => Err(error),
        }
    }

    /// Whether there is something of this id that could not be read.
    pub fn is_unreadable(&self, id: &str) -> bool {
        self.unreadable.iter().any(|(known, _)| known == id)
    }
}

/// Rows, and of those that could not be read the key and why.
pub(super) type Rows<R, K> = (Vec<R>, Vec<(K, Error)>);

/// Reads all rows at once; where one of them cannot be read, each by its key.
pub(super) fn each<R, K>(
    conn: &mut Conn,
    all: impl FnOnce(&mut Conn) -> QueryResult<Vec<R>>,
    keys: impl FnOnce(&mut Conn) -> QueryResult<Vec<K>>,
    one: impl Fn(&mut Conn, &K) -> QueryResult<R>,
) -> Result<Rows<R, K>, Error> {
    match all(conn) {
        Ok(rows) => return Ok((rows, Vec::new())),
        Err(DeserializationError(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for key in keys(conn)? {
        match one(conn, &key) {
            Ok(row) => rows.push(row),
            Err(error @ DeserializationError(_)) => unreadable.push((key, error.into())),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((rows, unreadable))
}
