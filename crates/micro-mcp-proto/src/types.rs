//! The types that servers write, in their 2026-07-28 shape; older revisions read a subset of each.

mod ask;
mod content;
mod prompt;
mod resource;
mod sampling;
mod tool;

use serde::{Deserialize, Serialize};

pub use self::{
    ask::{Completion, ElicitAction, ElicitResult, ListRootsResult, Root},
    content::{Annotations, Content, Role},
    prompt::{Prompt, PromptArgument, PromptMessage},
    resource::{Resource, ResourceContents, ResourceTemplate},
    sampling::{
        CreateMessage, CreateMessageResult, ModelHint, ModelPreferences, SamplingContent, SamplingMessage, ToolChoice,
        ToolChoiceMode,
    },
    tool::{CallToolResult, Tool, ToolAnnotations},
};

/// Name and version of a client or server. Unverified: for display and logs only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Implementation {
    /// Name for programs.
    pub name: String,
    /// Version, in whatever scheme it has.
    pub version: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where to read more (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
    /// Pictures (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
}

/// A picture; `src` is an `https:` or `data:` URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    /// Where it is.
    pub src: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Sizes such as `48x48` or `any`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    /// `light` or `dark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}
