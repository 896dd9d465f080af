//! Tasks: tool calls that go on after their request is answered (the extension
//! `io.modelcontextprotocol/tasks` of 2026-07-28).
//!
//! A tool becomes one with [`crate::ToolBuilder::task`]. A client that knows the extension gets a task at
//! once, asks how far it is (`tasks/get`), listens for changes (`subscriptions/listen`), answers its
//! questions (`tasks/update`), and may cancel it (`tasks/cancel`). Others wait for the result, or are told
//! that the tool cannot be had without ([`TaskMode::Required`]). Nothing of this is in the legacy era.
//!
//! Within a task [`crate::CallContext::elicit`] and its kin simply wait: the handler does not run again. One that
//! ends with an [`crate::InputRequired`] does, with its state and the answers, as it would without a task.
//! Progress becomes the task's `statusMessage`.
//!
//! A task runs in the replica that was called, and is kept in a [`TaskStore`] until its time to live is
//! over. With the store in memory, the default, only that replica knows it; with a shared one all do, and
//! when the replica dies the task stays `working` until it expires.
//!
//! ```
//! # use std::time::Duration;
//! # use micro_mcp::{BuildError, NoArgs, Server, task::{TaskConfig, TaskMode}};
//! # fn main() -> Result<(), BuildError> {
//! let server = Server::builder("press", "1.0")
//!     .tasks(TaskConfig { ttl: Duration::from_secs(3600), ..TaskConfig::default() })
//!     .tool("print_book").task(TaskMode::Optional).handler(|_: NoArgs| async {
//!         tokio::time::sleep(Duration::from_secs(60)).await;
//!         "printed"
//!     })
//!     .build()?;
//! # Ok(())
//! # }
//! ```

mod memory;
mod slot;
mod store;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod tasks;

use std::{fmt, sync::Arc, time::Duration};

pub use self::{
    memory::MemoryTasks,
    store::{StoreError, StoredTask, TaskStore},
};
pub(crate) use self::{
    slot::{Running, Slot},
    tasks::{End, NoTask, Tasks, needs_extension},
};

/// Whether a tool runs as a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskMode {
    /// When the client knows tasks, and has not too many; else the client waits.
    Optional,
    /// Always: other clients cannot call it (`-32021`).
    Required,
}

/// How a server keeps tasks.
#[derive(Clone)]
pub struct TaskConfig {
    /// Where. Default: in memory.
    pub store: Arc<dyn TaskStore>,
    /// How long after its beginning a task is known; one that still runs then is cancelled. Default: one
    /// hour.
    pub ttl: Duration,
    /// How long clients are asked to wait between two looks. Default: one second.
    pub poll_interval: Duration,
    /// Tasks that one caller may have; all callers without a name are one. Those that ended make room for new ones,
    /// the oldest first; when all still run, a tool that may do without a task does. Default: 1,000.
    pub per_principal: usize,
}

impl Default for TaskConfig {
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryTasks::new()),
            ttl: Duration::from_secs(3600),
            poll_interval: Duration::from_secs(1),
            per_principal: 1000,
        }
    }
}

impl fmt::Debug for TaskConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ttl, poll_interval, per_principal, .. } = self;
        f.debug_struct("TaskConfig")
            .field("ttl", ttl)
            .field("poll_interval", poll_interval)
            .field("per_principal", per_principal)
            .finish_non_exhaustive()
    }
}
