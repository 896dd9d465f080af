//! Messages as server-sent events.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, Response, header};
use micro_runtime::http::{Body, BodyError};
use tokio::time::{Instant, Sleep, sleep};

use crate::running::Messages;

/// A stream of events, with a comment whenever nothing was sent for a while.
pub(super) struct Sse {
    first: Option<Vec<u8>>,
    rest: Messages,
    keep_alive: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Sse {
    /// These messages, after a first one that is there already.
    pub(super) fn new(first: Option<Vec<u8>>, rest: Messages, keep_alive: Duration) -> Self {
        Self { first, rest, keep_alive: Some((keep_alive, Box::pin(sleep(keep_alive)))) }
    }

    /// This message or none, and the end.
    pub(super) fn only(message: Option<Vec<u8>>) -> Self {
        Self { first: message, rest: Messages::End, keep_alive: None }
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

impl Stream for Sse {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_next(cx),
        };
        let Some((every, sleep)) = &mut self.keep_alive else {
            return message.map(|message| message.map(|m| Ok(event(&m))));
        };
        match message {
            Poll::Ready(message) => {
                sleep.as_mut().reset(Instant::now() + *every);
                Poll::Ready(message.map(|message| Ok(event(&message))))
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
fn event(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 24);
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
        assert_eq!(event(b"{\r\n \"a\": 1\n}"), "event: message\ndata: {   \"a\": 1 }\n\n");
    }
}
