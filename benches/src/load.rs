//! Requests over kept connections, bounded in count: one after the other, or at a pace.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::servers::TOKEN;

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) connections: usize,
    /// Requests per second of all connections together; without it each follows on the answer before,
    /// so that the latency is that of a machine with nothing to spare.
    pub(crate) pace: Option<u32>,
}

/// What: always the same bytes.
#[derive(Clone)]
pub(crate) struct Shape {
    path: &'static str,
    headers: HeaderMap,
    body: Bytes,
    /// The answer must hold this.
    expect: &'static [u8],
}

impl Shape {
    /// A modern call whose argument has this many bytes.
    pub(crate) fn call(tool: &str, size: usize) -> Self {
        Self::mcp(
            "tools/call",
            Some(tool),
            json!({"name": tool, "arguments": {"text": "x".repeat(size)}}),
            br#""text":"xxx"#,
        )
    }

    /// The gateway's tool that answers with this many bytes.
    pub(crate) fn tool(size: usize) -> Self {
        let mut shape = Self::mcp(
            "tools/call",
            Some("bench_Bytes"),
            json!({"name": "bench_Bytes", "arguments": arguments(size)}),
            b"structuredContent",
        );
        shape.headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("ASCII"));
        shape
    }

    /// The same for the bare proxy: the arguments go through as they are.
    pub(crate) fn proxied(size: usize) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("micro-endpoint", HeaderValue::from_static("Bench.Bytes"));
        Self { path: "/", headers, body: arguments(size).to_string().into(), expect: br#""people":["# }
    }

    /// The first page.
    pub(crate) fn list() -> Self {
        Self::mcp("tools/list", None, json!({}), br#""tools":["#)
    }

    fn mcp(method: &'static str, name: Option<&str>, mut params: serde_json::Value, expect: &'static [u8]) -> Self {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        });
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("accept", HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert("mcp-protocol-version", HeaderValue::from_static("2026-07-28"));
        headers.insert("mcp-method", HeaderValue::from_static(method));
        if let Some(name) = name {
            headers.insert("mcp-name", HeaderValue::from_str(name).expect("ASCII"));
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string().into();
        Self { path: "/mcp", headers, body, expect }
    }
}

fn arguments(size: usize) -> serde_json::Value {
    json!({"size": size, "label": "a label of ordinary length", "tags": ["one", "two", "three"]})
}

impl Load {
    /// Sends all requests; gives every latency.
    pub(crate) async fn run(&self, address: &str, shape: &Shape) -> Result<Vec<Duration>> {
        let each = self.requests / self.connections;
        let start = Instant::now();
        let connections = u32::try_from(self.connections)?;
        let tasks = (0..connections).map(|n| {
            let pace = self.pace.map(|pace| {
                let interval = Duration::from_secs(1) * connections / pace;
                Pace { first: start + interval * n / connections, interval }
            });
            tokio::spawn(connection(address.to_owned(), shape.clone(), each, pace))
        });
        let mut latencies = Vec::with_capacity(self.requests);
        for task in futures_util::future::join_all(tasks).await {
            latencies.extend(task??);
        }
        Ok(latencies)
    }
}

/// When one connection sends.
struct Pace {
    first: Instant,
    interval: Duration,
}

impl Pace {
    /// Waits for request number `n`; the moment its latency counts from. A request that had to wait for
    /// the answer before it has waited since it was due.
    async fn turn(&self, n: usize) -> Result<Instant> {
        let due = self.first + self.interval * u32::try_from(n)?;
        if Instant::now() >= due {
            return Ok(due);
        }
        tokio::time::sleep_until(due.into()).await;
        Ok(Instant::now()) // timers wake up to a millisecond late, which is not the server's doing
    }
}

async fn connection(address: String, shape: Shape, requests: usize, pace: Option<Pace>) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut latencies = Vec::with_capacity(requests);
    for i in 0..requests {
        let mut request = Request::post(shape.path).header("host", &address).body(Full::new(shape.body.clone()))?;
        request.headers_mut().extend(shape.headers.clone());
        let began = match &pace {
            Some(pace) => pace.turn(i).await?,
            None => Instant::now(),
        };
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        latencies.push(began.elapsed());
        if i == 0 {
            let found = body.windows(shape.expect.len()).any(|w| w == shape.expect);
            ensure!(status == 200 && found, "{status}: {}", String::from_utf8_lossy(&body[..body.len().min(500)]));
        }
        ensure!(status == 200, "{status}");
    }
    Ok(latencies)
}
