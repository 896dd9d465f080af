//! Streamable HTTP: one endpoint, both eras (`basic/transports/streamable-http`, 2025-11-25 and 2026-07-28).

mod cors;
#[cfg(feature = "legacy-sse")]
mod legacy_sse;
mod listen;
mod reader;
mod replay;
mod service;
mod sse;

use std::{sync::Arc, time::Duration};

use bytes::Buf;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use micro_mcp_proto::{Era, Revision, RpcError, headers};
use micro_runtime::{
    Drain,
    http::{Body, BodyError, Elapsed, Guard, Peer as PeerAddress, read_within},
};

#[cfg(feature = "legacy-sse")]
pub use self::legacy_sse::LegacySse;
pub use self::replay::Replay;
use self::{
    replay::{Streams, Unkept},
    sse::{Sse, event},
};
use crate::{
    Handler, KeyRing, Request,
    engine::{Answer, Engine, Reply, Source, legacy_changes},
    outlet::{Outlet, Said},
    running::{Messages, Output, Running},
    session::{Session, Sessions},
};

/// How an endpoint behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which `Host` and `Origin` may come in.
    pub guard: Guard,
    /// Largest body of a POST, in bytes. Default: 4 MiB.
    pub body_limit: usize,
    /// How long a client may take to send a body. Default: 30 seconds.
    pub body_timeout: Duration,
    /// How long a legacy session id is valid. Default: 24 hours.
    pub session_ttl: Duration,
    /// The keys of session ids. Default: one of this process's own.
    pub keys: KeyRing,
    /// How often a silent stream gets a comment. Default: 15 seconds.
    pub keep_alive: Duration,
    /// Whether results go out as event streams to clients that take them, even with nothing before them.
    /// Default: no, they are plain JSON, which costs less.
    pub always_stream: bool,
    /// What is kept for legacy clients that come back for the rest of a stream.
    pub replay: Replay,
    /// Ends the streams of those who listen.
    pub drain: Drain,
}

impl Default for Config {
    /// Lets in any `Host` and no `Origin`: set the guard of the listener's address.
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            body_limit: 4 << 20,
            body_timeout: Duration::from_secs(30),
            session_ttl: Duration::from_secs(24 * 3600),
            keys: KeyRing::random(),
            keep_alive: Duration::from_secs(15),
            always_stream: false,
            replay: Replay::default(),
            drain: Drain::new(),
        }
    }
}

/// An MCP endpoint. Cheap to clone; which path it has is the caller's business.
///
/// It is a [`tower_service::Service`], and mounts wherever those do, here in axum:
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{NoArgs, Server, http::{Config, StreamableHttp}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello" }).build()?;
/// let endpoint = StreamableHttp::new(Arc::new(server), Config::default());
/// let app: axum::Router = axum::Router::new().route_service("/mcp", endpoint);
/// # use tower_service::Service;
/// # let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
/// # let request = http::Request::post("/mcp").header("content-type", "application/json");
/// # let answer = app.clone().call(request.body(axum::body::Body::from(ping))?).await?;
/// # let body = axum::body::to_bytes(answer.into_body(), 1000).await?;
/// # assert_eq!(body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
/// # Ok(())
/// # }
/// ```
///
/// and on a connection of plain hyper:
///
/// ```
/// # use std::{convert::Infallible, sync::Arc};
/// # use hyper::{body::Incoming, server::conn::http1, service::service_fn};
/// # use hyper_util::rt::TokioIo;
/// # use micro_mcp::{NoArgs, Server, http::{Config, StreamableHttp}};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello" }).build()?;
/// # let (mut client, stream) = tokio::io::duplex(4096);
/// let endpoint = StreamableHttp::new(Arc::new(server), Config::default());
/// let service = service_fn(move |request: http::Request<Incoming>| {
///     let endpoint = endpoint.clone();
///     async move { Ok::<_, Infallible>(endpoint.handle(request).await) }
/// });
/// let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
/// # let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
/// # let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
/// # client.write_all(format!("{head}Content-Length: {}\r\n\r\n{ping}", ping.len()).as_bytes()).await?;
/// # connection.await?;
/// # let mut answer = String::new();
/// # client.read_to_string(&mut answer).await?;
/// # assert!(answer.ends_with(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StreamableHttp {
    engine: Arc<Engine>,
    streams: Arc<Streams>,
    config: Arc<Config>,
}

/// A larger body than allowed is read to its end, up to this, so that the client gets to see why it
/// was refused instead of a broken pipe.
const LINGER: usize = 64 << 20;
/// For at most this long.
const LINGER_TIME: Duration = Duration::from_secs(5);

impl StreamableHttp {
    /// An endpoint that this handler answers.
    pub fn new(handler: Arc<dyn Handler>, config: Config) -> Self {
        let sessions = Arc::new(Sessions::new(config.keys.clone(), config.session_ttl));
        let engine = Engine { handler, sessions, drain: config.drain.clone() };
        let streams = Streams::new(config.replay);
        Self { engine: Arc::new(engine), streams, config: Arc::new(config) }
    }

    /// Answers one HTTP request, whatever it is. Pages of origins that the guard lets in may read the
    /// answer. The address of the peer is taken from
    /// [`micro_runtime::http::Peer`] in its extensions.
    pub async fn handle<B>(&self, request: http::Request<B>) -> Response<Body>
    where
        B: HttpBody + Unpin + Send,
        B::Data: Send,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        if let Err(refused) = self.config.guard.check(&parts.uri, &parts.headers) {
            return problem(StatusCode::FORBIDDEN, &RpcError::invalid_request(refused.to_string()));
        }
        let origin = parts.headers.get(header::ORIGIN).cloned();
        let mut response = match parts.method {
            Method::POST => self.post(parts, body).await,
            Method::GET => self.get(parts),
            Method::DELETE => self.delete(parts),
            Method::OPTIONS if origin.is_some() => cors::preflight(&parts.headers),
            _ => not_allowed(),
        };
        if let Some(origin) = origin {
            cors::let_read(&mut response, origin);
        }
        response
    }

    async fn post<B>(&self, parts: Parts, mut body: B) -> Response<Body>
    where
        B: HttpBody + Unpin + Send,
        B::Data: Send,
        B::Error: Into<BodyError>,
    {
        if !is_json(&parts.headers) {
            let error = RpcError::invalid_request("Content-Type must be application/json");
            return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
        }
        let accept = Accept::of(&parts.headers);
        if !accept.json && !accept.sse {
            let error = RpcError::invalid_request("Accept must list application/json and text/event-stream");
            return problem(StatusCode::NOT_ACCEPTABLE, &error);
        }
        let bytes = match read_within(&mut body, self.config.body_limit, self.config.body_timeout).await {
            Ok(Some(bytes)) => bytes,
            Err(error) if error.is::<Elapsed>() => {
                let error = RpcError::invalid_request("Invalid request: the body took too long");
                return problem(StatusCode::REQUEST_TIMEOUT, &error);
            }
            Ok(None) => {
                linger(body).await;
                let error = RpcError::invalid_request(format!(
                    "Invalid request: the body is larger than {} bytes",
                    self.config.body_limit
                ));
                return problem(StatusCode::PAYLOAD_TOO_LARGE, &error);
            }
            Err(error) => {
                tracing::debug!(error, "request body broke off");
                return problem(StatusCode::BAD_REQUEST, &RpcError::parse("Parse error: the body broke off"));
            }
        };
        // Notifications need a stream; a client that takes none gets its result without them.
        let outlet = if accept.sse { Arc::default() } else { Outlet::nowhere() };
        let exchange = self.engine.clone().exchange(source(parts), bytes, outlet.clone());
        let mut running = Running::new(outlet.clone(), exchange);
        match running.next().await {
            Some(Output::Said(said)) => self.stream(outlet.session(), said, running),
            Some(Output::Reply(Reply::Message(answer)))
                if (accept.json && !(accept.sse && self.config.always_stream)) || answer.status != StatusCode::OK =>
            {
                plain(*answer)
            }
            Some(Output::Reply(Reply::Message(answer))) => {
                let session = answer.session.clone();
                let mut response = sse::only(Some(event(None, &answer.body.into_vec())));
                if let Some(id) = session {
                    response.headers_mut().insert(&headers::SESSION_ID, id);
                }
                response
            }
            Some(Output::Reply(Reply::Listen(messages))) if accept.sse => self.events(None, Messages::Stream(messages)),
            Some(Output::Reply(Reply::Listen(_))) => {
                let error = RpcError::invalid_request("Accept must list text/event-stream to listen");
                problem(StatusCode::NOT_ACCEPTABLE, &error)
            }
            Some(Output::Reply(Reply::Accepted)) => empty(StatusCode::ACCEPTED),
            // A cancelled request is not answered; a stream without events says just that.
            Some(Output::Reply(Reply::Silence)) | None => sse::only(None),
        }
    }

    /// The answer to a call that talks before it is done. That of a session can be resumed.
    fn stream(&self, session: Option<Session>, said: Said, running: Running) -> Response<Body> {
        let kept = match session {
            Some(session) => self.streams.follow(session, said, running),
            None => Err(Unkept(said, running)),
        };
        match kept {
            Ok(reader) => Sse::new(None, reader, self.config.keep_alive).response(),
            Err(Unkept(Said::Message(first), running)) => self.events(Some(&first), Messages::Running(running)),
            Err(Unkept(Said::Close(_), running)) => self.events(None, Messages::Running(running)),
        }
    }

    fn events(&self, first: Option<&[u8]>, rest: Messages) -> Response<Body> {
        let rest = rest.map(|message| event(None, &message));
        Sse::new(first.map(|first| event(None, first)), rest, self.config.keep_alive).response()
    }

    /// The stream on which legacy clients hear of changes; or, behind `Last-Event-ID`, the rest of another.
    fn get(&self, parts: Parts) -> Response<Body> {
        if !parts.headers.contains_key(&headers::SESSION_ID) || names_modern(&parts.headers) {
            return not_allowed();
        }
        if !Accept::of(&parts.headers).sse {
            let error = RpcError::invalid_request("Accept must list text/event-stream");
            return problem(StatusCode::NOT_ACCEPTABLE, &error);
        }
        let last_event_id = parts.headers.get(&headers::LAST_EVENT_ID).cloned();
        let session = match self.open_session(&source(parts), "GET") {
            Ok(session) => session,
            Err(refused) => return reply(refused),
        };
        let Some(id) = last_event_id else {
            // It ends with the session, or when the client opens another.
            let run = self.engine.sessions.stream(&session);
            let over = async move {
                let _ = tokio::time::timeout(session.left(), run.cancelled()).await;
            };
            let changes = legacy_changes(&self.engine, session).take_until(over).boxed();
            return self.events(None, Messages::Stream(changes));
        };
        match id.to_str().ok().and_then(|id| self.streams.resume(&session, id)) {
            Some(reader) => Sse::new(None, reader, self.config.keep_alive).response(),
            // Not 404, which would say that the session is gone.
            None => {
                let error = RpcError::invalid_request("Last-Event-ID names no stream that this session has here");
                problem(StatusCode::GONE, &error)
            }
        }
    }

    /// Ends a legacy session.
    fn delete(&self, parts: Parts) -> Response<Body> {
        if !parts.headers.contains_key(&headers::SESSION_ID) || names_modern(&parts.headers) {
            return not_allowed();
        }
        match self.open_session(&source(parts), "DELETE") {
            Ok(session) => {
                self.engine.sessions.end(&session);
                empty(StatusCode::NO_CONTENT)
            }
            Err(refused) => reply(refused),
        }
    }

    fn open_session(&self, source: &Source, method: &'static str) -> Result<Session, Reply> {
        let request = Request::Other { method: method.into(), params: None };
        let refused = |refusal| Reply::refused(None, &refusal);
        let principal = self.engine.handler.authenticate(&source.peer(), &request).map_err(refused)?;
        let unknown = |(status, error)| Reply::error(status, None, &error);
        let session = self.engine.session(source, &principal).map_err(unknown)?;
        session.ok_or_else(|| {
            let error = RpcError::invalid_request("Mcp-Session-Id is required");
            Reply::error(StatusCode::BAD_REQUEST, None, &error)
        })
    }
}

fn source(parts: Parts) -> Source {
    let address = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
    Source::Http { headers: parts.headers, extensions: parts.extensions, address }
}

/// Reads and forgets, within bounds.
async fn linger<B: HttpBody + Unpin>(mut body: B) {
    let mut left = LINGER;
    let discard = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Buf::remaining));
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER_TIME, discard).await; // too slow is too late: the answer goes out now
}

// === headers ===

/// What the client takes as an answer.
struct Accept {
    json: bool,
    sse: bool,
}

impl Accept {
    /// The specification wants both listed. Clients without the header take anything (RFC 9110).
    fn of(headers: &HeaderMap) -> Self {
        let mut accept = Self { json: false, sse: false };
        let mut any = false;
        for value in headers.get_all(header::ACCEPT) {
            any = true;
            if value == "application/json, text/event-stream" {
                return Self { json: true, sse: true }; // what nearly every client sends
            }
            for range in value.to_str().unwrap_or("").split(',') {
                let range = range.split(';').next().unwrap_or("").trim();
                let all = range == "*/*";
                accept.json |= all || range.eq_ignore_ascii_case("application/json") || range == "application/*";
                accept.sse |= all || range.eq_ignore_ascii_case("text/event-stream") || range == "text/*";
            }
        }
        if any { accept } else { Self { json: true, sse: true } }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let value = value.to_str().unwrap_or("");
    value == "application/json" || value.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
}

fn names_modern(headers: &HeaderMap) -> bool {
    let value = headers.get(&headers::PROTOCOL_VERSION).and_then(|value| value.to_str().ok());
    value.and_then(Revision::parse).is_some_and(|revision| revision.era() == Era::Modern)
}

// === responses ===

fn plain(answer: Answer) -> Response<Body> {
    let mut response = Response::new(answer.body.into_body());
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(id) = answer.session {
        headers.insert(&headers::SESSION_ID, id);
    }
    if let Some(challenge) = answer.challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn reply(reply: Reply) -> Response<Body> {
    match reply {
        Reply::Message(answer) => plain(*answer),
        _ => empty(StatusCode::ACCEPTED),
    }
}

/// An error without an id: the request was not read that far.
fn problem(status: StatusCode, error: &RpcError) -> Response<Body> {
    reply(Reply::error(status, None, error))
}

fn not_allowed() -> Response<Body> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &RpcError::invalid_request("Method not allowed"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
