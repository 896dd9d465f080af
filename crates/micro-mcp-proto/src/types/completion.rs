//! Completion of arguments (`completion/complete`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RequestMeta;

/// What is to be completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompleteParams {
    /// Of which prompt or template.
    #[serde(rename = "ref")]
    pub reference: Reference,
    /// The argument, as far as it is written.
    pub argument: CompleteArgument,
    /// What is known already (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<CompleteContext>,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// What an argument belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Reference {
    /// A prompt.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// Its name.
        name: String,
        /// Its name for people (since 2025-06-18).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A resource or a template.
    #[serde(rename = "ref/resource")]
    Resource {
        /// Its URI or URI template.
        uri: String,
    },
}

/// An argument, as far as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteArgument {
    /// Its name.
    pub name: String,
    /// What is written so far.
    pub value: String,
}

/// What is known already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteContext {
    /// Arguments that were completed before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
}

/// What `completion/complete` returns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CompleteResult {
    /// The proposals.
    pub completion: Completion,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// Proposals, the best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// At most [`Completion::MAX`].
    pub values: Vec<String>,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// There are more than these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

impl Reference {
    /// A prompt, by its name.
    pub fn prompt(name: impl Into<String>) -> Self {
        Self::Prompt { name: name.into(), title: None }
    }

    /// A resource template, by its text.
    pub fn template(uri_template: impl Into<String>) -> Self {
        Self::Resource { uri: uri_template.into() }
    }
}

impl Completion {
    /// The most values one answer may have.
    pub const MAX: usize = 100;
}

impl<S: Into<String>> FromIterator<S> for Completion {
    /// The first hundred, how many there are, and whether there are more.
    fn from_iter<I: IntoIterator<Item = S>>(all: I) -> Self {
        let mut values: Vec<String> = all.into_iter().map(Into::into).collect();
        let total = values.len();
        values.truncate(Self::MAX);
        Self { values, total: u64::try_from(total).ok(), has_more: Some(total > Self::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_holds_a_hundred_values() {
        let all: Completion = (0..150).map(|n| n.to_string()).collect();
        assert_eq!((all.values.len(), all.total, all.has_more), (100, Some(150), Some(true)));
    }
}
