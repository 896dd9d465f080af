//! Tokens that the client signs itself: assertions of who it is (RFC 7523) and proofs of its key (RFC 9449).

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{rand::SystemRandom, signature};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde::Serialize;

use super::{error::Error, pkce};

/// How long an assertion is good, in seconds.
const LIFETIME: u64 = 120;

/// A private key and how it signs.
#[derive(Clone)]
pub(crate) struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl SigningKey {
    /// A key in PEM: PKCS#8 with P-256 (ES256) or P-384 (ES384), or RSA (RS256).
    ///
    /// # Errors
    /// [`Error::Key`] when it is none of these.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, Error> {
        let ec = |algorithm| Some((EncodingKey::from_ec_pem(pem.as_bytes()).ok()?, algorithm));
        let rsa = || Some((EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?, Algorithm::RS256));
        [ec(Algorithm::ES256), ec(Algorithm::ES384), rsa()]
            .into_iter()
            .flatten()
            .map(|(key, algorithm)| Self { key, algorithm })
            // A key of another curve is read as well, but does not sign.
            .find(|key| key.sign(&Header::new(key.algorithm), &()).is_ok())
            .ok_or(Error::Key)
    }

    /// A key in PKCS#8 with P-256.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let key = Self { key: EncodingKey::from_ec_der(der), algorithm: Algorithm::ES256 };
        key.sign(&Header::new(Algorithm::ES256), &())?;
        Ok(key)
    }

    /// A fresh key's PKCS#8 (P-256).
    pub(crate) fn generate() -> Result<Vec<u8>, Error> {
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
        Ok(document.map_err(|_| Error::Key)?.as_ref().to_vec())
    }

    /// The public half.
    pub(crate) fn public(&self) -> Result<Jwk, Error> {
        Jwk::from_encoding_key(&self.key, self.algorithm).map_err(|_| Error::Key)
    }

    pub(crate) fn sign(&self, header: &Header, claims: &impl Serialize) -> Result<String, Error> {
        encode(header, claims, &self.key).map_err(|_| Error::Key)
    }

    /// Says to this audience who the client is (RFC 7523 section 3).
    pub(crate) fn assertion(&self, client: &str, audience: &str) -> Result<String, Error> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iss: &'a str,
            sub: &'a str,
            aud: &'a str,
            jti: String,
            iat: u64,
            exp: u64,
        }
        let iat = now();
        let claims = Claims {
            iss: client,
            sub: client,
            aud: audience,
            jti: pkce::random(),
            iat,
            exp: iat.saturating_add(LIFETIME),
        };
        self.sign(&Header::new(self.algorithm), &claims)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
