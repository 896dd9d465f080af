//! Which rule decided about a call, and why the call was refused.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::Scopes;

/// The name of a rule, as records and `micro auth explain` print it.
///
/// `open`, `scopes:service`, `scopes:billing.*`, `tenant:acme`, `intent:ID`, `policy:NAME`, `catalog`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Rule(Arc<str>);

impl Rule {
    /// The rule of this name.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A call that is not allowed: what decided that, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Denied {
    /// The rule that decided.
    pub rule: Rule,
    /// Why. Tells nothing that the caller may not hear.
    pub why: Why,
}

/// Why a call is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The tool is not in the catalog of the caller's tenant. The caller is told that there is no such tool.
    Tenant,
    /// The user did not ask for what this tool does.
    Intent,
    /// The caller lacks scopes.
    Scopes {
        /// One of these is needed, unless there are none.
        any_of: Scopes,
        /// These are needed, all of them.
        all_of: Scopes,
    },
    /// A policy forbids it.
    Forbidden,
    /// No policy permits it.
    NotPermitted,
    /// Policies could not be applied to it.
    Unjudged(&'static str),
}

impl Why {
    /// In words that are the same for each call, for audit records.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Tenant => "unknown tool",
            Self::Intent => "outside the intent",
            Self::Scopes { .. } => "insufficient scopes",
            Self::Forbidden | Self::NotPermitted => "denied by policy",
            Self::Unjudged(_) => "cannot be judged",
        }
    }
}

/// As the caller is told.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intent => "not what the user asked for",
            _ => self.reason(),
        })?;
        match self {
            Self::Scopes { any_of, all_of } => {
                let text = |scopes: &Scopes| scopes.iter().collect::<Vec<_>>().join(", ");
                match (any_of.is_empty(), all_of.is_empty()) {
                    (_, true) => write!(f, ": any one of {} is needed", text(any_of)),
                    (true, false) => write!(f, ": all of {} are needed", text(all_of)),
                    (false, false) => {
                        write!(f, ": all of {} and any one of {} are needed", text(all_of), text(any_of))
                    }
                }
            }
            Self::Unjudged(why) => write!(f, ": {why}"),
            Self::Tenant | Self::Intent | Self::Forbidden | Self::NotPermitted => Ok(()),
        }
    }
}
