//! Signatures over a chain (Ed25519, RFC 8032).

use base64::{Engine, engine::general_purpose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Head;
use crate::keys::{PublicKey, Signer};

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

impl Checkpoint {
    /// Signs the chain of a log up to its head.
    pub fn sign(signer: &Signer, log: &str, head: Head, timestamp: Timestamp) -> Self {
        let signature = signer.sign(Self::text(log, head, timestamp).as_bytes());
        let signature = general_purpose::STANDARD.encode(signature);
        Self { timestamp, log: log.to_owned(), signature }
    }

    /// Whether it is the key's signature of a chain that stands at `head`.
    pub fn is_of(&self, key: &PublicKey, head: Head) -> bool {
        let text = Self::text(&self.log, head, self.timestamp);
        let signature = general_purpose::STANDARD.decode(&self.signature);
        signature.is_ok_and(|signature| key.verify(text.as_bytes(), &signature))
    }

    /// What is signed: five lines, namely what this is, the log, the number of the last line, its hash, the time.
    pub fn text(log: &str, Head { seq, hash }: Head, timestamp: Timestamp) -> String {
        format!("micro audit checkpoint 1\n{log}\n{seq}\n{hash}\n{timestamp}\n")
    }
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
}
