//! The keys of an issuer (RFC 7517), as far as they verify signatures.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, crypto};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Keys of a set that are read; no issuer has as many.
const MAX_KEYS: usize = 64;

/// Sizes of an RSA modulus, in bytes: weaker ones can be broken, larger ones take long to verify with.
const RSA_SIZE: std::ops::RangeInclusive<usize> = 256..=1024;

/// How a token is signed (RFC 7518 §3.1, RFC 8037). What is signed with a shared secret, or not at all, is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "they are names of the standard")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    /// With Ed25519, also called that (RFC 9864).
    #[serde(alias = "Ed25519")]
    EdDSA,
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDSA),
            _ => Self::ALL.into_iter().find(|algorithm| algorithm.name() == name),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The kind of key it goes with.
    fn kind(self) -> Kind {
        match self {
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => Kind::Rsa,
            Self::ES256 => Kind::P256,
            Self::ES384 => Kind::P384,
            Self::EdDSA => Kind::Ed25519,
        }
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// The public keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    kind: Kind,
    /// The only one it is for, when the issuer says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// The document is no key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no JSON Web Key Set")]
pub struct InvalidKeys;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys that are not for signatures, or of kinds nobody here verifies with, are left out, and
    /// so are shared secrets: what is published is none.
    ///
    /// # Errors
    /// When it is none at all.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidKeys> {
        let Document { keys } = serde_json::from_slice(json).map_err(|_| InvalidKeys)?;
        let keys = keys.into_iter().take(MAX_KEYS);
        Ok(Self(keys.filter_map(|key| Key::read(serde_json::from_str(key.get()).ok()?)).collect()))
    }

    /// Whether no key of it can verify anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key here has signed this: `None` when there is no key that it could be.
    pub(crate) fn verify(&self, id: Option<&str>, algorithm: Algorithm, signed: &str, signature: &str) -> Option<bool> {
        let fits = |key: &&Key| {
            key.kind == algorithm.kind()
                && key.algorithm.is_none_or(|only| only == algorithm)
                && id.is_none_or(|id| key.id.as_deref() == Some(id))
        };
        let mut keys = self.0.iter().filter(fits).peekable();
        keys.peek()?;
        let good = |key: &Key| crypto::verify(signature, signed.as_bytes(), &key.key, algorithm.into());
        Some(keys.any(|key| good(key).unwrap_or(false)))
    }
}

impl Key {
    fn read(jwk: Jwk) -> Option<Self> {
        let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !signs {
            return None;
        }
        let size = |text: &str| URL_SAFE_NO_PAD.decode(text).map(|bytes| bytes.len()).ok();
        let (kind, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (jwk.n?, jwk.e?);
                let fits = RSA_SIZE.contains(&size(&n)?) && size(&e)? <= 8;
                (Kind::Rsa, fits.then(|| DecodingKey::from_rsa_components(&n, &e))?.ok()?)
            }
            ("EC", Some(curve)) => {
                let (kind, bytes) = match curve {
                    "P-256" => (Kind::P256, 32),
                    "P-384" => (Kind::P384, 48),
                    _ => return None,
                };
                let (x, y) = (jwk.x?, jwk.y?);
                let fits = size(&x)? == bytes && size(&y)? == bytes;
                (kind, fits.then(|| DecodingKey::from_ec_components(&x, &y))?.ok()?)
            }
            ("OKP", Some("Ed25519")) => {
                let x = jwk.x?;
                (Kind::Ed25519, (size(&x)? == 32).then(|| DecodingKey::from_ed_components(&x))?.ok()?)
            }
            _ => return None,
        };
        // A key that says what it is for is for nothing else.
        let algorithm = match &jwk.alg {
            None => None,
            Some(name) => Some(Algorithm::named(name).filter(|algorithm| algorithm.kind() == kind)?),
        };
        Some(Self { id: jwk.kid, kind, algorithm, key })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_public_keys_for_signatures_are_read() {
        let bytes = |n: usize| URL_SAFE_NO_PAD.encode(vec![0xc3; n]);
        for (key, read) in [
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB"}), true),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "use": "sig", "alg": "PS256"}), true),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "use": "enc"}), false),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "key_ops": ["encrypt"]}), false),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "alg": "RSA-OAEP"}), false),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "alg": "HS256"}), false),
            (json!({"kty": "RSA", "n": bytes(256), "e": "AQAB", "alg": "none"}), false),
            (json!({"kty": "RSA", "n": bytes(128), "e": "AQAB"}), false),
            (json!({"kty": "RSA", "n": bytes(4096), "e": "AQAB"}), false),
            (json!({"kty": "RSA", "n": bytes(256), "e": bytes(64)}), false),
            (json!({"kty": "EC", "crv": "P-256", "x": bytes(32), "y": bytes(32)}), true),
            (json!({"kty": "EC", "crv": "P-256", "x": bytes(32), "y": bytes(32), "alg": "ES384"}), false),
            (json!({"kty": "EC", "crv": "P-256", "x": bytes(31), "y": bytes(32)}), false),
            (json!({"kty": "EC", "crv": "secp256k1", "x": bytes(32), "y": bytes(32)}), false),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": bytes(32)}), true),
            (json!({"kty": "OKP", "crv": "X25519", "x": bytes(32)}), false),
            (json!({"kty": "oct", "k": bytes(32), "alg": "HS256"}), false),
            (json!({"kty": 7}), false),
            (json!("key"), false),
        ] {
            let set = KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
            assert_eq!(!set.is_empty(), read, "{key}");
        }
    }

    #[test]
    fn what_is_no_key_set_is_said_to_be_none() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert_eq!(KeySet::parse(text.as_bytes()).map(|_| ()), Err(InvalidKeys), "{text}");
        }
    }

    #[test]
    fn the_fuzz_corpus_never_panics() {
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/key_set")).unwrap() {
            let path = file.unwrap().path();
            let keys = KeySet::parse(&std::fs::read(&path).unwrap()).map_or(0, |keys| keys.0.len());
            let expected = match path.file_name().and_then(|name| name.to_str()) {
                Some("rsa" | "ec" | "ed" | "private") => 1,
                Some("many") => MAX_KEYS,
                _ => 0,
            };
            assert_eq!(keys, expected, "{}", path.display());
        }
    }
}
