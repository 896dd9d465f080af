//! What the server answers itself: `initialize`, `server/discover`.

use std::borrow::Cow;

use micro_mcp_proto::{ClientCapabilities, Id, Revision, RpcError, write};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reply;
use crate::{
    ServerInfo,
    result::{self, Cache, CacheScope, Identity},
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
        .member("capabilities", &info.capabilities.clone().for_revision(revision))
        .member("serverInfo", &info.implementation);
    if let Some(instructions) = &info.instructions {
        writer = writer.member("instructions", instructions);
    }
    Reply::message(write::response(id, &writer.finish()))
}

/// The request that a cancellation names.
pub(super) fn cancelled_id(params: &RawValue) -> Option<Id<'_>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Cancelled<'a> {
        #[serde(borrow)]
        request_id: &'a RawValue,
    }
    serde_json::from_str::<Cancelled<'_>>(params.get()).ok().and_then(|params| Id::new(params.request_id))
}
