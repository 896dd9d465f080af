//! Tasks: calls that go on after their request is answered.
//!
//! The extension `io.modelcontextprotocol/tasks` of 2026-07-28 and the experimental tasks of 2025-11-25
//! are not compatible on the wire. The plain names here are the extension's; `Core…` is the older form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{InputRequests, InputResponses, RequestMeta};
use crate::RpcError;

/// The identifier of the extension, in both capability objects.
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// A task: what `"resultType":"task"`, `tasks/get` and `notifications/tasks` carry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its name: unguessable, and not enough to be let in.
    pub task_id: String,
    /// How far it is.
    pub status: TaskStatus,
    /// How far it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it began, ISO 8601.
    pub created_at: String,
    /// When its status last changed, ISO 8601.
    pub last_updated_at: String,
    /// Milliseconds after `created_at` for which it is kept; `None` (on the wire: null) for ever.
    pub ttl_ms: Option<u64>,
    /// Milliseconds between two looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval_ms: Option<u64>,
    /// What it waits for, when its status is `input_required`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_requests: InputRequests,
    /// The result of its request, when it is `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// The JSON-RPC error of its request, when it is `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcError>,
    /// Whatever else the server says of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Under way.
    Working,
    /// Waits for the client.
    InputRequired,
    /// Has a result; a tool that says it failed has one too.
    Completed,
    /// Has a JSON-RPC error.
    Failed,
    /// Was cancelled.
    Cancelled,
}

impl TaskStatus {
    /// It will not change again.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Params of `tasks/get`, `tasks/cancel` and, in 2025-11-25, `tasks/result`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskParams {
    /// Which one.
    pub task_id: String,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// Params of `tasks/update`: answers to a task's questions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTaskParams {
    /// Which one.
    pub task_id: String,
    /// Answers under the keys of `inputRequests`.
    pub input_responses: InputResponses,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// A task of 2025-11-25: its result of `tasks/get`, `tasks/cancel` and `notifications/tasks/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CoreTask {
    /// Its name.
    pub task_id: String,
    /// How far it is.
    pub status: TaskStatus,
    /// How far it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it began, ISO 8601.
    pub created_at: String,
    /// When its status last changed, ISO 8601.
    pub last_updated_at: String,
    /// Milliseconds for which it is kept; `None` (on the wire: null) for ever.
    pub ttl: Option<u64>,
    /// Milliseconds between two looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<u64>,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// The result of a request that became a task (2025-11-25).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoreTaskCreated {
    /// The task.
    pub task: CoreTask,
    /// Whatever else is said of it.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A page of `tasks/list` (2025-11-25).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CoreTaskList {
    /// The tasks of this page.
    pub tasks: Vec<CoreTask>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whatever else is said.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// `params.task` of a request that shall become a task (2025-11-25).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTtl {
    /// Milliseconds for which it shall be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
}

/// Whether a tool runs as a task: `Tool::execution` (2025-11-25 only).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolExecution {
    /// Absent means `forbidden`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_support: Option<TaskSupport>,
}

/// Whether a tool runs as a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskSupport {
    /// Never.
    #[default]
    Forbidden,
    /// When the client can.
    Optional,
    /// Always.
    Required,
}
