//! HTTP+SSE, as before 2025-03-26: one stream for what comes, one address for what goes.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, sink, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use micro_mcp_proto::sse::{Decoder, Event};
use url::Url;

use super::{Endpoint, Media, media_type};
use crate::{
    client::Error,
    transport::{Pipe, too_long},
};

/// Opens the stream and waits for the address that messages are posted to.
///
/// # Errors
/// When there is no such stream, or it names an address at another origin.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Pipe, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    let response = endpoint.send(Method::GET, &headers, Bytes::new()).await?;
    if response.status() != StatusCode::OK || !matches!(media_type(&response), Media::Events) {
        return Err(Error::Status(response.status()));
    }
    let mut events = Events {
        body: response.bytes_stream().boxed(),
        chunk: Bytes::new(),
        decoder: Decoder::new(endpoint.limit),
        limit: endpoint.limit,
    };
    let address = loop {
        match events.next().await {
            Some(Ok(event)) if event.kind == "endpoint" => break event.data,
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Error::Disconnected),
        }
    };
    let url = std::str::from_utf8(&address).ok().and_then(|address| endpoint.url.join(address.trim()).ok());
    // Anywhere else is somebody else, who would be sent our credentials.
    let url = url.filter(|url: &Url| url.origin() == endpoint.url.origin());
    let url = url.ok_or_else(|| Error::protocol("messages are to be posted to another origin"))?;
    let posts = Arc::new(Endpoint { url, ..endpoint.clone() });
    let sink = sink::unfold(posts, |posts, message| async move {
        post(&posts, message).await?;
        Ok(posts)
    });
    Ok(Pipe::new(sink, events.messages()))
}

async fn post(posts: &Endpoint, message: Bytes) -> io::Result<()> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let response = posts.send(Method::POST, &headers, message).await.map_err(io::Error::other)?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(io::Error::other(format!("HTTP {status}"))),
    }
}

struct Events {
    body: stream::BoxStream<'static, reqwest::Result<Bytes>>,
    chunk: Bytes,
    decoder: Decoder,
    limit: usize,
}

impl Events {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        loop {
            let mut bytes: &[u8] = &self.chunk;
            let Ok(event) = self.decoder.decode(&mut bytes) else {
                // What follows cannot be told from what was too long.
                return Some(Err(io::Error::other(too_long(self.limit))));
            };
            self.chunk = self.chunk.slice_ref(bytes);
            if let Some(event) = event {
                return Some(Ok(event));
            }
            match self.body.next().await? {
                Ok(chunk) => self.chunk = chunk,
                Err(error) => return Some(Err(io::Error::other(error.without_url()))),
            }
        }
    }

    fn messages(self) -> impl futures_core::Stream<Item = io::Result<Bytes>> + Send + 'static {
        let events = stream::unfold(self, |mut events| async move { Some((events.next().await?, events)) });
        events.filter_map(async |event| match event {
            Ok(event) if matches!(event.kind.as_str(), "" | "message") => Some(Ok(event.data.into())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }
}
