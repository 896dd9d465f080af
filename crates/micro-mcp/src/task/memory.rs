//! Tasks of one process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_core::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{StoreError, StoredTask, TaskStore};

/// Keeps tasks in memory: for one replica, and until it ends.
#[derive(Debug, Default)]
pub struct MemoryTasks(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    tasks: HashMap<Arc<str>, Kept>,
    /// The next to expire first.
    expiry: BTreeSet<(Instant, Arc<str>)>,
    owners: HashMap<String, usize>,
}

#[derive(Debug)]
struct Kept {
    task: Arc<StoredTask>,
    expires: Instant,
    changed: watch::Sender<u64>,
}

impl MemoryTasks {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, f: impl FnOnce(&mut Tasks) -> T) -> T {
        let mut tasks = self.0.lock();
        tasks.forget_expired();
        f(&mut tasks)
    }
}

impl Tasks {
    fn forget_expired(&mut self) {
        let now = Instant::now();
        while self.expiry.first().is_some_and(|(expires, _)| *expires <= now) {
            let Some((_, id)) = self.expiry.pop_first() else { return };
            let Some(kept) = self.tasks.remove(&id) else { continue };
            if let Some(count) = self.owners.get_mut(&kept.task.owner) {
                *count -= 1;
                if *count == 0 {
                    self.owners.remove(&kept.task.owner);
                }
            }
        }
    }
}

impl TaskStore for MemoryTasks {
    fn create(&self, task: StoredTask) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(|tasks| {
            let id: Arc<str> = task.id.as_str().into();
            let expires = Instant::now() + Duration::from_millis(task.ttl_ms);
            *tasks.owners.entry(task.owner.clone()).or_default() += 1;
            tasks.expiry.insert((expires, id.clone()));
            let changed = watch::Sender::new(task.version);
            tasks.tasks.insert(id, Kept { task: Arc::new(task), expires, changed });
        });
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<StoredTask>>, StoreError>> {
        let task = self.with(|tasks| tasks.tasks.get(id).map(|kept| kept.task.clone()));
        Box::pin(async { Ok(task) })
    }

    fn write(&self, task: StoredTask) -> BoxFuture<'_, Result<bool, StoreError>> {
        let written = self.with(|tasks| {
            let present = tasks.tasks.get_mut(&*task.id).filter(|kept| kept.task.version + 1 == task.version);
            let Some(kept) = present else { return false };
            kept.changed.send_replace(task.version);
            kept.task = Arc::new(task);
            true
        });
        Box::pin(async move { Ok(written) })
    }

    fn changed<'a>(&'a self, id: &'a str, version: u64) -> BoxFuture<'a, ()> {
        let kept = self.with(|tasks| tasks.tasks.get(id).map(|kept| (kept.changed.subscribe(), kept.expires)));
        Box::pin(async move {
            let Some((mut changed, expires)) = kept else { return };
            tokio::select! {
                _ = changed.wait_for(|present| *present != version) => {}
                () = sleep_until(expires) => {}
            }
        })
    }

    fn count<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<usize, StoreError>> {
        let count = self.with(|tasks| tasks.owners.get(owner).copied().unwrap_or_default());
        Box::pin(async move { Ok(count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::suite;

    #[tokio::test]
    async fn it_passes_the_suite() {
        suite::run(async || Arc::new(MemoryTasks::new()) as Arc<dyn TaskStore>).await;
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_expired_tasks() {
        let store = MemoryTasks::new();
        for i in 0..100 {
            store.create(suite::task(&format!("t{i}"), "ann", Duration::from_secs(i))).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(store.count("ann").await, Ok(49));
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(store.count("ann").await, Ok(0));
        let tasks = store.0.lock();
        assert_eq!((tasks.tasks.len(), tasks.expiry.len(), tasks.owners.len()), (0, 0, 0));
    }
}
