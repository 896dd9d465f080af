//! Scopes: what a tool asks for and what a caller was granted.
//!
//! As in go-micro, any one of the scopes a tool names suffices, and case does not matter.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

/// A set of scopes, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Scopes(BTreeSet<Arc<str>>);

impl Scopes {
    /// Whether the set has this scope.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope) || self.0.iter().any(|s| s.eq_ignore_ascii_case(scope))
    }

    /// Every scope, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|s| &**s)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes that are in both sets.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }
}

impl<S: AsRef<str>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(|s| s.as_ref().to_ascii_lowercase().into()).collect())
    }
}

impl From<Vec<String>> for Scopes {
    fn from(scopes: Vec<String>) -> Self {
        scopes.into_iter().collect()
    }
}

/// What a tool asks of its caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// Any one of these lets a caller in; an empty set lets everyone in.
    pub any_of: Scopes,
}

/// The caller was granted none of the scopes that would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("insufficient scopes: any one of {} is needed", .needed.iter().collect::<Vec<_>>().join(", "))]
pub struct MissingScope {
    /// The scopes of which one is needed.
    pub needed: Scopes,
}

impl Requirement {
    /// Decides. `granted` is `None` for a caller who may do everything.
    pub fn check(&self, granted: Option<&Scopes>) -> Result<(), MissingScope> {
        let allowed = match granted {
            None => true,
            Some(_) if self.any_of.is_empty() => true,
            Some(granted) => self.any_of.0.iter().any(|scope| granted.0.contains(scope)),
        };
        if allowed { Ok(()) } else { Err(MissingScope { needed: self.any_of.clone() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(needed: &str, granted: &str) -> bool {
        let set = |text: &str| text.split_whitespace().collect::<Scopes>();
        Requirement { any_of: set(needed) }.check(Some(&set(granted))).is_ok()
    }

    #[test]
    fn any_one_scope_in_any_case_suffices() {
        assert!(check("blog:read blog:admin", "BLOG:Admin"));
        assert!(!check("blog:write", "blog:read"));
        assert!(!check("blog:write", ""));
        assert!(!check("blog:write", "blog:writer *"));
    }

    #[test]
    fn a_tool_without_scopes_is_open_to_every_account() {
        assert!(check("", ""));
    }
}
