//! Lists: they come in pages, and since 2026-07-28 say how long they stay fresh.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Prompt, RequestMeta, Resource, ResourceTemplate, Tool};
use crate::{Era, Revision};

/// Params of `tools/list`, `prompts/list`, `resources/list`, `resources/templates/list` and `tasks/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageParams {
    /// Where to go on; an empty string is a cursor too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// Who may keep an answer (`server/utilities/caching`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Anyone, for anyone.
    Public,
    /// Only within the same authorization.
    #[default]
    Private,
}

/// A page of `tools/list`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListToolsResult {
    /// The tools of this page.
    pub tools: Vec<Tool>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// For how many milliseconds it stays fresh (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A page of `prompts/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListPromptsResult {
    /// The prompts of this page.
    pub prompts: Vec<Prompt>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// For how many milliseconds it stays fresh (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A page of `resources/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResourcesResult {
    /// The resources of this page.
    pub resources: Vec<Resource>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// For how many milliseconds it stays fresh (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A page of `resources/templates/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResourceTemplatesResult {
    /// The templates of this page.
    pub resource_templates: Vec<ResourceTemplate>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// For how many milliseconds it stays fresh (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept (2026-07-28: required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl ListToolsResult {
    /// The page as the revision knows it: hints how long it stays fresh are required in 2026-07-28, and not
    /// there before.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        (self.ttl_ms, self.cache_scope) = hints(revision, self.ttl_ms, self.cache_scope);
        self.tools = self.tools.into_iter().map(|tool| tool.for_revision(revision)).collect();
        self
    }
}

impl ListPromptsResult {
    /// The page as the revision knows it: hints how long it stays fresh are required in 2026-07-28, and not
    /// there before.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        (self.ttl_ms, self.cache_scope) = hints(revision, self.ttl_ms, self.cache_scope);
        self
    }
}

impl ListResourcesResult {
    /// The page as the revision knows it: hints how long it stays fresh are required in 2026-07-28, and not
    /// there before.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        (self.ttl_ms, self.cache_scope) = hints(revision, self.ttl_ms, self.cache_scope);
        self
    }
}

impl ListResourceTemplatesResult {
    /// The page as the revision knows it: hints how long it stays fresh are required in 2026-07-28, and not
    /// there before.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        (self.ttl_ms, self.cache_scope) = hints(revision, self.ttl_ms, self.cache_scope);
        self
    }
}

/// Hints as the revision has them: never fresh and never shared when nothing is said.
pub(super) fn hints(
    revision: Revision,
    ttl_ms: Option<u64>,
    scope: Option<CacheScope>,
) -> (Option<u64>, Option<CacheScope>) {
    match revision.era() {
        Era::Modern => (Some(ttl_ms.unwrap_or_default()), Some(scope.unwrap_or_default())),
        Era::Legacy => (None, None),
    }
}
