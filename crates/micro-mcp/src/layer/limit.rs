//! A bound on what runs at once.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::StatusCode;
use micro_mcp_proto::RpcError;
use tokio::sync::Semaphore;

use super::{Layer, Next};
use crate::{Cx, Failure, Refusal, Request};

/// Runs so many requests at once, and turns away the others with 429 and `Retry-After`.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{BuildError, Layer, Server, layer::Limit};
/// let server = Server::builder("busy", "1.0").build()?;
/// let handler = Limit::new(64).around(Arc::new(server));
/// # Ok::<(), BuildError>(())
/// ```
pub struct Limit {
    free: Semaphore,
}

/// The error of our own that a request too many gets.
const TOO_MANY: i32 = -31_429;

impl Limit {
    /// So many at once.
    pub fn new(at_once: usize) -> Self {
        Self { free: Semaphore::new(at_once) }
    }
}

impl Layer for Limit {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            let Ok(_place) = self.free.try_acquire() else {
                let error = RpcError::new(TOO_MANY, "too many requests at once; try again");
                let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error);
                return Err(Refusal { retry_after: Some(1), ..refusal }.into());
            };
            next.handle(cx, request).await
        })
    }
}
