//! Everything that is decided from the config, compiled: one value that never changes and is swapped whole.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use micro_policy::{Digest, Identity, Secret};

use crate::{Config, InvalidConfig, TokenConfig, identity::Verified};

/// The policies of one state of the config.
#[derive(Debug)]
pub(crate) struct Policies {
    /// Differs from that of every other value: what was verified under other policies is looked at again.
    pub(crate) epoch: u64,
    /// Static tokens.
    pub(crate) tokens: HashMap<Digest, Arc<Verified>>,
}

impl Policies {
    /// Compiles a config; `env` looks a variable up. `operator` is a token that may use every tool.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub(crate) fn compile(
        config: &Config,
        operator: Option<&Secret>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidConfig> {
        static EPOCHS: AtomicU64 = AtomicU64::new(0);
        let epoch = EPOCHS.fetch_add(1, Ordering::Relaxed);
        let mut policies = Self { epoch, tokens: HashMap::new() };
        for entry in &config.auth.tokens {
            let secret = secret(entry, &env)?;
            policies.add(&secret, |credential| Identity {
                scopes: Some(entry.scopes.clone()),
                roles: entry.roles.iter().map(|role| role.as_str().into()).collect(),
                tenant: entry.tenant.as_deref().map(Into::into),
                ..Identity::named(entry.account.as_str(), credential)
            });
        }
        if let Some(secret) = operator {
            policies.add(secret, |credential| Identity { scopes: None, ..Identity::named("operator", credential) });
        }
        Ok(policies)
    }

    /// The last identity of a token wins. Names of credentials are public, so that of a token says little of it.
    fn add(&mut self, secret: &Secret, identity: impl FnOnce(String) -> Identity) {
        let digest = secret.digest();
        let identity = identity(format!("token/{:.16}", digest.to_string()));
        self.tokens.insert(digest, Arc::new(Verified::new(identity, self.epoch)));
    }
}

fn secret(entry: &TokenConfig, env: &impl Fn(&str) -> Option<String>) -> Result<Secret, InvalidConfig> {
    match (&entry.token, &entry.token_env) {
        (Some(secret), None) => Ok(secret.clone()),
        (None, Some(variable)) => {
            let (account, variable) = (entry.account.clone(), variable.clone());
            let value = env(&variable).ok_or(InvalidConfig::TokenUnset { account, variable })?;
            Secret::new(value).map_err(|_| InvalidConfig::TokenWeak(entry.account.clone()))
        }
        _ => Err(InvalidConfig::TokenSource(entry.account.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuthConfig;

    #[test]
    fn a_token_comes_from_exactly_one_place() {
        let compile = |token: Option<&str>, env: Option<&str>| {
            let entry = TokenConfig {
                account: "alice".into(),
                scopes: ["a"].into_iter().collect(),
                roles: vec!["reader".into()],
                tenant: Some("acme".into()),
                token: token.map(|t| Secret::new(t).unwrap()),
                token_env: env.map(str::to_owned),
            };
            let auth = AuthConfig { tokens: vec![entry], ..AuthConfig::default() };
            let config = Config { auth, ..Config::default() };
            Policies::compile(&config, None, |name| (name == "SET").then(|| "0123456789abcdef".to_owned()))
        };
        let known = compile(None, Some("SET")).unwrap().tokens[&Digest::of(b"0123456789abcdef")].clone();
        assert_eq!((&*known.identity.account, known.identity.tenant.as_deref()), ("alice", Some("acme")));
        assert!(known.identity.roles.contains("reader"));
        assert!(matches!(compile(None, Some("UNSET")), Err(InvalidConfig::TokenUnset { .. })));
        assert!(matches!(compile(None, None), Err(InvalidConfig::TokenSource(_))));
        assert!(matches!(compile(Some("0123456789abcdef"), Some("SET")), Err(InvalidConfig::TokenSource(_))));
    }
}
