//! What a closure may keep of the request it answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use micro_mcp_proto::{ClientCapabilities, Era, Id, LogLevel, Revision, write};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    AskError, Cx, InvalidState, Principal,
    ask::{self, Line},
    cx,
    outlet::Outlet,
};

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
    pub(crate) outlet: Arc<Outlet>,
    /// The way to ask a legacy client.
    pub(crate) line: Option<Line>,
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
            line: cx.line(),
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

    /// The state of an [`crate::InputRequired`] that the client came back with; `None` when it came for
    /// the first time.
    ///
    /// # Errors
    /// When it is of another kind than it was.
    pub fn state<S: DeserializeOwned>(&self) -> Result<Option<S>, InvalidState> {
        let state = self.outlet.notes().with(|book| book.state.clone());
        state.map(|raw| serde_json::from_str(raw.get()).map_err(|_| InvalidState)).transpose()
    }

    /// The form that was filled in under this key of an [`crate::InputRequired`]; `None` when it is not
    /// there or does not fit: ask again.
    ///
    /// # Errors
    /// When the person declined or went away, or the answer is none at all.
    pub fn response<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, AskError> {
        let answer = self.outlet.notes().with(|book| book.given.get(key).cloned());
        answer.map_or(Ok(None), |answer| ask::read_response(&answer))
    }

    /// All answers the client came back with, raw, by key.
    pub fn responses(&self) -> BTreeMap<String, Box<RawValue>> {
        self.outlet.notes().with(|book| book.given.clone())
    }
}
