//! Streamable HTTP, seen from the client (`basic/transports/streamable-http`, 2025-03-26 to 2026-07-28).

mod body;
mod credentials;
mod events;
pub(crate) mod legacy_sse;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use micro_mcp_proto::{Era, Message, Revision, RpcError, headers, method, parse};
use parking_lot::Mutex;
use reqwest::{Response, redirect};
use serde_json::value::RawValue;
use url::Url;

pub use self::credentials::{AuthError, Bearer, Credentials, Refused, Retry};
use self::events::Events;
use super::{
    Error,
    cache::Who,
    exchange::{Exchange, Messages, Outgoing},
};

/// How often better credentials are asked for one request.
const MAX_CHALLENGES: u32 = 3;
/// Of an answer that is no success, this much is read, in bytes.
const ERROR_LIMIT: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// How to reach an endpoint. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) client: reqwest::Client,
    pub(crate) credentials: Option<Arc<dyn Credentials>>,
    /// Sent with every request.
    pub(crate) headers: HeaderMap,
    /// Largest message, in bytes.
    pub(crate) limit: usize,
}

/// One client's exchange with an endpoint: the endpoint and perhaps a session.
pub(crate) struct Http(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    /// `Mcp-Session-Id`, once a legacy server gave one.
    session: Mutex<Option<HeaderValue>>,
}

impl Endpoint {
    /// A pool of connections. Redirects are followed within the origin only: elsewhere is somebody else.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn pool() -> Result<reqwest::Client, Error> {
        let same_origin = redirect::Policy::custom(|attempt| {
            let from = attempt.previous().last().map(Url::origin);
            if attempt.previous().len() <= MAX_REDIRECTS && from == Some(attempt.url().origin()) {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        Ok(reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(same_origin).build()?)
    }

    /// Whose answers a request would get now: tells credentials apart, in this process alone.
    pub(crate) async fn who(&self) -> Result<Who, Error> {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let Some(credentials) = &self.credentials else { return Ok(Who::default()) };
        let mut headers = HeaderMap::new();
        credentials.authorize(&mut headers, &self.url, &Method::POST).await?;
        Ok(headers.get(header::AUTHORIZATION).map_or(Who::default(), |value| Who(SEED.hash_one(value.as_bytes()))))
    }

    /// Sends one HTTP request, with credentials, and again with better ones when they are asked for.
    pub(crate) async fn send(&self, method: Method, headers: &HeaderMap, body: Bytes) -> Result<Response, Error> {
        for attempt in 0.. {
            let mut all = self.headers.clone();
            all.extend(headers.clone());
            if let Some(credentials) = &self.credentials {
                credentials.authorize(&mut all, &self.url, &method).await?;
            }
            let request = self.client.request(method.clone(), self.url.clone()).headers(all.clone());
            let response = request.body(body.clone()).send().await?;
            let Some(credentials) = &self.credentials else { return Ok(response) };
            if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                credentials.answered(&self.url, response.headers());
                return Ok(response);
            }
            let (status, headers) = (response.status(), response.headers());
            let refused = Refused { url: &self.url, sent: &all, attempt, status, headers };
            let retry = credentials.challenged(refused).await?;
            if retry == Retry::No || attempt == MAX_CHALLENGES {
                return Ok(response);
            }
        }
        unreachable!("the last attempt returns")
    }
}

impl Http {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self(Arc::new(Shared { endpoint, session: Mutex::default() }))
    }
}

impl Exchange for Http {
    fn request(&self, request: Outgoing) -> Messages {
        let shared = self.0.clone();
        stream::once(async move { shared.post(request).await }).try_flatten().boxed()
    }

    fn send(&self, message: Outgoing) -> BoxFuture<'static, Result<(), Error>> {
        let shared = self.0.clone();
        Box::pin(async move {
            let modern = message.revision.is_some_and(|revision| revision.era() == Era::Modern);
            if modern && message.method == method::CANCELLED {
                return Ok(());
            }
            let response = shared.send(Method::POST, shared.headers(&message), message.body).await?;
            match response.status() {
                status if status.is_success() => Ok(()),
                status => Err(Error::Status(status)),
            }
        })
    }

    fn listen(&self, revision: Revision) -> BoxFuture<'static, Messages> {
        match revision.era() {
            Era::Modern => Box::pin(std::future::ready(stream::empty().boxed())),
            Era::Legacy => Box::pin(Events::listen(self.0.clone(), revision)),
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.0.session.lock().is_some() {
                // A server need not let its sessions be ended (405); what else is wrong is of no use any more.
                let _ = self.0.send(Method::DELETE, HeaderMap::new(), Bytes::new()).await;
            }
        })
    }

    fn is_http(&self) -> bool {
        true
    }
}

impl Shared {
    async fn post(self: Arc<Self>, request: Outgoing) -> Result<Messages, Error> {
        let response = self.send(Method::POST, self.headers(&request), request.body.clone()).await?;
        if request.method == "initialize"
            && let Some(id) = response.headers().get(&headers::SESSION_ID)
        {
            *self.session.lock() = Some(id.clone());
        }
        let status = response.status();
        match media_type(&response) {
            Media::Events if status.is_success() => {
                let resumable = request.revision.is_none_or(|revision| revision.era() == Era::Legacy);
                Ok(Events::answer(self, response, request.revision, resumable).messages())
            }
            Media::Json if status.is_success() => {
                let body = read(response, self.endpoint.limit).await?;
                Ok(stream::iter(split(body)?.into_iter().map(Ok)).boxed())
            }
            _ if status.is_success() => Err(Error::protocol("the answer is neither JSON nor events")),
            // Whatever it says it is: servers answer errors with all kinds of bodies.
            _ => {
                let after = retry_after(&response);
                let body = read(response, ERROR_LIMIT).await.ok();
                match (is_busy(status), body.filter(|body| is_error(body))) {
                    (true, body) => Err(Error::Busy { status, after, error: body.as_deref().and_then(rpc_error) }),
                    (false, Some(body)) => Ok(stream::iter([Ok(body)]).boxed()),
                    (false, None) => Err(Error::Status(status)),
                }
            }
        }
    }

    /// Sends with the session, if there is one, and notices when the server does not know it any more.
    async fn send(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
        let session = self.session.lock().clone();
        let in_session = session.is_some();
        if let Some(id) = session {
            headers.insert(&headers::SESSION_ID, id);
        }
        let response = self.endpoint.send(method, &headers, body).await?;
        match response.status() {
            StatusCode::NOT_FOUND if in_session => Err(Error::SessionLost),
            _ => Ok(response),
        }
    }

    fn headers(&self, message: &Outgoing) -> HeaderMap {
        let mut out = version(message.revision);
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        out.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if message.revision.is_some_and(|revision| revision.era() == Era::Modern) {
            if let Ok(method) = HeaderValue::from_str(&message.method) {
                out.insert(&headers::METHOD, method);
            }
            if let Some(name) = &message.name {
                let value = HeaderValue::from_str(&headers::encode(name)).expect("what is encoded is readable ASCII");
                out.insert(&headers::NAME, value);
            }
            out.extend(message.params.iter().cloned());
        }
        out
    }
}

/// `MCP-Protocol-Version`, where the revision has it.
fn version(revision: Option<Revision>) -> HeaderMap {
    let mut out = HeaderMap::new();
    if let Some(revision) = revision.filter(|revision| *revision >= Revision::V2025_06_18) {
        out.insert(&headers::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
    }
    out
}

enum Media {
    Json,
    Events,
    Other,
}

fn media_type(response: &Response) -> Media {
    let value = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match value.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "application/json" => Media::Json,
        "text/event-stream" => Media::Events,
        _ => Media::Other,
    }
}

async fn read(response: Response, limit: usize) -> Result<Bytes, Error> {
    let mut body = response.bytes_stream();
    let mut out = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if out.len() + chunk.len() > limit {
            return Err(Error::protocol(format!("an answer is longer than {limit} bytes")));
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out.freeze())
}

/// Servers of 2025-03-26 may answer with an array of messages.
fn split(body: Bytes) -> Result<Vec<Bytes>, Error> {
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Ok(vec![body]);
    }
    let messages: Vec<&RawValue> = serde_json::from_slice(&body)?;
    Ok(messages.into_iter().map(|message| body.slice_ref(message.get().as_bytes())).collect())
}

/// Whether a status speaks of the moment, and not of the request.
fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// `Retry-After` in seconds; dates are left alone.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

fn rpc_error(body: &[u8]) -> Option<RpcError> {
    match parse(body) {
        Ok(Message::Response { outcome: Err(error), .. }) => serde_json::from_str(error.get()).ok(),
        _ => None,
    }
}

fn is_error(body: &[u8]) -> bool {
    matches!(parse(body), Ok(Message::Response { outcome: Err(_), .. }))
}
