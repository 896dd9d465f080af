//! The tokens of the embedded server, as one provider of identities among others.

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_policy::{
    Identity, Rejection, Token,
    oauth::{Claims, Family},
};

use super::{Failure, Server, token::family_key};
use crate::identity::{self, Authenticator, Credential};

impl Server {
    async fn judge(&self, token: &Token<'_>, now: Timestamp) -> Result<Identity, Rejection> {
        let keys = self.keys.current().await.map_err(|_| Rejection::Unavailable)?;
        let identity = self.trusted.verify(token, &keys.public, now)?;
        let claims = read(token).ok_or(Rejection::Malformed)?;
        Ok(Identity {
            consented: true,
            tenant: claims.tenant,
            intent: claims.intent,
            credential: claims.sid.unwrap_or(identity.credential),
            issuer: None,
            ..identity
        })
    }

    /// What a token of this server says; whether it is good is another question.
    pub(super) fn claims(&self, text: &str) -> Option<Claims> {
        let token = Token::parse(text)?.ok()?;
        (token.issuer() == Some(self.issuer())).then(|| read(&token))?
    }
}

fn read(token: &Token<'_>) -> Option<Claims> {
    serde_json::from_value(serde_json::Value::Object(token.claims().clone())).ok()
}

impl Authenticator for Server {
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>> {
        Box::pin(async move {
            let Credential::Bearer(text) = credential else { return None };
            let token = Token::parse(text)?.ok()?;
            if token.issuer() != Some(self.issuer()) {
                return None;
            }
            Some(self.judge(&token, now).await)
        })
    }

    fn validate(&self, _: &Identity, _: Timestamp) -> Result<(), Rejection> {
        Ok(())
    }

    /// Consents, what users and clients were given, and intents, whatever token those were made from.
    fn revoke<'a>(&'a self, credential: &'a str, now: Timestamp) -> BoxFuture<'a, micro_core::Result<bool>> {
        let failed = |_: Failure| micro_core::Error::unavailable("the store does not work");
        Box::pin(async move {
            let store = self.records.store();
            match credential.rsplit_once('/') {
                Some((_, name)) if name.starts_with("int_") => {
                    super::revoke(store, credential).await.map_err(failed)?;
                }
                Some((above, name)) if above.split('/').next() == Some("oauth") => {
                    let family = self.records.get::<Family>(&family_key(name)).await.map_err(failed)?;
                    match family {
                        Some(family) => self.revoke_family(name, &family.value.owner).await.map_err(failed)?,
                        // Of a user or a client, whose consents go on giving tokens.
                        None => {
                            let told = identity::revoke(store, credential, now, Timestamp::MAX).await;
                            told.map_err(|error| failed(error.into()))?;
                        }
                    }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })
    }
}
