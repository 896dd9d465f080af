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
    /// From when on, in milliseconds since 1970: a key may be given notice.
    from: i64,
    /// When all of these would have ended anyway, in milliseconds since 1970. Nothing is remembered longer.
    until: i64,
}

/// By name: from when on, and until when that matters.
type Known = HashMap<Arc<str>, (i64, i64)>;

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
    pub(crate) fn has(&self, credential: &str, now: Timestamp) -> bool {
        let known = self.known.load();
        let taken = |path: &str| known.get(path).is_some_and(|(from, _)| *from <= now.as_millisecond());
        !known.is_empty() && (taken(credential) || parents(credential).any(taken))
    }
}

/// Takes back a credential and everything below it, from this time on. `until` is when all of these would have ended anyway.
///
/// # Errors
/// When the store fails; then nobody heard of it.
pub(crate) async fn revoke(
    store: &Store,
    credential: &str,
    from: Timestamp,
    until: Timestamp,
) -> micro_store::Result<()> {
    let (from, until) = (from.as_millisecond(), until.as_millisecond());
    let revocation = Revocation { credential: credential.into(), from, until };
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
                let now = Timestamp::now().as_millisecond();
                let over = std::iter::from_fn(|| ends.pop_front_if(|(_, until)| *until < now)).last();
                if let Some((through, _)) = over {
                    known.rcu(|known| {
                        known
                            .iter()
                            .filter(|(_, (_, until))| *until >= now)
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
                for Revocation { credential, from, until } in told {
                    // What was taken back is not given again by a later word.
                    let known = all.entry(credential).or_insert((from, until));
                    *known = (from.min(known.0), until.max(known.1));
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
        revoke(&store, "oauth/alice.1", Timestamp::now(), later()).await.unwrap();
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
            assert_eq!(one.has(credential, Timestamp::now()), revoked, "{credential}");
        }
        revoke(&store, "key/1", Timestamp::now(), later()).await.unwrap();
        until(|| one.has("key/1", Timestamp::now()) && other.has("key/1", Timestamp::now())).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_forgotten() {
        let store = Store::memory();
        revoke(&store, "old", Timestamp::now(), Timestamp::now() - Duration::from_secs(60)).await.unwrap();
        revoke(&store, "new", Timestamp::now(), later()).await.unwrap();
        let revocations = Revocations::follow(store.clone());
        until(|| revocations.has("new", Timestamp::now()) && !revocations.has("old", Timestamp::now())).await;
        let left = store.log().read(STREAM, 0, MAX_PAGE).await.unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_notice_counts_from_its_time_on_and_an_earlier_one_holds() {
        let store = Store::memory();
        let (now, later) = (Timestamp::now(), later());
        let end = later + Duration::from_secs(600);
        revoke(&store, "key/1", later, end).await.unwrap();
        revoke(&store, "key/2", now, end).await.unwrap();
        revoke(&store, "key/2", later, end).await.unwrap();
        let revocations = Revocations::follow(store.clone());
        revocations.caught_up().await;
        assert_eq!(["key/1", "key/2"].map(|key| revocations.has(key, now)), [false, true]);
        assert_eq!(["key/1", "key/2"].map(|key| revocations.has(key, later)), [true, true]);
    }
}
