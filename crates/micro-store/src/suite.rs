//! The behaviour that every backend shares, as one suite. A new backend passes it before anything else.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::{interval, timeout};

use crate::{Counted, Error, Expect, MAX_BATCH, MAX_KEY, MAX_PAGE_BYTES, MAX_VALUE, Store};

/// Long enough that nothing is over while a check runs.
const LONG: Duration = Duration::from_secs(300);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(80);
/// How long a check waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs every check, each on an empty store of its own.
///
/// # Panics
/// When the backend does not behave.
pub async fn run(make: impl AsyncFn() -> Store) {
    what_was_put_is_there_until_it_is_deleted(&make().await).await;
    a_value_is_over_after_its_time_and_not_before(&make().await).await;
    a_later_put_sets_the_time_anew(&make().await).await;
    a_put_that_expects_something_else_changes_nothing(&make().await).await;
    no_version_comes_twice(&make().await).await;
    of_many_writers_that_expect_the_same_one_succeeds(&make().await).await;
    of_many_that_delete_one_gets_what_was_there(&make().await).await;
    a_scan_gives_every_key_of_a_prefix_once_and_in_order(&make().await).await;
    a_counter_counts_up_to_its_maximum_and_no_further(&make().await).await;
    a_counter_begins_anew_when_its_time_is_over(&make().await).await;
    of_many_who_count_at_once_exactly_the_maximum_succeeds(&make().await).await;
    a_log_is_read_in_the_order_in_which_it_was_written(&make().await).await;
    who_reads_a_log_while_many_write_misses_nothing(&make().await).await;
    a_trimmed_log_goes_on_with_new_numbers(&make().await).await;
    strange_keys_are_kept_apart(&make().await).await;
    what_is_too_large_is_refused(&make().await).await;
    a_page_is_bounded_by_its_bytes(&make().await).await;
}

async fn what_was_put_is_there_until_it_is_deleted(store: &Store) {
    let keys = store.keys();
    assert_eq!(keys.get("a").await.unwrap(), None);
    let version = keys.put("a", "1".into(), None, Expect::Any).await.unwrap();
    let there = keys.get("a").await.unwrap().unwrap();
    assert_eq!((&there.value[..], there.version), (&b"1"[..], version));
    keys.put("a", "2".into(), Some(LONG), Expect::Any).await.unwrap();
    assert_eq!(value(store, "a").await.unwrap(), "2");
    keys.put("b", Bytes::new(), None, Expect::Any).await.unwrap();
    assert_eq!(value(store, "b").await.unwrap(), "");
    assert_eq!(keys.delete("a").await.unwrap().unwrap().value, "2");
    assert_eq!(keys.delete("a").await.unwrap(), None);
    assert_eq!(value(store, "a").await, None);
}

async fn a_value_is_over_after_its_time_and_not_before(store: &Store) {
    let keys = store.keys();
    keys.put("long", "1".into(), Some(LONG), Expect::Any).await.unwrap();
    keys.put("short", "1".into(), Some(SHORT), Expect::Any).await.unwrap();
    until(async || value(store, "short").await.is_none()).await;
    assert_eq!(value(store, "long").await.unwrap(), "1");
    assert_eq!(keys.delete("short").await.unwrap(), None);
    assert_eq!(keys.scan("", "", 10).await.unwrap().len(), 1);
    keys.put("short", "2".into(), None, Expect::Absent).await.unwrap();
    assert_eq!(value(store, "short").await.unwrap(), "2");
}

async fn a_later_put_sets_the_time_anew(store: &Store) {
    let keys = store.keys();
    keys.put("kept", "1".into(), Some(SHORT), Expect::Any).await.unwrap();
    keys.put("kept", "2".into(), None, Expect::Any).await.unwrap();
    keys.put("other", "1".into(), Some(SHORT), Expect::Any).await.unwrap();
    until(async || value(store, "other").await.is_none()).await;
    assert_eq!(value(store, "kept").await.unwrap(), "2");
}

async fn a_put_that_expects_something_else_changes_nothing(store: &Store) {
    let keys = store.keys();
    let conflict = |result| assert!(matches!(result, Err(Error::Conflict)), "{result:?}");
    conflict(keys.put("a", "0".into(), None, Expect::Version(1)).await);
    let first = keys.put("a", "1".into(), None, Expect::Absent).await.unwrap();
    conflict(keys.put("a", "0".into(), None, Expect::Absent).await);
    conflict(keys.put("a", "0".into(), None, Expect::Version(first + 1)).await);
    let second = keys.put("a", "2".into(), None, Expect::Version(first)).await.unwrap();
    conflict(keys.put("a", "0".into(), None, Expect::Version(first)).await);
    let there = keys.get("a").await.unwrap().unwrap();
    assert_eq!((&there.value[..], there.version), (&b"2"[..], second));
}

async fn no_version_comes_twice(store: &Store) {
    let keys = store.keys();
    let first = keys.put("a", "1".into(), None, Expect::Absent).await.unwrap();
    keys.delete("a").await.unwrap();
    let second = keys.put("a", "1".into(), None, Expect::Absent).await.unwrap();
    let third = keys.put("a", "1".into(), None, Expect::Any).await.unwrap();
    assert!(first != second && second != third && first != third, "{first} {second} {third}");
}

async fn of_many_writers_that_expect_the_same_one_succeeds(store: &Store) {
    let made = join_all((0..20).map(|_| store.keys().put("a", "1".into(), None, Expect::Absent))).await;
    let won: Vec<_> = made.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    let changes = (0..20).map(|_| store.keys().put("a", "2".into(), None, Expect::Version(won[0])));
    assert_eq!(join_all(changes).await.into_iter().filter(Result::is_ok).count(), 1);
}

async fn of_many_that_delete_one_gets_what_was_there(store: &Store) {
    store.keys().put("code", "1".into(), Some(LONG), Expect::Any).await.unwrap();
    let taken = join_all((0..20).map(|_| store.keys().delete("code"))).await;
    assert_eq!(taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count(), 1);
}

async fn a_scan_gives_every_key_of_a_prefix_once_and_in_order(store: &Store) {
    for key in ["b/2", "a", "b/10", "b", "b0", "b/1", "b/é", "c"] {
        store.keys().put(key, key.to_owned().into(), None, Expect::Any).await.unwrap();
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.keys().scan("b/", &after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        assert!(page.iter().all(|(key, entry)| key.as_bytes() == entry.value));
        found.extend(page.into_iter().map(|(key, _)| key));
    }
    assert_eq!(found, ["b/1", "b/10", "b/2", "b/é"]);
    assert_eq!(store.keys().scan("", "", 100).await.unwrap().len(), 8);
    assert_eq!(store.keys().scan("d", "", 100).await.unwrap(), []);
}

async fn a_counter_counts_up_to_its_maximum_and_no_further(store: &Store) {
    let counters = store.counters();
    assert_eq!(counters.read("a").await.unwrap(), 0);
    assert_eq!(counters.add("a", 2, 5, LONG).await.unwrap(), Counted::Added(2));
    assert_eq!(counters.add("a", 4, 5, LONG).await.unwrap(), Counted::Full(2));
    assert_eq!(counters.add("a", 3, 5, LONG).await.unwrap(), Counted::Added(5));
    assert_eq!(counters.add("a", 1, 5, LONG).await.unwrap(), Counted::Full(5));
    assert_eq!(counters.add("a", u64::MAX, u64::MAX, LONG).await.unwrap(), Counted::Full(5));
    assert_eq!(counters.read("a").await.unwrap(), 5);
    assert_eq!(counters.add("b", 1, 0, LONG).await.unwrap(), Counted::Full(0));
    assert_eq!(counters.read("b").await.unwrap(), 0);
}

async fn a_counter_begins_anew_when_its_time_is_over(store: &Store) {
    let counters = store.counters();
    assert_eq!(counters.add("long", 3, 3, LONG).await.unwrap(), Counted::Added(3));
    assert_eq!(counters.add("short", 1, 3, SHORT).await.unwrap(), Counted::Added(1));
    // A later addition does not prolong it.
    let _ = counters.add("short", 1, 3, LONG).await.unwrap();
    until(async || counters.read("short").await.unwrap() == 0).await;
    assert_eq!(counters.add("short", 2, 3, LONG).await.unwrap(), Counted::Added(2));
    assert_eq!(counters.read("long").await.unwrap(), 3);
}

async fn of_many_who_count_at_once_exactly_the_maximum_succeeds(store: &Store) {
    let count = || {
        let store = store.clone();
        tokio::spawn(async move {
            let mut added = 0;
            while let Counted::Added(_) = store.counters().add("calls", 1, 500, LONG).await.unwrap() {
                added += 1;
            }
            added
        })
    };
    let counters: Vec<_> = (0..16).map(|_| count()).collect();
    let added: u64 = join_all(counters).await.into_iter().map(Result::unwrap).sum();
    assert_eq!((added, store.counters().read("calls").await.unwrap()), (500, 500));
}

async fn a_log_is_read_in_the_order_in_which_it_was_written(store: &Store) {
    let log = store.log();
    assert_eq!((log.last("a").await.unwrap(), log.read("a", 0, 10).await.unwrap()), (0, vec![]));
    let first = log.append("a", vec!["1".into(), "2".into()]).await.unwrap();
    log.append("b", vec!["other".into()]).await.unwrap();
    let second = log.append("a", vec!["3".into()]).await.unwrap();
    assert!(0 < first && first < second);
    let all = log.read("a", 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|(_, entry)| &entry[..]).collect::<Vec<_>>(), [b"1", b"2", b"3"]);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(log.read("a", 0, 2).await.unwrap(), all[..2]);
    assert_eq!(log.read("a", first, 10).await.unwrap(), all[2..]);
    assert_eq!(log.last("a").await.unwrap(), second);
    assert_eq!(log.read("a", second, 10).await.unwrap(), []);
}

async fn who_reads_a_log_while_many_write_misses_nothing(store: &Store) {
    let write = |writer: usize| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..25 {
                store.log().append("a", vec![format!("{writer} {n}").into(); 2]).await.unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..8).map(write).collect();
    let (mut read, mut after) = (Vec::new(), 0);
    let read_all = async {
        while read.len() < 8 * 25 * 2 {
            for (number, entry) in store.log().read("a", after, 7).await.unwrap() {
                assert!(number > after);
                after = number;
                read.push(entry);
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, read_all).await.expect("every entry in time");
    assert!(join_all(writers).await.into_iter().all(|writer| writer.is_ok()));
    let pairs: Vec<_> = read.chunks(2).collect();
    assert!(pairs.iter().all(|pair| pair[0] == pair[1]), "what was appended together stands together");
    for writer in 0..8 {
        let own = |entry: &&[Bytes]| entry[0].starts_with(format!("{writer} ").as_bytes());
        let own: Vec<_> = pairs.iter().copied().filter(own).map(|pair| pair[0].clone()).collect();
        let expect: Vec<_> = (0..25).map(|n| Bytes::from(format!("{writer} {n}"))).collect();
        assert_eq!(own, expect);
    }
}

async fn a_trimmed_log_goes_on_with_new_numbers(store: &Store) {
    let log = store.log();
    let first = log.append("a", vec!["1".into()]).await.unwrap();
    let second = log.append("a", vec!["2".into()]).await.unwrap();
    log.append("b", vec!["other".into()]).await.unwrap();
    log.trim("a", first).await.unwrap();
    assert_eq!(log.read("a", 0, 10).await.unwrap(), [(second, "2".into())]);
    log.trim("a", u64::MAX).await.unwrap();
    assert_eq!((log.read("a", 0, 10).await.unwrap(), log.last("a").await.unwrap()), (vec![], 0));
    let third = log.append("a", vec!["3".into()]).await.unwrap();
    assert!(third > second);
    assert_eq!(log.read("a", second, 10).await.unwrap(), [(third, "3".into())]);
    assert_eq!(log.read("b", 0, 10).await.unwrap().len(), 1);
}

async fn strange_keys_are_kept_apart(store: &Store) {
    let strange = ["a b", "a%20b", "../a", "a/b", "A", "ä", "'; DROP TABLE entries; --", "*", ">", "a.b", "%", "_"];
    for key in strange {
        store.keys().put(key, key.to_owned().into(), None, Expect::Absent).await.unwrap();
        let _ = store.counters().add(key, 1, 1, LONG).await.unwrap();
        store.log().append(key, vec![key.to_owned().into()]).await.unwrap();
    }
    for key in strange {
        assert_eq!(value(store, key).await.unwrap(), key);
        assert_eq!(store.counters().read(key).await.unwrap(), 1);
        assert_eq!(store.log().read(key, 0, 10).await.unwrap().len(), 1);
    }
}

async fn what_is_too_large_is_refused(store: &Store) {
    let (keys, large) = (store.keys(), Bytes::from(vec![0; MAX_VALUE]));
    let longest = "k".repeat(MAX_KEY);
    keys.put(&longest, large.clone(), None, Expect::Any).await.unwrap();
    assert_eq!(keys.get(&longest).await.unwrap().unwrap().value, large);
    let invalid = |error: Error| assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let too_large = Bytes::from(vec![0; MAX_VALUE + 1]);
    invalid(keys.put("a", too_large.clone(), None, Expect::Any).await.unwrap_err());
    invalid(store.log().append("a", vec!["".into(), too_large]).await.unwrap_err());
    invalid(store.log().append("a", vec![Bytes::new(); MAX_BATCH + 1]).await.unwrap_err());
    invalid(store.log().append("a", vec![]).await.unwrap_err());
    for key in ["", "a\nb", "a\0", &"k".repeat(MAX_KEY + 1)] {
        invalid(keys.put(key, "1".into(), None, Expect::Any).await.unwrap_err());
        invalid(keys.get(key).await.unwrap_err());
        invalid(store.counters().add(key, 1, 1, LONG).await.unwrap_err());
        invalid(store.log().read(key, 0, 1).await.unwrap_err());
    }
    assert_eq!(store.log().last("a").await.unwrap(), 0);
}

async fn a_page_is_bounded_by_its_bytes(store: &Store) {
    let large = Bytes::from(vec![0; MAX_VALUE]);
    let many = MAX_PAGE_BYTES / MAX_VALUE + 2;
    for n in 0..many {
        store.log().append("a", vec![large.clone()]).await.unwrap();
        store.keys().put(&format!("k{n:02}"), large.clone(), None, Expect::Any).await.unwrap();
    }
    assert_eq!(store.log().read("a", 0, 100).await.unwrap().len(), many - 2);
    assert_eq!(store.keys().scan("k", "", 100).await.unwrap().len(), many - 2);
}

async fn value(store: &Store, key: &str) -> Option<Bytes> {
    store.keys().get(key).await.unwrap().map(|entry| entry.value)
}

/// Waits for what must come to hold.
async fn until(holds: impl AsyncFn() -> bool) {
    let mut ticks = interval(Duration::from_millis(10));
    let wait = async {
        while !holds().await {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it holds in time");
}
