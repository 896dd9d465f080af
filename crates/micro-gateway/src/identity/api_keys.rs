//! API keys in a store: made, listed, taken back, changed for new ones, and checked.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_core::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use micro_core::{Error, Result};
use micro_policy::{ApiKey, ApiKeyRecord, ENTROPY, Identity, Pepper, Rejection, Scopes, Secret};
use micro_store::{Entry, Expect, Store};
use tokio::sync::OnceCell;

use super::{Authenticator, Credential, check_names, revocations::revoke, unavailable};

/// Where the keys are in the store, and what they are hashed with unless the config says.
const KEYS: &str = "api-key/";
const PEPPER: &str = "api-key-pepper";

/// How long a key that is good no more is still listed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Keys read at once.
const PAGE: usize = 256;

/// The API keys of a store. Clones are the same.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    store: Store,
    pepper: Arc<OnceCell<Pepper>>,
}

/// What a new key is for.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey {
    /// The account that it stands for.
    pub account: String,
    /// What the account may do with it.
    pub scopes: Scopes,
    /// The roles that it gives.
    pub roles: Vec<String>,
    /// The tenant that it belongs to.
    pub tenant: Option<String>,
    /// From when on it is good no more; `None` is never.
    pub expires: Option<Timestamp>,
}

impl ApiKeys {
    /// The keys in this store. They are hashed with `pepper`, or with one that the store holds.
    pub fn new(store: Store, pepper: Option<Pepper>) -> Self {
        Self { store, pepper: Arc::new(OnceCell::new_with(pepper)) }
    }

    /// Makes a key. This is the only time that it is there to be seen.
    ///
    /// # Errors
    /// When the account, a role or the tenant is no name, or the store does not work.
    pub async fn create(&self, new: NewApiKey, now: Timestamp) -> Result<(Secret, ApiKeyRecord)> {
        let named = [&new.account].into_iter().chain(&new.roles).chain(&new.tenant);
        check_names(named.map(String::as_str))?;
        let key = generate();
        let shown = ApiKey::parse(key.reveal()).expect("it was just made");
        let record = ApiKeyRecord {
            id: shown.id().to_owned(),
            hash: shown.hash(self.pepper().await?),
            account: new.account,
            scopes: new.scopes,
            roles: new.roles,
            tenant: new.tenant,
            created: now,
            expires: new.expires,
            revoked: None,
            replaced_by: None,
        };
        self.put(&record, Expect::Absent, now).await.map_err(unavailable)?;
        Ok((key, record))
    }

    /// Every key, in the order of their ids; those that ended a month ago are gone.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn list(&self) -> Result<Vec<ApiKeyRecord>> {
        let (mut keys, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.store.keys().scan(KEYS, &after, PAGE).await.map_err(unavailable)?;
            let Some((last, _)) = page.last() else { return Ok(keys) };
            after.clone_from(last);
            keys.extend(page.iter().filter_map(|(_, entry)| read(entry)));
        }
    }

    /// Takes a key back: no gateway of this store lets it in half a second later. `None` when there is no such key.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<Option<ApiKeyRecord>> {
        let ended = self.change(id, now, |record| {
            record.revoked = Some(record.revoked.map_or(now, |since| since.min(now)));
            true
        });
        let Some(record) = ended.await? else { return Ok(None) };
        self.told(&record, now).await?;
        Ok(Some(record))
    }

    /// Makes a key that takes the place of another, which ends after `grace`. `None` when there is no such key, or it
    /// has ended already.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn rotate(&self, id: &str, grace: Duration, now: Timestamp) -> Result<Option<(Secret, ApiKeyRecord)>> {
        let Some(old) = self.find(id).await? else { return Ok(None) };
        if old.revoked.is_some() || old.expires.is_some_and(|expires| expires <= now) {
            return Ok(None);
        }
        let new = NewApiKey {
            account: old.account,
            scopes: old.scopes,
            roles: old.roles,
            tenant: old.tenant,
            // As long as the old one was made for.
            expires: old
                .expires
                .map(|expires| now.saturating_add(expires.duration_since(old.created)).unwrap_or(Timestamp::MAX)),
        };
        let (key, record) = self.create(new, now).await?;
        let end = now.saturating_add(SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX));
        let end = end.unwrap_or(Timestamp::MAX);
        let ended = self.change(id, now, |old| {
            let first = old.revoked.is_none();
            if first {
                (old.revoked, old.replaced_by) = (Some(end), Some(record.id.clone()));
            }
            first
        });
        let Some(old) = ended.await? else {
            // Somebody else has ended it meanwhile, and only one key takes its place.
            self.store.keys().delete(&format!("{KEYS}{}", record.id)).await.map_err(unavailable)?;
            return Ok(None);
        };
        self.told(&old, end).await?;
        Ok(Some((key, record)))
    }

    /// A key by its id.
    async fn find(&self, id: &str) -> Result<Option<ApiKeyRecord>> {
        let Some(name) = name(id) else { return Ok(None) };
        Ok(self.store.keys().get(&name).await.map_err(unavailable)?.and_then(|entry| read(&entry)))
    }

    /// Changes what is known of a key, whoever else does so at the same time; `None` when there is none, or `change` leaves
    /// it.
    async fn change(
        &self,
        id: &str,
        now: Timestamp,
        change: impl Fn(&mut ApiKeyRecord) -> bool,
    ) -> Result<Option<ApiKeyRecord>> {
        let Some(name) = name(id) else { return Ok(None) };
        loop {
            let Some(entry) = self.store.keys().get(&name).await.map_err(unavailable)? else { return Ok(None) };
            let Some(mut record) = read(&entry) else { return Ok(None) };
            if !change(&mut record) {
                return Ok(None);
            }
            match self.put(&record, Expect::Version(entry.version), now).await {
                Ok(()) => return Ok(Some(record)),
                Err(micro_store::Error::Conflict) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
    }

    async fn put(&self, record: &ApiKeyRecord, expect: Expect, now: Timestamp) -> micro_store::Result<()> {
        let ends = [record.expires, record.revoked].into_iter().flatten().min();
        let ttl = ends.map(|end| Duration::try_from(end.duration_since(now)).unwrap_or_default() + KEPT);
        let json = serde_json::to_vec(record).expect("a record is plain JSON");
        let name = format!("{KEYS}{}", record.id);
        self.store.keys().put(&name, json.into(), ttl, expect).await.map(drop)
    }

    /// Tells every gateway that a key ends. The record says it too, to those that look at it anew; who has found the key
    /// good before does not.
    async fn told(&self, record: &ApiKeyRecord, end: Timestamp) -> Result<()> {
        let until = record.expires.unwrap_or(Timestamp::MAX);
        let credential = ApiKeyRecord::credential(&record.id);
        revoke(&self.store, &credential, end, until).await.map_err(unavailable)
    }

    /// What keys are hashed with; of several that begin at once, one makes it for all.
    async fn pepper(&self) -> Result<&Pepper> {
        let make = || async {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).expect("the system has randomness");
            let made = STANDARD.encode(bytes);
            let kept = match self.store.keys().put(PEPPER, made.clone().into(), None, Expect::Absent).await {
                Ok(_) => made.into(),
                Err(micro_store::Error::Conflict) => {
                    let entry = self.store.keys().get(PEPPER).await.map_err(unavailable)?;
                    entry.map(|entry| entry.value).unwrap_or_default()
                }
                Err(error) => return Err(unavailable(error)),
            };
            Pepper::new(&kept).ok_or_else(|| Error::internal("the store's pepper of API keys is damaged"))
        };
        self.pepper.get_or_try_init(make).await
    }

    async fn judge(&self, key: &ApiKey<'_>, now: Timestamp) -> Result<Result<Identity, Rejection>> {
        let Some(record) = self.find(key.id()).await? else { return Ok(Err(Rejection::Invalid)) };
        Ok(record.verify(key, self.pepper().await?, now))
    }
}

impl Authenticator for ApiKeys {
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>> {
        Box::pin(async move {
            let Credential::Bearer(text) = credential else { return None };
            let key = ApiKey::parse(text)?;
            Some(self.judge(&key, now).await.unwrap_or_else(|error| {
                tracing::error!(%error, "an API key cannot be checked");
                Err(Rejection::Unavailable)
            }))
        })
    }

    /// What could end one is in the stream of revocations.
    fn validate(&self, _: &Identity, _: Timestamp) -> Result<(), Rejection> {
        Ok(())
    }

    fn refresh<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Secret>, Rejection>> {
        Box::pin(async move {
            let Credential::Bearer(text) = credential else { return Ok(None) };
            let Some(key) = ApiKey::parse(text) else { return Ok(None) };
            let down = |_| Rejection::Unavailable;
            self.judge(&key, now).await.map_err(down)??;
            let new = self.rotate(key.id(), Duration::ZERO, now).await.map_err(down)?;
            new.map(|(key, _)| Some(key)).ok_or(Rejection::Revoked)
        })
    }

    fn revoke<'a>(&'a self, credential: &'a str, now: Timestamp) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            match credential.strip_prefix("key/") {
                Some(id) => Ok(Self::revoke(self, id, now).await?.is_some()),
                None => Ok(false),
            }
        })
    }
}

/// Where a key is in the store; `None` for what cannot be an id.
fn name(id: &str) -> Option<String> {
    let fits = !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| format!("{KEYS}{id}"))
}

fn read(entry: &Entry) -> Option<ApiKeyRecord> {
    serde_json::from_slice(&entry.value).ok()
}

fn generate() -> Secret {
    let mut random = [0; ENTROPY];
    getrandom::fill(&mut random).expect("the system has randomness");
    ApiKey::generate(&random)
}
