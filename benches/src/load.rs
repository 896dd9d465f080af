//! Requests over kept connections, bounded in count: one after the other, or at a pace.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::message::{self, Shape};

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) connections: usize,
    /// Requests per second of all connections together; without it each follows on the answer before,
    /// so that the latency is that of a machine with nothing to spare.
    pub(crate) pace: Option<u32>,
}

impl Load {
    /// Sends all requests, at least one on each connection; gives every latency. Connections take the shapes in turn.
    pub(crate) async fn run(&self, address: &str, shapes: &[Shape]) -> Result<Vec<Duration>> {
        let each = (self.requests / self.connections).max(1);
        let start = Instant::now();
        let connections = u32::try_from(self.connections)?;
        let tasks = (0..connections).map(|n| {
            let pace = self.pace.map(|pace| {
                let interval = Duration::from_secs(1) * connections / pace;
                Pace { first: start + interval * n / connections, interval }
            });
            let shape = shapes[n as usize % shapes.len()].clone();
            tokio::spawn(connection(address.to_owned(), shape, each, pace))
        });
        let mut latencies = Vec::with_capacity(self.requests);
        for task in futures_util::future::join_all(tasks).await {
            latencies.extend(task??);
        }
        Ok(latencies)
    }
}

/// Opens a legacy session: what every later request must say goes into the shape.
pub(crate) async fn open_session(address: &str, revision: &'static str, shape: &mut Shape) -> Result<()> {
    let mut sender = connect(address).await?;
    let answer = send(&mut sender, address, &Shape::post(&message::initialize(revision))).await?;
    ensure!(answer.status() == 200, "initialize: {}", answer.status());
    let session = answer.headers().get("mcp-session-id").cloned();
    answer.into_body().collect().await?;
    let mut opened = Shape::post(&message::initialized());
    for shape in [shape, &mut opened] {
        shape.headers.insert("mcp-protocol-version", HeaderValue::from_static(revision));
        shape.headers.extend(session.clone().map(|id| (http::HeaderName::from_static("mcp-session-id"), id)));
    }
    let answer = send(&mut sender, address, &opened).await?;
    ensure!(answer.status().is_success(), "initialized: {}", answer.status());
    Ok(())
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
    let mut sender = connect(&address).await?;
    let mut latencies = Vec::with_capacity(requests);
    for i in 0..requests {
        let began = match &pace {
            Some(pace) => pace.turn(i).await?,
            None => Instant::now(),
        };
        let response = send(&mut sender, &address, &shape).await?;
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

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    address: &str,
    shape: &Shape,
) -> Result<Response<hyper::body::Incoming>> {
    let mut request = Request::post(shape.path).header("host", address).body(Full::new(shape.body.clone()))?;
    request.headers_mut().extend(shape.headers.clone());
    sender.ready().await?;
    Ok(sender.send_request(request).await?)
}
