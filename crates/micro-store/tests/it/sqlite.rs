//! The SQLite backend, in real time: files, rights, restarts.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::join_all;
use micro_store::{Counted, Error, Expect, Location, Store, suite};

fn open(path: &Path) -> Store {
    Location::Sqlite(path.to_owned()).open().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_passes_the_suite() {
    let temp = tempfile::tempdir().unwrap();
    let made = AtomicU32::new(0);
    suite::run(async || open(&temp.path().join(format!("{}.db", made.fetch_add(1, SeqCst))))).await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("store.db");
    let store = open(&path);
    let version = store.keys().put("a", "1".into(), None, Expect::Any).await.unwrap();
    let _ = store.counters().add("calls", 3, 5, Duration::from_secs(300)).await.unwrap();
    let last = store.log().append("log", vec!["x".into()]).await.unwrap();
    drop(store);
    let store = open(&path);
    assert_eq!(store.keys().get("a").await.unwrap().unwrap().version, version);
    assert_eq!(store.counters().add("calls", 3, 5, Duration::from_secs(300)).await.unwrap(), Counted::Full(3));
    assert_eq!(store.log().read("log", 0, 10).await.unwrap(), [(last, "x".into())]);
    assert!(store.keys().put("a", "2".into(), None, Expect::Any).await.unwrap() > version);
}

#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("deep/folder/store.db");
    let store = open(&path);
    store.keys().put("a", "1".into(), None, Expect::Any).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 1, "the write-ahead log stands beside it: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn what_is_no_store_is_said_to_be_none() {
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("text.db");
    fs::write(&text, "this is no database, only a text that is long enough to be looked at as one").unwrap();
    for path in [&*text, temp.path(), Path::new("/dev/null/store.db")] {
        let error = Location::Sqlite(path.to_owned()).open().unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_form_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("store.db");
    drop(open(&path));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 7).unwrap();
    let error = Location::Sqlite(path).open().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("form is 7"), "{source}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_a_new_file_at_once() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("store.db");
    let opened = (0..8).map(|n| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || (n, open(&path)))
    });
    let stores: Vec<_> = join_all(opened.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect();
    for (n, store) in &stores {
        store.keys().put(&n.to_string(), "1".into(), None, Expect::Absent).await.unwrap();
    }
    assert_eq!(stores[0].1.keys().scan("", "", 100).await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_change_that_nobody_waits_for_any_more_is_made() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(&temp.path().join("store.db"));
    {
        let put = store.keys().put("a", "1".into(), None, Expect::Any);
        tokio::select! { biased; _ = put => {}, () = std::future::ready(()) => {} }
    }
    // The writer takes one job after the other.
    store.keys().put("b", "1".into(), None, Expect::Any).await.unwrap();
    assert!(store.keys().get("a").await.unwrap().is_some());
}
