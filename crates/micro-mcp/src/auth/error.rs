//! Why there is no token.

use std::fmt;

use super::{guard::Blocked, store::StoreError};

/// Why a client got no access. No variant carries what a server wrote but OAuth's own error codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The MCP server's URL is none.
    #[error("the server's URL is not valid")]
    Server,
    /// The URL of the client's metadata document is none that can name a client: https, with a path, in normal form.
    #[error("the URL of the client's metadata is not valid")]
    ClientUrl,
    /// A URL that discovery came upon must not be asked.
    #[error("refused to ask an address that the server named")]
    Blocked(#[from] Blocked),
    /// A request failed or took too long.
    #[error("could not reach the {0}")]
    Unreachable(Document, #[source] Option<reqwest::Error>),
    /// A server answered with a status or a body that the document cannot have.
    #[error("the answer of the {0} is malformed")]
    Malformed(Document),
    /// The issuer publishes no metadata.
    #[error("the authorization server publishes no metadata")]
    NoMetadata,
    /// The metadata speaks of another resource than the server that was called.
    #[error("the protected-resource metadata is of another resource")]
    ResourceMismatch,
    /// The metadata, or the redirect, is of another issuer than the one that was asked (RFC 8414, RFC 9207).
    #[error("the answer is of another authorization server than the one asked")]
    IssuerMismatch,
    /// The server changed its authorization server, and the client is known to the old one only.
    #[error("the server moved to an authorization server that does not know this client")]
    Moved,
    /// The authorization server does not say that it knows PKCE with S256.
    #[error("the authorization server does not support PKCE with S256")]
    NoPkce,
    /// There is no way to become known to the authorization server.
    #[error("this client is not registered at the authorization server and cannot register itself")]
    NotRegistered,
    /// None of the token endpoint's authentication methods is one that this client can use.
    #[error("the token endpoint takes no client authentication that this client has")]
    NoClientAuthentication,
    /// The authorization server said no.
    #[error("the {0} refused: {1}")]
    Refused(Document, Code),
    /// The user did not come back from the authorization server.
    #[error("the user was not sent back: {0}")]
    Consent(#[from] ConsentError),
    /// The redirect does not belong to the request that we made.
    #[error("the redirect does not belong to this authorization")]
    WrongState,
    /// The server goes on refusing, although the token carries what it asked for.
    #[error("the server refuses a token that carries what it asks for")]
    Insufficient,
    /// DPoP is demanded and the authorization server gives plain tokens.
    #[error("the authorization server gives no DPoP-bound token")]
    NoDpop,
    /// A key cannot be read or used.
    #[error("the key cannot be used")]
    Key,
    /// The workload's own credential could not be had.
    #[error("the subject token could not be obtained")]
    SubjectToken,
    /// The runtime ended, or the work failed, before there was a token.
    #[error("authorization was interrupted")]
    Interrupted,
    /// Credentials could not be kept or found.
    #[error("the credential store failed")]
    Store(#[from] StoreError),
}

/// Who was asked, for the words of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// The protected-resource metadata.
    ProtectedResource,
    /// The authorization server's metadata.
    AuthorizationServer,
    /// The authorization endpoint.
    Authorization,
    /// The token endpoint.
    Token,
    /// The registration endpoint.
    Registration,
    /// The keys of an authorization server.
    KeySet,
    /// The metadata of a client (Client ID Metadata Documents).
    Client,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProtectedResource => "protected-resource metadata",
            Self::AuthorizationServer => "authorization server metadata",
            Self::Authorization => "authorization endpoint",
            Self::Token => "token endpoint",
            Self::Registration => "registration endpoint",
            Self::KeySet => "key set",
            Self::Client => "client metadata",
        })
    }
}

/// Why no redirect came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// There is no browser, or it could not be started.
    #[error("no browser could be opened")]
    NoBrowser,
    /// The port for the redirect cannot be had.
    #[error("no port to receive the redirect")]
    NoPort,
    /// The user took too long.
    #[error("timed out")]
    TimedOut,
    /// The user, or the host on the user's behalf, declined.
    #[error("declined")]
    Declined,
}

/// An OAuth error code (RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591, RFC 9449), or none that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(&'static str);

/// All codes that are passed on as they are.
const CODES: [&str; 19] = [
    "access_denied",
    "consent_required",
    "interaction_required",
    "invalid_client",
    "invalid_client_metadata",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
    "use_dpop_nonce",
];

impl Code {
    /// The code of this name; every other text becomes `unknown_error`.
    pub(crate) fn of(text: &str) -> Self {
        Self(CODES.into_iter().find(|code| *code == text).unwrap_or("unknown_error"))
    }

    /// The code's name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
