//! The gate before costly work: a few are let in at once, the others wait a little, and what several ask for at the same
//! time is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The gate. It is the same for all who have a copy of it.
#[derive(Clone, Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    patience: Duration,
}

/// The gates of a server.
#[derive(Debug)]
pub struct Gates {
    /// For what everybody polls: results under a round's own rule.
    pub polls: Gate,
    /// For all else that is costly. However much of it there is, polls go on.
    pub others: Gate,
}

impl Gates {
    /// Gates that let so many in at once each, and the others wait for so long.
    pub fn new(places: usize, patience: Duration) -> Self {
        Self { polls: Gate::new(places, patience), others: Gate::new(places, patience) }
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
        Self { places: Arc::new(Semaphore::new(places)), patience }
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
        place.ok().and_then(Result::ok).map(Entered).ok_or(Undone::Crowded)
    }
}

/// Who has been let in. The place is free again when the work is done, whether anybody still waits for it or not.
struct Entered(OwnedSemaphorePermit);

impl Entered {
    async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let Self(place) = self;
        let done = spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "costly work was not finished");
            Undone::Failed
        })
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
