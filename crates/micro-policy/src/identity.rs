//! Who is calling, or why nobody is.

use std::{collections::BTreeSet, fmt, sync::Arc};

use jiff::Timestamp;

use crate::{Digest, Intent, Scopes};

/// An account and what it was granted, as a verified credential says it.
///
/// ```
/// # use micro_policy::Identity;
/// let identity = Identity { tenant: Some("acme".into()), ..Identity::named("alice", "token/1") };
/// assert_eq!(&*identity.account, "alice");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's name in records.
    pub account: Arc<str>,
    /// What it may do; `None` is everything.
    pub scopes: Option<Scopes>,
    /// The roles it was given.
    pub roles: BTreeSet<Arc<str>>,
    /// The scopes are what somebody agreed to: roles add none to them.
    pub consented: bool,
    /// The tenant it belongs to; `None` where there are none.
    pub tenant: Option<Arc<str>>,
    /// Who acts for the account, the one that calls first (`act`, RFC 8693 §4.1). Empty when it acts itself.
    pub actors: Vec<Arc<str>>,
    /// What of a user's request the credential was made for, if it was made for one.
    pub intent: Option<Intent>,
    /// Who vouches for all this: the issuer of a token. `None` when it is the gateway itself.
    pub issuer: Option<Arc<str>>,
    /// What the credential is revoked by. Not a secret.
    pub credential: Arc<str>,
    /// From when on the credential is good no more; `None` is never.
    pub expires: Option<Timestamp>,
    /// The digest of the only client certificate that may show this credential (`cnf`, RFC 8705 §3.1).
    pub certificate: Option<Digest>,
}

impl Identity {
    /// An account that may do nothing yet, and what its credential is revoked by.
    pub fn named(account: impl Into<Arc<str>>, credential: impl Into<Arc<str>>) -> Self {
        Self {
            account: account.into(),
            scopes: Some(Scopes::default()),
            roles: BTreeSet::new(),
            consented: false,
            tenant: None,
            actors: Vec::new(),
            intent: None,
            issuer: None,
            credential: credential.into(),
            expires: None,
            certificate: None,
        }
    }

    /// Whether the credential's time is over.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Longest name, in bytes.
const MAX_NAME: usize = 256;

/// Whether a text can be the name of an account, a role or a tenant, which stands in records, headers and keys as it is:
/// 1 to 256 bytes, and no control characters.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control)
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
        self.identity().map(|identity| &*identity.account)
    }

    /// What the caller was granted; `None` means everything.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.identity()?.scopes.as_ref()
    }

    /// Everything that is known of it, when it is somebody.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            Self::Trusted => None,
            Self::Account(identity) => Some(identity),
        }
    }
}

/// Why a credential was refused. Says nothing that its holder does not know or may not hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// One is needed and there was none.
    Missing,
    /// It has not the form of one.
    Malformed,
    /// Nobody knows it, or its signature is wrong.
    Invalid,
    /// It was good once.
    Expired,
    /// It will be good later.
    NotYetValid,
    /// It is of an issuer whose tokens are not taken, or that may not say what it says.
    Issuer,
    /// It is for somebody else than this gateway.
    Audience,
    /// It was taken back.
    Revoked,
    /// It may be shown only together with a key, and was shown without.
    Bound,
    /// It cannot be checked now; later it may turn out good.
    Unavailable,
}

impl Rejection {
    /// In words, for callers and for audit records.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing token",
            Self::Malformed => "malformed credential",
            Self::Invalid => "invalid token",
            Self::Expired => "expired token",
            Self::NotYetValid => "token not yet valid",
            Self::Issuer => "wrong issuer",
            Self::Audience => "wrong audience",
            Self::Revoked => "revoked credential",
            Self::Bound => "token bound to another key",
            Self::Unavailable => "credential cannot be checked now",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        for (text, good) in [("alice", true), ("Bob Müller <b@x>", true), ("", false), ("a\nb", false), ("a\0", false)]
        {
            assert_eq!(is_name(text), good, "{text:?}");
        }
        assert!(is_name(&"x".repeat(256)) && !is_name(&"x".repeat(257)) && !is_name("\u{9b}31m"));
    }

    #[test]
    fn a_credential_is_good_until_the_second_it_expires() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let identity = Identity { expires: Some(at(100)), ..Identity::named("alice", "token/1") };
        assert_eq!([99, 100, 101].map(|second| identity.expired(at(second))), [false, true, true]);
        assert!(!Identity::named("alice", "token/1").expired(at(i64::from(u32::MAX))));
    }
}
