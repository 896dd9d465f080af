//! What the authorization server keeps, as JSON in the store.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use micro_store::{Counted, Error, Expect, Store};
use serde::{Serialize, de::DeserializeOwned};

use super::Failure;

/// Typed access to the store.
#[derive(Debug, Clone)]
pub(crate) struct Records(Store);

/// A record, and which version of it was read.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    pub(crate) value: T,
    version: u64,
}

impl Records {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// What is kept under a key.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Kept<T>>, Failure> {
        let Some(entry) = self.0.keys().get(key).await? else { return Ok(None) };
        let value = parse(key, &entry.value)?;
        Ok(Some(Kept { value, version: entry.version }))
    }

    /// Keeps a record, whatever stood there.
    pub(crate) async fn put<T: Serialize>(&self, key: &str, value: &T, ttl: Option<Duration>) -> Result<(), Failure> {
        self.0.keys().put(key, json(value)?.into(), ttl, Expect::Any).await?;
        Ok(())
    }

    /// Keeps a record where there is none. Whether there was none.
    pub(crate) async fn create<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<bool, Failure> {
        unless_changed(self.0.keys().put(key, json(value)?.into(), ttl, Expect::Absent).await)
    }

    /// Keeps a record in place of the one that was read. Whether that was still the one.
    pub(crate) async fn replace<T: Serialize, U>(
        &self,
        key: &str,
        read: &Kept<U>,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<bool, Failure> {
        unless_changed(self.0.keys().put(key, json(value)?.into(), ttl, Expect::Version(read.version)).await)
    }

    /// Whether there was something to delete.
    pub(crate) async fn delete(&self, key: &str) -> Result<bool, Failure> {
        Ok(self.0.keys().delete(key).await?.is_some())
    }

    /// Every record whose key begins so.
    pub(crate) async fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, Failure> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.0.keys().scan(prefix, &after, 256).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after.clone_from(last);
            for (key, entry) in &page {
                all.push(parse(key, &entry.value)?);
            }
        }
    }

    /// Counts one more, unless there were `maximum` already. The count begins anew after `window`.
    pub(crate) async fn count(&self, key: &str, maximum: u64, window: Duration) -> Result<(), Failure> {
        match self.0.counters().add(key, 1, maximum, window).await? {
            Counted::Added(_) => Ok(()),
            Counted::Full(_) => Err(Failure::Throttled(window.as_secs())),
        }
    }

    /// The store itself.
    pub(crate) fn store(&self) -> &Store {
        &self.0
    }
}

fn unless_changed(outcome: Result<u64, Error>) -> Result<bool, Failure> {
    match outcome {
        Ok(_) => Ok(true),
        Err(Error::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|_| Failure::Internal)
}

fn parse<T: DeserializeOwned>(key: &str, json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| {
        let table = key.rsplit_once('/').map_or(key, |(table, _)| table);
        tracing::error!(table, error = %error, "a record of the authorization server cannot be read");
        Failure::Internal
    })
}

/// Random bytes, fit for URLs.
///
/// # Panics
/// When the operating system has no randomness to give.
pub(crate) fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0)
}
