//! Static bearer tokens: a table from digest to identity.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use crate::Identity;

/// A secret text. Printing it shows nothing; comparing goes through a digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Shortest token that is accepted, in bytes: anything shorter can be guessed.
    pub const MIN_LEN: usize = 16;

    /// Wraps a token.
    pub fn new(token: impl Into<String>) -> Result<Self, InvalidToken> {
        let token = token.into();
        if token.len() < Self::MIN_LEN { Err(InvalidToken) } else { Ok(Self(token)) }
    }

    /// The token itself, for the one place that has to show or send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A token that is too short to be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token must have at least {} characters; make one with `openssl rand -hex 32`", Secret::MIN_LEN)]
pub struct InvalidToken;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The tokens a gateway knows.
///
/// Only digests are kept. A lookup goes by the digest of what the caller sent, so the time it takes
/// tells nothing about how near a guess was.
#[derive(Debug, Clone, Default)]
pub struct Tokens(HashMap<[u8; 32], Arc<Identity>>);

impl Tokens {
    /// Adds a token. The last identity of a token wins.
    pub fn insert(&mut self, token: &Secret, identity: Identity) {
        self.0.insert(digest(token.reveal()), Arc::new(identity));
    }

    /// Whose token it is.
    pub fn identify(&self, token: &str) -> Option<&Arc<Identity>> {
        self.0.get(&digest(token))
    }

    /// Whether no token is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_and_never_printed() {
        let token = Secret::new("correct-horse-battery").unwrap();
        let mut tokens = Tokens::default();
        tokens.insert(&token, Identity { account: "alice".into(), scopes: Some(["a"].into_iter().collect()) });
        assert_eq!(&*tokens.identify("correct-horse-battery").unwrap().account, "alice");
        assert_eq!(tokens.identify("correct-horse-batterz"), None);
        assert!(!format!("{tokens:?}{token:?}").contains("horse"));
    }

    #[test]
    fn a_guessable_token_is_refused() {
        assert_eq!(Secret::new("secret"), Err(InvalidToken));
    }
}
