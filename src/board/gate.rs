//! The gate before costly work: a few are let in at once, the others wait a little, and what several ask for at the same
//! time is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The gate. It is the same for all who have a copy of it.
#[derive(Clone, Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    patience: Duration,
    makes_way: bool,
}

/// The gates of a server.
#[derive(Debug)]
pub struct Gates {
    /// For what everybody polls: results under a round's own rule.
    pub polls: Gate,
    /// For all else that is costly. However much of it there is, polls go on: it makes way.
    pub others: Gate,
}

impl Gates {
    /// Gates that let so many in at once each, and the others wait for so long.
    pub fn new(places: usize, patience: Duration) -> Self {
        Self { polls: Gate::new(places, patience), others: Gate::that_makes_way(places, patience) }
    }
}

/// Why costly work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// So many were let in before that the wait became too long.
    Crowded,
    /// It was begun and not finished.
    Failed,
}

impl Gate {
    /// A gate that lets so many in at once, and the others wait for so long.
    pub fn new(places: usize, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), patience, makes_way: false }
    }

    /// A gate whose work waits, as far as the system can tell, while others need the cores.
    pub fn that_makes_way(places: usize, patience: Duration) -> Self {
        Self { makes_way: true, ..Self::new(places, patience) }
    }

    /// Does work on a thread of its own once there is a place for it.
    ///
    /// # Errors
    /// [`Undone`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        self.enter().await?.run(work).await
    }

    async fn enter(&self) -> Result<Entered, Undone> {
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or(Undone::Crowded)?;
        Ok(Entered { place, makes_way: self.makes_way })
    }
}

/// Who has been let in. The place is free again when the work is done, whether anybody still waits for it or not.
struct Entered {
    place: OwnedSemaphorePermit,
    makes_way: bool,
}

impl Entered {
    async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let Self { place, makes_way } = self;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        let done =
            if makes_way { aside(work).await } else { spawn_blocking(work).await.map_err(Error::other) };
        done.map_err(|error| {
            tracing::error!(%error, "costly work was not finished");
            Undone::Failed
        })
    }
}

/// Does work on a thread that makes way for all others. It is a new one: whoever has made way may not come back, and
/// the threads of the runtime are needed for what is urgent.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("aside".into()).spawn(move || {
        make_way();
        // Nobody may wait any more.
        let _ = tell.send(work());
    })?;
    told.await.map_err(Error::other)
}

/// Has this thread get a tenth of what others get while there is too little for all. Elsewhere than on Linux it would
/// be the whole process.
fn make_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "costly work does not make way");
    }
}

type Tell<V> = watch::Sender<Option<Result<V, Undone>>>;
type Told<V> = watch::Receiver<Option<Result<V, Undone>>>;
type List<K, V> = HashMap<K, Told<V>>;

/// Costly work that is waited for, by what it will give.
#[derive(Debug)]
pub(super) struct UnderWay<K: Eq + Hash, V>(Arc<Mutex<List<K, V>>>);

impl<K: Eq + Hash, V> Default for UnderWay<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> UnderWay<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What the work gives: done now, unless the same is under way already.
    pub(super) async fn share(
        &self,
        gate: &Gate,
        key: K,
        work: impl FnOnce() -> V + Send + 'static,
    ) -> Result<V, Undone> {
        let mut told = self.join(gate, key, work);
        // Whoever does it may end without a word, when its server stops.
        let outcome = told.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or(Err(Undone::Failed))
    }

    fn join(&self, gate: &Gate, key: K, work: impl FnOnce() -> V + Send + 'static) -> Told<V> {
        let mut list = list(&self.0);
        if let Some(told) = list.get(&key) {
            return told.clone();
        }
        let (tell, told) = watch::channel(None);
        list.insert(key.clone(), told.clone());
        let mut listed = Listed { list: Arc::clone(&self.0), key: Some(key) };
        let gate = gate.clone();
        // A task of its own: the first to ask may go away, and the others wait on.
        tokio::spawn(async move {
            let outcome = match gate.enter().await {
                Ok(_) if listed.is_given_up(&tell) => return,
                Ok(entered) => entered.run(work).await,
                Err(undone) => Err(undone),
            };
            drop(listed);
            tell.send_replace(Some(outcome));
        });
        told
    }
}

/// Work's place in the list; it is taken off when this is dropped.
struct Listed<K: Eq + Hash, V> {
    list: Arc<Mutex<List<K, V>>>,
    key: Option<K>,
}

impl<K: Eq + Hash, V> Listed<K, V> {
    /// Takes it off the list if everybody who waited has gone away, and says whether it did.
    fn is_given_up(&mut self, tell: &Tell<V>) -> bool {
        let mut list = list(&self.list);
        // The list itself holds one receiver, and nobody joins while the list is held.
        let given_up = tell.receiver_count() <= 1;
        if let Some(key) = self.key.take_if(|_| given_up) {
            list.remove(&key);
        }
        given_up
    }
}

impl<K: Eq + Hash, V> Drop for Listed<K, V> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            list(&self.list).remove(&key);
        }
    }
}

fn list<K, V>(list: &Mutex<List<K, V>>) -> MutexGuard<'_, List<K, V>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}
