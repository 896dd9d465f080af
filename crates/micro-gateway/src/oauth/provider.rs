//! The tokens of the embedded server, as one provider of identities among others.

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_policy::{Identity, Rejection, Token, Unproven, oauth::Claims};

use super::Server;
use crate::identity::{Authenticator, Credential};

impl Server {
    async fn judge(&self, token: &Token<'_>, now: Timestamp) -> Result<Identity, Rejection> {
        let keys = self.keys.current().await.map_err(|_| Rejection::Unavailable)?;
        let identity = self.trusted.verify(token, &keys.public, now).map_err(|unproven| match unproven {
            Unproven::UnknownKey => Rejection::Invalid,
            Unproven::Rejected(rejection) => rejection,
        })?;
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
}
