//! The registrar: registers this instance's keys, and keeps the register of clients and keys in memory up to what other
//! processes commit to the same database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::looked::Looked;
use super::looks::Looks;
use super::told::Told;
use crate::identity::{KeyError, KeyFolder, Registered, Registry, SigningKey};
use crate::service::Clock;
use crate::service::token_keys::{self, Begins, Registration};
use crate::store::{self, Conn, Store};

/// How often it looks at the least, whether something has changed: what is disabled is to end within a second.
const GLANCE: Duration = Duration::from_millis(250);
/// How long an instance with a new key waits before it serves, so that the others have learnt of it.
const JOINING: Duration = Duration::from_secs(1);

/// Why there can be no register.
#[derive(Debug, thiserror::Error)]
pub enum NoRegister {
    /// A key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Registrar {
    desk: Arc<Desk>,
    _stop: SyncSender<()>,
}

impl Registrar {
    /// Registers the keys of the folder, reads the register, and starts to follow it. Where other instances have to
    /// learn of a key first, it waits for that.
    ///
    /// # Errors
    /// [`NoRegister`].
    pub fn start(store: Store, folder: KeyFolder, clock: Clock, tick: Duration) -> Result<Self, NoRegister> {
        let registry = Arc::new(Registry::default());
        let desk = Arc::new(Desk {
            store,
            folder,
            clock,
            registry,
            looked: Looked::new(),
            looks: Looks::new(),
            told: Told::default(),
            folder_told: Default::default(),
            version: Mutex::default(),
        });
        let mut conn = desk.store.connect()?;
        if desk.register(&mut conn)? == Registration::New {
            std::thread::sleep(JOINING);
        }
        desk.read(&mut conn)?;
        let (stop, stopped) = sync_channel(0);
        let (own, tick) = (Arc::clone(&desk), tick.min(GLANCE));
        let run = move || own.run(conn, tick, &stopped);
        let thread = std::thread::Builder::new().name("registrar".into()).spawn(run);
        thread.map_err(|error| store::Error::Connection(error.to_string()))?;
        Ok(Self { desk, _stop: stop })
    }

    /// The register, which it keeps up to date.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.desk.registry
    }

    /// How long ago the register was last compared with the database.
    pub fn age(&self) -> Duration {
        self.desk.looked.age()
    }

    /// Whether that is not long ago.
    pub fn is_well(&self) -> bool {
        self.desk.looked.is_recent()
    }

    /// Waits until the register has been looked at once more, which it is four times a second: half a second at most.
    /// Says whether it has been. Costs the database nothing, however many wait.
    pub async fn looked_again(&self) -> bool {
        self.desk.looks.next().await
    }

    /// Reads the register now, after a change of this process, on the connection that it was made on.
    ///
    /// # Errors
    /// If storage fails.
    pub fn refresh(&self, conn: &mut Conn) -> Result<(), store::Error> {
        self.desk.read(conn)
    }
}

#[derive(Debug)]
struct Desk {
    store: Store,
    folder: KeyFolder,
    clock: Clock,
    registry: Arc<Registry>,
    /// When the register was last compared with the database.
    looked: Looked,
    looks: Looks,
    /// What of it could not be read.
    told: Told,
    /// What is wrong with the folder of keys, to read it and to make a key in it.
    folder_told: [Told; 2],
    /// What was read last. Held while reading, so that nobody puts what is older in the place of what is newer.
    version: Mutex<Option<u64>>,
}

impl Desk {
    /// Registers the keys of the folder. Keys that are not believed any more are removed; if no other is left, a new
    /// one is made.
    fn register(&self, conn: &mut Conn) -> Result<Registration, NoRegister> {
        let now = self.clock.now();
        let register = |conn: &mut Conn, keys: &[Arc<SigningKey>]| {
            let own: Vec<(&str, &str)> = keys.iter().map(|key| (key.kid(), key.public())).collect();
            token_keys::register(conn, &own, now, Begins::Now)
        };
        let keys = self.folder.keys()?;
        let registration = register(conn, &keys)?;
        let registered = store::token_keys::readable(conn)?;
        let believed = |kid: &str| registered.rows.iter().any(|key| key.kid == kid && key.is_believed(now));
        // What cannot be read may be believed again when it can.
        let kept = |kid: &str| believed(kid) || registered.is_unreadable(kid);
        if keys.iter().all(|key| believed(key.kid())) {
            return Ok(registration);
        }
        if keys.iter().any(|key| believed(key.kid())) {
            self.folder.keep(kept)?;
            return Ok(registration);
        }
        let new = self.folder.add()?;
        let registration = register(conn, &[Arc::clone(&new)])?;
        self.folder.keep(|kid| kid == new.kid() || kept(kid))?;
        Ok(registration)
    }

    /// Looks again and again, and begins anew on a new connection when that fails.
    fn run(&self, conn: Conn, tick: Duration, stop: &Receiver<()>) {
        let mut conn = Some(conn);
        let mut failing = false;
        while stop.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
            self.end_keys();
            // A panic is a fault in the program, and must not end the following.
            let looked = catch_unwind(AssertUnwindSafe(|| {
                let mut open = match conn.take() {
                    Some(open) => open,
                    None => self.store.connect()?,
                };
                self.look(&mut open)?;
                Ok(open)
            }));
            match looked.unwrap_or(Err(store::Error::Panic)) {
                Ok(open) => {
                    conn = Some(open);
                    failing = false;
                }
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::error!(%error, "changes of clients and keys cannot be seen for now");
                }
                Err(_) => {}
            }
        }
    }

    /// Takes keys that have ended out of the register, which needs no database.
    fn end_keys(&self) {
        // Held, so that nothing newer is put in its place meanwhile.
        let _known = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        let (registered, now) = (self.registry.current(), self.clock.now());
        if registered.is_outdated(now) {
            self.registry.replace(registered.later(now));
        }
    }

    fn look(&self, conn: &mut Conn) -> Result<(), store::Error> {
        let number = self.looks.begin();
        let newest = store::registry::version(conn)?;
        let known = *self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if known != Some(newest) {
            self.read(conn)?;
        }
        if self.registry.current().needs_key() {
            self.succeed(conn)?;
        }
        self.looked.now();
        self.looks.finish(number);
        Ok(())
    }

    /// Makes a key of its own where all that are here give way: they were copied, and the folder that they were copied
    /// from has a new one.
    fn succeed(&self, conn: &mut Conn) -> Result<(), store::Error> {
        let registered = store::token_keys::readable(conn)?;
        let is_known =
            |kid: &str| registered.is_unreadable(kid) || registered.rows.iter().any(|key| key.kid == kid);
        // One that was made before and could not be registered comes first, or each failure would leave a file.
        let made = self.folder.read().and_then(|keys| {
            let waiting = keys.into_iter().find(|key| !is_known(key.kid()));
            waiting.map_or_else(|| self.folder.add(), Ok)
        });
        Self::tell(&self.folder_told[1], made.as_ref().err());
        // What is wrong with the folder has to be mended by hand; it is tried again all the while.
        let Ok(new) = made else { return Ok(()) };
        token_keys::register(conn, &[(new.kid(), new.public())], self.clock.now(), Begins::WhenKnown)?;
        tracing::info!(kid = new.kid(), "a new key for tokens");
        self.read(conn)
    }

    /// Tells what is wrong with the folder of keys, once until it changes.
    fn tell(told: &Told, error: Option<&KeyError>) {
        for error in told.news(error.map(ToString::to_string)) {
            tracing::error!(error, "the keys of tokens");
        }
    }

    fn read(&self, conn: &mut Conn) -> Result<(), store::Error> {
        let mut known = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, clients, keys) = Store::snapshot_on(conn, |conn| {
            let version = store::registry::version(conn)?;
            let (clients, keys) = (store::clients::readable(conn)?, store::token_keys::readable(conn)?);
            Ok::<_, store::Error>((version, clients, keys))
        })?;
        // One that cannot be read must not keep the others as they were.
        let unreadable = clients.unreadable.iter().chain(&keys.unreadable);
        for fault in self.told.news(unreadable.map(|(id, error)| format!("{id}: {error}"))) {
            tracing::error!(fault, "a client or a key of tokens cannot be read, and is not believed");
        }
        // What cannot be read now was read before: whoever has broken the folder is told, and callers are served.
        let signing = self.folder.read();
        Self::tell(&self.folder_told[0], signing.as_ref().err());
        let whole = signing.is_ok();
        let signing = signing.unwrap_or_else(|_| self.registry.current().signing().to_vec());
        let unreadable = clients.unreadable.into_iter().map(|(id, _)| id).collect();
        let now = self.clock.now();
        self.registry.replace(Registered::new(clients.rows, unreadable, keys.rows, signing, now));
        // What could not be read is read again.
        *known = whole.then_some(version);
        Ok(())
    }
}
