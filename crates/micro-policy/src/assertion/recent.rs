//! What was worked out a moment ago, by a text. Read without a lock, bounded, forgotten in time.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use arc_swap::ArcSwap;

/// Parts of the table; a power of two.
const SHARDS: usize = 32;

/// Entries in a part.
const ROOM: usize = 128;

/// Values by their texts, and until when each is good.
type Table<V> = HashMap<Box<str>, (u64, V)>;

/// Parts that are replaced whole, which is rare.
#[derive(Debug)]
pub(super) struct Recent<V> {
    shards: [ArcSwap<Table<V>>; SHARDS],
    hasher: RandomState,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| ArcSwap::default()), hasher: RandomState::new() }
    }
}

impl<V: Clone> Recent<V> {
    /// What is known by this text, unless its time is over.
    pub(super) fn get(&self, text: &str, now: u64) -> Option<V> {
        let shard = self.shard(text).load();
        shard.get(text).filter(|(until, _)| now < *until).map(|(_, value)| value.clone())
    }

    /// Keeps something until then. What is over makes room, and if that is not enough, all of a part.
    pub(super) fn insert(&self, text: String, until: u64, value: V, now: u64) {
        let text = text.into_boxed_str();
        self.shard(&text).rcu(|known| {
            let mut table = HashMap::clone(known);
            if table.len() >= ROOM {
                table.retain(|_, (until, _)| now < *until);
            }
            if table.len() >= ROOM {
                table.clear();
            }
            table.insert(text.clone(), (until, value.clone()));
            table
        });
    }

    fn shard(&self, text: &str) -> &ArcSwap<Table<V>> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        &self.shards[self.hasher.hash_one(text) as usize % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_ends() {
        let recent = Recent::default();
        recent.insert("a".to_owned(), 10, 1, 0);
        assert_eq!([recent.get("a", 9), recent.get("a", 10), recent.get("b", 0)], [Some(1), None, None]);
        for n in 0..20_000 {
            recent.insert(n.to_string(), 100, n, 0);
        }
        assert!(recent.shards.iter().all(|shard| shard.load().len() <= ROOM));
        assert_eq!(recent.get("19999", 50), Some(19_999));
    }
}
