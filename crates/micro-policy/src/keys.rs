//! Keys to sign with, and to check signatures with (Ed25519, RFC 8032).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::{Engine, engine::general_purpose};

/// A key to sign with. Its text form is PEM (PKCS #8, RFC 5958), which OpenSSL reads too.
pub struct Signer(Ed25519KeyPair);

/// The key that signatures are checked with. Its text form is PEM (SubjectPublicKeyInfo, RFC 8410).
#[derive(Debug, Clone)]
pub struct PublicKey {
    bytes: [u8; 32],
    parsed: ParsedPublicKey,
}

/// A text that is no Ed25519 key in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key in PEM form")]
pub struct InvalidKey;

/// What stands before the 32 bytes of an Ed25519 key (RFC 8410 §4): two sequences, the algorithm, a bit string.
const KEY_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl Signer {
    /// A new key, and its PEM: that is the secret.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn generate() -> (Self, String) {
        let key = Ed25519KeyPair::generate().expect("the system has randomness");
        let der = key.to_pkcs8v1().expect("a new key can be written down");
        (Self(key), pem("PRIVATE KEY", der.as_ref()))
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        Ed25519KeyPair::from_pkcs8(&der("PRIVATE KEY", text)?).map(Self).map_err(|_| InvalidKey)
    }

    /// Signs something.
    pub(crate) fn sign(&self, text: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.0.sign(text)
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        let bytes = self.0.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes");
        PublicKey::new(bytes).expect("the key pair has been checked")
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl PublicKey {
    fn new(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        let parsed = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| InvalidKey)?;
        Ok(Self { bytes, parsed })
    }

    /// Whether this is the key's signature of a text.
    pub(crate) fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(text, signature).is_ok()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let der = der("PUBLIC KEY", text)?;
        Self::new(der.strip_prefix(&KEY_INFO).and_then(|key| key.try_into().ok()).ok_or(InvalidKey)?)
    }

    /// Its text.
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &[&KEY_INFO[..], &self.bytes].concat())
    }
}

/// RFC 7468. Keys of this kind fit into one line.
fn pem(label: &str, der: &[u8]) -> String {
    let body = general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn der(label: &str, text: &str) -> Result<Vec<u8>, InvalidKey> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----")).ok_or(InvalidKey)?;
    let body = body.strip_suffix(&format!("-----END {label}-----")).ok_or(InvalidKey)?;
    let body: String = body.split_ascii_whitespace().collect();
    general_purpose::STANDARD.decode(body).map_err(|_| InvalidKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_from_their_text() {
        let (signer, text) = Signer::generate();
        let key = Signer::from_pem(&text).unwrap().public();
        assert_eq!(key.to_pem(), signer.public().to_pem());
        assert_eq!(PublicKey::from_pem(&key.to_pem()).unwrap().bytes, key.bytes);
        assert!(!format!("{signer:?}").contains(text.lines().nth(1).unwrap()));
        for bad in ["", "x", &text[5..], &text.replace("PRIVATE", "PUBLIC"), &text.replace('M', "N")] {
            assert!(Signer::from_pem(bad).is_err() && PublicKey::from_pem(bad).is_err(), "{bad}");
        }
    }
}
