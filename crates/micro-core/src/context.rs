//! What an endpoint knows of the call that reached it.

use std::time::Instant;

use crate::{Metadata, TraceContext, metadata::header};

/// The call an endpoint is serving: metadata, deadline and trace.
///
/// Pass it on to typed clients, so that the calls a handler makes carry the same trace and never
/// outlive the deadline of the call that caused them.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Everything that came beside the body.
    pub metadata: Metadata,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
}

impl Context {
    /// The account on whose behalf an agent called, when a gateway named one.
    pub fn account(&self) -> Option<&str> {
        self.metadata.get(header::ACCOUNT_ID)
    }

    /// The canonical name of the tool that was called, when the call came through a gateway.
    pub fn tool(&self) -> Option<&str> {
        self.metadata.get(header::TOOL_NAME)
    }

    /// The trace this call belongs to, from `traceparent` or `Mcp-Trace-Id`.
    pub fn trace(&self) -> Option<TraceContext> {
        let parent = self.metadata.get(header::TRACEPARENT).and_then(TraceContext::parse);
        parent.or_else(|| Some(TraceContext::of(self.metadata.get(header::TRACE_ID)?.parse().ok()?)))
    }

    /// The same call with an earlier deadline; a later one changes nothing.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }
}
