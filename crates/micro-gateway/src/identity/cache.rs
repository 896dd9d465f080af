//! Credentials that were verified, by digest.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use micro_policy::Digest;

use super::Verified;

/// Parts of the table; a power of two.
const SHARDS: usize = 64;

/// Credentials in a part. Past this, one that is known makes room: it is verified again when it comes back.
const ROOM: usize = 256;

/// A table that is read without a lock. Each part is replaced whole when a credential is added, which is rare.
pub(super) struct Cache([ArcSwap<HashMap<Digest, Arc<Verified>>>; SHARDS]);

impl Default for Cache {
    fn default() -> Self {
        Self(std::array::from_fn(|_| ArcSwap::default()))
    }
}

impl Cache {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Verified>> {
        self.shard(digest).load().get(digest).cloned()
    }

    pub(super) fn insert(&self, digest: Digest, verified: &Arc<Verified>, now: Timestamp) {
        self.shard(&digest).rcu(|known| {
            let mut table = HashMap::clone(known);
            if table.len() >= ROOM {
                table.retain(|_, verified| !verified.identity.expired(now));
            }
            if table.len() >= ROOM
                && let Some(any) = table.keys().next().copied()
            {
                table.remove(&any);
            }
            table.insert(digest, verified.clone());
            table
        });
    }

    fn shard(&self, digest: &Digest) -> &ArcSwap<HashMap<Digest, Arc<Verified>>> {
        &self.0[usize::from(digest.bytes()[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use micro_policy::{Identity, Roles};

    use super::*;

    #[test]
    fn the_table_is_bounded_and_what_expired_goes_first() {
        let cache = Cache::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let put = |n: u32, expires| {
            let identity = Identity { expires: Some(at(expires)), ..Identity::named("a", "token/1") };
            let digest = Digest::of(n.to_be_bytes());
            cache.insert(digest, &Arc::new(Verified::new(Arc::new(identity), &Roles::default(), 0)), at(100));
            digest
        };
        let kept = put(0, 200);
        for n in 1..20_000 {
            put(n, 50);
        }
        assert!(cache.get(&kept).is_some());
        let known: usize = cache.0.iter().map(|shard| shard.load().len()).sum();
        assert!(known <= SHARDS * ROOM);
        for n in 0..40_000 {
            put(n, 200);
        }
        assert!(cache.0.iter().all(|shard| shard.load().len() == ROOM));
    }
}
