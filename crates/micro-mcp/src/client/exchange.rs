//! The port between the course of the protocol and whatever carries messages.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use http::{HeaderName, HeaderValue};
use micro_mcp_proto::Revision;
use tokio::time::timeout;

use super::Error;

/// What the server says: whole JSON messages. After an error nothing follows.
pub(crate) type Messages = BoxStream<'static, Result<Bytes, Error>>;

/// Carries messages. HTTP gives each request an answer of its own; a pipe sorts what comes by ids.
pub(crate) trait Exchange: Send + Sync {
    /// Sends a request when first polled. What comes back belongs to it, its response included; the
    /// stream need not end after that. Dropping it forgets the request. [`Error::SessionLost`] means
    /// that the server has not looked at it, and never will on this exchange.
    fn request(&self, request: Outgoing) -> Messages;

    /// Sends a notification or a response, however long that takes: see `tell`. Over HTTP a cancellation of the modern era is said by
    /// closing the request's stream, and not sent.
    fn send(&self, message: Outgoing) -> BoxFuture<'static, Result<(), Error>>;

    /// What the server says outside of any request, from the moment the future is done. Called once; the
    /// stream reconnects by itself where it can, and ends when there is nothing to hear, or with
    /// [`Error::SessionLost`]. [`Error::Disconnected`] is a gap: it goes on, but something may have been missed.
    fn listen(&self, revision: Revision) -> BoxFuture<'static, Messages>;

    /// Ends the session and the connection.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Whether each request has an answer of its own, and nothing else is heard without being asked for.
    fn is_http(&self) -> bool;
}

/// How long a server may take to accept what it need not answer.
const ACCEPTING: Duration = Duration::from_secs(30);

impl dyn Exchange {
    /// Sends a notification or a response, within a time.
    pub(crate) fn tell(&self, message: Outgoing) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let sending = self.send(message);
        async move { timeout(ACCEPTING, sending).await.unwrap_or(Err(Error::Timeout)) }
    }
}

/// One message to the server, and what HTTP says beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outgoing {
    pub(crate) body: Bytes,
    /// Of a request.
    pub(crate) id: Option<u64>,
    /// `Mcp-Method`; responses have none.
    pub(crate) method: Cow<'static, str>,
    /// `Mcp-Name`.
    pub(crate) name: Option<String>,
    /// `Mcp-Param-*`.
    pub(crate) params: Vec<(HeaderName, HeaderValue)>,
    /// What was agreed on; `None` before.
    pub(crate) revision: Option<Revision>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::pipe::Piped, transport::memory};

    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_nothing_holds_nobody_for_ever() {
        let (ours, _theirs) = memory::pair();
        let exchange: Box<dyn Exchange> = Box::new(Piped::new(ours));
        let outcome = async {
            loop {
                exchange.tell(Outgoing { body: Bytes::from_static(b"{}"), ..Outgoing::default() }).await?;
            }
        };
        let outcome: Result<(), Error> = timeout(ACCEPTING * 2, outcome).await.expect("it is given up");
        assert!(matches!(outcome, Err(Error::Timeout)), "{outcome:?}");
    }
}
