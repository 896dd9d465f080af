//! The way from a handler back to its client.

use std::{sync::Arc, time::Duration};

use micro_mcp_proto::{ClientCapabilities, Era, LogLevel, Revision, write};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Cx;
use crate::{
    AskError,
    ask::{Line, Pending},
    outlet::Outlet,
    seal::NONCE,
    task::Slot,
};

/// What only a server knows of a request.
#[derive(Debug, Clone)]
pub(crate) struct Back<'a> {
    /// What the client declared at `initialize`; modern clients declare it in `_meta`.
    pub(crate) session: ClientCapabilities,
    /// The log level of a legacy session; `None` when the server does not log.
    pub(crate) session_level: Option<LogLevel>,
    pub(crate) outlet: &'a Arc<Outlet>,
    /// Where questions to a legacy client wait, and the session that answers them.
    pub(crate) asks: Option<(&'a Arc<Pending>, [u8; NONCE])>,
    /// The task that the call is or may become.
    pub(crate) task: Option<Arc<Slot>>,
}

impl<'a> Back<'a> {
    /// A way for notifications, and nothing else.
    pub(crate) fn to(outlet: &'a Arc<Outlet>) -> Self {
        Self { session: ClientCapabilities::default(), session_level: None, outlet, asks: None, task: None }
    }
}

impl Cx<'_> {
    /// What the client can do. Read anew at each call: keep it if you need it twice.
    pub fn client_capabilities(&self) -> ClientCapabilities {
        match self.era() {
            Era::Modern => self.meta.capabilities(),
            Era::Legacy => self.back.session,
        }
    }

    /// The way to ask a legacy client.
    pub(crate) fn line(&self) -> Option<Line> {
        self.back.asks.map(|(pending, session)| Line::new(pending, session, self.trace()))
    }

    /// Sends a request of ours to a legacy client, on the stream of this one, and waits for its result:
    /// for gateways, whose upstreams ask. Modern clients are never sent requests; they get a result of
    /// `input_required` ([`crate::result::input_required`]). The params must be an object. What the
    /// client did not declare must not be asked.
    ///
    /// # Errors
    /// [`AskError::Refused`] with the client's own error; [`AskError::Unreachable`] when the client is
    /// modern, has no session or takes no stream; [`AskError::TimedOut`].
    pub async fn request(&self, method: &str, params: &RawValue, within: Duration) -> Result<Box<RawValue>, AskError> {
        let line = self.line().ok_or(AskError::Unreachable)?;
        line.ask(self.back.outlet, method, params, within).await
    }

    /// Tells the client how far the request is; nothing happens when it did not ask. `progress` must
    /// grow with every call. Waits while the client reads more slowly than this is called.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(token) = self.progress_token() {
            self.back.outlet.send_with(|| write::progress(token, progress, total, message)).await;
        }
    }

    /// Sends a log message; `data` is any JSON. Modern clients get what their `logLevel` asks for,
    /// which is nothing when they set none; legacy ones what they set with `logging/setLevel`. A
    /// server that logs must declare the `logging` capability.
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: &impl Serialize) {
        if self.log_level().is_some_and(|least| level >= least) {
            self.back.outlet.send_with(|| write::log(level, logger, data)).await;
        }
    }

    /// Ends the stream that the answer would come on, while the request goes on: the client is asked to
    /// come back after `retry` for what is missing. For calls that take long. Clients that cannot come
    /// back stay: nothing happens unless this is 2025-11-25 over HTTP, within a session.
    pub async fn close_stream(&self, retry: Duration) {
        close_stream(self.back.outlet, self.revision, retry).await;
    }

    /// From which level on log messages are sent; none are without one.
    pub fn log_level(&self) -> Option<LogLevel> {
        match self.era() {
            Era::Modern => self.meta.log_level,
            Era::Legacy => self.back.session_level,
        }
    }
}

pub(crate) async fn close_stream(outlet: &Outlet, revision: Revision, retry: Duration) {
    // Before 2025-11-25 a stream ended with its answer; after it, answers are not resumed.
    if revision == Revision::V2025_11_25 {
        outlet.close_stream(retry).await;
    }
}
