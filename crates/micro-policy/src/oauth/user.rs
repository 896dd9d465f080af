//! Users of the authorization server.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Scopes;

/// A user, as the store keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The account's name.
    pub name: Arc<str>,
    /// Differs from that of everybody who had the name before.
    pub id: String,
    /// What is kept of the password: an Argon2 hash in PHC form.
    pub password: String,
    /// What the account may do, and let others do.
    pub scopes: Scopes,
    /// The account's roles.
    #[serde(default)]
    pub roles: Vec<Arc<str>>,
    /// The account's tenant.
    #[serde(default)]
    pub tenant: Option<Arc<str>>,
    /// Since when, in seconds since 1970.
    pub created: u64,
}

/// A name or a password that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUser {
    /// Not a name.
    #[error("a name has 1 to 64 letters, digits and `._@+-`")]
    Name,
    /// Too short, or too long to be hashed in good time.
    #[error("a password has 12 to 1024 characters")]
    Password,
}

/// Who has given something: a user, told from everybody else who had the name, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The account's name.
    pub account: String,
    /// See [`User::id`].
    pub id: String,
}

impl Owner {
    /// What everything that is given in the user's name is revoked by.
    pub fn credential(&self) -> String {
        format!("oauth/{}.{}", self.account, self.id)
    }
}

impl User {
    /// Who it is.
    pub fn owner(&self) -> Owner {
        Owner { account: self.name.to_string(), id: self.id.clone() }
    }

    /// Whether it can be a user's name. Names stand in records, keys and pages as they are.
    ///
    /// # Errors
    /// [`InvalidUser::Name`] when not.
    pub fn check_name(name: &str) -> Result<(), InvalidUser> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"._@+-".contains(&b);
        if (1..=64).contains(&name.len()) && name.bytes().all(legal) { Ok(()) } else { Err(InvalidUser::Name) }
    }

    /// Whether it can be a new password (NIST SP 800-63B: length is what counts).
    ///
    /// # Errors
    /// [`InvalidUser::Password`] when not.
    pub fn check_password(password: &str) -> Result<(), InvalidUser> {
        if password.chars().count() >= 12 && password.len() <= 1024 { Ok(()) } else { Err(InvalidUser::Password) }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_passwords_long() {
        for (name, ok) in
            [("alice", true), ("a.b+c@d-e_f", true), ("", false), ("a b", false), ("ä", false), ("a/b", false)]
        {
            assert_eq!(User::check_name(name).is_ok(), ok, "{name}");
        }
        assert!(User::check_name(&"a".repeat(65)).is_err());
        for (password, ok) in [("correct horse", true), ("elevenchars", false), ("ünïcödé-päss", true)] {
            assert_eq!(User::check_password(password).is_ok(), ok, "{password}");
        }
        assert!(User::check_password(&"a".repeat(1025)).is_err());
    }
}
