//! `/oauth/token`: a code, a refresh token, the client's own secret or another's token becomes an access token.

use std::{sync::Arc, time::Duration};

use micro_policy::{
    Digest, Scopes,
    oauth::{
        Claims, Client, Code, Denied, ErrorCode, Family, GrantType, Owner, Params, Redemption, Refresh, Refused, User,
    },
};
use serde_json::{Value, json};

use super::{
    Failure, Server,
    authorize::code_key,
    records::{Kept, now, random},
};
use crate::pipeline::Pipeline;

/// Whom a token is for, and what it may do.
struct Grant<'a> {
    account: Arc<str>,
    roles: Vec<Arc<str>>,
    tenant: Option<Arc<str>>,
    client: &'a str,
    resource: String,
    scopes: Scopes,
    /// What it is revoked by.
    credential: Arc<str>,
}

impl Server {
    /// Answers a token request, but for an exchange.
    pub(super) async fn token(
        &self,
        params: &Params,
        grant: GrantType,
        client: &Client,
        pipeline: &Pipeline,
    ) -> Result<Value, Failure> {
        client.may(grant)?;
        match grant {
            GrantType::AuthorizationCode => self.redeem(params, client).await,
            GrantType::RefreshToken => self.refresh(params, client, pipeline).await,
            GrantType::ClientCredentials => self.itself(params, client).await,
            GrantType::TokenExchange => Err(Failure::Internal),
        }
    }

    async fn redeem(&self, params: &Params, client: &Client) -> Result<Value, Failure> {
        let text = params.need("code", "code is needed")?;
        let resource = self.resources.named(params)?;
        let shown = Redemption {
            client: &client.id,
            redirect_uri: params.need("redirect_uri", "redirect_uri is needed")?,
            verifier: params.need("code_verifier", "code_verifier is needed")?,
            resource: resource.as_deref(),
        };
        let code = self.spend(text, &shown).await?;
        let Some(user) = self.users.owner(&code.owner).await? else { return Err(invalid().into()) };
        let (name, secret) = (Family::name(&code.handle), random::<32>());
        let refreshable = client.may(GrantType::RefreshToken).is_ok();
        let refresh = refreshable.then(|| Family::token(&code.handle, &secret));
        let family = Family {
            client: client.id.clone(),
            owner: code.owner.clone(),
            scopes: code.scopes.clone(),
            resource: code.resource.clone(),
            expires: now() + self.settings.load().refresh_lifetime,
            current: refresh.as_deref().map(Digest::of),
            revoked: false,
        };
        // Where one is already, the code came a second time in the meantime.
        if !self.records.create(&family_key(&name), &family, Some(self.family_ttl())).await? {
            return Err(invalid().into());
        }
        self.clients.used(client).await?;
        let access = self.access(self.of_user(&user, client, &family, &name, code.scopes)).await?;
        Ok(with_refresh(access, refresh))
    }

    /// A code is spent by being shown, rightly or not, by one of those who show it at once.
    async fn spend(&self, text: &str, shown: &Redemption<'_>) -> Result<Code, Failure> {
        let key = code_key(text);
        loop {
            let kept: Kept<Code> = self.records.get(&key).await?.ok_or(invalid())?;
            let outcome = kept.value.redeem(shown, now());
            if let Err(Denied::Reused { family }) = &outcome {
                tracing::warn!(client = shown.client, "an authorization code was shown twice");
                self.revoke_family(family, &kept.value.owner).await?;
            } else {
                let spent = Code { spent: true, ..kept.value.clone() };
                if !self.records.replace(&key, &kept, &spent, Some(Duration::from_secs(600))).await? {
                    continue;
                }
            }
            outcome.map_err(|denied| denied.told())?;
            return Ok(kept.value);
        }
    }

    async fn refresh(&self, params: &Params, client: &Client, pipeline: &Pipeline) -> Result<Value, Failure> {
        let token = params.need("refresh_token", "refresh_token is needed")?;
        let resource = self.resources.named(params)?;
        let scopes = params.one("scope")?.map(|scope| scope.split_whitespace().collect::<Scopes>());
        let shown = Refresh { client: &client.id, token, scopes, resource: resource.as_deref() };
        let handle = Family::handle(token).ok_or(invalid())?;
        let (name, next) = (Family::name(handle), Family::token(handle, &random::<32>()));
        let key = family_key(&name);
        loop {
            let kept: Kept<Family> = self.records.get(&key).await?.ok_or(invalid())?;
            let (family, scopes) = match kept.value.refresh(&shown, Digest::of(&next), now()) {
                Ok(rotated) => rotated,
                Err(denied) => {
                    if let Denied::Reused { family } = &denied {
                        tracing::warn!(client = client.id, "a refresh token was shown twice, or by another client");
                        self.revoke_family(family, &kept.value.owner).await?;
                    }
                    return Err(denied.told().into());
                }
            };
            let Some(user) = self.users.owner(&family.owner).await? else { return Err(invalid().into()) };
            // What was taken from the user since is taken from the client too.
            let scopes = scopes.shared_with(&super::scopes(&user, pipeline));
            if !self.records.replace(&key, &kept, &family, Some(self.family_ttl())).await? {
                continue;
            }
            self.clients.used(client).await?;
            let access = self.access(self.of_user(&user, client, &family, &name, scopes)).await?;
            return Ok(with_refresh(access, Some(next)));
        }
    }

    /// A client that acts for itself (RFC 6749 §4.4).
    async fn itself(&self, params: &Params, client: &Client) -> Result<Value, Failure> {
        if client.secret.is_none() {
            return Err(Refused::new(ErrorCode::UnauthorizedClient, "a client without a secret is nobody").into());
        }
        let own = client.scopes.clone().unwrap_or_default();
        let scopes = match params.one("scope")?.map(|scope| scope.split_whitespace().collect::<Scopes>()) {
            None => own,
            Some(asked) if asked.shared_with(&own) == asked => asked,
            Some(_) => {
                return Err(Refused::new(ErrorCode::InvalidScope, "the client does not have these scopes").into());
            }
        };
        self.access(Grant {
            account: client.id.as_str().into(),
            roles: Vec::new(),
            tenant: None,
            client: &client.id,
            resource: self.resources.pick(params)?,
            scopes,
            credential: format!("oauth/client/{}/{}", client.id, random::<9>()).into(),
        })
        .await
    }

    fn of_user<'a>(&self, user: &User, client: &'a Client, family: &Family, name: &str, scopes: Scopes) -> Grant<'a> {
        Grant {
            account: user.name.clone(),
            roles: user.roles.clone(),
            tenant: user.tenant.clone(),
            client: &client.id,
            resource: family.resource.clone(),
            scopes,
            credential: format!("{}/{name}", family.owner.credential()).into(),
        }
    }

    async fn access(&self, grant: Grant<'_>) -> Result<Value, Failure> {
        let now = now();
        let claims = Claims {
            iss: self.issuer().to_owned(),
            aud: grant.resource,
            sub: grant.account,
            client_id: grant.client.to_owned(),
            iat: now,
            exp: now + self.settings.load().access_lifetime,
            jti: random::<12>(),
            scope: String::new(),
            roles: grant.roles,
            tenant: grant.tenant,
            sid: Some(grant.credential),
            act: None,
            intent: None,
        };
        self.signed(&claims.with_scopes(&grant.scopes)).await
    }

    /// The answer that brings a token.
    pub(super) async fn signed(&self, claims: &Claims) -> Result<Value, Failure> {
        Ok(json!({
            "access_token": self.keys.current().await?.sign(claims)?,
            "token_type": "Bearer",
            "expires_in": claims.exp.saturating_sub(claims.iat),
            "scope": claims.scope,
        }))
    }

    /// Ends a family, whether it has begun or not: no refresh, and what was given of it is revoked.
    pub(super) async fn revoke_family(&self, name: &str, owner: &Owner) -> Result<(), Failure> {
        let key = family_key(name);
        loop {
            let kept: Option<Kept<Family>> = self.records.get(&key).await?;
            let done = match &kept {
                Some(kept) if kept.value.revoked => true,
                Some(kept) => {
                    let revoked = Family { revoked: true, ..kept.value.clone() };
                    self.records.replace(&key, kept, &revoked, Some(self.family_ttl())).await?
                }
                None => {
                    let never = Family {
                        client: String::new(),
                        owner: owner.clone(),
                        scopes: Scopes::default(),
                        resource: String::new(),
                        expires: 0,
                        current: None,
                        revoked: true,
                    };
                    self.records.create(&key, &never, Some(self.family_ttl())).await?
                }
            };
            if done {
                break;
            }
        }
        super::revoke(self.records.store(), &format!("{}/{name}", owner.credential())).await
    }

    fn family_ttl(&self) -> Duration {
        Duration::from_secs(self.settings.load().refresh_lifetime)
    }
}

fn with_refresh(mut answer: Value, refresh: Option<String>) -> Value {
    if let Some(refresh) = refresh {
        answer["refresh_token"] = refresh.into();
    }
    answer
}

/// Where a family is kept.
pub(super) fn family_key(name: &str) -> String {
    format!("oauth/family/{name}")
}

fn invalid() -> Refused {
    Refused::new(ErrorCode::InvalidGrant, "the grant is not valid")
}
