//! Keeping one instance registered while it runs.

use std::{error::Error as _, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Instance, Registry, Result};

/// The first wait after a failed heartbeat; doubled until it is the usual time between heartbeats.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// Shorter than this, heartbeats would be all a service does.
const SHORTEST_PERIOD: Duration = Duration::from_millis(10);

/// Keeps one instance registered: a heartbeat three times in each time to live, again and again
/// while the registry is down.
///
/// [`Announcement::stop`] takes the instance out at once. Dropped without it, the heartbeat ends and
/// the entry expires, as when the process dies.
#[derive(Debug)]
pub struct Announcement {
    registry: Arc<dyn Registry>,
    record: watch::Sender<Instance>,
    stop: CancellationToken,
    heartbeat: JoinHandle<()>,
}

impl Announcement {
    /// Registers the instance, then keeps it registered.
    ///
    /// # Errors
    /// Those of [`Registry::register`], for this first time only: later failures are logged and
    /// retried.
    pub async fn start(registry: Arc<dyn Registry>, instance: Instance, ttl: Duration) -> Result<Self> {
        registry.register(&instance, ttl).await?;
        let record = watch::Sender::new(instance);
        let stop = CancellationToken::new();
        let heartbeat = Heartbeat { registry: registry.clone(), record: record.subscribe(), ttl, stop: stop.clone() };
        Ok(Self { registry, record, stop, heartbeat: tokio::spawn(heartbeat.run()) })
    }

    /// Announces a new record in place of the old one, as soon as the registry takes it. A changed
    /// node id moves the entry.
    pub fn update(&self, instance: Instance) {
        self.record.send_replace(instance);
    }

    /// Ends the heartbeat and removes the instance.
    ///
    /// # Errors
    /// Those of [`Registry::deregister`]; the entry then expires.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        // A heartbeat on its way must be over, or it could land after the removal.
        let _ = (&mut self.heartbeat).await;
        let instance = self.record.borrow().clone();
        self.registry.deregister(&instance).await
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// The background half of an [`Announcement`].
struct Heartbeat {
    registry: Arc<dyn Registry>,
    record: watch::Receiver<Instance>,
    ttl: Duration,
    stop: CancellationToken,
}

impl Heartbeat {
    async fn run(mut self) {
        let period = (self.ttl / 3).max(SHORTEST_PERIOD);
        let mut retry = None; // the present wait, while heartbeats fail
        let mut held = self.record.borrow().clone();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                Ok(()) = self.record.changed() => {}
                () = tokio::time::sleep(retry.unwrap_or(period)) => {}
            }
            let record = self.record.borrow_and_update().clone();
            match self.registry.register(&record, self.ttl).await {
                Ok(()) => {
                    if retry.take().is_some() {
                        tracing::info!(service = record.name, node = record.node.id, "registered again");
                    }
                    self.moved(&held, &record).await;
                    held = record;
                }
                Err(error) => {
                    if retry.is_none() {
                        let cause = error.source().map(ToString::to_string);
                        tracing::warn!(service = record.name, node = record.node.id, %error, cause, "heartbeat failed");
                    }
                    retry = Some(retry.map_or(FIRST_RETRY, |wait| wait * 2).min(period));
                }
            }
        }
    }

    /// Takes the entry out that another node id left behind.
    async fn moved(&self, old: &Instance, new: &Instance) {
        if old.node.id == new.node.id {
            return;
        }
        if let Err(error) = self.registry.deregister(old).await {
            tracing::debug!(node = old.node.id, %error, "the old entry is left to expire");
        }
    }
}
