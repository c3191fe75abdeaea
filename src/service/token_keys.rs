//! The keys that tokens are signed with, as all instances know them: registered before they sign, and believed until
//! their last token has ended.

use crate::domain::{Instant, TokenKey};
use crate::store::{self, Conn, Error, Readable, Store};

/// How long a new key is known before it signs, in seconds: enough for every instance to have learnt of it.
pub const LEAD: i64 = 5;

/// Whether other instances had to learn of what was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everything was registered already, or nobody else signs.
    Known,
    /// Others that run do not know it yet.
    New,
}

/// When a key that is registered begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// At once: whoever registers it waits until it is known, or is alone.
    Now,
    /// When every instance knows it.
    WhenKnown,
}

/// Registers the keys of an instance, given as id and public half.
///
/// # Errors
/// If storage fails.
pub fn register(
    conn: &mut Conn,
    own: &[(&str, &str)],
    now: Instant,
    begins: Begins,
) -> Result<Registration, Error> {
    let signs_from = match begins {
        Begins::Now => now,
        Begins::WhenKnown => now.plus_seconds(LEAD),
    };
    let missing = |registered: &Readable<TokenKey>| {
        let known =
            |kid: &str| registered.is_unreadable(kid) || registered.rows.iter().any(|key| key.kid == kid);
        own.iter().copied().filter(|(kid, _)| !known(kid)).collect::<Vec<_>>()
    };
    if missing(&store::token_keys::readable(conn)?).is_empty() {
        return Ok(Registration::Known);
    }
    Store::write(conn, |conn| {
        store::registry::claim(conn)?;
        let registered = store::token_keys::readable(conn)?;
        let missing = missing(&registered);
        for (kid, public) in &missing {
            store::token_keys::insert(conn, &key(kid, public, now, signs_from))?;
        }
        let others = registered.rows.iter().any(|key| key.is_believed(now));
        Ok(if others && !missing.is_empty() { Registration::New } else { Registration::Known })
    })
}

/// When the keys of an instance give way to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// When every instance knows the new key; the old ones are believed until their last token has ended, which lives
    /// so many seconds.
    InOrder(i64),
    /// Now: tokens that are out are void.
    AtOnce,
}

/// Registers a new key, given as id and public half, in the place of others; gives it with the moments that follow.
///
/// # Errors
/// If storage fails.
pub fn rotate(
    conn: &mut Conn,
    old: &[&str],
    new: (&str, &str),
    now: Instant,
    pace: Pace,
) -> Result<(TokenKey, Instant), Error> {
    let (signs_from, retires) = match pace {
        Pace::InOrder(life) => (now.plus_seconds(LEAD), now.plus_seconds(LEAD + life)),
        Pace::AtOnce => (now, now),
    };
    let new = key(new.0, new.1, now, signs_from);
    Store::write(conn, |conn| {
        store::registry::claim(conn)?;
        store::token_keys::insert(conn, &new)?;
        for key in store::token_keys::all(conn)? {
            if old.contains(&&*key.kid) && key.retires_at.is_none_or(|at| retires < at) {
                store::token_keys::retire(conn, &key.kid, retires)?;
            }
        }
        Ok((new, retires))
    })
}

/// Ends a key now; says whether there is such a key that was believed.
///
/// # Errors
/// If storage fails.
pub fn retire(conn: &mut Conn, kid: &str, now: Instant) -> Result<bool, Error> {
    Store::write(conn, |conn| {
        store::registry::claim(conn)?;
        let known = store::token_keys::all(conn)?.iter().any(|key| key.kid == kid && key.is_believed(now));
        if known {
            store::token_keys::retire(conn, kid, now)?;
        }
        Ok(known)
    })
}

fn key(kid: &str, public: &str, created_at: Instant, signs_from: Instant) -> TokenKey {
    let (kid, public) = (kid.to_owned(), public.to_owned());
    TokenKey { kid, public, created_at, signs_from, retires_at: None }
}
