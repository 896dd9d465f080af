//! A request on its way: its future, and the notifications it sends meanwhile.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::{Stream, stream::BoxStream};
use futures_util::StreamExt;

use crate::{
    engine::Reply,
    outlet::{Outlet, Said},
};

/// Runs one exchange where it is polled, without a task of its own.
///
/// As a stream it gives the notifications and, last, the reply. Dropping it cancels the request,
/// unless the request outlives its client (legacy sessions: a disconnect is no cancellation), in which
/// case a task takes it to its end.
pub(crate) struct Running {
    exchange: Option<Pin<Box<dyn Future<Output = Reply> + Send>>>,
    /// Kept back until what was said before it has been sent.
    reply: Option<Reply>,
    outlet: Arc<Outlet>,
}

/// What comes out of a request.
pub(crate) enum Output {
    /// Something on the way.
    Said(Said),
    /// The end.
    Reply(Reply),
}

impl Running {
    pub(crate) fn new(outlet: Arc<Outlet>, exchange: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self { exchange: Some(Box::pin(exchange)), reply: None, outlet }
    }
}

impl Stream for Running {
    type Item = Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Output>> {
        let this = &mut *self;
        if let Some(exchange) = &mut this.exchange {
            // The exchange first: most finish here, without ever looking at the outlet.
            if let Poll::Ready(reply) = exchange.as_mut().poll(cx) {
                this.exchange = None;
                this.reply = Some(reply);
            }
        }
        if this.exchange.is_some() {
            // Registers for wake-ups before looking whether it was cancelled.
            let next = this.outlet.poll_next(cx);
            if this.outlet.is_cancelled() {
                this.exchange = None;
                this.outlet.close();
                this.reply = Some(Reply::Silence);
            } else if let Some(said) = next {
                return Poll::Ready(Some(Output::Said(said)));
            } else {
                return Poll::Pending;
            }
        } else if let Some(said) = this.outlet.pop() {
            return Poll::Ready(Some(Output::Said(said)));
        }
        Poll::Ready(this.reply.take().map(Output::Reply))
    }
}

/// Everything one request says, the reply included, as messages.
pub(crate) enum Messages {
    /// Notifications, then the answer.
    Running(Running),
    /// Messages until someone has enough.
    Stream(BoxStream<'static, Vec<u8>>),
    /// No more.
    End,
}

impl Stream for Messages {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            match &mut *self {
                Self::End => return Poll::Ready(None),
                Self::Stream(messages) => return messages.as_mut().poll_next(cx),
                Self::Running(running) => match ready!(Pin::new(running).poll_next(cx)) {
                    Some(Output::Said(Said::Message(message))) => return Poll::Ready(Some(message)),
                    Some(Output::Said(Said::Close(_))) => {}
                    Some(Output::Reply(Reply::Message(answer))) => {
                        *self = Self::End;
                        return Poll::Ready(Some(answer.body.into_vec()));
                    }
                    Some(Output::Reply(Reply::Listen(messages))) => *self = Self::Stream(messages),
                    Some(Output::Reply(Reply::Accepted | Reply::Silence)) | None => *self = Self::End,
                },
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.outlet.close(); // what a handler left behind must not wait for a reader
        let Some(exchange) = self.exchange.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if let Some(place) = self.outlet.take_place() {
            // As a `Running` again, so that the client can still cancel it by name.
            let mut rest = Self { exchange: Some(exchange), reply: None, outlet: self.outlet.clone() };
            runtime.spawn(async move {
                let _place = place;
                while rest.next().await.is_some() {}
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use micro_mcp_proto::{ClientCapabilities, Revision};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::session::Session;

    #[tokio::test]
    async fn calls_whose_clients_left_are_bounded() {
        let places = Arc::new(Semaphore::new(2));
        let begin = || {
            let (outlet, alive) = (Arc::new(Outlet::default()), Arc::new(()));
            outlet.outlive_client(Session::local(Revision::V2025_11_25, ClientCapabilities::default()), &places);
            let held = alive.clone();
            let running = Running::new(outlet.clone(), async move {
                let _held = held;
                pending().await
            });
            (running, outlet, alive)
        };
        let left: Vec<_> =
            (0..3).map(|_| begin()).map(|(running, outlet, alive)| (drop(running), outlet, alive)).collect();
        let go_on: Vec<bool> = left.iter().map(|(_, _, alive)| Arc::strong_count(alive) == 2).collect();
        assert_eq!(go_on, [true, true, false], "there is no place for the third");
        left[0].1.cancel();
        let _place = places.acquire().await; // one that ends gives its place back
    }
}
