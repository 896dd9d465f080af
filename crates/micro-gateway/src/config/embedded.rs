//! The gateway's own authorization server: the `[gateway.auth.embedded]` table.

use micro_policy::{
    Scopes, Secret,
    oauth::{Client, GrantType, RedirectUri, document_url},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::InvalidConfig;

/// The authorization server that runs with `gateway.auth.mode = "embedded"`: the `[gateway.auth.embedded]` table. Its
/// name is the gateway's `url`: `https://` and a host, or `http://` on loopback; without one, where the gateway listens on
/// loopback.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Whether clients may register themselves (RFC 7591). Default: true.
    pub registration: bool,
    /// How long an access token is good, in seconds. Default: 600.
    pub access_lifetime: u64,
    /// How long a consent lasts, however often its tokens are refreshed, in seconds. Default: 2592000 (30 days).
    pub refresh_lifetime: u64,
    /// Clients that are known beforehand. Default: none.
    pub clients: Vec<ClientConfig>,
}

/// A client that is known beforehand: a `[[gateway.auth.embedded.clients]]` table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Its name in the protocol. With `client_credentials` it is an account too: let no user have the same.
    pub id: String,
    /// Its name for users. Default: the id.
    pub name: Option<String>,
    /// Its secret. Default: none, a public client.
    pub secret: Option<Secret>,
    /// The environment variable that holds its secret.
    pub secret_env: Option<String>,
    /// Where its users are sent back to. Default: nowhere.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What it may ask with: `authorization_code`, `refresh_token`, `client_credentials`. Default: the first two.
    #[serde(default = "usual_grants")]
    pub grants: Vec<GrantType>,
    /// What it can be granted at most; as itself it has exactly these. Default: none.
    #[serde(default)]
    pub scopes: Scopes,
}

/// How long a token can be good at most, in seconds: a day. Keys that have signed are kept for so long.
const MAX_ACCESS_LIFETIME: u64 = 24 * 3600;

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self { registration: true, access_lifetime: 600, refresh_lifetime: 30 * 24 * 3600, clients: Vec::new() }
    }
}

impl EmbeddedConfig {
    /// The clients that are known beforehand; `env` looks a variable up.
    ///
    /// # Errors
    /// When one makes no sense.
    pub(crate) fn clients(&self, env: impl Fn(&str) -> Option<String>) -> Result<Vec<Client>, InvalidConfig> {
        self.clients.iter().map(|client| client.compile(&env)).collect()
    }

    /// # Errors
    /// When a lifetime makes no sense.
    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        let sane = (1..=MAX_ACCESS_LIFETIME).contains(&self.access_lifetime)
            && (self.access_lifetime..=10 * 365 * 24 * 3600).contains(&self.refresh_lifetime);
        let why = "`access_lifetime` is 1 to 86400 seconds, and `refresh_lifetime` at least as long";
        if sane { Ok(()) } else { Err(InvalidConfig::Value { key: "auth.embedded".to_owned(), why }) }
    }
}

impl ClientConfig {
    fn compile(&self, env: &impl Fn(&str) -> Option<String>) -> Result<Client, InvalidConfig> {
        let invalid = |why| InvalidConfig::Value { key: format!("auth.embedded.clients: {}", self.id), why };
        let secret = match (&self.secret, &self.secret_env) {
            (None, None) => None,
            (Some(secret), None) => Some(secret.digest()),
            (None, Some(variable)) => {
                let value = env(variable).ok_or(invalid("the environment variable of its secret is not set"))?;
                let secret = Secret::new(value).map_err(|_| invalid("its secret is too short"))?;
                Some(secret.digest())
            }
            (Some(_), Some(_)) => return Err(invalid("it has both secret and secret_env")),
        };
        let named = !self.id.is_empty() && self.id.len() <= 128 && self.id.bytes().all(|b| b.is_ascii_graphic());
        if !named || document_url(&self.id).is_some() {
            return Err(invalid("its id is 1 to 128 printed ASCII characters, and no URL"));
        }
        if self.grants.contains(&GrantType::ClientCredentials) && secret.is_none() {
            return Err(invalid("client_credentials needs a secret"));
        }
        let redirect_uris = self.redirect_uris.iter().map(|uri| RedirectUri::parse(uri)).collect::<Result<Vec<_>, _>>();
        let redirect_uris = redirect_uris.map_err(|refused| invalid(refused.why))?;
        if self.grants.contains(&GrantType::AuthorizationCode) && redirect_uris.is_empty() {
            return Err(invalid("authorization_code needs redirect_uris"));
        }
        Ok(Client {
            id: self.id.clone(),
            name: self.name.clone().unwrap_or_else(|| self.id.clone()),
            redirect_uris,
            grants: self.grants.clone(),
            secret,
            scopes: Some(self.scopes.clone()),
        })
    }
}

fn usual_grants() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_makes_no_sense_is_refused() {
        let compile = |toml: &str| {
            let config: EmbeddedConfig = toml::from_str(&format!("[[clients]]\n{toml}")).unwrap();
            config.clients(|name| (name == "SET").then(|| "0123456789abcdef".to_owned())).map(|mut all| all.remove(0))
        };
        let machine = "id = 'm'\ngrants = ['client_credentials']\nscopes = ['a']";
        for (toml, ok) in [
            ("id = 'c'\nredirect_uris = ['https://app.example/cb']", true),
            (&format!("{machine}\nsecret_env = 'SET'"), true),
            (&format!("{machine}\nsecret = '0123456789abcdef'"), true),
            (&format!("{machine}\nsecret = '0123456789abcdef'\nsecret_env = 'SET'"), false),
            (&format!("{machine}\nsecret_env = 'UNSET'"), false),
            (machine, false),
            ("id = 'c'", false),
            ("id = 'c'\nredirect_uris = ['http://app.example/cb']", false),
            ("id = ''\nredirect_uris = ['https://app.example/cb']", false),
            ("id = 'https://app.example/c'\nredirect_uris = ['https://app.example/cb']", false),
        ] {
            assert_eq!(compile(toml).is_ok(), ok, "{toml}");
        }
    }
}
