//! The port: whoever knows credentials of some kind.

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_policy::{Identity, Rejection, Secret};

/// What a caller shows of itself.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// `Authorization: Bearer …`: a token or an API key.
    Bearer(&'a str),
    /// The certificate that the client has shown in the TLS handshake, in DER. It was checked there.
    Certificate(&'a [u8]),
}

/// Shows the kind and keeps the secret.
impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::Certificate(_) => "Certificate(…)",
        })
    }
}

/// Knows the credentials of one kind: tokens of an issuer, API keys, and what an embedder brings along.
///
/// What [`Authenticator::authenticate`] found is kept by the credential's digest until it expires, is revoked or the
/// policies change; the provider is not asked for each call.
pub trait Authenticator: Send + Sync + 'static {
    /// Whose credential this is. `None` when it is of a kind that this provider knows nothing of: the next is asked.
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>>;

    /// Whether an identity that it gave still stands. Asked on connections that stay open, for their messages after
    /// the policies changed; must not wait.
    ///
    /// # Errors
    /// Why it does not.
    fn validate(&self, identity: &Identity, now: Timestamp) -> Result<(), Rejection>;

    /// Another credential in exchange for this one, which is good no more. `None` when this provider gives none.
    ///
    /// # Errors
    /// When the credential is not good.
    fn refresh<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Secret>, Rejection>> {
        let _ = (credential, now);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Takes back a credential, named by [`Identity::credential`]. Gives whether it was one of this provider's.
    ///
    /// # Errors
    /// When that could not be remembered.
    fn revoke<'a>(&'a self, credential: &'a str, now: Timestamp) -> BoxFuture<'a, micro_core::Result<bool>> {
        let _ = (credential, now);
        Box::pin(std::future::ready(Ok(false)))
    }
}
