//! Who calls: credentials are checked before a request comes to any front, and what came of it goes along with it.
//!
//! A credential that was checked before is found by its digest, without waiting for anybody; others are shown to
//! the providers in turn, which may ask an issuer or a store.

mod api_keys;
mod cache;
mod certificates;
mod issuers;
mod keys;
mod port;
mod revocations;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::{HeaderMap, header};
use jiff::Timestamp;
use micro_policy::{Digest, Identity, Rejection, Roles, Secret, is_name};
use micro_runtime::http::ClientCertificate;
use micro_store::Store;

pub use self::{
    api_keys::{ApiKeys, NewApiKey},
    port::{Authenticator, Credential},
};
use self::{cache::Cache, certificates::Certificates};
pub(crate) use self::{
    issuers::{Issuers, KeysAt, Trusted},
    keys::Source,
    revocations::{Revocations, revoke},
};
use crate::pipeline::Policies;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// How long a credential may wait until it is known what was taken back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a request shows of its caller, checked. Goes along in its extensions.
#[derive(Debug, Clone, Default)]
pub(crate) enum Shown {
    /// No credential.
    #[default]
    Nothing,
    /// A good one.
    Good(Arc<Verified>),
    /// One that is not.
    Bad(Rejection),
}

impl Shown {
    /// A token that is bound to a certificate is good only together with it (RFC 8705 §3).
    fn together_with(self, certificate: Option<&[u8]>) -> Self {
        match &self {
            Self::Good(verified) => match verified.identity.certificate {
                Some(bound) if certificate.is_none_or(|der| Digest::of(der) != bound) => Self::Bad(Rejection::Bound),
                _ => self,
            },
            _ => self,
        }
    }
}

impl Credential<'_> {
    /// What it is known by. Tokens are text and certificates are not, so that none is taken for the other.
    fn digest(&self) -> Digest {
        match self {
            Self::Bearer(token) => Digest::of(token.as_bytes()),
            Self::Certificate(der) => Digest::of(der),
        }
    }
}

/// A credential that was found good.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Whose it is, as the policies see it.
    pub(crate) identity: Arc<Identity>,
    /// Whose it is, as the credential says.
    said: Arc<Identity>,
    /// What sessions are bound to.
    pub(crate) subject: Arc<str>,
    /// Under which policies it was.
    epoch: u64,
    /// By which provider; none has to be asked about static tokens.
    provider: Option<usize>,
}

impl Verified {
    /// A static token, or what a provider said: what the credential says, and what its roles come to.
    pub(crate) fn new(said: Arc<Identity>, roles: &Roles, epoch: u64) -> Self {
        let subject = match &said.tenant {
            None => said.account.clone(),
            // Neither has line breaks in it.
            Some(tenant) => format!("{tenant}\n{}", said.account).into(),
        };
        let identity = if said.roles.is_empty() { said.clone() } else { roles.grant(Identity::clone(&said)).into() };
        Self { identity, said, subject, epoch, provider: None }
    }
}

/// Everybody who knows a credential, and what was found out already.
pub(crate) struct Identities {
    policies: Arc<ArcSwap<Policies>>,
    providers: Vec<Arc<dyn Authenticator>>,
    cache: Cache,
    revocations: Revocations,
    store: Store,
}

impl Identities {
    /// `others` are asked before the issuers, who take every JWT for theirs.
    pub(crate) fn new(policies: Arc<ArcSwap<Policies>>, others: Vec<Arc<dyn Authenticator>>, store: Store) -> Self {
        let mut providers = others;
        providers.push(Arc::new(Certificates::new(policies.clone(), store.clone())));
        providers.push(Arc::new(Issuers::new(policies.clone(), store.clone())));
        let revocations = Revocations::follow(store.clone());
        Self { policies, providers, cache: Cache::default(), revocations, store }
    }

    /// Goes by other policies from now on.
    pub(crate) fn replace(&self, policies: Policies) {
        self.policies.store(Arc::new(policies));
    }

    /// What the config says now.
    pub(crate) fn policies(&self) -> arc_swap::Guard<Arc<Policies>> {
        self.policies.load()
    }

    /// Checks the credential of a request, which then carries what came of it.
    pub(crate) async fn identify<B>(&self, request: &mut http::Request<B>) {
        let certificate = request.extensions().get::<ClientCertificate>().map(|certificate| &*certificate.0);
        let credential = match (bearer(request.headers()), certificate) {
            (Ok(Some(token)), _) => Ok(Some(Credential::Bearer(token))),
            (Ok(None), certificate) => Ok(certificate.map(Credential::Certificate)),
            (Err(rejection), _) => Err(rejection),
        };
        let shown = match credential {
            Ok(None) => Shown::Nothing,
            Err(rejection) => Shown::Bad(rejection),
            Ok(Some(credential)) => match self.known(credential) {
                Some(verified) => Shown::Good(verified),
                // Rare, and large: the way of a known credential stays small.
                None => Box::pin(self.verify(credential)).await,
            },
        };
        let shown = shown.together_with(certificate);
        request.extensions_mut().insert(shown);
    }

    /// What headers show, as far as it is known without waiting.
    pub(crate) fn glance(&self, headers: &HeaderMap) -> Shown {
        match bearer(headers) {
            Ok(None) => Shown::Nothing,
            Ok(Some(token)) => {
                let known = self.known(Credential::Bearer(token));
                known.map_or(Shown::Bad(Rejection::Unavailable), Shown::Good).together_with(None)
            }
            Err(rejection) => Shown::Bad(rejection),
        }
    }

    /// A static token, or a credential that was checked under these policies and whose time is not over.
    fn known(&self, credential: Credential<'_>) -> Option<Arc<Verified>> {
        let digest = credential.digest();
        let policies = self.policies.load();
        if let Some(verified) = policies.tokens.get(&digest) {
            return self.revocations.are_known().then(|| verified.clone());
        }
        let verified = self.cache.get(&digest)?;
        (verified.epoch == policies.epoch && !verified.identity.expired(Timestamp::now())).then_some(verified)
    }

    /// Whose token it is, if it is good now.
    pub(crate) async fn check(&self, token: &str) -> Shown {
        match self.verify(Credential::Bearer(token)).await.together_with(None) {
            Shown::Good(verified) => match self.stands(&verified) {
                Ok(verified) => Shown::Good(verified),
                Err(rejection) => Shown::Bad(rejection),
            },
            shown => shown,
        }
    }

    /// Asks the providers in turn, if it is not known.
    async fn verify(&self, credential: Credential<'_>) -> Shown {
        if tokio::time::timeout(PATIENCE, self.revocations.caught_up()).await.is_err() {
            return Shown::Bad(Rejection::Unavailable); // it may have been taken back
        }
        if let Some(verified) = self.known(credential) {
            return Shown::Good(verified);
        }
        let policies = self.policies.load_full(); // before the check: it may be done under older policies, not newer
        let now = Timestamp::now();
        for (at, provider) in self.providers.iter().enumerate() {
            match provider.authenticate(credential, now).await {
                None => {}
                Some(Err(rejection)) => return Shown::Bad(rejection),
                Some(Ok(identity)) if identity.expired(now) => return Shown::Bad(Rejection::Expired),
                Some(Ok(identity)) => {
                    let verified = Arc::new(Verified { provider: Some(at), ..policies.verified(Arc::new(identity)) });
                    self.cache.insert(credential.digest(), &verified, now);
                    return Shown::Good(verified);
                }
            }
        }
        Shown::Bad(Rejection::Invalid)
    }

    /// Who calls, at this moment: what was good when a connection was opened need not be good any more. A credential
    /// that is shown must be good even where none is `needed`: a caller that believes to be somebody must not
    /// silently become nobody.
    pub(crate) fn admit(&self, shown: &Shown, needed: bool) -> Result<Option<Arc<Verified>>, Rejection> {
        match shown {
            Shown::Nothing if needed => Err(Rejection::Missing),
            Shown::Nothing => Ok(None),
            Shown::Bad(rejection) => Err(*rejection),
            Shown::Good(verified) => self.stands(verified).map(Some),
        }
    }

    /// The credential as it is now, or why it is good no more.
    fn stands(&self, verified: &Arc<Verified>) -> Result<Arc<Verified>, Rejection> {
        let (said, now) = (&verified.said, Timestamp::now());
        if said.expired(now) {
            return Err(Rejection::Expired);
        }
        match self.revocations.has(&said.credential, now) {
            Some(false) => {}
            Some(true) => return Err(Rejection::Revoked),
            None => return Err(Rejection::Unavailable),
        }
        let policies = self.policies.load();
        match verified.provider {
            _ if verified.epoch == policies.epoch => return Ok(verified.clone()),
            Some(at) => self.providers[at].validate(said, now)?,
            None if policies.tokens.values().any(|known| known.said == *said) => {}
            None => return Err(Rejection::Revoked),
        }
        // Its roles may come to something else by now.
        Ok(Arc::new(Verified { provider: verified.provider, ..policies.verified(said.clone()) }))
    }
}

impl Identities {
    /// Takes a credential back. False when it is nobody's.
    pub(crate) async fn revoke(&self, credential: &str) -> micro_core::Result<bool> {
        let now = Timestamp::now();
        if self.policies.load().tokens.values().any(|known| &*known.identity.credential == credential) {
            // For as long as it is in the config.
            return revoke(&self.store, credential, now, Timestamp::MAX).await.map(|()| true).map_err(unavailable);
        }
        for provider in &self.providers {
            if provider.revoke(credential, now).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Another credential in exchange for this one, if its provider gives any.
    pub(crate) async fn refresh(&self, token: &str) -> Result<Option<Secret>, Rejection> {
        let now = Timestamp::now();
        for provider in &self.providers {
            if let Some(new) = provider.refresh(Credential::Bearer(token), now).await? {
                return Ok(Some(new));
            }
        }
        Ok(None)
    }
}

/// Refuses what cannot be the name of an account, a role or a tenant.
pub(crate) fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> micro_core::Result<()> {
    match names.into_iter().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => Err(micro_core::Error::bad_request(format!(
            "{name:?} is no name: 1 to 256 bytes without control characters"
        ))),
    }
}

fn unavailable(error: micro_store::Error) -> micro_core::Error {
    micro_core::Error::unavailable("the store does not work").with_source(error)
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1). Tokens in the URL are not looked at.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() => {
            let token = token.trim();
            if token.len() > MAX_TOKEN { Err(Rejection::Malformed) } else { Ok(Some(token)) }
        }
        _ => Err(Rejection::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn one_bearer_token_is_taken_and_nothing_else() {
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        for (values, expected) in [
            (&[][..], Ok(None)),
            (&["Bearer abc"], Ok(Some("abc"))),
            (&["bearer  abc "], Ok(Some("abc"))),
            (&["Basic abc"], Err(Rejection::Malformed)),
            (&["abc"], Err(Rejection::Malformed)),
            (&["Bearer abc", "Bearer abc"], Err(Rejection::Malformed)),
            (&[&long], Err(Rejection::Malformed)),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(bearer(&headers), expected, "{values:.40?}");
        }
    }
}
