//! Scopes: what a tool asks for and what a caller was granted.
//!
//! As in go-micro, any one of the scopes a service names suffices, and case does not matter.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Denied, Rule, ToolSet, Why};

/// A set of scopes, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<String>")]
#[schemars(with = "Vec<String>")]
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

/// What a tool asks of its caller, and which rule says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Any one of these is needed, unless there are none.
    pub any_of: Scopes,
    /// All of these are needed.
    pub all_of: Scopes,
    /// Who asks for them.
    pub rule: Rule,
}

impl Requirement {
    /// As the service says it: any one suffices, none opens the tool to everyone.
    pub fn declared(any_of: Scopes) -> Self {
        let rule = Rule::named(if any_of.is_empty() { "open" } else { "scopes:service" });
        Self { any_of, all_of: Scopes::default(), rule }
    }

    /// Every scope that is named.
    pub fn scopes(&self) -> Scopes {
        let mut all = self.any_of.clone();
        all.extend(&self.all_of);
        all
    }

    /// Decides. `granted` is `None` for a caller who may do everything.
    ///
    /// # Errors
    /// When scopes are missing.
    pub fn check(&self, granted: Option<&Scopes>) -> Result<(), Denied> {
        let Some(granted) = granted else { return Ok(()) };
        let any = self.any_of.is_empty() || self.any_of.0.iter().any(|scope| granted.0.contains(scope));
        if any && self.all_of.0.is_subset(&granted.0) {
            return Ok(());
        }
        let why = Why::Scopes { any_of: self.any_of.clone(), all_of: self.all_of.clone() };
        Err(Denied { rule: self.rule.clone(), why })
    }
}

/// What the gateway's config asks for in place of what services say, by tool or by the beginning of its name.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<(ToolSet, usize, Requirement)>);

/// Overrides that make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOverride {
    /// The pattern is none.
    #[error("`{0}` is no name of a tool, nor the beginning of one with a `*` behind it")]
    Pattern(String),
    /// Two are for the same pattern.
    #[error("`{0}` is there twice")]
    Twice(String),
}

impl Overrides {
    /// Adds one for a tool or pattern: scopes of which any one, and scopes that all are needed.
    ///
    /// # Errors
    /// When the pattern is none, or is there already.
    pub fn add(&mut self, pattern: &str, any_of: Scopes, all_of: Scopes) -> Result<(), InvalidOverride> {
        let tools = ToolSet::new([pattern]).map_err(|_| InvalidOverride::Pattern(pattern.to_owned()))?;
        if self.0.iter().any(|(known, ..)| *known == tools) {
            return Err(InvalidOverride::Twice(pattern.to_owned()));
        }
        // A whole name is longer than every beginning of it.
        let precision = pattern.strip_suffix('*').map_or(usize::MAX, str::len);
        let requirement = Requirement { any_of, all_of, rule: Rule::named(format!("scopes:{pattern}")) };
        let at = self.0.partition_point(|(_, other, _)| *other >= precision);
        self.0.insert(at, (tools, precision, requirement));
        Ok(())
    }

    /// What is asked of a tool's callers: what the most precise override says, else what the service does.
    pub fn requirement(&self, tool: &str, declared: impl FnOnce() -> Scopes) -> Requirement {
        match self.0.iter().find(|(tools, ..)| tools.has(tool)) {
            Some((.., requirement)) => requirement.clone(),
            None => Requirement::declared(declared()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Scopes {
        text.split_whitespace().collect()
    }

    #[test]
    fn any_one_and_all_of_what_is_asked_for_lets_a_caller_in() {
        for (any_of, all_of, granted, allowed) in [
            ("blog:read blog:admin", "", "BLOG:Admin", true),
            ("blog:write", "", "blog:read", false),
            ("blog:write", "", "", false),
            ("blog:write", "", "blog:writer *", false),
            ("", "", "", true),
            ("", "a b", "a b c", true),
            ("", "a b", "a c", false),
            ("x y", "a b", "a b y", true),
            ("x y", "a b", "a b", false),
            ("x y", "a b", "x a", false),
        ] {
            let requirement = Requirement { any_of: set(any_of), all_of: set(all_of), rule: Rule::named("r") };
            let decided = requirement.check(Some(&set(granted)));
            assert_eq!(decided.is_ok(), allowed, "{any_of} + {all_of} with {granted}");
            assert!(decided.is_ok() || decided.unwrap_err().rule.as_str() == "r");
            assert_eq!(requirement.check(None), Ok(()));
        }
    }

    #[test]
    fn the_most_precise_override_counts_in_whatever_order_they_stand() {
        let patterns = ["*", "billing.*", "billing.Invoices.*", "billing.Invoices.Pay"];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut overrides = Overrides::default();
            for at in order {
                overrides.add(patterns[at], set(&at.to_string()), Scopes::default()).unwrap();
            }
            for (tool, expected) in [
                ("mail.Mail.Send", "scopes:*"),
                ("billing.Users.Get", "scopes:billing.*"),
                ("billing.Invoices.List", "scopes:billing.Invoices.*"),
                ("billing.Invoices.Pay", "scopes:billing.Invoices.Pay"),
            ] {
                assert_eq!(overrides.requirement(tool, Scopes::default).rule.as_str(), expected, "{order:?}");
            }
        }
    }

    #[test]
    fn without_an_override_the_service_has_the_word() {
        let mut overrides = Overrides::default();
        assert_eq!(overrides.requirement("a.A.X", || set("a")).rule.as_str(), "scopes:service");
        assert_eq!(overrides.requirement("a.A.X", Scopes::default).rule.as_str(), "open");
        overrides.add("a.*", Scopes::default(), Scopes::default()).unwrap();
        assert_eq!(overrides.requirement("a.A.X", || set("a")).check(Some(&set(""))), Ok(()), "opened on purpose");
        assert_eq!(overrides.add("a.*", set("x"), set("")), Err(InvalidOverride::Twice("a.*".to_owned())));
        assert_eq!(overrides.add("a*b", set("x"), set("")), Err(InvalidOverride::Pattern("a*b".to_owned())));
    }
}
