//! What a gateway asserts of a caller to one service, signed, so that nobody else on the network can say it.
//!
//! One header, `Mcp-Assertion`: a JWT in compact form (RFC 7515 §7.1), signed with Ed25519 (RFC 8037), whose first part is
//! always the same. It is for one service (`aud`) and good for a minute (`exp`). `docs/wire.md` lists its claims.

mod recent;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use micro_core::{Metadata, header};
use serde::{Deserialize, Serialize};

use self::recent::Recent;
use crate::{
    Caller,
    keys::{PublicKey, Signer},
};

/// Who calls, as a service is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The account; none where nobody is asked for a credential.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Arc<str>>,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Arc<str>>,
    /// Its scopes with blanks between (RFC 6749 §3.3); `*` alone is everything.
    #[serde(rename = "scope", default)]
    pub scopes: String,
    /// The intent that the call is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Arc<str>>,
}

/// Why an assertion is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unasserted {
    /// It has not the form of one.
    #[error("malformed")]
    Malformed,
    /// No gateway that is trusted signed it.
    #[error("not signed by a gateway that is trusted")]
    Forged,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It is good for longer than any gateway says.
    #[error("good for too long")]
    TooLong,
    /// It is for another service.
    #[error("for another service")]
    Audience,
}

/// How long an assertion is good, in seconds.
const LIFETIME: u64 = 60;

/// How long one is sent again rather than signed anew.
const REUSED: u64 = 30;

/// How far clocks may differ, in seconds.
const SKEW: u64 = 5;

/// Longest assertion that is looked at, in bytes.
const MAX_LEN: usize = 8 * 1024;

/// `{"alg":"EdDSA","typ":"micro-assertion+jwt"}`: there is nothing to choose, and so nothing to confuse.
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6Im1pY3JvLWFzc2VydGlvbitqd3QifQ";

/// The headers that say who calls. Services that trust a gateway's key take them from its assertions alone.
const IDENTITY: [&str; 4] = [header::ACCOUNT_ID, header::TENANT, header::SCOPES, header::INTENT];

/// What is signed.
#[derive(Serialize, Deserialize)]
struct Claims<A, T> {
    aud: A,
    exp: u64,
    #[serde(flatten)]
    assertion: T,
}

impl Assertion {
    /// Of a caller.
    pub fn of(caller: &Caller) -> Self {
        // `*` and blanks mean something here, so no scope may hold them.
        let plain = |scope: &&str| *scope != "*" && !scope.contains(|c: char| c.is_whitespace() || c.is_control());
        let scopes = match caller.scopes() {
            None => "*".to_owned(),
            Some(scopes) => scopes.iter().filter(plain).collect::<Vec<_>>().join(" "),
        };
        let identity = caller.identity();
        Self {
            account: identity.map(|identity| identity.account.clone()),
            tenant: identity.and_then(|identity| identity.tenant.clone()),
            scopes,
            intent: identity.and_then(|identity| Some(identity.intent.as_ref()?.id.clone())),
        }
    }

    /// Says the same in the metadata of a call, in place of whatever they said.
    pub fn write(&self, metadata: &mut Metadata) {
        IDENTITY.iter().for_each(|name| metadata.remove(name));
        let scopes = (!self.scopes.is_empty()).then_some(&*self.scopes);
        let said = [self.account.as_deref(), self.tenant.as_deref(), scopes, self.intent.as_deref()];
        for (name, value) in IDENTITY.into_iter().zip(said) {
            value.into_iter().for_each(|value| metadata.set(name, value));
        }
    }
}

/// Signs assertions.
#[derive(Debug)]
pub struct Asserter {
    key: Signer,
    /// What was signed a moment ago, by what it says.
    recent: Recent<Arc<str>>,
}

impl Asserter {
    /// With this key.
    pub fn new(key: Signer) -> Self {
        Self { key, recent: Recent::default() }
    }

    /// An assertion to a service; `now` is in seconds since 1970.
    pub fn sign(&self, assertion: &Assertion, service: &str, now: u64) -> Arc<str> {
        // Without its time it is the same for each call of this caller to this service.
        let about = claims(service, 0, assertion);
        if let Some(signed) = self.recent.get(&about, now) {
            return signed;
        }
        let payload = URL_SAFE_NO_PAD.encode(claims(service, now + LIFETIME, assertion));
        let mut text = format!("{HEADER}.{payload}");
        let signature = self.key.sign(text.as_bytes());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        let signed: Arc<str> = text.into();
        self.recent.insert(about, now + REUSED, signed.clone(), now);
        signed
    }
}

fn claims(aud: &str, exp: u64, assertion: &Assertion) -> String {
    serde_json::to_string(&Claims { aud, exp, assertion }).expect("texts and numbers are plain JSON")
}

/// The gateways that a service trusts.
#[derive(Debug)]
pub struct Trust {
    keys: Vec<PublicKey>,
    /// What was found good a moment ago.
    recent: Recent<(Arc<str>, Arc<Assertion>)>,
}

impl Trust {
    /// These keys: several while a key is replaced, or for several gateways.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self { keys, recent: Recent::default() }
    }

    /// Judges what was sent to a service; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn verify(&self, text: &str, service: &str, now: u64) -> Result<Arc<Assertion>, Unasserted> {
        if let Some((audience, assertion)) = self.recent.get(text, now) {
            return if *audience == *service { Ok(assertion) } else { Err(Unasserted::Audience) };
        }
        let (signed, signature) = Some(text)
            .filter(|text| text.len() <= MAX_LEN)
            .and_then(|text| text.rsplit_once('.'))
            .ok_or(Unasserted::Malformed)?;
        let payload =
            signed.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.')).ok_or(Unasserted::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Unasserted::Malformed);
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        // Nothing of it is read before it is known whose words they are.
        if !self.keys.iter().any(|key| key.verify(signed.as_bytes(), &signature)) {
            return Err(Unasserted::Forged);
        }
        let Claims { aud, exp, assertion } =
            serde_json::from_slice::<Claims<Arc<str>, Assertion>>(&payload).map_err(|_| Unasserted::Malformed)?;
        match exp {
            _ if exp.saturating_add(SKEW) <= now => return Err(Unasserted::Expired),
            _ if exp > now.saturating_add(LIFETIME + SKEW) => return Err(Unasserted::TooLong),
            _ if *aud != *service => return Err(Unasserted::Audience),
            _ => {}
        }
        let assertion = Arc::new(assertion);
        self.recent.insert(text.to_owned(), exp + SKEW, (aud, assertion.clone()), now);
        Ok(assertion)
    }

    /// Takes who calls from the assertion alone: what else the metadata say about it is dropped. Without an assertion
    /// nobody is named.
    ///
    /// # Errors
    /// When there is one and it is not good.
    pub fn apply(
        &self,
        metadata: &mut Metadata,
        shown: Option<&str>,
        service: &str,
        now: u64,
    ) -> Result<(), Unasserted> {
        match shown {
            Some(text) => self.verify(text, service, now)?.write(metadata),
            None => IDENTITY.iter().for_each(|name| metadata.remove(name)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
