//! Middleware: something around a handler, in the shape of a handler again.

mod auth;
mod limit;
mod record;
mod trace;

use std::sync::Arc;

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};

pub use self::{
    auth::Auth,
    limit::Limit,
    record::{Record, Recorded},
    trace::Trace,
};
use crate::{Change, Cx, Failure, Handler, Peer, Principal, Refusal, Request, ServerInfo};

/// Something around a handler. Both methods may look at a request, answer it themselves, or hand it on to `next`
/// as often as they like; what they do not define goes on as it is.
///
/// ```
/// use std::time::Instant;
///
/// use bytes::Bytes;
/// use futures_core::future::BoxFuture;
/// use micro_mcp::{Cx, Failure, Handler, Layer, Request, Server};
///
/// struct Timing;
///
/// impl Layer for Timing {
///     fn handle<'a>(
///         &'a self,
///         cx: &'a Cx<'a>,
///         request: &'a Request<'a>,
///         next: &'a dyn Handler,
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
/// # Ok::<(), micro_mcp::BuildError>(())
/// ```
///
/// The one that is put around last sees a request first:
/// `Limit::new(64).around(Trace.around(server))` limits, then traces.
pub trait Layer: Send + Sync + 'static {
    /// Finds out who is calling; see [`Handler::authenticate`].
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
        next: &'a dyn Handler,
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
        self.layer.handle(cx, request, &*self.inner)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.inner.changes()
    }

    fn tasks(&self, principal: &Principal, ids: Vec<String>) -> (Vec<String>, BoxStream<'static, Bytes>) {
        self.inner.tasks(principal, ids)
    }
}
