//! Sealed tokens: what a server hands out and must recognise, kept by the client instead of a store.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The key of a server's tokens. Replicas that share it accept each other's.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A given key of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key of this process's own.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        Self(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Length of a token's nonce, which is also its name.
pub(crate) const NONCE: usize = 12;

/// Seals and opens tokens (AES-256-GCM, base64url). A token of one purpose is none of another.
pub(crate) struct Sealer(Aes256Gcm);

impl Sealer {
    pub(crate) fn new(key: &Key) -> Self {
        Self(Aes256Gcm::new(&key.0.into()))
    }

    /// Seals a text. Only URL-safe characters come out.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: purpose.as_bytes() })
            .expect("a short text can be sealed");
        let mut token = nonce.to_vec();
        token.extend(sealed);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The text and nonce of a token of ours; `None` for anything else.
    pub(crate) fn open(&self, purpose: &str, token: &str) -> Option<([u8; NONCE], Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let plain = self.0.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: purpose.as_bytes() }).ok()?;
        Some((nonce, plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_its_key_and_purpose_only() {
        let key = Key::random();
        let token = Sealer::new(&key).seal("session", b"text");
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(Sealer::new(&key).open("session", &token).unwrap().1, b"text");
        assert!(Sealer::new(&key).open("cursor", &token).is_none());
        assert!(Sealer::new(&Key::random()).open("session", &token).is_none());
        for wrong in ["", "x", "ü", &token[1..], &format!("{token}A")] {
            assert!(Sealer::new(&key).open("session", wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
