//! What a handler knows of the request it answers.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use micro_mcp_proto::{ClientCapabilities, Era, Id, LogLevel, Meta, Revision, write};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    AskError, Peer, Principal, TraceContext,
    ask::{Line, Pending},
    outlet::Outlet,
    seal::NONCE,
    task::Slot,
};

/// One request's surroundings: who asks, in which revision, and the way back for notifications.
#[derive(Debug, Clone)]
pub struct Cx<'a> {
    /// The revision the answer must be written in.
    pub revision: Revision,
    /// Who asks, as [`crate::Handler::authenticate`] found.
    pub principal: &'a Principal,
    /// The request's `_meta`.
    pub meta: &'a Meta<'a>,
    /// Where it came from.
    pub peer: Peer<'a>,
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

impl<'a> Cx<'a> {
    /// Runs `f` with a request that comes from nowhere and whose notifications go nowhere: for tests,
    /// and for fronts that are no MCP.
    pub async fn detached<T>(
        revision: Revision,
        principal: &Principal,
        meta: &Meta<'_>,
        peer: Peer<'_>,
        f: impl AsyncFnOnce(&Cx<'_>) -> T,
    ) -> T {
        let outlet = Arc::new(Outlet::closed());
        let session = ClientCapabilities::default();
        let (session_level, asks, task) = (None, None, None);
        f(&Cx { revision, principal, meta, peer, session, session_level, outlet: &outlet, asks, task }).await
    }

    /// The era of the revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// The caller's trace context, if it sent one.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::of(self.meta)
    }

    /// The HTTP headers of the request, or of the one that opened its pipe; none on stdio.
    pub fn headers(&self) -> Option<&'a HeaderMap> {
        self.peer.headers
    }

    /// What the client can do. Read anew at each call: keep it if you need it twice.
    pub fn client_capabilities(&self) -> ClientCapabilities {
        match self.era() {
            Era::Modern => self.meta.capabilities(),
            Era::Legacy => self.session,
        }
    }

    /// The token for progress notifications, when the client wants any.
    pub fn progress_token(&self) -> Option<Id<'a>> {
        self.meta.progress_token
    }

    /// The way to ask a legacy client.
    pub(crate) fn line(&self) -> Option<Line> {
        self.asks.map(|(pending, session)| Line::new(pending, session, self.trace()))
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
        line.ask(self.outlet, method, params, within).await
    }

    /// Tells the client how far the request is; nothing happens when it did not ask. `progress` must
    /// grow with every call. Waits while the client reads more slowly than this is called.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(token) = self.progress_token() {
            self.outlet.send_with(|| write::progress(token, progress, total, message)).await;
        }
    }

    /// Sends a log message; `data` is any JSON. Modern clients get what their `logLevel` asks for,
    /// which is nothing when they set none; legacy ones what they set with `logging/setLevel`. A
    /// server that logs must declare the `logging` capability.
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: &impl Serialize) {
        if self.log_level().is_some_and(|least| level >= least) {
            self.outlet.send_with(|| write::log(level, logger, data)).await;
        }
    }

    /// Ends the stream that the answer would come on, while the request goes on: the client is asked to
    /// come back after `retry` for what is missing. For calls that take long. Clients that cannot come
    /// back stay: nothing happens unless this is 2025-11-25 over HTTP, within a session.
    pub async fn close_stream(&self, retry: Duration) {
        close_stream(self.outlet, self.revision, retry).await;
    }

    /// From which level on log messages are sent; none are without one.
    pub fn log_level(&self) -> Option<LogLevel> {
        match self.era() {
            Era::Modern => self.meta.log_level,
            Era::Legacy => self.session_level,
        }
    }
}

pub(crate) async fn close_stream(outlet: &Outlet, revision: Revision, retry: Duration) {
    // Before 2025-11-25 a stream ended with its answer; after it, answers are not resumed.
    if revision == Revision::V2025_11_25 {
        outlet.close_stream(retry).await;
    }
}
