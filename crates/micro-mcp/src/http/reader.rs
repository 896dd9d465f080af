//! One connection that reads a recorded stream.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::replay::{Next, Recorded};

/// The events of a stream behind a given one, in the form of SSE. The last reader to come gets them;
/// others end. Leaving does not end the call.
pub(super) struct Reader {
    recorded: Arc<Recorded>,
    turn: u64,
    last: u64,
    primed: bool,
    over: bool,
}

impl Reader {
    /// Takes over behind an event.
    pub(super) fn new(recorded: Arc<Recorded>, last: u64) -> Self {
        let (turn, primed) = (recorded.take_over(last), !recorded.primes());
        Self { recorded, turn, last, primed, over: false }
    }
}

impl Stream for Reader {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.over {
            return Poll::Ready(None);
        }
        // Who has an id from the beginning can come back even if not one message arrives.
        if !std::mem::replace(&mut self.primed, true) {
            let retry = self.recorded.retry().as_millis();
            let prime = format!("id: {}\nretry: {retry}\ndata: \n\n", self.recorded.id(self.last));
            return Poll::Ready(Some(prime.into()));
        }
        Poll::Ready(match ready!(self.recorded.poll_after(self.turn, self.last, cx)) {
            Next::Event(number, event) => {
                self.last = number;
                Some(event)
            }
            Next::Close(retry) => {
                self.over = true;
                Some(format!("retry: {}\n\n", retry.as_millis()).into())
            }
            Next::End => {
                self.over = true;
                None
            }
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.recorded.leave(self.turn);
    }
}
