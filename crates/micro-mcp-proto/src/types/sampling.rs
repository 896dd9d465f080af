//! Sampling: a server asks the client's model (`sampling/createMessage`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Annotations, Content, Role, Tool};

/// What a server asks the client's model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMessage {
    /// The conversation so far.
    pub messages: Vec<SamplingMessage>,
    /// Tokens to generate at most.
    pub max_tokens: u32,
    /// What the server wants of it, beside what the client's own system prompt says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Which kind of model suits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<ModelPreferences>,
    /// `none`, `thisServer` or `allServers`; the latter two are deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_context: Option<String>,
    /// As the provider understands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Texts that end the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// For the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Tools the model may use; the client must have declared `sampling.tools` (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must use one (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
}

/// Wishes for a model; each priority is from 0 (no matter) to 1 (all that matters).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelPreferences {
    /// Names to look for, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<ModelHint>,
    /// Cheap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_priority: Option<f64>,
    /// Fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_priority: Option<f64>,
    /// Clever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligence_priority: Option<f64>,
}

/// A model's name, or a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelHint {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Whether the model must use a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChoice {
    /// It may, must, or must not.
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

/// One message of a conversation with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SamplingMessage {
    /// Who says it.
    pub role: Role,
    /// What is said: one block, or several (since 2025-11-25).
    #[serde(with = "one_or_several")]
    pub content: Vec<SamplingContent>,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A block of a message to or from a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingContent {
    /// Plain text.
    Text {
        /// The text.
        text: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Whatever else is said of it.
        #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
        meta: Map<String, Value>,
    },
    /// A picture.
    #[serde(rename_all = "camelCase")]
    Image {
        /// Base64.
        data: String,
        /// Media type, for example `image/png`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Whatever else is said of it.
        #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
        meta: Map<String, Value>,
    },
    /// A sound (since 2025-03-26).
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Base64.
        data: String,
        /// Media type, for example `audio/wav`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Whatever else is said of it.
        #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
        meta: Map<String, Value>,
    },
    /// The model wants a tool called (since 2025-11-25).
    ToolUse {
        /// Names this use.
        id: String,
        /// The tool.
        name: String,
        /// Its arguments.
        input: Map<String, Value>,
        /// Whatever else is said of it.
        #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
        meta: Map<String, Value>,
    },
    /// What the tool gave (since 2025-11-25).
    #[serde(rename_all = "camelCase")]
    ToolResult {
        /// Which use it answers.
        tool_use_id: String,
        /// For the model.
        content: Vec<Content>,
        /// For programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        structured_content: Option<Value>,
        /// The tool failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        /// Whatever else is said of it.
        #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
        meta: Map<String, Value>,
    },
}

/// What the client's model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMessageResult {
    /// Who says it: the model.
    pub role: Role,
    /// What is said: one block, or several (since 2025-11-25).
    #[serde(with = "one_or_several")]
    pub content: Vec<SamplingContent>,
    /// Which model it was.
    pub model: String,
    /// `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or a word of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl CreateMessage {
    /// One question of the person, answered in at most `max_tokens` tokens.
    pub fn ask(text: impl Into<String>, max_tokens: u32) -> Self {
        Self { messages: vec![SamplingMessage::user(text)], max_tokens, ..Self::default() }
    }
}

impl SamplingMessage {
    /// A text said by the person.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, content: vec![SamplingContent::text(text)], meta: Map::new() }
    }

    /// A text said by the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: vec![SamplingContent::text(text)], meta: Map::new() }
    }
}

impl SamplingContent {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), annotations: None, meta: Map::new() }
    }
}

impl CreateMessageResult {
    /// A text said by this model.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        let content = vec![SamplingContent::text(text)];
        let stop_reason = Some("endTurn".to_owned());
        Self { role: Role::Assistant, content, model: model.into(), stop_reason, meta: Map::new() }
    }

    /// Its texts, one after the other.
    pub fn to_text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            SamplingContent::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// A single block stands alone on the wire, as revisions before 2025-11-25 want it.
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SamplingContent;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        One(Box<SamplingContent>),
        Several(Vec<SamplingContent>),
    }

    pub(super) fn serialize<S: Serializer>(blocks: &[SamplingContent], serializer: S) -> Result<S::Ok, S::Error> {
        match blocks {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SamplingContent>, D::Error> {
        Ok(match Wire::deserialize(deserializer)? {
            Wire::One(block) => vec![*block],
            Wire::Several(blocks) => blocks,
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
