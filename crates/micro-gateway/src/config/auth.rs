//! Who may call: the `[gateway.auth]` table.

use std::{net::SocketAddr, path::PathBuf};

use micro_policy::{Algorithm, Claims, Pepper, Scopes, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use super::EmbeddedConfig;
use crate::{CertificateConfig, InvalidConfig};

/// Who may call: the `[gateway.auth]` table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// When a credential is needed. Default: `auto`.
    pub mode: AuthMode,
    /// Static bearer tokens.
    pub tokens: Vec<TokenConfig>,
    /// Issuers whose tokens (JWT) are taken.
    pub issuers: Vec<IssuerConfig>,
    /// The gateway's own authorization server, which runs with `mode = "embedded"`.
    pub embedded: EmbeddedConfig,
    /// How API keys are kept.
    pub keys: KeysConfig,
    /// Whom client certificates stand for; `[gateway.tls]` says which are taken.
    pub certificates: Vec<CertificateConfig>,
}

/// When a credential is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Auth follows the socket: off on loopback, on anywhere else.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never, on any address. For networks that do their own.
    Off,
    /// Always, and the gateway is an authorization server of its own.
    Embedded,
}

/// One static token. Its value is given here or in an environment variable.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The account it stands for.
    pub account: String,
    /// What the account may do. Default: nothing that needs a scope.
    #[serde(default)]
    pub scopes: Scopes,
    /// The roles it has. Default: none.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The tenant it belongs to. Default: none.
    pub tenant: Option<String>,
    /// The token itself.
    pub token: Option<Secret>,
    /// The environment variable that holds it.
    pub token_env: Option<String>,
}

/// How API keys are kept: the `[gateway.auth.keys]` table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The environment variable with the secret that keys are hashed with, of at least 16 bytes. Default: none, the
    /// store holds a secret of its own.
    pub pepper_env: Option<String>,
}

impl KeysConfig {
    /// The secret, if one is named; `env` looks a variable up.
    ///
    /// # Errors
    /// When the variable is not set, or holds too little.
    pub fn pepper(&self, env: impl Fn(&str) -> Option<String>) -> Result<Option<Pepper>, InvalidConfig> {
        let Some(variable) = &self.pepper_env else { return Ok(None) };
        let why = "the variable does not hold a secret of at least 16 bytes";
        let invalid = || InvalidConfig::Value { key: format!("auth.keys.pepper_env = {variable}"), why };
        env(variable).and_then(|secret| Pepper::new(secret.as_bytes())).map(Some).ok_or_else(invalid)
    }
}

/// An issuer whose tokens are taken: an entry of `[[gateway.auth.issuers]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its name, as its tokens write it in `iss`, letter by letter.
    pub issuer: String,
    /// Whom its tokens must be for (`aud`): any one of these. Default: the gateway's `url`, alone, with `/mcp` and with
    /// `/api` behind it.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Where its keys are. Default: where its metadata say (RFC 8414, OpenID Discovery).
    pub jwks_url: Option<String>,
    /// A file with its keys (a JSON Web Key Set): nothing is fetched, and new keys come with the next reload.
    pub jwks_file: Option<PathBuf>,
    /// How its tokens may be signed. Default: in any way of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`,
    /// `ES256`, `ES384` and `EdDSA`; there are no others.
    #[serde(default = "any_algorithm")]
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be from ours, in seconds. Default: 60.
    #[serde(default = "a_minute")]
    pub clock_skew: u32,
    /// Whether its metadata may name private addresses though it is at a public one. Default: no.
    #[serde(default)]
    pub private_addresses: bool,
    /// Which claims say who a token is of.
    #[serde(default)]
    pub claims: Claims,
}

fn any_algorithm() -> Vec<Algorithm> {
    Algorithm::ALL.to_vec()
}

fn a_minute() -> u32 {
    60
}

impl TokenConfig {
    /// A token of an account that may do what these scopes allow.
    pub fn new<'a>(account: &str, token: Secret, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        let scopes = scopes.into_iter().collect();
        Self {
            account: account.to_owned(),
            scopes,
            roles: Vec::new(),
            tenant: None,
            token: Some(token),
            token_env: None,
        }
    }
}

impl AuthConfig {
    /// Whether a socket on this address asks for a credential.
    pub fn needed_on(&self, address: SocketAddr) -> bool {
        match self.mode {
            AuthMode::Auto => !address.ip().is_loopback(),
            AuthMode::On | AuthMode::Embedded => true,
            AuthMode::Off => false,
        }
    }

    /// Whether one client at the other end of a pipe has to show one: whoever started the process is trusted, unless the
    /// mode says always.
    pub fn needed_on_a_pipe(&self) -> bool {
        matches!(self.mode, AuthMode::On | AuthMode::Embedded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auth_follows_the_socket() {
        let auth = AuthConfig::default();
        assert!(!auth.needed_on(([127, 0, 0, 1], 1).into()));
        assert!(!auth.needed_on("[::1]:1".parse().unwrap()));
        assert!(auth.needed_on(([0, 0, 0, 0], 1).into()));
        assert!(auth.needed_on(([10, 0, 0, 7], 1).into()));
        for (mode, always) in [(AuthMode::On, true), (AuthMode::Embedded, true), (AuthMode::Off, false)] {
            let auth = AuthConfig { mode, ..auth.clone() };
            assert_eq!(auth.needed_on(([127, 0, 0, 1], 1).into()), always, "{mode:?}");
            assert_eq!(auth.needed_on_a_pipe(), always, "{mode:?}");
        }
        assert!(!auth.needed_on_a_pipe());
    }
}
