//! The behaviour that every backend shares, as one suite. A new backend passes it before anything else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use tokio::time::{Instant, interval, timeout};

use crate::{Error, Event, Events, Instance, Node, Registry, Snapshot};

/// Long enough that nothing expires while a check runs.
const LONG: Duration = Duration::from_secs(300);

/// How long a check waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A record to play with: no endpoints, and the node id `<service>-<id>`.
pub fn instance(service: &str, id: &str) -> Instance {
    Instance {
        name: service.to_owned(),
        version: "1".to_owned(),
        metadata: BTreeMap::new(),
        endpoints: vec![],
        node: Node { metadata: BTreeMap::new(), id: format!("{service}-{id}"), address: "127.0.0.1:9".to_owned() },
    }
}

/// Runs every check, each on an empty registry of its own.
///
/// # Panics
/// When the backend does not behave.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Registry>) {
    who_registers_is_listed(&*make().await).await;
    a_watch_begins_with_who_is_there(&*make().await).await;
    new_and_changed_records_come_up_and_a_refresh_is_silent(&*make().await).await;
    who_deregisters_goes_down_and_nobody_else(&*make().await).await;
    deregistering_a_stranger_is_no_error(&*make().await).await;
    who_falls_silent_goes_down_in_time(&*make().await).await;
    who_fell_silent_can_come_back(&*make().await).await;
    who_refreshes_stays(&*make().await).await;
    fifty_writers_lose_nothing(make().await).await;
    two_watchers_see_the_same(&*make().await).await;
    a_name_that_is_a_path_is_refused(&*make().await).await;
    strange_node_ids_are_stored_and_kept_apart(&*make().await).await;
}

async fn who_registers_is_listed(registry: &dyn Registry) {
    assert!(registry.list().await.unwrap().is_empty());
    let (a, b) = (instance("users", "1"), instance("posts", "1"));
    registry.register(&a, LONG).await.unwrap();
    registry.register(&b, LONG).await.unwrap();
    check_list(registry, &[&b, &a]).await;
}

async fn a_watch_begins_with_who_is_there(registry: &dyn Registry) {
    let a = instance("users", "1");
    registry.register(&a, LONG).await.unwrap();
    match next(&mut registry.watch()).await {
        Event::Reset(all) => assert_eq!(all, [Arc::new(a)]),
        other => panic!("the first event is {other:?}"),
    }
}

async fn new_and_changed_records_come_up_and_a_refresh_is_silent(registry: &dyn Registry) {
    let mut events = begin(registry).await;
    let (a, b) = (instance("users", "1"), instance("users", "2"));
    registry.register(&a, LONG).await.unwrap();
    check_up(&mut events, &a).await;
    registry.register(&a, LONG).await.unwrap();
    registry.register(&b, LONG).await.unwrap();
    check_up(&mut events, &b).await;
    let newer = Instance { version: "2".to_owned(), ..a };
    registry.register(&newer, LONG).await.unwrap();
    check_up(&mut events, &newer).await;
    check_list(registry, &[&newer, &b]).await;
}

async fn who_deregisters_goes_down_and_nobody_else(registry: &dyn Registry) {
    let (a, b) = (instance("users", "1"), instance("users", "2"));
    registry.register(&a, LONG).await.unwrap();
    registry.register(&b, LONG).await.unwrap();
    let mut events = begin(registry).await;
    registry.deregister(&a).await.unwrap();
    check_down(&mut events, &a).await;
    check_list(registry, &[&b]).await;
}

async fn deregistering_a_stranger_is_no_error(registry: &dyn Registry) {
    let mut events = begin(registry).await;
    registry.deregister(&instance("users", "1")).await.unwrap();
    let a = instance("users", "2");
    registry.register(&a, LONG).await.unwrap();
    check_up(&mut events, &a).await;
}

async fn who_falls_silent_goes_down_in_time(registry: &dyn Registry) {
    let mut events = begin(registry).await;
    let (a, b) = (instance("users", "1"), instance("users", "2"));
    let ttl = Duration::from_secs(1);
    registry.register(&b, LONG).await.unwrap();
    check_up(&mut events, &b).await;
    let began = Instant::now();
    registry.register(&a, ttl).await.unwrap();
    let registered = Instant::now();
    check_up(&mut events, &a).await;
    check_down(&mut events, &a).await;
    // A store may keep time in whole milliseconds.
    assert!(began.elapsed() + Duration::from_millis(2) >= ttl, "gone after {:?} of {ttl:?}", began.elapsed());
    assert!(registered.elapsed() <= ttl + Duration::from_secs(1), "still there after {:?}", registered.elapsed());
    check_list(registry, &[&b]).await;
}

async fn who_fell_silent_can_come_back(registry: &dyn Registry) {
    let mut events = begin(registry).await;
    let a = instance("users", "1");
    registry.register(&a, Duration::from_millis(200)).await.unwrap();
    check_up(&mut events, &a).await;
    check_down(&mut events, &a).await;
    registry.register(&a, LONG).await.unwrap();
    check_up(&mut events, &a).await;
    check_list(registry, &[&a]).await;
}

async fn who_refreshes_stays(registry: &dyn Registry) {
    let mut events = begin(registry).await;
    let a = instance("users", "1");
    let ttl = Duration::from_millis(1500);
    registry.register(&a, ttl).await.unwrap();
    check_up(&mut events, &a).await;
    let began = Instant::now();
    let mut heartbeat = interval(ttl / 10);
    while began.elapsed() < ttl * 2 {
        tokio::select! {
            event = events.next() => panic!("{event:?} after {:?}", began.elapsed()),
            _ = heartbeat.tick() => registry.register(&a, ttl).await.unwrap(),
        }
    }
    check_list(registry, &[&a]).await;
}

async fn fifty_writers_lose_nothing(registry: Arc<dyn Registry>) {
    let mut events = begin(&*registry).await;
    let write = |n: u32| {
        let registry = registry.clone();
        tokio::spawn(async move {
            let mut record = instance("users", &n.to_string());
            for version in 1..=4 {
                record.version = version.to_string();
                registry.register(&record, LONG).await.unwrap();
            }
            record
        })
    };
    let written: Vec<_> = join_all((0..50).map(write)).await.into_iter().map(Result::unwrap).collect();
    let written: Vec<_> = written.iter().collect();
    check_list(&*registry, &written).await;
    follow(&mut events, &written).await;
}

async fn two_watchers_see_the_same(registry: &dyn Registry) {
    let (a, b, c) = (instance("users", "1"), instance("users", "2"), instance("posts", "1"));
    let mut early = begin(registry).await;
    registry.register(&a, LONG).await.unwrap();
    registry.register(&b, LONG).await.unwrap();
    let mut late = registry.watch();
    registry.deregister(&a).await.unwrap();
    registry.register(&c, LONG).await.unwrap();
    follow(&mut early, &[&b, &c]).await;
    follow(&mut late, &[&b, &c]).await;
}

async fn a_name_that_is_a_path_is_refused(registry: &dyn Registry) {
    for name in ["", "../evil", "a/b", ".hidden"] {
        let refused = registry.register(&instance(name, "1"), LONG).await;
        assert!(matches!(refused, Err(Error::InvalidRecord { .. })), "`{name}`: {refused:?}");
    }
    let mut nobody = instance("users", "1");
    nobody.node.id.clear();
    let refused = registry.register(&nobody, LONG).await;
    assert!(matches!(refused, Err(Error::InvalidRecord { .. })), "{refused:?}");
    check_list(registry, &[]).await;
}

async fn strange_node_ids_are_stored_and_kept_apart(registry: &dyn Registry) {
    let ids = ["..", "../../up", "a/b", "a-b", "a%2Fb", ".tmp", "über uns"];
    let records = ids.map(|id| {
        let mut record = instance("users", "");
        id.clone_into(&mut record.node.id);
        record
    });
    for record in &records {
        registry.register(record, LONG).await.unwrap();
    }
    check_list(registry, &records.iter().collect::<Vec<_>>()).await;
    registry.deregister(&records[2]).await.unwrap();
    let left: Vec<_> = records.iter().filter(|record| **record != records[2]).collect();
    check_list(registry, &left).await;
}

// === words ===

/// The next event, which must come.
///
/// # Panics
/// When none comes for a long time.
pub async fn next(events: &mut Events) -> Event {
    timeout(PATIENCE, events.next()).await.expect("an event in time").expect("the stream goes on")
}

/// Watches, and takes the first `Reset`.
async fn begin(registry: &dyn Registry) -> Events {
    let mut events = registry.watch();
    let first = next(&mut events).await;
    assert!(matches!(first, Event::Reset(_)), "the first event is {first:?}");
    events
}

/// Reads events until exactly these are known.
async fn follow(events: &mut Events, expect: &[&Instance]) {
    let expect = sorted(expect.iter().copied());
    let mut known = Snapshot::default();
    // An early watcher has had its `Reset`, with nobody in it.
    while sorted(known.instances().map(|i| &**i)) != expect {
        known.apply(&next(events).await);
    }
}

async fn check_up(events: &mut Events, expect: &Instance) {
    match next(events).await {
        Event::Up(up) => assert_eq!(*up, *expect),
        other => panic!("{other:?} instead of the coming up of {expect:?}"),
    }
}

async fn check_down(events: &mut Events, expect: &Instance) {
    match next(events).await {
        Event::Down(id) => assert_eq!(id, expect.node.id),
        other => panic!("{other:?} instead of the going down of {expect:?}"),
    }
}

async fn check_list(registry: &dyn Registry, expect: &[&Instance]) {
    let list = registry.list().await.unwrap();
    assert_eq!(sorted(list.iter().map(|i| &**i)), sorted(expect.iter().copied()));
}

fn sorted<'a>(instances: impl Iterator<Item = &'a Instance>) -> Vec<&'a Instance> {
    let mut all: Vec<_> = instances.collect();
    all.sort_by(|a, b| a.node.id.cmp(&b.node.id));
    all
}
