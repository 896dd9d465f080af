//! Which era a server speaks, remembered so that it is not asked anew each time.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use micro_mcp_proto::Era;
use parking_lot::Mutex;
use url::Url;

/// What is known of servers. Cheap to clone; clients that share it learn from each other.
///
/// ```
/// # use std::time::SystemTime;
/// # use micro_mcp::{client::{Verdict, Verdicts}, proto::Era};
/// # use url::Url;
/// let (verdicts, url) = (Verdicts::default(), Url::parse("https://old.example/mcp")?);
/// verdicts.set(&url, Verdict { era: Era::Legacy, http_sse: true, since: SystemTime::now() });
/// assert_eq!(verdicts.get(&url).map(|verdict| verdict.era), Some(Era::Legacy));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Verdicts(Arc<Mutex<HashMap<String, Verdict>>>);

/// What one server spoke, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The era it spoke.
    pub era: Era,
    /// It spoke HTTP+SSE, as before 2025-03-26.
    pub http_sse: bool,
    /// When it was found out.
    pub since: SystemTime,
}

impl Verdicts {
    /// How long a verdict holds: a server that learns the modern era is noticed after this.
    pub const HOLDS: Duration = Duration::from_secs(24 * 3600);
    /// Beyond, the oldest verdicts are forgotten.
    const MAX: usize = 4096;

    /// What is known of the server at this address, if it is not out of date.
    pub fn get(&self, url: &Url) -> Option<Verdict> {
        let verdict = self.0.lock().get(&key(url)).copied()?;
        verdict.since.elapsed().is_ok_and(|age| age < Self::HOLDS).then_some(verdict)
    }

    /// Notes what it is.
    pub fn set(&self, url: &Url, verdict: Verdict) {
        let mut verdicts = self.0.lock();
        if verdicts.len() >= Self::MAX && !verdicts.contains_key(&key(url)) {
            let oldest = verdicts.iter().min_by_key(|(_, verdict)| verdict.since).map(|(key, _)| key.clone());
            oldest.map(|key| verdicts.remove(&key));
        }
        verdicts.insert(key(url), verdict);
    }

    /// Forgets it.
    pub fn forget(&self, url: &Url) {
        self.0.lock().remove(&key(url));
    }
}

/// Origin and path: several servers may live at one origin. The query may hold secrets.
fn key(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_shared_dated_and_bounded() {
        let (verdicts, now) = (Verdicts::default(), SystemTime::now());
        let legacy = |since| Verdict { era: Era::Legacy, http_sse: false, since };
        let url = |i: usize| Url::parse(&format!("http://localhost:1/{i}?token=x")).unwrap();
        let other = verdicts.clone();
        other.set(&url(0), legacy(now));
        assert_eq!(verdicts.get(&url(0)), Some(legacy(now)));
        verdicts.set(&url(0), legacy(now - Verdicts::HOLDS));
        assert_eq!(verdicts.get(&url(0)), None, "a stale verdict would never correct itself");
        (1..=Verdicts::MAX).for_each(|i| verdicts.set(&url(i), legacy(now)));
        assert_eq!(verdicts.0.lock().len(), Verdicts::MAX);
        assert!(!format!("{verdicts:?}").contains("token"));
    }
}
