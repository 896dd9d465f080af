//! Messages before they are sent: as they should be, for checks to spoil.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use micro_mcp::proto::{Revision, headers, meta_key};
use serde_json::{Value, json};

use super::probe::Probe;

/// One message before it is sent; checks change it as they like.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    /// Sent in place of the body.
    pub(super) raw: Option<String>,
    pub(super) credentials: bool,
    /// So wrong that servers may say nothing to it.
    pub(super) odd: bool,
}

impl Ask {
    /// The member of `params._meta` with this name is left out.
    pub(super) fn without_meta(mut self, key: &str) -> Self {
        if let Some(meta) = self.body["params"]["_meta"].as_object_mut() {
            meta.remove(key);
        }
        self
    }

    /// A header with another value, or without one.
    pub(super) fn header(mut self, name: &HeaderName, value: Option<&str>) -> Self {
        self.headers.remove(name);
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Another id, or none.
    pub(super) fn id(mut self, id: Option<Value>) -> Self {
        match (id, self.body.as_object_mut()) {
            (Some(id), Some(body)) => drop(body.insert("id".to_owned(), id)),
            (None, Some(body)) => drop(body.remove("id")),
            _ => {}
        }
        self
    }

    /// These bytes in place of the message.
    pub(super) fn raw(mut self, text: impl Into<String>) -> Self {
        self.raw = Some(text.into());
        self
    }
}

impl Probe {
    /// A request as it should be.
    pub(super) fn request(&mut self, method: &str, params: Value) -> Ask {
        self.last_id += 1;
        let id = self.last_id;
        let mut ask = self.message(method, params);
        ask.body["id"] = id.into();
        ask
    }

    /// A notification as it should be.
    pub(super) fn notification(&self, method: &str, params: Value) -> Ask {
        self.message(method, params)
    }

    /// `initialize`, outside of any session.
    pub(super) fn initialize(&mut self, version: &str) -> Ask {
        self.last_id += 1;
        let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client() });
        let body = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": "initialize", "params": params });
        Ask { method: Method::POST, headers: basic(), body, raw: None, credentials: true, odd: false }
    }

    pub(super) fn message(&self, method: &str, mut params: Value) -> Ask {
        let mut headers = basic();
        let mut set = |name: &HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if self.is_modern() {
            set(&headers::PROTOCOL_VERSION, self.revision.as_str());
            set(&headers::METHOD, method);
            let key = if method == "resources/read" { "uri" } else { "name" };
            if let Some(name) =
                params[key].as_str().filter(|_| ["tools/call", "prompts/get", "resources/read"].contains(&method))
            {
                set(&headers::NAME, &headers::encode(name));
            }
            params["_meta"][meta_key::PROTOCOL_VERSION] = self.revision.as_str().into();
            params["_meta"][meta_key::CLIENT_CAPABILITIES] = json!({});
            params["_meta"][meta_key::CLIENT_INFO] = client();
        } else {
            if self.revision >= Revision::V2025_06_18 {
                set(&headers::PROTOCOL_VERSION, self.revision.as_str());
            }
            if let Some(session) = &self.session {
                headers.insert(&headers::SESSION_ID, session.clone());
            }
        }
        let mut body = json!({ "jsonrpc": "2.0", "method": method });
        if params.as_object().is_some_and(|params| !params.is_empty()) {
            body["params"] = params;
        }
        Ask { method: Method::POST, headers, body, raw: None, credentials: true, odd: false }
    }

    /// A request that every server of the era answers.
    pub(super) fn simple(&mut self) -> Ask {
        self.request(if self.is_modern() { "server/discover" } else { "ping" }, json!({}))
    }
}

/// What a probe says it is.
fn client() -> Value {
    json!({ "name": "micro-validate", "version": env!("CARGO_PKG_VERSION") })
}

/// The headers of every message.
fn basic() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers
}
