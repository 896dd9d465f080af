//! The SDK: a server made of tools, resources and prompts, each a closure.

mod builder;
mod completion;
mod context;
mod error;
mod live;
mod offer;
mod pages;
mod prompt;
mod resource;
mod set;
mod tasks;
mod tool;
mod tool_builder;

use std::{
    sync::Arc,
    thread::{self, ThreadId},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use futures_util::{StreamExt, stream};
use micro_mcp_proto::{Era, Params, RpcError};
use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::sync::broadcast;

pub use self::{
    builder::{BuildError, Builder},
    completion::Complete,
    context::CallContext,
    error::CallError,
    live::{Live, Notifier},
    prompt::GetPrompt,
    resource::Read,
    set::{IntoContents, IntoMessages, ToolSet},
    tool::{IntoToolResult, Json, NoArgs, ToolFn},
    tool_builder::ToolBuilder,
};
use self::{
    builder::{Home, Parts, Touched},
    offer::Offer,
    pages::Pages,
};
use crate::{
    CallParams, Change, Cx, Failure, Handler, Principal, Request, ServerInfo,
    ask::{Round, Scope},
    result,
};

/// A [`Handler`] made of closures. What can be computed once is, when it is built or changed.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{Server, client::Client};
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Add {
///     /// First summand.
///     a: i64,
///     /// Second summand.
///     b: i64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("calculator", "1.0")
///     .tool("add").description("Add two numbers.").handler(|add: Add| async move { (add.a + add.b).to_string() })
///     .build()?;
/// let client = Client::builder().in_process(Arc::new(server)).await?;
/// assert_eq!(client.call("add").args(&serde_json::json!({ "a": 1, "b": 2 })).text().await?, "3");
/// # Ok(())
/// # }
/// ```
pub struct Server {
    shared: Arc<Shared>,
}

/// What a server and its changers share.
struct Shared {
    offer: ArcSwap<Offer>,
    /// What the offer was made of; held while a new one is made.
    parts: Mutex<Parts>,
    /// Who is making one.
    updater: Mutex<Option<ThreadId>>,
    changes: broadcast::Sender<Change>,
}

/// Changes that a slow listener may be behind; one that is further behind is told of everything.
const CHANGES: usize = 256;

impl Server {
    /// Begins a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder::new(name.into(), version.into())
    }

    fn of(builder: Builder) -> Result<Self, BuildError> {
        let Builder { parts, bad, shared, .. } = builder;
        let offer = bad.map_or_else(|| Offer::of(&parts), Err)?;
        let shared = match shared {
            Home::New(shared) => shared,
            Home::Old(_) => Shared::new(parts.clone()), // somebody builds a second server within an update
        };
        shared.offer.store(Arc::new(offer));
        *shared.parts.lock() = parts;
        Ok(Self { shared })
    }

    /// The means to tell clients of changes.
    pub fn notifier(&self) -> Notifier {
        Notifier(self.shared.changes.clone())
    }

    /// What seals its tokens.
    #[cfg(feature = "http")]
    pub(crate) fn keys(&self) -> crate::KeyRing {
        self.shared.parts.lock().rounds.keys.clone()
    }

    /// The means to change the server while it runs.
    pub fn live(&self) -> Live {
        Live(Arc::downgrade(&self.shared))
    }
}

impl Shared {
    fn new(parts: Parts) -> Arc<Self> {
        let mut nothing = parts;
        nothing.tools.clear();
        nothing.resources.clear();
        nothing.templates.clear();
        nothing.prompts.clear();
        nothing.completions.clear();
        let offer = Offer::of(&nothing).expect("nothing can be wrong with nothing");
        let changes = broadcast::channel(CHANGES).0;
        Arc::new(Self {
            offer: ArcSwap::from_pointee(offer),
            parts: Mutex::new(nothing),
            updater: Mutex::default(),
            changes,
        })
    }

    fn update(self: &Arc<Self>, change: impl FnOnce(Builder) -> Builder) -> Result<(), BuildError> {
        let me = Some(thread::current().id());
        if *self.updater.lock() == me {
            return Err(BuildError::UpdateWithinUpdate); // it would wait for itself
        }
        let mut parts = self.parts.lock();
        *self.updater.lock() = me;
        let done = Done(&self.updater);
        let shared = Home::Old(Arc::downgrade(self));
        let changed = change(Builder { parts: parts.clone(), touched: Touched::default(), bad: None, shared });
        let offer = changed.bad.map_or_else(|| Offer::of(&changed.parts), Err)?;
        self.offer.store(Arc::new(offer));
        *parts = changed.parts;
        drop((done, parts)); // in this order: the next one notes himself under the lock
        let Touched { tools, resources, prompts } = changed.touched;
        let lists = [(tools, Change::Tools), (resources, Change::Resources), (prompts, Change::Prompts)];
        for (_, change) in lists.into_iter().filter(|(touched, _)| *touched) {
            let _ = self.changes.send(change); // nobody listening is no error
        }
        Ok(())
    }
}

/// Nobody makes a new offer any more, even if making it panicked.
struct Done<'a>(&'a Mutex<Option<ThreadId>>);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

// === answers ===

impl Offer {
    async fn call_tool(&self, cx: &Cx<'_>, call: &CallParams<'_>) -> Result<Bytes, RpcError> {
        let tool = self.tools.get(&*call.name).ok_or_else(|| RpcError::unknown_tool(&call.name))?;
        tool.check_headers(cx, call.arguments)?;
        let arguments = call.arguments.map_or("{}", RawValue::get);
        if let Err(text) = tool.check(arguments) {
            return Ok(result::tool_error(cx.revision, &text, &self.identity));
        }
        let scope = Scope {
            method: "tools/call",
            name: &call.name,
            arguments: call.arguments,
            responses: call.input_responses,
            state: call.request_state,
        };
        if let (Some(plan), Some(tasks)) = (tool.task, &self.tasks) {
            return Box::pin(self.call_task((plan, tasks), tool, cx, arguments, &scope)).await;
        }
        match self.rounds.run(cx, &scope, &self.identity, || tool.start(cx, arguments)).await {
            Ok(Round::Done(result)) => Ok(tool::render(cx.revision, result, &self.identity)),
            Ok(Round::Asks(asks)) => Ok(asks),
            Err(error) => tool::failed(cx.revision, error, &self.identity),
        }
    }

    async fn call_other(&self, cx: &Cx<'_>, method: &str, raw: Option<&RawValue>) -> Result<Bytes, RpcError> {
        let params = Params::parse(raw)?;
        let list = |pages: &Pages| pages.get(cx.era(), Params::optional_string(params.cursor, "cursor")?.as_deref());
        match method {
            "resources/list" => list(&self.resource_pages),
            "resources/templates/list" => list(&self.template_pages),
            "prompts/list" => list(&self.prompt_pages),
            "resources/read" => self.read(cx, &params).await,
            // The engine remembers who watches what; here it is only asked whether that is there.
            "resources/subscribe" | "resources/unsubscribe" => {
                let uri = Params::string(params.uri, "uri")?;
                resource::find(self, &uri).ok_or_else(|| resource::not_found(cx.era(), &uri))?;
                Ok(result::complete(cx.revision, 0).finish())
            }
            "prompts/get" => self.get_prompt(cx, &params).await,
            "completion/complete" => {
                let completion = completion::complete(&self.completions, cx, raw, |of| self.knows(of))?;
                let completion = match completion {
                    Some(completion) => completion.await,
                    None => micro_mcp_proto::Completion::default(),
                };
                let writer = result::complete(cx.revision, 256).member("completion", &completion);
                Ok(writer.identity(&self.identity).finish())
            }
            _ => {
                let tasks = self.tasks.as_ref().filter(|_| cx.era() == Era::Modern);
                let tasks = tasks.ok_or_else(|| RpcError::method_not_found(method))?;
                let answer = tasks.answer(method, raw, cx.principal, cx.client_capabilities(), &self.identity);
                answer.await.unwrap_or_else(|| Err(RpcError::method_not_found(method)))
            }
        }
    }

    async fn read(&self, cx: &Cx<'_>, params: &Params<'_>) -> Result<Bytes, RpcError> {
        let uri = Params::string(params.uri, "uri")?;
        let (read, variables) = resource::find(self, &uri).ok_or_else(|| resource::not_found(cx.era(), &uri))?;
        let scope = Scope {
            method: "resources/read",
            name: &uri,
            arguments: None,
            responses: params.input_responses,
            state: params.request_state,
        };
        let start = || read(Read { cx: CallContext::of(cx), uri: (*uri).to_owned(), variables: variables.clone() });
        match self.rounds.run(cx, &scope, &self.identity, start).await {
            Ok(Round::Done(contents)) => {
                let writer = result::complete(cx.revision, 512).member("contents", &[contents]);
                Ok(writer.cache(self.cache).identity(&self.identity).finish())
            }
            Ok(Round::Asks(asks)) => Ok(asks),
            Err(error) => Err(error.into_rpc(cx.era())),
        }
    }

    async fn get_prompt(&self, cx: &Cx<'_>, params: &Params<'_>) -> Result<Bytes, RpcError> {
        let name = Params::string(params.name, "name")?;
        let entry = self.prompts.get(&*name);
        let entry = entry.ok_or_else(|| RpcError::invalid_params(format!("Unknown prompt: {name:.200}")))?;
        let raw = params.arguments()?;
        let arguments = entry.arguments(raw)?;
        let scope = Scope {
            method: "prompts/get",
            name: &name,
            arguments: raw,
            responses: params.input_responses,
            state: params.request_state,
        };
        let start = || (entry.get)(GetPrompt { cx: CallContext::of(cx), arguments: arguments.clone() });
        match self.rounds.run(cx, &scope, &self.identity, start).await {
            Ok(Round::Done(messages)) => {
                let mut writer = result::complete(cx.revision, 512).member("messages", &messages);
                if let Some(description) = &entry.prompt.description {
                    writer = writer.member("description", description);
                }
                Ok(writer.identity(&self.identity).finish())
            }
            Ok(Round::Asks(asks)) => Ok(asks),
            Err(error) => Err(error.into_rpc(cx.era())),
        }
    }
}

impl Handler for Server {
    fn info(&self) -> Arc<ServerInfo> {
        self.shared.offer.load().info.clone()
    }

    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            // A call ends with what it began with, whatever changes meanwhile.
            let offer = self.shared.offer.load_full();
            match request {
                Request::CallTool(call) => Ok(offer.call_tool(cx, call).await?),
                Request::ListTools { cursor } => Ok(offer.tool_pages.get(cx.era(), cursor.as_deref())?),
                // Boxed: rarer and larger than tool calls, which would carry its size along.
                Request::Other { method, params } => Ok(Box::pin(offer.call_other(cx, method, *params)).await?),
            }
        })
    }

    fn tasks(&self, principal: &Principal, ids: Vec<String>) -> (Vec<String>, BoxStream<'static, Bytes>) {
        match &self.shared.offer.load().tasks {
            Some(tasks) => tasks.watch(principal, ids),
            None => (Vec::new(), stream::empty().boxed()),
        }
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let heard = stream::unfold(self.shared.changes.subscribe(), |mut changes| async move {
            let heard = match changes.recv().await {
                Ok(change) => vec![change],
                // Too slow to hear each one: anything may have changed.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    vec![Change::Tools, Change::Prompts, Change::Resources, Change::AnyResource]
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            Some((stream::iter(heard), changes))
        });
        heard.flatten().boxed()
    }
}
