//! Credentials that were taken back: a stream in the store, which every gateway that shares it follows.
//!
//! The name of a credential is a path, and what is taken back takes everything below it along: with a user's
//! `oauth/alice.x` go all consents of hers, and what was exchanged for their tokens.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use micro_store::{MAX_PAGE, Store};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// The stream.
const STREAM: &str = "revocations";

/// How often it is looked at.
const PACE: Duration = Duration::from_millis(250);

/// What is told in it.
#[derive(Serialize, Deserialize)]
struct Revocation {
    /// Whose, and everybody's below.
    credential: Arc<str>,
    /// When all of these would have ended anyway, in seconds since 1970. Nothing is remembered longer.
    until: i64,
}

/// By name, and until when that matters.
type Known = HashMap<Arc<str>, i64>;

/// What was taken back, as far as it was told.
pub(crate) struct Revocations {
    known: Arc<ArcSwap<Known>>,
    /// Whether the stream was read to its end once.
    caught_up: watch::Receiver<bool>,
    _follower: AbortOnDropHandle<()>,
}

impl Revocations {
    /// Begins to follow the stream of this store.
    pub(crate) fn follow(store: Store) -> Self {
        let known = Arc::new(ArcSwap::default());
        let (tell, caught_up) = watch::channel(false);
        let follower = tokio::spawn(follow(store, known.clone(), tell));
        Self { known, caught_up, _follower: AbortOnDropHandle::new(follower) }
    }

    /// Waits until everything is known that was told before. A store that cannot be read keeps whoever asks waiting: who
    /// does not know what was taken back lets nobody in.
    pub(crate) async fn caught_up(&self) {
        let _ = self.caught_up.clone().wait_for(|caught_up| *caught_up).await;
    }

    /// Whether a credential, or what it comes from, was taken back.
    pub(crate) fn has(&self, credential: &str) -> bool {
        let known = self.known.load();
        !known.is_empty()
            && (known.contains_key(credential) || parents(credential).any(|path| known.contains_key(path)))
    }
}

/// Takes back a credential and everything below it. `until` is when all of these would have ended anyway.
///
/// # Errors
/// When the store fails; then nobody heard of it.
pub(crate) async fn revoke(store: &Store, credential: &str, until: Timestamp) -> micro_store::Result<()> {
    let revocation = Revocation { credential: credential.into(), until: until.as_second() };
    let json = serde_json::to_vec(&revocation).expect("texts and numbers are JSON");
    store.log().append(STREAM, vec![json.into()]).await.map(drop)
}

fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

async fn follow(store: Store, known: Arc<ArcSwap<Known>>, caught_up: watch::Sender<bool>) {
    let mut last = 0;
    // What is over at the stream's beginning is forgotten there too.
    let mut ends = std::collections::VecDeque::new();
    loop {
        match store.log().read(STREAM, last, MAX_PAGE).await {
            Ok(page) if page.is_empty() => {
                caught_up.send_replace(true);
                let now = Timestamp::now().as_second();
                let over = std::iter::from_fn(|| ends.pop_front_if(|(_, until)| *until < now)).last();
                if let Some((through, _)) = over {
                    known.rcu(|known| {
                        known
                            .iter()
                            .filter(|(_, until)| **until >= now)
                            .map(|(k, v)| (k.clone(), *v))
                            .collect::<Known>()
                    });
                    let _ = store.log().trim(STREAM, through).await;
                }
                tokio::time::sleep(PACE).await;
            }
            Ok(page) => {
                let told = page.iter().filter_map(|(_, json)| serde_json::from_slice::<Revocation>(json).ok());
                let mut all = Known::clone(&known.load());
                for Revocation { credential, until } in told {
                    let longest = all.entry(credential).or_insert(until);
                    *longest = until.max(*longest);
                }
                known.store(Arc::new(all));
                for (number, json) in &page {
                    last = *number;
                    let until = serde_json::from_slice::<Revocation>(json).map_or(i64::MIN, |told| told.until);
                    ends.push_back((last, until));
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "revocations cannot be read");
                tokio::time::sleep(PACE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Timestamp {
        Timestamp::now() + Duration::from_secs(600)
    }

    async fn until(condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it is so in time");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_back_is_known_everywhere_with_all_below_it() {
        let store = Store::memory();
        revoke(&store, "oauth/alice.1", later()).await.unwrap();
        let (one, other) = (Revocations::follow(store.clone()), Revocations::follow(store.clone()));
        one.caught_up().await;
        for (credential, revoked) in [
            ("oauth/alice.1", true),
            ("oauth/alice.1/f", true),
            ("oauth/alice.1/f/int_1/int_2", true),
            ("oauth/alice.10", false),
            ("oauth", false),
            ("oauth/bob.1", false),
        ] {
            assert_eq!(one.has(credential), revoked, "{credential}");
        }
        revoke(&store, "key/1", later()).await.unwrap();
        until(|| one.has("key/1") && other.has("key/1")).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_forgotten() {
        let store = Store::memory();
        revoke(&store, "old", Timestamp::now() - Duration::from_secs(60)).await.unwrap();
        revoke(&store, "new", later()).await.unwrap();
        let revocations = Revocations::follow(store.clone());
        until(|| revocations.has("new") && !revocations.has("old")).await;
        let left = store.log().read(STREAM, 0, MAX_PAGE).await.unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
