//! Elicitation, roots and completion: what a person or a client answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a person answered an `elicitation/create`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElicitResult {
    /// What they did.
    pub action: ElicitAction,
    /// The form, when it was filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Map<String, Value>>,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// What a person did when they were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitAction {
    /// They answered, or agreed to open the URL.
    Accept,
    /// They said no.
    Decline,
    /// They went away without saying anything.
    Cancel,
}

/// A place the client lets the server work in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// A `file://` URI.
    pub uri: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whatever else the client says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// What `roots/list` returns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListRootsResult {
    /// All of them.
    pub roots: Vec<Root>,
    /// Whatever else the client says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// Values that would complete an argument (`completion/complete`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// At most [`Completion::MAX`], best first.
    pub values: Vec<String>,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// There are more than these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

impl ElicitResult {
    /// A form, filled in.
    pub fn accept(content: Map<String, Value>) -> Self {
        Self { action: ElicitAction::Accept, content: Some(content), meta: Map::new() }
    }

    /// No.
    pub fn decline() -> Self {
        Self { action: ElicitAction::Decline, content: None, meta: Map::new() }
    }

    /// No answer.
    pub fn cancel() -> Self {
        Self { action: ElicitAction::Cancel, content: None, meta: Map::new() }
    }
}

impl Completion {
    /// Values in one answer (`server/utilities/completion`).
    pub const MAX: usize = 100;
}

impl<T: Into<String>> FromIterator<T> for Completion {
    /// The first hundred, and whether there are more.
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
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
