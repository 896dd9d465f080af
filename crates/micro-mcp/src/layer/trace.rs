//! A span for each request.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use tracing::{Instrument, field};

use super::{Layer, Next};
use crate::{Cx, Failure, Request};

/// Runs each request in a `tracing` span `mcp.request`, with the caller's W3C context (`traceparent`, `tracestate`
/// and `baggage` of `_meta`) as fields for an exporter to pick up, and the code of an error. Within it, the context
/// is the current one ([`crate::TraceContext`]): clients that the handler calls pass it on.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{BuildError, Layer, Server, layer::Trace};
/// let server = Server::builder("traced", "1.0").build()?;
/// let handler = Trace.around(Arc::new(server));
/// # Ok::<(), BuildError>(())
/// ```
pub struct Trace;

impl Layer for Trace {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        let span = tracing::info_span!(
            "mcp.request",
            method = request.method(),
            tool = field::Empty,
            revision = cx.revision.as_str(),
            traceparent = field::Empty,
            tracestate = field::Empty,
            baggage = field::Empty,
            code = field::Empty,
        );
        if let Request::CallTool(call) = request {
            span.record("tool", &*call.name);
        }
        let context = [
            ("traceparent", cx.meta.traceparent()),
            ("tracestate", cx.meta.tracestate()),
            ("baggage", cx.meta.baggage()),
        ];
        for (name, value) in context {
            if let Some(value) = value {
                span.record(name, &*value);
            }
        }
        let inner = span.clone();
        Box::pin(
            async move {
                let answer = match cx.trace() {
                    Some(context) => context.scope(next.handle(cx, request)).await,
                    None => next.handle(cx, request).await,
                };
                if let Err(failure) = &answer {
                    span.record("code", failure.error().code);
                }
                answer
            }
            .instrument(inner),
        )
    }
}
