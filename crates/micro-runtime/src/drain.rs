//! Graceful stop: everyone is told, everyone finishes, the deadline ends the wait.

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Asks a tree of tasks to finish and waits for them. Clones are the same drain.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// A drain nobody has asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task that [`Drain::finish`] waits for.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// Runs background work that may be cut off at any await once the drain has begun.
    pub fn spawn_until<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        self.tasks.spawn(async move {
            token.run_until_cancelled_owned(task).await;
        });
    }

    /// Resolves when the drain begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// Whether the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Tells everyone to finish. May be called again.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// A drain that also begins when this one does, and whose tasks are its own.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { token: self.token.child_token(), tasks: TaskTracker::new() }
    }

    /// Begins, then waits for every spawned task. False when `patience` ran out first.
    pub async fn finish(&self, patience: Duration) -> bool {
        self.begin();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

/// Resolves on the next SIGINT or SIGTERM. Listens from the call on, not from the first poll: a
/// process that has said it is up must not be killed by a polite signal.
///
/// # Panics
/// Outside a tokio runtime.
pub fn shutdown_signal() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).expect("the runtime has signal handling");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_finish_ends_the_wait_at_the_deadline() {
        let drain = Drain::new();
        drain.spawn(std::future::pending());
        assert!(!drain.finish(Duration::from_secs(5)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_parent_drains_its_child_but_not_the_other_way_round() {
        let parent = Drain::new();
        let (child, other) = (parent.child(), parent.child());
        child.begin();
        assert!(!parent.has_begun());
        parent.begin();
        other.begun().await;
    }
}
