//! The memory backend, on a paused clock.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use micro_registry::{Event, MemoryRegistry, Registry, suite};

#[tokio::test(start_paused = true)]
async fn the_memory_registry_passes_the_suite() {
    suite::run(async || Arc::new(MemoryRegistry::default()) as Arc<dyn Registry>).await;
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_fell_far_behind_is_told_everything_again() {
    let registry = MemoryRegistry::default();
    let mut events = registry.watch();
    for n in 0..5000 {
        registry.register(&suite::instance("users", &n.to_string()), Duration::from_secs(60)).await.unwrap();
    }
    assert!(matches!(suite::next(&mut events).await, Event::Reset(all) if all.is_empty()));
    assert!(matches!(suite::next(&mut events).await, Event::Reset(all) if all.len() == 5000));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_time_to_live_wakes_the_watchers() {
    let registry = MemoryRegistry::default();
    let instance = suite::instance("users", "1");
    registry.register(&instance, Duration::from_secs(3600)).await.unwrap();
    let mut events = registry.watch();
    assert!(matches!(suite::next(&mut events).await, Event::Reset(_)));
    let waiting = tokio::spawn(async move { suite::next(&mut events).await });
    tokio::task::yield_now().await; // it sleeps for an hour now
    registry.register(&instance, Duration::from_secs(5)).await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Event::Down(id) if id == instance.node.id));
}

#[tokio::test]
async fn a_watch_ends_with_the_registry() {
    let registry = MemoryRegistry::default();
    let events = registry.watch();
    drop(registry);
    assert_eq!(events.count().await, 1);
}
