//! What servers said, for as long and for whom it holds (`server/utilities/caching`, 2026-07-28).

use std::{borrow::Borrow, collections::HashMap, hash::Hash, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Client, Error};

/// The cache hints of one result. Without any, as in the legacy era, it is not kept.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(from = "Wire")]
pub(crate) struct Hints {
    ttl: Duration,
    /// For everyone, and not only for who asked.
    public: bool,
}

/// What cannot be read is no hint, and no reason to go without the result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    /// Milliseconds.
    #[serde(default)]
    ttl_ms: Option<f64>,
    #[serde(default)]
    cache_scope: Option<String>,
}

impl From<Wire> for Hints {
    fn from(wire: Wire) -> Self {
        let ttl = wire.ttl_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        Self { ttl: ttl.unwrap_or_default(), public: wire.cache_scope.as_deref() == Some("public") }
    }
}

/// Whose answers these are: changes with the credentials that are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Who(pub(crate) u64);

/// Answers by what was asked, while they are fresh. Bounded: what ends first goes first.
pub(crate) struct Cache<K, T: ?Sized>(Mutex<Kept<K, T>>);

struct Kept<K, T: ?Sized> {
    answers: HashMap<K, Answer<T>>,
    bytes: usize,
    /// How often something was forgotten because it changed.
    changes: u64,
}

struct Answer<T: ?Sized> {
    value: Arc<T>,
    until: Instant,
    /// Whose it is; `None` for everyone's.
    only: Option<Who>,
    bytes: usize,
}

/// How things stood when something was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    changes: u64,
}

/// Answers in one cache, and the bytes of all of them.
const MAX_ANSWERS: usize = 1024;
const MAX_BYTES: usize = 16 << 20;
/// Whatever the server says.
const MAX_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

impl Hints {
    /// Those of nothing yet: any others are stricter.
    pub(crate) const LOOSEST: Self = Self { ttl: Duration::MAX, public: true };

    /// The stricter of both: pages are one list.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { ttl: self.ttl.min(other.ttl), public: self.public && other.public }
    }
}

impl<K, T: ?Sized> Default for Cache<K, T> {
    fn default() -> Self {
        Self(Mutex::new(Kept { answers: HashMap::new(), bytes: 0, changes: 0 }))
    }
}

impl<K: Hash + Eq + Clone, T: ?Sized> Cache<K, T> {
    /// A fresh answer, and whose it is; `None` is everyone's.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<(Arc<T>, Option<Who>)>
    where
        K: Borrow<Q>,
    {
        let kept = self.0.lock();
        let answer = kept.answers.get(key).filter(|answer| Instant::now() < answer.until)?;
        Some((answer.value.clone(), answer.only))
    }

    /// To be called before the server is asked.
    pub(crate) fn asked(&self, who: Who) -> Asked {
        Asked { who, changes: self.0.lock().changes }
    }

    /// Keeps an answer of this many bytes, unless something has changed since it was asked for.
    pub(crate) fn keep(&self, asked: Asked, key: K, value: Arc<T>, bytes: usize, hints: Hints) {
        let ttl = hints.ttl.min(MAX_TTL);
        let (now, mut kept) = (Instant::now(), self.0.lock());
        if let Some(old) = kept.answers.remove(&key) {
            kept.bytes -= old.bytes;
        }
        if ttl.is_zero() || bytes > MAX_BYTES || asked.changes != kept.changes {
            return;
        }
        let full = |kept: &Kept<K, T>| kept.answers.len() >= MAX_ANSWERS || kept.bytes + bytes > MAX_BYTES;
        if full(&kept) {
            kept.remove(|_, answer| answer.until <= now);
        }
        while full(&kept) {
            let soonest = kept.answers.iter().min_by_key(|(_, answer)| answer.until).map(|(key, _)| key.clone());
            let Some(soonest) = soonest else { break };
            kept.remove(|key, _| *key == soonest);
        }
        let only = (!hints.public).then_some(asked.who);
        kept.bytes += bytes;
        kept.answers.insert(key, Answer { value, until: now + ttl, only, bytes });
    }

    /// Forgets what is not so any more, and what is being asked for just now.
    pub(crate) fn forget(&self, which: impl Fn(&K) -> bool) {
        let mut kept = self.0.lock();
        kept.changes += 1;
        kept.remove(|key, _| which(key));
    }
}

impl<K: Hash + Eq, T: ?Sized> Kept<K, T> {
    fn remove(&mut self, which: impl Fn(&K, &Answer<T>) -> bool) {
        let mut freed = 0;
        self.answers.retain(|key, answer| {
            let goes = which(key, answer);
            freed += if goes { answer.bytes } else { 0 };
            !goes
        });
        self.bytes -= freed;
    }
}

impl Client {
    /// What is kept, if it is fresh and for whoever the credentials name now.
    pub(super) async fn fresh<K, T, Q>(&self, cache: &Cache<K, T>, key: &Q) -> Result<Option<Arc<T>>, Error>
    where
        K: Hash + Eq + Clone + Borrow<Q>,
        T: ?Sized,
        Q: Hash + Eq + ?Sized,
    {
        Ok(match cache.get(key) {
            Some((value, Some(only))) => (self.0.core.connector.who().await? == only).then_some(value),
            kept => kept.map(|(value, _)| value),
        })
    }

    /// To be called before the server is asked for something that may be kept.
    pub(super) async fn asked<K: Hash + Eq + Clone, T: ?Sized>(&self, cache: &Cache<K, T>) -> Result<Asked, Error> {
        Ok(cache.asked(self.0.core.connector.who().await?))
    }

    /// Keeps what the server said, unless the credentials changed meanwhile.
    pub(super) async fn keep<K: Hash + Eq + Clone, T: ?Sized>(
        &self,
        cache: &Cache<K, T>,
        asked: Asked,
        key: K,
        value: &Arc<T>,
        bytes: usize,
        hints: Hints,
    ) -> Result<(), Error> {
        if self.0.core.connector.who().await? == asked.who {
            cache.keep(asked, key, value.clone(), bytes, hints);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(json: &str) -> Hints {
        serde_json::from_str(json).unwrap()
    }

    fn public(ttl_ms: usize) -> Hints {
        hints(&format!(r#"{{"ttlMs":{ttl_ms},"cacheScope":"public"}}"#))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_as_long_as_it_is_fresh_and_for_whom_it_is() {
        let cache = Cache::<&str, str>::default();
        let ann = Who(1);
        for (key, hints, expected) in [
            ("public", public(1000), Some(None)),
            ("private", hints(r#"{"ttlMs":1000,"cacheScope":"private"}"#), Some(Some(ann))),
            ("unsaid", hints(r#"{"ttlMs":1000.0,"cacheScope":"whoever"}"#), Some(Some(ann))),
            ("never", hints("{}"), None),
            ("negative", hints(r#"{"ttlMs":-5,"cacheScope":"public"}"#), None),
        ] {
            cache.keep(cache.asked(ann), key, "x".into(), 1, hints);
            assert_eq!(cache.get(key).map(|(_, only)| only), expected, "{key}");
        }
        let endless = hints(r#"{"ttlMs":9223372036854775807,"cacheScope":"public"}"#);
        cache.keep(cache.asked(ann), "endless", "x".into(), 1, endless);
        tokio::time::advance(Duration::from_millis(999)).await;
        assert!(cache.get("public").is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cache.get("public").is_none() && cache.get("private").is_none() && cache.get("endless").is_some());
    }

    #[tokio::test]
    async fn an_answer_that_was_overtaken_by_a_change_is_not_kept() {
        let cache = Cache::<&str, str>::default();
        let asked = cache.asked(Who(0));
        cache.forget(|_| false);
        cache.keep(asked, "a", "old".into(), 3, public(1000));
        assert!(cache.get("a").is_none());
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let cache = Cache::<usize, str>::default();
        let keep = |key, bytes| cache.keep(cache.asked(Who(0)), key, "x".into(), bytes, public(1000 + key));
        let held = || {
            let kept = cache.0.lock();
            (kept.answers.len(), kept.bytes)
        };
        (0..2 * MAX_ANSWERS).for_each(|key| keep(key, 1));
        assert!(cache.get(&0).is_none() && cache.get(&(2 * MAX_ANSWERS - 1)).is_some());
        assert_eq!(held(), (MAX_ANSWERS, MAX_ANSWERS));
        keep(5000, MAX_BYTES);
        keep(5001, MAX_BYTES + 1);
        assert_eq!(held(), (1, MAX_BYTES));
        cache.forget(|_| true);
        assert_eq!(held(), (0, 0));
    }
}
