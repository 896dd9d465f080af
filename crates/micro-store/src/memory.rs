//! A store inside one process.

use std::{
    collections::{BTreeMap, HashMap},
    future::ready,
    ops::Bound,
    time::Duration,
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    Counted, Counters, Entry, Error, Expect, KeyValue, Log, Result,
    port::{bounded, check_batch, check_key, check_value, page},
};

/// State inside one process, gone with it. Time is tokio's, so a paused clock drives it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: Mutex<Values>,
    counts: Mutex<Counts>,
    streams: Mutex<HashMap<String, Stream>>,
}

#[derive(Debug, Default)]
struct Values {
    last_version: u64,
    kept: BTreeMap<String, Kept>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Counts {
    kept: HashMap<String, Count>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Count {
    sum: u64,
    until: Instant,
}

#[derive(Debug, Default)]
struct Stream {
    last: u64,
    entries: BTreeMap<u64, Bytes>,
}

/// Tables are looked through each time they have doubled: what is over takes no more room than what lives.
/// Smaller ones are not worth it.
const FEW: usize = 1024;

impl Values {
    fn living(&self, key: &str) -> Option<&Entry> {
        self.kept.get(key).filter(|kept| kept.lives(Instant::now())).map(|kept| &kept.entry)
    }

    fn put(&mut self, key: &str, value: Bytes, ttl: Option<Duration>, expect: Expect) -> Result<u64> {
        let holds = match (expect, self.living(key)) {
            (Expect::Any, _) | (Expect::Absent, None) => true,
            (Expect::Version(expected), Some(entry)) => entry.version == expected,
            (Expect::Absent, Some(_)) | (Expect::Version(_), None) => false,
        };
        if !holds {
            return Err(Error::Conflict);
        }
        let now = Instant::now();
        if self.kept.len() >= self.sweep_at.max(FEW) {
            self.kept.retain(|_, kept| kept.lives(now));
            self.sweep_at = self.kept.len() * 2;
        }
        self.last_version += 1;
        let entry = Entry { value, version: self.last_version };
        self.kept.insert(key.to_owned(), Kept { entry, until: ttl.map(|ttl| now + bounded(ttl)) });
        Ok(self.last_version)
    }

    fn scan(&self, prefix: &str, after: &str, limit: usize) -> Vec<(String, Entry)> {
        let now = Instant::now();
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let found = self.kept.range::<str, _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        let living = found.filter(|(_, kept)| kept.lives(now)).map(|(key, kept)| (key.clone(), kept.entry.clone()));
        page(living, limit, |(_, entry)| entry.value.len())
    }
}

impl Kept {
    fn lives(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Counts {
    fn add(&mut self, key: &str, amount: u64, maximum: u64, ttl: Duration) -> Counted {
        let now = Instant::now();
        let begun = self.kept.get_mut(key).filter(|count| now < count.until);
        let sum = begun.as_ref().map_or(0, |count| count.sum);
        let Some(new) = sum.checked_add(amount).filter(|new| *new <= maximum) else {
            return Counted::Full(sum);
        };
        if let Some(count) = begun {
            count.sum = new;
            return Counted::Added(new);
        }
        if self.kept.len() >= self.sweep_at.max(FEW) {
            self.kept.retain(|_, count| now < count.until);
            self.sweep_at = self.kept.len() * 2;
        }
        self.kept.insert(key.to_owned(), Count { sum: new, until: now + bounded(ttl) });
        Counted::Added(new)
    }
}

impl KeyValue for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        done(check_key(key).map(|()| self.values.lock().living(key).cloned()))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        ttl: Option<Duration>,
        expect: Expect,
    ) -> BoxFuture<'a, Result<u64>> {
        let checked = check_key(key).and_then(|()| check_value(&value));
        done(checked.and_then(|()| self.values.lock().put(key, value, ttl, expect)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        done(check_key(key).map(|()| {
            let kept = self.values.lock().kept.remove(key);
            kept.filter(|kept| kept.lives(Instant::now())).map(|kept| kept.entry)
        }))
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(String, Entry)>>> {
        done(Ok(self.values.lock().scan(prefix, after, limit)))
    }
}

impl Counters for MemoryStore {
    fn add<'a>(&'a self, key: &'a str, amount: u64, maximum: u64, ttl: Duration) -> BoxFuture<'a, Result<Counted>> {
        done(check_key(key).map(|()| self.counts.lock().add(key, amount, maximum, ttl)))
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64>> {
        done(check_key(key).map(|()| {
            let counts = self.counts.lock();
            counts.kept.get(key).filter(|count| Instant::now() < count.until).map_or(0, |count| count.sum)
        }))
    }
}

impl Log for MemoryStore {
    fn append<'a>(&'a self, stream: &'a str, entries: Vec<Bytes>) -> BoxFuture<'a, Result<u64>> {
        let checked = check_key(stream).and_then(|()| check_batch(&entries));
        done(checked.map(|()| {
            let mut streams = self.streams.lock();
            let stream = streams.entry(stream.to_owned()).or_default();
            for entry in entries {
                stream.last += 1;
                stream.entries.insert(stream.last, entry);
            }
            stream.last
        }))
    }

    fn read<'a>(&'a self, stream: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<(u64, Bytes)>>> {
        done(check_key(stream).map(|()| {
            let streams = self.streams.lock();
            let Some(stream) = streams.get(stream) else { return Vec::new() };
            let found = stream.entries.range((Bound::Excluded(after), Bound::Unbounded));
            page(found.map(|(number, entry)| (*number, entry.clone())), limit, |(_, entry)| entry.len())
        }))
    }

    fn last<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64>> {
        let newest = |stream: &Stream| stream.entries.last_key_value().map(|(number, _)| *number);
        done(check_key(stream).map(|()| self.streams.lock().get(stream).and_then(newest).unwrap_or(0)))
    }

    fn trim<'a>(&'a self, stream: &'a str, through: u64) -> BoxFuture<'a, Result<()>> {
        done(check_key(stream).map(|()| {
            if let Some(stream) = self.streams.lock().get_mut(stream) {
                stream.entries = stream.entries.split_off(&through.saturating_add(1));
            }
        }))
    }
}

/// Nothing here waits.
fn done<'a, T: Send + 'a>(result: Result<T>) -> BoxFuture<'a, Result<T>> {
    Box::pin(ready(result))
}
