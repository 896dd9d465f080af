//! Everything that is decided from the config, compiled: one value that never changes and is swapped whole.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use micro_policy::{Access, Claims, Digest, Identity, Issuer, KeySet, Secret, is_name};
use url::Url;

use crate::{
    AuthConfig, CertificateConfig, Config, InvalidConfig, IssuerConfig, TokenConfig,
    identity::{KeysAt, Source, Trusted, Verified},
    oauth,
};

/// The policies of one state of the config.
#[derive(Debug)]
pub(crate) struct Policies {
    /// Differs from that of every other value: what was verified under other policies is looked at again.
    pub(crate) epoch: u64,
    /// Static tokens.
    pub(crate) tokens: HashMap<Digest, Arc<Verified>>,
    /// Issuers whose tokens are taken.
    pub(crate) issuers: Vec<Trusted>,
    /// The gateway's own authorization server.
    own: Option<String>,
    /// Whom client certificates stand for.
    pub(crate) certificates: Vec<CertificateConfig>,
    /// Where callers reach the gateway, without a slash at the end.
    pub(crate) url: Option<String>,
    /// Who may call what.
    pub(crate) access: Arc<Access>,
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
        let url = config.url.as_deref().map(public_url).transpose()?;
        let own = oauth::issuer(config)?.map(|url| url.origin().ascii_serialization());
        let issuers =
            config.auth.issuers.iter().map(|entry| trusted(entry, url.as_deref())).collect::<Result<_, _>>()?;
        for (at, entry) in config.auth.issuers.iter().enumerate() {
            if config.auth.issuers[..at].iter().any(|before| before.issuer == entry.issuer) {
                let key = format!("auth.issuers: {}", entry.issuer);
                return Err(InvalidConfig::Value { key, why: "it is there twice" });
            }
        }
        let access = Arc::new(config.access()?);
        let certificates = config.auth.certificates.clone();
        let mut policies = Self { epoch, tokens: HashMap::new(), issuers, own, certificates, url, access };
        check_names(config)?;
        for entry in &config.auth.tokens {
            let secret = secret(entry, &env)?;
            if policies.tokens.contains_key(&secret.digest()) {
                let key = format!("auth.tokens: {}", entry.account);
                return Err(InvalidConfig::Value { key, why: "an entry before has the same token" });
            }
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

    /// Who issues tokens for the gateway, as metadata name it (RFC 9728).
    pub(crate) fn authorization_servers(&self) -> impl Iterator<Item = &str> {
        let names = self.issuers.iter().map(|trusted| trusted.issuer.name.as_str());
        let named = names.filter(|name| name.starts_with("https://") || name.starts_with("http://"));
        self.own.as_deref().into_iter().chain(named)
    }

    /// An identity as these policies see it: with what its roles come to.
    pub(crate) fn verified(&self, said: Arc<Identity>) -> Verified {
        Verified::new(said, &self.access.roles, self.epoch)
    }

    /// Names of credentials are public, so that of a token says little of it.
    fn add(&mut self, secret: &Secret, identity: impl FnOnce(String) -> Identity) {
        let digest = secret.digest();
        let identity = identity(format!("token/{:.16}", digest.to_string()));
        self.tokens.insert(digest, Arc::new(self.verified(Arc::new(identity))));
    }
}

/// Names stand in records, headers and keys as they are.
fn check_names(config: &Config) -> Result<(), InvalidConfig> {
    let AuthConfig { tokens, certificates, issuers, .. } = &config.auth;
    let of_tokens = tokens.iter().flat_map(|e| [&e.account].into_iter().chain(&e.roles).chain(&e.tenant));
    let of_certificates = certificates.iter().flat_map(|e| e.account.iter().chain(&e.roles).chain(&e.tenant));
    let of_issuers = issuers.iter().flat_map(|e| e.claims.tenants.iter().chain(&e.claims.fixed_tenant));
    let why = "a name has 1 to 256 bytes and no control characters";
    for (key, mut names) in [
        ("auth.tokens", Box::new(of_tokens) as Box<dyn Iterator<Item = &String>>),
        ("auth.certificates", Box::new(of_certificates)),
        ("auth.issuers", Box::new(of_issuers)),
    ] {
        if let Some(name) = names.find(|name| !is_name(name)) {
            return Err(InvalidConfig::Value { key: format!("{key}: {name:?}"), why });
        }
    }
    Ok(())
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

/// A URL that others can be told.
fn public_url(text: &str) -> Result<String, InvalidConfig> {
    let fits = |url: &Url| {
        matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let why = "this is no URL of a server: https, a host, and perhaps a port and a path";
    let url = Url::parse(text).ok().filter(fits).ok_or(InvalidConfig::Value { key: "url".to_owned(), why })?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn trusted(entry: &IssuerConfig, url: Option<&str>) -> Result<Trusted, InvalidConfig> {
    let invalid = |why| InvalidConfig::Value { key: format!("auth.issuers: {}", entry.issuer), why };
    let address = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        url.ok_or_else(|| invalid("this is no address that keys could be fetched from; `jwks_url` may name one"))
    };
    let keys = match (&entry.jwks_url, &entry.jwks_file) {
        (Some(_), Some(_)) => return Err(invalid("its keys are either at `jwks_url` or in `jwks_file`")),
        (None, Some(path)) => {
            let keys = std::fs::read(path).map_err(|_| invalid("`jwks_file` cannot be read"))?;
            let keys = KeySet::parse(&keys).ok().filter(|keys| !keys.is_empty());
            let keys = keys.ok_or_else(|| invalid("`jwks_file` has no key that signatures could be checked with"))?;
            KeysAt::Here(Arc::new(keys))
        }
        (url, None) => {
            let named = address(url.as_ref().unwrap_or(&entry.issuer))?;
            let keys = url.is_some().then_some(named);
            KeysAt::Address(Source { issuer: entry.issuer.clone(), keys, private: entry.private_addresses })
        }
    };
    if entry.algorithms.is_empty() {
        return Err(invalid("`algorithms` is empty, so that no token could be good"));
    }
    let audience = match (entry.audience.is_empty(), url) {
        (false, _) => entry.audience.clone(),
        (true, Some(url)) => ["", "/mcp", "/api"].iter().map(|path| format!("{url}{path}")).collect(),
        (true, None) => return Err(invalid("whom its tokens must be for is not said: `audience`, or `gateway.url`")),
    };
    match &entry.claims {
        Claims { tenant: Some(_), fixed_tenant: Some(_), .. } => {
            return Err(invalid(
                "its tokens name a tenant in `claims.tenant`, or are of `claims.fixed_tenant`: not both",
            ));
        }
        Claims { tenant: Some(_), tenants, .. } if tenants.is_empty() => {
            return Err(invalid("which tenants its tokens may name is not said: `claims.tenants`, `[\"*\"]` for all"));
        }
        Claims { tenant: None, tenants, .. } if !tenants.is_empty() => {
            return Err(invalid("`claims.tenants` is of use with `claims.tenant` only"));
        }
        _ => {}
    }
    let issuer = Issuer {
        name: entry.issuer.clone(),
        audience,
        algorithms: entry.algorithms.clone(),
        claims: entry.claims.clone(),
        skew: Duration::from_secs(entry.clock_skew.into()),
    };
    Ok(Trusted { issuer, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_tenants_an_issuer_may_name_and_every_name_is_said() {
        let issuer = "[[issuers]]\nissuer = 'https://idp.example'\naudience = ['a']\n";
        for (toml, expected) in [
            (format!("{issuer}claims.tenant = 'org'\nclaims.tenants = ['acme']"), ""),
            (format!("{issuer}claims.fixed_tenant = 'acme'"), ""),
            (format!("{issuer}claims.tenant = 'org'"), "which tenants its tokens may name is not said"),
            (format!("{issuer}claims.tenants = ['acme']"), "of use with `claims.tenant` only"),
            (format!("{issuer}claims.tenant = 'org'\nclaims.tenants = ['a']\nclaims.fixed_tenant = 'a'"), "not both"),
            (format!("{issuer}claims.fixed_tenant = \"a\\nb\""), "auth.issuers: \"a\\nb\": a name has"),
            ("[[tokens]]\naccount = ''\ntoken = '0123456789abcdef'".into(), "auth.tokens: \"\": a name has"),
            ("[[certificates]]\nname = 'x'\nroles = [\"a\\u0007\"]".into(), "auth.certificates: \"a\\u{7}\""),
        ] {
            let config = Config { auth: toml::from_str(&toml).unwrap(), ..Config::default() };
            let said = config.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{toml}: {said}");
        }
    }

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

    #[test]
    fn what_would_be_decided_by_the_order_of_entries_is_refused() {
        let token = |account: &str| format!("[[auth.tokens]]\naccount = '{account}'\ntoken = '0123456789abcdef'\n");
        let issuer = "[[auth.issuers]]\nissuer = 'https://idp.example'\naudience = ['us']\n";
        for (toml, told) in [
            (token("a") + &token("b"), "gateway.auth.tokens: b: an entry before has the same token"),
            (issuer.repeat(2), "gateway.auth.issuers: https://idp.example: it is there twice"),
            ("url = 'https://:secret@gateway.example'".to_owned(), "gateway.url: this is no URL of a server"),
        ] {
            let config: Config = toml::from_str(&toml).unwrap();
            let error = Policies::compile(&config, None, |_| None).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
