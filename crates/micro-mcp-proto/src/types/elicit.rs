//! Elicitation: the server asks the person at the client (`elicitation/create`, since 2025-06-18).

mod form;
mod from_schema;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

pub use self::{
    form::{Field, FieldKind, FormSchema, Items, StringFormat, StringType, Titled},
    from_schema::NotAForm,
};
use super::{Inexpressible, TaskTtl};
use crate::Revision;

/// What is asked: a form to fill in, or a page to visit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum ElicitParams {
    /// A form. Never for secrets.
    Form(ElicitForm),
    /// A page outside of MCP (since 2025-11-25).
    Url(ElicitUrl),
}

/// A form to fill in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElicitForm {
    /// What is asked, for the person.
    pub message: String,
    /// The fields.
    pub requested_schema: FormSchema,
    /// Answer with a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskTtl>,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A page to visit. The client shows the whole address and asks before it opens it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElicitUrl {
    /// Why, for the person.
    pub message: String,
    /// Where.
    pub url: String,
    /// What `notifications/elicitation/complete` names (2025-11-25 only, required there).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elicitation_id: Option<String>,
    /// Answer with a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskTtl>,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElicitResult {
    /// Accepted, declined or went away.
    pub action: ElicitAction,
    /// The fields of an accepted form: strings, numbers, booleans, lists of strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Map<String, Value>>,
    /// Whatever else the client says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// How the person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitAction {
    /// Yes. For a URL: yes, open it; not that anything happened there.
    Accept,
    /// No.
    Decline,
    /// Closed without an answer.
    Cancel,
}

/// `notifications/elicitation/complete` (2025-11-25 only).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElicitationCompleteParams {
    /// Which one.
    pub elicitation_id: String,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl ElicitParams {
    /// A form.
    pub fn form(message: impl Into<String>, requested_schema: FormSchema) -> Self {
        Self::Form(ElicitForm { message: message.into(), requested_schema, ..ElicitForm::default() })
    }

    /// A page to visit.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self::Url(ElicitUrl { message: message.into(), url: url.into(), ..ElicitUrl::default() })
    }

    /// What is asked, for the person.
    pub fn message(&self) -> &str {
        match self {
            Self::Form(form) => &form.message,
            Self::Url(url) => &url.message,
        }
    }

    /// The question as the revision knows it.
    ///
    /// # Errors
    /// Elicitation came with 2025-06-18, pages and lists of choices with 2025-11-25. A page without
    /// an `elicitation_id` cannot be asked for in 2025-11-25.
    pub fn for_revision(self, revision: Revision) -> Result<Self, Inexpressible> {
        if revision < Revision::V2025_06_18 {
            return Err(Inexpressible::new("elicitation", revision));
        }
        match self {
            Self::Form(mut form) => {
                form.task = form.task.filter(|_| revision == Revision::V2025_11_25);
                form.requested_schema = form.requested_schema.for_revision(revision)?;
                Ok(Self::Form(form))
            }
            Self::Url(url) if revision == Revision::V2025_11_25 && url.elicitation_id.is_some() => Ok(Self::Url(url)),
            Self::Url(url) if revision == Revision::V2026_07_28 => {
                Ok(Self::Url(ElicitUrl { elicitation_id: None, task: None, ..url }))
            }
            Self::Url(_) => Err(Inexpressible::new("URL elicitation", revision)),
        }
    }
}

impl<'de> Deserialize<'de> for ElicitParams {
    /// Before 2025-11-25 there was no `mode`, and it was a form.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wire = Map::<String, Value>::deserialize(deserializer)?;
        let mode = wire.remove("mode");
        let read = match mode.as_ref().map(Value::as_str) {
            None | Some(Some("form")) => serde_json::from_value(Value::Object(wire)).map(Self::Form),
            Some(Some("url")) => serde_json::from_value(Value::Object(wire)).map(Self::Url),
            Some(_) => return Err(de::Error::custom("an unknown elicitation mode")),
        };
        read.map_err(de::Error::custom)
    }
}

impl ElicitResult {
    /// Accepted, with the fields of the form.
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
