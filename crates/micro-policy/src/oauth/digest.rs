//! What is kept of a secret.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret that cannot be guessed, in base64url. Enough to know it again, of no use to whoever reads
/// the store.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a text.
    pub fn of(secret: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(crate::Digest::of(secret.as_bytes()).bytes()))
    }

    /// The digest as a name in a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the digest of this text; takes as long for a near guess as for a far one.
    pub fn is_of(&self, secret: &str) -> bool {
        self.0.as_bytes().ct_eq(Self::of(secret).0.as_bytes()).into()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}
