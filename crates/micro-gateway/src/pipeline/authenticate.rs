//! Who calls: bearer tokens for now.

use http::{HeaderMap, header};
use micro_policy::{Caller, Tokens};

use super::Error;

/// Knows the tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authenticator {
    tokens: Tokens,
}

/// What a caller shows of itself.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// Nothing.
    None,
    /// `Authorization: Bearer …`.
    Bearer(&'a str),
    /// An `Authorization` header that is not that.
    Malformed,
}

impl<'a> Credential<'a> {
    /// Reads the `Authorization` header (RFC 6750 §2.1). Tokens in the URL are not looked at.
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::None };
        let bearer = value.to_str().ok().and_then(|v| v.split_once(' '));
        match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() => {
                Self::Bearer(token.trim())
            }
            _ => Self::Malformed,
        }
    }
}

impl Authenticator {
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self { tokens }
    }

    /// A credential that is shown must be good, even where none is needed: a caller that believes to
    /// be somebody must not silently become nobody.
    pub(super) fn check(&self, credential: &Credential<'_>, needed: bool) -> Result<Caller, Error> {
        match credential {
            Credential::None if needed => Err(Error::Unauthenticated("missing token")),
            Credential::None => Ok(Caller::Trusted),
            Credential::Malformed => Err(Error::Unauthenticated("malformed credential")),
            Credential::Bearer(token) => {
                let identity = self.tokens.identify(token).ok_or(Error::Unauthenticated("invalid token"))?;
                Ok(Caller::Account(identity.clone()))
            }
        }
    }
}
