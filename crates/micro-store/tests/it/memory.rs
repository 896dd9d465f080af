//! The memory backend, on a paused clock.

use std::time::Duration;

use micro_store::{Counted, Expect, Store, suite};

#[tokio::test(start_paused = true)]
async fn the_memory_store_passes_the_suite() {
    suite::run(async || Store::memory()).await;
}

#[tokio::test(start_paused = true)]
async fn times_to_live_are_exact() {
    let store = Store::memory();
    let second = Duration::from_secs(1);
    store.keys().put("a", "1".into(), Some(second), Expect::Any).await.unwrap();
    assert_eq!(store.counters().add("a", 1, 1, second).await.unwrap(), Counted::Added(1));
    tokio::time::advance(second - Duration::from_millis(1)).await;
    assert!(store.keys().get("a").await.unwrap().is_some());
    assert_eq!(store.counters().read("a").await.unwrap(), 1);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(store.keys().get("a").await.unwrap(), None);
    assert_eq!(store.counters().read("a").await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_makes_room_and_what_lives_stays() {
    let store = Store::memory();
    store.keys().put("stays", "1".into(), None, Expect::Any).await.unwrap();
    for round in 0..10 {
        for n in 0..2000 {
            let key = format!("{round} {n}");
            store.keys().put(&key, "1".into(), Some(Duration::from_secs(1)), Expect::Absent).await.unwrap();
            let _ = store.counters().add(&key, 1, 1, Duration::from_secs(1)).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(store.keys().scan("", "", 10).await.unwrap().len(), 1);
    let known = format!("{store:?}").matches("until").count();
    assert!(known < 20_000, "{known} of 40,000 are still held");
}
