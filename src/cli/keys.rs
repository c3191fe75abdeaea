//! `handslag keys`: the keys that sign access tokens, and their rotation.

use clap::Subcommand;

use super::{Failure, audit, open, print, tell};
use crate::config::Settings;
use crate::domain::{Instant, TokenKey};
use crate::identity::{KeyFolder, LIFETIME, SigningKey};
use crate::service::Clock;
use crate::service::token_keys::{self, Begins, LEAD, Pace};
use crate::store::{self, Conn};

/// How far the clocks of those who believe a token may be from that of who has signed it, in seconds.
const SKEW: i64 = 60;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign with a new key from now on
    #[command(
        after_help = "The service goes on meanwhile. The new key is published first and signs when every instance \
                            knows it, after 5 seconds; the old one is published until its last token has ended, and \
                            removed at the next start or rotation. Run it once for each data folder.\n\n\
                            Example: handslag keys rotate"
    )]
    Rotate {
        /// Because the old key may be known to others: it ends now, and with it every token that it has signed
        #[arg(long)]
        at_once: bool,
    },
    /// List the keys whose tokens are believed
    #[command(after_help = "Columns: id, made, signs from, believed until, where the private half is.\n\n\
                            Example: handslag keys list")]
    List,
    /// End a key now, whosever it is: every token that it has signed is void
    #[command(
        after_help = "For the key of an instance that is no more. Its own keys an instance rotates.\n\n\
                            Example: handslag keys retire tQwJZK0v3mNnFqRjB1xY5uE8sLc2dGhA7oPiWkVbTzM"
    )]
    Retire {
        /// The key's id
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let folder = KeyFolder::new(&settings.data_dir);
    let store = open(settings)?;
    let mut conn = store.connect()?;
    let now = Clock::System.now();
    match command {
        Command::Rotate { at_once } => {
            let target = |kid: Option<&String>| kid.map(|kid| audit::key(kid)).unwrap_or_default();
            audit::done_and_recorded(&store, "keys rotate", target, || {
                rotate(&folder, &mut conn, at_once, now)
            })?
            .told
        }
        Command::List => list(&folder, &mut conn, now),
        Command::Retire { kid } => {
            audit::recorded(&store, "keys retire", audit::key(&kid), || retire(&folder, &mut conn, &kid, now))
        }
    }
}

/// Gives the id of the new key.
fn rotate(folder: &KeyFolder, conn: &mut Conn, at_once: bool, now: Instant) -> Result<String, Failure> {
    let old = folder.keys().map_err(Failure::failed)?;
    let halves: Vec<(&str, &str)> = old.iter().map(|key| (key.kid(), key.public())).collect();
    token_keys::register(conn, &halves, now, Begins::Now)?;
    let new = folder.add().map_err(Failure::failed)?;
    let kids: Vec<&str> = old.iter().map(|key| key.kid()).collect();
    let pace = if at_once { Pace::AtOnce } else { Pace::InOrder(LIFETIME + SKEW) };
    let rotated = token_keys::rotate(conn, &kids, (new.kid(), new.public()), now, pace);
    let (key, retires) = rotated.inspect_err(|_| {
        // It came to nothing; that it cannot be removed either is no second failure.
        let _ = folder.keep(|kid| kid != new.kid());
    })?;
    let registered = store::token_keys::all(conn)?;
    let believed = |kid: &str| registered.iter().any(|key| key.kid == kid && key.is_believed(now));
    folder.keep(believed).map_err(Failure::failed)?;
    let kid = &key.kid;
    if at_once {
        tell(&format!("{kid} signs now; what others have signed in this folder is void\n"));
    } else {
        tell(&format!("{kid} signs in {LEAD} seconds; the old ones are believed until {retires}\n"));
    }
    Ok(key.kid)
}

fn list(folder: &KeyFolder, conn: &mut Conn, now: Instant) -> Result<(), Failure> {
    let own = folder.read().map_err(Failure::failed)?;
    let is_here = |key: &TokenKey| own.iter().any(|own: &std::sync::Arc<SigningKey>| own.kid() == key.kid);
    let line = |key: &TokenKey| {
        let until = key.retires_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let place = if is_here(key) { "here" } else { "elsewhere" };
        format!("{}\t{}\t{}\t{until}\t{place}\n", key.kid, key.created_at, key.signs_from)
    };
    let keys = store::token_keys::all(conn)?;
    print(keys.iter().filter(|key| key.is_believed(now)).map(line).collect::<String>().as_bytes())
}

fn retire(folder: &KeyFolder, conn: &mut Conn, kid: &str, now: Instant) -> Result<(), Failure> {
    let own = folder.read().map_err(Failure::failed)?;
    if own.iter().any(|key| key.kid() == kid) {
        return Err(Failure::refused(format!(
            "{kid} is a key of this folder: handslag keys rotate --at-once"
        )));
    }
    if !token_keys::retire(conn, kid, now)? {
        return Err(Failure::refused(format!("there is no key {kid} that is believed")));
    }
    tell(&format!("{kid} is not believed any more\n"));
    Ok(())
}
