//! HTTP headers that mirror the body, and their checks (`basic/transports/streamable-http`, 2026-07-28).
//!
//! The body is the source of truth; a header that is missing, malformed or says something else is
//! refused with `-32020`, so that what an intermediary decided by it is what is carried out.

mod param;
mod value;

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

pub use self::{
    param::{InvalidAnnotation, ParamHeader, check_params, collect, mirror},
    value::{decode, encode},
};
use crate::{Params, RpcError};

/// `MCP-Protocol-Version`.
pub static PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// `Mcp-Method`.
pub static METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// `Mcp-Name`.
pub static NAME: HeaderName = HeaderName::from_static("mcp-name");
/// `Mcp-Session-Id` (2025-03-26 to 2025-11-25).
pub static SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// `Last-Event-ID` (2025-03-26 to 2025-11-25).
pub static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What headers of mirrored arguments begin with.
pub const PARAM_PREFIX: &str = "mcp-param-";

/// `MCP-Protocol-Version` must say what `_meta` says.
///
/// # Errors
/// `-32020`.
pub fn check_version(headers: &HeaderMap, claimed: &str) -> Result<(), RpcError> {
    compare("MCP-Protocol-Version", single(headers, &PROTOCOL_VERSION)?, claimed)
}

/// `Mcp-Method` must say what `method` says.
///
/// # Errors
/// `-32020`.
pub fn check_method(headers: &HeaderMap, method: &str) -> Result<(), RpcError> {
    compare("Mcp-Method", single(headers, &METHOD)?, method)
}

/// What `Mcp-Name` says: `params.name` (`tools/call`, `prompts/get`), `params.uri` (`resources/read`) or
/// `params.taskId` (`tasks/get`, `tasks/update`, `tasks/cancel`). Other methods have none.
///
/// # Errors
/// `-32602` when the body itself lacks the name.
pub fn name_of<'a>(method: &str, params: &Params<'a>) -> Result<Option<Cow<'a, str>>, RpcError> {
    let (value, member) = match method {
        "tools/call" | "prompts/get" => (params.name, "name"),
        "resources/read" => (params.uri, "uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => (params.task_id, "taskId"),
        _ => return Ok(None),
    };
    Params::string(value, member).map(Some)
}

/// `Mcp-Name` must say what the body says; see [`name_of`].
///
/// # Errors
/// `-32020`; `-32602` when the body itself lacks the name.
pub fn check_name(headers: &HeaderMap, method: &str, params: &Params<'_>) -> Result<(), RpcError> {
    let Some(name) = name_of(method, params)? else { return Ok(()) };
    let Some(header) = single(headers, &NAME)? else {
        return Err(RpcError::header_mismatch("Mcp-Name is required"));
    };
    compare("Mcp-Name", Some(&*decode(header)?), &name)
}

/// The one value of a header, without the blanks around it. Two values are as good as a wrong one.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(RpcError::header_mismatch(format_args!("{name} appears twice")));
    }
    let text = value.to_str().map_err(|_| RpcError::header_mismatch(format_args!("{name} has invalid characters")))?;
    Ok(Some(text.trim_matches([' ', '\t'])))
}

fn compare(name: &str, header: Option<&str>, body: &str) -> Result<(), RpcError> {
    match header {
        None => Err(RpcError::header_mismatch(format_args!("{name} is required"))),
        Some(header) if header == body => Ok(()),
        Some(header) => Err(RpcError::header_mismatch(format_args!(
            "{name} header value '{}' does not match body value '{}'",
            crate::error::clip(header),
            crate::error::clip(body)
        ))),
    }
}

#[cfg(test)]
mod tests;
