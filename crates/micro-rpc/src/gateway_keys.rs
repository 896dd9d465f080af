//! The gateways that a service trusts to say who calls.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use http::{HeaderMap, header::ToStrError};
use micro_core::{Error, Metadata, Result, header};
use micro_policy::{PublicKey, Trust};

/// Public keys of gateways. A service that has some takes who calls from what those gateways signed, and from nothing
/// else. Clones are the same keys.
#[derive(Debug, Clone)]
pub struct GatewayKeys(Arc<Trust>);

impl GatewayKeys {
    /// Reads PEM texts (SubjectPublicKeyInfo, RFC 8410), one behind the other.
    ///
    /// # Errors
    /// When there is none, or one is no Ed25519 key.
    pub fn from_pem(text: &str) -> Result<Self> {
        const END: &str = "-----END PUBLIC KEY-----";
        let keys = text.split_inclusive(END).filter(|part| !part.trim().is_empty()).map(PublicKey::from_pem);
        match keys.collect::<Result<Vec<_>, _>>() {
            Ok(keys) if !keys.is_empty() => Ok(Self(Arc::new(Trust::new(keys)))),
            _ => Err(Error::bad_request("the gateway's key is not an Ed25519 public key in PEM form")),
        }
    }

    /// Takes who calls from the assertion alone.
    pub(crate) fn apply(&self, metadata: &mut Metadata, headers: &HeaderMap, service: &str) -> Result<()> {
        let mut shown = headers.get_all(header::ASSERTION).iter().map(|value| value.to_str());
        let text: Option<Result<&str, ToStrError>> = shown.next();
        let refused = |why: &str| Error::unauthorized(format!("the gateway's assertion is not taken: {why}"));
        if shown.next().is_some() {
            return Err(refused("there are two"));
        }
        let text = text.transpose().map_err(|_| refused("malformed"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.0.apply(metadata, text, service, now).map_err(|error| refused(&error.to_string()))
    }
}
