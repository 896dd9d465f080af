//! Announcements, on a paused clock and with a registry that can be told to fail.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use micro_registry::{Announcement, Error, Event, Events, Instance, MemoryRegistry, Registry, Result, suite};
use tokio::time::{Instant, sleep};

const TTL: Duration = Duration::from_secs(9);

/// A memory registry whose store can be out of reach.
#[derive(Debug, Clone, Default)]
struct Flaky {
    registry: MemoryRegistry,
    down: Arc<AtomicBool>,
    attempts: Arc<AtomicU32>,
}

impl Flaky {
    fn set_down(&self, down: bool) {
        self.down.store(down, SeqCst);
    }

    fn reach(&self) -> Result<()> {
        self.attempts.fetch_add(1, SeqCst);
        let source = || io::ErrorKind::ConnectionRefused.into();
        if self.down.load(SeqCst) {
            Err(Error::Unavailable { place: "nowhere".into(), source: source() })
        } else {
            Ok(())
        }
    }

    async fn start(&self) -> Result<(Announcement, Events)> {
        let mut events = self.registry.watch();
        assert!(matches!(suite::next(&mut events).await, Event::Reset(_)));
        let announcement = Announcement::start(Arc::new(self.clone()), suite::instance("users", "1"), TTL).await?;
        assert!(matches!(suite::next(&mut events).await, Event::Up(_)));
        Ok((announcement, events))
    }
}

impl Registry for Flaky {
    fn register<'a>(&'a self, instance: &'a Instance, ttl: Duration) -> BoxFuture<'a, Result<()>> {
        async move {
            self.reach()?;
            self.registry.register(instance, ttl).await
        }
        .boxed()
    }

    fn deregister<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<()>> {
        async move {
            self.reach()?;
            self.registry.deregister(instance).await
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Arc<Instance>>>> {
        self.registry.list()
    }

    fn watch(&self) -> Events {
        self.registry.watch()
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_instance_stays_and_a_stopped_one_leaves_at_once() {
    let flaky = Flaky::default();
    let (announcement, mut events) = flaky.start().await.unwrap();
    tokio::select! {
        event = suite::next(&mut events) => panic!("{event:?}"),
        () = sleep(TTL * 2) => {}
    }
    let now = Instant::now();
    announcement.stop().await.unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Down(_)));
    assert_eq!(now.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_announcement_expires() {
    let flaky = Flaky::default();
    let (announcement, mut events) = flaky.start().await.unwrap();
    drop(announcement);
    let now = Instant::now();
    assert!(matches!(suite::next(&mut events).await, Event::Down(_)));
    assert!(now.elapsed() >= TTL && now.elapsed() < TTL + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn the_first_registration_must_succeed() {
    let flaky = Flaky::default();
    flaky.set_down(true);
    let refused = Announcement::start(Arc::new(flaky), suite::instance("users", "1"), TTL).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_instance_comes_back_by_itself_after_its_registry_was_down() {
    let flaky = Flaky::default();
    let (_announcement, mut events) = flaky.start().await.unwrap();
    flaky.set_down(true);
    let before = flaky.attempts.load(SeqCst);
    assert!(matches!(suite::next(&mut events).await, Event::Down(_)));
    sleep(TTL * 10).await;
    // Soon after the first failure, then ever more slowly: no more than a heartbeat each TTL/3 in the end.
    let attempts = flaky.attempts.load(SeqCst) - before;
    assert!((30..45).contains(&attempts), "{attempts} attempts");
    flaky.set_down(false);
    let now = Instant::now();
    assert!(matches!(suite::next(&mut events).await, Event::Up(_)));
    assert!(now.elapsed() <= TTL / 3);
}

#[tokio::test(start_paused = true)]
async fn an_updated_record_replaces_the_old_one_even_under_another_id() {
    let flaky = Flaky::default();
    let (announcement, mut events) = flaky.start().await.unwrap();
    let newer = Instance { version: "2".into(), ..suite::instance("users", "1") };
    announcement.update(newer.clone());
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if *up == newer));

    let moved = suite::instance("users", "2");
    announcement.update(moved.clone());
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if *up == moved));
    assert!(matches!(suite::next(&mut events).await, Event::Down(id) if id == newer.node.id));
    announcement.stop().await.unwrap();
    assert!(flaky.list().await.unwrap().is_empty());
}
