//! API keys: what one looks like, and what is kept of it.
//!
//! `mk_` + id + `_` + secret + checksum. The id finds the key in a store, the secret proves it, and the checksum, which
//! is no secret, lets a mistyped key, or one found in some text, be told from others without asking anybody.

use std::fmt;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, Identity, Rejection, Scopes, Secret};

/// What every key begins with.
const PREFIX: &str = "mk_";

/// Characters of an id, of a secret (256 bits in base 62), of a checksum.
const ID: usize = 12;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// The digits of base 62.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random bytes that a new key is made of.
pub const ENTROPY: usize = (ID + SECRET) * 2;

/// A key in its form, as a caller shows it. Nothing of it has been proved.
#[derive(Clone, Copy)]
pub struct ApiKey<'a> {
    text: &'a str,
    id: &'a str,
}

/// Shows the id, which is public.
impl fmt::Debug for ApiKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.id)
    }
}

impl<'a> ApiKey<'a> {
    /// Reads a key. `None` when it has not the form of one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let fits = rest.len() == ID + 1 + SECRET + CHECKSUM && rest.is_ascii();
        let (id, secret) = fits.then(|| rest.split_once('_'))??;
        let digits = |part: &str| part.bytes().all(|byte| DIGITS.contains(&byte));
        let (body, sum) = text.split_at(text.len() - CHECKSUM);
        let good = id.len() == ID && digits(id) && digits(secret) && sum.as_bytes() == checksum(body.as_bytes());
        good.then_some(Self { text, id })
    }

    /// What the key is known by. No secret.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// A new key, made of random bytes.
    pub fn generate(random: &[u8; ENTROPY]) -> Secret {
        let mut digits = random.chunks_exact(2).map(|pair| {
            // Of 65,536 values 62 do not divide a remainder of 2: a bias of one in 30,000, which no guess profits of.
            let value = u16::from_be_bytes([pair[0], pair[1]]) % 62;
            char::from(DIGITS[usize::from(value)])
        });
        let id: String = digits.by_ref().take(ID).collect();
        let secret: String = digits.collect();
        let body = format!("{PREFIX}{id}_{secret}");
        let sum = checksum(body.as_bytes());
        Secret::new(format!("{body}{}", String::from_utf8_lossy(&sum))).expect("long enough")
    }

    /// What is kept of the key: nothing that it could be found out from, even with the store in hand.
    pub fn hash(&self, pepper: &Pepper) -> String {
        let tag = hmac::sign(&pepper.0, self.text.as_bytes());
        Digest::from(<[u8; 32]>::try_from(tag.as_ref()).expect("HMAC-SHA-256 has 32 bytes")).to_string()
    }
}

/// The secret that keys are hashed with. Without it what a store holds says nothing about any key.
pub struct Pepper(hmac::Key);

impl Pepper {
    /// From at least 16 secret bytes.
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= 16).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: String,
    /// Its hash, in hex.
    pub hash: String,
    /// The account that it stands for.
    pub account: String,
    /// What the account may do with it.
    #[serde(default)]
    pub scopes: Scopes,
    /// The roles that it gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The tenant that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is good no more; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was taken back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// The key that took its place, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

impl ApiKeyRecord {
    /// What a key is revoked by.
    pub fn credential(id: &str) -> String {
        format!("key/{id}")
    }

    /// Whose key this is, if it is good.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, key: &ApiKey<'_>, pepper: &Pepper, now: Timestamp) -> Result<Identity, Rejection> {
        if !self.is_of(key, pepper) {
            return Err(Rejection::Invalid);
        }
        if self.revoked.is_some_and(|since| since <= now) {
            return Err(Rejection::Revoked);
        }
        let identity = Identity {
            scopes: Some(self.scopes.clone()),
            roles: self.roles.iter().map(|role| role.as_str().into()).collect(),
            tenant: self.tenant.as_deref().map(Into::into),
            expires: [self.expires, self.revoked].into_iter().flatten().min(),
            ..Identity::named(self.account.as_str(), Self::credential(&self.id))
        };
        if identity.expired(now) { Err(Rejection::Expired) } else { Ok(identity) }
    }

    /// Takes the same time whatever differs.
    fn is_of(&self, key: &ApiKey<'_>, pepper: &Pepper) -> bool {
        let tag = Digest::from_hex(self.hash.as_bytes());
        tag.is_some_and(|tag| hmac::verify(&pepper.0, key.text.as_bytes(), tag.bytes()).is_ok())
    }
}

/// CRC-32 (IEEE) in base 62, the highest digit first.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let odd = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xedb8_8320 & odd);
        }
    }
    let mut rest = !crc;
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(seed: u8) -> [u8; ENTROPY] {
        std::array::from_fn(|at| seed.wrapping_mul(31).wrapping_add(u8::try_from(at).unwrap_or(0).wrapping_mul(73)))
    }

    fn pepper() -> Pepper {
        Pepper::new(b"a pepper of some length").unwrap()
    }

    fn record(key: &Secret) -> ApiKeyRecord {
        let key = ApiKey::parse(key.reveal()).unwrap();
        ApiKeyRecord {
            id: key.id().to_owned(),
            hash: key.hash(&pepper()),
            account: "agent".into(),
            scopes: ["notes:read"].into_iter().collect(),
            roles: vec!["reader".into()],
            tenant: Some("acme".into()),
            created: at(0),
            expires: None,
            revoked: None,
            replaced_by: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_checksum_is_crc_32() {
        let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte).unwrap() as u64;
        let value = checksum(b"123456789").iter().fold(0, |sum, byte| sum * 62 + digit(*byte));
        assert_eq!(value, 0xcbf4_3926);
    }

    #[test]
    fn a_key_is_recognised_and_any_slip_of_the_pen_too() {
        let key = ApiKey::generate(&entropy(1));
        let text = key.reveal();
        assert_eq!((text.len(), &text[..3]), (65, "mk_"));
        assert_eq!(ApiKey::parse(text).unwrap().id(), &text[3..15]);
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(ApiKey::parse(std::str::from_utf8(&changed).unwrap()).is_none(), "changed at {at}");
        }
        for other in ["", "mk_", &text[..64], &format!("{text}0"), &text.replace('_', "-"), &"ä".repeat(33)] {
            assert!(ApiKey::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_key_opens_its_own_record_and_no_other() {
        let (key, other) = (ApiKey::generate(&entropy(1)), ApiKey::generate(&entropy(2)));
        let shown = ApiKey::parse(key.reveal()).unwrap();
        let identity = record(&key).verify(&shown, &pepper(), at(10)).unwrap();
        assert_eq!((&*identity.account, identity.tenant.as_deref()), ("agent", Some("acme")));
        assert_eq!(&*identity.credential, ApiKeyRecord::credential(shown.id()));
        assert!(identity.roles.contains("reader"));
        let refused = |record: ApiKeyRecord, pepper: &Pepper| record.verify(&shown, pepper, at(10)).unwrap_err();
        assert_eq!(refused(record(&other), &pepper()), Rejection::Invalid);
        assert_eq!(refused(record(&key), &Pepper::new(b"another pepper, as long").unwrap()), Rejection::Invalid);
        for hash in ["", "00", "no hex at all, but as long as one would be if it were hex digits"] {
            assert_eq!(refused(ApiKeyRecord { hash: hash.into(), ..record(&key) }, &pepper()), Rejection::Invalid);
        }
    }

    #[test]
    fn a_key_ends_when_it_expires_or_is_taken_back() {
        let key = ApiKey::generate(&entropy(1));
        let shown = ApiKey::parse(key.reveal()).unwrap();
        for (expires, revoked, now, expected) in [
            (None, None, i64::from(u32::MAX), None),
            (Some(100), None, 99, None),
            (Some(100), None, 100, Some(Rejection::Expired)),
            (None, Some(100), 99, None),
            (None, Some(100), 100, Some(Rejection::Revoked)),
            (Some(50), Some(100), 60, Some(Rejection::Expired)),
            (Some(50), Some(40), 60, Some(Rejection::Revoked)),
        ] {
            let record = ApiKeyRecord { expires: expires.map(at), revoked: revoked.map(at), ..record(&key) };
            assert_eq!(record.verify(&shown, &pepper(), at(now)).err(), expected, "{expires:?} {revoked:?} {now}");
        }
    }

    #[test]
    fn nothing_of_a_key_is_printed_or_kept() {
        let key = ApiKey::generate(&entropy(1));
        let shown = ApiKey::parse(key.reveal()).unwrap();
        let secret = &key.reveal()[16..59];
        assert!(!format!("{key:?}{shown:?}{:?}{:?}", pepper(), record(&key)).contains(secret));
        assert!(!serde_json::to_string(&record(&key)).unwrap().contains(secret));
    }

    #[test]
    fn one_text_of_the_fuzz_corpus_is_a_key() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/api_key")).unwrap();
        let texts: Vec<_> = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let keys = texts.iter().filter_map(|text| ApiKey::parse(text)).map(|key| key.id());
        assert_eq!(keys.collect::<Vec<_>>(), ["abcDEF012345"]);
    }
}
