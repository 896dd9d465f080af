//! What is known of an account: from the config, and from the store that the gateway uses.

use jiff::Timestamp;
use micro_gateway::{ApiKeys, Config, Users};
use micro_policy::{Scopes, oauth::GrantType};
use micro_store::{Location, Store};

use crate::{
    error::{CommandError, Kind},
    tools,
};

/// What one credential of an account gives it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) account: String,
    /// Where that is from: `config`, `user`, or an API key's name, which is one to ask by as well.
    pub(super) from: String,
    pub(super) scopes: Scopes,
    pub(super) roles: Vec<String>,
    pub(super) tenant: Option<String>,
}

impl Known {
    /// An account that nothing is known of.
    pub(super) fn nothing(account: &str) -> Self {
        let (account, from) = (account.to_owned(), String::new());
        Self { account, from, scopes: Scopes::default(), roles: Vec::new(), tenant: None }
    }
}

/// What every credential gives, as it is now: those of the config first, then users, then API keys.
pub(super) async fn all(config: &Config, now: Timestamp) -> Result<Vec<Known>, CommandError> {
    let mut known = of_config(config);
    if let Some(store) = store(&config.store)? {
        let users = Users::new(store.clone()).list().await.map_err(tools::failed)?;
        known.extend(users.into_iter().map(|user| Known {
            account: user.name.to_string(),
            from: "user".to_owned(),
            scopes: user.scopes,
            roles: user.roles.iter().map(|role| role.to_string()).collect(),
            tenant: user.tenant.map(|tenant| tenant.to_string()),
        }));
        let keys = ApiKeys::new(store, None).list().await.map_err(tools::failed)?;
        let good = |end: Option<Timestamp>| end.is_none_or(|end| end > now);
        known.extend(keys.into_iter().filter(|key| good(key.expires) && good(key.revoked)).map(|key| Known {
            account: key.account,
            from: format!("key/{}", key.id),
            scopes: key.scopes,
            roles: key.roles,
            tenant: key.tenant,
        }));
    }
    Ok(known)
}

fn of_config(config: &Config) -> Vec<Known> {
    let known = |account: &str, scopes: &Scopes, roles: &[String], tenant: &Option<String>| Known {
        account: account.to_owned(),
        from: "config".to_owned(),
        scopes: scopes.clone(),
        roles: roles.to_vec(),
        tenant: tenant.clone(),
    };
    let auth = &config.auth;
    let tokens = auth.tokens.iter().map(|entry| known(&entry.account, &entry.scopes, &entry.roles, &entry.tenant));
    let machines = auth.embedded.clients.iter().filter(|client| client.grants.contains(&GrantType::ClientCredentials));
    let machines = machines.map(|client| known(&client.id, &client.scopes, &[], &None));
    let certificates = auth.certificates.iter().filter_map(|entry| {
        let account = entry.account.as_ref().or(Some(&entry.name).filter(|name| !name.ends_with('*')))?;
        Some(known(account, &entry.scopes, &entry.roles, &entry.tenant))
    });
    tokens.chain(machines).chain(certificates).collect()
}

/// The gateway's store, if it is there: to ask makes none.
fn store(location: &Location) -> Result<Option<Store>, CommandError> {
    match location {
        Location::Memory => Ok(None),
        Location::Sqlite(path) if !path.exists() => Ok(None),
        location => {
            let open = location.open();
            open.map(Some).map_err(|error| CommandError::new(Kind::Unavailable, error.to_string()).because(error))
        }
    }
}
