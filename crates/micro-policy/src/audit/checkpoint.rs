//! Signatures over a chain (Ed25519, RFC 8032).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::{Engine, engine::general_purpose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Head;

/// Says, in the log itself, that the chain up to the line before it is as the key's owner wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// When it was signed.
    pub timestamp: Timestamp,
    /// Of which log, so that one does not pass for another's.
    pub log: String,
    /// The signature of [`Checkpoint::text`], in base64.
    pub signature: String,
}

/// The key that checkpoints are signed with. Its text form is PEM (PKCS #8, RFC 5958), which OpenSSL reads too.
pub struct Signer(Ed25519KeyPair);

/// The key that they are checked with. Its text form is PEM (SubjectPublicKeyInfo, RFC 8410).
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

impl Checkpoint {
    /// Signs the chain of a log up to its head.
    pub fn sign(signer: &Signer, log: &str, head: Head, timestamp: Timestamp) -> Self {
        let signature = signer.0.sign(Self::text(log, head, timestamp).as_bytes());
        let signature = general_purpose::STANDARD.encode(signature);
        Self { timestamp, log: log.to_owned(), signature }
    }

    /// Whether it is the key's signature of a chain that stands at `head`.
    pub fn is_of(&self, key: &PublicKey, head: Head) -> bool {
        let text = Self::text(&self.log, head, self.timestamp);
        let signature = general_purpose::STANDARD.decode(&self.signature);
        signature.is_ok_and(|signature| key.parsed.verify_sig(text.as_bytes(), &signature).is_ok())
    }

    /// What is signed: five lines, namely what this is, the log, the number of the last line, its hash, the time.
    pub fn text(log: &str, Head { seq, hash }: Head, timestamp: Timestamp) -> String {
        format!("micro audit checkpoint 1\n{log}\n{seq}\n{hash}\n{timestamp}\n")
    }
}

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
    use crate::Digest;

    #[test]
    fn a_checkpoint_is_good_for_one_key_one_log_one_head_and_one_time() {
        let (signer, _) = Signer::generate();
        let (key, other) = (signer.public(), Signer::generate().0.public());
        let head = Head { seq: 7, hash: Digest::of(b"7") };
        let good = Checkpoint::sign(&signer, "log", head, Timestamp::UNIX_EPOCH);
        assert!(good.is_of(&key, head));
        assert!(!good.is_of(&other, head));
        assert!(!good.is_of(&key, Head { seq: 8, ..head }));
        assert!(!good.is_of(&key, Head { hash: Digest::of(b"8"), ..head }));
        for bad in [
            Checkpoint { log: "other".into(), ..good.clone() },
            Checkpoint { timestamp: Timestamp::MAX, ..good.clone() },
            Checkpoint { signature: "AAAA".into(), ..good.clone() },
            Checkpoint { signature: "?".into(), ..good },
        ] {
            assert!(!bad.is_of(&key, head), "{bad:?}");
        }
    }

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
