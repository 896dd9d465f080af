//! Tokens that are of no use without the client's key (RFC 9449).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, Header, jwk::Jwk, jwk::ThumbprintHash};
use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    error::Error,
    jwt::{SigningKey, now},
    pkce,
    secret::Secret,
};

/// The header of a proof.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The header with which a server gives the next nonce.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Servers whose nonces are remembered: the MCP server, its authorization server, and some that came before.
const MAX_NONCES: usize = 8;

/// Longest nonce that is sent back, in bytes.
const MAX_NONCE: usize = 1024;

/// When tokens are bound to a key of the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dpop {
    /// When the MCP server asks for it and the authorization server does it.
    #[default]
    Auto,
    /// Always; an authorization server that gives plain tokens is an error.
    Always,
    /// Never.
    Never,
}

/// A client's key and the nonces that servers gave.
#[derive(Debug)]
pub(crate) struct Proofs {
    key: SigningKey,
    public: Jwk,
    nonces: Mutex<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl Proofs {
    /// Proofs of the key in this PKCS#8, which is kept as base64url.
    pub(crate) fn new(pkcs8: &Secret) -> Result<Self, Error> {
        let der = URL_SAFE_NO_PAD.decode(pkcs8.expose()).map_err(|_| Error::Key)?;
        let key = SigningKey::from_pkcs8(&der)?;
        Ok(Self { public: key.public()?, key, nonces: Mutex::default() })
    }

    /// A fresh key, as [`Self::new`] takes it.
    pub(crate) fn fresh_key() -> Result<Secret, Error> {
        Ok(URL_SAFE_NO_PAD.encode(SigningKey::generate()?).into())
    }

    /// The key's thumbprint, by which an authorization code is bound to it (section 10).
    pub(crate) fn thumbprint(&self) -> Result<String, Error> {
        self.public.thumbprint(ThumbprintHash::SHA256).map_err(|_| Error::Key)
    }

    /// A proof for one request (section 4.2), bound to the token that goes with it.
    pub(crate) fn proof(&self, method: &str, url: &Url, token: Option<&Secret>) -> Result<HeaderValue, Error> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let claims = Claims {
            jti: pkce::random(),
            htm: method,
            htu: target.as_str(),
            iat: now(),
            ath: token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose()))),
            nonce: self.nonces.lock().get(&origin(url)).cloned(),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let mut value = HeaderValue::try_from(self.key.sign(&header, &claims)?).map_err(|_| Error::Key)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Remembers the nonce that an answer gives, for the next request to the same server. Whether it is a new one.
    pub(crate) fn learn(&self, url: &Url, headers: &HeaderMap) -> bool {
        let nonce = headers.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok());
        let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty() && nonce.len() <= MAX_NONCE) else { return false };
        let mut nonces = self.nonces.lock();
        let origin = origin(url);
        if nonces.len() >= MAX_NONCES && !nonces.contains_key(&origin) {
            nonces.clear();
        }
        nonces.insert(origin, nonce.to_owned()).as_deref() != Some(nonce)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    use super::*;

    /// The claims of a proof, once its signature holds under the key it names.
    fn opened(proof: &HeaderValue) -> Value {
        let proof = proof.to_str().unwrap();
        let header = decode_header(proof).unwrap();
        assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
        let public = header.jwk.unwrap();
        assert!(!serde_json::to_string(&public).unwrap().contains(r#""d""#));
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        decode(proof, &DecodingKey::from_jwk(&public).unwrap(), &validation).unwrap().claims
    }

    #[test]
    fn a_proof_names_the_request_the_token_and_the_servers_nonce() {
        let proofs = Proofs::new(&Proofs::fresh_key().unwrap()).unwrap();
        let url = Url::parse("https://a/mcp?x=1#y").unwrap();
        let claims = opened(&proofs.proof("POST", &url, None).unwrap());
        assert_eq!((&claims["htm"], &claims["htu"]), (&"POST".into(), &"https://a/mcp".into()));
        assert!(claims["ath"].is_null() && claims["nonce"].is_null() && claims["iat"].is_u64());

        let mut headers = HeaderMap::new();
        assert!(!proofs.learn(&url, &headers));
        headers.insert(DPOP_NONCE, HeaderValue::from_static("n1"));
        assert!(proofs.learn(&url, &headers));
        assert!(!proofs.learn(&url, &headers), "the same nonce again is nothing new");
        let token = Secret::from("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let again = opened(&proofs.proof("POST", &url, Some(&token)).unwrap());
        assert_eq!(again["nonce"], "n1");
        assert_eq!(again["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo", "RFC 9449 section 7.1");
        assert_ne!(again["jti"], claims["jti"]);

        let other = Url::parse("https://b/mcp").unwrap();
        assert!(opened(&proofs.proof("GET", &other, None).unwrap())["nonce"].is_null());
    }

    #[test]
    fn a_key_stays_the_same_when_kept() {
        let key = Proofs::fresh_key().unwrap();
        let print = |key| Proofs::new(key).unwrap().thumbprint().unwrap();
        assert_eq!(print(&key), print(&key));
        assert_ne!(print(&key), print(&Proofs::fresh_key().unwrap()));
        assert!(Proofs::new(&"AAAA".into()).is_err());
    }
}
