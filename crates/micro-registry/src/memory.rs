//! A registry inside one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use futures_core::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, future, stream};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, timeout_at},
};

use crate::{Event, Events, Instance, Registry, Result, port::LONGEST_TTL};

/// How far a watcher may fall behind before it gets a fresh [`Event::Reset`] instead of each change.
const BACKLOG: usize = 1024;

/// A registry inside one process. Clones share their instances.
///
/// There is no background task: whoever looks at it first drops what is over, and watchers wake up
/// for the next expiry. Time is tokio's, so a paused clock drives it.
#[derive(Debug, Clone)]
pub struct MemoryRegistry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Sent while the state is locked, so every watcher sees the changes in their order. `None` only
    /// says that the next expiry is sooner than it was.
    changes: broadcast::Sender<Option<Event>>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    /// When each entry is over, soonest first.
    expiries: BTreeSet<(Instant, String)>,
}

#[derive(Debug)]
struct Entry {
    instance: Arc<Instance>,
    until: Instant,
}

// === impl MemoryRegistry ===

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), changes: broadcast::Sender::new(BACKLOG) }))
    }
}

impl Registry for MemoryRegistry {
    fn register<'a>(&'a self, instance: &'a Instance, ttl: Duration) -> BoxFuture<'a, Result<()>> {
        future::lazy(move |_| {
            instance.check()?;
            let mut state = self.0.living();
            let until = Instant::now() + ttl.min(LONGEST_TTL);
            if let Some(change) = state.put(instance, until) {
                self.0.send(Some(change));
            } else if state.next_expiry() == Some(until) {
                self.0.send(None);
            }
            Ok(())
        })
        .boxed()
    }

    fn deregister<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<()>> {
        future::lazy(move |_| {
            let mut state = self.0.living();
            if let Some((id, entry)) = state.entries.remove_entry(&instance.node.id) {
                state.expiries.remove(&(entry.until, id.clone()));
                self.0.send(Some(Event::Down(id)));
            }
            Ok(())
        })
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Arc<Instance>>>> {
        future::lazy(move |_| Ok(self.0.living().all())).boxed()
    }

    fn watch(&self) -> Events {
        let state = self.0.living();
        let first = Event::Reset(state.all());
        let watcher = Watcher { shared: Arc::downgrade(&self.0), changes: self.0.changes.subscribe() };
        drop(state); // only now: nothing may change between the list and the subscription
        let rest = stream::unfold(watcher, |mut watcher| async { Some((watcher.next().await?, watcher)) });
        stream::once(future::ready(first)).chain(rest).boxed()
    }
}

// === impl Shared ===

impl Shared {
    /// Locks the state after everything that is over has left it.
    fn living(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        let now = Instant::now();
        while state.next_expiry().is_some_and(|until| until <= now) {
            let Some((_, id)) = state.expiries.pop_first() else { break };
            state.entries.remove(&id);
            self.send(Some(Event::Down(id)));
        }
        state
    }

    fn send(&self, change: Option<Event>) {
        let _ = self.changes.send(change); // fails when nobody watches, which is fine
    }
}

// === impl State ===

impl State {
    /// Stores or refreshes an instance. An event when watchers must hear of it.
    fn put(&mut self, instance: &Instance, until: Instant) -> Option<Event> {
        let id = instance.node.id.clone();
        self.expiries.insert((until, id.clone()));
        if let Some(entry) = self.entries.get_mut(&id) {
            if entry.until != until {
                self.expiries.remove(&(entry.until, id));
                entry.until = until;
            }
            if *entry.instance == *instance {
                return None;
            }
            entry.instance = Arc::new(instance.clone());
            return Some(Event::Up(entry.instance.clone()));
        }
        let instance = Arc::new(instance.clone());
        self.entries.insert(id, Entry { instance: instance.clone(), until });
        Some(Event::Up(instance))
    }

    fn all(&self) -> Vec<Arc<Instance>> {
        self.entries.values().map(|entry| entry.instance.clone()).collect()
    }

    fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(until, _)| *until)
    }
}

/// What one stream of events needs. It does not keep the registry alive.
struct Watcher {
    shared: Weak<Shared>,
    changes: broadcast::Receiver<Option<Event>>,
}

impl Watcher {
    /// The next change; `None` when the registry is gone.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Looking drops what is over, which sends the `Down` received below.
            let expiry = self.shared.upgrade().and_then(|shared| shared.living().next_expiry());
            let change = match expiry {
                None => self.changes.recv().await,
                Some(until) => match timeout_at(until, self.changes.recv()).await {
                    Ok(change) => change,
                    Err(_) => continue,
                },
            };
            match change {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(_)) => {
                    let shared = self.shared.upgrade()?;
                    let state = shared.living();
                    self.changes = shared.changes.subscribe();
                    return Some(Event::Reset(state.all()));
                }
            }
        }
    }
}
