//! Why a request is refused, in the words of the RFCs.

use std::fmt;

/// What clients are told (RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2, RFC 9068).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter is missing, given twice or makes no sense.
    InvalidRequest,
    /// The client is not known, or did not show that it is itself.
    InvalidClient,
    /// The code, the token or the user's word is not good.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// There is no such grant here.
    UnsupportedGrantType,
    /// There is no such response type here.
    UnsupportedResponseType,
    /// A scope is not to be had.
    InvalidScope,
    /// The resource is none of this server's.
    InvalidTarget,
    /// The user said no.
    AccessDenied,
    /// A redirect URI cannot be registered.
    InvalidRedirectUri,
    /// A client's description of itself makes no sense.
    InvalidClientMetadata,
    /// Something is wrong here.
    ServerError,
    /// Too much at once; later is better.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// The value of `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: a code for programs and a constant text for people. Nothing of the request is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {why}")]
pub struct Refused {
    /// `error`.
    pub code: ErrorCode,
    /// `error_description`.
    pub why: &'static str,
}

impl Refused {
    /// A refusal.
    pub const fn new(code: ErrorCode, why: &'static str) -> Self {
        Self { code, why }
    }

    /// Short for the commonest.
    pub(super) const fn request(why: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, why)
    }

    /// Short for the second.
    pub(super) const fn grant(why: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, why)
    }
}

/// Why a code or a refresh token gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// It is not good. A code that was shown wrongly is spent all the same.
    Refused(Refused),
    /// It was used before: somebody else has it. Everything of this family must be revoked.
    Reused {
        /// The family.
        family: String,
    },
}

impl Denied {
    /// What the client is told: the same in both cases, for a thief learns nothing from it.
    pub fn told(&self) -> Refused {
        match self {
            Self::Refused(refused) => *refused,
            Self::Reused { .. } => Refused::grant("the grant is not valid"),
        }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
