//! Who is calling.

use std::sync::Arc;

use crate::Scopes;

/// An account and what it was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's name in records.
    pub account: Arc<str>,
    /// What it may do; `None` is everything.
    pub scopes: Option<Scopes>,
}

/// The caller of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Authentication is off and no credential was shown: everything is allowed, nobody is named.
    Trusted,
    /// A verified account.
    Account(Arc<Identity>),
}

impl Caller {
    /// The account's name, when there is one.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Trusted => None,
            Self::Account(identity) => Some(&identity.account),
        }
    }

    /// What the caller was granted; `None` means everything.
    pub fn scopes(&self) -> Option<&Scopes> {
        match self {
            Self::Trusted => None,
            Self::Account(identity) => identity.scopes.as_ref(),
        }
    }
}
