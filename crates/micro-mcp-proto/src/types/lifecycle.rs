//! How a conversation begins: `initialize` before 2026-07-28, `server/discover` since.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CacheScope, Implementation, RequestMeta};
use crate::{DeclaredCapabilities, ServerCapabilities};

/// Params of `initialize`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// The newest version the client speaks.
    pub protocol_version: String,
    /// What the client can do.
    pub capabilities: DeclaredCapabilities,
    /// Who the client is.
    pub client_info: Implementation,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// What `initialize` returns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// The version the server wants to speak.
    pub protocol_version: String,
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// Who it is.
    pub server_info: Implementation,
    /// How to use it, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// What `server/discover` returns. Who the server is stands in `_meta`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverResult {
    /// Versions it speaks; some may be older than `server/discover`.
    pub supported_versions: Vec<String>,
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// How to use it, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// For how many milliseconds this stays fresh.
    #[serde(default)]
    pub ttl_ms: u64,
    /// For whom it may be kept.
    #[serde(default)]
    pub cache_scope: CacheScope,
    /// Whatever else the server says; its name and version are under `io.modelcontextprotocol/serverInfo`.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl DiscoverResult {
    /// Who the server says it is.
    pub fn server_info(&self) -> Option<Implementation> {
        let info = self.meta.get(crate::meta_key::SERVER_INFO)?;
        Implementation::deserialize(info).ok()
    }
}
