//! Which client asks: known from the config, registered by itself, or described at its own URL.

use std::{net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use micro_mcp::auth::{Document, Fetch, Switches};
use micro_policy::{
    Digest,
    oauth::{Client, ClientAuth, Params, Presented, Registration, UNKNOWN, document, document_url},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use url::Url;

use super::{
    Failure, Settings,
    records::{Records, now, random},
};

/// A client that registered and was never used is forgotten after a day; each use keeps it for three months.
const UNUSED: Duration = Duration::from_secs(24 * 3600);
const USED: Duration = Duration::from_secs(90 * 24 * 3600);

/// Registrations in an hour: from one address, and in all.
const REGISTRATIONS: (u64, u64) = (60, 600);
const HOUR: Duration = Duration::from_secs(3600);

/// How long a document is believed, and how long its absence.
const BELIEVED: Duration = Duration::from_secs(3600);
const ABSENT: Duration = Duration::from_secs(60);

/// Documents that are asked for at once, and in an hour: nobody makes the gateway knock at all doors.
const AT_ONCE: usize = 8;
const DOCUMENTS: u64 = 1200;

/// How long a document may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Clients {
    records: Records,
    settings: Arc<ArcSwap<Settings>>,
    fetch: Fetch,
    turns: Semaphore,
}

/// What was found at a client's URL, for a while.
#[derive(Serialize, Deserialize)]
struct Found(Option<Client>);

impl Clients {
    /// # Errors
    /// When this program cannot ask for documents.
    pub(super) fn new(records: Records, settings: Arc<ArcSwap<Settings>>, issuer: &Url) -> Result<Self, Failure> {
        let fetch = Fetch::new(issuer, Switches::default()).map_err(|_| Failure::Internal)?;
        Ok(Self { records, settings, fetch, turns: Semaphore::new(AT_ONCE) })
    }

    /// The client of this name.
    pub(super) async fn find(&self, id: &str) -> Result<Client, Failure> {
        if let Some(client) = self.settings.load().clients.get(id) {
            return Ok(client.clone());
        }
        if let Some(url) = document_url(id) {
            return self.described(id, &url).await;
        }
        let kept = self.records.get(&registered(id)).await?;
        kept.map(|kept| kept.value).ok_or(UNKNOWN.into())
    }

    /// The client that a request to the token endpoint is from; `None` when it names none.
    pub(super) async fn authenticate(
        &self,
        params: &Params,
        authorization: Option<&str>,
    ) -> Result<Option<Client>, Failure> {
        let Some(presented) = Presented::read(params, authorization)? else { return Ok(None) };
        let client = self.find(&presented.id).await?;
        client.check(&presented)?;
        Ok(Some(client))
    }

    /// Keeps a client that registered itself for as long as it is used.
    pub(super) async fn used(&self, client: &Client) -> Result<(), Failure> {
        if self.settings.load().clients.contains_key(&client.id) || document_url(&client.id).is_some() {
            return Ok(());
        }
        self.records.put(&registered(&client.id), client, Some(USED)).await
    }

    /// Registers a client; gives what it is told (RFC 7591 §3.2.1).
    pub(super) async fn register(&self, json: &[u8], from: IpAddr) -> Result<serde_json::Value, Failure> {
        let registration = Registration::parse(json)?;
        let (of_address, of_all) = REGISTRATIONS;
        self.records.count(&format!("oauth/registrations/{}", super::place(from)), of_address, HOUR).await?;
        self.records.count("oauth/registrations", of_all, HOUR).await?;
        let (id, auth) = (format!("mc_{}", random::<16>()), registration.auth);
        let secret = (auth != ClientAuth::None).then(|| format!("mcs_{}", random::<32>()));
        let client = registration.into_client(id, secret.as_deref());
        self.records.put(&registered(&client.id), &client, Some(UNUSED)).await?;
        let mut told = json!({
            "client_id": client.id,
            "client_id_issued_at": now(),
            "client_name": client.name,
            "redirect_uris": client.redirect_uris,
            "grant_types": client.grants,
            "response_types": ["code"],
            "token_endpoint_auth_method": auth.as_str(),
        });
        if let Some(secret) = secret {
            told["client_secret"] = secret.into();
            told["client_secret_expires_at"] = 0.into();
        }
        if let Some(scopes) = &client.scopes {
            told["scope"] = scopes.iter().collect::<Vec<_>>().join(" ").into();
        }
        Ok(told)
    }

    /// The client that is described at its own URL. What is there is looked at once in a while, whoever asks how often.
    async fn described(&self, id: &str, url: &Url) -> Result<Client, Failure> {
        let key = format!("oauth/document/{}", Digest::of(id));
        if let Some(kept) = self.records.get::<Found>(&key).await? {
            return kept.value.0.ok_or(UNKNOWN.into());
        }
        let _turn = self.turns.try_acquire().map_err(|_| Failure::Throttled(1))?;
        self.records.count("oauth/documents", DOCUMENTS, HOUR).await?;
        let answer = tokio::time::timeout(PATIENCE, self.fetch.at(Document::Client, url)).await;
        let client = match answer {
            Ok(Ok(Some(json))) => document(id, &json),
            Ok(Ok(None)) | Err(_) => Err(UNKNOWN),
            Ok(Err(error)) => {
                tracing::info!(error = %error, "a client's metadata document cannot be read");
                Err(UNKNOWN)
            }
        };
        let ttl = if client.is_ok() { BELIEVED } else { ABSENT };
        self.records.put(&key, &Found(client.clone().ok()), Some(ttl)).await?;
        Ok(client?)
    }
}

/// Where a client that registered itself is kept. Whoever asks chooses the name, so it does not stand in the key.
fn registered(id: &str) -> String {
    format!("oauth/client/{}", Digest::of(id))
}
