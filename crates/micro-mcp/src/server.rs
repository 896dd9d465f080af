//! The SDK: a server made of tools, resources and prompts, each a closure.
//!
//! ```
//! # use micro_mcp::{BuildError, Server};
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Add {
//!     /// First summand.
//!     a: i64,
//!     /// Second summand.
//!     b: i64,
//! }
//!
//! # fn main() -> Result<(), BuildError> {
//! let server = Server::builder("calculator", "1.0")
//!     .tool("add").description("Add two numbers.").handler(|add: Add| async move { (add.a + add.b).to_string() })
//!     .build()?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod context;
mod pages;
mod prompt;
mod resource;
mod tool;

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use futures_util::{StreamExt, stream};
use micro_mcp_proto::{Params, RpcError};
use serde_json::value::RawValue;
use tokio::sync::broadcast;

pub use self::{
    builder::{BuildError, Builder, ToolBuilder},
    context::CallContext,
    prompt::GetPrompt,
    resource::Read,
    tool::{IntoToolResult, Json, NoArgs, ToolError, ToolFn},
};
use self::{
    pages::Pages,
    prompt::PromptEntry,
    resource::{ResourceEntry, TemplateEntry},
    tool::ToolEntry,
};
use crate::{
    Change, Cx, Failure, Handler, Request, ServerInfo,
    result::{self, Cache, Identity},
};

/// A [`Handler`] made of closures. What can be computed once is, when it is built.
pub struct Server {
    info: Arc<ServerInfo>,
    identity: Identity,
    cache: Cache,
    tools: HashMap<Box<str>, ToolEntry>,
    tool_pages: Pages,
    resources: HashMap<Box<str>, ResourceEntry>,
    resource_pages: Pages,
    templates: Vec<TemplateEntry>,
    template_pages: Pages,
    prompts: HashMap<Box<str>, PromptEntry>,
    prompt_pages: Pages,
    changes: broadcast::Sender<Change>,
}

/// Tells listening clients of changes. Cheap to clone; outlives the server harmlessly.
#[derive(Debug, Clone)]
pub struct Notifier(broadcast::Sender<Change>);

impl Server {
    /// Begins a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder::new(name.into(), version.into())
    }

    /// The means to tell clients of changes.
    pub fn notifier(&self) -> Notifier {
        Notifier(self.changes.clone())
    }

    async fn call_other(&self, cx: &Cx<'_>, method: &str, raw: Option<&RawValue>) -> Result<Bytes, RpcError> {
        let params = Params::parse(raw)?;
        let list = |pages: &Pages| pages.get(cx.era(), Params::optional_string(params.cursor, "cursor")?.as_deref());
        match method {
            "resources/list" => list(&self.resource_pages),
            "resources/templates/list" => list(&self.template_pages),
            "prompts/list" => list(&self.prompt_pages),
            "resources/read" => {
                let uri = Params::string(params.uri, "uri")?;
                let contents = resource::read(&self.resources, &self.templates, cx, &uri).await?;
                let writer = result::complete(cx.revision, 512).member("contents", &contents);
                Ok(writer.cache(self.cache).identity(&self.identity).finish())
            }
            "prompts/get" => {
                let name = Params::string(params.name, "name")?;
                let entry = self.prompts.get(&*name);
                let entry = entry.ok_or_else(|| RpcError::invalid_params(format!("Unknown prompt: {name:.200}")))?;
                let messages = entry.get(cx, params.arguments()?).await?;
                let mut writer = result::complete(cx.revision, 512).member("messages", &messages);
                if let Some(description) = &entry.prompt.description {
                    writer = writer.member("description", description);
                }
                Ok(writer.identity(&self.identity).finish())
            }
            _ => Err(RpcError::method_not_found(method)),
        }
    }
}

impl Handler for Server {
    fn info(&self) -> Arc<ServerInfo> {
        self.info.clone()
    }

    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            match request {
                Request::CallTool(call) => {
                    let tool = self.tools.get(&*call.name).ok_or_else(|| RpcError::unknown_tool(&call.name))?;
                    Ok(tool.call(cx, call.arguments, &self.identity).await?)
                }
                Request::ListTools { cursor } => Ok(self.tool_pages.get(cx.era(), cursor.as_deref())?),
                Request::Other { method, params } => Ok(self.call_other(cx, method, *params).await?),
            }
        })
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let heard = stream::unfold(self.changes.subscribe(), |mut changes| async move {
            let heard = match changes.recv().await {
                Ok(change) => vec![change],
                // Too slow to hear each one: anything may have changed.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    vec![Change::Tools, Change::Prompts, Change::Resources]
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            Some((stream::iter(heard), changes))
        });
        heard.flatten().boxed()
    }
}

impl Notifier {
    /// Tells everyone who listens.
    pub fn changed(&self, change: Change) {
        let _ = self.0.send(change); // nobody listening is no error
    }
}
