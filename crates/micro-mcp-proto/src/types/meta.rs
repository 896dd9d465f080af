//! `_meta` of requests, ids, and messages that hold nothing else.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Implementation;
use crate::{DeclaredCapabilities, Era, LogLevel, Revision};

/// A request's `_meta`, to be written; [`crate::Meta`] is the borrowed one for reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestMeta {
    /// The version the request is written in. Required in the modern era, absent before.
    #[serde(default, rename = "io.modelcontextprotocol/protocolVersion", skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<Revision>,
    /// What the client can do. Required in the modern era, absent before.
    #[serde(default, rename = "io.modelcontextprotocol/clientCapabilities", skip_serializing_if = "Option::is_none")]
    pub client_capabilities: Option<Arc<DeclaredCapabilities>>,
    /// Who the client is (since 2026-07-28).
    #[serde(default, rename = "io.modelcontextprotocol/clientInfo", skip_serializing_if = "Option::is_none")]
    pub client_info: Option<Arc<Implementation>>,
    /// Log messages that shall come with the answer (since 2026-07-28).
    #[serde(default, rename = "io.modelcontextprotocol/logLevel", skip_serializing_if = "Option::is_none")]
    pub log_level: Option<LogLevel>,
    /// Asks for progress notifications under this token.
    #[serde(default, rename = "progressToken", skip_serializing_if = "Option::is_none")]
    pub progress_token: Option<RequestId>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// W3C trace context, what vendors add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// W3C baggage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
    /// Keys of extensions.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl RequestMeta {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The `_meta` as the revision knows it. What 2026-07-28 requires must have been put there.
    #[must_use]
    pub fn for_revision(self, revision: Revision) -> Self {
        match revision.era() {
            Era::Modern => Self { protocol_version: Some(revision), ..self },
            Era::Legacy => {
                Self { protocol_version: None, client_capabilities: None, client_info: None, log_level: None, ..self }
            }
        }
    }
}

/// A request's id or a progress token, owned; [`crate::Id`] is the borrowed one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Params with nothing but `_meta`: `ping`, `server/discover`, `roots/list`, `…/list_changed`, `initialized`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EmptyParams {
    /// `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// A result with nothing but `_meta`: `ping`, `logging/setLevel`, `tasks/update`, the end of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EmptyResult {
    /// Whatever else is said.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}
