//! Texts that must not be shown, and the digests they are known by.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::Digest;

/// A secret text. Printing it shows nothing; comparing goes through a digest.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Shortest token that is accepted, in bytes: anything shorter can be guessed.
    pub const MIN_LEN: usize = 16;

    /// Wraps a token.
    ///
    /// # Errors
    /// When it is too short to be one.
    pub fn new(token: impl Into<String>) -> Result<Self, InvalidToken> {
        let token = token.into();
        if token.len() < Self::MIN_LEN { Err(InvalidToken) } else { Ok(Self(token)) }
    }

    /// The token itself, for the one place that has to show or send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What it is known by.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// The time it takes tells nothing about where two secrets differ.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Secret {}

/// A token that is too short to be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token must have at least {} characters; make one with `openssl rand -hex 32`", Secret::MIN_LEN)]
pub struct InvalidToken;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// It may be written, and is never read back: `writeOnly`.
impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": Self::MIN_LEN, "writeOnly": true})
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let token = Secret::new("correct-horse-battery").unwrap();
        assert!(!format!("{token:?}").contains("horse"));
        assert_eq!(token, Secret::new("correct-horse-battery").unwrap());
        assert_ne!(token, Secret::new("correct-horse-batterz").unwrap());
    }

    #[test]
    fn a_guessable_token_is_refused() {
        assert_eq!(Secret::new("secret"), Err(InvalidToken));
    }
}
