//! What a gateway can be told, in code or in `micro.toml`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use micro_policy::{Identity, InvalidToken, Scopes, Secret, Tokens};
use serde::Deserialize;

use crate::{AuditFail, ToolNames};

/// A gateway's settings: the `[gateway]` table of `micro.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where every front listens. Default: `127.0.0.1:8080`.
    pub address: SocketAddr,
    /// A second address for `/mcp` and its companions only. Default: none.
    pub mcp_address: Option<SocketAddr>,
    /// Which names models see. Default: `safe`.
    pub tool_names: ToolNames,
    /// Largest request body, in bytes. Default: 4 MiB.
    pub body_limit: usize,
    /// Host names besides loopback ones that may stand in `Host` on a loopback listener.
    pub allowed_hosts: Vec<String>,
    /// Web origins that may call, for example `https://console.example`.
    pub allowed_origins: Vec<String>,
    /// Who may call.
    pub auth: AuthConfig,
    /// Where calls are recorded.
    pub audit: AuditConfig,
}

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
    /// What the account may do.
    #[serde(default)]
    pub scopes: Scopes,
    /// The token itself.
    pub token: Option<Secret>,
    /// The environment variable that holds it.
    pub token_env: Option<String>,
}

/// Where calls are recorded: the `[gateway.audit]` table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// A file that JSON lines are appended to. Default: none.
    pub file: Option<PathBuf>,
    /// What becomes of a call whose record cannot be written. Default: `closed`.
    pub fail: AuditFail,
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// A token entry has neither value nor variable, or both.
    #[error("gateway.auth.tokens: the token of account `{0}` needs exactly one of `token` and `token_env`")]
    TokenSource(String),
    /// The variable is not set.
    #[error("gateway.auth.tokens: the environment variable `{variable}` of account `{account}` is not set")]
    TokenUnset {
        /// The account.
        account: String,
        /// The variable.
        variable: String,
    },
    /// The token can be guessed.
    #[error("gateway.auth.tokens: account `{0}`: {InvalidToken}")]
    TokenWeak(String),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8080).into(),
            mcp_address: None,
            tool_names: ToolNames::default(),
            body_limit: 4 * 1024 * 1024,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            auth: AuthConfig::default(),
            audit: AuditConfig::default(),
        }
    }
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

    /// Reads the tokens; `env` looks a variable up.
    pub(crate) fn tokens(&self, env: impl Fn(&str) -> Option<String>) -> Result<Tokens, InvalidConfig> {
        let mut tokens = Tokens::default();
        for entry in &self.tokens {
            let secret = match (&entry.token, &entry.token_env) {
                (Some(secret), None) => secret.clone(),
                (None, Some(variable)) => {
                    let (account, variable) = (entry.account.clone(), variable.clone());
                    let value = env(&variable).ok_or(InvalidConfig::TokenUnset { account, variable })?;
                    Secret::new(value).map_err(|_| InvalidConfig::TokenWeak(entry.account.clone()))?
                }
                _ => return Err(InvalidConfig::TokenSource(entry.account.clone())),
            };
            let identity = Identity { account: entry.account.as_str().into(), scopes: Some(entry.scopes.clone()) };
            tokens.insert(&secret, identity);
        }
        Ok(tokens)
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

    #[test]
    fn a_token_comes_from_exactly_one_place() {
        let entry = |token: Option<&str>, env: Option<&str>| AuthConfig {
            tokens: vec![TokenConfig {
                account: "alice".into(),
                scopes: Scopes::default(),
                token: token.map(|t| Secret::new(t).unwrap()),
                token_env: env.map(str::to_owned),
            }],
            ..AuthConfig::default()
        };
        let read = |auth: AuthConfig| auth.tokens(|name| (name == "SET").then(|| "0123456789abcdef".to_owned()));
        assert!(read(entry(None, Some("SET"))).unwrap().identify("0123456789abcdef").is_some());
        assert!(matches!(read(entry(None, Some("UNSET"))), Err(InvalidConfig::TokenUnset { .. })));
        assert!(matches!(read(entry(None, None)), Err(InvalidConfig::TokenSource(_))));
        assert!(matches!(read(entry(Some("0123456789abcdef"), Some("SET"))), Err(InvalidConfig::TokenSource(_))));
    }
}
