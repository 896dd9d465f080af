//! Sealed tokens: what a server hands out and must recognise, kept by the client instead of a store.

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// One key of 32 bytes.
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
        Self(random())
    }

    /// A key written as 64 hexadecimal digits, as `openssl rand -hex 32` prints it.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |b: u8| char::from(b).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The keys of a server's tokens, newest first: the newest seals, all open. Cheap to clone.
///
/// Replicas that share a ring accept each other's session ids, cursors, states and task ids without a
/// shared store. To change keys without a token lost: add the new one *after* the old one everywhere,
/// then before it everywhere, and take the old one out when the last token it sealed has expired.
///
/// Tokens are AES-256-GCM with random nonces: change keys before 2^32 tokens (NIST SP 800-38D, 8.3).
///
/// ```
/// # use micro_mcp::{Key, KeyRing};
/// let old = KeyRing::new([Key::new([1; 32])])?;
/// let token = old.seal("invitation", b"ada");
/// let new = KeyRing::new([Key::new([2; 32]), Key::new([1; 32])])?; // the newest first
/// let (_, text) = new.open("invitation", &token).expect("sealed by a key that is still known");
/// assert_eq!(text, b"ada");
/// assert!(new.open("ticket", &token).is_none()); // sealed for another purpose
/// # Ok::<(), micro_mcp::InvalidKeys>(())
/// ```
#[derive(Clone)]
pub struct KeyRing(Arc<[Sealer]>);

/// A key ready for use, and the name its tokens know it by.
struct Sealer {
    id: [u8; KEY_ID],
    cipher: Aes256Gcm,
}

/// Why a text is no key ring. Says nothing of what the text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// There is no key in it.
    #[error("there is no key")]
    Empty,
    /// A line is no key.
    #[error("line {0} is no key: 64 hexadecimal digits")]
    Line(usize),
}

/// Length of what names a key in its tokens.
const KEY_ID: usize = 4;
/// Length of a token's nonce, which is also its name.
pub(crate) const NONCE: usize = 12;

impl KeyRing {
    /// These keys, newest first.
    ///
    /// # Errors
    /// [`InvalidKeys::Empty`] when there is none.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, InvalidKeys> {
        let sealers: Arc<[Sealer]> = keys.into_iter().map(|key| Sealer::new(&key)).collect();
        if sealers.is_empty() { Err(InvalidKeys::Empty) } else { Ok(Self(sealers)) }
    }

    /// One key of this process's own: nobody else opens its tokens, and nobody does after a restart.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn random() -> Self {
        Key::random().into()
    }

    /// Reads a key file: a key of 64 hexadecimal digits a line, newest first. Empty lines and what
    /// follows a `#` are skipped.
    ///
    /// # Errors
    /// When a line is something else, or there is no key.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.split('#').next().unwrap_or("").trim()));
        let keys = lines.filter(|(_, line)| !line.is_empty());
        let keys = keys.map(|(number, line)| Key::from_hex(line).ok_or(InvalidKeys::Line(number)));
        Self::new(keys.collect::<Result<Vec<_>, _>>()?)
    }

    /// Seals a text for a purpose. Only URL-safe characters come out. Purposes that begin with `mcp-`
    /// are this crate's.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let sealer = &self.0[0];
        let nonce: [u8; NONCE] = random();
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = sealer.cipher.encrypt(&Nonce::from(nonce), payload).expect("a text in memory can be sealed");
        URL_SAFE_NO_PAD.encode([&sealer.id[..], &nonce, &sealed].concat())
    }

    /// The nonce and the text of a token sealed for this purpose by one of the keys; `None` for anything
    /// else. The nonce can serve as the token's name.
    pub fn open(&self, purpose: &str, token: &str) -> Option<([u8; NONCE], Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, rest) = bytes.split_first_chunk::<KEY_ID>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let payload = || Payload { msg: sealed, aad: purpose.as_bytes() };
        // Two keys may happen to share a name; only one of them opens.
        let mut named = self.0.iter().filter(|sealer| sealer.id == *id);
        let plain = named.find_map(|sealer| sealer.cipher.decrypt(&Nonce::from(*nonce), payload()).ok())?;
        Some((*nonce, plain))
    }
}

impl From<Key> for KeyRing {
    fn from(key: Key) -> Self {
        Self(Arc::new([Sealer::new(&key)]))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.0.len())
    }
}

impl Sealer {
    fn new(key: &Key) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"mcp-key-id");
        hash.update(key.0);
        let id = *hash.finalize().first_chunk().expect("a digest is longer");
        Self { id, cipher: Aes256Gcm::new(&key.0.into()) }
    }
}

/// Random bytes nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

#[cfg(test)]
mod tests;
