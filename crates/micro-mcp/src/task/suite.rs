//! The behaviour that every task store shares, as one suite.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use micro_mcp_proto::TaskStatus;
use tokio::time::timeout;

use super::{StoredTask, TaskStore};

/// Long enough that nothing expires while a check runs.
const LONG: Duration = Duration::from_secs(300);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);
/// More tasks than a check has.
const MANY: usize = 100;
/// How long a check waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A task to play with.
pub fn task(id: &str, owner: &str, ttl: Duration) -> StoredTask {
    StoredTask {
        id: id.to_owned(),
        owner: owner.to_owned(),
        version: 0,
        status: TaskStatus::Working,
        message: None,
        created_ms: 1,
        updated_ms: 1,
        ttl_ms: u64::try_from(ttl.as_millis()).expect("a short time"),
        questions: Default::default(),
        answers: Default::default(),
        keys: Vec::new(),
        result: None,
        error: None,
    }
}

/// Runs every check, each on an empty store of its own.
///
/// # Panics
/// When the store does not behave.
pub async fn run(make: impl AsyncFn() -> Arc<dyn TaskStore>) {
    what_was_created_is_read_as_it_was(&*make().await).await;
    only_the_next_version_is_written(&*make().await).await;
    writers_at_once_lose_nothing(make().await).await;
    who_waits_hears_of_a_change(make().await).await;
    who_waits_for_an_old_version_does_not_wait(&*make().await).await;
    a_task_expires_and_who_waits_hears_of_it(make().await).await;
    an_owner_has_so_many_tasks_and_those_that_ended_make_room(&*make().await).await;
}

async fn what_was_created_is_read_as_it_was(store: &dyn TaskStore) {
    assert!(store.read("a").await.unwrap().is_none());
    let mut task = task("a", "ann", LONG);
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).expect("it is JSON");
    task.message = Some("on its way".to_owned());
    task.questions.insert("k".to_owned(), raw(r#"{"method":"roots/list","params":{}}"#));
    task.answers.insert("l".to_owned(), raw(r#"{ "roots": [ 1.0, 1e3 ] }"#));
    task.keys = vec!["k".to_owned(), "l".to_owned()];
    task.result = Some(raw(r#"{"content":[],"n":12345678901234567890123}"#));
    let text = |task: &StoredTask| serde_json::to_string(task).expect("a task is plain JSON");
    let expected = text(&task);
    store.create(task, MANY).await.unwrap();
    assert_eq!(text(&store.read("a").await.unwrap().expect("it is there at once")), expected);
    assert!(store.read("b").await.unwrap().is_none());
}

async fn only_the_next_version_is_written(store: &dyn TaskStore) {
    store.create(task("a", "ann", LONG), MANY).await.unwrap();
    let at = |version| StoredTask { version, ..task("a", "ann", LONG) };
    for (version, written) in [(0, false), (2, false), (1, true), (1, false), (2, true)] {
        assert_eq!(store.write(at(version)).await, Ok(written), "version {version}");
    }
    assert_eq!(store.write(StoredTask { version: 1, ..task("b", "ann", LONG) }).await, Ok(false));
    assert_eq!(store.read("a").await.unwrap().expect("it is there").version, 2);
}

async fn writers_at_once_lose_nothing(store: Arc<dyn TaskStore>) {
    store.create(task("a", "ann", LONG), MANY).await.unwrap();
    let writer = |i: usize| {
        let store = store.clone();
        async move {
            loop {
                let mut task = StoredTask::clone(&*store.read("a").await.unwrap().expect("it is there"));
                task.version += 1;
                task.keys.push(i.to_string());
                if store.write(task).await.unwrap() {
                    break;
                }
            }
        }
    };
    join_all((0..20).map(|i| tokio::spawn(writer(i)))).await;
    let task = store.read("a").await.unwrap().expect("it is there");
    assert_eq!((task.version, task.keys.len()), (20, 20));
}

async fn who_waits_hears_of_a_change(store: Arc<dyn TaskStore>) {
    store.create(task("a", "ann", LONG), MANY).await.unwrap();
    let waiting = store.clone();
    let heard = tokio::spawn(async move {
        while waiting.read("a").await.unwrap().is_some_and(|task| task.version == 0) {
            waiting.changed("a", 0).await;
        }
    });
    tokio::task::yield_now().await;
    assert_eq!(store.write(StoredTask { version: 1, ..task("a", "ann", LONG) }).await, Ok(true));
    timeout(PATIENCE, heard).await.expect("a change is heard of").unwrap();
}

async fn who_waits_for_an_old_version_does_not_wait(store: &dyn TaskStore) {
    store.create(task("a", "ann", LONG), MANY).await.unwrap();
    assert_eq!(store.write(StoredTask { version: 1, ..task("a", "ann", LONG) }).await, Ok(true));
    timeout(PATIENCE, store.changed("a", 0)).await.expect("it has changed already");
    timeout(PATIENCE, store.changed("b", 0)).await.expect("nothing to wait for");
}

async fn a_task_expires_and_who_waits_hears_of_it(store: Arc<dyn TaskStore>) {
    store.create(task("a", "ann", SHORT), MANY).await.unwrap();
    store.create(task("b", "ann", LONG), MANY).await.unwrap();
    assert!(store.read("a").await.unwrap().is_some(), "not before its time");
    let gone = async {
        while store.read("a").await.unwrap().is_some() {
            store.changed("a", 0).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("it expires");
    assert_eq!(store.write(StoredTask { version: 1, ..task("a", "ann", SHORT) }).await, Ok(false));
    assert!(store.read("b").await.unwrap().is_some());
}

async fn an_owner_has_so_many_tasks_and_those_that_ended_make_room(store: &dyn TaskStore) {
    for (id, owner) in [("a", "ann"), ("b", "ann"), ("c", "bob")] {
        assert_eq!(store.create(task(id, owner, LONG), 2).await, Ok(true), "{owner}");
    }
    assert_eq!(store.create(task("d", "ann", LONG), 2).await, Ok(false), "both run");
    assert!(store.read("d").await.unwrap().is_none());
    let ended = |id| StoredTask { version: 1, status: TaskStatus::Completed, ..task(id, "ann", LONG) };
    assert_eq!(store.write(ended("b")).await, Ok(true));
    assert_eq!(store.create(task("d", "ann", LONG), 2).await, Ok(true));
    let mut known = Vec::new();
    for id in ["a", "b", "c", "d"] {
        known.push(store.read(id).await.unwrap().is_some());
    }
    assert_eq!(known, [true, false, true, true], "what ended made room");
    assert_eq!(store.create(task("e", "eve", LONG), 0).await, Ok(false));
}
