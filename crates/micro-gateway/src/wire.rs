//! The one translator: a pipeline error in each front's words. Inner texts never pass.

use http::{HeaderValue, StatusCode};
use micro_core::Violation;
use micro_mcp::{
    Failure, Refusal,
    proto::{RpcError, code},
};
use micro_policy::{Denied, Rejection, Scopes, Why};

use crate::pipeline::Error;

/// What an MCP client gets.
pub(crate) enum Mcp {
    /// A result with `isError`: the model reads it and can do better.
    Result(String),
    /// A JSON-RPC error, perhaps with an HTTP status.
    Failure(Failure),
}

/// It may have been made.
const UNRECORDED: &str = "The call could not be recorded";

pub(crate) fn mcp(error: &Error, tool: &str, hints: Hints<'_>) -> Mcp {
    match error {
        Error::UnknownTool => Mcp::Failure(RpcError::unknown_tool(tool).into()),
        Error::InvalidArguments(violations) => Mcp::Result(invalid(violations)),
        Error::Upstream(error) => Mcp::Result(error.to_string()),
        Error::Unauthenticated(_) | Error::Forbidden(_) => Mcp::Failure(refusal(error, hints).into()),
        Error::IntentSpent | Error::IntentUncounted => Mcp::Failure(refusal(error, hints).into()),
        Error::Unrecorded | Error::Abandoned => Mcp::Failure(RpcError::new(code::INTERNAL, UNRECORDED).into()),
    }
}

/// What a challenge tells beside the error: where the resource's metadata are (RFC 9728 §5.1), and what to ask for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints<'a> {
    pub(crate) metadata: Option<&'a str>,
    pub(crate) scopes: Option<&'a Scopes>,
}

/// 401 and 403 with their challenges (RFC 6750 §3).
pub(crate) fn refusal(error: &Error, hints: Hints<'_>) -> Refusal {
    let (status, text) = plain(error);
    let challenge = challenge(error, hints);
    let error = RpcError::new(code::INVALID_PARAMS, text);
    Refusal { challenge, ..Refusal::new(status, error) }
}

pub(crate) fn challenge(error: &Error, hints: Hints<'_>) -> Option<HeaderValue> {
    let needed: Scopes;
    let (code, scopes) = match error {
        // The credential may be good: its holder must not throw it away.
        Error::Unauthenticated(Rejection::Unavailable) => return None,
        Error::Unauthenticated(Rejection::Missing) => (None, hints.scopes),
        Error::Unauthenticated(_) => (Some("invalid_token"), hints.scopes),
        // Other refusals are not mended by more scopes: no challenge.
        Error::Forbidden(Denied { why: Why::Scopes { any_of, all_of }, .. }) => {
            needed = [all_of, any_of].into_iter().flat_map(Scopes::iter).collect();
            (Some("insufficient_scope"), Some(&needed))
        }
        _ => return None,
    };
    let scopes = scopes.map(|scopes| scopes.iter().collect::<Vec<_>>().join(" ")).filter(|scopes| !scopes.is_empty());
    let said = [("error", code), ("scope", scopes.as_deref()), ("resource_metadata", hints.metadata)];
    let words = said.iter().filter_map(|(name, value)| {
        // Operators' text; what is no part of a quoted string is left out.
        let value = value.filter(|value| value.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\'))?;
        Some(format!(r#"{name}="{value}""#))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(format!("Bearer {words}").trim_end()).ok()
}

/// Status and text, for REST and the compatible endpoints.
pub(crate) fn plain(error: &Error) -> (StatusCode, String) {
    match error {
        Error::Unauthenticated(Rejection::Unavailable) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("Unavailable: {}", Rejection::Unavailable))
        }
        Error::Unauthenticated(rejection) => (StatusCode::UNAUTHORIZED, format!("Unauthorized: {rejection}")),
        Error::Forbidden(denied) => (StatusCode::FORBIDDEN, format!("Forbidden: {denied}")),
        Error::IntentSpent => (StatusCode::FORBIDDEN, "Forbidden: the intent has no calls left".to_owned()),
        Error::IntentUncounted => {
            (StatusCode::SERVICE_UNAVAILABLE, "Unavailable: the intent's calls cannot be counted now".to_owned())
        }
        Error::UnknownTool => (StatusCode::NOT_FOUND, "Tool not found".to_owned()),
        Error::InvalidArguments(violations) => (StatusCode::BAD_REQUEST, invalid(violations)),
        Error::Unrecorded | Error::Abandoned => (StatusCode::INTERNAL_SERVER_ERROR, UNRECORDED.to_owned()),
        Error::Upstream(error) => {
            (StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_string())
        }
    }
}

fn invalid(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("- {v}")).collect();
    format!("invalid arguments:\n{}", lines.join("\n"))
}
