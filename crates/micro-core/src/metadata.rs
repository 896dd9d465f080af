//! What travels beside a call's body.

/// Header names on the wire between services (go-micro's wire, see `docs/wire.md`).
pub mod header {
    /// The service that is called.
    pub const SERVICE: &str = "micro-service";
    /// The endpoint, `Type.Method`.
    pub const ENDPOINT: &str = "micro-endpoint";
    /// go-micro's older word for the endpoint.
    pub const METHOD: &str = "micro-method";
    /// The error of a failed call, as JSON.
    pub const ERROR: &str = "micro-error";
    /// Time left for the call, in nanoseconds.
    pub const TIMEOUT: &str = "timeout";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
    /// Trace id of the agent's call.
    pub const TRACE_ID: &str = "mcp-trace-id";
    /// Canonical name of the tool that was called.
    pub const TOOL_NAME: &str = "mcp-tool-name";
    /// Account on whose behalf the tool was called.
    pub const ACCOUNT_ID: &str = "mcp-account-id";
    /// The account's tenant.
    pub const TENANT: &str = "mcp-tenant";
    /// The account's scopes with blanks between; `*` alone is everything.
    pub const SCOPES: &str = "mcp-scopes";
    /// The intent that the tool was called for.
    pub const INTENT: &str = "mcp-intent-id";
    /// What the gateway asserts of the caller, signed.
    pub const ASSERTION: &str = "mcp-assertion";
}

/// Key-value pairs beside a call's body. Keys are kept in lower case; a handful at most, so a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// The value of `key`, in any case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str())
    }

    /// Sets `key`, replacing an earlier value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(k, _)| k.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_ascii_lowercase(), value)),
        }
    }

    /// Removes `key`, in any case.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(k, _)| !k.eq_ignore_ascii_case(key));
    }

    /// All pairs, in the order they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut metadata = Self::default();
        for (key, value) in pairs {
            metadata.set(key.as_ref(), value);
        }
        metadata
    }
}
