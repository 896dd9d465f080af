//! Token exchange: a user's token and what they asked for become a token that can do only that (RFC 8693).

use std::sync::Arc;

use jiff::Timestamp;
use micro_policy::{
    Identity, Verdict,
    audit::IntentRecord,
    oauth::{Actor, Claims, Client, ErrorCode, Exchange, Exchanged, Params, Refused, Subject},
};
use serde_json::Value;

use super::{
    Failure, Server,
    records::{now, random},
};
use crate::{
    identity::Shown,
    pipeline::{Pipeline, reserve},
};

impl Server {
    /// Answers an exchange. Who asks need not be known: what comes out can do less than what is shown.
    pub(super) async fn exchange(
        &self,
        params: &Params,
        client: Option<&Client>,
        pipeline: &Pipeline,
    ) -> Result<Value, Failure> {
        if let Some(client) = client {
            client.may(micro_policy::oauth::GrantType::TokenExchange)?;
        }
        let exchange = Exchange::read(params)?;
        let resource = self.resources.pick(params)?;
        let subject = params.need("subject_token", "subject_token is needed")?;
        let subject = shown(pipeline, subject, "the subject_token is not good").await?;
        let actor = match params.one("actor_token")? {
            Some(token) => Some(shown(pipeline, token, "the actor_token is not good").await?),
            None => None,
        };
        let issued = now();
        let id: Arc<str> = format!("int_{}", random::<12>()).into();
        let decided = self.decide(&exchange, &id, &subject, actor.as_ref(), issued).await?;
        let asked = Asked { exchange: &exchange, id: &id, subject: &subject, actor: actor.as_deref(), issued };
        asked.write_down(pipeline, &decided).await?;
        let Exchanged { scopes, actors, intent, expires } = decided?;
        let claims = Claims {
            iss: self.issuer().to_owned(),
            aud: resource,
            sub: subject.account.clone(),
            client_id: client
                .map_or_else(|| actors.first().unwrap_or(&subject.account).to_string(), |client| client.id.clone()),
            iat: issued,
            exp: expires,
            jti: random::<12>(),
            scope: String::new(),
            roles: subject.roles.iter().cloned().collect(),
            tenant: subject.tenant.clone(),
            // Whatever ends the token that it comes from ends this one too.
            sid: Some(format!("{}/{}", subject.credential, intent.id).into()),
            act: Actor::chain(&actors),
            intent: Some(intent.clone()),
        };
        let mut answer = self.signed(&claims.with_scopes(&scopes)).await?;
        answer["issued_token_type"] = Exchange::ISSUED_TYPE.into();
        answer["intent"] = (*intent.id).into();
        Ok(answer)
    }

    /// What comes out, when something does.
    async fn decide(
        &self,
        exchange: &Exchange,
        id: &Arc<str>,
        subject: &Arc<Identity>,
        actor: Option<&Arc<Identity>>,
        now: u64,
    ) -> Result<Result<Exchanged, Refused>, Failure> {
        let exchanged = match exchange.clone().decide(id.clone(), known(subject), actor.map(known), now) {
            Ok(exchanged) => exchanged,
            Err(refused) => return Ok(Err(refused)),
        };
        // The last thing that can be refused: what is taken from the parent is not given back.
        if let Some(parent) = &subject.intent {
            let taken = reserve(self.records.store(), parent, u64::from(exchange.intent.calls)).await?;
            if taken.is_err() {
                return Ok(Err(Refused::new(ErrorCode::InvalidScope, "the subject's intent has fewer calls left")));
            }
        }
        Ok(Ok(exchanged))
    }
}

/// Who asks for what.
struct Asked<'a> {
    exchange: &'a Exchange,
    id: &'a str,
    subject: &'a Identity,
    actor: Option<&'a Identity>,
    issued: u64,
}

impl Asked<'_> {
    /// What was asked and what became of it, for whoever traces a call back, or wonders who tries to get more than
    /// they were given. Without that there is no token.
    async fn write_down(&self, pipeline: &Pipeline, decided: &Result<Exchanged, Refused>) -> Result<(), Failure> {
        let Self { exchange, subject, .. } = self;
        let (scopes, tools, expires, verdict) = match decided {
            Ok(made) => (Some(&made.scopes), &made.intent.tools, made.expires, Verdict::Allowed),
            Err(refused) => {
                let expires = self.issued.saturating_add(exchange.lifetime);
                (exchange.scopes.as_ref(), &exchange.intent.tools, expires, Verdict::Denied(refused.why))
            }
        };
        let tools: Vec<Arc<str>> = tools.iter().flat_map(|tools| tools.iter()).map(Into::into).collect();
        let newest = self.actor.map(|actor| actor.account.clone());
        let actors: Vec<Arc<str>> = newest.into_iter().chain(subject.actors.iter().cloned()).collect();
        let held = subject.intent.as_ref();
        // Without a message nothing was asked for: that is a mistake like one of form, and gave no token.
        let Some(message_digest) = exchange.intent.message.or(held.map(|held| held.message)) else { return Ok(()) };
        let expires = i64::try_from(expires).ok().and_then(|at| Timestamp::from_second(at).ok());
        let record = IntentRecord {
            timestamp: Timestamp::now(),
            intent: self.id,
            parent: held.map(|held| &*held.id),
            account_id: &subject.account,
            actors: &actors,
            tenant: subject.tenant.as_deref(),
            message: exchange.message.as_deref(),
            message_digest,
            tools: &tools,
            scopes,
            calls: u64::from(exchange.intent.calls),
            expires: expires.unwrap_or(Timestamp::MAX),
            verdict,
        };
        pipeline.audit.intent(&record).await.map_err(|_| Failure::Internal)
    }
}

/// Whose token it is: any that the gateway takes, of its own or another issuer.
async fn shown(pipeline: &Pipeline, token: &str, why: &'static str) -> Result<Arc<Identity>, Failure> {
    match pipeline.identities.check(token).await {
        // One that is bound to a key is of no use without, and the new one would be.
        Shown::Good(verified) if verified.identity.certificate.is_none() => Ok(verified.identity.clone()),
        _ => Err(Refused::new(ErrorCode::InvalidGrant, why).into()),
    }
}

fn known(identity: &Arc<Identity>) -> Subject<'_> {
    Subject {
        account: &identity.account,
        scopes: identity.scopes.as_ref(),
        actors: &identity.actors,
        intent: identity.intent.as_ref(),
        expires: identity.expires.map(|at| u64::try_from(at.as_second()).unwrap_or(0)),
    }
}
