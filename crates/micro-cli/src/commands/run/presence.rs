//! Which of our processes the registry knows.

use std::{future::pending, sync::Arc};

use futures_util::StreamExt;
use micro_registry::{Instance, Registry, Snapshot};
use tokio::{sync::watch, task::AbortHandle};

/// The registry's living instances, followed. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Presence {
    registry: Arc<dyn Registry>,
    known: watch::Receiver<Snapshot>,
}

impl Presence {
    /// Begins to follow a registry. The task ends when it is aborted.
    pub(super) fn follow(registry: Arc<dyn Registry>) -> (Self, AbortHandle) {
        let (sender, known) = watch::channel(Snapshot::default());
        let mut events = registry.watch();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                sender.send_if_modified(|known| known.apply(&event));
            }
        });
        (Self { registry, known }, task.abort_handle())
    }

    /// Waits until the process with this id is there.
    pub(super) async fn up(&self, id: &str) -> Arc<Instance> {
        let mut known = self.known.clone();
        loop {
            if let Some(instance) = known.borrow_and_update().instances().find(|i| is_of(i, id)) {
                return instance.clone();
            }
            if known.changed().await.is_err() {
                pending::<()>().await; // the registry is followed no more
            }
        }
    }

    /// Takes the entry of a process that is dead out at once; else it would live on until it expires.
    pub(super) async fn bury(&self, id: &str) {
        // Asked afresh: the process may have registered a moment before it died.
        let dead = match self.registry.list().await {
            Ok(all) => all.into_iter().find(|i| is_of(i, id)),
            Err(error) => return tracing::debug!(%error, "the entry is left to expire"),
        };
        if let Some(dead) = dead
            && let Err(error) = self.registry.deregister(&dead).await
        {
            tracing::debug!(%error, "the entry is left to expire");
        }
    }
}

/// A node's id is `<service>-<id>`, and only the process knows the service's name for sure.
fn is_of(instance: &Instance, id: &str) -> bool {
    instance.node.id.strip_suffix(id).is_some_and(|service| service.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use micro_core::ServiceDescriptor;
    use micro_registry::MemoryRegistry;

    use super::*;

    fn instance(service: &str, id: &str) -> Instance {
        let (name, version) = (service.to_owned(), "1".to_owned());
        let descriptor = ServiceDescriptor { name, version, description: String::new(), endpoints: vec![] };
        Instance::new(&descriptor, id, "127.0.0.1:1")
    }

    #[tokio::test]
    async fn a_process_is_known_by_its_id_and_buried_when_it_died() {
        let registry = Arc::new(MemoryRegistry::default());
        let (presence, _task) = Presence::follow(registry.clone());
        let ttl = Duration::from_secs(60);
        registry.register(&instance("users", "other"), ttl).await.unwrap();
        registry.register(&instance("any-name", "ours"), ttl).await.unwrap();
        assert_eq!(presence.up("ours").await.name, "any-name");

        presence.bury("ours").await;
        presence.bury("nobody").await;
        let left: Vec<_> = registry.list().await.unwrap().iter().map(|i| i.node.id.clone()).collect();
        assert_eq!(left, ["users-other"]);
    }
}
