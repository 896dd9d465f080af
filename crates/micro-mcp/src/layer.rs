//! Middleware: something around a handler, in the shape of a handler again; the same around a client.

mod auth;
mod limit;
mod record;
#[cfg(feature = "client")]
mod retry;
mod trace;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};

#[cfg(feature = "client")]
pub use self::retry::Retry;
pub use self::{
    auth::Auth,
    limit::Limit,
    record::{Record, Recorded},
    trace::Trace,
};
use crate::{Change, Cx, Failure, Handler, Peer, Principal, Refusal, Request, ServerInfo};

/// Something around a handler, or around a client, which is a handler that asks somebody else. Both methods may
/// look at a request, answer it themselves, or hand it on to `next` as often as they like; what they do not
/// define goes on as it is.
///
/// ```
/// use std::time::Instant;
///
/// use bytes::Bytes;
/// use futures_core::future::BoxFuture;
/// use micro_mcp::{Cx, Failure, Layer, Request, Server, client::Client, layer::Next};
///
/// struct Timing;
///
/// impl Layer for Timing {
///     fn handle<'a>(
///         &'a self,
///         cx: &'a Cx<'a>,
///         request: &'a Request<'a>,
///         next: Next<'a>,
///     ) -> BoxFuture<'a, Result<Bytes, Failure>> {
///         Box::pin(async move {
///             let begun = Instant::now();
///             let answer = next.handle(cx, request).await;
///             println!("{} took {:?}", request.method(), begun.elapsed());
///             answer
///         })
///     }
/// }
///
/// let server = Server::builder("timed", "1.0").build()?;
/// let handler = Timing.around(std::sync::Arc::new(server)); // for `http::StreamableHttp` or `stdio::serve`
/// let client = Client::builder().layer(Timing); // then `.connect(…)`
/// # Ok::<(), micro_mcp::BuildError>(())
/// ```
///
/// The one that is put around last sees a request first:
/// `Limit::new(64).around(Trace.around(server))` limits, then traces; so does
/// `Client::builder().layer(Trace).layer(Limit::new(64))`.
///
/// # Around a client
///
/// A layer sees each request that the application makes, of a list each page, with the revision that is spoken.
/// Its principal is nobody, and nobody hears its progress and log. What comes to pass below it is part of the
/// answer: questions of the server's, rounds, a session that is begun anew. What the client does on its own
/// (`initialize`, subscriptions, pings) goes past it. Failures that are no answer of the server's are
/// [`Failure::Inner`] with a [`crate::client::Error`].
pub trait Layer: Send + Sync + 'static {
    /// Finds out who is calling; see [`Handler::authenticate`]. Means nothing around a client.
    ///
    /// # Errors
    /// The refusal to send.
    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>, next: &dyn Handler) -> Result<Principal, Refusal> {
        next.authenticate(peer, request)
    }

    /// Answers a request; see [`Handler::handle`].
    ///
    /// # Errors
    /// A JSON-RPC error, or a refusal with an HTTP status.
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        next.handle(cx, request)
    }

    /// The handler with this around it.
    fn around(self, inner: Arc<dyn Handler>) -> Arc<dyn Handler>
    where
        Self: Sized,
    {
        Arc::new(Layered { layer: self, inner })
    }
}

/// What a layer is around: other layers, and whoever answers in the end.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    /// Those that come next, the last one first.
    layers: &'a [Arc<dyn Layer>],
    last: &'a dyn Last,
}

/// Whoever answers in the end.
pub(crate) trait Last: Send + Sync {
    /// See [`Handler::handle`].
    fn answer<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>>;
}

impl Last for Arc<dyn Handler> {
    fn answer<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        self.handle(cx, request)
    }
}

impl<'a> Next<'a> {
    #[cfg(feature = "client")]
    pub(crate) fn through(layers: &'a [Arc<dyn Layer>], last: &'a dyn Last) -> Self {
        Self { layers, last }
    }

    /// Hands a request on.
    ///
    /// # Errors
    /// A JSON-RPC error, a refusal, or whatever went wrong on the way.
    pub fn handle(self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        match self.layers.split_last() {
            Some((layer, layers)) => layer.handle(cx, request, Self { layers, ..self }),
            None => self.last.answer(cx, request),
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next(…)")
    }
}

/// A handler with a layer around it.
struct Layered<L> {
    layer: L,
    inner: Arc<dyn Handler>,
}

impl<L: Layer> Handler for Layered<L> {
    fn info(&self) -> Arc<ServerInfo> {
        self.inner.info()
    }

    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>) -> Result<Principal, Refusal> {
        self.layer.authenticate(peer, request, &*self.inner)
    }

    fn handle<'a>(&'a self, cx: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        self.layer.handle(cx, request, Next { layers: &[], last: &self.inner })
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.inner.changes()
    }

    fn tasks(&self, principal: &Principal, ids: Vec<String>) -> (Vec<String>, BoxStream<'static, Bytes>) {
        self.inner.tasks(principal, ids)
    }
}
