//! Credentials that were taken back: a stream in the store, which every gateway that shares it follows.
//!
//! The name of a credential is a path, and what is taken back takes everything below it along: with a user's
//! `oauth/alice.x` go all consents of hers, and what was exchanged for their tokens.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use jiff::Timestamp;
use micro_store::{Error, Expect, MAX_BATCH, MAX_PAGE, Store};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::AbortOnDropHandle;

/// The stream.
const STREAM: &str = "revocations";

/// How often it is looked at.
const PACE: Duration = Duration::from_millis(250);

/// How often what is over is forgotten.
const SWEEP: Duration = Duration::from_secs(60);

/// A stream that is longer than this, and mostly over, is written anew. One gateway does it for all in [`TURN`], which
/// has its key.
const MANY: usize = 1000;
const TURN: Duration = Duration::from_secs(3600);
const TURNS: &str = "revocations/rewritten";

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
    /// `None` until the stream was read to its end once.
    known: Arc<ArcSwapOption<Known>>,
    caught_up: watch::Receiver<bool>,
    _follower: AbortOnDropHandle<()>,
}

impl Revocations {
    /// Begins to follow the stream of this store.
    pub(crate) fn follow(store: Store) -> Self {
        let known = Arc::new(ArcSwapOption::empty());
        let (tell, caught_up) = watch::channel(false);
        let follower = tokio::spawn(follow(store, known.clone(), tell));
        Self { known, caught_up, _follower: AbortOnDropHandle::new(follower) }
    }

    /// Waits until everything is known that was told before. A store that cannot be read keeps whoever asks waiting: who
    /// does not know what was taken back lets nobody in.
    pub(crate) async fn caught_up(&self) {
        let _ = self.caught_up.clone().wait_for(|caught_up| *caught_up).await;
    }

    /// Whether anything can be said of a credential.
    pub(crate) fn are_known(&self) -> bool {
        self.known.load().is_some()
    }

    /// Whether a credential, or what it comes from, was taken back; `None` when that cannot be said yet.
    pub(crate) fn has(&self, credential: &str, now: Timestamp) -> Option<bool> {
        let known = self.known.load();
        let known = known.as_ref()?;
        let taken = |path: &str| known.get(path).is_some_and(|(from, _)| *from <= now.as_millisecond());
        Some(!known.is_empty() && (taken(credential) || parents(credential).any(taken)))
    }
}

/// Takes back a credential and everything below it, from this time on. `until` is when all of these would have ended
/// anyway: whoever has found one good keeps that in mind until then.
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
    store.log().append(STREAM, vec![revocation.json()]).await.map(drop)
}

impl Revocation {
    fn json(&self) -> Bytes {
        serde_json::to_vec(self).expect("texts and numbers are JSON").into()
    }
}

fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

async fn follow(store: Store, known: Arc<ArcSwapOption<Known>>, caught_up: watch::Sender<bool>) {
    let mut all = Known::new();
    let (mut last, mut length) = (0, 0);
    let mut swept = Instant::now();
    loop {
        match store.log().read(STREAM, last, MAX_PAGE).await {
            Ok(page) if page.is_empty() => {
                if !known.load().is_some() || swept.elapsed() >= SWEEP {
                    let now = Timestamp::now().as_millisecond();
                    all.retain(|_, (_, until)| *until >= now);
                    known.store(Some(Arc::new(all.clone())));
                    caught_up.send_replace(true);
                    swept = Instant::now();
                }
                if length > MANY + 4 * all.len() {
                    match rewrite(&store, &all, last).await {
                        Ok(()) | Err(Error::Conflict) => length = 0,
                        Err(error) => tracing::warn!(%error, "what was taken back long ago cannot be forgotten"),
                    }
                }
                tokio::time::sleep(PACE).await;
            }
            Ok(page) => {
                for (number, json) in page {
                    (last, length) = (number, length + 1);
                    let Ok(Revocation { credential, from, until }) = serde_json::from_slice(&json) else { continue };
                    // What was taken back is not given again by a later word.
                    let known = all.entry(credential).or_insert((from, until));
                    *known = (from.min(known.0), until.max(known.1));
                }
                if known.load().is_some() {
                    known.store(Some(Arc::new(all.clone())));
                }
            }
            Err(error) => {
                tracing::error!(%error, "revocations cannot be read");
                tokio::time::sleep(PACE).await;
            }
        }
    }
}

/// Tells what still matters once more and forgets everything before it, so that the stream stays about as long as what
/// it says. Who reads on from before that misses nothing.
///
/// # Errors
/// [`Error::Conflict`] when it is another gateway's turn.
async fn rewrite(store: &Store, known: &Known, through: u64) -> micro_store::Result<()> {
    store.keys().put(TURNS, Bytes::new(), Some(TURN), Expect::Absent).await?;
    let told = known
        .iter()
        .map(|(credential, &(from, until))| Revocation { credential: credential.clone(), from, until }.json());
    let told: Vec<Bytes> = told.collect();
    for batch in told.chunks(MAX_BATCH) {
        store.log().append(STREAM, batch.to_vec()).await?;
    }
    store.log().trim(STREAM, through).await
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
            assert_eq!(one.has(credential, Timestamp::now()), Some(revoked), "{credential}");
        }
        revoke(&store, "key/1", Timestamp::now(), later()).await.unwrap();
        until(|| [&one, &other].iter().all(|gateway| gateway.has("key/1", Timestamp::now()) == Some(true))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_forgotten_whatever_stays_before_it() {
        let store = Store::memory();
        revoke(&store, "for good", Timestamp::now(), Timestamp::MAX).await.unwrap();
        for n in 0..=MANY + 4 {
            let over = Timestamp::now() - Duration::from_secs(60);
            revoke(&store, &format!("old/{n}"), Timestamp::now(), over).await.unwrap();
        }
        let (one, other) = (Revocations::follow(store.clone()), Revocations::follow(store.clone()));
        let left = async {
            loop {
                let left = store.log().read(STREAM, 0, MAX_PAGE).await.unwrap();
                if left.len() < MANY {
                    return left;
                }
                tokio::time::sleep(PACE).await;
            }
        };
        let left = tokio::time::timeout(Duration::from_secs(10), left).await.expect("the stream is written anew");
        assert_eq!(left.len(), 1, "{left:?}");
        for gateway in [&one, &other, &Revocations::follow(store.clone())] {
            gateway.caught_up().await;
            let told = ["for good", "old/0"].map(|credential| gateway.has(credential, Timestamp::now()));
            assert_eq!(told, [Some(true), Some(false)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_of_a_credential_before_the_stream_was_read() {
        let revocations = Revocations::follow(Store::memory());
        assert_eq!((revocations.are_known(), revocations.has("key/1", Timestamp::now())), (false, None));
        revocations.caught_up().await;
        assert_eq!((revocations.are_known(), revocations.has("key/1", Timestamp::now())), (true, Some(false)));
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
        assert_eq!(["key/1", "key/2"].map(|key| revocations.has(key, now)), [Some(false), Some(true)]);
        assert_eq!(["key/1", "key/2"].map(|key| revocations.has(key, later)), [Some(true), Some(true)]);
    }
}
