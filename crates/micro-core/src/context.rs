//! What an endpoint knows of the call that reached it.

use std::time::Instant;

use crate::{Error, Metadata, Result, TraceContext, metadata::header};

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

    /// The tenant of that account, when it has one.
    pub fn tenant(&self) -> Option<&str> {
        self.metadata.get(header::TENANT)
    }

    /// The intent that the call is made for: the id in every record of what was done for one message of a user.
    pub fn intent(&self) -> Option<&str> {
        self.metadata.get(header::INTENT)
    }

    /// Asks for a scope of the account, where what an endpoint declares is not enough: when it depends on the
    /// arguments, or on what is stored. A call that names no scopes has none: one that came past every gateway.
    ///
    /// ```
    /// # use micro_core::{Context, header};
    /// let mut cx = Context::default();
    /// assert_eq!(cx.require("orders:write").unwrap_err().code, 403);
    /// cx.metadata.set(header::SCOPES, "orders:read orders:write");
    /// assert!(cx.require("orders:write").is_ok());
    /// ```
    ///
    /// # Errors
    /// `forbidden` when the caller does not have it.
    pub fn require(&self, scope: &str) -> Result<()> {
        let granted = self.metadata.get(header::SCOPES).unwrap_or_default();
        let has = granted == "*" || granted.split(' ').any(|one| one.eq_ignore_ascii_case(scope));
        if has { Ok(()) } else { Err(Error::forbidden(format!("the scope `{scope}` is needed"))) }
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
