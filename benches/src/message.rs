//! The messages of the load: calls and lists, in both eras.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use micro_mcp::proto::Era;
use serde_json::{Value, json};

/// One HTTP request, always the same bytes.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) path: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The answer must hold this.
    pub(crate) expect: &'static [u8],
}

impl Shape {
    /// A call of the echo tool with a text of so many bytes.
    pub(crate) fn echo(era: Era, size: usize) -> Self {
        Self::mcp(era, "tools/call", Some("echo"), echo(size), br#""text":"xxx"#)
    }

    /// So many echo calls in one batch, as 2025-03-26 has it.
    pub(crate) fn batch(calls: usize, size: usize) -> Self {
        let one = Self::echo(Era::Legacy, size);
        let all: Vec<Value> = (0..calls).map(|id| request(Era::Legacy, id, "tools/call", echo(size))).collect();
        Self { body: Value::from(all).to_string().into(), ..one }
    }

    /// The gateway's tool that answers with this many bytes.
    pub(crate) fn tool(size: usize, credential: &str) -> Self {
        let params = json!({"name": "bench_Bytes", "arguments": arguments(size)});
        Self::mcp(Era::Modern, "tools/call", Some("bench_Bytes"), params, b"structuredContent").showing(credential)
    }

    /// The same for the bare proxy: the arguments go through as they are.
    pub(crate) fn proxied(size: usize) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("micro-endpoint", HeaderValue::from_static("Bench.Bytes"));
        Self { path: "/", headers, body: arguments(size).to_string().into(), expect: br#""people":["# }
    }

    /// The first page.
    pub(crate) fn list() -> Self {
        Self::mcp(Era::Modern, "tools/list", None, json!({}), br#""tools":["#)
    }

    /// The same request from somebody.
    pub(crate) fn showing(mut self, credential: &str) -> Self {
        self.headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {credential}")).expect("ASCII"));
        self
    }

    /// Any MCP message.
    pub(crate) fn post(body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("accept", HeaderValue::from_static("application/json, text/event-stream"));
        Self { path: "/mcp", headers, body: body.to_string().into(), expect: b"" }
    }

    fn mcp(era: Era, method: &'static str, name: Option<&str>, params: Value, expect: &'static [u8]) -> Self {
        let mut shape = Self::post(&request(era, 1, method, params));
        shape.expect = expect;
        if era == Era::Modern {
            shape.headers.insert("mcp-protocol-version", HeaderValue::from_static("2026-07-28"));
            shape.headers.insert("mcp-method", HeaderValue::from_static(method));
            if let Some(name) = name {
                shape.headers.insert("mcp-name", HeaderValue::from_str(name).expect("ASCII"));
            }
        }
        shape
    }
}

/// The parameters of an echo call.
pub(crate) fn echo(size: usize) -> Value {
    json!({"name": "echo", "arguments": {"message": "x".repeat(size)}})
}

/// A request; modern ones say who asks each time.
pub(crate) fn request(era: Era, id: usize, method: &str, mut params: Value) -> Value {
    if era == Era::Modern {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        });
    }
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// What opens a legacy session of a revision.
pub(crate) fn initialize(revision: &str) -> Value {
    let client = json!({"name": "bench", "version": "1"});
    let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": client});
    request(Era::Legacy, 0, "initialize", params)
}

/// What closes the handshake.
pub(crate) fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

fn arguments(size: usize) -> Value {
    json!({"size": size, "label": "a label of ordinary length", "tags": ["one", "two", "three"]})
}
