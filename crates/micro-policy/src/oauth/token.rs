//! What an access token says (RFC 9068), and for whom it can be (RFC 8707).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    error::{ErrorCode, Refused},
    params::Params,
};
use crate::{Intent, Scopes};

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// This server.
    pub iss: String,
    /// The resource that it is for.
    pub aud: String,
    /// The account.
    pub sub: Arc<str>,
    /// The client that it was given to.
    pub client_id: String,
    /// Since when it is good, in seconds since 1970.
    pub iat: u64,
    /// Until when.
    pub exp: u64,
    /// Its own name, by which it can be revoked.
    pub jti: String,
    /// What it allows, with blanks between (RFC 6749 §3.3).
    pub scope: String,
    /// The account's roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Arc<str>>,
    /// The account's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Arc<str>>,
    /// The consent it comes from, by which it is revoked along with all others from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Arc<str>>,
    /// Who acts for the account (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// What the user asked for, when the token can do only that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
}

/// One who acts for another, and who acted before: the newest outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The actor's account.
    pub sub: Arc<str>,
    /// For whom it took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

impl Actor {
    /// The chain of these actors, the newest first.
    pub fn chain(newest_first: &[Arc<str>]) -> Option<Self> {
        newest_first.iter().rev().fold(None, |before, sub| Some(Self { sub: sub.clone(), act: before.map(Box::new) }))
    }
}

/// The scopes as a claim.
pub(super) fn scope_claim(scopes: &Scopes) -> String {
    scopes.iter().collect::<Vec<_>>().join(" ")
}

impl Claims {
    /// Sets the scopes.
    #[must_use]
    pub fn with_scopes(self, scopes: &Scopes) -> Self {
        Self { scope: scope_claim(scopes), ..self }
    }
}

/// The resources that tokens can be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    usual: String,
    all: Vec<String>,
}

impl Resources {
    /// The one that is meant when none is named, and the others.
    pub fn new(usual: &str, others: impl IntoIterator<Item = String>) -> Self {
        let all = std::iter::once(usual.to_owned()).chain(others).map(|uri| uri.trim_end_matches('/').to_owned());
        Self { usual: usual.trim_end_matches('/').to_owned(), all: all.collect() }
    }

    /// The one that `resource` names, as this server writes it; a last slash does not count.
    ///
    /// # Errors
    /// `invalid_target` when it is none of these, or two are named: a token is for one.
    pub fn pick(&self, params: &Params) -> Result<String, Refused> {
        self.named(params).map(|named| named.unwrap_or_else(|| self.usual.clone()))
    }

    /// The same, or `None` when none is named.
    ///
    /// # Errors
    /// As [`Self::pick`].
    pub fn named(&self, params: &Params) -> Result<Option<String>, Refused> {
        let mut asked = params.all("resource");
        match (asked.next(), asked.next()) {
            (None, _) => Ok(None),
            (Some(asked), None) => {
                let known = self.all.iter().find(|uri| *uri == asked.trim_end_matches('/'));
                let unknown = Refused::new(ErrorCode::InvalidTarget, "the resource is none of this server's");
                known.cloned().map(Some).ok_or(unknown)
            }
            _ => Err(Refused::new(ErrorCode::InvalidTarget, "a token is for one resource")),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_resource_of_this_server() {
        let resources = Resources::new("https://as/mcp", ["https://as/".to_owned()]);
        for (query, expected) in [
            ("", Ok("https://as/mcp")),
            ("resource=https://as/mcp/", Ok("https://as/mcp")),
            ("resource=https://as", Ok("https://as")),
            ("resource=https://as/mcp&resource=https://as", Err(ErrorCode::InvalidTarget)),
            ("resource=https://as/other", Err(ErrorCode::InvalidTarget)),
            ("resource=https://as.evil.example/mcp", Err(ErrorCode::InvalidTarget)),
        ] {
            let picked = resources.pick(&Params::parse(query.as_bytes()).unwrap());
            assert_eq!(picked.map_err(|r| r.code), expected.map(str::to_owned), "{query}");
        }
    }

    #[test]
    fn the_newest_actor_stands_outside() {
        let chain = Actor::chain(&["agent-2".into(), "agent-1".into()]);
        let json = serde_json::json!({"sub": "agent-2", "act": {"sub": "agent-1"}});
        assert_eq!(serde_json::to_value(chain).unwrap(), json);
        assert_eq!(Actor::chain(&[]), None);
    }
}
