//! Refresh tokens: each is good once, and one that comes back was stolen (OAuth 2.1 §4.3.1, RFC 9700 §4.14).

use serde::{Deserialize, Serialize};

use super::{
    error::{Denied, ErrorCode, Refused},
    user::Owner,
};
use crate::{Digest, Scopes};

/// All tokens that come from one consent. Its name is the digest of a handle that only refresh tokens carry, so that the
/// name may stand in access tokens and records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The client they are of.
    pub client: String,
    /// Who consented.
    pub owner: Owner,
    /// To what.
    pub scopes: Scopes,
    /// For which resource.
    pub resource: String,
    /// When the last token ends, however often it was refreshed.
    pub expires: u64,
    /// What is kept of the one refresh token that is good; none when the client gets none.
    pub current: Option<Digest>,
    /// Whether all of them have been revoked.
    pub revoked: bool,
}

/// How a refresh token is shown.
#[derive(Debug, Clone)]
pub struct Refresh<'a> {
    /// By this client.
    pub client: &'a str,
    /// The token.
    pub token: &'a str,
    /// For these scopes, when the client wants fewer.
    pub scopes: Option<Scopes>,
    /// For this resource, when the client names one again.
    pub resource: Option<&'a str>,
}

/// What refresh tokens begin with, so that they are known when they lie about.
const PREFIX: &str = "mrt_";

impl Family {
    /// A refresh token of the family with this handle.
    pub fn token(handle: &str, secret: &str) -> String {
        format!("{PREFIX}{handle}.{secret}")
    }

    /// The name of the family with this handle.
    pub fn name(handle: &str) -> String {
        Digest::of(handle).to_string()
    }

    /// The handle of a refresh token's family.
    pub fn handle(token: &str) -> Option<&str> {
        let (handle, secret) = token.strip_prefix(PREFIX)?.split_once('.')?;
        (!handle.is_empty() && !secret.is_empty() && token.len() <= 256).then_some(handle)
    }

    /// What a refresh gives: the family as it must be kept, in one step with having found it as it was, and the scopes of
    /// the next access token. `next` is the refresh token that takes the place of this one.
    ///
    /// # Errors
    /// [`Denied::Reused`] when the token is not the last one of its family, or shown by another client: it was stolen,
    /// from this client or by it. Else what is wrong.
    pub fn refresh(&self, shown: &Refresh<'_>, next: Digest, now: u64) -> Result<(Self, Scopes), Denied> {
        if self.revoked || now >= self.expires {
            return Err(Refused::grant("the grant is not valid").into());
        }
        let is_last = self.current.as_ref().is_some_and(|current| current.is_of(shown.token));
        if !is_last || self.client != shown.client {
            return Err(Denied::Reused { family: Family::handle(shown.token).map(Self::name).unwrap_or_default() });
        }
        if shown.resource.is_some_and(|resource| resource != self.resource) {
            return Err(Refused::new(ErrorCode::InvalidTarget, "the user consented to another resource").into());
        }
        let scopes = match &shown.scopes {
            None => self.scopes.clone(),
            Some(asked) if asked.shared_with(&self.scopes) == *asked => asked.clone(),
            Some(_) => {
                return Err(Refused::new(ErrorCode::InvalidScope, "the user did not consent to these scopes").into());
            }
        };
        Ok((Self { current: Some(next), ..self.clone() }, scopes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(token: &str) -> Family {
        Family {
            client: "c".into(),
            owner: Owner { account: "alice".into(), id: "1".into() },
            scopes: ["a", "b"].into_iter().collect(),
            resource: "r".into(),
            expires: 100,
            current: Some(Digest::of(token)),
            revoked: false,
        }
    }

    #[test]
    fn a_refresh_token_is_good_once() {
        let (first, second) = (Family::token("h", "one"), Family::token("h", "two"));
        let shown = |token| Refresh { client: "c", token, scopes: None, resource: None };
        let (next, scopes) = family(&first).refresh(&shown(&first), Digest::of(&second), 0).unwrap();
        assert_eq!(scopes, family(&first).scopes);
        assert!(next.refresh(&shown(&second), Digest::of("x"), 0).is_ok());
        let reused = next.refresh(&shown(&first), Digest::of("x"), 0).unwrap_err();
        assert_eq!(reused, Denied::Reused { family: Family::name("h") });
        assert_eq!(reused.told().code, ErrorCode::InvalidGrant);
    }

    #[test]
    fn a_refresh_never_widens_and_ends_with_the_consent() {
        let token = Family::token("h", "one");
        let shown = |client, scopes: Option<&str>, resource| Refresh {
            client,
            token: &token,
            scopes: scopes.map(|text| text.split(' ').collect()),
            resource,
        };
        let grant = ErrorCode::InvalidGrant;
        for (shown, revoked, now, expected) in [
            (shown("c", Some("a"), Some("r")), false, 99, Ok("a")),
            (shown("c", Some("a c"), None), false, 0, Err(ErrorCode::InvalidScope)),
            (shown("c", None, Some("other")), false, 0, Err(ErrorCode::InvalidTarget)),
            (shown("d", None, None), false, 0, Err(grant)),
            (shown("c", None, None), false, 100, Err(grant)),
            (shown("c", None, None), true, 0, Err(grant)),
        ] {
            let outcome = Family { revoked, ..family(&token) }.refresh(&shown, Digest::of("x"), now);
            let outcome = outcome.map(|(_, scopes)| scopes).map_err(|denied| denied.told().code);
            assert_eq!(outcome, expected.map(|text: &str| text.split(' ').collect()), "{shown:?}");
        }
    }

    #[test]
    fn a_family_is_found_by_its_tokens_and_not_by_its_name() {
        let token = Family::token("handle", "secret");
        assert_eq!(Family::handle(&token), Some("handle"));
        let name = Family::name("handle");
        assert_ne!(Family::name(Family::handle(&Family::token(&name, "x")).unwrap()), name);
        for token in ["", "mrt_", "mrt_a", "mrt_.b", "mrt_a.", "xyz_a.b"] {
            assert_eq!(Family::handle(token), None, "{token}");
        }
    }
}
