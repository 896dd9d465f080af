//! In place of `gateway_keys.rs` where that is not built: a service that is given a key does not start.

use http::HeaderMap;
use micro_core::{Error, Metadata, Result};

/// Public keys of gateways: there are none.
#[derive(Debug, Clone)]
pub enum GatewayKeys {}

impl GatewayKeys {
    /// Reads keys.
    ///
    /// # Errors
    /// Always.
    pub fn from_pem(_: &str) -> Result<Self> {
        Err(Error::bad_request("gateway keys need a service that is built with the feature `assertions`"))
    }

    pub(crate) fn apply(&self, _: &mut Metadata, _: &HeaderMap, _: &str) -> Result<()> {
        match *self {}
    }
}
