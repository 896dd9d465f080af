//! Content blocks: what tools and prompts say, and what models are asked.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Resource, ResourceContents};
use crate::Revision;

/// One block of content (`ContentBlock`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text(TextContent),
    /// A picture.
    Image(MediaContent),
    /// A sound (since 2025-03-26).
    Audio(MediaContent),
    /// A resource to be read later (since 2025-06-18).
    ResourceLink(Resource),
    /// A resource, right here.
    Resource(EmbeddedResource),
}

/// Plain text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextContent {
    /// The text.
    pub text: String,
    /// For whom, how important.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// Whatever else is said of it (since 2025-06-18).
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A picture or a sound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaContent {
    /// Base64.
    pub data: String,
    /// Media type, for example `image/png` or `audio/wav`.
    pub mime_type: String,
    /// For whom, how important.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// Whatever else is said of it (since 2025-06-18).
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A resource inside a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EmbeddedResource {
    /// What would be read at its URI.
    pub resource: ResourceContents,
    /// For whom, how important.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// Whatever else is said of it (since 2025-06-18).
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// A picture, as base64.
    pub fn image(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self::Image(MediaContent::new(data, mime_type))
    }

    /// A sound, as base64.
    pub fn audio(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self::Audio(MediaContent::new(data, mime_type))
    }

    /// An embedded resource.
    pub fn resource(resource: ResourceContents) -> Self {
        Self::Resource(EmbeddedResource { resource, ..EmbeddedResource::default() })
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The block as the revision knows it: what it has no form for becomes text.
    #[must_use]
    pub fn for_revision(self, revision: Revision) -> Self {
        match self {
            Self::ResourceLink(link) if revision < Revision::V2025_06_18 => Self::text(link.uri),
            Self::Audio(audio) if revision < Revision::V2025_03_26 => Self::Text(audio.described()),
            block => block,
        }
    }
}

impl TextContent {
    /// Without annotations.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl MediaContent {
    /// Base64 and its media type.
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self { data: data.into(), mime_type: mime_type.into(), ..Self::default() }
    }

    /// A text in its place, for peers that have no such block.
    pub(super) fn described(self) -> TextContent {
        TextContent { text: format!("[{}]", self.mime_type), annotations: self.annotations, meta: self.meta }
    }
}

/// Hints for hosts about a block or resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// For whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Role>,
    /// From 0 (optional) to 1 (required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// ISO 8601 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// What newer revisions add.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Who speaks, or is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}
