//! TLS on the listeners: the `[gateway.tls]` table, and whom client certificates stand for.

use std::path::PathBuf;

use micro_policy::Scopes;
use micro_runtime::http::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;

/// TLS on every listener: the `[gateway.tls]` table. Files are PEM; new ones are taken as they come.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The gateway's certificate, and those between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose client certificates are taken (mTLS). Default: none, and no client is asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate cannot connect. Default: it can, and shows another credential.
    #[serde(default)]
    pub client_required: bool,
}

impl From<&TlsConfig> for TlsFiles {
    fn from(config: &TlsConfig) -> Self {
        Self {
            certificate: config.certificate.clone(),
            key: config.key.clone(),
            client_authority: config.client_ca.clone(),
            client_required: config.client_required,
        }
    }
}

/// Whom client certificates stand for: an entry of `[[gateway.auth.certificates]]`. The first that fits counts. A
/// certificate that none fits stands for an account of its own name, without scopes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateConfig {
    /// The name in the certificate: its SPIFFE id, else its subject's common name. `*` at the end stands for any
    /// further characters.
    pub name: String,
    /// The account it stands for. Default: the name in the certificate.
    pub account: Option<String>,
    /// What the account may do. Default: nothing that needs a scope.
    #[serde(default)]
    pub scopes: Scopes,
    /// The roles it has. Default: none.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The tenant it belongs to. Default: none.
    pub tenant: Option<String>,
}

impl CertificateConfig {
    /// Whether it speaks of the certificate of this name.
    pub(crate) fn fits(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.name,
        }
    }
}
