//! Sampling: the server asks the client's model (`sampling/createMessage`; deprecated in 2026-07-28).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Content, Inexpressible, MediaContent, Role, TaskTtl, TextContent, Tool};
use crate::Revision;

/// What the model is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMessage {
    /// The conversation so far.
    pub messages: Vec<SamplingMessage>,
    /// The most tokens the answer may have.
    pub max_tokens: u32,
    /// Which model would fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<ModelPreferences>,
    /// The system prompt the server would like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// What of the client's context to add; anything but `none` is deprecated since 2025-11-25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_context: Option<IncludeContext>,
    /// The model's temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Texts at which the model stops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// Passed to the model's provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Tools the model may use; the server runs them (since 2025-11-25, capability `sampling.tools`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether the model must use one (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Answer with a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskTtl>,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// One message to or from the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SamplingMessage {
    /// Who says it.
    pub role: Role,
    /// What is said; written without brackets when it is one block, as before 2025-11-25.
    #[serde(with = "one_or_many")]
    pub content: Vec<SamplingContent>,
    /// Whatever else is said of it (since 2025-11-25).
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// One block of a message to or from the model (`SamplingMessageContentBlock`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingContent {
    /// Plain text.
    Text(TextContent),
    /// A picture.
    Image(MediaContent),
    /// A sound (since 2025-03-26).
    Audio(MediaContent),
    /// The model wants a tool to run (since 2025-11-25).
    ToolUse(ToolUse),
    /// What that tool returned (since 2025-11-25).
    ToolResult(ToolResult),
}

/// The model wants a tool to run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// What the [`ToolResult`] must name.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// With which arguments.
    pub input: Map<String, Value>,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// What a tool returned to the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolResult {
    /// The `id` of the [`ToolUse`].
    pub tool_use_id: String,
    /// For the model.
    pub content: Vec<Content>,
    /// For programs.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// The tool failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// Which model would fit. Priorities go from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelPreferences {
    /// Names or parts of names, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<ModelHint>,
    /// How much cost matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_priority: Option<f64>,
    /// How much speed matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_priority: Option<f64>,
    /// How much intelligence matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligence_priority: Option<f64>,
}

/// A hint at a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelHint {
    /// A name or a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What of the client's context to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IncludeContext {
    /// Nothing.
    None,
    /// What this server gave.
    ThisServer,
    /// What all servers gave.
    AllServers,
}

/// Whether the model must use a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChoice {
    /// It may, must, or must not.
    #[serde(default)]
    pub mode: ToolChoiceMode,
}

/// The mode of a [`ToolChoice`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolChoiceMode {
    /// It may.
    #[default]
    Auto,
    /// It must.
    Required,
    /// It must not.
    None,
}

/// What the model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMessageResult {
    /// Who says it: the model.
    pub role: Role,
    /// What is said; written without brackets when it is one block, as before 2025-11-25.
    #[serde(with = "one_or_many")]
    pub content: Vec<SamplingContent>,
    /// Which model it was.
    pub model: String,
    /// Why it stopped: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or the provider's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Whatever else the client says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl CreateMessage {
    /// One question of the person, answered in at most `max_tokens` tokens.
    pub fn ask(text: impl Into<String>, max_tokens: u32) -> Self {
        Self::new([SamplingMessage::user(text)], max_tokens)
    }

    /// Asks this, for at most this many tokens.
    pub fn new(messages: impl Into<Vec<SamplingMessage>>, max_tokens: u32) -> Self {
        Self { messages: messages.into(), max_tokens, ..Self::default() }
    }

    /// The question as the revision knows it: before 2025-11-25 each block is a message of its own.
    ///
    /// # Errors
    /// Before 2025-11-25 models could not be given tools.
    pub fn for_revision(mut self, revision: Revision) -> Result<Self, Inexpressible> {
        if revision != Revision::V2025_11_25 {
            self.task = None;
        }
        if revision >= Revision::V2025_11_25 {
            return Ok(self);
        }
        if !self.tools.is_empty() || self.tool_choice.is_some() {
            return Err(Inexpressible::new("sampling with tools", revision));
        }
        let mut messages = Vec::with_capacity(self.messages.len());
        for SamplingMessage { role, content, .. } in self.messages {
            for block in content {
                messages.push(SamplingMessage::new(role, [block.for_revision(revision)?]));
            }
        }
        Ok(Self { messages, ..self })
    }
}

impl SamplingMessage {
    /// Said by somebody.
    pub fn new(role: Role, content: impl Into<Vec<SamplingContent>>) -> Self {
        Self { role, content: content.into(), meta: Map::new() }
    }

    /// A text of the person.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [SamplingContent::text(text)])
    }

    /// A text of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, [SamplingContent::text(text)])
    }
}

impl SamplingContent {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The block as the revision knows it: sounds become text where there were none.
    ///
    /// # Errors
    /// Before 2025-11-25 models could not be given tools.
    pub fn for_revision(self, revision: Revision) -> Result<Self, Inexpressible> {
        match self {
            Self::Audio(audio) if revision < Revision::V2025_03_26 => Ok(Self::Text(audio.described())),
            Self::ToolUse(_) | Self::ToolResult(_) if revision < Revision::V2025_11_25 => {
                Err(Inexpressible::new("sampling with tools", revision))
            }
            Self::ToolResult(mut result) if revision < Revision::V2026_07_28 => {
                result.structured_content = result.structured_content.filter(Value::is_object);
                Ok(Self::ToolResult(result))
            }
            block => Ok(block),
        }
    }
}

impl CreateMessageResult {
    /// A text of this model.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            role: Role::Assistant,
            content: vec![SamplingContent::text(text)],
            model: model.into(),
            stop_reason: Some("endTurn".to_owned()),
            meta: Map::new(),
        }
    }

    /// Its texts, one after the other.
    pub fn to_text(&self) -> String {
        let texts: Vec<&str> = self.content.iter().filter_map(SamplingContent::as_text).collect();
        texts.join("\n")
    }
}

mod one_or_many {
    use super::{Deserialize, Deserializer, SamplingContent, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(blocks: &[SamplingContent], serializer: S) -> Result<S::Ok, S::Error> {
        match blocks {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SamplingContent>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            Many(Vec<SamplingContent>),
            One(Box<SamplingContent>),
        }
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::Many(blocks) => blocks,
            OneOrMany::One(block) => vec![*block],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_one_block_or_several() {
        let one = r#"{"role":"assistant","content":{"type":"text","text":"a"},"model":"m","stopReason":"endTurn"}"#;
        let read: CreateMessageResult = serde_json::from_str(one).unwrap();
        assert_eq!(read, CreateMessageResult::text("m", "a"));
        assert_eq!(serde_json::to_string(&read).unwrap(), one);
        let many = r#"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"tool_use","id":"1","name":"t","input":{}},{"type":"text","text":"b"}],"model":"m"}"#;
        let read: CreateMessageResult = serde_json::from_str(many).unwrap();
        assert_eq!(read.to_text(), "a\nb");
        assert_eq!(serde_json::to_string(&read).unwrap(), many);
    }
}
