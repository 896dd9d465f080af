//! The one translator: a pipeline error in each front's words. Inner texts never pass.

use http::{HeaderValue, StatusCode};
use micro_core::Violation;
use micro_mcp::{
    Failure, Refusal,
    proto::{RpcError, code},
};
use micro_policy::Rejection;

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

pub(crate) fn mcp(error: &Error, tool: &str) -> Mcp {
    match error {
        Error::UnknownTool => Mcp::Failure(RpcError::unknown_tool(tool).into()),
        Error::InvalidArguments(violations) => Mcp::Result(invalid(violations)),
        Error::Upstream(error) => Mcp::Result(error.to_string()),
        Error::Unauthenticated(_) | Error::Forbidden(_) => Mcp::Failure(refusal(error).into()),
        Error::Unrecorded => Mcp::Failure(RpcError::new(code::INTERNAL, UNRECORDED).into()),
    }
}

/// 401 and 403 with their challenges (RFC 6750 §3).
pub(crate) fn refusal(error: &Error) -> Refusal {
    let (status, text) = plain(error);
    let challenge = challenge(error);
    let error = RpcError::new(code::INVALID_PARAMS, text);
    Refusal { challenge, ..Refusal::new(status, error) }
}

pub(crate) fn challenge(error: &Error) -> Option<HeaderValue> {
    match error {
        Error::Unauthenticated(Rejection::Missing) => Some(HeaderValue::from_static("Bearer")),
        Error::Unauthenticated(Rejection::Unavailable) => None,
        Error::Unauthenticated(_) => Some(HeaderValue::from_static(r#"Bearer error="invalid_token""#)),
        Error::Forbidden(missing) => {
            // Scope values are operator's text; one that is no header value is left out.
            let scope = missing.needed.iter().collect::<Vec<_>>().join(" ");
            let value = format!(r#"Bearer error="insufficient_scope", scope="{}""#, scope.replace(['"', '\\'], ""));
            HeaderValue::from_str(&value)
                .ok()
                .or(Some(HeaderValue::from_static(r#"Bearer error="insufficient_scope""#)))
        }
        _ => None,
    }
}

/// Status and text, for REST and the compatible endpoints.
pub(crate) fn plain(error: &Error) -> (StatusCode, String) {
    match error {
        // The credential may be good: its holder must not throw it away.
        Error::Unauthenticated(Rejection::Unavailable) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("Unavailable: {}", Rejection::Unavailable))
        }
        Error::Unauthenticated(rejection) => (StatusCode::UNAUTHORIZED, format!("Unauthorized: {rejection}")),
        Error::Forbidden(missing) => (StatusCode::FORBIDDEN, format!("Forbidden: {missing}")),
        Error::UnknownTool => (StatusCode::NOT_FOUND, "Tool not found".to_owned()),
        Error::InvalidArguments(violations) => (StatusCode::BAD_REQUEST, invalid(violations)),
        Error::Unrecorded => (StatusCode::INTERNAL_SERVER_ERROR, UNRECORDED.to_owned()),
        Error::Upstream(error) => {
            (StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_string())
        }
    }
}

fn invalid(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("- {v}")).collect();
    format!("invalid arguments:\n{}", lines.join("\n"))
}
