//! The messages of every revision as types: one shape each, with what any revision puts there.
//!
//! Where an older revision has no form for something, `for_revision` gives the nearest it has, or
//! [`Inexpressible`]. Members that a type does not know are skipped; what must pass on unknown
//! members (a gateway) works on raw text instead, see [`crate::RawObject`].

mod completion;
mod content;
mod elicit;
mod input;
mod lifecycle;
mod meta;
mod notification;
mod outcome;
mod page;
mod prompt;
mod resource;
mod root;
mod sampling;
mod subscription;
mod task;
mod tool;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use self::{
    completion::{CompleteArgument, CompleteContext, CompleteParams, CompleteResult, Completion, Reference},
    content::{Annotations, Content, EmbeddedResource, MediaContent, Role, TextContent},
    elicit::{
        ElicitAction, ElicitForm, ElicitParams, ElicitResult, ElicitUrl, ElicitationCompleteParams, Field, FieldKind,
        FormSchema, Items, NotAForm, StringFormat, StringType, Titled,
    },
    input::{InputRequest, InputRequests, InputRequired, InputResponse, InputResponses},
    lifecycle::{DiscoverResult, InitializeParams, InitializeResult},
    meta::{EmptyParams, EmptyResult, RequestId, RequestMeta},
    notification::{CancelledParams, LogParams, ProgressParams, ResourceUpdatedParams, SetLevelParams},
    outcome::Outcome,
    page::{
        CacheScope, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PageParams,
    },
    prompt::{GetPromptParams, GetPromptResult, Prompt, PromptArgument, PromptMessage},
    resource::{ReadResourceParams, ReadResourceResult, Resource, ResourceContents, ResourceParams, ResourceTemplate},
    root::{ListRootsResult, Root},
    sampling::{
        CreateMessage, CreateMessageResult, IncludeContext, ModelHint, ModelPreferences, SamplingContent,
        SamplingMessage, ToolChoice, ToolChoiceMode, ToolResult, ToolUse,
    },
    subscription::{AcknowledgedParams, ListenParams, SubscriptionFilter},
    task::{
        CoreTask, CoreTaskCreated, CoreTaskList, TASKS_EXTENSION, Task, TaskParams, TaskStatus, TaskSupport, TaskTtl,
        ToolExecution, UpdateTaskParams,
    },
    tool::{CallToolParams, CallToolResult, Tool, ToolAnnotations},
};
use crate::Revision;

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

/// Something that a revision has no form for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("revision {revision} has no {what}")]
pub struct Inexpressible {
    what: &'static str,
    revision: Revision,
}

impl Inexpressible {
    pub(crate) const fn new(what: &'static str, revision: Revision) -> Self {
        Self { what, revision }
    }
}

/// For members whose `null` is a value and not the same as their absence.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
