//! Several processes on one SQLite file: the others are this test program, started again.

use std::{
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use micro_store::{Counted, Error, Expect, Location, Store};

const FILE: &str = "MICRO_TEST_STORE";
const MAXIMUM: u64 = 400;
const CHANGES: u64 = 40;
const PROCESSES: u64 = 3;

/// What each process does: counts with four tasks until the counter is full, changes one value again and
/// again, appends; and says how often it could count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_alone_counts_to_the_maximum() {
    let temp = tempfile::tempdir().unwrap();
    let given = env::var_os(FILE).map(PathBuf::from);
    let store = Location::Sqlite(given.clone().unwrap_or_else(|| temp.path().join("store.db"))).open().unwrap();
    let own = format!("counted/{}", std::process::id());
    let counted: u64 = join_all((0..4).map(|_| count(&store))).await.into_iter().sum();
    join_all((0..4).map(|_| change(&store, CHANGES / 4))).await;
    store.keys().put(&own, counted.to_string().into(), None, Expect::Absent).await.unwrap();
    if given.is_none() {
        assert_eq!(counted, MAXIMUM);
        assert_eq!(store.keys().get("sum").await.unwrap().unwrap().value, CHANGES.to_string());
    }
}

async fn count(store: &Store) -> u64 {
    let mut counted = 0;
    while let Counted::Added(_) =
        store.counters().add("calls", 1, MAXIMUM, Duration::from_secs(300)).await.expect("the store works")
    {
        counted += 1;
    }
    counted
}

/// Adds 1 to a value by compare and set, and notes each time in the log.
async fn change(store: &Store, times: u64) {
    for _ in 0..times {
        let new = loop {
            let there = store.keys().get("sum").await.unwrap();
            let (expect, old) = match &there {
                None => (Expect::Absent, 0),
                Some(entry) => (Expect::Version(entry.version), number(&entry.value)),
            };
            match store.keys().put("sum", (old + 1).to_string().into(), None, expect).await {
                Ok(_) => break old + 1,
                Err(Error::Conflict) => {}
                Err(error) => panic!("{error:?}"),
            }
        };
        store.log().append("changes", vec![new.to_string().into()]).await.unwrap();
    }
}

fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text).unwrap().parse().unwrap()
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn processes_that_share_a_file_lose_nothing_and_count_exactly() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("store.db");
    let start = |_| {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "processes::one_process_alone_counts_to_the_maximum"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .spawn();
        Killed(child.unwrap())
    };
    let mut children: Vec<_> = (0..PROCESSES).map(start).collect();
    for child in &mut children {
        assert!(child.0.wait().unwrap().success());
    }
    let store = Location::Sqlite(path.clone()).open().unwrap();
    assert_eq!(store.counters().read("calls").await.unwrap(), MAXIMUM);
    let counted = store.keys().scan("counted/", "", 100).await.unwrap();
    assert_eq!(counted.len() as u64, PROCESSES);
    assert_eq!(counted.iter().map(|(_, entry)| number(&entry.value)).sum::<u64>(), MAXIMUM);
    assert_eq!(number(&store.keys().get("sum").await.unwrap().unwrap().value), PROCESSES * CHANGES);
    let mut changes: Vec<_> =
        store.log().read("changes", 0, 1000).await.unwrap().iter().map(|(_, entry)| number(entry)).collect();
    changes.sort_unstable();
    assert_eq!(changes, (1..=PROCESSES * CHANGES).collect::<Vec<_>>());
}
