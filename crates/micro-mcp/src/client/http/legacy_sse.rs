//! HTTP+SSE, as before 2025-03-26: one stream for what comes, one address for what goes.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{sink, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::time::timeout;
use url::Url;

use super::{Endpoint, Media, body::EventBody, media_type};
use crate::{client::Error, transport::Pipe};

/// Opens the stream and waits, no longer than `patience`, for the address that messages are posted to.
///
/// # Errors
/// When there is no such stream, or it names an address at another origin.
pub(crate) async fn connect(endpoint: &Endpoint, patience: Duration) -> Result<Pipe, Error> {
    timeout(patience, open(endpoint)).await.unwrap_or(Err(Error::Timeout))
}

async fn open(endpoint: &Endpoint) -> Result<Pipe, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    let response = endpoint.send(Method::GET, &headers, Bytes::new()).await?;
    if response.status() != StatusCode::OK || !matches!(media_type(&response), Media::Events) {
        return Err(Error::Status(response.status()));
    }
    let mut events = EventBody::new(response, endpoint.limit);
    let address = loop {
        match events.next().await {
            Ok(Some(event)) if event.kind == "endpoint" => break event.data,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(Error::Disconnected),
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
    Ok(Pipe::new(sink, messages(events)))
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

/// The messages among the events; after an error nothing follows.
fn messages(events: EventBody) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(Some(events), |events| async move {
        let mut events = events?;
        loop {
            match events.next().await {
                Ok(Some(event)) if matches!(event.kind.as_str(), "" | "message") => {
                    return Some((Ok(event.data.into()), Some(events)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some((Err(io::Error::other(error)), None)),
            }
        }
    })
}
