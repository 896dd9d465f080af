//! Authorization of the client (MCP authorization, OAuth 2.1).
//!
//! [`OAuth`] is the [`Credentials`] that gets its tokens itself. When a server answers 401 or 403 it finds the
//! authorization server (RFC 9728, RFC 8414, OpenID Discovery), makes the client known there, gets a token by the
//! grant that was chosen, and the request is sent again. Tokens are refreshed before they end, widened when the server
//! asks for more scopes, bound to a key where both sides can (DPoP), and never shown to another issuer or server.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use micro_mcp::{
//!     KeyRing,
//!     auth::{FileStore, KnownClient, OAuth},
//! };
//!
//! // A user at this machine: opens the browser once, remembers in an encrypted file.
//! let store = FileStore::new("credentials", KeyRing::parse(&std::env::var("CREDENTIALS_KEY")?)?);
//! let user = OAuth::for_user("https://mcp.example/mcp").name("Notes").store(store).build()?;
//!
//! // A program of its own.
//! let client = KnownClient::with_secret("reporter", "s3cret").at("https://login.example");
//! let machine = OAuth::for_machine("https://mcp.example/mcp", client).scopes("reports:read").build()?;
//! # Ok(()) }
//! ```

mod builder;
mod challenge;
mod consent;
mod discovery;
mod dpop;
mod error;
mod fetch;
mod flow;
mod grants;
mod guard;
mod jwt;
mod metadata;
mod pkce;
mod registration;
mod scopes;
mod secret;
mod store;
mod token;
mod vault;

use std::{fmt, sync::Arc};

use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::AUTHORIZATION};
use parking_lot::RwLock;
use tokio::sync::Mutex;
use url::Url;

pub use self::{
    builder::Builder,
    challenge::Challenge,
    consent::Consent,
    dpop::Dpop,
    error::{Code, ConsentError, Document, Error},
    fetch::{Fetch, Fetched, Switches},
    grants::{IdentityProvider, SubjectToken},
    guard::Blocked,
    metadata::{ResourceMetadata, ServerMetadata, server_metadata_urls},
    registration::KnownClient,
    scopes::Scopes,
    secret::Secret,
    store::{CredentialStore, FileStore, MemoryStore, StoreError},
};
use self::{
    discovery::{Found, discover},
    dpop::DPOP,
    flow::Active,
    grants::Grant,
    scopes::Choice,
    vault::Vault,
};
use crate::client::{AuthError, Credentials, Refused, Retry};

/// How often one request may be sent again before its refusal is final.
const MAX_ATTEMPTS: u32 = 3;

/// Credentials that get their tokens from the server's authorization server. Cheap to clone; clones share their tokens.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    server: Url,
    fetch: Fetch,
    vault: Vault,
    grant: Grant,
    scopes: Option<Scopes>,
    offline: bool,
    dpop: Dpop,
    /// The tokens in use. Written only while `flow` is held.
    current: RwLock<Option<Arc<Active>>>,
    /// One at a time: whoever waits finds the tokens that the one before got.
    flow: Mutex<Flow>,
}

#[derive(Default)]
struct Flow {
    /// Whether the store has been asked.
    loaded: bool,
}

impl OAuth {
    /// The access token in use, renewed if it was about to end: for applications that exchange it for a narrower one
    /// (RFC 8693) before an agent gets to work. `None` while no request needed one, and for a token that is bound to
    /// this client's key (DPoP), which is of no use to anybody else.
    ///
    /// # Errors
    /// When the store fails, or the token had to be renewed and could not be.
    pub async fn access_token(&self) -> Result<Option<Secret>, Error> {
        let active = self.0.usable().await?;
        Ok(active.filter(|active| active.proofs.is_none()).map(|active| active.tokens.access.clone()))
    }
}

impl Credentials for OAuth {
    fn authorize<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        url: &'a Url,
        method: &'a Method,
    ) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move { self.0.authorize(headers, url, method).await.map_err(outside) })
    }

    fn challenged<'a>(&'a self, refused: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>> {
        let inner = self.0.clone();
        let (url, sent, headers) = (refused.url.clone(), refused.sent.clone(), refused.headers.clone());
        let (attempt, status) = (refused.attempt, refused.status);
        let work = async move {
            let refused = Refused { url: &url, sent: &sent, attempt, status, headers: &headers };
            inner.challenged(refused).await
        };
        Box::pin(async move { to_the_end(work).await.map_err(outside) })
    }

    fn answered(&self, url: &Url, headers: &HeaderMap) {
        if !self.0.is_ours(url) {
            return;
        }
        if let Some(active) = self.0.current() {
            active.accepted();
            if let Some(proofs) = &active.proofs {
                proofs.learn(url, headers);
            }
        }
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("server", &self.0.server.as_str()).finish_non_exhaustive()
    }
}

/// Does the work even if nobody waits for it any more. A call that runs out of time must not take the user's visit with it,
/// nor a refresh token that the server has just replaced.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.map_err(|_| Error::Interrupted)?
}

fn outside(error: Error) -> AuthError {
    AuthError::new(error.to_string()).because(error)
}

impl Inner {
    async fn authorize(self: &Arc<Self>, headers: &mut HeaderMap, url: &Url, method: &Method) -> Result<(), Error> {
        if !self.is_ours(url) {
            return Ok(());
        }
        headers.remove(AUTHORIZATION);
        headers.remove(DPOP);
        let Some(active) = self.usable().await? else { return Ok(()) };
        headers.insert(AUTHORIZATION, presented(&active)?);
        if let Some(proofs) = &active.proofs {
            headers.insert(DPOP, proofs.proof(method.as_str(), url, Some(&active.tokens.access))?);
        }
        Ok(())
    }

    /// The server's refusal becomes better credentials, or is final.
    async fn challenged(&self, refused: Refused<'_>) -> Result<Retry, Error> {
        let challenge = Challenge::of(refused.headers);
        let step_up = refused.status == StatusCode::FORBIDDEN;
        let is_final = step_up && !challenge.as_ref().is_some_and(Challenge::wants_more_scopes);
        if is_final || refused.attempt >= MAX_ATTEMPTS || !self.is_ours(refused.url) {
            return Ok(Retry::No);
        }
        let _flow = self.flow.lock().await;
        let current = self.current();
        if let Some(active) = &current
            && is_outdated(&refused, challenge.as_ref(), active)?
        {
            return Ok(Retry::Again);
        }
        let found = self.discover(challenge.as_ref(), current.as_deref()).await?;
        let scopes = self.scopes_for(challenge.as_ref(), &found, current.as_deref());
        // What another issuer gave is of no use here, and none of this one's business.
        match current.filter(|active| active.tokens.issuer == found.server.issuer) {
            Some(active) if step_up => check_progress(&active, &found, challenge.as_ref(), refused.attempt)?,
            Some(active) if active.is_hopeless() => return Err(Error::Insufficient),
            Some(active) if active.is_refreshable() => {
                if let Some(refreshed) = self.refresh(&active).await? {
                    self.put(refreshed);
                    return Ok(Retry::Again);
                }
            }
            _ => {}
        }
        self.put(self.obtain(&found, scopes).await?);
        Ok(Retry::Again)
    }

    fn scopes_for(&self, challenge: Option<&Challenge>, found: &Found, current: Option<&Active>) -> Option<Scopes> {
        let challenged = challenge.and_then(Challenge::scopes);
        let choice = Choice {
            configured: self.scopes.as_ref(),
            challenged: challenged.as_ref(),
            resource: found.scopes.as_ref(),
            server: found.server.scopes_supported.as_ref(),
            requested: current.and_then(|active| active.tokens.requested.as_ref()),
            offline: self.offline && matches!(self.grant, Grant::User(_)),
        };
        choice.select()
    }

    async fn discover(&self, challenge: Option<&Challenge>, current: Option<&Active>) -> Result<Found, Error> {
        let known = self.grant.known().and_then(|client| client.issuer.as_deref());
        let prefer: Vec<_> = known.into_iter().chain(current.map(|active| active.tokens.issuer.as_str())).collect();
        discover(&self.fetch, &self.server, challenge, &prefer).await
    }

    /// Tokens that can be used now. Without any the request goes as it is, and the server's challenge says what it needs.
    async fn usable(self: &Arc<Self>) -> Result<Option<Arc<Active>>, Error> {
        let fresh = |current: Option<Arc<Active>>| current.filter(|active| active.tokens.is_fresh());
        if let Some(active) = fresh(self.current()) {
            return Ok(Some(active));
        }
        let inner = self.clone();
        to_the_end(async move { inner.freshen().await }).await?;
        Ok(fresh(self.current()))
    }

    /// Takes up the tokens that were kept, and refreshes those that are about to end.
    async fn freshen(&self) -> Result<(), Error> {
        let mut flow = self.flow.lock().await;
        if !flow.loaded {
            if let Some(kept) = self.kept().await? {
                self.put(kept);
            }
            flow.loaded = true;
        }
        let Some(active) = self.current() else { return Ok(()) };
        if !active.tokens.is_fresh() && active.tokens.refresh.is_some() {
            self.put(self.refresh(&active).await?.unwrap_or_else(|| active.without_refresh()));
        }
        Ok(())
    }

    fn current(&self) -> Option<Arc<Active>> {
        self.current.read().clone()
    }

    fn put(&self, active: Active) {
        *self.current.write() = Some(Arc::new(active));
    }

    /// Tokens go to the server they are for and nowhere else.
    fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.server.origin()
    }
}

/// How the token is shown to the server.
fn presented(active: &Active) -> Result<HeaderValue, Error> {
    let text = format!("{} {}", active.tokens.scheme.as_str(), active.tokens.access.expose());
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Malformed(Document::Token))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the request was sent with less than what is at hand now: without the nonce that the answer gives, or without
/// the token that somebody else got while it was on its way.
fn is_outdated(refused: &Refused<'_>, challenge: Option<&Challenge>, active: &Active) -> Result<bool, Error> {
    if let Some(proofs) = &active.proofs {
        proofs.learn(refused.url, refused.headers);
        if challenge.is_some_and(Challenge::wants_nonce) {
            return Ok(true);
        }
    }
    Ok(active.tokens.is_fresh() && refused.sent.get(AUTHORIZATION) != Some(&presented(active)?))
}

/// Asking again must have a chance: for scopes that the token carries already, or that were just asked for and not
/// given, it has none.
fn check_progress(active: &Active, found: &Found, challenge: Option<&Challenge>, attempt: u32) -> Result<(), Error> {
    let wanted = challenge.and_then(Challenge::scopes).or_else(|| found.scopes.clone()).unwrap_or_default();
    let has = |scopes: &Option<Scopes>| scopes.as_ref().is_some_and(|scopes| scopes.contains_all(&wanted));
    let asked = attempt > 0 && has(&active.tokens.requested);
    if wanted.is_empty() || has(&active.tokens.granted) || asked { Err(Error::Insufficient) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
