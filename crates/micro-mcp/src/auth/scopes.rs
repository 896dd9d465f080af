//! Which scopes are asked for (MCP authorization, scope selection and step-up).

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// The scope that makes an OpenID provider give a refresh token.
const OFFLINE_ACCESS: &str = "offline_access";

/// Most scopes that are kept of a list from outside.
const MAX_SCOPES: usize = 256;

/// A set of scopes. Written with blanks between them, in the order of the alphabet.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads scopes with blanks between them. A word that no scope can be (RFC 6749 section 3.3) is left out.
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of the others are in here.
    pub fn contains_all(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// Whether this one is in here.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// These and the others.
    #[must_use]
    pub fn union(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(words: I) -> Self {
        let legal =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        Self(words.into_iter().filter(legal).take(MAX_SCOPES).map(str::to_owned).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

/// What is known when scopes are chosen.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// What the client's owner has set.
    pub(crate) configured: Option<&'a Scopes>,
    /// What the server's challenge names.
    pub(crate) challenged: Option<&'a Scopes>,
    /// `scopes_supported` of the protected resource.
    pub(crate) resource: Option<&'a Scopes>,
    /// `scopes_supported` of the authorization server.
    pub(crate) server: Option<&'a Scopes>,
    /// What was asked for before.
    pub(crate) requested: Option<&'a Scopes>,
    /// Whether a refresh token is wanted.
    pub(crate) offline: bool,
}

impl Choice<'_> {
    /// What is asked for; `None` leaves `scope` out.
    ///
    /// The challenge comes first, then all that the resource knows, then nothing; what was asked for before is kept.
    /// `offline_access` goes along only where the authorization server lists it.
    pub(crate) fn select(self) -> Option<Scopes> {
        let mut scopes = self.challenged.or(self.configured).or(self.resource)?.clone();
        for more in [self.configured, self.requested].into_iter().flatten() {
            scopes = scopes.union(more);
        }
        scopes.0.remove(OFFLINE_ACCESS);
        if self.offline && self.server.is_some_and(|server| server.contains(OFFLINE_ACCESS)) {
            scopes.0.insert(OFFLINE_ACCESS.to_owned());
        }
        (!scopes.is_empty()).then_some(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_chosen_in_the_order_of_the_specification() {
        let some = |text: &str| (!text.is_empty()).then(|| Scopes::parse(text));
        // configured, challenged, resource, server, requested before, refresh wanted → asked for
        for (configured, challenged, resource, server, requested, offline, expected) in [
            ("", "", "", "", "", true, ""),
            ("", "b a", "c", "", "", true, "a b"),
            ("", "", "c d", "", "", true, "c d"),
            ("", "b", "c", "", "a", false, "a b"),
            ("x", "b", "c", "", "", false, "b x"),
            ("x", "", "c", "", "", false, "x"),
            ("", "", "a", "a offline_access", "", true, "a offline_access"),
            ("", "", "a", "a offline_access", "", false, "a"),
            ("", "", "a offline_access", "a", "", true, "a"),
            ("", "", "", "offline_access", "", true, ""),
        ] {
            let all = [configured, challenged, resource, server, requested].map(some);
            let [configured, challenged, resource, server, requested] = all.each_ref().map(Option::as_ref);
            let choice = Choice { configured, challenged, resource, server, requested, offline };
            assert_eq!(choice.select().map(|scopes| scopes.to_string()).unwrap_or_default(), expected, "{choice:?}");
        }
    }

    #[test]
    fn words_that_no_scope_can_be_are_left_out() {
        assert_eq!(Scopes::parse(" a:b  ü \"x\" c\\d\te/f ").to_string(), "a:b e/f");
    }
}
