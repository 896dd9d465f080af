//! HTTP requests, each with a task of its own that tells what comes back.

use std::{collections::HashMap, error::Error as _, io, time::Duration};

use bytes::BytesMut;
use futures_util::StreamExt;
use http::{HeaderMap, header};
use micro_mcp::proto::sse::Decoder;
use tokio::sync::mpsc::Sender;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::{Event, Heard, Sent};
use crate::mcp::target::MESSAGE_LIMIT;

/// How long the server may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The requests to one endpoint.
pub(super) struct Requests {
    url: Url,
    /// The target's own.
    headers: HeaderMap,
    client: reqwest::Client,
    tell: Sender<Heard>,
    open: HashMap<u64, AbortOnDropHandle<()>>,
    last: u64,
}

impl Requests {
    pub(super) fn new(url: Url, headers: HeaderMap, tell: Sender<Heard>) -> io::Result<Self> {
        // What a server answers is wanted, not what is behind it.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { url, headers, client, tell, open: HashMap::new(), last: 0 })
    }

    pub(super) fn send(&mut self, sent: Sent) -> u64 {
        self.last += 1;
        let exchange = self.last;
        let mut url = self.url.clone();
        if let Some(path) = &sent.path {
            url.set_path(path);
        }
        let mut headers = if sent.credentials { self.headers.clone() } else { HeaderMap::new() };
        headers.extend(sent.headers);
        let request = self.client.request(sent.method, url).headers(headers).body(sent.body);
        let tell = self.tell.clone();
        self.open.retain(|_, task| !task.is_finished());
        let task = tokio::spawn(async move {
            let end = match course(request, exchange, &tell).await {
                Ok(()) => Event::End,
                Err(error) => Event::Broken(innermost(&error.without_url())),
            };
            let _ = tell.send(Heard { exchange, event: end }).await;
        });
        self.open.insert(exchange, AbortOnDropHandle::new(task));
        exchange
    }

    pub(super) fn cut(&mut self, exchange: u64) {
        self.open.remove(&exchange);
    }
}

/// Tells everything that comes back.
async fn course(request: reqwest::RequestBuilder, exchange: u64, tell: &Sender<Heard>) -> reqwest::Result<()> {
    let tell = async |event| tell.send(Heard { exchange, event }).await.is_ok();
    let response = request.send().await?;
    let headers = response.headers().clone();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let events = kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
    if !tell(Event::Head { status: response.status(), headers: headers.clone() }).await {
        return Ok(());
    }
    let mut body = response.bytes_stream();
    if !events {
        let mut whole = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk?;
            if whole.len() + chunk.len() > MESSAGE_LIMIT {
                tell(Event::Text(format!("an answer over {MESSAGE_LIMIT} bytes"))).await;
                return Ok(());
            }
            whole.extend_from_slice(&chunk);
        }
        if let Some(event) = Event::said(&whole) {
            tell(event).await;
        }
        return Ok(());
    }
    let mut decoder = Decoder::new(MESSAGE_LIMIT);
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let mut rest: &[u8] = &chunk;
        loop {
            match decoder.decode(&mut rest) {
                Ok(Some(event)) => {
                    if let Some(event) = Event::said(&event.data)
                        && !tell(event).await
                    {
                        return Ok(());
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tell(Event::Text(format!("an event over {} bytes", error.limit))).await;
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// What is at the bottom of an error: the rest only says that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = error.to_string();
        cause = error.source();
    }
    words
}
