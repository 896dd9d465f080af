//! How a conversation begins.

use super::*;

pub(crate) fn initialize(revision: Revision) -> impl Strategy<Value = InitializeParams> {
    (client_capabilities(revision), implementation(revision), request_meta(revision)).prop_map(
        move |(capabilities, client_info, meta)| InitializeParams {
            protocol_version: revision.to_string(),
            capabilities,
            client_info,
            meta,
        },
    )
}

pub(crate) fn initialized(revision: Revision) -> impl Strategy<Value = InitializeResult> {
    (server_capabilities(revision), implementation(revision), option::of(text()), meta()).prop_map(
        move |(capabilities, server_info, instructions, meta)| InitializeResult {
            protocol_version: revision.to_string(),
            capabilities,
            server_info,
            instructions,
            meta,
        },
    )
}

pub(crate) fn discovered(revision: Revision) -> impl Strategy<Value = DiscoverResult> {
    let versions = collection::vec(word(), 0..3);
    (versions, server_capabilities(revision), option::of(text()), any::<u32>(), cache_scope(), meta()).prop_map(
        |(supported_versions, capabilities, instructions, ttl_ms, cache_scope, meta)| DiscoverResult {
            supported_versions,
            capabilities,
            instructions,
            ttl_ms: ttl_ms.into(),
            cache_scope,
            meta,
        },
    )
}

pub(super) fn cache_scope() -> impl Strategy<Value = CacheScope> {
    one_of(&[CacheScope::Public, CacheScope::Private])
}
