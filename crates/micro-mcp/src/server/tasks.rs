//! Tools that run as tasks, or become one on the way.

use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, future::ready};
use micro_mcp_proto::{CallToolResult, Era, RpcError, code};

use super::{
    CallContext, CallError,
    offer::Offer,
    tool::{self, Called, ToolEntry},
};
use crate::{
    Cx, TraceContext,
    ask::{self, Round, Scope},
    cx::Back,
    task::{NoTask, Slot, TaskMode, Tasks, needs_extension},
};

/// How a tool has to do with tasks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) mode: TaskMode,
    /// The handler says when it becomes one; else it is one from the beginning.
    pub(super) on_demand: bool,
}

/// How a call ended, for the request that made it.
enum Ended {
    Result(CallToolResult),
    /// It goes on; this is the result that says so.
    Task(Bytes),
}

/// What it takes to call a handler once more.
struct Again {
    tool: Arc<ToolEntry>,
    cx: CallContext,
    arguments: String,
}

/// How often the handler of one task may ask with an [`crate::InputRequired`].
const MAX_ROUNDS: usize = 32;

impl Again {
    fn of(tool: &Arc<ToolEntry>, cx: &Cx<'_>, arguments: &str) -> Self {
        Self { tool: tool.clone(), cx: CallContext::of(cx), arguments: arguments.to_owned() }
    }

    /// Within the task: what the handler ends with is asked, and it begins anew with the answers.
    async fn until_it_ends(self, call: Called) -> Result<CallToolResult, CallError> {
        let mut ended = call.await;
        for _ in 0..MAX_ROUNDS {
            match ended {
                Err(CallError::InputRequired(required)) => ask::within_task(&self.cx, *required).await?,
                Err(CallError::Rpc(error)) if error.code == code::URL_ELICITATION_REQUIRED => {
                    ask::pages_within_task(&self.cx, error).await?;
                }
                ended => return ended,
            }
            ended = self.tool.again(&self.cx, &self.arguments).await;
        }
        tracing::error!("a handler asks without end");
        Err(RpcError::internal().into())
    }
}

impl Offer {
    /// Calls a tool that may be a task, for a client that may know tasks.
    pub(super) async fn call_task(
        &self,
        (plan, tasks): (Plan, &Arc<Tasks>),
        tool: &Arc<ToolEntry>,
        cx: &Cx<'_>,
        arguments: &str,
        scope: &Scope<'_>,
    ) -> Result<Bytes, RpcError> {
        let known = cx.era() == Era::Modern && cx.client_capabilities().tasks;
        if !known && plan.mode == TaskMode::Required {
            let refused = needs_extension(micro_mcp_proto::ClientCapabilities::default()).err();
            let refused = refused.unwrap_or_else(RpcError::internal);
            return tool::failed(cx.revision, CallError::Rpc(refused), &self.identity);
        }
        let start = || -> BoxFuture<'static, Result<Ended, CallError>> {
            if !known {
                return Box::pin(tool.start(cx, arguments).map(|ended| ended.map(Ended::Result)));
            }
            let slot = Slot::new();
            let back = Back { task: Some(slot.clone()), ..cx.back.clone() };
            let cx = Cx { back, ..cx.clone() };
            let begin = self.begin(tasks, &cx, slot.clone(), Again::of(tool, &cx, arguments));
            let mut call = tool.start(&cx, arguments);
            if !plan.on_demand {
                return begin(call);
            }
            Box::pin(async move {
                tokio::select! {
                    biased;
                    ended = &mut call => return ended.map(Ended::Result),
                    () = slot.wanted() => {}
                }
                begin(call).await
            })
        };
        // A task has no rounds: what it asks, it asks while it runs.
        let round = if known && !plan.on_demand {
            start().await.map(Round::Done)
        } else {
            self.rounds.run(cx, scope, &self.identity, start).await
        };
        match round {
            Ok(Round::Done(Ended::Result(result))) => Ok(tool::render(cx.revision, result, &self.identity)),
            Ok(Round::Done(Ended::Task(created))) => Ok(created),
            Ok(Round::Asks(asks)) => Ok(asks),
            Err(error) => tool::failed(cx.revision, error, &self.identity),
        }
    }

    /// What makes a task of a call.
    fn begin(
        &self,
        tasks: &Arc<Tasks>,
        cx: &Cx<'_>,
        slot: Arc<Slot>,
        again: Again,
    ) -> impl FnOnce(
        BoxFuture<'static, Result<CallToolResult, CallError>>,
    ) -> BoxFuture<'static, Result<Ended, CallError>>
    + Send
    + use<> {
        let (tasks, principal) = (tasks.clone(), cx.principal.clone());
        let (identity, revision) = (self.identity.clone(), cx.revision);
        move |call| {
            let shown = identity.clone();
            let call = again.until_it_ends(call).then(move |ended| {
                ready(match ended {
                    Ok(result) => Ok(tool::render(revision, result, &shown)),
                    Err(error) => tool::failed(revision, error, &shown),
                })
            });
            Box::pin(async move {
                let call = match TraceContext::current() {
                    Some(context) => context.scope(call).boxed(),
                    None => call.boxed(),
                };
                match tasks.start(&principal, &identity, &slot, call).await {
                    Ok(created) => Ok(Ended::Task(created)),
                    Err(NoTask::TooMany) => Err(CallError::Failed("You have too many tasks already.".to_owned())),
                    Err(NoTask::Store(_)) => Err(CallError::Rpc(RpcError::internal())),
                }
            })
        }
    }
}
