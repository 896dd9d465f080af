//! Tools that run as tasks, or become one on the way.

use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_mcp_proto::{CallToolResult, ClientCapabilities, Era, RpcError, code};

use super::{
    CallContext, CallError,
    offer::Offer,
    tool::{self, Called, ToolEntry},
};
use crate::{
    Cx, TraceContext,
    ask::{self, Round, Scope},
    cx::Back,
    result::Identity,
    task::{End, NoTask, Slot, TaskMode, Tasks, needs_extension},
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

/// A call that needs no request to go on, or to begin anew.
struct Work {
    tool: Arc<ToolEntry>,
    cx: CallContext,
    arguments: String,
    identity: Identity,
}

/// How often the handler of one task may ask with an [`crate::InputRequired`].
const MAX_ROUNDS: u32 = 32;

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
        let failed = |error| tool::failed(cx.revision, error, &self.identity);
        if !known && plan.mode == TaskMode::Required {
            let refused = needs_extension(ClientCapabilities::default()).err();
            return failed(CallError::Rpc(refused.unwrap_or_else(RpcError::internal)));
        }
        let work = |slot: &Arc<Slot>| {
            let back = Back { task: Some(slot.clone()), ..cx.back.clone() };
            let cx = CallContext::of(&Cx { back, ..cx.clone() });
            Work { tool: tool.clone(), cx, arguments: arguments.to_owned(), identity: self.identity.clone() }
        };
        if known && !plan.on_demand {
            let slot = Slot::new();
            match tasks.create(cx.principal).await {
                Ok(new) => {
                    let work = work(&slot);
                    let call = work.start();
                    return Ok(tasks.start(new, &self.identity, &slot, work.go_on(call)));
                }
                Err(NoTask::TooMany) if plan.mode == TaskMode::Optional => {} // the client waits
                Err(no_task) => return failed(no_task.into()),
            }
        }
        let start = || -> BoxFuture<'static, Result<Ended, CallError>> {
            if !known || !plan.on_demand {
                let call = tool.start(cx, arguments);
                return Box::pin(async { call.await.map(Ended::Result) });
            }
            let slot = Slot::new();
            let (work, tasks, principal) = (work(&slot), tasks.clone(), cx.principal.clone());
            let mut call = work.start();
            Box::pin(async move {
                tokio::select! {
                    biased;
                    ended = &mut call => return ended.map(Ended::Result),
                    () = slot.wanted() => {}
                }
                match tasks.create(&principal).await {
                    Ok(new) => {
                        let identity = work.identity.clone();
                        Ok(Ended::Task(tasks.start(new, &identity, &slot, work.go_on(call))))
                    }
                    Err(NoTask::TooMany) if plan.mode == TaskMode::Optional => {
                        slot.stay_call();
                        call.await.map(Ended::Result)
                    }
                    Err(no_task) => Err(no_task.into()),
                }
            })
        };
        match self.rounds.run(cx, scope, &self.identity, start).await {
            Ok(Round::Done(Ended::Result(result))) => Ok(tool::render(cx.revision, result, &self.identity)),
            Ok(Round::Done(Ended::Task(created))) => Ok(created),
            Ok(Round::Asks(asks)) => Ok(asks),
            Err(error) => failed(error),
        }
    }
}

impl Work {
    fn start(&self) -> Called {
        self.tool.again(&self.cx, &self.arguments)
    }

    /// What a task of this call does, within the trace of the request.
    fn go_on(self, call: Called) -> BoxFuture<'static, End> {
        match TraceContext::current() {
            Some(context) => Box::pin(context.scope(self.finish(call))),
            None => Box::pin(self.finish(call)),
        }
    }

    async fn finish(self, call: Called) -> End {
        match self.ended(call).await {
            Ok(result) => Ok(tool::render(self.cx.revision, result, &self.identity)),
            Err(error) => tool::failed(self.cx.revision, error, &self.identity),
        }
    }

    /// What the handler ends with is asked, and it begins anew with the answers.
    async fn ended(&self, mut call: Called) -> Result<CallToolResult, CallError> {
        for round in 0..MAX_ROUNDS {
            match call.await {
                Err(CallError::InputRequired(required)) => ask::within_task(&self.cx, *required, round).await?,
                Err(CallError::Rpc(error)) if error.code == code::URL_ELICITATION_REQUIRED => {
                    ask::pages_within_task(&self.cx, error, round).await?;
                }
                ended => return ended,
            }
            call = self.start();
        }
        tracing::error!("a handler asks without end");
        Err(RpcError::internal().into())
    }
}

impl From<NoTask> for CallError {
    fn from(no_task: NoTask) -> Self {
        match no_task {
            NoTask::TooMany => Self::Failed("You have too many tasks already.".to_owned()),
            NoTask::Store(_) => Self::Rpc(RpcError::internal()),
        }
    }
}
