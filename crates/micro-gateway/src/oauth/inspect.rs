//! `/oauth/revoke` (RFC 7009) and `/oauth/introspect` (RFC 7662).

use std::sync::Arc;

use micro_policy::{
    Identity,
    oauth::{Client, ErrorCode, Family, Params, Refused},
};
use serde_json::{Value, json};

use super::{
    Failure, Server,
    records::{Kept, now},
    token::family_key,
};
use crate::{identity::Shown, pipeline::Pipeline};

impl Server {
    /// Takes a token back, and all that came of it. A token that is not good any more is taken back already; one for an
    /// intent is of no client, and whoever holds it may.
    pub(super) async fn take_back(
        &self,
        params: &Params,
        client: Option<&Client>,
        pipeline: &Pipeline,
    ) -> Result<(), Failure> {
        let token = params.need("token", "token is needed")?;
        let is = |id: &str| client.is_some_and(|client| client.id == id);
        if let Some(family) = self.family(token).await? {
            return match is(&family.value.client) {
                true => self.revoke_family(&name(token), &family.value.owner).await,
                false => Err(NOT_ITS_OWN.into()),
            };
        }
        let (Some(identity), Some(claims)) = (own(pipeline, token).await, self.claims(token)) else { return Ok(()) };
        if claims.intent.is_none() && !is(&claims.client_id) {
            return Err(NOT_ITS_OWN.into());
        }
        // An access token goes with the consent that it is of; else the next refresh would bring another.
        let consent = identity.credential.rsplit_once('/').filter(|_| claims.intent.is_none()).map(|(_, name)| name);
        if let Some(name) = consent
            && let Some(family) = self.records.get::<Family>(&family_key(name)).await?
        {
            return self.revoke_family(name, &family.value.owner).await;
        }
        super::revoke(self.records.store(), &identity.credential).await
    }

    /// What a token is good for, for those who were given a secret to ask with.
    pub(super) async fn introspect(
        &self,
        params: &Params,
        client: &Client,
        pipeline: &Pipeline,
    ) -> Result<Value, Failure> {
        if client.secret.is_none() {
            return Err(Refused::new(ErrorCode::UnauthorizedClient, "only a client with a secret may ask").into());
        }
        let token = params.need("token", "token is needed")?;
        if let Some(family) = self.family(token).await? {
            let Family { client, owner, scopes, resource, expires, revoked, current } = family.value;
            if revoked || now() >= expires || !current.is_some_and(|current| current.is_of(token)) {
                return Ok(json!({ "active": false }));
            }
            let scope = scopes.iter().collect::<Vec<_>>().join(" ");
            return Ok(json!({
                "active": true, "client_id": client, "sub": owner.account, "scope": scope, "aud": resource, "exp": expires,
            }));
        }
        let (Some(_), Some(claims)) = (own(pipeline, token).await, self.claims(token)) else {
            return Ok(json!({ "active": false }));
        };
        let mut answer = serde_json::to_value(claims).map_err(|_| Failure::Internal)?;
        answer["active"] = true.into();
        answer["token_type"] = "Bearer".into();
        Ok(answer)
    }

    /// The family of a refresh token, whichever of its tokens that is.
    async fn family(&self, token: &str) -> Result<Option<Kept<Family>>, Failure> {
        match Family::handle(token) {
            Some(handle) => self.records.get(&family_key(&Family::name(handle))).await,
            None => Ok(None),
        }
    }
}

const NOT_ITS_OWN: Refused = Refused::new(ErrorCode::InvalidGrant, "the token is not the client's");

fn name(token: &str) -> String {
    Family::handle(token).map(Family::name).unwrap_or_default()
}

/// Whose access token it is, if it is good now.
async fn own(pipeline: &Pipeline, token: &str) -> Option<Arc<Identity>> {
    match pipeline.identities.check(token).await {
        Shown::Good(verified) => Some(verified.identity.clone()),
        Shown::Bad(_) | Shown::Nothing => None,
    }
}
