//! Who may call: the `[gateway.auth]` table.

use std::net::SocketAddr;

use micro_policy::{Scopes, Secret};
use serde::Deserialize;

/// Who may call: the `[gateway.auth]` table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// When a credential is needed. Default: `auto`.
    pub mode: AuthMode,
    /// Static bearer tokens.
    pub tokens: Vec<TokenConfig>,
}

/// When a credential is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Auth follows the socket: off on loopback, on anywhere else.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never, on any address. For networks that do their own.
    Off,
}

/// One static token. Its value is given here or in an environment variable.
#[derive(Debug, Clone, Deserialize)]
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

impl AuthConfig {
    /// Whether a socket on this address asks for a credential.
    pub fn needed_on(&self, address: SocketAddr) -> bool {
        match self.mode {
            AuthMode::Auto => !address.ip().is_loopback(),
            AuthMode::On => true,
            AuthMode::Off => false,
        }
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
        assert!(AuthConfig { mode: AuthMode::On, ..auth }.needed_on(([127, 0, 0, 1], 1).into()));
    }
}
