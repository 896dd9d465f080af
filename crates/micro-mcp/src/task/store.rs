//! The port of task stores.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{RpcError, TaskStatus};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Keeps tasks until they expire. One store may serve many replicas: the one that runs a task, and those
/// that its client asks.
///
/// `micro_mcp::task::suite` (feature `suite`) checks what an implementation must do.
pub trait TaskStore: Send + Sync + 'static {
    /// Keeps a new task until its `ttl_ms` are over. Whoever reads it afterwards finds it. Its owner has at most
    /// so many, or a few more while others come: the oldest that ended makes room, and `false` says that none has.
    fn create(&self, task: StoredTask, most: usize) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// A task, unless it is unknown or expired.
    fn read<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<StoredTask>>, StoreError>>;

    /// Replaces the version before this one. `false` when that is not the present one, or the task is
    /// gone: somebody else was faster, so read it again.
    fn write(&self, task: StoredTask) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Resolves once the task has another version than this, or is gone; too early is no harm.
    fn changed<'a>(&'a self, id: &'a str, version: u64) -> BoxFuture<'a, ()>;
}

/// A store failed. What exactly is for its own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the task store failed")]
pub struct StoreError;

/// A task as it is stored. The JSON form (serde) is for stores that keep text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredTask {
    /// Its name within the store. Clients know it by another, sealed one.
    pub id: String,
    /// Whose it is: a digest of the caller's subject.
    pub owner: String,
    /// Counts the writes, from 0.
    pub version: u64,
    /// How far it is.
    pub status: TaskStatus,
    /// How far it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Unix milliseconds.
    pub created_ms: u64,
    /// Unix milliseconds.
    pub updated_ms: u64,
    /// How long it is kept after its creation, in milliseconds.
    pub ttl_ms: u64,
    /// Questions to the client that have no answer yet, by key: objects with `method` and `params`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub questions: BTreeMap<String, Box<RawValue>>,
    /// Answers that the task has not taken yet, by the key of their question.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Box<RawValue>>,
    /// All keys there ever were, so that none is used twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The raw result, when it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// The error, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcError>,
}
