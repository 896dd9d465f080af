//! Messages as server-sent events.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use http::{HeaderValue, Response, header};
use micro_runtime::http::{Body, BodyError};
use tokio::time::{Instant, Sleep, sleep};

/// A stream of events, with a comment whenever nothing was sent for a while.
pub(super) struct Sse<S> {
    first: Option<Bytes>,
    rest: S,
    keep_alive: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl<S: Stream<Item = Bytes> + Send + Unpin + 'static> Sse<S> {
    /// These events, after a first one that is there already.
    pub(super) fn new(first: Option<Bytes>, rest: S, keep_alive: Duration) -> Self {
        Self { first, rest, keep_alive: Some((keep_alive, Box::pin(sleep(keep_alive)))) }
    }

    pub(super) fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::stream(self));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
        // Proxies that buffer would hold back what is sent to be seen at once.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}

/// This event or none, and the end.
pub(super) fn only(event: Option<Bytes>) -> Response<Body> {
    Sse { first: event, rest: stream::empty(), keep_alive: None }.response()
}

impl<S: Stream<Item = Bytes> + Unpin> Stream for Sse<S> {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_next(cx),
        };
        let Some((every, sleep)) = &mut self.keep_alive else {
            return event.map(|event| event.map(Ok));
        };
        match event {
            Poll::Ready(event) => {
                sleep.as_mut().reset(Instant::now() + *every);
                Poll::Ready(event.map(Ok))
            }
            Poll::Pending => {
                ready!(sleep.as_mut().poll(cx));
                sleep.as_mut().reset(Instant::now() + *every);
                // Registers the new deadline; it cannot be there yet.
                let _ = sleep.as_mut().poll(cx);
                Poll::Ready(Some(Ok(Bytes::from_static(b":\r\n\r\n"))))
            }
        }
    }
}

/// One event. Line breaks in JSON are blanks between values, and would end the `data` field.
pub(super) fn event(id: Option<&str>, message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 64);
    if let Some(id) = id {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"event: message\ndata: ");
    out.extend(message.iter().map(|&b| if matches!(b, b'\n' | b'\r') { b' ' } else { b }));
    out.extend_from_slice(b"\n\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_json_stays_one_event() {
        assert_eq!(event(Some("x.1"), b"{}"), "id: x.1\nevent: message\ndata: {}\n\n");
        assert_eq!(event(None, b"{\r\n \"a\": 1\n}"), "event: message\ndata: {   \"a\": 1 }\n\n");
    }
}
