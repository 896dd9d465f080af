//! The nodes of every service, kept current by one watching task.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Instant,
};

use arc_swap::ArcSwap;
use futures_util::StreamExt;
use micro_core::{Error, Result};
use micro_registry::{Event, Registry, Snapshot};
use tokio::{sync::watch, time::timeout_at};

use super::node::{IDLE, Node, Nodes};

/// What a client knows of the registry. Clones are the same directory; the watch ends with the last.
#[derive(Debug, Clone)]
pub(super) struct Directory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    services: ArcSwap<HashMap<Arc<str>, Arc<Nodes>>>,
    /// Whether the registry has answered yet, or what is wrong with it.
    state: watch::Sender<State>,
    start: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Unknown,
    Ready,
    Down(String),
}

impl Directory {
    pub(super) fn watch(registry: Arc<dyn Registry>) -> Self {
        let inner = Arc::new(Inner {
            services: ArcSwap::default(),
            state: watch::Sender::new(State::Unknown),
            start: Instant::now(),
        });
        tokio::spawn(follow(registry, Arc::downgrade(&inner), inner.state.subscribe()));
        Self(inner)
    }

    /// The nodes of a service. Waits for the registry's first answer; after that never.
    ///
    /// A registry that is down is a different error (503) from a service nobody offers (404).
    pub(super) async fn nodes(&self, service: &str, deadline: tokio::time::Instant) -> Result<Arc<Nodes>> {
        if let Some(nodes) = self.0.services.load().get(service) {
            return Ok(nodes.clone());
        }
        let mut state = self.0.state.subscribe();
        let state = match timeout_at(deadline, state.wait_for(|s| *s != State::Unknown)).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => State::Down("it was closed".to_owned()),
            Err(_) => return Err(Error::timeout("the registry did not answer within the deadline")),
        };
        if let Some(nodes) = self.0.services.load().get(service) {
            return Ok(nodes.clone());
        }
        Err(match state {
            State::Down(why) => Error::unavailable(format!("the registry cannot be read: {why}")),
            _ => Error::not_found(format!("no service `{service}` is registered")),
        })
    }

    /// Milliseconds since this directory was made: the selector's clock.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

async fn follow(registry: Arc<dyn Registry>, directory: Weak<Inner>, mut state: watch::Receiver<State>) {
    let mut events = registry.watch();
    drop(registry);
    let mut known = Snapshot::default();
    let mut sweep = tokio::time::interval(IDLE);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = async { while state.changed().await.is_ok() {} } => return, // the last clone is gone
            _ = sweep.tick() => {
                let Some(directory) = directory.upgrade() else { return };
                directory.services.load().values().for_each(|nodes| nodes.iter().for_each(|node| node.sweep()));
                continue;
            }
        };
        let (Some(event), Some(directory)) = (event, directory.upgrade()) else { return };
        let state = match &event {
            Event::Problem(why) if *directory.state.borrow() != State::Ready => State::Down(why.clone()),
            Event::Ignored(_) => continue,
            Event::Problem(_) => continue, // the last good knowledge goes on serving
            _ => State::Ready,
        };
        if known.apply(&event) {
            directory.services.store(Arc::new(group(&known, &directory.services.load())));
        }
        directory.state.send_replace(state);
    }
}

/// Groups instances by service. Nodes that stay keep their connections and their record.
fn group(known: &Snapshot, old: &HashMap<Arc<str>, Arc<Nodes>>) -> HashMap<Arc<str>, Arc<Nodes>> {
    let mut services: HashMap<Arc<str>, Vec<Arc<Node>>> = HashMap::new();
    for instance in known.instances() {
        let kept = old.get(instance.name.as_str()).and_then(|nodes| nodes.find(&instance.node));
        let node = kept.unwrap_or_else(|| Arc::new(Node::new(&instance.node)));
        services.entry(instance.name.as_str().into()).or_default().push(node);
    }
    services.into_iter().map(|(name, nodes)| (name, Arc::new(Nodes::new(nodes)))).collect()
}
