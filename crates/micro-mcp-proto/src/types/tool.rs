//! Tools and what calling one returns.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{Content, Icon, InputResponses, RequestMeta, TaskTtl, ToolExecution};
use crate::Revision;

/// A tool as `tools/list` shows it. Schemas are kept as the text they came in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Name for calls: 1–128 characters of `[A-Za-z0-9_.-]`, unique in the server.
    pub name: String,
    /// Name for people (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments; its root has `"type":"object"`.
    pub input_schema: Box<RawValue>,
    /// JSON Schema of `structuredContent` (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Box<RawValue>>,
    /// Hints on behaviour (since 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Pictures (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Whether it runs as a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ToolExecution>,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// Params of `tools/call`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolParams {
    /// Which tool.
    pub name: String,
    /// Its arguments, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<RawValue>>,
    /// Answers to the questions of an earlier result (since 2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_responses: Option<InputResponses>,
    /// The state that came with them (since 2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<String>,
    /// Make it a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskTtl>,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// Untrusted hints on behaviour. An absent one has the default of the specification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolAnnotations {
    /// Name for people, before `Tool::title` existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// It changes nothing. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling it twice does what calling it once does. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches outside a closed world. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

/// What `tools/call` returns, without what the era adds (`resultType`, `_meta`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolResult {
    /// For the model.
    #[serde(default)]
    pub content: Vec<Content>,
    /// For programs (since 2025-06-18; before 2026-07-28 only an object).
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// The tool failed, and the content says why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// What the server adds.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl Tool {
    /// A tool with a name and the JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, input_schema: Box<RawValue>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema,
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            execution: None,
            meta: Map::new(),
        }
    }

    /// The tool as the revision knows it: structured output is an object before 2026-07-28, and not there
    /// before 2025-06-18; `execution` belongs to 2025-11-25 alone.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        if revision != Revision::V2025_11_25 {
            self.execution = None;
        }
        if revision < Revision::V2026_07_28 {
            let fits = revision >= Revision::V2025_06_18;
            self.output_schema = self.output_schema.filter(|schema| fits && describes_object(schema));
        }
        self
    }
}

/// A JSON Schema whose root says `"type":"object"`.
fn describes_object(schema: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Root {
        r#type: Option<Value>,
    }
    serde_json::from_str::<Root>(schema.get()).is_ok_and(|root| root.r#type == Some(Value::from("object")))
}

impl CallToolResult {
    /// Success with these blocks.
    pub fn new(content: impl Into<Vec<Content>>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Success with one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new([Content::text(text)])
    }

    /// Failure with one text. The model reads it and may try again.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// Success with a value, for programs and as text.
    pub fn structured(value: Value) -> Self {
        let text = value.to_string();
        Self { structured_content: Some(value), ..Self::text(text) }
    }

    /// The result as the revision knows it: see [`Content::for_revision`]; `structuredContent` is an object
    /// before 2026-07-28, and not there before 2025-06-18.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        if revision == Revision::V2026_07_28 {
            return self;
        }
        self.content = self.content.into_iter().map(|block| block.for_revision(revision)).collect();
        let fits = revision >= Revision::V2025_06_18;
        self.structured_content = self.structured_content.filter(|value| fits && value.is_object());
        self
    }
}
