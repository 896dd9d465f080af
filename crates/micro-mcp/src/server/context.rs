//! What a closure may keep of the request it answers.

use std::{sync::Arc, time::Duration};

use micro_mcp_proto::{ClientCapabilities, Era, Id, LogLevel, Revision, write};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Cx, Principal, cx, outlet::Outlet};

/// [`Cx`], owned, so that a closure's future can hold it.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The revision the client speaks.
    pub revision: Revision,
    /// Who asks.
    pub principal: Principal,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    log_level: Option<LogLevel>,
    progress_token: Option<Arc<RawValue>>,
    outlet: Arc<Outlet>,
}

impl CallContext {
    pub(super) fn of(cx: &Cx<'_>) -> Self {
        let token = cx.progress_token().and_then(|token| RawValue::from_string(token.as_str().to_owned()).ok());
        Self {
            revision: cx.revision,
            principal: cx.principal.clone(),
            capabilities: cx.client_capabilities(),
            log_level: cx.log_level(),
            progress_token: token.map(Arc::from),
            outlet: cx.outlet.clone(),
        }
    }

    /// The era of the revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// See [`Cx::progress`].
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(token) = self.progress_token.as_deref().and_then(Id::new) {
            self.outlet.send_with(|| write::progress(token, progress, total, message)).await;
        }
    }

    /// See [`Cx::close_stream`].
    pub async fn close_stream(&self, retry: Duration) {
        cx::close_stream(&self.outlet, self.revision, retry).await;
    }

    /// See [`Cx::log`].
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: &impl Serialize) {
        if self.log_level.is_some_and(|least| level >= least) {
            self.outlet.send_with(|| write::log(level, logger, data)).await;
        }
    }
}
