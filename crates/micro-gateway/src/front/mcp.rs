//! MCP: the gateway's answer to tools/list and tools/call, in every revision and on every transport.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use futures_util::StreamExt;
use http::Extensions;
use micro_mcp::{
    CallParams, Change, Cx, Failure, Handler, Peer, Principal, Refusal, Request, ServerInfo, Transport,
    proto::{Implementation, ListChanged, RpcError, ServerCapabilities},
    result,
};
use micro_policy::{Caller, Identity};
use serde_json::value::RawValue;
use tokio_stream::wrappers::WatchStream;

use super::{resource, trace};
use crate::{
    identity::Shown,
    pipeline::{Call, Pipeline, Progress, Silent},
    wire::{self, Hints},
};

/// The MCP front of one socket (or pipe).
pub(crate) struct Mcp {
    pipeline: Arc<Pipeline>,
    identity: result::Identity,
    info: ArcSwap<ServerInfo>,
    /// Whether callers must show a credential here.
    auth_needed: bool,
    /// How callers reach it, if they do over HTTP.
    scheme: &'static str,
    /// What a caller shows whose way has no headers.
    shown: Shown,
}

impl Mcp {
    pub(crate) fn new(pipeline: Arc<Pipeline>, auth_needed: bool, scheme: &'static str, shown: Shown) -> Self {
        let implementation = Implementation {
            name: "micro".into(),
            title: Some("Micro gateway".into()),
            version: env!("CARGO_PKG_VERSION").into(),
            ..Implementation::default()
        };
        let info = ServerInfo {
            implementation,
            capabilities: ServerCapabilities { tools: Some(ListChanged::YES), ..Default::default() },
            instructions: None,
        };
        let identity = result::Identity::of(&info);
        Self { pipeline, identity, info: ArcSwap::from_pointee(info), auth_needed, scheme, shown }
    }

    fn list(&self, cx: &Cx<'_>, cursor: Option<&str>) -> Result<Bytes, Failure> {
        let caller = caller(cx);
        let pages = self.pipeline.catalog.load().pages(&caller);
        Ok(pages.get(cursor, cx.era()).map_err(|e| RpcError::invalid_params(e.to_string()))?)
    }

    /// Where a caller finds out who issues tokens.
    fn metadata(&self, peer: Peer<'_>) -> Option<String> {
        resource::location(&self.pipeline, self.scheme, peer.headers?, "/mcp")
    }

    async fn call(&self, cx: &Cx<'_>, params: &CallParams<'_>) -> Result<Bytes, Failure> {
        let progress = Stream { cx };
        let call = call(cx.peer, cx.meta.traceparent().as_deref(), params, &progress);
        let answer = self.pipeline.call(&caller(cx), call).await;
        match answer {
            Ok(json) => Ok(result::tool_json(cx.revision, json.as_str(), &self.identity)),
            Err(error) => match wire::mcp(
                &error,
                &params.name,
                Hints { metadata: self.metadata(cx.peer).as_deref(), scopes: None },
            ) {
                wire::Mcp::Result(text) => Ok(result::tool_error(cx.revision, &text, &self.identity)),
                wire::Mcp::Failure(failure) => Err(failure),
            },
        }
    }
}

impl Handler for Mcp {
    fn info(&self) -> Arc<ServerInfo> {
        let catalog = self.pipeline.catalog.load();
        let known = self.info.load();
        if known.instructions.as_deref().unwrap_or_default() == catalog.instructions() {
            return Arc::clone(&known);
        }
        let instructions = Some(catalog.instructions().to_owned()).filter(|text| !text.is_empty());
        let info = Arc::new(ServerInfo { instructions, ..ServerInfo::clone(&known) });
        self.info.store(info.clone());
        info
    }

    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>) -> Result<Principal, Refusal> {
        let glance;
        let shown = match (peer.extensions.and_then(Extensions::get::<Shown>), peer.headers) {
            (Some(shown), _) => shown,
            (None, None) => &self.shown,
            (None, Some(headers)) => {
                glance = self.pipeline.identities.glance(headers);
                &glance
            }
        };
        match self.pipeline.authenticate(shown, self.auth_needed) {
            Ok(None) => Ok(Principal::anonymous()),
            Ok(Some(verified)) => {
                Ok(Principal::named(verified.subject.clone()).with_details(verified.identity.clone()))
            }
            Err(error) => {
                if let Request::CallTool(params) = request {
                    self.pipeline.refuse(&call(*peer, None, params, &Silent), &error);
                }
                let metadata = self.metadata(*peer);
                let catalog = self.pipeline.catalog.load();
                let tool = match request {
                    Request::CallTool(params) => catalog.find_openly(&params.name),
                    _ => None,
                };
                // Only who can be given a token is told what to ask for.
                let scopes = metadata.as_ref().and(tool).map(|tool| &tool.gate.scopes);
                Err(wire::refusal(&error, Hints { metadata: metadata.as_deref(), scopes }))
            }
        }
    }

    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            match request {
                Request::ListTools { cursor } => self.list(cx, cursor.as_deref()),
                Request::CallTool(params) => self.call(cx, params).await,
                Request::Other { method, .. } => Err(RpcError::method_not_found(method).into()),
            }
        })
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let mut last = self.pipeline.catalog.state().borrow().generation;
        let changes = WatchStream::from_changes(self.pipeline.catalog.state());
        let news = move |state: crate::CatalogState| {
            let changed = state.generation != last;
            last = state.generation;
            std::future::ready(changed.then_some(Change::Tools))
        };
        changes.filter_map(news).boxed()
    }
}

/// Whom [`Mcp::authenticate`] let in.
fn caller(cx: &Cx<'_>) -> Caller {
    cx.principal.details::<Identity>().map_or(Caller::Trusted, Caller::Account)
}

fn call<'a>(
    peer: Peer<'a>,
    traceparent: Option<&str>,
    params: &'a CallParams<'_>,
    progress: &'a dyn Progress,
) -> Call<'a> {
    Call {
        front: match peer.transport {
            Transport::Http | Transport::HttpSse => "mcp",
            Transport::Stdio => "stdio",
            Transport::WebSocket => "websocket",
        },
        tool: &params.name,
        arguments: params.arguments.map(RawValue::get),
        trace: trace::of(traceparent, peer.headers),
        progress,
    }
}

/// A streaming endpoint's items as progress notifications.
struct Stream<'a> {
    cx: &'a Cx<'a>,
}

impl Progress for Stream<'_> {
    fn item<'a>(&'a self, n: u64, json: &'a str) -> BoxFuture<'a, ()> {
        #[expect(clippy::cast_precision_loss, reason = "a stream has fewer than 2^53 items")]
        Box::pin(self.cx.progress(n as f64, None, Some(json)))
    }
}
