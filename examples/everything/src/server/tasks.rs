//! Tools that take their time: as tasks for clients that know them, as plain calls for others.

use std::time::Duration;

use micro_mcp::{
    Builder, CallContext, CallError, NoArgs,
    proto::{CallToolResult, RpcError},
    task::TaskMode,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

/// Whom to greet.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// The name.
    name: String,
}

/// What to compute.
#[derive(Deserialize, JsonSchema)]
struct Compute {
    /// How long it takes.
    #[schemars(range(min = 0, max = 3600))]
    seconds: u64,
    /// What to call it.
    #[serde(default)]
    label: String,
}

/// What to delete.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// The file.
    filename: String,
}

/// A last question.
#[derive(Deserialize, JsonSchema)]
struct Confirm {
    /// Yes, do it.
    confirm: bool,
}

/// Who somebody is.
#[derive(Deserialize, JsonSchema)]
struct Who {
    /// Your first name.
    name: String,
}

pub(crate) fn add(server: Builder) -> Builder {
    server
        .tool("greet")
        .description("Greets somebody, at once.")
        .handler(|greet: Greet| async move { format!("Hello, {}!", greet.name) })
        .tool("slow_compute")
        .description("Computes for some seconds.")
        .task(TaskMode::Optional)
        .handler(|cx: CallContext, compute: Compute| async move {
            cx.progress(0.0, None, Some("computing")).await;
            sleep(Duration::from_secs(compute.seconds)).await;
            format!("{} took {} seconds", compute.label, compute.seconds)
        })
        .tool("failing_job")
        .description("Fails after a second, as work can fail. Clients must know tasks.")
        .task(TaskMode::Required)
        .handler(|_: NoArgs| async {
            sleep(Duration::from_secs(1)).await;
            CallToolResult::error("The job failed.")
        })
        .tool("protocol_error_job")
        .description("Ends with an error of the protocol.")
        .task(TaskMode::Optional)
        .handler(|_: NoArgs| async { Err::<&str, _>(CallError::Rpc(RpcError::internal())) })
        .tool("confirm_delete")
        .description("Asks before it deletes (it deletes nothing).")
        .task(TaskMode::Optional)
        .handler(|cx: CallContext, delete: Delete| async move {
            let Confirm { confirm } = cx.elicit(format!("Delete {}?", delete.filename)).key("confirm").await?;
            let done = if confirm { "is deleted" } else { "is still there" };
            Ok::<_, CallError>(format!("{} {done}", delete.filename))
        })
        .tool("multi_input")
        .description("Asks two things at once.")
        .task(TaskMode::Optional)
        .handler(|cx: CallContext, _: NoArgs| async move {
            let name = cx.elicit::<Who>("Who are you?").key("name").into_future();
            let confirm = cx.elicit::<Confirm>("Shall we go on?").key("confirm").into_future();
            let (Who { name }, Confirm { confirm }) = tokio::try_join!(name, confirm)?;
            Ok::<_, CallError>(format!("{name} says {}", if confirm { "yes" } else { "no" }))
        })
        .tool("test_tool_with_task")
        .description("Asks for a name, and becomes a task when it has it.")
        .task_on_demand(TaskMode::Required)
        .handler(|cx: CallContext, _: NoArgs| async move {
            let who = cx.elicit::<Who>("Who are you?").key("user_name").await?;
            cx.become_task().await;
            sleep(Duration::from_millis(100)).await;
            Ok::<_, CallError>(format!("Hello, {}!", who.name))
        })
}
