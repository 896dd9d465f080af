//! What the server answers itself: `initialize`, `server/discover`, `subscriptions/listen`.

use std::borrow::Cow;

use futures_util::{StreamExt, stream};
use http::StatusCode;
use micro_mcp_proto::{ClientCapabilities, Id, Revision, RpcError, ServerCapabilities, meta_key, write};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Ask, Engine, Reply};
use crate::{
    Change, Request, ServerInfo, Transport,
    result::{self, Cache, CacheScope, Identity},
    session::Run,
};

/// The revisions a modern request may name.
pub(super) const MODERN: &[Revision] = &[Revision::V2026_07_28];

/// How long clients may keep what `server/discover` says. It may differ after a restart only.
const DISCOVERY: Cache = Cache { ttl_ms: 60_000, scope: CacheScope::Private };

pub(super) fn discover(info: &ServerInfo, id: Id<'_>) -> Reply {
    let mut writer = result::complete(Revision::LATEST, 512)
        .member("supportedVersions", MODERN)
        .member("capabilities", &info.capabilities);
    if let Some(instructions) = &info.instructions {
        writer = writer.member("instructions", instructions);
    }
    let result = writer.cache(DISCOVERY).identity(&Identity::of(info)).finish();
    Reply::message(write::response(id, &result))
}

/// The revision to speak, and what the client declared.
pub(super) fn read_initialize(raw: Option<&RawValue>) -> Result<(Revision, ClientCapabilities), RpcError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Initialize<'a> {
        #[serde(borrow)]
        protocol_version: Cow<'a, str>,
        #[serde(borrow, default)]
        capabilities: Option<&'a RawValue>,
    }
    let raw = raw.ok_or_else(|| RpcError::invalid_params("params are required"))?;
    let params: Initialize<'_> =
        serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(format!("Invalid params: {e}")))?;
    let capabilities = params.capabilities.map(ClientCapabilities::parse).unwrap_or_default();
    Ok((Revision::negotiate(&params.protocol_version), capabilities))
}

pub(super) fn initialized(info: &ServerInfo, revision: Revision, id: Id<'_>) -> Reply {
    let mut writer = result::complete(revision, 512)
        .member("protocolVersion", &revision)
        .member("capabilities", &info.capabilities)
        .member("serverInfo", &info.implementation);
    if let Some(instructions) = &info.instructions {
        writer = writer.member("instructions", instructions);
    }
    Reply::message(write::response(id, &writer.finish()))
}

/// The request that `notifications/cancelled` names.
pub(super) fn cancelled_id(params: &RawValue) -> Option<Id<'_>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Cancelled<'a> {
        #[serde(borrow)]
        request_id: &'a RawValue,
    }
    serde_json::from_str::<Cancelled<'_>>(params.get()).ok().and_then(|params| Id::new(params.request_id))
}

/// What a client wants to hear of (`basic/patterns/subscriptions`).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resources_list_changed: bool,
}

impl Filter {
    fn read(request: &Request<'_>) -> Result<Self, RpcError> {
        #[derive(Deserialize)]
        struct Listen {
            notifications: Filter,
        }
        let Request::Other { params: Some(raw), .. } = request else {
            return Err(RpcError::invalid_params("params.notifications is required"));
        };
        serde_json::from_str::<Listen>(raw.get())
            .map(|listen| listen.notifications)
            .map_err(|e| RpcError::invalid_params(format!("Invalid params: {e}")))
    }

    /// What of it is honoured: only changes the server declares to tell.
    fn honoured(self, offered: &ServerCapabilities) -> Self {
        let tells = |list: Option<micro_mcp_proto::ListChanged>| list.is_some_and(|list| list.list_changed);
        Self {
            tools_list_changed: self.tools_list_changed && tells(offered.tools),
            prompts_list_changed: self.prompts_list_changed && tells(offered.prompts),
            resources_list_changed: self.resources_list_changed && tells(offered.resources),
        }
    }

    fn wants(self, change: Change) -> bool {
        match change {
            Change::Tools => self.tools_list_changed,
            Change::Prompts => self.prompts_list_changed,
            Change::Resources => self.resources_list_changed,
        }
    }
}

fn method_of(change: Change) -> &'static str {
    match change {
        Change::Tools => "notifications/tools/list_changed",
        Change::Prompts => "notifications/prompts/list_changed",
        Change::Resources => "notifications/resources/list_changed",
    }
}

/// Acknowledges, tells of changes, and ends with a result when the server drains. `run` is how a client
/// without a connection to close ends it.
pub(super) fn listen(engine: &Engine, ask: &Ask<'_>, run: Option<Run>) -> Reply {
    let filter = match Filter::read(ask.request) {
        Ok(filter) => filter.honoured(&engine.handler.info().capabilities),
        Err(error) => return Reply::error(StatusCode::BAD_REQUEST, Some(ask.id), &error),
    };
    let meta = format!(r#"{{"{}":{}}}"#, meta_key::SUBSCRIPTION_ID, ask.id);
    let filter_json = serde_json::to_string(&filter).expect("three booleans are plain JSON");
    let acknowledged = write::notification(
        "notifications/subscriptions/acknowledged",
        Some(format!(r#"{{"_meta":{meta},"notifications":{filter_json}}}"#).as_bytes()),
    );
    // A pipe has no end of stream to show, so it is told both ways (the specification has both).
    let mut last = Vec::new();
    if ask.peer.transport == Transport::Stdio {
        let params = format!(r#"{{"requestId":{},"_meta":{meta}}}"#, ask.id);
        last.push(write::notification("notifications/cancelled", Some(params.as_bytes())));
    }
    let result = format!(r#"{{"resultType":"complete","_meta":{meta}}}"#);
    last.push(write::response(ask.id, result.as_bytes()));

    let drain = engine.drain.clone();
    let changes = engine
        .handler
        .changes() // subscribed before the acknowledgement is sent, so nothing is missed
        .filter(move |change| std::future::ready(filter.wants(*change)))
        .map(move |change| write::notification(method_of(change), Some(format!(r#"{{"_meta":{meta}}}"#).as_bytes())))
        .chain(stream::pending())
        .take_until(async move { drain.begun().await });
    let all = stream::iter([acknowledged]).chain(changes).chain(stream::iter(last));
    Reply::Listen(match run {
        Some(run) => all.take_until(run.cancelled()).boxed(),
        None => all.boxed(),
    })
}

/// The same for a legacy client's GET stream or pipe, which hears of everything the server declares.
pub(crate) fn legacy_changes(engine: &Engine) -> futures_core::stream::BoxStream<'static, Vec<u8>> {
    let all = Filter { tools_list_changed: true, prompts_list_changed: true, resources_list_changed: true };
    let filter = all.honoured(&engine.handler.info().capabilities);
    let drain = engine.drain.clone();
    engine
        .handler
        .changes()
        .filter(move |change| std::future::ready(filter.wants(*change)))
        .map(|change| write::notification(method_of(change), None))
        .chain(stream::pending())
        .take_until(async move { drain.begun().await })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_and_is_offered_is_honoured() {
        let raw: &RawValue = serde_json::from_str(
            r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["x"]}}"#,
        )
        .unwrap();
        let request = Request::Other { method: "subscriptions/listen".into(), params: Some(raw) };
        let offered = ServerCapabilities {
            tools: Some(micro_mcp_proto::ListChanged::YES),
            prompts: Some(micro_mcp_proto::ListChanged::default()),
            ..ServerCapabilities::default()
        };
        let filter = Filter::read(&request).unwrap().honoured(&offered);
        assert_eq!(serde_json::to_string(&filter).unwrap(), r#"{"toolsListChanged":true}"#);
    }
}
