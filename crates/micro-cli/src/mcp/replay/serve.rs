//! The recorded server, alive again: what was asked then is answered as it was then.
//!
//! A request is known by its method and its params. Notifications that came with an answer come again;
//! questions that the server asked on its own do not.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_mcp::{proto::headers, transport::Pipe};
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, read, serve},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Kind, kind};
use crate::mcp::{
    capture::{Capture, Entry, Side},
    target::MESSAGE_LIMIT,
};

/// Requests that differ from client to client and mean the same.
const BY_METHOD: &[&str] = &["initialize", "server/discover"];

/// What the server of a capture answered.
pub(crate) struct Answers {
    calls: Mutex<Vec<Call>>,
    /// Its sessions had ids.
    sessions: bool,
}

/// A request and what it was answered with.
struct Call {
    request: Value,
    /// Notifications, then the response.
    replies: Vec<Value>,
    status: u16,
    used: bool,
}

impl Answers {
    pub(crate) fn of(capture: &Capture) -> Self {
        let entries = &capture.entries;
        let calls = entries.iter().enumerate().filter_map(|(at, entry)| call(entry, &entries[at + 1..]));
        let session = |entry: &Entry| {
            let http = entry.http.as_ref().filter(|_| entry.from == Side::Server);
            http.is_some_and(|http| http.headers.contains_key(headers::SESSION_ID.as_str()))
        };
        Self { calls: Mutex::new(calls.collect()), sessions: entries.iter().any(session) }
    }

    /// Answers one request: the messages in order, the response last, and its HTTP status.
    fn answer(&self, request: &Value) -> (Vec<Value>, u16) {
        let mut calls = self.calls.lock();
        // One that has not been asked yet, or else the last one that was.
        let fits = |call: &Call| same(&call.request, request);
        let at = calls.iter().position(|call| !call.used && fits(call));
        let Some(at) = at.or_else(|| calls.iter().rposition(fits)) else { return (vec![unknown(request)], 200) };
        calls[at].used = true;
        let call = &calls[at];
        let replies = call.replies.iter().filter_map(|reply| addressed(reply, &call.request, request));
        (replies.collect(), call.status)
    }
}

/// The request in an entry, with what followed it.
fn call(entry: &Entry, rest: &[Entry]) -> Option<Call> {
    let request = entry.message.as_ref().filter(|message| kind(message) == Kind::Request)?;
    if entry.from == Side::Server {
        return None;
    }
    let mut status = 200;
    let mut replies = Vec::new();
    for later in rest.iter().filter(|later| later.from == Side::Server && later.exchange == entry.exchange) {
        if let Some(said) = later.http.as_ref().and_then(|http| http.status) {
            status = said;
        }
        let Some(message) = &later.message else { continue };
        match kind(message) {
            Kind::Notification => replies.push(message.clone()),
            Kind::Response
                if message["id"] == request["id"] || (message["id"].is_null() && entry.exchange.is_some()) =>
            {
                replies.push(message.clone());
                return Some(Call { request: request.clone(), replies, status, used: false });
            }
            _ => {}
        }
    }
    None
}

/// Whether two requests ask for the same. What they say of their client does not count.
fn same(recorded: &Value, seen: &Value) -> bool {
    let params = |request: &Value| {
        let mut params = request["params"].clone();
        if let Some(params) = params.as_object_mut() {
            params.remove("_meta");
        }
        if params.as_object().is_some_and(serde_json::Map::is_empty) { Value::Null } else { params }
    };
    let method = recorded["method"].as_str().unwrap_or_default();
    seen["method"] == method && (BY_METHOD.contains(&method) || params(recorded) == params(seen))
}

fn unknown(request: &Value) -> Value {
    let result = match request["method"].as_str() {
        Some("ping") => Ok(json!({})),
        _ => Err("the capture has no such request"),
    };
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        Err(why) => json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32603, "message": why}}),
    }
}

/// A recorded reply to one request as a reply to another. Progress that was not asked for is not told.
fn addressed(reply: &Value, recorded: &Value, request: &Value) -> Option<Value> {
    const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
    let mut reply = reply.clone();
    if kind(&reply) == Kind::Response {
        reply["id"] = request["id"].clone();
    }
    let token = &recorded["params"]["_meta"]["progressToken"];
    if !token.is_null() && reply["params"]["progressToken"] == *token {
        let now = &request["params"]["_meta"]["progressToken"];
        if now.is_null() {
            return None;
        }
        reply["params"]["progressToken"] = now.clone();
    }
    for part in ["params", "result"] {
        if let Some(id) = reply.get_mut(part).and_then(|part| part.get_mut("_meta")?.get_mut(SUBSCRIPTION)) {
            *id = request["id"].clone();
        }
    }
    Some(reply)
}

/// Answers a client at the other end of a pipe, until it ends.
///
/// # Errors
/// When the pipe breaks.
pub(crate) async fn serve_pipe(answers: &Answers, client: Pipe) -> io::Result<()> {
    let (mut sink, mut stream) = client.split();
    while let Some(message) = stream.next().await {
        let Ok(message) = message.and_then(|bytes| Ok(serde_json::from_slice::<Value>(&bytes)?)) else { continue };
        if kind(&message) == Kind::Request {
            for reply in answers.answer(&message).0 {
                sink.send(Bytes::from(reply.to_string())).await?;
            }
        }
    }
    sink.close().await
}

/// Answers clients over HTTP, at any path, until the drain begins.
///
/// # Errors
/// When the listener has no address.
pub(crate) async fn serve_http(answers: Answers, listener: TcpListener, drain: Drain) -> io::Result<()> {
    let guard = Guard::of(listener.local_addr()?);
    let shared = Arc::new((answers, guard));
    serve(listener, Limits::default(), drain, move |request| {
        let shared = shared.clone();
        async move { respond(&shared.0, &shared.1, request).await }
    })
    .await;
    Ok(())
}

async fn respond(answers: &Answers, guard: &Guard, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if guard.check(&parts.uri, &parts.headers).is_err() {
        return empty(StatusCode::FORBIDDEN);
    }
    match parts.method {
        Method::POST => {}
        Method::DELETE if answers.sessions => return empty(StatusCode::OK),
        _ => return empty(StatusCode::METHOD_NOT_ALLOWED),
    }
    let Ok(Some(body)) = read(body, MESSAGE_LIMIT).await else { return empty(StatusCode::PAYLOAD_TOO_LARGE) };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return empty(StatusCode::BAD_REQUEST) };
    if kind(&message) != Kind::Request {
        return empty(StatusCode::ACCEPTED);
    }
    let (replies, status) = answers.answer(&message);
    let (kind, text) = match replies.as_slice() {
        [only] => ("application/json", only.to_string()),
        many => ("text/event-stream", many.iter().map(|m| format!("event: message\ndata: {m}\n\n")).collect()),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if answers.sessions && message["method"] == "initialize" {
        response.headers_mut().insert(&headers::SESSION_ID, HeaderValue::from_static("session-1"));
    }
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
