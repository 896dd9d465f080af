//! JSON-RPC errors and the codes MCP gives a meaning (`basic/index`, "Error Codes", 2026-07-28).

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use crate::{ElicitParams, ElicitUrl, Revision};

/// Error codes. `-32020…-32099` belong to the specification; our own would lie outside `-32768…-32000`.
pub mod code {
    /// The bytes are not JSON.
    pub const PARSE: i32 = -32700;
    /// The JSON is not one JSON-RPC message.
    pub const INVALID_REQUEST: i32 = -32600;
    /// No such method, or it belongs to a capability that is not offered.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// Unknown tool, prompt or resource, bad cursor, missing `_meta` keys.
    pub const INVALID_PARAMS: i32 = -32602;
    /// The server failed.
    pub const INTERNAL: i32 = -32603;
    /// A mirrored header is missing, malformed or says something else than the body (2026-07-28).
    pub const HEADER_MISMATCH: i32 = -32020;
    /// The request needs a capability the client did not declare (2026-07-28).
    pub const MISSING_CAPABILITY: i32 = -32021;
    /// The request names a protocol version that is not served (2026-07-28).
    pub const UNSUPPORTED_VERSION: i32 = -32022;
    /// No such resource, before 2026-07-28; [`INVALID_PARAMS`] since.
    pub const OLD_RESOURCE_NOT_FOUND: i32 = -32002;
    /// The user must visit a page first (2025-11-25 only).
    pub const URL_ELICITATION_REQUIRED: i32 = -32042;
}

/// The `error` object of a JSON-RPC response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RpcError {
    /// What kind of error; see [`code`].
    pub code: i32,
    /// What went wrong, for people. Shown to the peer: no inner text.
    pub message: Cow<'static, str>,
    /// Details a program can use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

impl RpcError {
    /// An error with any code and no data.
    pub fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// [`code::PARSE`].
    pub fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::PARSE, message)
    }

    /// [`code::INVALID_REQUEST`].
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::INVALID_REQUEST, message)
    }

    /// [`code::METHOD_NOT_FOUND`].
    pub fn method_not_found(method: &str) -> Self {
        Self::new(code::METHOD_NOT_FOUND, format!("Method not found: {}", clip(method)))
    }

    /// [`code::INVALID_PARAMS`].
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::INVALID_PARAMS, message)
    }

    /// [`code::INVALID_PARAMS`] for a tool nobody knows.
    pub fn unknown_tool(name: &str) -> Self {
        Self::invalid_params(format!("Unknown tool: {}", clip(name)))
    }

    /// [`code::INVALID_PARAMS`] with `data.uri`, as SEP-2164 asks.
    pub fn resource_not_found(uri: &str) -> Self {
        Self::invalid_params("Resource not found").with_data(&json!({ "uri": uri }))
    }

    /// [`code::INTERNAL`], which tells the peer nothing.
    pub fn internal() -> Self {
        Self::new(code::INTERNAL, "Internal error")
    }

    /// [`code::HEADER_MISMATCH`].
    pub fn header_mismatch(message: impl fmt::Display) -> Self {
        Self::new(code::HEADER_MISMATCH, format!("Header mismatch: {message}"))
    }

    /// [`code::MISSING_CAPABILITY`]; `required` is a ClientCapabilities object such as `{"sampling":{}}`.
    pub fn missing_capability(message: impl Into<Cow<'static, str>>, required: &impl Serialize) -> Self {
        Self::new(code::MISSING_CAPABILITY, message).with_data(&json!({ "requiredCapabilities": required }))
    }

    /// [`code::UNSUPPORTED_VERSION`] with `data.supported` and `data.requested`.
    pub fn unsupported_version(requested: &str, supported: &[Revision]) -> Self {
        Self::new(code::UNSUPPORTED_VERSION, "Unsupported protocol version")
            .with_data(&json!({ "supported": supported, "requested": clip(requested) }))
    }

    /// [`code::URL_ELICITATION_REQUIRED`] with the pages to visit; only 2025-11-25 has it.
    pub fn url_elicitation_required(message: impl Into<Cow<'static, str>>, pages: &[ElicitUrl]) -> Self {
        let elicitations: Vec<_> = pages.iter().cloned().map(ElicitParams::Url).collect();
        Self::new(code::URL_ELICITATION_REQUIRED, message).with_data(&json!({ "elicitations": elicitations }))
    }

    /// The same error with data. Data that cannot be written as JSON is left out.
    #[must_use]
    pub fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = serde_json::value::to_raw_value(data).ok();
        self
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}

/// What a peer sent is quoted in messages, but never at length.
pub(crate) fn clip(text: &str) -> &str {
    const MAX: usize = 200;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
