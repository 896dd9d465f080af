//! A server to try, and a client that shows every byte.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use http::{HeaderValue, header};
use micro_mcp::{
    CallContext, CallError, Change, Cx, Failure, Handler, Json, NoArgs, Notifier, Peer, Principal, Refusal, Request,
    Server, ServerInfo,
    http::{Config, StreamableHttp},
    proto::{CreateMessage, LogLevel, RpcError},
};
use micro_runtime::{
    Drain,
    http::{Guard, Limits, serve},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

#[derive(Deserialize, Serialize, JsonSchema)]
pub(crate) struct Add {
    a: i64,
    b: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Region {
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Who {
    name: String,
    #[serde(default = "nowhere")]
    town: String,
}

fn panics() -> String {
    panic!("a tool panics")
}

fn nowhere() -> String {
    "Nowhere".into()
}

#[derive(Deserialize, JsonSchema)]
struct AnyValue {
    #[serde(default)]
    _value: Value,
}

/// What a waiting tool tells of itself.
pub(crate) struct Waiting {
    /// One permit for each call that has begun.
    pub(crate) begun: Semaphore,
    /// A permit lets one call finish.
    pub(crate) go: Semaphore,
    /// One permit for each call that finished.
    pub(crate) finished: Semaphore,
    /// One permit for each call that was dropped before.
    pub(crate) dropped: Semaphore,
    running: AtomicUsize,
}

impl Waiting {
    pub(crate) async fn wait(self: &Arc<Self>) {
        self.running.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(self.clone());
        self.begun.add_permits(1);
        self.go.acquire().await.expect("never closed").forget();
        std::mem::forget(alive);
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.finished.add_permits(1);
    }
}

struct Alive(Arc<Waiting>);

impl Drop for Alive {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) > 0 {
            self.0.dropped.add_permits(1);
        }
    }
}

pub(crate) async fn taken(permits: &Semaphore) {
    let permit = tokio::time::timeout(Duration::from_secs(10), permits.acquire()).await;
    permit.expect("it happens in time").expect("never closed").forget();
}

pub(crate) fn waiting() -> Arc<Waiting> {
    Arc::new(Waiting {
        begun: Semaphore::new(0),
        go: Semaphore::new(0),
        finished: Semaphore::new(0),
        dropped: Semaphore::new(0),
        running: AtomicUsize::new(0),
    })
}

/// A small calculator with tools that wait, talk, panic, ask and leave things behind, and one with a mirrored argument.
pub(crate) fn server(waiting: &Arc<Waiting>) -> Server {
    let (waiting, away, behind) = (waiting.clone(), waiting.clone(), waiting.clone());
    Server::builder("calculator", "1.0")
        .page_size(2)
        .logging()
        .tool("add")
        .description("Add two numbers.")
        .handler(|add: Add| async move { Json(serde_json::json!({ "sum": add.a + add.b })) })
        .tool("wait")
        .handler(move |_: NoArgs| {
            let waiting = waiting.clone();
            async move {
                waiting.wait().await;
                "waited"
            }
        })
        .tool("come_back")
        .handler(move |cx: CallContext, _: NoArgs| {
            let waiting = away.clone();
            async move {
                cx.close_stream(Duration::from_millis(20)).await;
                waiting.wait().await;
                "back again"
            }
        })
        .tool("talk")
        .handler(|cx: CallContext, _: NoArgs| async move {
            for step in 0..200 {
                cx.progress(f64::from(step), None, None).await;
            }
            "talked"
        })
        .tool("log")
        .handler(|cx: CallContext, _: NoArgs| async move {
            for level in [LogLevel::Debug, LogLevel::Info, LogLevel::Error] {
                cx.log(level, None, &"a line").await;
            }
            "logged"
        })
        .tool("region")
        .handler(|args: Region| async move { args.region })
        .tool("greet")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let who = cx.elicit::<Who>("Who are you?").await?;
            Ok::<_, CallError>(format!("{} of {}", who.name, who.town))
        })
        .tool("ask")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let said = cx.sample(CreateMessage::ask("Well?", 10)).await?.to_text();
            Ok::<_, CallError>(format!("{said} in {} roots", cx.roots().await?.len()))
        })
        .tool("echo")
        .handler(|text: Text| async move { Json(serde_json::json!({ "text": text.text })) })
        .tool("anything")
        .handler(|_: AnyValue| async { "taken" })
        .tool("panic")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.progress(1.0, None, None).await;
            panics()
        })
        .tool("leave_behind")
        .handler(move |cx: CallContext, _: NoArgs| {
            let waiting = behind.clone();
            tokio::spawn(async move {
                for step in 0..200 {
                    cx.progress(f64::from(step), None, None).await;
                }
                waiting.finished.add_permits(1);
            });
            async { "left" }
        })
        .build()
        .expect("the fixture is in order")
}

/// Lets `Authorization: Bearer NAME` in as NAME, `Bearer bad` not at all, others as nobody.
pub(crate) struct Guarded(pub(crate) Server);

impl Handler for Guarded {
    fn info(&self) -> Arc<ServerInfo> {
        self.0.info()
    }

    fn authenticate(&self, peer: &Peer<'_>, _: &Request<'_>) -> Result<Principal, Refusal> {
        let value = peer.headers.and_then(|headers| headers.get(header::AUTHORIZATION));
        match value.and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer ")) {
            Some("bad") => Err(Refusal::unauthorized(
                HeaderValue::from_static("Bearer realm=\"test\""),
                RpcError::invalid_request("the token is not valid"),
            )),
            Some(name) => Ok(Principal::named(name)),
            None => Ok(Principal::anonymous()),
        }
    }

    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        self.0.handle(cx, request)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.0.changes()
    }

    fn tasks(&self, principal: &Principal, ids: Vec<String>) -> (Vec<String>, BoxStream<'static, Bytes>) {
        self.0.tasks(principal, ids)
    }
}

/// A running endpoint.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) notifier: Notifier,
    pub(crate) drain: Drain,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(configure: impl FnOnce(Config) -> Config) -> Self {
        let waiting = waiting();
        Self::serving(server(&waiting), waiting, configure).await
    }

    /// Serves another server than the calculator.
    pub(crate) async fn of(server: Server) -> Self {
        Self::serving(server, waiting(), |config| config).await
    }

    pub(crate) async fn serving(
        server: Server,
        waiting: Arc<Waiting>,
        configure: impl FnOnce(Config) -> Config,
    ) -> Self {
        let notifier = server.notifier();
        Self::answering(Arc::new(Guarded(server)), notifier, waiting, configure).await
    }

    /// Serves any handler.
    pub(crate) async fn answering(
        handler: Arc<dyn Handler>,
        notifier: Notifier,
        waiting: Arc<Waiting>,
        configure: impl FnOnce(Config) -> Config,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Drain::new();
        let config = Config { guard: Guard::of(address), drain: drain.clone(), ..Config::default() };
        let endpoint = StreamableHttp::new(handler, configure(config));
        tokio::spawn(serve(listener, Limits::default(), drain.clone(), move |request| {
            let endpoint = endpoint.clone();
            async move { endpoint.handle(request).await }
        }));
        Self { address, waiting, notifier, drain }
    }

    /// Sends a request; the answer is read as far as it is asked for.
    pub(crate) async fn send(&self, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut head = format!("{method} /mcp HTTP/1.1\r\n");
        let defaults = [
            ("Host", "localhost"),
            ("Connection", "close"),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
        ];
        let given = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        for (name, value) in defaults.iter().filter(|(name, _)| !given(name)).chain(headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !given("Content-Length") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await; // a server may answer before it has read everything
        Answer { stream, seen: Vec::new() }
    }

    /// A legacy message without a session.
    pub(crate) async fn post(&self, body: &str) -> Whole {
        self.send("POST", &[], body.as_bytes()).await.whole().await
    }

    /// A modern request, with every header it needs.
    pub(crate) async fn modern(&self, id: &str, method: &str, params: &str) -> Answer {
        let body = modern_body(id, method, params);
        let headers = modern_headers(&body);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.send("POST", &headers, body.as_bytes()).await
    }

    /// Opens a legacy session and gives its id.
    pub(crate) async fn initialize(&self, revision: &str, headers: &[(&str, &str)]) -> String {
        self.initialize_able(revision, "{}", headers).await
    }

    /// The same for a client with these capabilities.
    pub(crate) async fn initialize_able(&self, revision: &str, able: &str, headers: &[(&str, &str)]) -> String {
        let body = initialize_body(revision, able);
        let answer = self.send("POST", headers, body.as_bytes()).await.whole().await;
        assert_eq!(answer.json()["result"]["protocolVersion"], revision);
        answer.header("mcp-session-id").expect("a session id").to_owned()
    }
}

pub(crate) fn initialize_body(revision: &str, able: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{able},"clientInfo":{{"name":"t","version":"1"}}}}}}"#
    )
}

/// A modern message of a client with these capabilities; `params` are members without braces.
pub(crate) fn modern_body_able(id: &str, method: &str, params: &str, able: &str) -> String {
    let meta = format!(
        r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{able}}}"#
    );
    let comma = if params.is_empty() { "" } else { "," };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}{comma}{meta}}}}}"#)
}

/// A modern message; `params` are members without braces.
pub(crate) fn modern_body(id: &str, method: &str, params: &str) -> String {
    let comma = if params.is_empty() || params.contains("\"_meta\"") { "" } else { "," };
    let meta = if params.contains("\"_meta\"") {
        ""
    } else {
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"progressToken":"p1"}"#
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}{comma}{meta}}}}}"#)
}

/// The headers that mirror it.
pub(crate) fn modern_headers(body: &str) -> Vec<(&'static str, String)> {
    let message: Value = serde_json::from_str(body).unwrap();
    let mut headers = vec![
        ("MCP-Protocol-Version", "2026-07-28".to_owned()),
        ("Mcp-Method", message["method"].as_str().unwrap().to_owned()),
    ];
    let uri = message["params"]["uri"].as_str().filter(|_| message["method"] == "resources/read");
    if let Some(name) = message["params"]["name"].as_str().or(uri) {
        headers.push(("Mcp-Name", name.to_owned()));
    }
    headers
}

/// An answer on its way.
pub(crate) struct Answer {
    stream: TcpStream,
    seen: Vec<u8>,
}

/// An answer that ended.
pub(crate) struct Whole {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Reads on until this text has come.
    pub(crate) async fn until(&mut self, text: &str) {
        let read = async {
            while !String::from_utf8_lossy(&self.seen).contains(text) {
                let read = self.stream.read_buf(&mut self.seen).await.unwrap();
                assert!(read > 0, "ended without {text}: {}", String::from_utf8_lossy(&self.seen));
            }
        };
        tokio::time::timeout(Duration::from_secs(10), read).await.unwrap_or_else(|_| panic!("{text} never came"));
    }

    /// Everything that has come so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads to the end. Chunked bodies are put together.
    pub(crate) async fn whole(mut self) -> Whole {
        let read = self.stream.read_to_end(&mut self.seen);
        let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("the answer ends");
        let text = self.text();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            dechunk(body)
        } else {
            body.to_owned()
        };
        Whole { status, head: head.to_owned(), body }
    }
}

impl Whole {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.head, self.body))
    }

    /// Status and JSON-RPC error code.
    pub(crate) fn error(&self) -> (u16, i64) {
        (self.status, self.json()["error"]["code"].as_i64().unwrap_or_default())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The messages of an event stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty());
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

fn dechunk(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    out
}
