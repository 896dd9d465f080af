//! Tokens of issuers (JWT): the issuer's entry in the config decides, its keys are found as that says.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_policy::{Identity, Issuer, KeySet, Rejection, Token, Unproven};
use micro_store::Store;
use parking_lot::Mutex;

use super::{
    Authenticator, Credential,
    keys::{Keys, Source},
    revocations::revoke,
};
use crate::pipeline::Policies;

/// An issuer whose tokens are taken.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    pub(crate) issuer: Issuer,
    pub(crate) keys: KeysAt,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone)]
pub(crate) enum KeysAt {
    /// Elsewhere.
    Address(Source),
    /// In a file, and read already.
    Here(Arc<KeySet>),
}

/// Knows the tokens of all issuers in the config.
pub(crate) struct Issuers {
    policies: Arc<ArcSwap<Policies>>,
    store: Store,
    /// Outlive the policies: a reload makes nobody fetch keys again.
    keys: Mutex<HashMap<Source, Arc<Keys>>>,
}

impl Issuers {
    pub(crate) fn new(policies: Arc<ArcSwap<Policies>>, store: Store) -> Self {
        Self { policies, store, keys: Mutex::default() }
    }

    async fn judge(&self, token: &Token<'_>, now: Timestamp) -> Result<Identity, Rejection> {
        let policies = self.policies.load_full();
        let trusted = policies.issuers.iter().find(|trusted| Some(trusted.issuer.name.as_str()) == token.issuer());
        let Trusted { issuer, keys } = trusted.ok_or(Rejection::Issuer)?;
        let source = match keys {
            KeysAt::Address(source) => source,
            KeysAt::Here(keys) => return Ok(issuer.verify(token, keys, now)?),
        };
        let keys = self.keys(source)?;
        let known = keys.known();
        match issuer.verify(token, &known, now) {
            Err(Unproven::UnknownKey) => {}
            outcome => return Ok(outcome?),
        }
        let newer = keys.newer(&known, token.key_id()).await.map_err(|_| Rejection::Unavailable)?;
        let outcome = issuer.verify(token, &newer, now);
        if let (Err(Unproven::UnknownKey), Some(id)) = (&outcome, token.key_id()) {
            keys.missed(id);
        }
        Ok(outcome?)
    }

    fn keys(&self, source: &Source) -> Result<Arc<Keys>, Rejection> {
        let mut all = self.keys.lock();
        if let Some(keys) = all.get(source) {
            return Ok(keys.clone());
        }
        let keys = Keys::new(source.clone()).map_err(|error| {
            tracing::error!(issuer = source.issuer, %error, "keys cannot be fetched from there");
            Rejection::Unavailable
        })?;
        let keys = Arc::new(keys);
        all.insert(source.clone(), keys.clone());
        Ok(keys)
    }
}

impl Authenticator for Issuers {
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>> {
        Box::pin(async move {
            let Credential::Bearer(text) = credential else { return None };
            if self.policies.load().issuers.is_empty() {
                return None;
            }
            match Token::parse(text)? {
                Ok(token) => Some(self.judge(&token, now).await),
                Err(rejection) => Some(Err(rejection)),
            }
        })
    }

    fn validate(&self, identity: &Identity, _: Timestamp) -> Result<(), Rejection> {
        let policies = self.policies.load();
        let known =
            policies.issuers.iter().any(|trusted| Some(trusted.issuer.name.as_str()) == identity.issuer.as_deref());
        if known { Ok(()) } else { Err(Rejection::Issuer) }
    }

    fn revoke<'a>(&'a self, credential: &'a str, now: Timestamp) -> BoxFuture<'a, micro_core::Result<bool>> {
        Box::pin(async move {
            let policies = self.policies.load_full();
            let token = credential.strip_prefix("jwt/");
            let of = |trusted: &Trusted| token.is_some_and(|token| token.starts_with(&trusted.issuer.name));
            if !policies.issuers.iter().any(of) {
                return Ok(false);
            }
            // Its name does not say when it ends.
            revoke(&self.store, credential, now, Timestamp::MAX).await.map(|()| true).map_err(super::unavailable)
        })
    }
}
