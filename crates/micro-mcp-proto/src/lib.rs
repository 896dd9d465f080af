//! MCP messages of every revision, from 2024-11-05 to 2026-07-28.
//!
//! Knows JSON-RPC, the MCP schemas, the mirrored HTTP headers and how the eras differ. Does not know
//! sockets, tokio, clocks, handlers or our services: bytes come in as arguments and go out as values.

mod capabilities;
mod envelope;
mod error;
pub mod headers;
mod params;
mod revision;
mod types;

pub use self::{
    capabilities::{ClientCapabilities, ListChanged, ServerCapabilities},
    envelope::{Id, Malformed, Message, parse, write},
    error::{RpcError, code},
    params::{LogLevel, Meta, Params, meta_key},
    revision::{Era, Revision},
    types::{
        Annotations, CallToolResult, Completion, Content, CreateMessage, CreateMessageResult, ElicitAction,
        ElicitResult, Icon, Implementation, ListRootsResult, ModelHint, ModelPreferences, Prompt, PromptArgument,
        PromptMessage, Resource, ResourceContents, ResourceTemplate, Role, Root, SamplingContent, SamplingMessage,
        Tool, ToolAnnotations, ToolChoice, ToolChoiceMode,
    },
};
