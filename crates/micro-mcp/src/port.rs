//! The port: what a server asks of whoever answers.

use std::{any::Any, borrow::Cow, fmt, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use futures_util::stream;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use micro_mcp_proto::{Implementation, Params, RpcError, ServerCapabilities, code};
use serde_json::value::RawValue;

use crate::Cx;

/// Answers MCP requests. The gateway's front is one, [`crate::Server`] is another.
///
/// The server around it speaks the protocol: envelopes, eras, sessions, streams, header checks,
/// `initialize`, `server/discover`, `ping`, `subscriptions/listen`. What is left comes here.
///
/// ```
/// # use std::sync::Arc;
/// # use bytes::Bytes;
/// # use futures_core::{future::BoxFuture, stream::BoxStream};
/// # use futures_util::{StreamExt, stream};
/// # use micro_mcp::{Change, Cx, Failure, Handler, Request, ServerInfo, client::Client, result};
/// # use micro_mcp::proto::{Implementation, ListChanged, RpcError, ServerCapabilities};
/// /// Has every tool there is, and answers each call with its arguments.
/// struct Parrot(Arc<ServerInfo>);
///
/// impl Handler for Parrot {
///     fn info(&self) -> Arc<ServerInfo> {
///         self.0.clone()
///     }
///
///     fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
///         let Request::CallTool(call) = request else {
///             return Box::pin(async { Err(RpcError::method_not_found(request.method()).into()) });
///         };
///         let arguments = call.arguments.map_or("{}", |arguments| arguments.get());
///         let result = result::complete(cx.revision, 256).raw("structuredContent", arguments.as_bytes());
///         Box::pin(async { Ok(result.raw("content", b"[]").finish()) })
///     }
///
///     fn changes(&self) -> BoxStream<'static, Change> {
///         stream::pending().boxed()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let implementation = Implementation { name: "parrot".into(), version: "1.0".into(), ..Implementation::default() };
/// # let tools = Some(ListChanged::default());
/// # let capabilities = ServerCapabilities { tools, ..ServerCapabilities::default() };
/// # let info = ServerInfo { implementation, capabilities, instructions: None };
/// let client = Client::builder().in_process(Arc::new(Parrot(Arc::new(info)))).await?;
/// let said: serde_json::Value = client.call("anything").args(&serde_json::json!({ "a": 1 })).json().await?;
/// assert_eq!(said["a"], 1);
/// # Ok(())
/// # }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Name, version, capabilities, instructions. Asked once per `initialize` or `server/discover`,
    /// and whenever a method is about to be called whose capability may be missing: keep it ready.
    fn info(&self) -> Arc<ServerInfo>;

    /// Who is calling. Runs for every message as soon as it has been read and before anything is
    /// checked about it; the request is given so that a refusal can be recorded. Methods the server
    /// answers itself arrive as [`Request::Other`], and so do the `GET` and `DELETE` of legacy sessions,
    /// a `batch` as a whole, and a client's `response`, under these names. When a batch is refused, so is each
    /// of its tool calls.
    ///
    /// # Errors
    /// The refusal to send. The default lets everyone in as nobody.
    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>) -> Result<Principal, Refusal> {
        let _ = (peer, request);
        Ok(Principal::anonymous())
    }

    /// Answers one request with the raw JSON of its `result` object: all of it, with `resultType`
    /// and cache hints where the era wants them (see [`crate::result`]). The server only puts the
    /// envelope around.
    ///
    /// Dropping the future is cancellation. In the legacy era a client that went away has not
    /// cancelled; the server then runs the future to its end on its own.
    ///
    /// # Errors
    /// A JSON-RPC error, or a refusal with an HTTP status.
    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>>;

    /// What changes from now on; asked once per listening client.
    fn changes(&self) -> BoxStream<'static, Change>;

    /// Tells a listening client of its tasks (tasks extension): which of these ids are its own, and, now
    /// and whenever one changes, the task as a raw JSON object. The default knows no tasks.
    fn tasks(&self, principal: &Principal, ids: Vec<String>) -> (Vec<String>, BoxStream<'static, Bytes>) {
        let _ = (principal, ids);
        (Vec::new(), Box::pin(stream::empty()))
    }
}

/// A request for a [`Handler`].
#[derive(Debug, Clone)]
pub enum Request<'a> {
    /// `tools/list`.
    ListTools {
        /// Where to go on; an empty string is a cursor too.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool(CallParams<'a>),
    /// Any other method.
    Other {
        /// The method.
        method: Cow<'a, str>,
        /// Its raw params; an object, if there are any.
        params: Option<&'a RawValue>,
    },
}

/// What `tools/call` calls.
#[derive(Debug, Clone)]
pub struct CallParams<'a> {
    /// The tool.
    pub name: Cow<'a, str>,
    /// Its arguments, an object as it was written; absent means none.
    pub arguments: Option<&'a RawValue>,
    /// Answers to the questions of an earlier result (2026-07-28).
    pub input_responses: Option<&'a RawValue>,
    /// The state handed out with those questions (2026-07-28). Attacker-controlled.
    pub request_state: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// A request in these words.
    ///
    /// # Errors
    /// `-32602` when params lack what the method wants, or hold it in another form.
    #[cfg(any(feature = "client", feature = "server"))]
    pub(crate) fn read(method: &'a str, raw: Option<&'a RawValue>, params: &Params<'a>) -> Result<Self, RpcError> {
        match method {
            "tools/call" => Ok(Self::CallTool(CallParams {
                name: Params::string(params.name, "name")?,
                arguments: params.arguments()?,
                input_responses: params.input_responses,
                request_state: params.request_state,
            })),
            "tools/list" => Ok(Self::ListTools { cursor: Params::optional_string(params.cursor, "cursor")? }),
            _ => Ok(Self::Other { method: method.into(), params: raw }),
        }
    }

    /// The method's name.
    pub fn method(&self) -> &str {
        match self {
            Self::ListTools { .. } => "tools/list",
            Self::CallTool(_) => "tools/call",
            Self::Other { method, .. } => method,
        }
    }
}

/// Where a message came from. Its `Debug` names the headers and keeps their values, which may be secret.
#[derive(Clone, Copy)]
pub struct Peer<'a> {
    /// The HTTP headers of the message, or of the request that opened its pipe; none on stdio.
    pub headers: Option<&'a HeaderMap>,
    /// What whoever serves HTTP has put into the message's request, or into the one that opened its pipe: for example
    /// who was found to be calling, by a check that may wait, which [`Handler::authenticate`] may not.
    pub extensions: Option<&'a Extensions>,
    /// The address at the other end; none on stdio.
    pub address: Option<SocketAddr>,
    /// How it came.
    pub transport: Transport,
}

impl Peer<'_> {
    /// Somebody of whom nothing is known but the way.
    pub fn of(transport: Transport) -> Self {
        Self { headers: None, extensions: None, address: None, transport }
    }
}

#[cfg(feature = "server")]
impl<'a> Peer<'a> {
    /// The headers, when they are those of this message: what a pipe was opened with says nothing about it.
    pub(crate) fn headers_of_message(&self) -> Option<&'a HeaderMap> {
        self.headers.filter(|_| self.transport == Transport::Http)
    }
}

impl fmt::Debug for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.map(|headers| headers.keys().map(HeaderName::as_str).collect::<Vec<_>>());
        let Self { address, transport, .. } = self;
        f.debug_struct("Peer").field("headers", &names).field("address", address).field("transport", transport).finish()
    }
}

/// How messages come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// Lines on a pipe, or a pipe of one's own.
    Stdio,
    /// WebSocket. The headers are those of its opening handshake.
    WebSocket,
    /// HTTP+SSE, as before 2025-03-26. The headers are those of the request that opened the stream.
    HttpSse,
}

/// Who is calling, as far as the handler found out.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::Principal;
/// struct Plan {
///     pages_left: u32,
/// }
///
/// // A layer finds out who calls …
/// let ada = Principal::named("ada").with_details(Arc::new(Plan { pages_left: 3 }));
/// // … and a tool, which has it as `cx.principal`, what may be done.
/// assert_eq!(ada.subject.as_deref(), Some("ada"));
/// assert!(ada.details::<Plan>().is_some_and(|plan| plan.pages_left > 0));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// A stable name. Legacy sessions are bound to it.
    pub subject: Option<Arc<str>>,
    /// Whatever else the handler wants to find again in [`Cx::principal`], by [`Principal::details`].
    details: Option<Arc<dyn Any + Send + Sync>>,
}

impl Principal {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Somebody with a stable name.
    pub fn named(subject: impl Into<Arc<str>>) -> Self {
        Self { subject: Some(subject.into()), details: None }
    }

    /// Remembers what the handler knows of the caller beside the name.
    #[must_use]
    pub fn with_details(mut self, details: Arc<dyn Any + Send + Sync>) -> Self {
        self.details = Some(details);
        self
    }

    /// What [`Principal::with_details`] remembered, if it is of this type.
    pub fn details<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.details.clone()?.downcast().ok()
    }
}

/// A request that is turned away: an HTTP status, perhaps a challenge, and the JSON-RPC error that is
/// all that other transports see.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// 401, 403, 429, …
    pub status: StatusCode,
    /// `WWW-Authenticate`.
    pub challenge: Option<HeaderValue>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// The error in the body.
    pub error: RpcError,
}

impl Refusal {
    /// A refusal without a challenge.
    pub fn new(status: StatusCode, error: RpcError) -> Self {
        Self { status, challenge: None, retry_after: None, error }
    }

    /// 401 with a `WWW-Authenticate` challenge.
    pub fn unauthorized(challenge: HeaderValue, error: RpcError) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, error) }
    }
}

/// Why a request has no result.
#[derive(Debug)]
pub enum Failure {
    /// A JSON-RPC error; over HTTP its code decides the status.
    Rpc(RpcError),
    /// A refusal with a status of its own.
    Refused(Box<Refusal>),
    /// Something on this side, or on the way, that is nobody's business at the other end: it is logged, and
    /// said there to be an internal error. Around a client, a [`crate::client::Error`].
    Inner(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// The JSON-RPC error.
    pub fn error(&self) -> &RpcError {
        match self {
            Self::Rpc(error) => error,
            Self::Refused(refusal) => &refusal.error,
            Self::Inner(_) => &INTERNAL,
        }
    }
}

/// What is said of [`Failure::Inner`].
static INTERNAL: RpcError = RpcError { code: code::INTERNAL, message: Cow::Borrowed("Internal error"), data: None };

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, Default)]
pub struct ServerInfo {
    /// Name and version.
    pub implementation: Implementation,
    /// What it offers. Methods of capabilities that are not offered are not found.
    pub capabilities: ServerCapabilities,
    /// How to use it, for the model.
    pub instructions: Option<String>,
}

/// Something that clients which listen are told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources or resource templates.
    Resources,
    /// What a resource holds, by its URI.
    Resource(Arc<str>),
    /// The user of one client of 2025-11-25 is done with a page, by the name that
    /// [`crate::CallContext::elicitation_id`] gave it.
    ElicitationComplete(Arc<str>),
    /// What any resource may hold: too much happened to say which.
    AnyResource,
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn a_peer_that_is_shown_keeps_what_its_headers_say() {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Bearer secret"))]);
        let peer = Peer { headers: Some(&headers), ..Peer::of(Transport::Http) };
        let shown = format!("{peer:?}");
        assert!(shown.contains("authorization") && !shown.contains("secret"), "{shown}");
    }
}
