//! What the gateway says of itself as an OAuth protected resource (RFC 9728), and where.

use http::{HeaderMap, Response, StatusCode, header, uri::Authority};
use micro_runtime::http::Body;
use serde_json::json;

use super::http::{error, json};
use crate::pipeline::Pipeline;

/// Where the documents are; behind it comes the path of what they describe (RFC 9728 §3.1).
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Resources of their own, by the paths below which they are mounted.
const MOUNTS: [&str; 2] = ["/mcp", "/api"];

/// The document behind [`WELL_KNOWN`] for the resource at this path, or at the root for an empty one.
pub(super) fn document(pipeline: &Pipeline, scheme: &str, headers: &HeaderMap, path: &str) -> Response<Body> {
    let policies = pipeline.identities.policies();
    let servers: Vec<&str> = policies.authorization_servers().collect();
    let known = path.is_empty() || MOUNTS.contains(&path);
    let base = base(pipeline, scheme, headers).filter(|_| known && !servers.is_empty());
    let Some(base) = base else {
        return error(StatusCode::NOT_FOUND, "no authorization server issues tokens for this");
    };
    let mut document = json!({
        "resource": format!("{base}{path}"),
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
        "resource_name": "Micro gateway",
    });
    let catalog = pipeline.catalog.load();
    // What one tenant's tools ask for is not for the others.
    if catalog.access().tenants.is_empty() {
        document["scopes_supported"] = json!(catalog.scopes());
    }
    json(StatusCode::OK, document.to_string())
}

/// Where the document about what was asked is, for challenges; `None` where nobody issues tokens.
pub(super) fn location(pipeline: &Pipeline, scheme: &str, headers: &HeaderMap, path: &str) -> Option<String> {
    pipeline.identities.policies().authorization_servers().next()?;
    let below = |mount: &&&str| path.strip_prefix(**mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mount = MOUNTS.iter().find(below).copied().unwrap_or_default();
    Some(format!("{}{WELL_KNOWN}{mount}", base(pipeline, scheme, headers)?))
}

/// How callers name the gateway: as the config says, else as this one does.
fn base(pipeline: &Pipeline, scheme: &str, headers: &HeaderMap) -> Option<String> {
    if let Some(url) = &pipeline.identities.policies().url {
        return Some(url.clone());
    }
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    // Of an authority only the host and the port: nobody's name, and nothing that ends a quoted string.
    let name = host.host();
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']'));
    let port = host.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    plain.then(|| format!("{scheme}://{name}{port}"))
}
