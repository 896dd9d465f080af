//! The keys of an issuer: fetched when they are needed, kept, and fetched again when they may have changed.
//!
//! A token whose key is known is never kept waiting, whatever becomes of the issuer. One whose key is not known makes
//! the gateway look, but never more often than the pace allows, which slows down while there is nothing new to find:
//! whoever makes up names of keys gets the issuer asked no more often than everybody else together.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::HeaderValue;
use micro_mcp::auth::{Document, Error, Fetch, Fetched, Switches, server_metadata_urls};
use micro_policy::{Digest, KeySet};
use parking_lot::Mutex as Lock;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

/// After this time keys are fetched again while the old ones serve: a key that its issuer took back goes out of use.
const STALE: Duration = Duration::from_secs(300);

/// Time between two fetches: at first, and while nothing new comes of them.
const PACE: Duration = Duration::from_secs(1);
const SLOWEST: Duration = Duration::from_secs(8);

/// How long a token may wait for its key, from when it came.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names of keys that are remembered as unknown, and for how long.
const UNKNOWN: usize = 1024;
const UNKNOWN_FOR: Duration = Duration::from_secs(10);

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    /// The issuer, letter by letter. Its metadata name the keys' address where the config does not.
    pub(crate) issuer: String,
    /// The address of the keys.
    pub(crate) keys: Option<Url>,
    /// Whether they may be at an address more private than the issuer's own.
    pub(crate) private: bool,
}

/// The keys of one issuer.
pub(crate) struct Keys {
    source: Source,
    fetch: Fetch,
    known: ArcSwap<Known>,
    /// Held by the one that fetches.
    course: Mutex<Course>,
    /// Names of keys that were looked for in vain, and until when that is believed.
    unknown: Lock<HashMap<Digest, Instant>>,
}

/// What was fetched last.
#[derive(Debug, Default)]
struct Known {
    keys: Arc<KeySet>,
    /// When they were asked for; `None` is never.
    fetched: Option<Instant>,
}

/// How fetching goes.
struct Course {
    /// Where the keys were found, and which version.
    found: Option<(Url, Option<HeaderValue>)>,
    /// The document that they were in.
    document: Option<Digest>,
    /// Not before.
    next: Instant,
    pace: Duration,
    /// When the issuer was last asked in vain.
    failed: Option<Instant>,
}

/// There are no keys, and none to be had now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreachable;

impl Keys {
    /// Keys from there; nothing is fetched yet.
    pub(crate) fn new(source: Source) -> Result<Self, Error> {
        // What the config says is asked wherever it is; what the issuer's documents say must be no more private.
        let named_by = match &source.keys {
            Some(url) => url.clone(),
            None => Url::parse(&source.issuer).map_err(|_| Error::Malformed(Document::AuthorizationServer))?,
        };
        let switches = Switches { private: source.private, ..Switches::default() };
        let fetch =
            Fetch::new(&named_by, switches).map_err(|error| Error::Unreachable(Document::KeySet, Some(error)))?;
        let course = Course { found: None, document: None, next: Instant::now(), pace: PACE, failed: None };
        let (known, unknown) = (ArcSwap::default(), Lock::default());
        Ok(Self { source, fetch, known, course: Mutex::new(course), unknown })
    }

    /// What is known. Keys that may be old are fetched again behind the caller's back.
    pub(crate) fn known(self: &Arc<Self>) -> Arc<KeySet> {
        let known = self.known.load();
        if known.fetched.is_some_and(|fetched| fetched.elapsed() > STALE) {
            let this = self.clone();
            tokio::spawn(async move {
                // Somebody else may be at it.
                let Ok(mut course) = this.course.try_lock() else { return };
                if course.next <= Instant::now() {
                    this.fetch(&mut course).await;
                }
            });
        }
        known.keys.clone()
    }

    /// Keys that are newer than `known`, which does not have the one of this name. They may not have it either.
    pub(crate) async fn newer(&self, known: &Arc<KeySet>, id: Option<&str>) -> Result<Arc<KeySet>, Unreachable> {
        if id.is_some_and(|id| self.is_unknown(id)) {
            return Ok(known.clone());
        }
        // Whoever comes meanwhile waits for the same fetch.
        tokio::time::timeout(PATIENCE, self.fetch_since(known)).await.unwrap_or(Err(Unreachable))
    }

    /// Nobody has a key of this name; that is believed for a while.
    pub(crate) fn missed(&self, id: &str) {
        let mut unknown = self.unknown.lock();
        if unknown.len() >= UNKNOWN {
            unknown.clear();
        }
        unknown.insert(Digest::of(id.as_bytes()), Instant::now() + UNKNOWN_FOR);
    }

    async fn fetch_since(&self, known: &Arc<KeySet>) -> Result<Arc<KeySet>, Unreachable> {
        let came = Instant::now();
        let mut course = self.course.lock().await;
        let now = self.known.load_full();
        if now.fetched.is_some_and(|fetched| fetched >= came) || !Arc::ptr_eq(&now.keys, known) {
            return Ok(now.keys.clone());
        }
        // An issuer that does not answer keeps nobody waiting for another try.
        if course.failed.is_some_and(|failed| failed >= came || course.next > Instant::now()) {
            return Err(Unreachable);
        }
        tokio::time::sleep_until(course.next).await;
        if self.fetch(&mut course).await { Ok(self.known.load().keys.clone()) } else { Err(Unreachable) }
    }

    /// Fetches once and sets the pace. Gives whether the issuer answered.
    async fn fetch(&self, course: &mut Course) -> bool {
        let began = Instant::now();
        // Before asking: whoever gives up on the way has asked too.
        course.next = began + course.pace;
        let outcome = self.ask(course).await;
        course.pace = if matches!(outcome, Ok(Some(_))) { PACE } else { (course.pace * 2).min(SLOWEST) };
        course.next = Instant::now() + course.pace;
        course.failed = outcome.is_err().then_some(began);
        let keys = match outcome {
            Ok(Some(keys)) => {
                self.unknown.lock().clear();
                tracing::info!(issuer = %self.source.issuer, "keys fetched");
                Arc::new(keys)
            }
            Ok(None) => self.known.load().keys.clone(),
            Err(error) => {
                tracing::warn!(issuer = %self.source.issuer, %error, "keys could not be fetched; those known go on serving");
                course.found = None; // it may have moved
                return false;
            }
        };
        self.known.store(Arc::new(Known { keys, fetched: Some(began) }));
        true
    }

    /// The keys, if they are others than those known.
    async fn ask(&self, course: &mut Course) -> Result<Option<KeySet>, Error> {
        let (url, tag) = match course.found.take() {
            Some(found) => found,
            None => (self.find().await?, None),
        };
        let document = self.fetch.document_since(Document::KeySet, &url, tag.as_ref()).await?;
        let Fetched::Document(json, new) = document else {
            course.found = Some((url, tag));
            let unchanged = document == Fetched::Unchanged;
            return if unchanged { Ok(None) } else { Err(Error::Malformed(Document::KeySet)) };
        };
        let keys = KeySet::parse(&json).map_err(|_| Error::Malformed(Document::KeySet))?;
        course.found = Some((url, new));
        // Not every issuer tags its versions.
        let before = course.document.replace(Digest::of(&json));
        Ok((before != course.document).then_some(keys))
    }

    /// Where the keys are (RFC 8414 §3, OpenID Discovery §4).
    async fn find(&self) -> Result<Url, Error> {
        #[derive(Deserialize)]
        struct Metadata {
            issuer: String,
            jwks_uri: String,
        }
        if let Some(url) = &self.source.keys {
            return Ok(url.clone());
        }
        let what = Document::AuthorizationServer;
        let issuer = Url::parse(&self.source.issuer).map_err(|_| Error::Malformed(what))?;
        for url in server_metadata_urls(&issuer) {
            let Some(json) = self.fetch.document(what, &url).await? else { continue };
            let metadata: Metadata = serde_json::from_slice(&json).map_err(|_| Error::Malformed(what))?;
            if metadata.issuer != self.source.issuer {
                return Err(Error::IssuerMismatch);
            }
            return self.fetch.url(what, &metadata.jwks_uri);
        }
        Err(Error::NoMetadata)
    }

    fn is_unknown(&self, id: &str) -> bool {
        self.unknown.lock().get(&Digest::of(id.as_bytes())).is_some_and(|until| *until > Instant::now())
    }
}
