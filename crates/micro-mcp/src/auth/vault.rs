//! What is kept between runs, and under which names: every name holds the issuer that the thing is good for.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    dpop::Proofs,
    error::Error,
    registration::Registration,
    secret::Secret,
    store::{CredentialStore, StoreError},
    token::Tokens,
};

/// The records of one account at one server.
pub(crate) struct Vault {
    store: Arc<dyn CredentialStore>,
    account: String,
    server: String,
}

impl Vault {
    pub(crate) fn new(store: Arc<dyn CredentialStore>, account: String, server: String) -> Self {
        Self { store, account, server }
    }

    /// The tokens for the server, from the issuer that gave the last ones.
    pub(crate) async fn tokens(&self) -> Result<Option<Tokens>, Error> {
        let Some(issuer) = self.load::<String>(&["issuer", &self.account, &self.server]).await? else {
            return Ok(None);
        };
        let tokens: Option<Tokens> = self.load(&["tokens", &self.account, &issuer, &self.server]).await?;
        Ok(tokens.filter(|tokens| tokens.issuer == issuer))
    }

    pub(crate) async fn save_tokens(&self, tokens: &Tokens) -> Result<(), Error> {
        self.save(&["tokens", &self.account, &tokens.issuer, &self.server], tokens).await?;
        self.save(&["issuer", &self.account, &self.server], &tokens.issuer).await
    }

    /// What an issuer knows this client by. One registration serves every server of that issuer.
    pub(crate) async fn registration(&self, issuer: &str) -> Result<Option<Registration>, Error> {
        self.load(&["client", &self.account, issuer]).await
    }

    pub(crate) async fn save_registration(&self, issuer: &str, registration: &Registration) -> Result<(), Error> {
        self.save(&["client", &self.account, issuer], registration).await
    }

    pub(crate) async fn forget_registration(&self, issuer: &str) -> Result<(), Error> {
        Ok(self.store.remove(&name(&["client", &self.account, issuer])).await?)
    }

    /// Binds a client that names no issuer to the first one it meets. The issuer it is bound to.
    pub(crate) async fn bind(&self, client: &str, issuer: &str) -> Result<String, Error> {
        let name = ["bound", &self.account, &self.server, client];
        if let Some(bound) = self.load(&name).await? {
            return Ok(bound);
        }
        self.save(&name, &issuer).await?;
        Ok(issuer.to_owned())
    }

    /// The key that this issuer's tokens are bound to. It is kept, because refresh tokens are bound to it as well.
    pub(crate) async fn proofs(&self, issuer: &str) -> Result<Proofs, Error> {
        let name = ["key", &self.account, issuer];
        if let Some(key) = self.load::<Secret>(&name).await? {
            return Proofs::new(&key);
        }
        let key = Proofs::fresh_key()?;
        self.save(&name, &key).await?;
        Proofs::new(&key)
    }

    /// A record that cannot be read, because another version wrote it, is none.
    async fn load<T: DeserializeOwned>(&self, parts: &[&str]) -> Result<Option<T>, Error> {
        let text = self.store.load(&name(parts)).await?;
        Ok(text.and_then(|text| serde_json::from_str(text.expose()).ok()))
    }

    async fn save<T: Serialize + Sync>(&self, parts: &[&str], record: &T) -> Result<(), Error> {
        let text = serde_json::to_string(record).map_err(|error| StoreError::Other(error.into()))?;
        Ok(self.store.save(&name(parts), text.into()).await?)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Parts become one name in a way that no part can imitate: issuers are texts from outside.
fn name(parts: &[&str]) -> String {
    serde_json::Value::from(parts).to_string()
}
