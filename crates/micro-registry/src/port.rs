//! The port every backend implements.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use futures_core::{future::BoxFuture, stream::BoxStream};

use crate::{Instance, Result};

/// Longer times to live are cut down to this, so that they can be added to any clock.
pub(crate) const LONGEST_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// A place where running instances make themselves known.
///
/// Instances are independent of each other: registering, refreshing and removing one never touches
/// another, so writers cannot lose each other's updates. A backend must not drop an instance before
/// its time to live is over, and must drop it soon after (within a second, or as soon as the store
/// behind it does).
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// Adds this instance, or refreshes it: it is gone `ttl` after the last time. A record that
    /// changed replaces the old one under the same node id.
    fn register<'a>(&'a self, instance: &'a Instance, ttl: Duration) -> BoxFuture<'a, Result<()>>;

    /// Removes an instance. Removing one that is not there is no error.
    fn deregister<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<()>>;

    /// Every instance that is alive now, in no particular order.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Arc<Instance>>>>;

    /// Every change from now on. The first event about instances is always [`Event::Reset`] with what
    /// is alive; a backend that lost track of its store sends another one. While the store cannot be
    /// reached there are only [`Event::Problem`]s, so a watcher that has had no `Reset` yet knows
    /// nothing, which is not the same as nobody being there. The stream ends only with the registry.
    fn watch(&self) -> Events;
}

/// What [`Registry::watch`] returns.
pub type Events = BoxStream<'static, Event>;

/// One change.
#[derive(Debug, Clone)]
pub enum Event {
    /// Forget what you knew: these are all the instances.
    Reset(Vec<Arc<Instance>>),
    /// An instance is new, or its record changed.
    Up(Arc<Instance>),
    /// The instance with this node id is gone.
    Down(String),
    /// One record cannot be used and is passed over, with the reason. All else goes on.
    Ignored(String),
    /// The store cannot be read. What is known stays valid; a `Reset` follows when it can be again.
    Problem(String),
}

/// What a watcher knows: every living instance by node id. Feed it events.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    instances: BTreeMap<String, Arc<Instance>>,
}

impl Snapshot {
    /// Takes one event in. False when nothing changed by it.
    pub fn apply(&mut self, event: &Event) -> bool {
        match event {
            Event::Reset(all) => {
                let new = all.iter().map(|i| (i.node.id.clone(), i.clone())).collect();
                let changed = self.instances != new;
                self.instances = new;
                changed
            }
            Event::Up(instance) => {
                let old = self.instances.insert(instance.node.id.clone(), instance.clone());
                old.as_ref() != Some(instance)
            }
            Event::Down(id) => self.instances.remove(id).is_some(),
            Event::Ignored(_) | Event::Problem(_) => false,
        }
    }

    /// All instances, by node id.
    pub fn instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instances.values()
    }

    /// The instances of one service, by node id.
    pub fn service<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Instance>> {
        self.instances.values().filter(move |i| i.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::instance;

    #[test]
    fn a_snapshot_says_what_changed_it_and_knows_who_is_left() {
        let (a, b) = (Arc::new(instance("users", "1")), Arc::new(instance("posts", "1")));
        let newer = Arc::new(Instance { version: "2".into(), ..instance("users", "1") });
        let mut known = Snapshot::default();
        let mut check = |event: Event, changed: bool, left: &[&Arc<Instance>]| {
            assert_eq!(known.apply(&event), changed, "{event:?}");
            assert!(known.instances().eq(left.iter().copied()), "{event:?}: {known:?}");
            assert!(known.service("users").all(|i| i.name == "users"));
            assert_eq!(known.service("users").count(), left.iter().filter(|i| i.name == "users").count());
        };
        check(Event::Reset(vec![]), false, &[]);
        check(Event::Up(a.clone()), true, &[&a]);
        check(Event::Up(a.clone()), false, &[&a]);
        check(Event::Up(newer.clone()), true, &[&newer]);
        check(Event::Problem("the disk is full".into()), false, &[&newer]);
        check(Event::Up(b.clone()), true, &[&b, &newer]);
        check(Event::Down("nobody".into()), false, &[&b, &newer]);
        check(Event::Down(newer.node.id.clone()), true, &[&b]);
        check(Event::Reset(vec![b.clone()]), false, &[&b]);
        check(Event::Reset(vec![a.clone()]), true, &[&a]);
    }
}
