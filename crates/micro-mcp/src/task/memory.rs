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
    /// Whose they are, the oldest first.
    owners: HashMap<String, BTreeSet<(Instant, Arc<str>)>>,
}

#[derive(Debug)]
struct Kept {
    task: Arc<StoredTask>,
    created: Instant,
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
        while let Some((_, id)) = self.expiry.first().filter(|(expires, _)| *expires <= now) {
            self.forget(&id.clone());
        }
    }

    fn forget(&mut self, id: &Arc<str>) {
        let Some(kept) = self.tasks.remove(id) else { return };
        self.expiry.remove(&(kept.expires, id.clone()));
        if let Some(own) = self.owners.get_mut(&kept.task.owner) {
            own.remove(&(kept.created, id.clone()));
            if own.is_empty() {
                self.owners.remove(&kept.task.owner);
            }
        }
    }

    /// Whether an owner may have another task, if need be in the place of one that ended.
    fn make_room(&mut self, owner: &str, most: usize) -> bool {
        let Some(own) = self.owners.get(owner).filter(|own| own.len() >= most) else { return most > 0 };
        let ended = |id: &Arc<str>| self.tasks.get(id).is_some_and(|kept| kept.task.status.is_final());
        let oldest = own.iter().map(|(_, id)| id).find(|id| ended(id)).cloned();
        if let Some(id) = &oldest {
            self.forget(id);
        }
        oldest.is_some()
    }
}

impl TaskStore for MemoryTasks {
    fn create(&self, task: StoredTask, most: usize) -> BoxFuture<'_, Result<bool, StoreError>> {
        let created = self.with(|tasks| {
            if !tasks.make_room(&task.owner, most) {
                return false;
            }
            let (id, created): (Arc<str>, _) = (task.id.as_str().into(), Instant::now());
            let expires = created + Duration::from_millis(task.ttl_ms);
            tasks.owners.entry(task.owner.clone()).or_default().insert((created, id.clone()));
            tasks.expiry.insert((expires, id.clone()));
            let changed = watch::Sender::new(task.version);
            tasks.tasks.insert(id, Kept { task: Arc::new(task), created, expires, changed });
            true
        });
        Box::pin(async move { Ok(created) })
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
            assert_eq!(store.create(suite::task(&format!("t{i}"), "ann", Duration::from_secs(i)), 100).await, Ok(true));
        }
        tokio::time::advance(Duration::from_secs(50)).await;
        assert!(store.read("t50").await.unwrap().is_none());
        assert_eq!(store.0.lock().tasks.len(), 49);
        tokio::time::advance(Duration::from_secs(50)).await;
        assert!(store.read("t99").await.unwrap().is_none());
        let tasks = store.0.lock();
        assert_eq!((tasks.tasks.len(), tasks.expiry.len(), tasks.owners.len()), (0, 0, 0));
    }
}
