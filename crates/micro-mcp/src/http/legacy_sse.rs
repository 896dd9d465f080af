//! HTTP+SSE, as before 2025-03-26, for clients that never learned anything else.
//!
//! A GET opens a stream; its first event names the address that messages are posted to, its others are what
//! the server says. Deprecated since 2025-03-26: serve it on a path of its own, and only for old clients.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future, stream};
use http::{Method, Response, StatusCode, request::Parts};
use http_body::Body as HttpBody;
use micro_mcp_proto::RpcError;
use micro_runtime::http::{Body, BodyError, Peer as PeerAddress, read};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::{Config, empty, is_json, problem, reply, sse};
use crate::{
    Handler, Peer, Principal, Refusal, Request, Transport,
    engine::{Caller, Reply},
    seal,
    transport::{MessageSink, memory, serve_caller},
};

/// Streams open at once, in all and of one caller with a name; more are refused.
const MAX_STREAMS: usize = 10_000;
const MAX_OF_SUBJECT: usize = 100;
/// How long a message may wait for the server to take it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An endpoint of the first HTTP transport. Cheap to clone; which path it has is the caller's business.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{NoArgs, Server, client::Client, http::{Config, LegacySse, StreamableHttp}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, extract::Request, routing::any};
///
/// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
/// let server = Arc::new(server);
/// let old = LegacySse::new(server.clone(), Config::default());
/// let app: Router = Router::new()
///     .route_service("/mcp", StreamableHttp::new(server, Config::default()))
///     .route("/sse", any(async move |request: Request| old.handle(request).await));
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// # tokio::spawn(async { axum::serve(listener, app).await });
///
/// let client = Client::connect(&format!("http://{address}/sse")).await?;
/// assert_eq!(client.call("hi").text().await?, "Hello!");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LegacySse(Arc<Shared>);

struct Shared {
    handler: Arc<dyn Handler>,
    config: Config,
    streams: Mutex<HashMap<String, Open>>,
}

/// A stream that is open: who opened it, and the way to the server behind it.
#[derive(Clone)]
struct Open {
    subject: Option<Arc<str>>,
    sink: Arc<tokio::sync::Mutex<MessageSink>>,
}

impl LegacySse {
    /// An endpoint that this handler answers.
    pub fn new(handler: Arc<dyn Handler>, config: Config) -> Self {
        Self(Arc::new(Shared { handler, config, streams: Mutex::default() }))
    }

    /// Answers one HTTP request, whatever it is. The address of the peer is taken from
    /// [`micro_runtime::http::Peer`] in its extensions.
    pub async fn handle<B>(&self, request: http::Request<B>) -> Response<Body>
    where
        B: HttpBody + Unpin + Send,
        B::Data: Send,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        if let Err(refused) = self.0.config.guard.check(&parts.uri, &parts.headers) {
            return problem(StatusCode::FORBIDDEN, &RpcError::invalid_request(refused.to_string()));
        }
        let address = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let (headers, extensions) = (Some(&parts.headers), Some(&parts.extensions));
        let peer = Peer { headers, extensions, address, transport: Transport::HttpSse };
        let asked = Request::Other { method: parts.method.as_str().to_owned().into(), params: None };
        let principal = match self.0.handler.authenticate(&peer, &asked) {
            Ok(principal) => principal,
            Err(refusal) => return reply(Reply::refused(None, &refusal)),
        };
        let outcome = match parts.method {
            Method::GET => self.open(parts, principal),
            Method::POST => self.post(&parts, body, &principal).await,
            _ => Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")),
        };
        outcome.unwrap_or_else(|refusal| reply(Reply::refused(None, &refusal)))
    }

    /// Opens a stream, with a server at the other end of it.
    fn open(&self, parts: Parts, principal: Principal) -> Result<Response<Body>, Refusal> {
        let name = URL_SAFE_NO_PAD.encode(seal::random::<18>());
        let (ours, theirs) = memory::pair();
        let address = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let (headers, extensions) = (Some(parts.headers), Some(parts.extensions));
        let caller = Caller { headers, extensions, address, transport: Transport::HttpSse };
        {
            let mut streams = self.0.streams.lock();
            let own = || streams.values().filter(|open| open.subject == principal.subject).count();
            if streams.len() >= MAX_STREAMS || (principal.subject.is_some() && own() >= MAX_OF_SUBJECT) {
                return Err(refuse(StatusCode::SERVICE_UNAVAILABLE, "Too many streams"));
            }
            let sink = Arc::new(tokio::sync::Mutex::new(ours.sink));
            streams.insert(name.clone(), Open { subject: principal.subject, sink });
        }
        let closing = Closing { shared: self.0.clone(), name: name.clone() };
        let serving = serve_caller(self.0.handler.clone(), theirs, self.0.config.drain.clone(), caller);
        self.0.config.drain.spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a stream broke");
            }
        });
        // Relative, so that it is right behind whatever the endpoint is mounted at.
        let first = Bytes::from(format!("event: endpoint\ndata: ?session={name}\n\n"));
        let events = ours.stream.filter_map(move |message| {
            let _closing = &closing; // the stream is open for as long as somebody reads it
            future::ready(message.ok().map(|message| sse::event(None, &message)))
        });
        Ok(sse::Sse::new(Some(first), stream::StreamExt::boxed(events), self.0.config.keep_alive).response())
    }

    /// Takes one message for the server behind a stream.
    async fn post<B>(&self, parts: &Parts, body: B, principal: &Principal) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody + Unpin + Send,
        B::Data: Send,
        B::Error: Into<BodyError>,
    {
        if !is_json(&parts.headers) {
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"));
        }
        let name = parts.uri.query().unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("session="));
        let open = name.and_then(|name| self.0.streams.lock().get(name).cloned());
        // Somebody else's stream is none.
        let open = open.filter(|open| open.subject == principal.subject);
        let open = open.ok_or_else(|| refuse(StatusCode::NOT_FOUND, "Session not found"))?;
        let busy = || refuse(StatusCode::SERVICE_UNAVAILABLE, "The server is busy");
        // One body at a time: what waits for the server to take it is bounded too.
        let mut sink = timeout(PATIENCE, open.sink.lock()).await.map_err(|_| busy())?;
        let message = match timeout(self.0.config.body_timeout, read(body, self.0.config.body_limit)).await {
            Ok(Ok(Some(message))) => message,
            Ok(Ok(None)) => return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large")),
            Ok(Err(_)) => return Err(refuse(StatusCode::BAD_REQUEST, "The body broke off")),
            Err(_) => return Err(refuse(StatusCode::REQUEST_TIMEOUT, "The body took too long")),
        };
        match timeout(PATIENCE, sink.send(message)).await {
            Ok(Ok(())) => Ok(empty(StatusCode::ACCEPTED)),
            Ok(Err(_)) => Err(refuse(StatusCode::NOT_FOUND, "Session not found")),
            Err(_) => Err(busy()),
        }
    }
}

fn refuse(status: StatusCode, why: &'static str) -> Refusal {
    Refusal::new(status, RpcError::invalid_request(why))
}

/// Forgets a stream that nobody reads any more; the server behind it then finds its input ended.
struct Closing {
    shared: Arc<Shared>,
    name: String,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.shared.streams.lock().remove(&self.name);
    }
}
