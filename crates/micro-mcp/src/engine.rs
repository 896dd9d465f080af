//! The course of one message, whatever transport brought it: who, which era, what, answered by whom.

mod builtin;
mod legacy;
mod listen;
mod modern;

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::FutureExt;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use micro_mcp_proto::{
    Era, Id, Message, Params, Revision, RpcError, ServerCapabilities, ToolCall, code, headers, method, parse, write,
};
use micro_runtime::Drain;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    Cx, Failure, Handler, Peer, Principal, Refusal, Request, Transport,
    outgoing::Outgoing,
    outlet::Outlet,
    session::{Session, Sessions},
};

pub(crate) use self::listen::legacy_changes;

/// What every exchange of a server shares.
pub(crate) struct Engine {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) drain: Drain,
}

/// Where a message came from.
pub(crate) enum Source {
    /// A POST.
    Http {
        /// Its headers.
        headers: HeaderMap,
        /// What was put into it on the way here.
        extensions: Extensions,
        /// Who sent it.
        address: Option<SocketAddr>,
    },
    /// A pipe.
    Pipe {
        /// What it has initialized, if it has.
        session: Arc<Mutex<Option<Session>>>,
        /// Who is at the other end.
        caller: Arc<Caller>,
    },
}

/// The other end of a pipe, as far as it is known.
pub(crate) struct Caller {
    /// Of the request that opened it, if it was one.
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) extensions: Option<Extensions>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) transport: Transport,
}

impl Default for Caller {
    fn default() -> Self {
        Self { headers: None, extensions: None, address: None, transport: Transport::Stdio }
    }
}

/// How an exchange ends.
pub(crate) enum Reply {
    /// With a message.
    Message(Box<Answer>),
    /// With messages until the client has enough (`subscriptions/listen`).
    Listen(BoxStream<'static, Vec<u8>>),
    /// Noted; there is nothing to say (202).
    Accepted,
    /// Cancelled: nothing must be said.
    Silence,
}

/// A message and what HTTP says beside it.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) body: Outgoing,
    pub(crate) status: StatusCode,
    /// `Mcp-Session-Id`.
    pub(crate) session: Option<HeaderValue>,
    /// `WWW-Authenticate`.
    pub(crate) challenge: Option<HeaderValue>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u32>,
}

/// One request, read.
struct Ask<'a> {
    id: Id<'a>,
    method: &'a str,
    params: &'a Params<'a>,
    request: &'a Request<'a>,
    peer: Peer<'a>,
    principal: &'a Principal,
    outlet: &'a Arc<Outlet>,
}

impl Engine {
    /// Takes one message to its end. The order of checks is that of the specification's transport
    /// page and of the official suite: shape, caller, era, `_meta`, headers, method, capability, params.
    pub(crate) async fn exchange(self: Arc<Self>, source: Source, body: Bytes, outlet: Arc<Outlet>) -> Reply {
        // Nearly every message is a tool call, read in one look; whatever else it is goes the long way.
        if let Some(ToolCall { id, params }) = ToolCall::parse(&body) {
            return self.request(&source, id, "tools/call", None, Ok(params), &outlet).await;
        }
        let message = match parse(&body) {
            Ok(message) => message,
            Err(malformed) => return Reply::error(StatusCode::BAD_REQUEST, malformed.id, &malformed.error),
        };
        match message {
            Message::Batch(elements) => legacy::batch(&self, &source, &elements, &outlet).await,
            single => self.single(&source, single, &outlet).await,
        }
    }

    async fn single(&self, source: &Source, message: Message<'_>, outlet: &Arc<Outlet>) -> Reply {
        match message {
            Message::Request { id, method, params } => {
                self.request(source, id, &method, params, Params::parse(params), outlet).await
            }
            Message::Notification { method, params } => self.notification(source, &method, params),
            Message::Response { id, outcome } => self.response(source, id, outcome),
            Message::Batch(_) => {
                let error = RpcError::invalid_request("Invalid request: a batch within a batch");
                Reply::error(StatusCode::BAD_REQUEST, None, &error)
            }
        }
    }

    async fn request(
        &self,
        source: &Source,
        id: Id<'_>,
        method: &str,
        raw: Option<&RawValue>,
        params: Result<Params<'_>, RpcError>,
        outlet: &Arc<Outlet>,
    ) -> Reply {
        let request = params.as_ref().map_or_else(|e| Err(e.clone()), |params| Request::read(method, raw, params));
        let other = Request::Other { method: method.into(), params: raw };
        let peer = source.peer();
        let principal = match self.handler.authenticate(&peer, request.as_ref().unwrap_or(&other)) {
            Ok(principal) => principal,
            Err(refusal) => return Reply::refused(Some(id), &refusal),
        };
        let params = match params {
            Ok(params) => params,
            Err(error) => return Reply::error(StatusCode::BAD_REQUEST, Some(id), &error),
        };
        let era = match Era::of(method, &params.meta, source.version_header()) {
            Ok(era) => era,
            Err(error) => return Reply::error(StatusCode::BAD_REQUEST, Some(id), &error),
        };
        let ask = |request| Ask { id, method, params: &params, request, peer, principal: &principal, outlet };
        match (era, &request) {
            // A tool call without a name still has its headers and version checked first.
            (Era::Modern, Ok(request)) => modern::answer(self, source, ask(request)).await,
            (Era::Modern, Err(error)) => match modern::check(&ask(&other)) {
                Ok(_) => Reply::error(status(era, error), Some(id), error),
                Err(error) => Reply::error(StatusCode::BAD_REQUEST, Some(id), &error),
            },
            (Era::Legacy, Ok(request)) => legacy::answer(self, source, ask(request)).await,
            (Era::Legacy, Err(error)) => Reply::error(status(era, error), Some(id), error),
        }
    }

    fn notification(&self, source: &Source, method: &str, raw: Option<&RawValue>) -> Reply {
        let request = Request::Other { method: method.into(), params: raw };
        let principal = match self.handler.authenticate(&source.peer(), &request) {
            Ok(principal) => principal,
            Err(refusal) => return Reply::refused(None, &refusal),
        };
        let session = match self.session(source, &principal) {
            Ok(session) => session,
            Err((status, error)) => return Reply::error(status, None, &error),
        };
        // The only one that matters: HTTP clients of the modern era hang up instead.
        if method == method::CANCELLED
            && let Some(session) = session.or(source.pipe_session())
            && let Some(id) = raw.and_then(builtin::cancelled_id)
        {
            self.sessions.cancel(&session, id);
        }
        Reply::Accepted
    }

    /// A legacy client answers a question of ours. Nobody is told whether it was waited for.
    fn response(&self, source: &Source, id: Option<Id<'_>>, outcome: Result<&RawValue, &RawValue>) -> Reply {
        let request = Request::Other { method: "response".into(), params: None };
        let principal = match self.handler.authenticate(&source.peer(), &request) {
            Ok(principal) => principal,
            Err(refusal) => return Reply::refused(None, &refusal),
        };
        match (self.session(source, &principal), id) {
            (Ok(Some(session)), Some(id)) => self.sessions.asks.resolve(session.name(), id, outcome),
            (Ok(_), _) => {}
            (Err((status, error)), _) => return Reply::error(status, None, &error),
        }
        Reply::Accepted
    }

    /// The session a legacy message belongs to: the pipe's, or that of its `Mcp-Session-Id`. Whatever it is, its
    /// `MCP-Protocol-Version` must be one there is (`basic/transports`, 2025-06-18).
    pub(crate) fn session(
        &self,
        source: &Source,
        principal: &Principal,
    ) -> Result<Option<Session>, (StatusCode, RpcError)> {
        let headers = match source {
            Source::Pipe { session, .. } => return Ok(*session.lock()),
            Source::Http { headers, .. } => headers,
        };
        if let Some(text) = source.version_header().filter(|text| Revision::parse(text).is_none()) {
            let error = RpcError::invalid_request(format!("Unsupported protocol version: {text:.40}"));
            return Err((StatusCode::BAD_REQUEST, error));
        }
        let Some(id) = headers.get(&headers::SESSION_ID) else { return Ok(None) };
        let session = id.to_str().ok().and_then(|id| self.sessions.open(id, principal));
        // 404 tells the client to initialize anew.
        let unknown = || (StatusCode::NOT_FOUND, RpcError::invalid_request("Session not found"));
        session.map(Some).ok_or_else(unknown)
    }

    /// Lets the handler answer, once its capabilities cover the method.
    async fn handle(&self, cx: &Cx<'_>, request: &Request<'_>, id: Id<'_>) -> Reply {
        let era = cx.era();
        if !offered(&self.handler.info().capabilities, request.method()) {
            let error = RpcError::method_not_found(request.method());
            return Reply::error(status(era, &error), Some(id), &error);
        }
        match self.answer(cx, request).await {
            Ok(result) => Reply::message(Outgoing::response(id, result)),
            Err(failure) => Reply::failed(era, id, &failure),
        }
    }

    /// What the handler says. A panic is one request's failure: streams end, and others on the pipe go on.
    async fn answer(&self, cx: &Cx<'_>, request: &Request<'_>) -> Result<Bytes, Failure> {
        let answer = AssertUnwindSafe(async { self.handler.handle(cx, request).await }).catch_unwind();
        answer.await.unwrap_or_else(|_| {
            tracing::error!(method = request.method(), "a handler panicked");
            Err(RpcError::internal().into())
        })
    }
}

/// Whether a method's capability is offered. Methods without one are the handler's business.
fn offered(capabilities: &ServerCapabilities, method: &str) -> bool {
    match method.split_once('/').map(|(area, _)| area) {
        Some("tools") => capabilities.tools.is_some(),
        Some("prompts") => capabilities.prompts.is_some(),
        Some("resources") => capabilities.resources.is_some(),
        Some("completion") => capabilities.completions.is_some(),
        Some("logging") => capabilities.logging.is_some(),
        _ => true,
    }
}

/// The HTTP status of a JSON-RPC error. Legacy clients read the body of a 200; modern ones want the
/// status to say it, for the codes the specification lists.
fn status(era: Era, error: &RpcError) -> StatusCode {
    match (era, error.code) {
        (_, code::PARSE | code::INVALID_REQUEST) => StatusCode::BAD_REQUEST,
        (Era::Modern, code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        (Era::Modern, code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION) => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    }
}

// === impl Source ===

impl Source {
    pub(crate) fn peer(&self) -> Peer<'_> {
        match self {
            Self::Http { headers, extensions, address } => Peer {
                headers: Some(headers),
                extensions: Some(extensions),
                address: *address,
                transport: Transport::Http,
            },
            Self::Pipe { caller, .. } => Peer {
                headers: caller.headers.as_ref(),
                extensions: caller.extensions.as_ref(),
                address: caller.address,
                transport: caller.transport,
            },
        }
    }

    /// `MCP-Protocol-Version`, which only HTTP has.
    pub(crate) fn version_header(&self) -> Option<&str> {
        self.peer()
            .headers_of_message()?
            .get(&headers::PROTOCOL_VERSION)
            .map(|value| value.to_str().unwrap_or("").trim())
    }

    /// What names the requests of a pipe that never initialized.
    fn pipe_session(&self) -> Option<Session> {
        matches!(self, Self::Pipe { .. }).then(legacy::assumed)
    }
}

// === impl Reply ===

impl Reply {
    pub(crate) fn message(body: impl Into<Outgoing>) -> Self {
        Self::Message(Box::new(Answer { body: body.into(), ..Answer::default() }))
    }

    pub(crate) fn error(status: StatusCode, id: Option<Id<'_>>, error: &RpcError) -> Self {
        Self::Message(Box::new(Answer { body: write::error(id, error).into(), status, ..Answer::default() }))
    }

    /// Why a handler has no result.
    fn failed(era: Era, id: Id<'_>, failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => return Self::refused(Some(id), refusal),
            Failure::Inner(error) => {
                let error: &(dyn std::error::Error + 'static) = &**error;
                tracing::error!(error, "a request failed");
            }
            Failure::Rpc(_) => {}
        }
        let error = failure.error();
        Self::error(status(era, error), Some(id), error)
    }

    pub(crate) fn refused(id: Option<Id<'_>>, refusal: &Refusal) -> Self {
        Self::Message(Box::new(Answer {
            body: write::error(id, &refusal.error).into(),
            status: refusal.status,
            session: None,
            challenge: refusal.challenge.clone(),
            retry_after: refusal.retry_after,
        }))
    }
}
