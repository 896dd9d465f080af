//! What is kept of sessions until they expire, within bounds.

use std::collections::{BTreeMap, HashSet};

use super::Name;
use crate::time::unix;

/// When a session expires, in Unix seconds, and which it is.
pub(super) type Key = (u64, Name);

/// Something about each of some sessions. Those that expired are forgotten, and then, while it is more than the
/// bound, those that expire next.
pub(super) struct Kept<V> {
    entries: BTreeMap<Key, V>,
    /// About what the entries take.
    bytes: usize,
    most: usize,
}

/// What an entry takes beside what its value holds, in bytes.
const ENTRY: usize = 128;

/// Something that is kept.
pub(super) trait Keep {
    /// The bytes it holds, about.
    fn bytes(&self) -> usize {
        0
    }

    /// Whether there is nothing to keep.
    fn is_empty(&self) -> bool {
        false
    }
}

impl<V: Keep> Kept<V> {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), bytes: 0, most }
    }

    pub(super) fn get(&self, key: Key) -> Option<&V> {
        self.entries.get(&key)
    }

    pub(super) fn put(&mut self, key: Key, value: V) {
        self.remove(key);
        self.bytes += ENTRY + value.bytes();
        self.entries.insert(key, value);
        let now = unix().as_secs();
        while let Some((expires, name)) = self.entries.first_key_value().map(|(key, _)| *key) {
            if expires > now && self.bytes <= self.most {
                break;
            }
            self.remove((expires, name));
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<V> {
        let value = self.entries.remove(&key)?;
        self.bytes -= ENTRY + value.bytes();
        Some(value)
    }
}

impl<V: Keep + Default> Kept<V> {
    /// Changes what is kept, or something new.
    pub(super) fn change<T>(&mut self, key: Key, change: impl FnOnce(&mut V) -> T) -> T {
        let mut value = self.remove(key).unwrap_or_default();
        let changed = change(&mut value);
        if !value.is_empty() {
            self.put(key, value);
        }
        changed
    }
}

impl Keep for () {}
impl Keep for micro_mcp_proto::LogLevel {}

/// The resources that a session watches.
#[derive(Default)]
pub(super) struct Watched {
    uris: HashSet<Box<str>>,
    bytes: usize,
}

/// What a session may watch, in bytes, and what a URI takes beside its own.
const MAX_BYTES: usize = 64 << 10;
const URI: usize = 48;

impl Watched {
    /// Adds a resource unless that would be too much.
    pub(super) fn add(&mut self, uri: &str) -> bool {
        if self.uris.contains(uri) {
            return true;
        }
        let fits = self.bytes + URI + uri.len() <= MAX_BYTES;
        if fits {
            self.bytes += URI + uri.len();
            self.uris.insert(uri.into());
        }
        fits
    }

    pub(super) fn remove(&mut self, uri: &str) {
        if self.uris.remove(uri) {
            self.bytes -= URI + uri.len();
        }
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.uris.iter().map(|uri| uri.to_string()).collect()
    }
}

impl Keep for Watched {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_empty(&self) -> bool {
        self.uris.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session that expires in so many seconds.
    fn key(left: u64) -> Key {
        let mut name = Name::default();
        name[..8].copy_from_slice(&left.to_be_bytes());
        (unix().as_secs() + left, name)
    }

    #[test]
    fn beyond_the_bound_those_that_expire_next_are_forgotten() {
        let mut kept = Kept::new(3 * ENTRY);
        let keys: Vec<Key> = (100..105).map(key).collect();
        keys.iter().for_each(|key| kept.put(*key, ()));
        let known: Vec<bool> = keys.iter().map(|key| kept.get(*key).is_some()).collect();
        assert_eq!(known, [false, false, true, true, true]);
        for key in keys {
            kept.remove(key);
        }
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn what_expired_is_forgotten_first() {
        let mut kept = Kept::new(usize::MAX);
        let (gone, there) = ((1, Name::default()), key(100));
        kept.put(gone, ());
        kept.put(there, ());
        assert_eq!((kept.get(gone), kept.get(there)), (None, Some(&())));
    }

    #[test]
    fn watches_are_bounded_by_bytes_and_the_newest_sessions_keep_theirs() {
        let mut kept: Kept<Watched> = Kept::new(10 * MAX_BYTES);
        let long = |n: usize| format!("{n:04000}");
        let keys: Vec<Key> = (100..200).map(key).collect();
        for key in &keys {
            let added = (0..100).filter(|n| kept.change(*key, |watched| watched.add(&long(*n)))).count();
            assert_eq!(added, MAX_BYTES / (URI + 4000), "one session has its own bound");
            assert!(kept.change(*key, |watched| watched.add(&long(0))), "it is there already");
        }
        assert!(kept.bytes <= 10 * MAX_BYTES, "{}", kept.bytes);
        assert!(kept.get(keys[0]).is_none() && kept.get(keys[99]).is_some());
        kept.change(keys[99], |watched| (0..100).for_each(|n| watched.remove(&long(n))));
        assert!(kept.get(keys[99]).is_none(), "who watches nothing costs nothing");
    }
}
