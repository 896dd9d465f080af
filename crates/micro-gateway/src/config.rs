//! What a gateway can be told, in code or in `micro.toml`.

mod access;
mod audit;
mod auth;
mod embedded;
mod tls;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use micro_policy::InvalidToken;
use micro_store::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

pub use self::{
    access::{RoleConfig, ScopeConfig, TenantConfig},
    audit::AuditConfig,
    auth::{AuthConfig, AuthMode, IssuerConfig, KeysConfig, TokenConfig},
    embedded::{ClientConfig, EmbeddedConfig},
    tls::{CertificateConfig, TlsConfig},
};
use crate::{AuditLocation, ToolNames, oauth, pipeline::Policies};

/// A gateway's settings: the `[gateway]` table of `micro.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where every front listens. Default: `127.0.0.1:8080`.
    pub address: SocketAddr,
    /// A second address for `/mcp` and its companions only. Default: none.
    pub mcp_address: Option<SocketAddr>,
    /// Where callers reach it, for example `https://gateway.example`: what tokens must be for, and what challenges
    /// name. Default: none, challenges name the `Host` that was asked.
    pub url: Option<String>,
    /// TLS on both addresses. Default: none.
    pub tls: Option<TlsConfig>,
    /// Which names models see. Default: `safe`.
    pub tool_names: ToolNames,
    /// Largest request body, in bytes. Default: 4 MiB.
    pub body_limit: usize,
    /// Host names besides loopback ones that may stand in `Host` on a loopback listener.
    pub allowed_hosts: Vec<String>,
    /// Web origins that may call, for example `https://console.example`.
    pub allowed_origins: Vec<String>,
    /// Where shared state is: `memory`, or `sqlite:` and a file that several gateways may share. Default: `memory`.
    #[serde(deserialize_with = "location")]
    #[schemars(with = "String")]
    pub store: Location,
    /// Who may call.
    pub auth: AuthConfig,
    /// Scopes that are asked for in place of those that services declare. Default: none.
    pub scopes: Vec<ScopeConfig>,
    /// What roles come to, by name. Default: none.
    pub roles: BTreeMap<String, RoleConfig>,
    /// Tenants by name, each with a catalog of its own. Default: none, everybody has the same.
    pub tenants: BTreeMap<String, TenantConfig>,
    /// Files of policies in the Cedar language; one `*` in the last part of a path stands for anything:
    /// `["policies/*.cedar"]`. Default: none.
    pub policies: Vec<String>,
    /// The file of the Ed25519 key (PEM, PKCS #8) that signs what services are told of a caller; made on first use, with its
    /// public half beside it in a `.pub` file. Default: none, nothing is signed.
    pub assertion_key: Option<PathBuf>,
    /// Where calls are recorded.
    pub audit: AuditConfig,
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
    /// A value that cannot be.
    #[error("gateway.{key}: {why}")]
    Value {
        /// Where it stands, from `gateway` on.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Who may call what cannot be made out.
    #[error("gateway.{key}: {why}")]
    Access {
        /// Where it stands, from `gateway` on.
        key: String,
        /// What is wrong there.
        why: String,
    },
    /// The token can be guessed.
    #[error("gateway.auth.tokens: account `{0}`: {InvalidToken}")]
    TokenWeak(String),
}

impl Config {
    /// The tables, and arrays of them, that [`crate::Handle::reload`] takes over; the rest holds from the start to the
    /// end.
    pub const RELOADED: &[&str] = &[
        "auth.tokens",
        "auth.issuers",
        "auth.certificates",
        "auth.embedded",
        "scopes",
        "roles",
        "tenants",
        "policies",
    ];

    /// The keys that name files and folders.
    pub const PATHS: &[&str] = &[
        "store",
        "policies",
        "assertion_key",
        "tls.certificate",
        "tls.key",
        "tls.client_ca",
        "audit.to",
        "audit.key",
        "auth.issuers",
    ];

    /// Takes what is relative for something in this folder, of those [`Self::PATHS`] that `is` says so of.
    pub fn within(&mut self, folder: &Path, is: impl Fn(&str) -> bool) {
        let Self { store, policies, assertion_key, tls, audit, auth, .. } = self;
        let mut paths: Vec<(&str, &mut PathBuf)> = Vec::new();
        if let Location::Sqlite(path) = store {
            paths.push(("store", path));
        }
        if let Some(AuditLocation::Folder(path) | AuditLocation::Sqlite(path)) = &mut audit.to {
            paths.push(("audit.to", path));
        }
        if let Some(TlsConfig { certificate, key, client_ca, .. }) = tls {
            paths.extend([("tls.certificate", certificate), ("tls.key", key)]);
            paths.extend(client_ca.iter_mut().map(|path| ("tls.client_ca", path)));
        }
        paths.extend(assertion_key.iter_mut().map(|path| ("assertion_key", path)));
        paths.extend(audit.key.iter_mut().map(|path| ("audit.key", path)));
        paths.extend(auth.issuers.iter_mut().filter_map(|entry| Some(("auth.issuers", entry.jwks_file.as_mut()?))));
        for (_, path) in paths.into_iter().filter(|(key, _)| is(key)) {
            *path = folder.join(&*path);
        }
        if is("policies") {
            policies.iter_mut().for_each(|pattern| *pattern = folder.join(&*pattern).display().to_string());
        }
    }

    /// This config with what a running gateway takes over of a newer one: [`Self::RELOADED`].
    pub(crate) fn renewed(&self, newer: &Self) -> Self {
        let AuthConfig { tokens, issuers, certificates, embedded, .. } = newer.auth.clone();
        let auth = AuthConfig { tokens, issuers, certificates, embedded, ..self.auth.clone() };
        let Self { scopes, roles, tenants, policies, .. } = newer.clone();
        Self { auth, scopes, roles, tenants, policies, ..self.clone() }
    }

    /// Whether every setting makes sense, without doing anything with it.
    ///
    /// # Errors
    /// With the first one that does not.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let env = |name: &str| std::env::var(name).ok();
        Policies::compile(self, None, env)?;
        self.auth.keys.pepper(env)?;
        oauth::Settings::of(self, env).map(drop)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8080).into(),
            mcp_address: None,
            url: None,
            tls: None,
            tool_names: ToolNames::default(),
            body_limit: 4 * 1024 * 1024,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            store: Location::Memory,
            auth: AuthConfig::default(),
            scopes: Vec::new(),
            roles: BTreeMap::new(),
            tenants: BTreeMap::new(),
            policies: Vec::new(),
            assertion_key: None,
            audit: AuditConfig::default(),
        }
    }
}

fn location<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Location, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}
