//! MCP messages of every revision, from 2024-11-05 to 2026-07-28.
//!
//! Knows JSON-RPC, the MCP schemas, the mirrored HTTP headers and how the eras differ. Does not know
//! sockets, tokio, clocks, handlers or our services: bytes come in as arguments and go out as values.

mod capabilities;
mod envelope;
mod error;
pub mod headers;
pub mod method;
mod params;
mod raw_object;
mod revision;
mod scan;
pub mod sse;
mod types;

pub use self::{
    capabilities::{ClientCapabilities, DeclaredCapabilities, ListChanged, ServerCapabilities},
    envelope::{Id, Malformed, Message, ToolCall, parse, write},
    error::{RpcError, code},
    params::{LogLevel, Meta, Params, meta_key},
    raw_object::RawObject,
    revision::{Era, Revision},
    scan::is_json,
    types::{
        AcknowledgedParams, Annotations, CacheScope, CallToolParams, CallToolResult, CancelledParams, CompleteArgument,
        CompleteContext, CompleteParams, CompleteResult, Completion, Content, CoreTask, CoreTaskCreated, CoreTaskList,
        CreateMessage, CreateMessageResult, DiscoverResult, ElicitAction, ElicitForm, ElicitParams, ElicitResult,
        ElicitUrl, ElicitationCompleteParams, EmbeddedResource, EmptyParams, EmptyResult, Field, FieldKind, FormSchema,
        GetPromptParams, GetPromptResult, Icon, Implementation, IncludeContext, Inexpressible, InitializeParams,
        InitializeResult, InputRequest, InputRequests, InputRequired, InputResponse, InputResponses, Items,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListRootsResult, ListToolsResult,
        ListenParams, LogParams, MediaContent, ModelHint, ModelPreferences, NotAForm, Outcome, PageParams,
        ProgressParams, Prompt, PromptArgument, PromptMessage, ReadResourceParams, ReadResourceResult, Reference,
        RequestId, RequestMeta, Resource, ResourceContents, ResourceParams, ResourceTemplate, ResourceUpdatedParams,
        Role, Root, SamplingContent, SamplingMessage, SetLevelParams, StringFormat, StringType, SubscriptionFilter,
        TASKS_EXTENSION, Task, TaskParams, TaskStatus, TaskSupport, TaskTtl, TextContent, Titled, Tool,
        ToolAnnotations, ToolChoice, ToolChoiceMode, ToolExecution, ToolResult, ToolUse, UpdateTaskParams,
    },
};
