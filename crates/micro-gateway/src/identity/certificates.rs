//! Client certificates. That one is good was found out in the handshake; what is left is whom it stands for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_policy::{CertificateName, Digest, Identity, Rejection, Scopes};
use micro_store::Store;

use super::{Authenticator, Credential, revocations::revoke, unavailable};
use crate::{CertificateConfig, pipeline::Policies};

/// Knows the client certificates that the listener takes.
pub(super) struct Certificates {
    policies: Arc<ArcSwap<Policies>>,
    store: Store,
}

impl Certificates {
    pub(super) fn new(policies: Arc<ArcSwap<Policies>>, store: Store) -> Self {
        Self { policies, store }
    }

    fn judge(&self, der: &[u8]) -> Result<Identity, Rejection> {
        let CertificateName { name, expires } = CertificateName::read(der)?;
        let policies = self.policies.load();
        let credential = format!("certificate/{}", Digest::of(der));
        let identity = match policies.certificates.iter().find(|entry| entry.fits(&name)) {
            Some(entry) => entry.identity(&name, credential),
            None => Identity::named(name, credential),
        };
        Ok(Identity { expires: Some(expires), ..identity })
    }
}

impl CertificateConfig {
    fn identity(&self, name: &str, credential: String) -> Identity {
        Identity {
            scopes: Some(self.scopes.clone()),
            roles: self.roles.iter().map(|role| role.as_str().into()).collect(),
            tenant: self.tenant.as_deref().map(Into::into),
            ..Identity::named(self.account.as_deref().unwrap_or(name), credential)
        }
    }

    /// Whether it still gives a certificate what it once gave.
    fn gives(&self, identity: &Identity) -> bool {
        let scopes = identity.scopes.as_ref() == Some(&self.scopes);
        let roles =
            self.roles.len() == identity.roles.len() && self.roles.iter().all(|role| identity.roles.contains(&**role));
        let account =
            self.account.as_deref().map_or_else(|| self.fits(&identity.account), |name| name == &*identity.account);
        scopes && roles && account && self.tenant.as_deref() == identity.tenant.as_deref()
    }
}

impl Authenticator for Certificates {
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        _: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>> {
        Box::pin(std::future::ready(match credential {
            Credential::Certificate(der) => Some(self.judge(der)),
            Credential::Bearer(_) => None,
        }))
    }

    fn validate(&self, identity: &Identity, _: Timestamp) -> Result<(), Rejection> {
        let policies = self.policies.load();
        let nothing = identity.scopes.as_ref().is_some_and(Scopes::is_empty) && identity.roles.is_empty();
        let stands = nothing || policies.certificates.iter().any(|entry| entry.gives(identity));
        if stands { Ok(()) } else { Err(Rejection::Revoked) }
    }

    fn revoke<'a>(&'a self, credential: &'a str, now: Timestamp) -> BoxFuture<'a, micro_core::Result<bool>> {
        Box::pin(async move {
            if !credential.starts_with("certificate/") {
                return Ok(false);
            }
            // Nobody says when it would have ended.
            revoke(&self.store, credential, now, Timestamp::MAX).await.map(|()| true).map_err(unavailable)
        })
    }
}
