//! A proxy on loopback that notes every HTTP exchange. Events pass as they come.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream, stream::BoxStream};
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_mcp::proto::sse::Decoder;
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, read, serve},
};
use tokio::net::TcpListener;
use url::Url;

use crate::mcp::{
    capture::{Entry, Http, Recorder, Side},
    target::MESSAGE_LIMIT,
};

/// How long the server may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Of one connection and one hop (RFC 9110, section 7.6.1), and what the two sides agree on by themselves. An
/// answer that is compressed could not be noted.
const OF_THE_HOP: [header::HeaderName; 10] = [
    header::CONNECTION,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::ACCEPT_ENCODING,
    header::PROXY_AUTHENTICATE,
];

/// A proxy in front of one server.
pub(crate) struct Proxy {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: Url,
    /// Sent with every request, in place of what the client sends under the same name.
    headers: HeaderMap,
    client: reqwest::Client,
    recorder: Recorder,
    guard: Guard,
    exchanges: AtomicU64,
}

impl Proxy {
    /// Listens. Only for this machine: whoever reaches the proxy has the credentials that it adds.
    ///
    /// # Errors
    /// When the address is taken, or is no loopback address.
    pub(crate) async fn bind(
        address: SocketAddr,
        upstream: Url,
        headers: HeaderMap,
        recorder: Recorder,
    ) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the recorder listens on loopback only"));
        }
        let listener = TcpListener::bind(address).await?;
        let guard = Guard::of(listener.local_addr()?);
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(io::Error::other)?;
        let exchanges = AtomicU64::new(0);
        Ok(Self { listener, shared: Arc::new(Shared { upstream, headers, client, recorder, guard, exchanges }) })
    }

    /// The address for clients: that of the server, on this machine.
    pub(crate) fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}{}", self.listener.local_addr()?, self.shared.upstream.path()))
    }

    /// Serves until the drain begins; then says how much was noted.
    ///
    /// # Errors
    /// When something could not be noted.
    pub(crate) async fn run(self, drain: Drain) -> io::Result<usize> {
        let Self { listener, shared } = self;
        let serving = shared.clone();
        let until = drain.clone();
        serve(listener, Limits::default(), drain, move |request| {
            let (shared, until) = (serving.clone(), until.clone());
            async move { shared.pass(request, until).await }
        })
        .await;
        shared.recorder.finish()
    }
}

impl Shared {
    async fn pass(self: Arc<Self>, request: Request<Incoming>, until: Drain) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Err(refused) = self.guard.check(&parts.uri, &parts.headers) {
            return plain(StatusCode::FORBIDDEN, refused.to_string());
        }
        let exchange = self.exchanges.fetch_add(1, Ordering::Relaxed) + 1;
        let Ok(Some(body)) = read(body, MESSAGE_LIMIT).await else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE, "the recorder does not take so much".to_owned());
        };
        let asked = Http {
            method: Some(parts.method.to_string()),
            path: Some(parts.uri.path().to_owned()),
            headers: self.recorder.headers(&parts.headers),
            ..Http::default()
        };
        self.recorder.note(Entry { http: Some(asked), ..Entry::said(Side::Client, &body) }.of(exchange));

        let mut url = self.upstream.clone();
        url.set_path(parts.uri.path());
        if let Some(query) = parts.uri.query() {
            url.set_query(Some(query));
        }
        let mut headers = parts.headers;
        OF_THE_HOP.iter().for_each(|name| drop(headers.remove(name)));
        headers.extend(self.headers.clone());
        let sent = self.client.request(parts.method, url).headers(headers).body(body).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(error = %error.without_url(), "the server cannot be reached");
                self.recorder.note(Entry { end: true, ..Entry::new(Side::Server) }.of(exchange));
                return plain(StatusCode::BAD_GATEWAY, "the recorder cannot reach the server".to_owned());
            }
        };
        self.answer(answer, exchange, until)
    }

    /// Passes an answer on while it comes, and notes its messages.
    fn answer(self: Arc<Self>, answer: reqwest::Response, exchange: u64, until: Drain) -> Response<Body> {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        OF_THE_HOP.iter().for_each(|name| drop(response.headers_mut().remove(name)));
        let said = Http {
            status: Some(answer.status().as_u16()),
            headers: self.recorder.headers(answer.headers()),
            ..Http::default()
        };
        self.recorder.note(Entry { http: Some(said), ..Entry::new(Side::Server) }.of(exchange));
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let events = kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
        let heard = if events { Heard::Events(Decoder::new(MESSAGE_LIMIT)) } else { Heard::Whole(BytesMut::new()) };
        let tap = Tap { heard, shared: self, exchange, over: false };
        let ended = async move { until.begun().await };
        let chunks = answer.bytes_stream().take_until(Box::pin(ended)).boxed();
        *response.body_mut() = Body::stream(stream::unfold((chunks, tap), next));
        response
    }
}

type Chunks = BoxStream<'static, reqwest::Result<Bytes>>;

async fn next(
    (mut chunks, mut tap): (Chunks, Tap),
) -> Option<(Result<Bytes, micro_runtime::http::BodyError>, (Chunks, Tap))> {
    match chunks.next().await {
        Some(Ok(chunk)) => {
            tap.hear(&chunk);
            Some((Ok(chunk), (chunks, tap)))
        }
        Some(Err(error)) => {
            tap.end(Side::Server);
            Some((Err(error.without_url().into()), (chunks, tap)))
        }
        None => {
            tap.end(Side::Server);
            None
        }
    }
}

/// Hears what passes.
struct Tap {
    heard: Heard,
    shared: Arc<Shared>,
    exchange: u64,
    over: bool,
}

enum Heard {
    Events(Decoder),
    Whole(BytesMut),
}

impl Tap {
    fn hear(&mut self, mut chunk: &[u8]) {
        match &mut self.heard {
            Heard::Whole(whole) if whole.len() + chunk.len() <= MESSAGE_LIMIT => whole.extend_from_slice(chunk),
            Heard::Whole(_) => {}
            Heard::Events(decoder) => {
                // A stream that cannot be read any more still passes.
                while let Ok(Some(event)) = decoder.decode(&mut chunk) {
                    if !event.data.is_empty() {
                        self.shared.recorder.note(Entry::said(Side::Server, &event.data).of(self.exchange));
                    }
                }
            }
        }
    }

    fn end(&mut self, by: Side) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let mut entry = Entry::new(by);
        if let Heard::Whole(whole) = &self.heard {
            entry = Entry { from: by, ..Entry::said(Side::Server, whole) };
        }
        entry.end = true;
        self.shared.recorder.note(entry.of(self.exchange));
    }
}

/// A client that goes away before the end says so by it.
impl Drop for Tap {
    fn drop(&mut self) {
        self.end(Side::Client);
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
