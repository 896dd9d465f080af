//! Tokens of an issuer (RFC 7519, RFC 9068): whether they are good, and whose they are.
//!
//! A token is judged by its issuer's entry in the config and the issuer's keys. Where to find keys is never taken
//! from the token: `jku`, `jwk`, `x5u` and `x5c` in its header are not looked at.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Algorithm, Digest, Identity, KeySet, Rejection, Scopes, is_name};

/// Longest token that is parsed, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Most roles and most actors that are taken from one token.
const MAX_NAMES: usize = 64;

/// An issuer whose tokens are taken.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Its name: `iss`, letter by letter.
    pub name: String,
    /// Who the tokens must be for: `aud` has to name one of these.
    pub audience: Vec<String>,
    /// How they may be signed.
    pub algorithms: Vec<Algorithm>,
    /// Which claims say what.
    pub claims: Claims,
    /// How far the clocks may be apart.
    pub skew: Duration,
}

/// Which claims say who a token is of. A claim is named as it stands in the token, or by a path with dots.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    /// The account. Default: `sub`.
    pub account: String,
    /// What stands before the account's name, so that two issuers' accounts cannot meet. Default: nothing.
    pub account_prefix: String,
    /// The scopes: a list, or a text with spaces between. Default: `scope`, and where it is not, `scp`.
    pub scopes: Option<String>,
    /// The roles: a list, or a text with spaces between. Default: `roles`.
    pub roles: String,
    /// The tenant; a token without it is refused. Goes with `tenants`. Default: none, tokens are of `fixed_tenant`.
    pub tenant: Option<String>,
    /// Which tenants the issuer may name: a token of any other is refused. `["*"]` lets it name every one. Default: none.
    pub tenants: Vec<String>,
    /// The tenant of all the issuer's tokens. Default: none.
    pub fixed_tenant: Option<String>,
}

impl Default for Claims {
    fn default() -> Self {
        let (account, roles) = ("sub".to_owned(), "roles".to_owned());
        Self {
            account,
            account_prefix: String::new(),
            scopes: None,
            roles,
            tenant: None,
            tenants: Vec::new(),
            fixed_tenant: None,
        }
    }
}

impl Claims {
    /// Whether the issuer may say of somebody that they are of this tenant.
    fn may_name(&self, tenant: &str) -> bool {
        self.tenants.iter().any(|known| known == "*" || known == tenant)
    }
}

/// A token that was read. Nothing it says has been proved.
#[derive(Debug)]
pub struct Token<'a> {
    text: &'a str,
    /// Everything before the signature.
    signed: &'a str,
    signature: &'a str,
    header: Header,
    claims: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// Why a token was not found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    /// The issuer's keys, as far as they are known, do not have the one it is signed with.
    UnknownKey,
    /// It is not.
    Rejected(Rejection),
}

/// A key that nobody has made no good signature.
impl From<Unproven> for Rejection {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::UnknownKey => Self::Invalid,
            Unproven::Rejected(rejection) => rejection,
        }
    }
}

impl From<Rejection> for Unproven {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl<'a> Token<'a> {
    /// Reads a token. `None` when it has not the form of one at all: three parts with dots between.
    ///
    /// # Errors
    /// When it has the form, but is no token.
    pub fn parse(text: &'a str) -> Option<Result<Self, Rejection>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        if text.len() > MAX_TOKEN {
            return Some(Err(Rejection::Malformed));
        }
        let read = || {
            let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
            let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
            Some(Self { text, signed, signature, header, claims })
        };
        Some(read().ok_or(Rejection::Malformed))
    }

    /// Who it says has issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss")?.as_str()
    }

    /// The name of the key that it says it is signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Everything it says.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether its header lets it be an access token that we understand (RFC 9068 §4, RFC 7515 §4.1.11).
    fn check_header(&self) -> Result<Algorithm, Rejection> {
        if self.header.crit.is_some() {
            return Err(Rejection::Invalid);
        }
        if let Some(kind) = &self.header.typ {
            let kind = kind.to_ascii_lowercase();
            if !matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt") {
                return Err(Rejection::Invalid);
            }
        }
        Algorithm::named(&self.header.alg).ok_or(Rejection::Invalid)
    }

    /// When a claim says; `None` when it is not there.
    fn time(&self, claim: &str) -> Result<Option<Timestamp>, Rejection> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest there is")]
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
        let seconds = seconds.ok_or(Rejection::Malformed)?;
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Timestamp::from_second(seconds.clamp(first, last)).map(Some).map_err(|_| Rejection::Malformed)
    }

    /// Whether it is for one of these.
    fn is_for(&self, audience: &[String]) -> bool {
        let names = |value: &Value| value.as_str().is_some_and(|name| audience.iter().any(|known| known == name));
        match self.claims.get("aud") {
            Some(Value::Array(values)) => values.iter().any(names),
            Some(value) => names(value),
            None => false,
        }
    }

    /// A claim by its name, or by a path with dots.
    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.claims.get(first)?, |value, part| value.get(part))
        })
    }

    /// The words of a claim that is a list, or a text with spaces between.
    fn words(&self, name: &str) -> Option<Vec<&str>> {
        Some(match self.claim(name)? {
            Value::String(text) => text.split_whitespace().collect(),
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        })
    }

    /// What it is revoked by: its own name, where it has one that can be used.
    fn credential(&self, issuer: &str) -> String {
        match self.claims.get("jti").and_then(Value::as_str).filter(|id| is_name(id)) {
            Some(id) => format!("jwt/{issuer}/{id}"),
            None => format!("jwt/{issuer}/sha256:{}", Digest::of(self.text.as_bytes())),
        }
    }

    /// Who acts, the one that calls first (RFC 8693 §4.1).
    fn actors(&self) -> Result<Vec<Arc<str>>, Rejection> {
        let mut actors = Vec::new();
        let mut next = self.claims.get("act");
        while let Some(actor) = next {
            let name = actor.get("sub").and_then(Value::as_str).filter(|name| is_name(name));
            if actors.len() == MAX_NAMES {
                return Err(Rejection::Malformed);
            }
            actors.push(name.ok_or(Rejection::Malformed)?.into());
            next = actor.get("act");
        }
        Ok(actors)
    }

    /// The client certificate that it is bound to (RFC 8705 §3.1). A binding that is not understood is not ignored.
    fn certificate(&self) -> Result<Option<Digest>, Rejection> {
        match self.claims.get("cnf") {
            None => Ok(None),
            Some(Value::Object(bound)) if bound.len() == 1 => {
                let thumbprint = bound.get("x5t#S256").and_then(Value::as_str).ok_or(Rejection::Bound)?;
                let bytes = URL_SAFE_NO_PAD.decode(thumbprint).map_err(|_| Rejection::Malformed)?;
                Ok(Some(Digest::from(<[u8; 32]>::try_from(bytes).map_err(|_| Rejection::Malformed)?)))
            }
            Some(_) => Err(Rejection::Bound),
        }
    }
}

impl Issuer {
    /// Whose token this is, if it is good.
    ///
    /// What costs nothing is looked at first: an old token, or one for others, does not make anybody look for keys.
    ///
    /// # Errors
    /// Why it is not, or that the key is not among these.
    pub fn verify(&self, token: &Token<'_>, keys: &KeySet, now: Timestamp) -> Result<Identity, Unproven> {
        let algorithm = token.check_header()?;
        if !self.algorithms.contains(&algorithm) {
            return Err(Rejection::Invalid.into());
        }
        if token.issuer() != Some(&self.name) {
            return Err(Rejection::Issuer.into());
        }
        if !token.is_for(&self.audience) {
            return Err(Rejection::Audience.into());
        }
        let skew = SignedDuration::try_from(self.skew).unwrap_or(SignedDuration::MAX);
        let expires = token.time("exp")?.ok_or(Rejection::Malformed)?;
        let expires = expires.saturating_add(skew).unwrap_or(Timestamp::MAX);
        if expires <= now {
            return Err(Rejection::Expired.into());
        }
        let earliest = now.saturating_add(skew).unwrap_or(Timestamp::MAX);
        if token.time("nbf")?.is_some_and(|from| from > earliest) {
            return Err(Rejection::NotYetValid.into());
        }
        let id = token.key_id();
        match (keys.verify(id, algorithm, token.signed, token.signature), id) {
            (Some(true), _) => {}
            (Some(false), Some(_)) => return Err(Rejection::Invalid.into()),
            // Without a name the key may be one that is not known yet.
            (Some(false), None) | (None, _) => return Err(Unproven::UnknownKey),
        }
        Ok(self.identity(token, expires)?)
    }

    fn identity(&self, token: &Token<'_>, expires: Timestamp) -> Result<Identity, Rejection> {
        let name = |claim: &str| {
            let name = token.claim(claim).and_then(Value::as_str).filter(|name| is_name(name));
            name.ok_or(Rejection::Malformed)
        };
        let claims = &self.claims;
        let account = format!("{}{}", claims.account_prefix, name(&claims.account)?);
        let scopes = match &claims.scopes {
            Some(claim) => token.words(claim),
            None => token.words("scope").or_else(|| token.words("scp")),
        };
        let roles: BTreeSet<Arc<str>> =
            token.words(&claims.roles).unwrap_or_default().into_iter().map(Arc::from).collect();
        if roles.len() > MAX_NAMES || !roles.iter().all(|role| is_name(role)) {
            return Err(Rejection::Malformed);
        }
        let tenant = match &claims.tenant {
            Some(claim) => match name(claim)? {
                tenant if claims.may_name(tenant) => Some(tenant),
                _ => return Err(Rejection::Issuer),
            },
            None => claims.fixed_tenant.as_deref(),
        };
        Ok(Identity {
            scopes: Some(scopes.unwrap_or_default().into_iter().collect::<Scopes>()),
            roles,
            tenant: tenant.map(Arc::from),
            actors: token.actors()?,
            issuer: Some(self.name.as_str().into()),
            expires: Some(expires),
            certificate: token.certificate()?,
            ..Identity::named(account, token.credential(&self.name))
        })
    }
}

#[cfg(test)]
mod tests;
