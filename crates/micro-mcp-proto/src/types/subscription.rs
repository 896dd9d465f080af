//! Subscriptions of 2026-07-28 (`basic/patterns/subscriptions`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RequestMeta;

/// Params of `subscriptions/listen`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListenParams {
    /// What to tell of.
    pub notifications: SubscriptionFilter,
    /// The request's `_meta`.
    #[serde(default, rename = "_meta", skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// Which notifications are wanted, or will be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionFilter {
    /// `notifications/tools/list_changed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tools_list_changed: bool,
    /// `notifications/prompts/list_changed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prompts_list_changed: bool,
    /// `notifications/resources/list_changed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub resources_list_changed: bool,
    /// `notifications/resources/updated`, for these URIs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_subscriptions: Vec<String>,
    /// `notifications/tasks`, for these tasks (tasks extension).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_ids: Vec<String>,
}

/// `notifications/subscriptions/acknowledged`: the first message of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedParams {
    /// What will be told.
    pub notifications: SubscriptionFilter,
    /// The id of the subscription, under `io.modelcontextprotocol/subscriptionId`.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}
